"""Scripts that pages bring along, so that they need no network: formulas and icons, of each what is shown."""

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
# The outline of one letter in it, by its number, and what stands for one that is left out.
OUTLINE = re.compile(r'(?<=[{,])(\d+):"[MLHVQTZ\d. -]+"')
BOX = "50 0V650H450V0"
SETS = re.compile(
    r"T\.(fraktur|sansSerif|texOldstyle|texCalligraphicBold)\w*=\(0,H\.AddPaths\)\([^{]*\{.*?\}"
)
# Latin, Greek, punctuation, arrows, operators, brackets and their pieces; slanted, bold, as typed.
LETTERS = (
    *((0x20, 0x3FF), (0x2013, 0x2063), (0x210E, 0x2113), (0x2190, 0x2199), (0x21D0, 0x21D4)),
    *((0x2200, 0x22F1), (0x2308, 0x230B), (0x239B, 0x23AE), (0x27E8, 0x27E9), (0xE150, 0xE156)),
    *((0x1D400, 0x1D467), (0x1D670, 0x1D6A3), (0x1D6E2, 0x1D71B)),
)
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
    for font in Path(app.outdir, "_static", "mathjax").glob("output/svg/fonts/*.js"):
        font.write_text(trim_font(font.read_text(encoding="utf-8")), encoding="utf-8")


def trim_font(font: str) -> str:
    """MathJax's letters with boxes for those that no formula of such a book has: their outlines weigh most."""

    def leave_out(outline: re.Match) -> str:
        return f'{outline[1]}:"{BOX}"'

    def trim(outline: re.Match) -> str:
        kept = any(first <= int(outline[1]) <= last for first, last in LETTERS)
        return outline[0] if kept else leave_out(outline)

    font = SETS.sub(lambda letters: OUTLINE.sub(leave_out, letters[0]), font)
    return OUTLINE.sub(trim, font)


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
