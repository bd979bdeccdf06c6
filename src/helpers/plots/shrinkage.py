"""What a fit draws together: estimates of groups alone, and in the company of others."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from matplotlib.transforms import Bbox

from helpers.plots.least_squares import no_pooling_intercepts
from helpers.plots.look import (
    NAMED,
    name_axis,
    put_legend_below,
    summarize_groups,
    write_label,
    write_labels,
)
from helpers.plots.subject import read_fit
from helpers.priors import LOWER, UPPER, Columns

OUTERMOST = 3  # of many groups, at either end
SHORT = 12  # characters of a name at a point
WAYS = ((0, False), (90, False), (0, True))  # of names: angle, and whether they may cross intervals


def plot_shrinkage(
    frame: pd.DataFrame,
    tree: xr.DataTree,
    ax: plt.Axes | None = None,
    *,
    formula: str | None = None,
    **columns,
) -> plt.Axes:
    """Intercepts by group without pooling and with partial pooling, against the number of rows.

    Groups with as many rows stand side by side, sorted. Of up to 40 each has its 95 % interval and
    its name, unless no place is free for it; of more, only the three lowest and the three highest
    have names, and a line leads from one estimate to the other. Covariates that groups share are
    held at 0, by the posterior mean of their slopes.

    ``tree`` is a fit of ``frame`` with intercepts by group; ``columns`` are as in ``models.fit``, or
    ``formula`` is what it was made by. Without ``ax``, the current Axes is drawn on.
    """
    ax = plt.gca() if ax is None else ax
    frame, named, posterior = read_fit(frame, tree, formula, "group_intercept", **columns)
    partial = posterior["intercept"] + posterior["group_intercept"]
    table = summarize_groups(partial, named.group)
    alone = no_pooling_intercepts(_hold_shared(frame, posterior, named), **vars(named))
    sizes = frame[named.group].value_counts()
    table = table.assign(alone=alone[table.index], n=sizes[table.index])
    table = table.join(_spread_ties(table))
    population = float(posterior["intercept"].mean())
    ax.axhline(population, color="0.4", linestyle="--", label="Population mean")
    draw = _draw_few_points if len(table) <= NAMED else _draw_many_points
    draw(ax, table)
    _scale_sizes(ax, table["n"], named.group)
    words = name_axis(frame, named.outcome)
    if named.predictor is not None:
        where = f"where {write_label(named.predictor)} = 0"
        words += f"{' ' if len(words + where) < 40 else '\n'}{where}"
    ax.set_ylabel(words)
    put_legend_below(ax, ncols=3)
    ranked = table.sort_values("mean")
    if len(table) > NAMED:
        ranked = pd.concat([ranked.head(OUTERMOST), ranked.tail(OUTERMOST)])
        ranked[LOWER] = ranked[UPPER] = ranked["mean"]  # intervals are not drawn
    _name_points(ax, ranked)
    return ax


def _draw_few_points(ax: plt.Axes, table: pd.DataFrame) -> None:
    """Both estimates of each group, the crosses beside the dots, so that neither hides the other."""
    spread = [table["mean"] - table[LOWER], table[UPPER] - table["mean"]]
    style = {"fmt": "o", "markersize": 5, "color": "C0", "label": "Partial pooling, 95 % interval"}
    ax.errorbar(table["x"], table["mean"], spread, **style)
    crosses = {"marker": "x", "color": "C1", "zorder": 3, "label": "No pooling"}
    ax.scatter(table["beside"], table["alone"], **crosses)


def _draw_many_points(ax: plt.Axes, table: pd.DataFrame) -> None:
    """Both estimates of each group, and the way from one to the other."""
    faint = np.clip(150 / len(table), 0.2, 0.7)
    ways = table["x"], table["mean"], table["alone"]
    ax.vlines(*ways, color="C1", alpha=faint, linewidth=0.6)
    crosses = {"marker": "x", "s": 8, "linewidth": 0.6, "alpha": faint, "label": "No pooling"}
    ax.scatter(table["x"], table["alone"], color="C1", **crosses)
    size = np.clip(600 / len(table), 1.5, 4)
    ax.plot(table["x"], table["mean"], "o", color="C0", markersize=size, label="Partial pooling")


def _spread_ties(table: pd.DataFrame) -> pd.DataFrame:
    """Where groups stand on an axis of their ``n``: those of one size side by side, by their ``mean``.

    DataFrame with ``x`` and, a little to its right, ``beside``.
    """
    log = _needs_log(table["n"])
    place = np.log(table["n"]) if log else table["n"].astype(float)
    distinct = np.unique(place)
    gaps = np.diff(distinct, prepend=-np.inf, append=np.inf)
    room = 0.8 * np.minimum(gaps[:-1], gaps[1:]) if len(distinct) > 1 else np.array([1.0])
    room = pd.Series(room, distinct)[place].to_numpy()
    of_size = table.groupby("n")["mean"]
    count = of_size.transform("size")
    place = place + room * (of_size.rank(method="first") - (count + 1) / 2) / count
    aside = np.log(1.06) if log else 0.015 * max(np.ptp(distinct), 1)
    aside = np.where(count > 1, np.minimum(aside, 0.35 * room / count), aside)
    places = {"x": place, "beside": place + aside}
    return np.exp(pd.DataFrame(places)) if log else pd.DataFrame(places)


def _needs_log(sizes: pd.Series) -> bool:
    return sizes.max() >= 3 * sizes.min()


def _scale_sizes(ax: plt.Axes, sizes: pd.Series, group: str) -> None:
    """Ticks and label of an axis of the groups' numbers of rows."""
    words = f"Rows in the {write_label(group)}"
    ax.margins(x=0.08, y=0.12)
    if _needs_log(sizes):
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_minor_locator(NullLocator())
        words += " (log scale)"
    elif sizes.nunique() == 1:
        ax.set_xticks([sizes.iloc[0]])
        words += ", the same in each, by height"
    else:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.xaxis.set_major_formatter("{x:,g}")
    ax.set_xlabel(words)


