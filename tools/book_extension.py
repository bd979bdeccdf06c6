"""Sphinx extension: fresh outputs, one public address, formulas offline, and the table of versions.

It works for ``make book`` and for ``jupyter-book build .`` alike.
"""

import platform
import shutil
from datetime import UTC, datetime
from importlib.metadata import files, version
from pathlib import Path

from chapters import ROOT, cache_path, fingerprint
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

MATHJAX = "mathjax/tex-svg.js"
ABOUT = "notebooks/about"
SHOWN = ("pymc", "bambi", "arviz", "nutpie", "numpy", "pandas", "xarray", "seaborn", "jupyter-book")


class BuildInfo(SphinxDirective):
    """A table of the versions that executed this book, and the date."""

    def run(self) -> list[nodes.Node]:
        rows = [("Date", datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"))]
        rows += [("Python", platform.python_version()), ("System", platform.system())]
        rows += [(name, version(name)) for name in SHOWN]
        lines = [
            "| What | Version |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in rows),
        ]
        return self.parse_text_to_nodes("\n".join(lines))


def configure(app: Sphinx, config) -> None:
    """Point the cache to today's fingerprint, and offer the address as a substitution."""
    config.nb_execution_cache_path = str(cache_path())
    config.execution_fingerprint = fingerprint()
    config.mathjax_path = MATHJAX
    url = config.html_theme_options["repository_url"]
    config.myst_substitutions = {**config.myst_substitutions, "repository_url": url}


def copy_mathjax(app: Sphinx, error: Exception | None) -> None:
    """Formulas are typeset without a network: MathJax comes from the environment."""
    if error is None and app.builder.format == "html":
        packed = next(path for path in files("sphinx-mathjax-offline") if path.match(MATHJAX))
        target = Path(app.outdir, "_static", MATHJAX)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(packed.locate(), target)


def setup(app: Sphinx) -> dict:
    # Rebuild "env": a new fingerprint, or a page that came or went, makes every page be read again.
    app.add_config_value("execution_fingerprint", "", "env")
    app.add_config_value("toc_text", (ROOT / "_toc.yml").read_text(encoding="utf-8"), "env")
    app.add_directive("build-info", BuildInfo)
    app.connect("config-inited", configure, priority=1)
    app.connect("env-get-outdated", lambda app, env, added, changed, removed: [ABOUT])
    app.connect("build-finished", copy_mathjax)
    return {"version": "1", "parallel_read_safe": False}
