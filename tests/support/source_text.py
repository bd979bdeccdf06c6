"""What a file of the book says, and where its links lead, as GitHub and JupyterLab read it."""

import functools
import re
import unicodedata
from pathlib import Path
from urllib.parse import unquote

import nbformat
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False}).use(dollarmath_plugin, double_inline=True)


@functools.cache
def cells_of(page: Path) -> list[nbformat.NotebookNode]:
    """Cells of a chapter; a page of Markdown is one cell."""
    if page.suffix == ".ipynb":
        return nbformat.read(page, as_version=4).cells
    text = re.sub(r"\A---\n.*?\n---\n", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [nbformat.v4.new_markdown_cell(text, id="0")]


def words_of(page: Path) -> str:
    return "\n\n".join(cell.source for cell in cells_of(page) if cell.cell_type == "markdown")


def tags_of(cell: nbformat.NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def links_in(page: Path) -> list[str]:
    """Targets of the links and pictures in Markdown, in the sentences that cells make, too."""
    tokens = [token for block in MARKDOWN.parse(words_of(page)) for token in block.children or []]
    found = [token.attrs.get("href") or token.attrs.get("src") for token in tokens if token.attrs]
    code = "\n".join(cell.source for cell in cells_of(page) if cell.cell_type == "code")
    return [*filter(None, found), *re.findall(r"\]\(([\w./-]+\.(?:ipynb|md)[\w#-]*)\)", code)]


def dead_links(links: list[str], page: Path) -> list[str]:
    dead = []
    for link in links:
        path, _, place = unquote(link).partition("#")
        target = page.parent / path if path else page
        is_there = target.is_file() and (not place or place in places_in(target))
        if "://" not in link and not is_there:
            dead.append(link)
    return dead


@functools.cache
def places_in(page: Path) -> set[str]:
    """Names of the headings, as GitHub makes them."""
    names = []
    for block in re.findall(r"^#+ (.+)$", without_code(words_of(page)), re.MULTILINE):
        words = BeautifulSoup(MARKDOWN.renderInline(block), "html.parser").text
        kept = "".join(c for c in words.lower() if c in " -_" or unicodedata.category(c)[0] in "LN")
        name = kept.replace(" ", "-")
        again = sum(bool(re.fullmatch(rf"{re.escape(name)}(-\d+)?", other)) for other in names)
        names.append(f"{name}-{again}" if again else name)
    return set(names)
