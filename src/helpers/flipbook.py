"""The flip-book: data sets simulated from a prior, one after another, beside the observed one."""

import hashlib
import html
import json
from importlib import resources
from string import Template

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from IPython.display import HTML
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from helpers.plots import group_colors

IMPLAUSIBLE = 600  # seconds; ten minutes on a page that people leave after three
FRAME_QUANTILES = (0.005, 0.995)
AXIS_LABELS = ("Age (years)", "Bounce time (s)")


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


def frame_limits(pages: np.ndarray, observed: np.ndarray) -> tuple[float, float]:
    """Limits of an axis that one wild data set cannot stretch.

    Parameters
    ----------
    pages
        Simulated outcomes, any shape.
    observed
        Observed outcomes, in the same units.

    Returns
    -------
    The lowest and the highest value: 0, everything observed and all but the outermost 0.5 % of the
    simulated outcomes at either end lie between them, with a small margin.
    """
    low, high = np.quantile(pages, FRAME_QUANTILES)
    low, high = min(0, low, observed.min()), max(0, high, observed.max())
    margin = 0.03 * (high - low)
    return float(low - margin), float(high + margin)


def turn_pages(
    frame: pd.DataFrame,
    simulated: xr.DataArray,
    *,
    title: str,
    outcome: str = "bounce_time",
    predictor: str = "age",
    group: str = "county",
    frames: int = 20,
    limits: tuple[float, float] | None = None,
    axis_labels: tuple[str, str] = AXIS_LABELS,
) -> HTML:
    """Draw a flip-book that needs nothing but the page it stands on.

    Parameters
    ----------
    frame
        The observed data.
    simulated
        Prior predictive draws of the outcome (s): dimensions ``chain`` and ``draw``, and one entry
        a row of ``frame``.
    title
        Caption above the panels.
    outcome, predictor, group
        Columns of ``frame`` for the heights, the widths and the colours.
    frames
        How many data sets to show; the first ones are taken, none is chosen.
    limits
        Ends of the outcome's axis; ``frame_limits`` of what is shown by default. Points outside
        stand at the edge as triangles, and the line below the panels counts them.
    axis_labels
        Predictor's and outcome's name with the unit.

    Returns
    -------
    HTML with two panels on one axis (observed, simulated), buttons and a slider.
    """
    pages = _first_pages(simulated, frames)
    low, high = limits or frame_limits(pages, frame[outcome])
    youngest, oldest = float(frame[predictor].min()), float(frame[predictor].max())
    codes, colors = _group_codes(frame[group])
    book = {
        "x": _short(frame[predictor]),
        "observed": _short(frame[outcome]),
        "frames": [_short(page) for page in pages],
        "groups": codes,
        "colors": list(colors.values()),
        "limits": [low, high],
        "xLimits": [youngest, oldest],
        "ticks": _ticks(low, high),
        "xTicks": _ticks(youngest, oldest),
        "labels": axis_labels,
        "plausible": IMPLAUSIBLE,
    }
    description = (
        f"Two scatter plots of {outcome} against {predictor}: the observed data, and one of "
        f"{len(pages)} data sets simulated from the prior."
    )
    return _fill_template(book, title, description, colors)


def plot_pages(
    frame: pd.DataFrame,
    simulated: xr.DataArray,
    *,
    title: str,
    outcome: str = "bounce_time",
    predictor: str = "age",
    group: str = "county",
    frames: int = 5,
    limits: tuple[float, float] | None = None,
    axis_labels: tuple[str, str] = AXIS_LABELS,
) -> plt.Figure:
    """Draw the first pages of a flip-book beside the observed data, in two columns, for paper.

    Parameters are those of ``turn_pages``. A triangle at the edge stands for a point outside.
    """
    pages = _first_pages(simulated, frames)
    limits = limits or frame_limits(pages, frame[outcome])
    codes, colors = _group_codes(frame[group])
    panels = {"Observed": frame[outcome].to_numpy()}
    panels |= {f"Simulated, {number}": page for number, page in enumerate(pages, start=1)}
    rows = -(-len(panels) // 2)
    layout = {"sharex": True, "sharey": True, "layout": "constrained", "squeeze": False}
    figure, axes = plt.subplots(rows, 2, figsize=(7, 2.2 * rows), **layout)
    x, point_colors = frame[predictor].to_numpy(), np.array(list(colors.values()))[codes]
    for ax, (label, values) in zip(axes.flat, panels.items(), strict=False):
        _draw_page(ax, x, values, point_colors, limits)
        ax.set_title(label)
    for ax in axes.flat[len(panels) :]:
        ax.set_visible(False)
    style = {"marker": "o", "linestyle": "", "markersize": 5}
    dots = [Line2D([], [], color=color, **style) for color in colors.values()]
    figure.legend(dots, list(colors), loc="outside lower right", ncols=4, fontsize="small")
    for ax in axes[-1]:
        ax.set_xlabel(axis_labels[0])
    figure.supylabel(axis_labels[1], fontsize="medium")
    figure.suptitle(title, ha="left", x=0.02, fontsize="medium")
    return figure


def _first_pages(simulated: xr.DataArray, frames: int) -> np.ndarray:
    """The first simulated data sets, one a row."""
    draws = simulated.transpose("chain", "draw", ...).to_numpy()
    return draws.reshape(-1, draws.shape[-1])[:frames]


def _group_codes(column: pd.Series) -> tuple[list[int], dict[str, str]]:
    """The group's number in each row, and label -> colour in the order of the numbers."""
    labels = column.astype("category").cat.remove_unused_categories()
    colors = group_colors(labels.cat.categories)
    by_number = {label: to_hex(colors[label]) for label in labels.cat.categories}
    return labels.cat.codes.tolist(), by_number


def _draw_page(
    ax: plt.Axes, x: np.ndarray, values: np.ndarray, colors: np.ndarray, limits: tuple[float, float]
) -> None:
    """One data set on blue ground (0 to 600 s): dots, and triangles for what lies outside."""
    low, high = limits
    ax.axhspan(max(low, 0), min(high, IMPLAUSIBLE), color="#dcebf7", zorder=0)
    edge = 0.03 * (high - low)
    shown = np.clip(values, low + edge, high - edge)
    inside = (values >= low) & (values <= high)
    ax.scatter(x[inside], values[inside], s=6, color=colors[inside], alpha=0.6)
    for marker, rows in {"^": values > high, "v": values < low}.items():
        ax.scatter(x[rows], shown[rows], s=14, marker=marker, color=colors[rows], alpha=0.6)
    ax.set_ylim(low, high)


def _ticks(low: float, high: float) -> list[float]:
    """Round values within the limits."""
    values = MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(f"{value:.6g}") for value in values if low <= value <= high]


def _short(values) -> list[float]:
    """Four significant digits: enough for a screen, small on a page."""
    return [float(f"{value:.4g}") for value in values]


def _fill_template(book: dict, title: str, description: str, colors: dict[str, str]) -> HTML:
    """Put data and words into ``flipbook.html``, under an id made from its content."""
    data = json.dumps(book, separators=(",", ":")).replace("</", "<\\/")
    template = Template(resources.files("helpers").joinpath("flipbook.html").read_text("utf-8"))
    legend = "".join(
        f'<li><span style="background:{color}"></span>{html.escape(str(label))}</li>'
        for label, color in colors.items()
    )
    return HTML(
        template.substitute(
            id="flipbook-" + hashlib.sha256((title + data).encode()).hexdigest()[:8],
            title=html.escape(title),
            description=html.escape(description),
            legend=legend,
            last=len(book["frames"]) - 1,
            data=data,
        )
    )
