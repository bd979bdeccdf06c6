"""Groups below each other, sorted, with their intervals: deviations and slopes."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr

from helpers.frames import own_scale
from helpers.plots.least_squares import fit_lines
from helpers.plots.look import (
    MARKS,
    NAMED,
    QUANTILES,
    outcome_unit,
    put_legend_below,
    slope_unit,
    summarize_groups,
    write_label,
    write_labels,
)
from helpers.plots.subject import read_fit
from helpers.priors import LOWER, UPPER


def plot_deviations(
    frame: pd.DataFrame,
    tree: xr.DataTree,
    var_name: str = "group_intercept",
    ax: plt.Axes | None = None,
    *,
    per: float | None = None,
    order: Sequence | None = None,
    extremes: int | None = None,
    marks: Mapping[str, pd.Series] | None = None,
    formula: str | None = None,
    **columns,
) -> plt.Axes:
    """How far each group is from the population's mean, with 95 % intervals, sorted.

    Parameters
    ----------
    frame, tree, columns, formula
        A table, a fit of it, and its columns as in ``models.fit``, or the ``formula`` of the fit.
    var_name
        "group_intercept" or "group_slope".
    ax
        By default a figure of its own, as high as the groups need.
    per
        Slopes are for so many units of the predictor; by default for one of what was fitted, which
        may be an sd.
    order
        Labels from top to bottom; by default by the posterior mean.
    extremes
        Show only so many groups at either end, and their names.
    marks
        What else is known of the groups by the words of the legend, such as the truth: Series by
        label, in the figure's unit, from the mean of these groups.

    Up to 40 groups also show the narrower interval from the plain mean of the groups at hand: of few
    groups the population's mean is known badly, and their differences are not. More groups, without
    ``extremes``, are thin lines without names.
    """
    frame, named, posterior = read_fit(frame, tree, formula, var_name, **columns)
    slopes = var_name == "group_slope"
    factor = 1 if per is None or not slopes else per / own_scale(frame, named.predictor).sd
    draws = factor * posterior[var_name]
    table = summarize_groups(draws, named.group)
    rows, said = _choose_rows(table, order, extremes)
    alone = ax is None
    ax = _make_forest(len(rows)) if alone else ax
    ax.axvline(0, color="0.4", linestyle="--")
    few, own = len(table) <= NAMED, "From the population's mean, 95 %"
    if few:
        heights, limits = np.arange(len(rows)), rows[[LOWER, UPPER]].to_numpy().T
        pale = {"color": "C0", "alpha": 0.25, "linewidth": 6, "label": own}
        ax.hlines(heights, *limits, **pale)
        own = f"From the mean of these {len(table)}, 95 %"
        rows = summarize_groups(draws - draws.mean(named.group), named.group).loc[rows.index]
    _draw_intervals(ax, rows, label=own)
    for words, values in (marks or {}).items():
        diamonds = {"color": MARKS, "markersize": 5, "zorder": 3, "label": words}
        ax.plot(values.reindex(rows.index), np.arange(len(rows)), "D", **diamonds)
    _name_rows(ax, rows.index, len(table), named.group, said)
    unit = slope_unit(frame, named, per) if slopes else outcome_unit(frame, named)
    ax.set_xlabel(f"Deviation in {'slope' if slopes else 'intercept'} ({unit})")
    put_legend_below(ax, ncols=3, alone=alone)
    return ax


def plot_slopes(
    frame: pd.DataFrame,
    tree: xr.DataTree,
    ax: plt.Axes | None = None,
    *,
    per: float = 1,
    order: Sequence | None = None,
    extremes: int | None = None,
    formula: str | None = None,
    **columns,
) -> plt.Axes:
    """Slopes by group with 95 % intervals, sorted, and the population's as a band.

    Slopes are in units of the outcome per ``per`` units of the predictor. Up to 40 rows also show
    each group's least-squares slope (``fit_lines``); one that lies far outside is a triangle at the
    edge. ``order``, ``extremes``, ``ax``, and how many groups are shown: as in ``plot_deviations``.
    ``tree`` is a fit of ``frame`` with slopes by group; ``columns`` are as in ``models.fit``, or
    ``formula`` is what it was made by.
    """
    frame, named, posterior = read_fit(frame, tree, formula, "group_slope", **columns)
    factor = per / own_scale(frame, named.predictor).sd
    population = factor * posterior["slope"]
    table = summarize_groups(population + factor * posterior["group_slope"], named.group)
    rows, said = _choose_rows(table, order, extremes)
    alone = ax is None
    ax = _make_forest(len(rows)) if alone else ax
    low, _, high = population.quantile(QUANTILES).values
    ax.axvspan(low, high, color="0.5", alpha=0.2, linewidth=0, label="Population, 95 % interval")
    ax.axvline(float(population.mean()), color="0.4", linestyle="--", label="Population mean")
    few = len(rows) <= NAMED
    _draw_intervals(ax, rows, label="Partial pooling, 95 % interval", shift=0.15 if few else 0)
    if few:
        lines = per * fit_lines(frame, **vars(named)).loc[rows.index, ["slope", "error"]]
        _draw_lines(ax, lines, rows)
    _name_rows(ax, rows.index, len(table), named.group, said)
    ax.set_xlabel(f"Slope ({slope_unit(frame, named, per)})")
    put_legend_below(ax, ncols=2, alone=alone)
    return ax


def _choose_rows(
    table: pd.DataFrame, order: Sequence | None, extremes: int | None
) -> tuple[pd.DataFrame, str]:
    """Rows from top to bottom, and which they are if they are not all."""
    ranked = table.sort_values("mean") if order is None else table.loc[list(order)]
    if extremes is None or len(ranked) <= 2 * extremes:
        return ranked, ""
    said = f"{2 * extremes} of {len(ranked):,}: the {extremes} lowest and the {extremes} highest"
    return pd.concat([ranked.head(extremes), ranked.tail(extremes)]), said


def _make_forest(rows: int) -> plt.Axes:
    """Axes of a new figure that is as high as its rows need."""
    height = 1.5 + 0.24 * rows if rows <= NAMED else 6
    return plt.subplots(figsize=(7, max(height, 2.5)), layout="constrained")[1]


def _draw_intervals(ax: plt.Axes, rows: pd.DataFrame, label: str, shift: float = 0) -> None:
    """Mean and 95 % interval of each row, thin if they are many."""
    few, height = len(rows) <= NAMED, np.arange(len(rows)) + shift
    faint = {} if few else {"alpha": np.clip(100 / len(rows), 0.25, 0.8), "linewidth": 0.6}
    ax.hlines(height, rows[LOWER], rows[UPPER], color="C0", **faint)
    ax.plot(rows["mean"], height, "o", color="C0", markersize=5 if few else 1, label=label)


def _draw_lines(ax: plt.Axes, lines: pd.DataFrame, rows: pd.DataFrame) -> None:
    """Least-squares slopes above those of partial pooling; outside three times their reach triangles."""
    height, slope = np.arange(len(rows)) - 0.15, lines["slope"].to_numpy()
    low, high = rows[LOWER].min(), rows[UPPER].max()
    edges = low - (high - low), high + (high - low)
    reach = 2 * lines["error"].fillna(0).to_numpy()
    ends = np.clip([slope - reach, slope + reach], *edges)
    ax.hlines(height, *ends, color="C1")
    inside = np.clip(slope, *edges) == slope
    label = "Least squares, ± 2 std. errors"
    ax.plot(slope[inside], height[inside], "x", color="C1", label=label)
    for edge, marker, outside in ((0, "<", slope < edges[0]), (1, ">", slope > edges[1])):
        ax.plot(np.full(outside.sum(), edges[edge]), height[outside], marker, color="C1")


def _name_rows(ax: plt.Axes, labels: pd.Index, number: int, group: str, said: str) -> None:
    """Names of a forest's rows, from top to bottom; of many only what they are."""
    rows = len(labels)
    ax.set_ylim(rows - 0.5 + 0.02 * rows, -0.5 - 0.02 * rows)
    if rows > NAMED:
        ax.set_yticks([])
        ax.set_ylabel(f"{number:,} groups of {write_label(group)!r}, sorted")
        return
    tall = ax.get_window_extent().height / ax.get_figure(root=True).dpi * 72  # points
    ax.set_yticks(range(rows), write_labels(labels), fontsize=min(11, 0.85 * tall / rows))
    if said:
        ax.axhline((rows - 1) / 2, color="0.7", linewidth=0.8)
        ax.set_title(said)
