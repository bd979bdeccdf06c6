"""Lighter pages: figures as WebP at two densities, and of the icons those that the pages show."""

import re
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from PIL import Image

ICONS = Path("scripts", "fontawesome.js")
# Name, other names and drawing of one icon in Font Awesome's script.
ICON = re.compile(
    r'"?([\w-]+)"?:\[\d+,\d+,(\[[^\]]*\]),"[0-9a-f]+",(?:"[^"]*"|\["[^"]*","[^"]*"\])\],?'
)
FIGURE = re.compile(r'<img ([^>]*?)src="([^"]*_images/)([\w-]+)\.png"([^>]*)>')
# Sphinx lets a reader open each figure by itself.
LINK = re.compile(r'(href="[^"]*_images/([\w-]+))\.png"')


def lighten(folder: Path) -> None:
    """Rewrite the figures and icons of rendered pages; what was rewritten before stays.

    Parameters
    ----------
    folder
        The rendered book, whose notebooks drew their figures at twice the density of the page.
    """
    pages = {page: page.read_text(encoding="utf-8") for page in folder.rglob("*.html")}
    figures = list((folder / "_images").glob("*.png"))
    with ThreadPoolExecutor() as pool:
        sizes = dict(zip((path.stem for path in figures), pool.map(_to_webp, figures), strict=True))
    for page, text in pages.items():
        lighter = FIGURE.sub(lambda match: _show(match, sizes), text)
        lighter = LINK.sub(lambda match: _lead(match, sizes), lighter)
        if lighter != text:
            page.write_text(lighter, encoding="utf-8")
    for path in figures:
        path.unlink()
    trim_icons(folder / "_static", "".join(pages.values()))


def trim_icons(static: Path, shown: str) -> None:
    """Write Font Awesome's script with the icons that ``shown`` names, from the theme's own copy."""
    package = files("pydata_sphinx_theme").joinpath("theme/pydata_sphinx_theme/static")
    whole = package.joinpath(*ICONS.parts).read_text(encoding="utf-8")
    names = set(re.findall(r"\bfa-([\w-]+)", shown))

    def keep(match: re.Match) -> str:
        aliases = re.findall(r'"([\w-]+)"', match[2])
        return match[0] if names & {match[1], *aliases} else ""

    (static / ICONS).write_text(ICON.sub(keep, whole), encoding="utf-8")


def _to_webp(path: Path) -> tuple[int, int]:
    """Write a figure as WebP, as it is and at half its size; return its width and height on the page."""
    with Image.open(path) as image:
        whole = image.convert("RGB")
    width, height = size = (whole.width + 1) // 2, (whole.height + 1) // 2
    half = whole.resize(size, Image.Resampling.LANCZOS)
    path.with_suffix(".webp").write_bytes(_pack(whole))
    path.with_name(f"{path.stem}-1x.webp").write_bytes(_pack(half))
    return width, height


def _pack(image: Image.Image) -> bytes:
    """The image as WebP, without loss unless a loss that nobody sees makes it smaller."""
    packed = []
    for settings in ({"lossless": True, "method": 2}, {"quality": 60, "method": 4}):
        buffer = BytesIO()
        image.save(buffer, "WEBP", **settings)
        packed.append(buffer.getvalue())
    return min(packed, key=len)


def _show(match: re.Match, sizes: dict[str, tuple[int, int]]) -> str:
    before, folder, name, after = match.groups()
    if name not in sizes:
        return match[0]
    width, height = sizes[name]
    source = f'src="{folder}{name}.webp" srcset="{folder}{name}-1x.webp 1x, {folder}{name}.webp 2x"'
    return f'<img {before}{source} width="{width}" height="{height}"{after}>'


def _lead(match: re.Match, sizes: dict[str, tuple[int, int]]) -> str:
    return f'{match[1]}.webp"' if match[2] in sizes else match[0]
