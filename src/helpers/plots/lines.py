"""Lines by group: of fits, and of rows alone."""

import textwrap
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.collections import LineCollection

from helpers.frames import group_labels, original_column
from helpers.models import expected_outcome
from helpers.plots.least_squares import fit_lines
from helpers.plots.look import (
    COLORED,
    MARKS,
    NAMED,
    PANELS,
    draw_band,
    fit_legend,
    group_colors,
    label_panels,
    make_panels,
    name_axis,
    put_legend_below,
    slope_unit,
    write_labels,
)
from helpers.plots.subject import need_predictor, other_factors, read_table
from helpers.predictions import predict
from helpers.priors import SEED, Columns
from helpers.tables import round_off

POINTS = 30  # of a line
SHORT = 16  # characters of a group's name in a legend
ROWS = 2000  # of more rows no dots are drawn behind lines


def choose_groups(
    frame: pd.DataFrame,
    number: int = PANELS,
    seed: int = SEED,
    *,
    outcome: str = Columns.outcome,
    group: str = Columns.group,
) -> tuple[list, str]:
    """Choose the groups that stand for many: the smallest, the largest, the extremes, others.

    Returns
    -------
    Labels of at most ``number`` groups, in their order, and how they were chosen, such as "12 of 300:
    the 2 with the fewest rows, ..."; an empty text if all are shown. A sixth each has the fewest rows,
    the most rows, the lowest and the highest mean outcome; the rest is drawn at random with ``seed``.
    """
    labels = group_labels(frame, group)
    table = frame[outcome].groupby(labels, observed=True).agg(["size", "mean"])
    table.index = labels.cat.categories
    if len(table) <= number:
        return list(table.index), ""
    each, left = number // 6, table
    for column, rises in (("size", True), ("size", False), ("mean", True), ("mean", False)):
        left = left.drop(left[column].sort_values(ascending=rises, kind="stable").index[:each])
    by_chance = number - (len(table) - len(left))
    left = left.drop(left.sample(by_chance, random_state=seed).index)
    said = (
        f"{number} of {len(table):,}: {each} with the fewest rows, {each} with the most, {each} with the "
        f"lowest mean, {each} with the highest, {by_chance} at random"
    )
    return list(table.index.difference(left.index, sort=False)), said


def plot_group_lines(
    frame: pd.DataFrame,
    fits: Mapping[str, xr.DataTree] | None = None,
    title: str = "",
    *,
    formula: str | Mapping[str, str] | None = None,
    number: int = PANELS,
    seed: int = SEED,
    **columns,
) -> plt.Figure:
    """Small multiples by group: rows, each fit's expected line, and its 95 % interval.

    Parameters
    ----------
    frame, columns
        A table, and its columns as in ``models.fit``. A standardized predictor is shown in its own
        units.
    fits
        Fits to ``frame`` by the label of their model; a pooled one shows the same line in every
        group. Without any, each group's least-squares line.
    title
        What the figure shows. Of more than ``number`` groups a sample is shown, and the title says
        which (``choose_groups``).
    formula
        In place of columns: the formula that the fits were made by, or one for each by label. Other
        columns have their mean, or most frequent level, in the group; other grouping factors have no
        effect. ``predictor`` and ``group`` say against what is drawn, and by what, where the first
        formula leaves it open.
    """
    fits = dict(fits or {})
    formulas = formula if isinstance(formula, Mapping) else dict.fromkeys([*fits, ""], formula)
    table, named = read_table(frame, next(iter(formulas.values())), **columns)
    need_predictor(named)
    shown, labels = original_column(table, named.predictor), table[named.group]
    chosen, said = choose_groups(table, number, seed, outcome=named.outcome, group=named.group)
    grids = {label: _make_grid(table[labels == label], named, shown) for label in chosen}
    drawn = {
        name: _expect(tree, frame, formulas[name], grids, named) for name, tree in fits.items()
    }
    alone = None if fits else fit_lines(table, **vars(named))
    figure, axes = make_panels(len(chosen), 1.8)
    for label, name, ax in zip(chosen, write_labels(chosen), axes.flat, strict=False):
        own, x = table[labels == label], grids[label][shown].to_numpy()
        ax.scatter(own[shown], own[named.outcome], s=8, color="0.55", alpha=0.6)
        for place, (model, lines) in enumerate(drawn.items()):
            draw_band(ax, x, lines[label], place, model)
        if alone is not None:
            line = alone.loc[label]
            y = line["outcome_mean"] + line["slope"] * (x - line["predictor_mean"])
            ax.plot(x, y, color="C0", label="Least squares")
        ax.set_title(f"{name} (n = {len(own):,})")
    handles, names = axes.flat[0].get_legend_handles_labels()
    fit_legend(figure, handles, names, 3, loc="outside lower right")
    title = "\n".join(text for text in (title, textwrap.fill(said, 75)) if text)
    label_panels(figure, axes, name_axis(table, shown), name_axis(table, named.outcome), title)
    return figure


