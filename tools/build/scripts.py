"""Scripts that pages bring along, so that they need no network: formulas, and the icons that are shown."""

import re
import shutil
from importlib.metadata import files
from importlib.resources import files as resources
from pathlib import Path

from sphinx.application import Sphinx

# The parts of MathJax that typeset TeX, as SVG or, for the PDF, with fonts, as drawn letters were a third of
# its bytes; with MathML beside it for screen readers; no menu.
# sphinx-mathjax-offline, pinned by its hash in the lock, carries the files of mathjax 3.2.2 as npm has them.
MATHJAX = ("core", "input/tex", "output/{}", "a11y/assistive-mml")
FONT = "output/{}/fonts/"  # asked for by the output itself, and twice is once too often
ICONS = Path("scripts", "fontawesome.js")
# Name, other names and drawing of one icon in Font Awesome's script.
ICON = re.compile(
    r'"?([\w-]+)"?:\[\d+,\d+,(\[[^\]]*\]),"[0-9a-f]+",(?:"[^"]*"|\["[^"]*","[^"]*"\])\],?'
)


def name_parts(app: Sphinx, *parts: str) -> list[str]:
    return [part.format("svg" if app.builder.name == "html" else "chtml") for part in parts]


def configure_mathjax(app: Sphinx) -> None:
    app.config.mathjax_path = "mathjax/startup.js"
    loaded = {"loader": {"load": name_parts(app, *MATHJAX)}}
    app.config.mathjax3_config = (app.config.mathjax3_config or {}) | loaded


def copy_mathjax(app: Sphinx) -> None:
    """Formulas are typeset without a network: MathJax comes from the environment."""
    parts = [f"mathjax/{part}.js" for part in ("startup", *name_parts(app, *MATHJAX))]
    fonts = tuple(f"mathjax/{folder}" for folder in name_parts(app, FONT))
    for file in files("sphinx-mathjax-offline"):
        part = file.as_posix().partition("/static/")[2]
        if part in parts or part.startswith(fonts):
            target = Path(app.outdir, "_static", part)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), target)


def trim_icons(app: Sphinx) -> None:
    """Write Font Awesome's script with the icons that the pages name: all of them weigh half a megabyte."""
    package = resources("pydata_sphinx_theme").joinpath("theme/pydata_sphinx_theme/static")
    whole = package.joinpath(*ICONS.parts).read_text(encoding="utf-8")
    pages = (page.read_text(encoding="utf-8") for page in Path(app.outdir).rglob("*.html"))
    shown = {name for page in pages for name in re.findall(r"\bfa-([\w-]+)", page)}

    def keep(match: re.Match) -> str:
        names = {match[1], *re.findall(r'"([\w-]+)"', match[2])}
        return match[0] if names & shown else ""

    Path(app.outdir, "_static", ICONS).write_text(ICON.sub(keep, whole), encoding="utf-8")
