"""Small pictures to touch: HTML with its script inside, which needs no kernel, server or network.

What the script draws from chance, Python can draw too: both turn the same counters into the same
normal numbers. Without JavaScript, in a notebook that is not trusted, and on paper a still picture
stands in a widget's place.
"""

import base64
import html
import io
import json
from importlib import resources
from importlib.resources.abc import Traversable
from string import Template

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML

FRAME = resources.files("helpers.flipbook") / "widget.html"


class _Template(Template):
    """``%%name``, because scripts and styles have their own use for ``$``."""

    delimiter = "%%"


def fill_template(template: Traversable, *, title: str, data: dict, still: str) -> HTML:
    """Put data and words into ``widget.html``, and the controls and the script of one widget.

    ``template`` is the file of one widget: controls first, then one ``<script>``, which reads
    ``data``. ``title`` is the caption, ``still`` the HTML that stands in the place of the controls
    where scripts do not run.
    """
    controls, script = template.read_text("utf-8").removesuffix("</script>\n").split("<script>\n")
    page = _Template(FRAME.read_text("utf-8")).substitute(
        title=html.escape(title),
        still=still,
        data=_script_json(data),
        controls=_script_json(controls),
        script=script,
    )
    return HTML(page)


def embed_picture(figure: plt.Figure, description: str) -> str:
    """An ``<img>`` that holds the figure itself, small; closes the figure."""
    file = io.BytesIO()
    figure.savefig(file, format="webp", dpi=85, pil_kwargs={"quality": 55, "method": 6})
    plt.close(figure)
    code = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<img alt="{html.escape(description)}" src="data:image/webp;base64,{code}">'


def draw_normals(counters: np.ndarray) -> np.ndarray:
    """Standard normal numbers, one for each counter, the same as ``normal`` in ``widget.html``.

    Counters are whole numbers from 0; the same counter always gives the same number.
    """
    first = 2 * np.asarray(counters, dtype=np.uint32)
    return np.sqrt(-2 * np.log(1 - draw_uniforms(first))) * np.cos(
        2 * np.pi * draw_uniforms(first + np.uint32(1))
    )


def draw_uniforms(counters: np.ndarray) -> np.ndarray:
    """Uniform numbers from 0 to 1, one for each counter: the mulberry32 generator read at any place."""
    t = (np.atleast_1d(counters).astype(np.uint32) + np.uint32(1)) * np.uint32(0x6D2B79F5)
    t = (t ^ (t >> np.uint32(15))) * (t | np.uint32(1))
    t ^= t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))
    return (t ^ (t >> np.uint32(14))) / 2**32


def _script_json(value) -> str:
    """JSON that cannot end the script it stands in."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
