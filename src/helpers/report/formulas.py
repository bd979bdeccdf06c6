"""Formulas of TeX as pictures, because MathJax would come from another host or weigh megabytes."""

import base64
import html
import io
import re

from matplotlib import mathtext
from matplotlib.font_manager import FontProperties

SIZE = 12  # points of an em
FORMULA = re.compile(r"\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^$\s](?:[^$]*?[^$\s])?)\$", re.DOTALL)


def draw_formulas(text: str) -> str:
    """Text (escaped HTML) in which formulas between ``$`` or ``$$`` are pictures."""
    return FORMULA.sub(_draw, text)


def _draw(match: re.Match) -> str:
    tex = html.unescape(match["block"] or match["inline"])
    if match["block"] is None:
        return _picture(tex)
    lines = re.sub(r"\\(begin|end)\{\w+\*?\}", "", tex).replace("&", "")
    drawn = (_picture(line) for line in re.split(r"\\\\", lines) if line.strip())
    return f'<span class="formula">{"<br>".join(drawn)}</span>'


def _picture(tex: str) -> str:
    """An ``<img>`` as high as its text asks for; what matplotlib cannot draw stays TeX."""
    file, tex = io.BytesIO(), " ".join(tex.split())
    try:
        depth = mathtext.math_to_image(
            f"${tex}$", file, prop=FontProperties(size=SIZE), format="svg"
        )
    except ValueError:
        return f"<code>{html.escape(tex)}</code>"
    height = float(re.search(rb'height="([\d.]+)pt"', file.getvalue())[1])
    code = base64.b64encode(file.getvalue()).decode("ascii")
    return (
        f'<img class="math" alt="{html.escape(tex)}" src="data:image/svg+xml;base64,{code}" '
        f'style="height:{height / SIZE:.2f}em;vertical-align:{-depth / SIZE:.2f}em">'
    )
