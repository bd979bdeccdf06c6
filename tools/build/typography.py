"""Fine points of a page: what must not be torn apart, and tables that hold words."""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

# The space in "95 %", and those in "P(slope < 0)", which is written in HTML with an entity.
INSIDE = re.compile(
    r"(?<=\d) (?=(?:%|s|years?|minutes?)(?!\w))| (?=(?:<|&lt;) \d)|(?<=<) (?=\d)|(?<=&[lg]t;) (?=\d)"
)
VERBATIM = (nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw)
TABLE = 'class="dataframe"'


def keep_together(text: str) -> str:
    """The text with a space that does not break between a number and its unit or sign."""
    return INSIDE.sub("\u00a0", text)


class KeepTogether(SphinxPostTransform):
    """No line ends between a number and its unit, in sentences and tables, or between a formula and the
    mark that follows it."""

    default_priority = 900  # after outputs are chosen

    def run(self, **settings) -> None:
        for parent in list(self.document.findall(nodes.Element)):
            if isinstance(parent, nodes.raw) and TABLE in parent.astext():
                parent[:] = [nodes.Text(keep_together(mark_words(parent.astext())))]
            elif not isinstance(parent, VERBATIM):
                for place in reversed(range(len(parent))):
                    if isinstance(parent[place], nodes.Text):
                        self.mend(parent, place)

    def mend(self, parent: nodes.Element, place: int) -> None:
        """Mend the text that is this child of its parent."""
        text = keep_together(parent[place])
        parent[place] = nodes.Text(text)
        mark = re.match(r"[.,;:!?)]+", text)
        if place and mark and isinstance(parent[place - 1], nodes.math):
            kept = [parent[place - 1], nodes.Text(mark[0])]
            pair = nodes.inline("", "", *kept, classes=["together"])
            parent[place - 1 : place + 1] = [pair, nodes.Text(text[mark.end() :])]


def mark_words(table: str) -> str:
    """Give a table most of whose cells begin with a letter the class ``words``."""
    cells = re.findall(r"<td>(.)", table)
    of_words = sum(first.isalpha() for first in cells) > len(cells) / 2
    return table.replace(TABLE, 'class="dataframe words"') if of_words else table
