"""What a page makes of a chapter's plain Markdown: boxes, exercises, folded solutions, code without its title.

In the notebook a box is a block quote that begins with a line in bold, and an exercise, its solution and
the key points are headings with what follows.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from docutils import nodes
from sphinx.transforms import SphinxTransform

CLASSES = {
    "In this chapter": "tip",
    "Key points": "important",
    "Note": "note",
    "Warning": "warning",
}
EXERCISE, MINUTES = re.compile(r"Exercise \w+\.\d+: "), re.compile(r" \((\d+ minutes?)\)$")
COLUMNS = re.compile(r"\S {2,}\S")


def make_box(
    title: Iterable[nodes.Node],
    content: Iterable[nodes.Node],
    classes: list,
    ids: Iterable[str] = (),
) -> nodes.admonition:
    """A box with a title, and the addresses of what it replaces."""
    heading = nodes.title("", "", *title)
    return nodes.admonition("", heading, *content, classes=classes, ids=list(ids))


def copy_of(title: nodes.Element) -> list[nodes.Node]:
    return [part.deepcopy() for part in title]


class BoxQuotes(SphinxTransform):
    """A block quote whose first paragraph is one text in bold becomes a box with that title."""

    default_priority = 300

    def apply(self, **settings) -> None:
        for quote in list(self.document.findall(nodes.block_quote)):
            words = [part for part in quote[0] if part.astext()]
            if len(words) == 1 and isinstance(words[0], nodes.strong):
                kind = CLASSES.get(words[0].astext())
                quote.replace_self(make_box(words[0], quote[1:], [kind] if kind else []))


class BoxSections(SphinxTransform):
    """Key points and exercises become boxes, solutions become folded ones after them.

    An exercise keeps the address of its label too: its cell's id, under which others have linked to it.
    """

    default_priority = 310

    def apply(self, **settings) -> None:
        sections = list(self.document.findall(nodes.section))
        exercises = [section for section in sections if EXERCISE.match(section[0].astext())]
        for section, label in zip(exercises, self.read_labels(), strict=True):
            box_exercise(section, label)
        for section in sections:
            if section[0].astext() == "Key points":
                box_key_points(section)

    def read_labels(self) -> list[str]:
        page = Path(self.env.doc2path(self.env.docname))
        if page.suffix != ".ipynb":
            return []
        cells = json.loads(page.read_text(encoding="utf-8"))["cells"]
        return [cell["id"] for cell in cells if "exercise" in cell["metadata"].get("tags", [])]


def box_key_points(section: nodes.section) -> None:
    """Put the list into a box; what follows it, such as a word on the next chapter, stays outside."""
    (end,) = (n for n, part in enumerate(section, 1) if isinstance(part, nodes.bullet_list))
    box = make_box(section[0], section[1:end], [CLASSES["Key points"]], section["ids"])
    section.replace_self([box, *section[end:]])


def box_exercise(section: nodes.section, label: str) -> None:
    title, minutes = section[0], MINUTES.search(section[0].astext())[1]
    title[-1] = nodes.Text(MINUTES.sub("", title[-1]))
    solutions = [part for part in section if isinstance(part, nodes.section)]
    own = [part for part in section[1:] if part not in solutions]
    shown = [*copy_of(title), nodes.Text(f" ({minutes})")]
    exercise = make_box(shown, own, ["exercise"], [label])
    folds = [fold_solution(solution, title, label) for solution in solutions]
    section.replace_self([exercise, *folds])


def fold_solution(section: nodes.section, exercise: nodes.title, label: str) -> nodes.admonition:
    link = nodes.reference("", "", *copy_of(exercise), internal=True, refid=label)
    title = [nodes.Text("Solution to "), link]
    return make_box(title, section[1:], ["solution", "dropdown"], section["ids"])


class TidyCode(SphinxTransform):
    """A fold says what code it holds, by the line that is its title in Colab, and the code loses this
    line; output that stands in columns says so."""

    default_priority = 320

    def apply(self, **settings) -> None:
        for block in self.document.findall(nodes.literal_block):
            if block.astext().startswith("# @title"):
                line, _, code = block.astext().partition("\n")
                block.rawsource, block[:] = code, [nodes.Text(code)]
                title = line.removeprefix("# @title ")
                fold = block.parent.parent
                fold["prompt_show"] = title if "code" in title else f"Code: {title}"
                fold["prompt_hide"] = fold["prompt_show"]
            if "stream" in block["classes"] and COLUMNS.search(block.astext()):
                block["classes"].append("columns")
