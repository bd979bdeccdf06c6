"""MyST as plain Markdown, for places that know no directives or roles: slides, participants' notebooks."""

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

import nbformat
from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin
from pybtex.database import parse_file
from pybtex.richtext import Text

from chapters import ROOT, list_pages

TO_LOOK_UP = ("glossary", "formulas")  # pages that are no chapters
NOTES = ("admonition", "note", "warning")
# In f-strings, braces are doubled.
ROLE = re.compile(r"\{{1,2}(ref|term|cite:[pt])\}{1,2}`([^`]+)`")
LABEL = r"^\(([\w-]+)\)=\n+(#+) (.*)$"


@dataclass(frozen=True)
class Directive:
    """A MyST directive: ``{name} argument``, options and body."""

    name: str
    argument: str
    options: dict[str, str]
    body: str


@dataclass(frozen=True)
class Exercise:
    """An exercise of a chapter; the title tells no minutes."""

    title: str
    minutes: int
    label: str
    body: str


def to_plain(text: str) -> str:
    """Markdown that any renderer shows well, from MyST with whole directives.

    Raises
    ------
    ValueError
        If there is a directive or a role that this module does not know.
    """
    return translate(split_directives(text))


def translate(pieces: Iterable[str | Directive]) -> str:
    """Markdown that reads well in JupyterLab, from pieces of a page.

    Raises
    ------
    ValueError
        If there is a directive or a role that this tool does not know.
    """
    found = "".join(piece if isinstance(piece, str) else render(piece) for piece in pieces)
    plain = replace_roles(re.sub(r"^\([\w-]+\)=\n", "", found, flags=re.MULTILINE))
    if left := re.search(r"(`{3,}|:{3,})\{.*|\{[a-z:]+\}`[^`]*`", plain):
        raise ValueError(f"no plain Markdown is known for this: {left[0]}")
    return plain


def split_directives(text: str) -> Iterator[str | Directive]:
    """The text between a page's outer directives, and these."""
    lines, done = text.splitlines(keepends=True), 0
    parser = MarkdownIt().use(colon_fence_plugin)
    for token in parser.parse(text):
        if token.level == 0 and (match := re.match(r"\{([\w-]+)\} *(.*)", token.info)):
            first, last = token.map
            yield "".join(lines[done:first])
            options = re.match(r"(:\w+:.*\n)*", token.content)[0]
            named = dict(re.findall(r":(\w+): *(.*)", options))
            yield Directive(*match.groups(), named, token.content[len(options) :].strip("\n"))
            done = last
    yield "".join(lines[done:])


def list_exercises(text: str) -> list[Exercise]:
    """The exercises of a page."""
    found = (piece for piece in split_directives(text) if isinstance(piece, Directive))
    return [read_exercise(piece) for piece in found if piece.name == "exercise"]


def read_exercise(directive: Directive) -> Exercise:
    """The parts of an exercise.

    Raises
    ------
    ValueError
        If it does not state its minutes.
    """
    match = re.fullmatch(r"(.+?) \((\d+) minutes?\)", directive.argument)
    if not match:
        raise ValueError(f"the exercise '{directive.argument}' does not state its minutes")
    return Exercise(match[1], int(match[2]), directive.options["label"], directive.body)


def find_title(text: str) -> str:
    """The title of a page."""
    return re.search(r"^# (.+)$", text, re.MULTILINE)[1]


def render(directive: Directive) -> str:
    """A directive as plain Markdown."""
    name, body = directive.name, directive.body
    if name == "exercise":
        return f"### Exercise: {directive.argument}\n\n{body}\n"
    if name == "solution-start":
        return "#### Solution\n\n"
    if name == "solution-end":
        return ""
    if name in NOTES:
        return quote_block(directive.argument or name.capitalize(), body)
    if name == "glossary":
        return define_terms(body)
    if name == "list-table":
        return list_rows(body)
    raise ValueError(f"no plain Markdown is known for the directive {{{name}}}")


def quote_block(title: str, body: str) -> str:
    """A block quote under a bold title; formulas in it stand on one line, as JupyterLab needs them."""
    body = re.sub(r"(\$\$?)(?=\S|\n)[^$]+\1", lambda formula: " ".join(formula[0].split()), body)
    return textwrap.indent(f"**{title}**\n\n{body}\n", "> ", lambda line: True)


def define_terms(body: str) -> str:
    """The glossary's terms and their definitions."""
    body = re.sub(r"^:\w+:.*\n+", "", body)
    entries = re.findall(r"((?:^\S.*\n)+)((?:^ +.*\n?)+)", body, re.MULTILINE)
    return "\n\n".join(
        f"**{', '.join(terms.splitlines())}**: {' '.join(text.split())}" for terms, text in entries
    )


def list_rows(body: str) -> str:
    """A table of two columns as one paragraph a row, since a cell may hold code."""
    rows = re.findall(r"^\* - (.*)\n  - ((?:.*\n?(?!\*))+)", body, re.MULTILINE)
    cells = [f"**{name}**\n\n{textwrap.dedent('    ' + text).strip()}\n" for name, text in rows]
    return "\n".join([*cells, ""])


def replace_roles(text: str) -> str:
    """Links for references, authors and year for citations, plain words for terms."""
    makers = {"ref": link, "term": name_term, "cite:p": cite, "cite:t": cite_in_sentence}
    return ROLE.sub(lambda role: makers[role[1]](" ".join(role[2].split())), text)


def link(text: str) -> str:
    title, label = read_target(text)
    target, heading = read_labels()[label]
    return f"[{title or heading}]({target})" if target else title or heading


def name_term(text: str) -> str:
    title, term = read_target(text)
    return title or term


def read_target(text: str) -> tuple[str, str]:
    """Title (may be empty) and target of a role's text: ``title <target>`` or ``target``."""
    match = re.fullmatch(r"(.*?) ?<([^<>]+)>", text)
    return match.groups() if match else ("", text)


def cite(keys: str) -> str:
    return f"({'; '.join(', '.join(read_citations()[key.strip()]) for key in keys.split(','))})"


def cite_in_sentence(keys: str) -> str:
    found = (read_citations()[key.strip()] for key in keys.split(","))
    return "; ".join(f"{authors} ({year})" for authors, year in found)


# What the pages say of each other


@cache
def read_labels() -> dict[str, tuple[str, str]]:
    """Where each label of the book leads (nowhere for pages that stay at home), and its title."""
    labels = {}
    for page in list_pages():
        is_there = page.suffix == ".ipynb" or page.stem in TO_LOOK_UP
        file, text = f"{page.stem}.ipynb" if is_there else "", read_markdown(page)
        for label, level, title in re.findall(LABEL, text, re.MULTILINE):
            anchor = f"#{quote(title.replace(' ', '-'))}" if is_there and len(level) > 1 else ""
            labels[label] = file + anchor, title
        for exercise in list_exercises(text):
            labels[exercise.label] = file, f"Exercise: {exercise.title}"
    return labels


def read_markdown(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    if page.suffix != ".ipynb":
        return text
    cells = nbformat.reads(text, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


@cache
def read_citations() -> dict[str, tuple[str, str]]:
    """Authors (surnames; from three on the first "et al.") and year of each entry in references.bib."""
    found = {}
    for key, entry in parse_file(ROOT / "references.bib", "bibtex").entries.items():
        names = [
            str(Text.from_latex(" ".join(person.prelast_names + person.last_names)))
            for person in entry.persons["author"]
        ]
        authors = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
        found[key] = authors, entry.fields["year"]
    return found
