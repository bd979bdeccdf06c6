"""Fine points of a page: what must not be torn apart, and tables that hold words."""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

# The space in "95 %", and those in "P(slope < 0)", which is written in HTML with an entity.
INSIDE = re.compile(
    r"(?<=\d) (?=(?:%|s|[kMG]B|years?|minutes?)(?:²|(?!\w)))| (?=(?:<|&lt;) \d)|(?<=<) (?=\d)|(?<=&[lg]t;) (?=\d)"
)
# A hyphen that stands for minus: before a number, and after a space, a bracket or the start of a cell. In a
# range, a date, a version, an address or a power of ten it follows a letter or a digit.
SIGN = re.compile(r"(?:(?<=[\s(>\u201c\u2013])|(?<=(?<!\w)\[))-(?=\.?\d)")
# "R-hat" and "E-BFMI", whose single letter would be left behind at the end of a line.
LETTER = re.compile(r"((?<![\w-])[A-Z]-[A-Za-z]{3,})")
# Below a table's labels pandas gives the names of its rows a line of their own, else empty.
ROW_NAMES = re.compile(
    r"(<tr[^>]*>)((?:\s*<th[^>]*></th>)+)((?:(?!</tr>).)*</tr>)"
    r"\s*<tr[^>]*>((?:\s*<th[^>]*>[^<]+</th>)+)(?:\s*<th[^>]*></th>)+\s*</tr>(?=\s*</thead>)",
    re.DOTALL,
)
LONG = 40  # characters: a cell with more of them should not become a narrow, high one
VERBATIM = (nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw)
TABLE = 'class="dataframe"'


def keep_together(text: str) -> str:
    """The text with true minus signs, and no break between a number and its unit or sign."""
    return INSIDE.sub("\u00a0", SIGN.sub("\N{MINUS SIGN}", text))


class KeepTogether(SphinxPostTransform):
    """No line ends between a number and its unit, in sentences and tables, or between a formula and the
    mark that follows it; and what is negative has a minus sign, not a hyphen."""

    default_priority = 900  # after outputs are chosen

    def run(self, **settings) -> None:
        for parent in list(self.document.findall(nodes.Element)):
            if isinstance(parent, nodes.raw) and TABLE in parent.astext():
                table = mark_long(mark_words(lift_names(parent.astext())))
                table = LETTER.sub(r'<span class="together">\1</span>', keep_together(table))
                parent[:] = [nodes.Text(table)]
                continue
            if isinstance(parent, nodes.entry) and len(parent.astext()) > LONG:
                parent["classes"].append("long")
            if not isinstance(parent, VERBATIM):
                for place in reversed(range(len(parent))):
                    if isinstance(parent[place], nodes.Text):
                        self.mend(parent, place)
        for text in list(self.document.findall(nodes.Text)):
            if LETTER.search(text) and not isinstance(text.parent, VERBATIM):
                parts = enumerate(LETTER.split(text))  # every second one is such a word
                kept = [
                    nodes.inline("", w, classes=["together"]) if k % 2 else nodes.Text(w)
                    for k, w in parts
                ]
                text.parent.replace(text, kept)

    def mend(self, parent: nodes.Element, place: int) -> None:
        """Mend the text that is this child of its parent."""
        # What begins a paragraph, a cell or a bold word may be a negative number; what follows a formula, no.
        before = "x" if place else " "
        text = keep_together(before + parent[place])[1:]
        parent[place] = nodes.Text(text)
        mark = re.match(r"[.,;:!?)]+", text)
        if place and mark and isinstance(parent[place - 1], nodes.math):
            kept = [parent[place - 1], nodes.Text(mark[0])]
            pair = nodes.inline("", "", *kept, classes=["together"])
            parent[place - 1 : place + 1] = [pair, nodes.Text(text[mark.end() :])]


def lift_names(table: str) -> str:
    """Put the names of a table's rows beside its labels, where pandas leaves cells empty for them."""

    def lift(found: re.Match) -> str:
        row, empty, rest, below = found.groups()
        names = re.findall(r"<th[^>]*>([^<]+)</th>", below)
        if len(names) != empty.count("</th>"):
            return found[0]
        return row + "".join(f'\n<th class="row-name">{name}</th>' for name in names) + rest

    return ROW_NAMES.sub(lift, table)


def mark_words(table: str) -> str:
    """Give a table most of whose cells begin with a letter, or one with a long cell, the class ``words``."""
    cells = re.findall(r"<td>([^<]*)", table)
    of_words = sum(cell[:1].isalpha() for cell in cells) > len(cells) / 2
    if of_words or any(len(cell) > LONG for cell in cells):
        return table.replace(TABLE, 'class="dataframe words"')
    return table


def mark_long(table: str) -> str:
    """Give cells with more than ``LONG`` characters, and names of rows with half as many, the class ``long``."""
    table = re.sub(rf"<td>(?=[^<]{{{LONG + 1}}})", '<td class="long">', table)
    return re.sub(rf"<th>(?=[^<]{{{LONG // 2 + 1}}})", '<th class="long">', table)
