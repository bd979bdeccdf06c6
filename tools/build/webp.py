"""Figures as WebP: a quarter of the bytes of the PNG that a notebook holds."""

from io import BytesIO
from pathlib import Path

from docutils import nodes
from PIL import Image
from sphinx.transforms.post_transforms import SphinxPostTransform


class LighterFigures(SphinxPostTransform):
    """Send the figures that cells drew as WebP; the notebooks to download keep theirs."""

    default_priority = 910
    builders = ("html",)  # the PDF takes them as they are

    def run(self, **settings) -> None:
        for figure in self.document.findall(nodes.image):
            drawn = Path(self.app.srcdir, figure["uri"])
            if "jupyter_execute" in drawn.parts and drawn.suffix == ".png":
                lighter = drawn.with_suffix(".webp")
                if not lighter.exists():  # its name is its content's
                    lighter.write_bytes(pack(drawn))
                figure["uri"] = figure["uri"].removesuffix("png") + "webp"
                self.env.images.add_file(self.env.docname, figure["uri"])


def pack(figure: Path) -> bytes:
    """A picture as WebP, without loss unless a loss that nobody sees makes it smaller."""
    packed = []
    with Image.open(figure) as picture:
        for settings in ({"lossless": True, "method": 2}, {"quality": 60}):
            buffer = BytesIO()
            picture.convert("RGB").save(buffer, "WEBP", **settings)
            packed.append(buffer.getvalue())
    return min(packed, key=len)
