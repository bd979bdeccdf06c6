"""The look of figures, and figures of any grouped table and its fits that are too long for a cell."""

import logging

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import xarray as xr
from IPython import get_ipython
from matplotlib.ticker import LogLocator, NullLocator
from matplotlib_inline.backend_inline import set_matplotlib_formats

from helpers.frames import group_labels, label_of, original_column, scale_of
from helpers.models import expected_outcome
from helpers.priors import INTERVAL, Columns

LINES = ("-", "--", ":", "-.")
QUANTILES = [(1 - INTERVAL) / 2, 0.5, (1 + INTERVAL) / 2]


def use_book_style() -> None:
    """Set the book's look and its one interval (95 %, equal-tailed) for matplotlib and ArviZ.

    PyMC's progress notes are switched off too; its warnings are not.
    """
    sns.set_theme(style="whitegrid", palette="colorblind")
    plt.rcParams.update(
        {
            "figure.figsize": (7, 4.3),
            "figure.dpi": 110,
            "savefig.facecolor": "white",
            "savefig.bbox": "tight",
            "axes.titlelocation": "left",
            "axes.titlesize": "medium",
        }
    )
    if get_ipython() is not None:
        set_matplotlib_formats("retina")  # twice the dots at the same size
    az.rcParams["stats.ci_prob"] = INTERVAL
    az.rcParams["stats.ci_kind"] = "eti"
    logging.getLogger("pymc").setLevel(logging.WARNING)


def group_colors(labels) -> dict:
    """One colour for each group, the same in every figure: label -> RGB, labels sorted."""
    labels = sorted(labels)
    palette = "colorblind" if len(labels) <= 10 else "husl"  # the former begins anew after ten
    return dict(zip(labels, sns.color_palette(palette, len(labels)), strict=True))


def plot_group_lines(
    frame: pd.DataFrame,
    fits: dict[str, xr.DataTree],
    title: str = "",
    **columns: str,
) -> plt.Figure:
    """Small multiples by group: rows, each fit's expected line, and its 95 % interval.

    ``fits`` are fits to ``frame`` by the label of their model; a pooled one shows the same line in
    every group. ``title`` says what the figure shows. ``columns`` are as in ``models.fit``; a
    standardized predictor is shown in its own units.
    """
    named = Columns(**columns)
    outcome, predictor, group = named.outcome, named.predictor, named.group
    shown = original_column(frame, predictor)
    labels = group_labels(frame, group)
    groups = labels.cat.categories
    figure, axes = make_panels(len(groups), 1.8)
    for label, ax in zip(groups, axes.flat, strict=False):
        own = frame[labels == label]
        ax.scatter(own[shown], own[outcome], s=8, color="0.55", alpha=0.6)
        x = np.linspace(own[shown].min(), own[shown].max(), 30)
        given = x if shown == predictor else scale_of(frame, shown).standardize(x)
        for number, (name, tree) in enumerate(fits.items()):
            lines = expected_outcome(tree, given)
            lines = lines.sel({group: label}) if group in lines.dims else lines
            _draw_band(ax, x, lines, number, name)
        ax.set_title(f"{label} (n = {len(own)})")
    handles, names = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower right", ncols=3, fontsize="small")
    label_panels(figure, axes, label_of(frame, shown), label_of(frame, outcome), title)
    return figure


def make_panels(number: int, height: float) -> tuple[plt.Figure, np.ndarray]:
    """A figure of panels that share their axes, in rows of two; ``height`` is a row's, in inches."""
    rows = -(-number // 2)
    layout = {"sharex": True, "sharey": True, "squeeze": False, "layout": "constrained"}
    return plt.subplots(rows, 2, figsize=(7, height * rows), **layout)


def label_panels(figure: plt.Figure, axes: np.ndarray, x: str, y: str, title: str) -> None:
    """Say once for all panels what their axes are."""
    for ax in axes[-1]:
        ax.set_xlabel(x)
    figure.supylabel(y, fontsize="medium")
    figure.suptitle(title, ha="left", x=0.02, fontsize="medium")


def _draw_band(ax: plt.Axes, x: np.ndarray, lines: xr.DataArray, number: int, name: str) -> None:
    """Median and 95 % interval of lines along x, in the style of the fit's number."""
    low, middle, high = lines.quantile(QUANTILES, dim=["chain", "draw"]).values
    ax.fill_between(x, low, high, color=f"C{number}", alpha=0.3, linewidth=0)
    ax.plot(x, middle, color=f"C{number}", linestyle=LINES[number % len(LINES)], label=name)


def no_pooling_intercepts(frame: pd.DataFrame, **columns: str) -> pd.Series:
    """Least-squares intercept of each group where the predictor is 0, all groups sharing one slope.

    This is the random-intercept model without its group-level distribution: every group's intercept
    is its own (an analysis of covariance). ``columns`` are as in ``models.fit``.
    """
    named = Columns(**columns)
    outcome, predictor, group = named.outcome, named.predictor, named.group
    means = frame.groupby(group, observed=True)[[outcome, predictor]].mean()
    rows = means.loc[frame[group]].to_numpy()
    y, x = (frame[[outcome, predictor]].to_numpy() - rows).T
    return means[outcome] - (x @ y) / (x @ x) * means[predictor]


def plot_shrinkage(
    frame: pd.DataFrame,
    tree: xr.DataTree,
    ax: plt.Axes | None = None,
    **columns: str,
) -> plt.Axes:
    """Intercepts by group without pooling and with partial pooling, against the number of rows.

    ``tree`` is a fit of ``frame`` with ``group_intercept``; ``columns`` are as in ``models.fit``.
    Without ``ax``, the current Axes is drawn on.
    """
    ax = plt.gca() if ax is None else ax
    named = Columns(**columns)
    outcome, predictor, group = named.outcome, named.predictor, named.group
    alone = no_pooling_intercepts(frame, **columns)
    posterior = tree["posterior"]
    partial = posterior["intercept"] + posterior["group_intercept"]
    labels = partial[group].values
    low, _, high = partial.quantile(QUANTILES, dim=["chain", "draw"]).values
    mean, n = partial.mean(["chain", "draw"]).values, frame[group].value_counts()[labels]
    population = float(posterior["intercept"].mean())
    ax.axhline(population, color="0.4", linestyle="--", label="Population mean")
    style = {"fmt": "o", "markersize": 5, "color": "C0", "label": "Partial pooling, 95 % interval"}
    ax.errorbar(n, mean, [mean - low, high - mean], **style)
    beside = 1.06 * n  # where neither hides the other
    ax.scatter(beside, alone[labels], marker="x", color="C1", zorder=3, label="No pooling")
    above = {"textcoords": "offset points", "ha": "center", "fontsize": "small"}
    for place in zip(labels, n, high, strict=True):
        ax.annotate(place[0], place[1:], (0, 4), **above)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel(f"Rows in the {group} (log scale)")
    ax.set_ylabel(f"{label_of(frame, outcome)} where {predictor} = 0")
    ax.margins(x=0.08, y=0.12)
    ax.legend(fontsize="small", loc="lower left", bbox_to_anchor=(0, 1.08), ncols=3)
    return ax