def _hold_shared(frame: pd.DataFrame, posterior: xr.Dataset, columns: Columns) -> pd.DataFrame:
    """The table with the outcome as it would be if covariates that do not vary in a group were 0."""
    by_group = frame.groupby(columns.group, observed=True)[list(columns.covariates)]
    shared = [name for name, spread in (by_group.std() > 0).any().items() if not spread]
    if not shared:
        return frame
    slopes = posterior["covariate_slope"].mean(["chain", "draw"]).sel(covariate=shared)
    moved = frame[shared].to_numpy(dtype=float) @ slopes.to_numpy()
    return frame.assign(**{columns.outcome: frame[columns.outcome] - moved})


def _name_points(ax: plt.Axes, table: pd.DataFrame) -> None:
    """Write groups' names above or below their intervals: flat or upright, whichever has room for more.

    ``table`` has by group ``x`` and the limits of the interval. No name touches another one; it
    touches another interval only if all names find a place so. Whose name finds none has none.
    """
    counts = []
    for angle, crossing in WAYS:
        placed = _place_names(ax, table, angle, crossing)
        if len(placed) == len(table):
            return
        counts.append(len(placed))
        for text in placed:
            text.remove()
    _place_names(ax, table, *WAYS[int(np.argmax(counts[:2]))])


def _place_names(
    ax: plt.Axes, table: pd.DataFrame, angle: int, crossing: bool
) -> list[plt.Annotation]:
    """Write the names that find a place in one of ``WAYS``."""
    ax.margins(y=0.3 if angle else 0.12)
    ax.get_figure(root=True).draw_without_rendering()  # now the layout is known
    ends = np.stack([table[["x", limit]].to_numpy() for limit in (LOWER, UPPER)], axis=1)
    bars = [Bbox(ax.transData.transform(pair)).padded(2) for pair in ends]
    texts, taken = [], []
    for place, name in enumerate(write_labels(table.index, SHORT)):
        others = [] if crossing else bars[:place] + bars[place + 1 :]
        text = _name_point(ax, name, ends[place], angle, taken + others)
        if text is not None:
            texts.append(text)
            taken.append(text.get_window_extent().padded(1))
    return texts


def _name_point(
    ax: plt.Axes, name: str, ends: np.ndarray, angle: int, avoided: list[Bbox]
) -> plt.Annotation | None:
    """Write a name above or below an interval, within the Axes and where it touches nothing."""
    room, style = ax.get_window_extent(), {"textcoords": "offset points", "fontsize": "small"}
    for end, shift, side in ((ends[1], 4, "bottom"), (ends[0], -4, "top")):
        look = {"ha": "center", "va": side, "rotation": angle}
        text = ax.annotate(name, end, (0, shift), **look, **style)
        box = text.get_window_extent().padded(1)
        inside = room.containsx(box.x0) and room.containsx(box.x1)
        inside = inside and room.containsy(box.y0) and room.containsy(box.y1)
        if inside and not box.count_overlaps(avoided):
            return text
        text.remove()
    return None
