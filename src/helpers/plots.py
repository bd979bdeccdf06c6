"""The look of the book's figures, and those that are too long for a cell of a page."""

import logging

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import xarray as xr
from IPython import get_ipython
from matplotlib_inline.backend_inline import set_matplotlib_formats

from helpers.data import scale_of
from helpers.models import expected_outcome
from helpers.tables import INTERVAL, LOWER, UPPER, summarize

TRUTH_COLOR = "#c44e00"
LINES = ("-", "--", ":", "-.")
QUANTILES = [(1 - INTERVAL) / 2, 0.5, (1 + INTERVAL) / 2]


def use_book_style() -> None:
    """Set the book's look and its one interval (95 %, equal-tailed) for seaborn, matplotlib and ArviZ.

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


def plot_visits(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Bounce time (s) against age (years), one dot a visit, coloured by county.

    Parameters
    ----------
    frame
        The bounce times.
    ax
        Where to draw; a new Axes by default.
    """
    ax = plt.gca() if ax is None else ax
    for county, color in group_colors(frame["county"].unique()).items():
        visits = frame[frame["county"] == county]
        ax.scatter(visits["age"], visits["bounce_time"], s=12, alpha=0.6, color=color, label=county)
    ax.set(xlabel="Age (years)", ylabel="Bounce time (s)")
    return ax


def plot_county_lines(
    frame: pd.DataFrame, fits: dict[str, xr.DataTree], title: str = ""
) -> plt.Figure:
    """Small multiples by county: visits, each fit's expected line, and its 95 % interval.

    Parameters
    ----------
    frame
        The bounce times with ``std_age``.
    fits
        Label of a model -> its fit. A pooled fit shows the same line in every county.
    title
        What the figure shows.
    """
    scale = scale_of(frame, "age")
    counties = sorted(frame["county"].unique())
    figure, axes = plt.subplots(
        -(-len(counties) // 2),
        2,
        figsize=(7, 7.2),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for county, ax in zip(counties, axes.flat, strict=False):
        visits = frame[frame["county"] == county]
        ax.scatter(visits["age"], visits["bounce_time"], s=8, color="0.55", alpha=0.6)
        ages = np.linspace(visits["age"].min(), visits["age"].max(), 30)
        for number, (label, tree) in enumerate(fits.items()):
            lines = expected_outcome(tree, scale.standardize(ages))
            lines = lines.sel(county=county) if "county" in lines.dims else lines
            low, middle, high = lines.quantile(QUANTILES, dim=["chain", "draw"]).values
            ax.fill_between(ages, low, high, color=f"C{number}", alpha=0.3, linewidth=0)
            ax.plot(
                ages, middle, color=f"C{number}", linestyle=LINES[number % len(LINES)], label=label
            )
        ax.set_title(f"{county} (n = {len(visits)})")
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower right", ncols=3, fontsize="small")
    for ax in axes[-1]:
        ax.set_xlabel("Age (years)")
    figure.supylabel("Bounce time (s)", fontsize="medium")
    figure.suptitle(title, ha="left", x=0.02, fontsize="medium")
    return figure


def no_pooling_intercepts(frame: pd.DataFrame) -> pd.Series:
    """Least-squares intercept (s) of each county at the mean age, all counties sharing one slope.

    This is the random-intercept model without its group-level distribution: every county's intercept
    is its own (an analysis of covariance).
    """
    means = frame.groupby("county", observed=True)[["bounce_time", "std_age"]].mean()
    rows = means.loc[frame["county"]].to_numpy()
    time, age = (frame[["bounce_time", "std_age"]].to_numpy() - rows).T
    slope = (age @ time) / (age @ age)
    return means["bounce_time"] - slope * means["std_age"]


def plot_shrinkage(frame: pd.DataFrame, tree: xr.DataTree, ax: plt.Axes | None = None) -> plt.Axes:
    """Intercepts by county without pooling and with partial pooling, against the number of visits.

    Parameters
    ----------
    frame
        The bounce times with ``std_age``.
    tree
        A fit with ``group_intercept``.
    ax
        Where to draw; a new Axes by default.
    """
    ax = plt.gca() if ax is None else ax
    posterior = tree["posterior"]
    partial = posterior["intercept"] + posterior["group_intercept"]
    low, _, high = partial.quantile(QUANTILES, dim=["chain", "draw"]).values
    table = pd.DataFrame(
        {"n": frame["county"].value_counts(), "none": no_pooling_intercepts(frame)}
    ).loc[partial["county"].values]
    mean = partial.mean(["chain", "draw"]).values
    ax.axhline(
        float(posterior["intercept"].mean()), color="0.4", linestyle="--", label="Population mean"
    )
    ax.errorbar(
        table["n"],
        mean,
        [mean - low, high - mean],
        fmt="o",
        markersize=5,
        color="C0",
        label="Partial pooling, 95 % interval",
    )
    beside = 1.06 * table["n"]  # where neither hides the other
    ax.scatter(beside, table["none"], marker="x", color="C1", zorder=3, label="No pooling")
    for county, n, height in zip(table.index, table["n"], high, strict=True):
        ax.annotate(
            county, (n, height), (0, 4), textcoords="offset points", ha="center", fontsize="small"
        )
    ax.set_xscale("log")
    ax.set_xticks([7, 20, 50, 100, 150], ["7", "20", "50", "100", "150"])
    ax.set(xlabel="Visits in the county (log scale)", ylabel="Intercept at the mean age (s)")
    ax.margins(x=0.08, y=0.12)
    ax.legend(fontsize="small", loc="lower left", bbox_to_anchor=(0, 1.08), ncols=3)
    return ax


def plot_deviations(
    tree: xr.DataTree, truth: pd.Series, var_name: str, ax: plt.Axes | None = None
) -> plt.Axes:
    """Group-level effects by county with 95 % intervals, and the true deviations beside them.

    Parameters
    ----------
    tree
        A fit.
    truth
        True deviations by county, as ``truth_on_scale`` gives them.
    var_name
        "group_intercept" (s) or "group_slope" (s per sd of age).
    ax
        Where to draw; a new Axes by default.
    """
    ax = plt.gca() if ax is None else ax
    table = summarize(tree, [var_name])
    counties = tree["posterior"][var_name]["county"].values
    height = np.arange(len(counties))
    ax.axvline(0, color="0.4", linestyle="--")
    ax.hlines(height, table[LOWER], table[UPPER], color="C0")
    ax.plot(table["mean"], height, "o", color="C0", label="Posterior mean, 95 % interval")
    ax.plot(truth.reindex(counties), height, "D", color=TRUTH_COLOR, markersize=5, label="Truth")
    ax.set_yticks(height, counties)
    ax.invert_yaxis()
    unit = "s" if var_name == "group_intercept" else "s per sd of age"
    ax.set_xlabel(f"{var_name} ({unit})")
    ax.legend(fontsize="small", loc="lower left", bbox_to_anchor=(0, 1.08), ncols=2)
    return ax


def plot_paradox(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Least-squares lines: one through all visits, one through each county's.

    Parameters
    ----------
    frame
        The bounce times.
    ax
        Where to draw; a new Axes by default.
    """
    ax = plot_visits(frame, ax)
    line = {"x": "age", "y": "bounce_time", "scatter": False, "ci": None, "ax": ax}
    for county, color in group_colors(frame["county"].unique()).items():
        sns.regplot(frame[frame["county"] == county], color=color, **line)
    sns.regplot(frame, color="black", label="All visits", line_kws={"linestyle": "--"}, **line)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="small", markerscale=2)
    ax.set(xlabel="Age (years)", ylabel="Bounce time (s)")
    return ax
