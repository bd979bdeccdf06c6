"""Sphinx extension: fresh outputs, one public address, pages that need no network, table of versions.

It works for ``make book`` and for ``jupyter-book build .`` alike.
"""

import contextlib
import platform
import re
import shutil
from datetime import UTC, datetime
from importlib.metadata import files, version
from pathlib import Path

import nbformat
from docutils import nodes
from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from chapters import ROOT, cache_path, fingerprint, list_chapters, read_executable
from lighten import lighten
from schedules import Schedule

# The parts of MathJax that typeset TeX as SVG, with MathML beside it for screen readers; no menu.
# sphinx-mathjax-offline, pinned by its hash in the lock, carries the files of mathjax 3.2.2 as npm has
# them; a test knows their checksums.
MATHJAX = ("core", "input/tex", "output/svg", "a11y/assistive-mml")
FONT = "output/svg/fonts/tex"  # asked for by output/svg itself, and twice is once too often
EXECUTED = "_executed"  # notebooks with outputs, to download
ABOUT, SCHEDULES = "notebooks/about", "notebooks/t2_schedules"  # made anew in each build
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


def colab_cell(url: str, branch: str = "main") -> str:
    """The first cell of a notebook in Colab: exactly the versions in the lock, and the helpers."""
    owner_and_name = "/".join(url.rstrip("/").rsplit("/", 2)[1:])
    raw = f"https://raw.githubusercontent.com/{owner_and_name}/{branch}/requirements.lock"
    return (
        f"%pip install -q --require-hashes -r {raw}\n"
        f"%pip install -q --no-deps --no-build-isolation git+{url}@{branch}"
    )


class ColabCell(SphinxDirective):
    """The cell that makes Colab's environment the book's, to copy."""

    def run(self) -> list[nodes.Node]:
        options = self.config.html_theme_options
        code = colab_cell(options["repository_url"], options["repository_branch"])
        return [nodes.literal_block(code, code, language="ipython")]


# The space in "95 %", and those in "P(slope < 0)", which is written in HTML with an entity.
INSIDE = re.compile(
    r"(?<=\d) (?=(?:%|s|years?|minutes?)(?!\w))| (?=(?:<|&lt;) \d)|(?<= <) (?=\d)|(?<= &lt;) (?=\d)"
)
VERBATIM = (nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw)


class KeepTogether(SphinxPostTransform):
    """No line ends between a number and its unit, in sentences and tables, or between a formula and the
    mark that follows it."""

    default_priority = 900  # after outputs are chosen

    def run(self, **settings) -> None:
        for parent in list(self.document.findall(nodes.Element)):
            if isinstance(parent, nodes.raw) and 'class="dataframe"' in parent.astext():
                parent[:] = [nodes.Text(INSIDE.sub("\u00a0", parent.astext()))]
            elif not isinstance(parent, VERBATIM):
                for place in reversed(range(len(parent))):
                    if isinstance(parent[place], nodes.Text):
                        self.mend(parent, place)

    def mend(self, parent: nodes.Element, place: int) -> None:
        """Mend the text that is this child of its parent."""
        text = INSIDE.sub("\u00a0", parent[place])
        parent[place] = nodes.Text(text)
        mark = re.match(r"[.,;:!?)]+", text)
        if place and mark and isinstance(parent[place - 1], nodes.math):
            kept = [parent[place - 1], nodes.Text(mark[0])]
            pair = nodes.inline("", "", *kept, classes=["together"])
            parent[place - 1 : place + 1] = [pair, nodes.Text(text[mark.end() :])]


def configure(app: Sphinx, config) -> None:
    """Point the cache to today's fingerprint, and offer the address as a substitution."""
    config.nb_execution_cache_path = str(cache_path())
    config.execution_fingerprint = fingerprint()
    config.mathjax_path = "mathjax/startup.js"
    config.mathjax3_config = (config.mathjax3_config or {}) | {"loader": {"load": list(MATHJAX)}}
    config.html_theme_options["use_source_button"] = True  # Jupyter Book knows no such setting
    url = config.html_theme_options["repository_url"]
    config.myst_substitutions = {**config.myst_substitutions, "repository_url": url}
    owner, name = url.rstrip("/").rsplit("/", 2)[1:]
    config.html_baseurl = config.ogp_site_url = f"https://{owner.lower()}.github.io/{name}/"
    config.ogp_image = f"{config.ogp_site_url}_static/paradox.png"
    config.notfound_urls_prefix = f"/{name}/"


def copy_mathjax(app: Sphinx, error: Exception | None) -> None:
    """Formulas are typeset without a network: MathJax comes from the environment."""
    if error is not None or app.builder.format != "html":
        return
    parts = {f"mathjax/{part}.js" for part in ("startup", *MATHJAX, FONT)}
    for file in files("sphinx-mathjax-offline"):
        part = file.as_posix().partition("/static/")[2]
        if part in parts:
            target = Path(app.outdir, "_static", part)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), target)


def make_light(app: Sphinx, error: Exception | None) -> None:
    """Send less to a reader: smaller figures, and the icons that are there to be seen."""
    if error is None and app.builder.format == "html":
        lighten(Path(app.outdir))


