"""The look of figures, and figures of any grouped table and its fits that are too long for a cell.

Of few groups each is drawn and named. Of more than ``NAMED`` all are drawn and only the outermost
named; small multiples show a sample of ``PANELS`` groups, and say so. Axes are called what
``frames.label_of`` says of a column.
"""

import logging
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import xarray as xr
from IPython import get_ipython
from matplotlib.collections import LineCollection
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from matplotlib.transforms import Bbox, ScaledTranslation
from matplotlib_inline.backend_inline import set_matplotlib_formats

from helpers.exact import sufficient_statistics
from helpers.frames import group_labels, label_of, original_column, own_scale, unit_of
from helpers.models import expected_outcome
from helpers.priors import INTERVAL, LOWER, SEED, UPPER, Columns
from helpers.tables import round_off

LINES = ("-", "--", ":", "-.")
QUANTILES = [(1 - INTERVAL) / 2, 0.5, (1 + INTERVAL) / 2]
NAMED = 40  # groups, of more only the outermost have names
PANELS = 12  # small multiples, of more groups a sample is shown
COLORED = 10  # groups, of more none has a colour of its own
ROWS = 2000  # of more rows no dots are drawn behind lines
OUTERMOST = 3  # of many groups, at either end
LENGTH = 24  # characters of a label
TIMES = re.compile(r"^(year|month|week|day|hour|minute|second)s$")
MARKS = "#c44e00"  # of what is set beside a fit


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
    palette = "colorblind" if len(labels) <= COLORED else "husl"  # the former begins anew after ten
    return dict(zip(labels, sns.color_palette(palette, len(labels)), strict=True))


def write_label(label: object, length: int = LENGTH) -> str:
    """A label as a figure's text: on one line, of at most ``length`` characters ("…" stands for its
    middle), and without formulas, which "$" would begin."""
    text = " ".join(str(label).split())
    if len(text) > length:
        end = (length - 1) // 2
        text = f"{text[: length - 1 - end]}…{text[-end:]}"
    return text.replace("$", r"\$")


