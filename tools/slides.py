"""One deck of slides a chapter, from the cells marked as slides in its executed notebook; no network needed."""

import argparse
import re
import shutil
import sys
from importlib.metadata import files
from pathlib import Path

import nbformat
import yaml
from jinja2 import Environment, FileSystemLoader
from jupyter_cache import get_cache
from nbconvert import SlidesExporter
from nbformat import NotebookNode
from traitlets.config import Config

from chapters import ROOT, cache_path, list_chapters, read_executable
from plain_markdown import find_title, read_markdown, to_plain

SLIDES = ROOT / "_build" / "slides"
TEMPLATE = Path(__file__).with_name("deck")
TO_NOTEBOOK = re.compile(r"\[([^\]]*)\]\([\w-]+\.ipynb[^)]*\)")
HIDDEN_INPUT = {"hide-input", "remove-input"}
HIDDEN_OUTPUT = {"hide-output", "remove-output"}
FONT = "dist/theme/fonts/source-sans-pro"
# Name beside the decks -> where the wheel of a package keeps it.
ASSETS = {
    "reveal.js": ("sphinx-revealjs", "revealjs/dist/reveal.js"),
    "reveal.css": ("sphinx-revealjs", "revealjs/dist/reveal.css"),
    "reset.css": ("sphinx-revealjs", "revealjs/dist/reset.css"),
    "white.css": ("sphinx-revealjs", "revealjs/dist/theme/white.css"),
    "notes.js": ("sphinx-revealjs", "revealjs/plugin/notes/notes.js"),
    "zoom.js": ("sphinx-revealjs", "revealjs/plugin/zoom/zoom.js"),
    "LICENSE-reveal.txt": ("sphinx-revealjs", "revealjs/LICENSE"),
    "tex-svg.js": ("sphinx-mathjax-offline", "mathjax/tex-svg.js"),
}
FONTS = ("source-sans-pro.css", "*-regular.woff", "*-italic.woff", "*-semibold.woff")
FONTS += ("*-semibolditalic.woff", "LICENSE")


def read_executed(page: Path, cache: Path) -> NotebookNode:
    """A chapter with the outputs that the book shows.

    Raises
    ------
    SystemExit
        If the cache has none for today's code.
    """
    try:
        _, notebook = get_cache(str(cache)).merge_match_into_notebook(read_executable(page))
    except KeyError:
        sys.exit(f"{page.name} has no outputs for today's code: run `make book` first.")
    return notebook


def arrange_slides(notebook: NotebookNode, page: Path) -> NotebookNode:
    """The title slide and the marked cells, each as a slide shows it."""
    marked = [cell for cell in notebook.cells if slide_type(cell) not in ("", "skip")]
    cells = [*title_cells(read_markdown(page)), *map(show_on_slide, marked)]
    metadata = {**notebook.metadata, "title": find_title(read_markdown(page))}
    return nbformat.from_dict({**notebook, "cells": cells, "metadata": metadata})


def slide_type(cell: NotebookNode) -> str:
    return cell.metadata.get("slideshow", {}).get("slide_type", "")


def title_cells(text: str) -> list[NotebookNode]:
    """The chapter's title and questions, with objectives and minutes as notes."""
    questions, rest = re.search(
        r"\*\*Questions\*\*\n(.+?)\n\n(\*\*Objectives\*\*.+?)```", text, re.DOTALL
    ).groups()
    slide = make_cell(f"# {find_title(text)}\n\n{write_words(questions)}", "slide")
    return [slide, make_cell(write_words(rest), "notes")]


def write_words(markdown: str) -> str:
    """Plain Markdown in which a reference is its words: no notebook lies beside a deck."""
    return TO_NOTEBOOK.sub(r"\1", to_plain(markdown)).strip()


def make_cell(text: str, kind: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(text, metadata={"slideshow": {"slide_type": kind}})


def show_on_slide(cell: NotebookNode) -> NotebookNode:
    """Plain Markdown in text and outputs; no code where a figure or the page's own tags stand for it."""
    if cell.cell_type == "markdown":
        cell.source = write_words(cell.source)
        return cell
    tags = set(cell.metadata.get("tags", []))
    hidden = bool(tags & HIDDEN_INPUT) or draws_figure(cell)
    cell.metadata["transient"] = {"remove_source": hidden}
    cell.source = re.sub(r"\n{3,}", "\n\n", cell.source)  # a slide has no room for two empty lines
    cell.outputs = [] if tags & HIDDEN_OUTPUT else cell.outputs
    for output in cell.outputs:
        if "text/markdown" in output.get("data", {}):
            output.data["text/markdown"] = write_words(output.data["text/markdown"])
    return cell


def draws_figure(cell: NotebookNode) -> bool:
    """Whether a picture, still or to touch, is among the outputs."""
    shown = [output.get("data", {}) for output in cell.outputs]
    return any("image/png" in data or "<figure" in data.get("text/html", "") for data in shown)


def write_deck(page: Path, cache: Path, folder: Path) -> tuple[str, str]:
    """Write the deck of one chapter; return its file's name and its title."""
    notebook = arrange_slides(read_executed(page, cache), page)
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
    return f"{page.stem}.html", notebook.metadata.title


def copy_assets(folder: Path) -> None:
    """Put reveal.js, one font, MathJax and the decks' own style beside the decks."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (package, path) in ASSETS.items():
        packed = next(file for file in files(package) if file.match(path))
        shutil.copyfile(packed.locate(), folder / name)
    for pattern in FONTS:
        packed = next(file for file in files("sphinx-revealjs") if file.match(f"{FONT}/{pattern}"))
        target = folder / "fonts" / "source-sans-pro" / packed.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(packed.locate(), target)
    for name in ("deck.css", "deck.js"):
        shutil.copyfile(TEMPLATE / name, folder / name)


def write_contents(folder: Path, decks: list[tuple[str, str]]) -> None:
    """The page that leads to the decks."""
    title = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["title"]
    environment = Environment(loader=FileSystemLoader(TEMPLATE))
    page = environment.get_template("contents.html.j2").render(title=title, decks=decks)
    (folder / "index.html").write_text(page, encoding="utf-8")


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    shutil.rmtree(SLIDES, ignore_errors=True)
    copy_assets(SLIDES / "assets")
    decks = [write_deck(page, cache_path(), SLIDES) for page in list_chapters()]
    write_contents(SLIDES, decks)
    print(f"{len(decks)} decks of slides are at {SLIDES / 'index.html'}")


if __name__ == "__main__":
    main()