def offer_executed(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Add the notebook with outputs to the page's downloads."""
    groups = [entry for entry in context["header_buttons"] if entry["label"] == "download-buttons"]
    if groups and context.get("page_source_suffix") == ".ipynb":
        target = f"{context['pathto'](EXECUTED, 1)}/{Path(pagename).name}.ipynb"
        button = {"type": "link", "url": target, "text": ".ipynb with outputs"}
        button |= {"tooltip": "Download with outputs", "icon": "fas fa-chart-line"}
        groups[0]["buttons"].insert(1, {**button, "label": "download-executed-button"})


def write_executed(app: Sphinx, error: Exception | None) -> None:
    """Copy each chapter with the outputs that its page shows, as far as it was executed."""
    if error is not None or app.builder.format != "html" or not cache_path().exists():
        return
    cache, folder = get_cache(str(cache_path())), Path(app.outdir, EXECUTED)
    folder.mkdir(exist_ok=True)
    for page in list_chapters():
        with contextlib.suppress(KeyError):
            _, notebook = cache.merge_match_into_notebook(read_executable(page))
            nbformat.write(notebook, folder / page.name)


def offer_launch(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Leave Binder and Colab to the chapters: what is no notebook opens in neither."""
    if context.get("page_source_suffix") != ".ipynb":
        context["header_buttons"] = [
            entry for entry in context["header_buttons"] if entry["label"] != "launch-buttons"
        ]


# As the extension for exercises writes them: "Exercise 4 (A title (5 minutes))".
SOLUTION = re.compile(r"Solution to(<a [^>]*>) (Exercise \d+) \((.+) \(\d+.minutes?\)\)")
EXERCISE = re.compile(r"(Exercise \d+) ?(</span>) ?\((.+) \((\d+.minutes?)\)\)")


def mend_page(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Leave out thebe, which is off but declares a constant twice, name the role of references, and write
    the titles of exercises without brackets in brackets."""
    context["script_files"] = [
        script
        for script in context["script_files"]
        if "THEBE_JS_URL" not in str(getattr(script, "attributes", {}).get("body", ""))
    ]
    if "body" in context:
        body = context["body"].replace("doc-biblioentry", "listitem")
        context["body"] = EXERCISE.sub(r"\1\2: \3, \4", SOLUTION.sub(r"Solution to \1\2: \3", body))


def write_front_door(app: Sphinx, error: Exception | None) -> None:
    """Let the book's own address lead to its first page, and tell search and previews what that page says."""
    if error is not None or app.builder.name != "html":
        return
    first = app.builder.get_target_uri(app.config.root_doc)
    head = Path(app.outdir, first).read_text(encoding="utf-8").partition("</head>")[0]
    tags = re.findall(
        r'<meta (?:property="og:|name="description").*?/>|<title>.*?</title>|<link rel="canonical".*?/>',
        head,
    )
    refresh = f'<meta http-equiv="refresh" content="0; url={first}" />'
    lines = ['<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8" />', *tags, refresh]
    lines += [f'<p><a href="{first}">{app.config.html_title}</a></p>\n</html>\n']
    Path(app.outdir, "index.html").write_text("\n".join(lines), encoding="utf-8")


def ask_registrar(app: Sphinx, uri: str) -> str | None:
    """Check a DOI where it is registered: publishers refuse robots."""
    doi = uri.partition("https://doi.org/")[2]
    return f"https://doi.org/api/handles/{doi}" if doi else None


def print_as_html(app: Sphinx) -> None:
    """Write the one page of the PDF as the many are written.

    Sphinx forgets all handlers for html as soon as one extension has any for singlehtml.
    """
    handlers = app.registry.translation_handlers
    handlers["singlehtml"] = handlers["html"] | handlers.get("singlehtml", {})


def setup(app: Sphinx) -> dict:
    # Rebuild "env": a new fingerprint, or a page that came or went, makes every page be read again.
    app.add_config_value("execution_fingerprint", "", "env")
    app.add_config_value("toc_text", (ROOT / "_toc.yml").read_text(encoding="utf-8"), "env")
    app.add_post_transform(KeepTogether)
    app.add_directive("build-info", BuildInfo)
    app.add_directive("colab-cell", ColabCell)
    app.add_directive("schedule", Schedule)
    app.connect("config-inited", configure, priority=1)
    app.connect("builder-inited", print_as_html)
    app.connect("env-get-outdated", lambda app, env, added, changed, removed: [ABOUT, SCHEDULES])
    app.connect("html-page-context", offer_executed, priority=600)
    app.connect("html-page-context", offer_launch, priority=600)
    app.connect("html-page-context", mend_page, priority=900)
    app.connect("build-finished", copy_mathjax)
    app.connect("build-finished", write_executed)
    app.connect("build-finished", make_light)
    app.connect("build-finished", write_front_door, priority=600)  # over the one of the contents
    app.connect("linkcheck-process-uri", ask_registrar)
    return {"version": "1", "parallel_read_safe": False}
