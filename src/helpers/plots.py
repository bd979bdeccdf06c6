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


def plot_group_lines(
    frame: pd.DataFrame,
    fits: dict[str, xr.DataTree],
    title: str = "",
    *,
    outcome: str = Columns.outcome,
    predictor: str = Columns.predictor,
    group: str = Columns.group,
) -> plt.Figure:
    """Small multiples by group: rows, each fit's expected line, and its 95 % interval.

    Parameters
    ----------
    frame
        The table that was fitted.
    fits
        Label of a model -> its fit. A pooled fit shows the same line in every group.
    title
        What the figure shows.
    outcome, predictor, group
        As in ``models.fit``. A standardized predictor is shown in its own units.
    """
    shown = original_column(frame, predictor)
    labels = group_labels(frame, group)
    groups = labels.cat.categories
    figure, axes = plt.subplots(
        -(-len(groups) // 2),
        2,
        figsize=(7, 1.8 * -(-len(groups) // 2)),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for label, ax in zip(groups, axes.flat, strict=False):
        rows = frame[labels == label]
        ax.scatter(rows[shown], rows[outcome], s=8, color="0.55", alpha=0.6)
        x = np.linspace(rows[shown].min(), rows[shown].max(), 30)
        given = x if shown == predictor else scale_of(frame, shown).standardize(x)
        for number, (name, tree) in enumerate(fits.items()):
            lines = expected_outcome(tree, given)
            lines = lines.sel({group: label}) if group in lines.dims else lines
            low, middle, high = lines.quantile(QUANTILES, dim=["chain", "draw"]).values
            style = {"color": f"C{number}", "linestyle": LINES[number % len(LINES)]}
            ax.fill_between(x, low, high, color=f"C{number}", alpha=0.3, linewidth=0)
            ax.plot(x, middle, **style, label=name)
        ax.set_title(f"{label} (n = {len(rows)})")
    handles, names = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower right", ncols=3, fontsize="small")
    for ax in axes[-1]:
        ax.set_xlabel(label_of(frame, shown))
    figure.supylabel(label_of(frame, outcome), fontsize="medium")
    figure.suptitle(title, ha="left", x=0.02, fontsize="medium")
    return figure


def no_pooling_intercepts(
    frame: pd.DataFrame,
    *,
    outcome: str = Columns.outcome,
    predictor: str = Columns.predictor,
    group: str = Columns.group,
) -> pd.Series:
    """Least-squares intercept of each group where the predictor is 0, all groups sharing one slope.

    This is the random-intercept model without its group-level distribution: every group's intercept
    is its own (an analysis of covariance).
    """
    means = frame.groupby(group, observed=True)[[outcome, predictor]].mean()
    rows = means.loc[frame[group]].to_numpy()
    y, x = (frame[[outcome, predictor]].to_numpy() - rows).T
    return means[outcome] - (x @ y) / (x @ x) * means[predictor]


def plot_shrinkage(
    frame: pd.DataFrame,
    tree: xr.DataTree,
    ax: plt.Axes | None = None,
    *,
    outcome: str = Columns.outcome,
    predictor: str = Columns.predictor,
    group: str = Columns.group,
) -> plt.Axes:
    """Intercepts by group without pooling and with partial pooling, against the number of rows.

    Parameters
    ----------
    frame
        The table that was fitted.
    tree
        A fit with ``group_intercept``.
    ax
        Where to draw; a new Axes by default.
    outcome, predictor, group
        As in ``models.fit``.
    """
    ax = plt.gca() if ax is None else ax
    columns = {"outcome": outcome, "predictor": predictor, "group": group}
    posterior = tree["posterior"]
    partial = posterior["intercept"] + posterior["group_intercept"]
    low, _, high = partial.quantile(QUANTILES, dim=["chain", "draw"]).values
    table = pd.DataFrame(
        {"n": frame[group].value_counts(), "none": no_pooling_intercepts(frame, **columns)}
    ).loc[partial[group].values]
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
    for label, n, height in zip(table.index, table["n"], high, strict=True):
        ax.annotate(
            label, (n, height), (0, 4), textcoords="offset points", ha="center", fontsize="small"
        )
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel(f"Rows in the {group} (log scale)")
    ax.set_ylabel(f"{label_of(frame, outcome)} where {predictor} = 0")
    ax.margins(x=0.08, y=0.12)
    ax.legend(fontsize="small", loc="lower left", bbox_to_anchor=(0, 1.08), ncols=3)
    return ax
