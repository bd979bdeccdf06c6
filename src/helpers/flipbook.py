"""The flip-book: data sets simulated from a prior, one after another, beside the observed one."""

import hashlib
import html
import json
from importlib import resources
from string import Template

import numpy as np
import pandas as pd
import xarray as xr
from IPython.display import HTML
from matplotlib.colors import to_hex
from matplotlib.ticker import MaxNLocator

from helpers.plots import group_colors

IMPLAUSIBLE = 600  # seconds; ten minutes on a page that people leave after three


def count_shares(simulated: dict[str, xr.DataArray]) -> pd.DataFrame:
    """Share of simulated bounce times that cannot be, that nobody would believe, and that could be.

    Parameters
    ----------
    simulated
        Label of a prior -> its prior predictive draws (s), any shape.

    Returns
    -------
    DataFrame in per cent, one row a label: below 0 s, above 600 s, and between.
    """
    def shares(draws):
        values = np.asarray(draws)
        impossible, implausible = 100 * np.mean(values < 0), 100 * np.mean(values > IMPLAUSIBLE)
        return impossible, implausible, 100 - impossible - implausible

    columns = ["impossible (< 0 s)", "implausible (> 600 s)", "in range"]
    return pd.DataFrame([shares(draws) for draws in simulated.values()], list(simulated), columns)


def turn_pages(
    frame: pd.DataFrame,
    simulated: xr.DataArray,
    *,
    title: str,
    outcome: str = "bounce_time",
    predictor: str = "age",
    group: str = "county",
    frames: int = 20,
) -> HTML:
    """Draw a flip-book that needs nothing but the page it stands on.

    Parameters
    ----------
    frame
        The observed data.
    simulated
        Prior predictive draws of the outcome (s): dimensions ``chain`` and ``draw``, and one entry a row
        of ``frame``.
    title
        Caption above the panels.
    outcome, predictor, group
        Columns of ``frame`` for the heights, the widths and the colours.
    frames
        How many data sets to show; the first ones are taken, none is chosen.

    Returns
    -------
    HTML with two panels on one axis (observed, simulated), buttons and a slider.
    """
    pages = np.asarray(simulated.stack(sample=("chain", "draw")).transpose("sample", ...))[:frames]
    labels = frame[group].astype("category")
    colors = group_colors(labels.cat.categories)
    low, high = min(0, pages.min()), max(IMPLAUSIBLE, pages.max())
    book = {
        "ages": frame[predictor].tolist(),
        "observed": frame[outcome].round().astype(int).tolist(),
        "groups": labels.cat.codes.tolist(),
        "colors": [to_hex(colors[label]) for label in labels.cat.categories],
        "frames": pages.round().astype(int).tolist(),
        "limits": [float(low), float(high)],
        "ticks": [int(t) for t in MaxNLocator(6, integer=True).tick_values(low, high) if low <= t <= high],
        "ageTicks": [int(a) for a in MaxNLocator(5, integer=True).tick_values(frame[predictor].min(), frame[predictor].max())
                     if frame[predictor].min() <= a <= frame[predictor].max()],
        "plausible": IMPLAUSIBLE,
    }
    data = json.dumps(book, separators=(",", ":"))
    template = Template(resources.files("helpers").joinpath("flipbook.html").read_text("utf-8"))
    return HTML(
        template.substitute(
            id="flipbook-" + hashlib.sha256((title + data).encode()).hexdigest()[:8],
            title=html.escape(title),
            description=html.escape(
                f"Two scatter plots of {outcome} against {predictor}: the observed data, and one of "
                f"{len(pages)} data sets simulated from the prior."
            ),
            last=len(pages) - 1,
            data=data,
        )
    )
