"""Numbered captions of the figures that cells draw, from what notebooks say in the figures' places."""

import re

from docutils import nodes
from sphinx.transforms import SphinxTransform

NUMBER = re.compile(r"([A-Z]?\d+)\. ")  # what a chapter's title begins with
SENTENCES = re.compile(r"(?<=[.?!]) (?=[A-Z])")


class CaptionFigures(SphinxTransform):
    """Figures of a chapter get "Figure 6.3." and the first sentence of their text as caption, and an address.

    The text in a figure's place keeps its other sentences, so that nobody hears one twice. Pictures of one
    cell share a caption, below the last.
    """

    default_priority = 330  # when exercises and solutions are in their boxes

    def apply(self, **settings) -> None:
        title = self.document.next_node(nodes.title)
        numbered = NUMBER.match(title.astext()) if title else None
        drawn = list(filter(None, map(list_drawn, self.document.findall(nodes.container))))
        for count, pictures in enumerate(drawn if numbered else [], start=1):
            figure = caption(pictures, numbered[1], count)
            self.document.note_explicit_target(figure)


def list_drawn(part: nodes.container) -> list[nodes.image]:
    """The pictures among the outputs of a cell, if this part of a page is such outputs."""
    if part.get("nb_element") != "cell_code_output":
        return []
    images = part.findall(nodes.image)
    return [image for image in images if image.parent.get("mime_type", "").startswith("image/")]


def caption(pictures: list[nodes.image], chapter: str, count: int) -> nodes.figure:
    """Frame the last picture with its caption, and leave to the texts of all what the caption does not say."""
    first, *others = SENTENCES.split(pictures[-1]["alt"])
    for picture in pictures:
        picture["alt"] = " ".join(others)
    number, name = f"Figure {chapter}.{count}.", f"fig-{chapter.lower()}-{count}"
    words = nodes.caption("", "", nodes.strong("", number), nodes.Text(f" {first}"))
    figure = nodes.figure("", ids=[name], names=[name])
    pictures[-1].replace_self(figure)
    figure += [pictures[-1], words]
    return figure
