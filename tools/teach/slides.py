"""One deck of slides a chapter, from slides/ and the executed chapter; no network needed.

A deck is Markdown. A line ``---`` begins the next slide, ``--`` one below, ``Note:`` the speaker's notes;
``{output: id}``, ``{code: id}`` or ``{code and output: id}`` shows a cell of the chapter, with ``, fragment``
after the id when the speaker asks for it. The title slide is made from the chapter.
"""

import copy
import re
import shutil
import sys
from importlib.metadata import files
from pathlib import Path

import nbformat
import yaml
from docutils.utils.smartquotes import educate_tokens
from jinja2 import Environment, FileSystemLoader
from nbconvert import SlidesExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from traitlets.config import Config

from chapters import ROOT, list_chapters, read_executed
from typography import keep_together

SOURCES = ROOT / "slides"
SLIDES = ROOT / "_build" / "slides"
TEMPLATE = Path(__file__).with_name("deck")
BREAKS = {"---": "slide", "--": "subslide", "Note:": "notes"}  # nbconvert's words
PULL = re.compile(r"\{(code and output|code|output): ([\w-]+)(, fragment)?\}")
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:)[^)]*\)")
# A formula, code, a tag, or words.
PART = re.compile(r"\$\$?[^$]+\$\$?|`[^`]+`|</?[a-z][^>]*>|(?:[^$`<]|<(?!/?[a-z]))+")
# Wheel -> what it carries, and the folder of it beside the decks.
FONT = "revealjs/dist/theme/fonts/source-sans-pro"
ASSETS = {
    "sphinx-revealjs": {
        "": "dist/reveal.js dist/reveal.css dist/reset.css dist/theme/white.css "
        "plugin/notes/notes.js plugin/zoom/zoom.js revealjs/LICENSE",
        "fonts/source-sans-pro": f"{FONT}/*.css {FONT}/*-regular.woff {FONT}/*-italic.woff "
        f"{FONT}/*-semibold.woff {FONT}/*-semibolditalic.woff {FONT}/LICENSE",
    },
    "sphinx-mathjax-offline": {"": "mathjax/tex-svg.js"},
}


def compose(source: Path, chapter: NotebookNode) -> NotebookNode:
    """The notebook that nbconvert makes a deck of.

    Raises
    ------
    SystemExit
        If a line in braces is unknown or pulls what is not there; file and line are named.
    """
    cells, kind, is_open = make_title(chapter.cells[0].source), "slide", False
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), start=1):
        if line in BREAKS:
            kind, is_open = BREAKS[line], False
        elif line.startswith("{"):
            try:
                cells.append(pull(line, chapter, kind))
            except ValueError as error:
                sys.exit(f"{source.parent.name}/{source.name}, line {number}: {error}")
            kind, is_open = "-", False
        elif is_open:
            cells[-1].source += f"\n{line}"
        elif line.strip():
            cells.append(make_cell(line, kind))
            kind, is_open = "-", True
    for cell in (cell for cell in cells if cell.cell_type == "markdown"):
        cell.source = write_words(cell.source)
    metadata = {"kernelspec": chapter.metadata.kernelspec, **describe(cells[0])}
    return nbformat.from_dict({**chapter, "cells": cells, "metadata": metadata})


def describe(title: NotebookNode) -> dict[str, str]:
    """What every slide says of its deck: the chapter's title, which begins with its number, and the course."""
    course = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["title"]
    name = title.source.partition("\n")[0].removeprefix("# ")
    return {"title": name, "course": course}


def make_title(opening: str) -> list[NotebookNode]:
    """The chapter's title and questions, with objectives and minutes as notes."""
    title, _, frame = opening.partition("\n")
    words = re.sub(r"^> ?", "", frame, flags=re.MULTILINE)
    questions, rest = re.search(
        r"\*\*Questions\*\*\n(.+?)\n\n(\*\*Objectives\*\*.+)", words, re.DOTALL
    ).groups()
    return [make_cell(f"{title}\n\n{questions}", "slide"), make_cell(rest, "notes")]