def _make_grid(own: pd.DataFrame, columns: Columns, shown: str) -> pd.DataFrame:
    """Rows along the predictor within one group; in other columns what is typical of the group."""
    rows = {
        name: values.mean() if pd.api.types.is_numeric_dtype(values) else values.mode().iloc[0]
        for name, values in own.items()
        if name != columns.outcome and values.notna().any()
    }
    for name in {shown, columns.predictor}:  # one is a straight function of the other
        rows[name] = np.linspace(own[name].min(), own[name].max(), POINTS)
    return pd.DataFrame(rows, index=range(POINTS))


def _expect(
    tree: xr.DataTree,
    frame: pd.DataFrame,
    formula: str | None,
    grids: Mapping[object, pd.DataFrame],
    columns: Columns,
) -> dict[object, xr.DataArray]:
    """Draws of the expected outcome along each group's grid, by the group's label."""
    group, posterior = columns.group, tree["posterior"].to_dataset()
    if formula is not None:
        rows = pd.concat(grids.values(), ignore_index=True)
        rows = rows.drop(columns=other_factors(formula, group) & {*rows})
        means = predict(tree, formula, frame, rows)
        return {
            label: means.isel(row=slice(place * POINTS, (place + 1) * POINTS))
            for place, label in enumerate(grids)
        }
    lines = {}
    for label, grid in grids.items():
        own = posterior.sel({group: label}) if group in posterior.dims else posterior
        one = xr.DataTree.from_dict({"posterior": own})
        lines[label] = expected_outcome(one, grid[columns.predictor])
    return lines


def plot_within_between(
    frame: pd.DataFrame,
    ax: plt.Axes | None = None,
    *,
    per: float = 1,
    formula: str | None = None,
    **columns,
) -> plt.Axes:
    """A least-squares line for each group, and the two slopes that a single line would mix.

    Within groups is the slope that all groups share if each has an intercept of its own; between
    groups is the slope of a line through the groups' means, one group one vote. Either is left out
    where the predictor does not vary so. ``per`` is the number of units of the predictor that the
    legend's slopes are for. ``columns`` are as in ``models.fit``, or a ``formula`` names them;
    covariates are left out. Without ``ax``, the current Axes is drawn on.
    """
    ax = plt.gca() if ax is None else ax
    frame, named = read_table(frame, formula, **columns)
    lines = fit_lines(frame, **vars(named))
    shown, labels = original_column(frame, named.predictor), frame[named.group]
    x = frame[shown].astype(float)
    colors = group_colors(lines.index) if len(lines) <= COLORED else {}
    _draw_own_lines(ax, x.groupby(labels, observed=True).agg(["min", "max"]), lines, colors)
    if len(frame) <= ROWS:
        dots = [colors.get(label, "0.6") for label in labels]
        ax.scatter(x, frame[named.outcome], s=6, c=dots, alpha=0.35, linewidth=0)
    looks = {"Within": {"color": "black"}, "Between": {"color": MARKS, "linestyle": "--"}}
    for kind, (slope, ends) in _find_slopes(lines, x).items():
        label = f"{kind} groups: {round_off(per * slope, 0)}"
        ax.plot(*ends, linewidth=2.5, zorder=4, label=label, **looks[kind])
    for color, name in zip(colors.values(), write_labels(colors, SHORT), strict=True):
        ax.plot([], [], "o", color=color, label=name)
    ax.set(xlabel=name_axis(frame, shown), ylabel=name_axis(frame, named.outcome))
    put_legend_below(ax, ncols=3, title=f"Slopes in {slope_unit(frame, named, per)}")
    return ax


def _draw_own_lines(
    ax: plt.Axes, reach: pd.DataFrame, lines: pd.DataFrame, colors: Mapping
) -> None:
    """Each group's line as far as its rows reach, and its mean."""
    tint = [colors.get(label, "0.45") for label in lines.index]
    faint = 0.9 if colors else np.clip(25 / len(lines), 0.05, 0.6)
    middle, height, tilt = lines[["predictor_mean", "outcome_mean", "slope"]].to_numpy().T
    x = reach.to_numpy()
    ends = np.stack([x, height[:, None] + tilt[:, None] * (x - middle[:, None])], axis=2)
    ax.add_collection(LineCollection(ends, colors=tint, alpha=faint, linewidths=1.2))
    few = len(lines) <= NAMED
    size, faint = (30, 1) if few else (5, np.clip(300 / len(lines), 0.3, 1))
    ax.scatter(middle, height, s=size, c=tint, alpha=faint, zorder=3, linewidth=0)


def _find_slopes(lines: pd.DataFrame, x: pd.Series) -> dict[str, tuple[float, tuple]]:
    """The slopes within and between groups that there are, and the ends (x, y) of their lines."""
    found, squares = {}, lines["predictor_ss"].sum()
    if squares > 0:
        slope = lines["product_ss"].sum() / squares
        height = np.average(lines["outcome_mean"], weights=lines["n"])
        reach = np.array([-1.5, 1.5]) * np.sqrt(squares / len(x))
        found["Within"] = (slope, (x.mean() + reach, height + slope * reach))
    means = lines["predictor_mean"]
    if means.std() > 1e-9 * x.std():
        slope, height = np.polyfit(means, lines["outcome_mean"], 1)
        reach = np.array([means.min(), means.max()])
        found["Between"] = (slope, (reach, height + slope * reach))
    return found