def write_labels(labels: Iterable, length: int = LENGTH) -> list[str]:
    """Labels as ``write_label`` writes them, longer where two of them would read alike."""
    labels = list(labels)
    longest = max((len(str(label)) for label in labels), default=0)
    while True:
        shown = [write_label(label, length) for label in labels]
        if len(set(shown)) == len(shown) or length >= longest:
            return shown
        length += LENGTH // 2


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
    number: int = PANELS,
    seed: int = SEED,
    **columns: str,
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
    """
    named = Columns(**columns)
    outcome, predictor, group = named.outcome, named.predictor, named.group
    _need_predictor(named)
    labels, shown = group_labels(frame, group), original_column(frame, predictor)
    chosen, said = choose_groups(frame, number, seed, outcome=outcome, group=group)
    own_lines = None if fits else fit_lines(frame, **columns)
    figure, axes = make_panels(len(chosen), 1.8)
    for label, name, ax in zip(chosen, write_labels(chosen), axes.flat, strict=False):
        own = frame[labels == label]
        ax.scatter(own[shown], own[outcome], s=8, color="0.55", alpha=0.6)
        x = np.linspace(own[shown].min(), own[shown].max(), 30)
        given = own_scale(frame, predictor).standardize(x)
        for place, (model, tree) in enumerate((fits or {}).items()):
            posterior = tree["posterior"].to_dataset()
            if group in posterior.dims:
                posterior = posterior.sel({group: label})
            _draw_band(ax, x, expected_outcome(xr.DataTree.from_dict({"posterior": posterior}), given), place, model)
        if own_lines is not None:
            line = own_lines.loc[label]
            y = line["outcome_mean"] + line["slope"] * (x - line["predictor_mean"])
            ax.plot(x, y, color="C0", label="Least squares")
        ax.set_title(f"{name} (n = {len(own):,})")
    handles, names = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower right", ncols=3, fontsize="small")
    title = "\n".join(text for text in (title, textwrap.fill(said, 75)) if text)
    label_panels(figure, axes, _axis(frame, shown), _axis(frame, outcome), title)
    return figure


def make_panels(number: int, height: float) -> tuple[plt.Figure, np.ndarray]:
    """A figure of panels that share their axes, in rows of two; ``height`` is a row's, in inches."""
    rows = -(-number // 2)
    layout = {"sharex": True, "sharey": True, "squeeze": False, "layout": "constrained"}
    figure, axes = plt.subplots(rows, 2, figsize=(7, height * rows), **layout)
    for ax in axes.flat[number:]:
        ax.set_visible(False)
    axes.flat[number - 1 if number < 2 else number - 2].tick_params(labelbottom=True)
    return figure, axes


def label_panels(figure: plt.Figure, axes: np.ndarray, x: str, y: str, title: str) -> None:
    """Say once for all panels what their axes are."""
    for column in axes.T:
        column[[ax.get_visible() for ax in column]][-1:][0].set_xlabel(x)
    figure.supylabel(y, fontsize="medium")
    figure.suptitle(title, ha="left", x=0.02, fontsize="medium")


def _draw_band(ax: plt.Axes, x: np.ndarray, lines: xr.DataArray, number: int, name: str) -> None:
    """Median and 95 % interval of lines along x, in the style of the fit's number."""
    low, middle, high = lines.quantile(QUANTILES, dim=["chain", "draw"]).values
    ax.fill_between(x, low, high, color=f"C{number}", alpha=0.3, linewidth=0)
    ax.plot(x, middle, color=f"C{number}", linestyle=LINES[number % len(LINES)], label=name)


def _need_predictor(columns: Columns) -> None:
    """Raise a ``ValueError`` if there is nothing to draw the outcome against."""
    if columns.predictor is None:
        raise ValueError(
            "A line needs a predictor, and predictor is None; plots.plot_deviations draws groups "
            "without one."
        )


def _axis(frame: pd.DataFrame, column: str) -> str:
    """What an axis says of a column, short enough for it."""
    return write_label(label_of(frame, column), 2 * LENGTH)


def fit_lines(frame: pd.DataFrame, **columns: str) -> pd.DataFrame:
    """Fit a least-squares line to each group, alone, against the predictor in its own units.

    ``columns`` are as in ``models.fit``; covariates are left out. A ``ValueError`` says what is wrong
    with the table.

    Returns
    -------
    What ``exact.sufficient_statistics`` returns, with two columns more: ``slope`` and its standard
    ``error``, with one residual sd for all lines. Both are missing where the predictor does not vary
    within a group.
    """
    named = Columns(**columns)
    _need_predictor(named)
    shown = original_column(frame, named.predictor)
    table = sufficient_statistics(frame, outcome=named.outcome, predictor=shown, group=named.group)
    squares = table["predictor_ss"].where(table["predictor_ss"] > 0)
    spare = table["n"].sum() - len(table) - squares.count()
    variance = table["residual_ss"].sum() / spare if spare > 0 else np.nan
    return table.assign(slope=table["product_ss"] / squares, error=np.sqrt(variance / squares))


def no_pooling_intercepts(frame: pd.DataFrame, **columns: str) -> pd.Series:
    """Least-squares intercept of each group where predictors are 0, all groups sharing the slopes.

    This is the random-intercept model without its group-level distribution: every group's intercept
    is its own (an analysis of covariance). ``columns`` are as in ``models.fit``.
    """
    named = Columns(**columns)
    predictors = list(named.predictors)
    means = frame.groupby(named.group, observed=True)[[named.outcome, *predictors]].mean()
    rows = means.loc[frame[named.group]].to_numpy()
    y, *x = (frame[[named.outcome, *predictors]].to_numpy(dtype=float) - rows).T
    slopes = np.linalg.lstsq(np.reshape(x, (len(x), -1)).T, y)[0]
    return means[named.outcome] - means[predictors] @ slopes


def plot_within_between(
    frame: pd.DataFrame, ax: plt.Axes | None = None, *, per: float = 1, **columns: str
) -> plt.Axes:
    """A least-squares line for each group, and the two slopes that a single line would mix.

    Within groups is the slope that all groups share if each has an intercept of its own; between
    groups is the slope of a line through the groups' means, one group one vote. Either is left out
    where the predictor does not vary so. ``per`` is the number of units of the predictor that the
    legend's slopes are for. ``columns`` are as in ``models.fit``; covariates are left out. Without
    ``ax``, the current Axes is drawn on.
    """
    ax = plt.gca() if ax is None else ax
    named, lines = Columns(**columns), fit_lines(frame, **columns)
    shown = original_column(frame, named.predictor)
    colors = group_colors(lines.index) if len(lines) <= COLORED else {}
    tint = [colors.get(label, "0.45") for label in lines.index]
    x = frame[shown].astype(float)
    labels = group_labels(frame, named.group)
    if len(frame) <= ROWS:
        dots = [colors.get(label, "0.6") for label in labels]
        ax.scatter(x, frame[named.outcome], s=6, c=dots, alpha=0.35, linewidth=0)
    reach = x.groupby(labels, observed=True).agg(["min", "max"]).to_numpy()
    middle, height, tilt = lines[["predictor_mean", "outcome_mean", "slope"]].to_numpy().T
    heights = height[:, None] + tilt[:, None] * (reach - middle[:, None])
    faint = 0.9 if colors else np.clip(25 / len(lines), 0.1, 0.6)
    ends = np.stack([reach, heights], axis=2)
    ax.add_collection(LineCollection(ends, colors=tint, alpha=faint, linewidths=1.2))
    ax.scatter(middle, height, s=30 if len(lines) <= NAMED else 5, c=tint, zorder=3)
    unit = _slope_unit(frame, named, per)
    looks = {"Within": {"color": "black"}, "Between": {"color": MARKS, "linestyle": "--"}}
    for kind, (slope, ends) in _find_slopes(lines, x).items():
        label = f"{kind} groups: {round_off(per * slope, 0)} {unit}"
        ax.plot(*ends, linewidth=2.5, zorder=4, label=label, **looks[kind])
    ax.autoscale_view()
    ax.set(xlabel=_axis(frame, shown), ylabel=_axis(frame, named.outcome))
    _put_legend_below(ax, ncols=1)
    return ax


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


def _slope_unit(frame: pd.DataFrame, columns: Columns, per: float | None) -> str:
    """The unit of a slope, such as "s per 10 years of age"; of the fit's own one if ``per`` is None."""
    above = unit_of(frame, columns.outcome) or columns.outcome
    shown = original_column(frame, columns.predictor)
    unit = unit_of(frame, shown)
    if per is None:
        below = f"sd of {shown}" if shown != columns.predictor else f"{unit or 'unit'} of {shown}"
    elif per == 1:
        below = f"{TIMES.sub(r'\1', unit) or 'unit'} of {shown}"
    else:
        below = f"{per:g} {unit or 'units'} of {shown}"
    return write_label(f"{above} per {below}", 2 * LENGTH)


def plot_shrinkage(
    frame: pd.DataFrame,
    tree: xr.DataTree,
    ax: plt.Axes | None = None,
    **columns: str,
) -> plt.Axes:
    """Intercepts by group without pooling and with partial pooling, against the number of rows.

    Groups with as many rows stand side by side, sorted. Of up to 40 each has its 95 % interval and
    its name, unless no place is free for it; of more, only the three lowest and the three highest
    have names, and a line leads from one estimate to the other. Covariates that groups share are
    held at 0, by the posterior mean of their slopes.

    ``tree`` is a fit of ``frame`` with ``group_intercept``; ``columns`` are as in ``models.fit``.
    Without ``ax``, the current Axes is drawn on.
    """
    ax = plt.gca() if ax is None else ax
    named, posterior = Columns(**columns), _read_posterior(tree, "group_intercept")
    partial = posterior["intercept"] + posterior["group_intercept"]
    table = summarize_groups(partial, named.group)
    alone = no_pooling_intercepts(_hold_shared(frame, posterior, named), **columns)
    sizes = frame[named.group].value_counts()
    table = table.assign(alone=alone[table.index], n=sizes[table.index])
    table = table.join(_spread_ties(table))
    population = float(posterior["intercept"].mean())
    ax.axhline(population, color="0.4", linestyle="--", label="Population mean")
    draw = _draw_few_points if len(table) <= NAMED else _draw_many_points
    draw(ax, table)
    _scale_sizes(ax, table["n"], named.group)
    where = "" if named.predictor is None else f" where {write_label(named.predictor)} = 0"
    ax.set_ylabel(f"{_axis(frame, named.outcome)}{where}")
    _put_legend_below(ax, ncols=3)
    ranked = table.sort_values("mean")
    if len(table) > NAMED:
        ranked = pd.concat([ranked.head(OUTERMOST), ranked.tail(OUTERMOST)])
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
    """Write groups' names above or below their intervals, flat or, if one finds no place, upright.

    ``table`` has by group ``x`` and the limits of the interval. No name touches another one; whose
    name finds no place upright either has none.
    """
    names = write_labels(table.index)
    for angle in (0, 90):
        ax.margins(y=0.12 if angle == 0 else 0.3)
        ax.get_figure(root=True).draw_without_rendering()  # now the layout is known
        ends = np.stack([table[["x", limit]].to_numpy() for limit in (LOWER, UPPER)], axis=1)
        bars = [Bbox(ax.transData.transform(pair)).padded(2) for pair in ends]
        texts, taken = [], []
        for name, pair, bar in zip(names, ends, bars, strict=True):
            others = [other for other in bars if other is not bar]
            text = _name_point(ax, name, pair, angle, taken, others)
            texts += [text] if text else []
        if len(texts) == len(names) or angle == 90:
            return
        for text in texts:
            text.remove()


def _name_point(
    ax: plt.Axes, name: str, ends: np.ndarray, angle: int, taken: list[Bbox], bars: list[Bbox]
) -> plt.Annotation | None:
    """Write a name where it touches no name in ``taken``, and if it can be none of ``bars``; remember
    its place. ``None`` if there is no place."""
    room, style = ax.get_window_extent(), {"textcoords": "offset points", "fontsize": "small"}
    for avoided in (taken + bars, taken):
        for end, shift, side in ((ends[1], 4, "bottom"), (ends[0], -4, "top")):
            text = ax.annotate(name, end, (0, shift), ha="center", va=side, rotation=angle, **style)
            box = text.get_window_extent().padded(1)
            inside = room.x0 <= box.x0 and box.x1 <= room.x1 and room.y0 <= box.y0
            if inside and box.y1 <= room.y1 and not box.count_overlaps(avoided):
                taken.append(box)
                return text
            text.remove()
    return None


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
    **columns: str,
) -> plt.Axes:
    """How far each group is from the population's mean, with 95 % intervals, sorted.

    Parameters
    ----------
    frame, tree, columns
        A table, a fit of it, and its columns as in ``models.fit``.
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
    named, posterior = Columns(**columns), _read_posterior(tree, var_name)
    slopes = var_name == "group_slope"
    factor = 1 if per is None or not slopes else per / own_scale(frame, named.predictor).sd
    draws = factor * posterior[var_name]
    table = summarize_groups(draws, named.group)
    rows, said = _choose_rows(table, order, extremes)
    ax = _make_forest(len(rows)) if ax is None else ax
    ax.axvline(0, color="0.4", linestyle="--")
    few, own = len(table) <= NAMED, "From the population's mean"
    if few:
        heights, limits = np.arange(len(rows)), rows[[LOWER, UPPER]].to_numpy().T
        pale = {"color": "C0", "alpha": 0.25, "linewidth": 6, "label": own}
        ax.hlines(heights, *limits, **pale)
        own = f"From the mean of these {len(table)}"
        rows = summarize_groups(draws - draws.mean(named.group), named.group).loc[rows.index]
    _draw_intervals(ax, rows, label=own)
    for words, values in (marks or {}).items():
        diamonds = {"color": MARKS, "markersize": 5, "zorder": 3, "label": words}
        ax.plot(values.reindex(rows.index), np.arange(len(rows)), "D", **diamonds)
    _name_rows(ax, rows.index, len(table), named.group, said)
    unit = _slope_unit(frame, named, per) if slopes else _outcome_unit(frame, named)
    ax.set_xlabel(f"Deviation in {'slope' if slopes else 'intercept'} ({unit})")
    _put_legend_below(ax, ncols=3)
    return ax


def plot_slopes(
    frame: pd.DataFrame,
    tree: xr.DataTree,
    ax: plt.Axes | None = None,
    *,
    per: float = 1,
    order: Sequence | None = None,
    extremes: int | None = None,
    **columns: str,
) -> plt.Axes:
    """Slopes by group with 95 % intervals, sorted, and the population's as a band.

    Slopes are in units of the outcome per ``per`` units of the predictor. Up to 40 rows also show
    each group's least-squares slope (``fit_lines``); one that lies far outside is a triangle at the
    edge. ``order``, ``extremes``, ``ax``, and how many groups are shown: as in ``plot_deviations``.
    ``tree`` is a fit of ``frame`` with ``group_slope``; ``columns`` are as in ``models.fit``.
    """
    named, posterior = Columns(**columns), _read_posterior(tree, "group_slope")
    factor = per / own_scale(frame, named.predictor).sd
    population = factor * posterior["slope"]
    table = summarize_groups(population + factor * posterior["group_slope"], named.group)
    rows, said = _choose_rows(table, order, extremes)
    ax = _make_forest(len(rows)) if ax is None else ax
    low, _, high = population.quantile(QUANTILES).values
    ax.axvspan(low, high, color="0.5", alpha=0.2, linewidth=0, label="Population, 95 % interval")
    ax.axvline(float(population.mean()), color="0.4", linestyle="--", label="Population mean")
    few = len(rows) <= NAMED
    _draw_intervals(ax, rows, label="Partial pooling, 95 % interval", shift=0.15 if few else 0)
    if few:
        alone = per * fit_lines(frame, **columns).loc[rows.index.dropna(), ["slope", "error"]]
        _draw_alone(ax, alone.reindex(rows.index), rows)
    _name_rows(ax, rows.index, len(table), named.group, said)
    ax.set_xlabel(f"Slope ({_slope_unit(frame, named, per)})")
    _put_legend_below(ax, ncols=2)
    return ax


def summarize_groups(draws: xr.DataArray, group: str) -> pd.DataFrame:
    """Posterior mean and limits of the 95 % interval by group.

    ``draws`` have the dimensions ``chain``, ``draw`` and ``group``. What ``tables.summarize`` says, in
    a second for thousands of groups, because it judges no convergence.
    """
    values = draws.transpose(group, "chain", "draw").to_numpy().reshape(draws.sizes[group], -1)
    low, high = np.quantile(values, [QUANTILES[0], QUANTILES[-1]], axis=1)
    columns = {"mean": values.mean(axis=1), LOWER: low, UPPER: high}
    return pd.DataFrame(columns, index=draws[group].values)


def _read_posterior(tree: xr.DataTree, var_name: str) -> xr.Dataset:
    """The posterior of a fit that has this variable; else a ``ValueError`` says so."""
    posterior = tree["posterior"].to_dataset()
    if var_name not in posterior:
        needed = "random_slope" if var_name == "group_slope" else "random_intercept"
        raise ValueError(
            f"This fit has no {var_name!r}, only {', '.join(posterior.data_vars)}; fit {needed!r}."
        )
    return posterior


def _outcome_unit(frame: pd.DataFrame, columns: Columns) -> str:
    return write_label(unit_of(frame, columns.outcome) or columns.outcome)


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


def _draw_alone(ax: plt.Axes, alone: pd.DataFrame, rows: pd.DataFrame) -> None:
    """Least-squares slopes beside those of partial pooling, within three times their reach."""
    height = np.arange(len(rows)) - 0.15
    low, high = rows[LOWER].min(), rows[UPPER].max()
    edges = low - (high - low), high + (high - low)
    errors = 2 * alone["error"].fillna(0)
    style = {"color": "C1", "label": "Least squares, ± 2 std. errors"}
    ax.errorbar(alone["slope"], height, xerr=errors, fmt="x", **style)
    for edge, marker, outside in zip(
        edges, "<>", (alone["slope"] < edges[0], alone["slope"] > edges[1]), strict=True
    ):
        ax.plot(np.full(outside.sum(), edge), height[outside], marker, color="C1")
    reach = np.clip([ax.get_xlim()], *edges)[0]
    ax.set_xlim(reach[0] - 0.02 * np.ptp(reach), reach[1] + 0.02 * np.ptp(reach))


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


def _put_legend_below(ax: plt.Axes, ncols: int) -> None:
    """A legend below the label of the horizontal axis, however high the axes are."""
    below = ax.transAxes + ScaledTranslation(0, -46 / 72, ax.get_figure(root=True).dpi_scale_trans)
    place = {"loc": "upper left", "bbox_to_anchor": (0, 0), "bbox_transform": below}
    look = {"fontsize": "small", "columnspacing": 1, "handlelength": 1.5, "borderaxespad": 0}
    ax.legend(ncols=ncols, **place, **look)
