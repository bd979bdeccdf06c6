"""Small pictures to touch: HTML with its script inside, which needs no kernel, server or network.

What the script draws from chance, Python can draw too: both turn the same counters into the same normal
numbers. Without JavaScript, in a notebook that is not trusted, and on paper a still picture stands
in a widget's place.
"""

import base64
import html
import io
import json
import math
from importlib import resources
from string import Template

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from IPython.display import HTML

from helpers.diagnostics import ESS_LIMIT, R_HAT_LIMIT

STEPS = (0.05, 2.5, 40.0)  # of the still picture: too short, about right, too long
STARTS = (-3.0, -1.0, 1.0, 3.0)


class _Template(Template):
    """``%%name``, because scripts and styles have their own use for ``$``."""

    delimiter = "%%"


def fill_template(name: str, *, title: str, data: dict, still: str) -> HTML:
    """Put data and words into ``widget.html``, and the controls and the script of one widget.

    Parameters
    ----------
    name
        Template in this package: controls first, then one ``<script>``.
    title
        Caption.
    data
        What the script reads as ``data``.
    still
        HTML that stands in the place of the controls where scripts do not run.
    """
    controls, script = _read(name).removesuffix("</script>\n").split("<script>\n")
    page = _Template(_read("widget")).substitute(
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

    Parameters
    ----------
    counters
        Whole numbers from 0; the same counter always gives the same number.
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


def touch_shrinkage(
    own: float, population: float, sigma: float, *, n: int, tau: float, group: str, unit: str = "s"
) -> HTML:
    """Sliders for n and tau, and the partially pooled mean that follows them.

    Parameters
    ----------
    own, population
        What the group's own data say alone, and the mean that groups are drawn towards.
    sigma
        Residual sd, held fixed.
    n, tau
        Where the sliders stand at first: rows of the group, and the sd between groups.
    group
        The group's name.
    unit
        Of everything but ``n``.

    Raises
    ------
    ValueError
        If ``n`` is below 1, ``tau`` is negative or ``sigma`` is not above 0.
    """
    own, population, sigma, tau = map(float, (own, population, sigma, tau))
    n = int(n) if n == n // 1 else float(n)
    if not (
        n >= 1 and tau >= 0 and sigma > 0 and np.isfinite([own, population, sigma, tau, n]).all()
    ):
        raise ValueError(
            f"n must be 1 or more, tau 0 or more and sigma above 0, not {n}, {tau} and {sigma}."
        )
    weight = n * tau**2 / (n * tau**2 + sigma**2)
    estimate = population + weight * (own - population)
    most = {"n": max(150, n), "tau": max(30, math.ceil(tau))}  # where the sliders end
    data = {"own": own, "population": population, "sigma": sigma, "n": n, "tau": tau, "most": most}
    sentence = (
        f"With n = {n} and \u03c4 = {tau:.1f} {unit}, {group}'s own data have the weight {weight:.2f}. "
        f"Alone they say {own:.1f} {unit}; the population mean is {population:.1f} {unit}, the estimate "
        f"{estimate:.1f} {unit}."
    )
    return fill_template(
        "shrinkage",
        title=f"{group}: how far do you trust its own data?",
        data=data | {"group": group, "unit": unit},
        still=f"<p>{html.escape(sentence)}</p>",
    )


def touch_chains(draws: int = 1000) -> HTML:
    """A slider for the step of a random walk, and the traces of its four chains.

    Parameters
    ----------
    draws
        Length of each chain. All draws are shown and judged; there is no warm-up.
    """
    gate = {"rHatLimit": R_HAT_LIMIT, "essLimit": ESS_LIMIT}
    figure, axes = plt.subplots(len(STEPS), 1, figsize=(7, 5.4), sharex=True, layout="constrained")
    for ax, step in zip(axes, STEPS, strict=True):
        chains = walk(step, draws)
        ax.plot(chains.T, linewidth=0.7)
        r_hat = float(az.rhat(xr.DataArray(chains, dims=("chain", "draw")), method="split"))
        ax.set(ylim=(-5, 5), ylabel="Value", title=f"Step {step:g}: R-hat {r_hat:.2f}")
    axes[-1].set_xlabel("Draw")
    description = (
        "Traces of four chains at three steps. Short steps: the chains crawl and stay apart. "
        "Middle steps: one even band. Long steps: the chains stand still for long stretches."
    )
    return fill_template(
        "chains",
        title="Four chains look for a normal distribution: choose their step",
        data={"draws": draws, "starts": STARTS, "step": STEPS[0], **gate},
        still=embed_picture(figure, description),
    )


def walk(step: float, draws: int) -> np.ndarray:
    """Random-walk Metropolis on a standard normal, one chain from each of ``STARTS``.

    Parameters
    ----------
    step
        Sd of the proposals.
    draws
        Length of each chain, the start not counted.

    Returns
    -------
    Array of shape (chains, draws), the same numbers that ``chains.html`` draws.
    """
    places, chain = np.array(STARTS), np.arange(len(STARTS))
    path = np.empty((draws, len(STARTS)))
    for draw in range(draws):
        counter = 2 * (chain * draws + draw)
        proposal = places + step * draw_normals(counter)
        ratio = np.exp((places**2 - proposal**2) / 2)
        # Counters of uniforms are twice those of normals.
        accepted = draw_uniforms(2 * (counter + 1)) < ratio
        path[draw] = places = np.where(accepted, proposal, places)
    return path.T


def _read(name: str) -> str:
    return resources.files("helpers").joinpath(f"{name}.html").read_text("utf-8")


def _script_json(value) -> str:
    """JSON that cannot end the script it stands in."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