def make_cell(text: str, kind: str) -> NotebookNode:
    return new_markdown_cell(text, metadata={"slideshow": {"slide_type": kind}})


def write_words(markdown: str) -> str:
    """Markdown in which a link to another page is its words, no line ends before a unit, and quotes curl."""
    parts = PART.findall(LINK.sub(r"\1", markdown))
    kinds = ["literal" if re.match(r"[$`]|</?[a-z]", part) else "plain" for part in parts]
    curled = educate_tokens(zip(kinds, parts, strict=True), "q")
    return "".join(
        part if kind == "literal" else keep_together(part)
        for kind, part in zip(kinds, curled, strict=True)
    )


def pull(line: str, chapter: NotebookNode, kind: str) -> NotebookNode:
    """A cell of the chapter as a slide shows it.

    Raises
    ------
    ValueError
        If the line is not known, or the chapter has no such cell or output.
    """
    asked = PULL.fullmatch(line)
    if not asked:
        known = "{output: id}, {code: id}, {code and output: id}"
        raise ValueError(f"'{line}' is none of {known}.")
    what, name, fragment = asked.groups()
    found = [cell for cell in chapter.cells if cell.id == name and cell.cell_type == "code"]
    if not found:
        raise ValueError(f"the chapter has no code cell '{name}'.")
    cell = copy.deepcopy(found[0])
    cell.outputs = [mend_output(output) for output in cell.outputs if "output" in what]
    if "output" in what and not cell.outputs:
        raise ValueError(f"the cell '{name}' shows nothing.")
    cell.source = re.sub(r"\A# @title.*\n", "", cell.source)
    cell.source = re.sub(r"\n{3,}", "\n\n", cell.source)  # a slide has no room for two empty lines
    cell.metadata["transient"] = {"remove_source": "code" not in what}
    cell.metadata["slideshow"] = {"slide_type": "fragment" if fragment and kind == "-" else kind}
    return cell


def mend_output(output: NotebookNode) -> NotebookNode:
    """Sentences and tables as a slide shows them."""
    data = output.get("data", {})
    if "text/markdown" in data:
        data["text/markdown"] = write_words(data["text/markdown"])
    if 'class="dataframe"' in data.get("text/html", ""):
        data["text/html"] = keep_together(data["text/html"])
    return output


def write_deck(page: Path, folder: Path) -> NotebookNode:
    """Write the deck of one chapter; return what it says of itself."""
    notebook = compose(SOURCES / f"{page.stem}.md", read_executed(page))
    exporter = SlidesExporter(
        template_name=TEMPLATE.name,
        extra_template_basedirs=[str(TEMPLATE.parent)],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
        config=Config(CSSHTMLHeaderPreprocessor={"style": "a11y-high-contrast-light"}),
    )
    html, _ = exporter.from_notebook_node(notebook)
    (folder / f"{page.stem}.html").write_text(html, encoding="utf-8")
    return notebook.metadata


def copy_assets(folder: Path) -> None:
    """Put reveal.js, one font, MathJax and the decks' own style beside the decks."""
    for package, targets in ASSETS.items():
        for target, patterns in targets.items():
            (folder / target).mkdir(parents=True, exist_ok=True)
            for pattern in patterns.split():
                packed = next(file for file in files(package) if file.match(pattern))
                shutil.copyfile(packed.locate(), folder / target / packed.name)
    (folder / "LICENSE").rename(folder / "LICENSE-reveal.txt")
    for name in ("deck.css", "deck.js"):
        shutil.copyfile(TEMPLATE / name, folder / name)


def main() -> None:
    shutil.rmtree(SLIDES, ignore_errors=True)
    copy_assets(SLIDES / "assets")
    decks = {f"{page.stem}.html": write_deck(page, SLIDES) for page in list_chapters()}
    contents = Environment(loader=FileSystemLoader(TEMPLATE)).get_template("contents.html.j2")
    page = contents.render(decks=decks, title=next(iter(decks.values()))["course"])
    (SLIDES / "index.html").write_text(page, encoding="utf-8")
    print(f"{len(decks)} decks of slides are at {SLIDES / 'index.html'}")


if __name__ == "__main__":
    main()
