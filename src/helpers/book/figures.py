"""Figures that know the bounce times: the paradox, the truth beside a fit, a sampler's step, large
tables.

Where no ``ax`` is given, the current Axes is drawn on.
"""

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import xarray as xr

from helpers.book.visits import COUNTIES
from helpers.frames import label_of
from helpers.plots import (
    LINES,
    fit_legend,
    group_colors,
    no_pooling_intercepts,
    plot_shrinkage,
)
from helpers.plots.look import MARKS
from helpers.priors import SEED

TRUTH_COLOR = MARKS
STEPS = (0.05, 2.5, 40.0)  # of a random walk: too short, about right, too long
STARTS = (-3.0, -1.0, 1.0, 3.0)
TICKS_APART = 0.05  # of a panel's width: the last power of ten and the next panel's first


def plot_visits(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Bounce time (s) against age (years), one dot a visit, coloured by county."""
    ax = plt.gca() if ax is None else ax
    for county, color in group_colors(frame["county"].unique()).items():
        visits = frame[frame["county"] == county]
        ax.scatter(visits["age"], visits["bounce_time"], s=12, alpha=0.6, color=color, label=county)
    ax.set(xlabel=label_of(frame, "age"), ylabel=label_of(frame, "bounce_time"))
    return ax


def plot_paradox(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """``plot_visits`` with least-squares lines: one through all visits, one through each county's."""
    ax = plot_visits(frame, ax)
    line = {"x": "age", "y": "bounce_time", "scatter": False, "ci": None, "ax": ax}
    for county, color in group_colors(frame["county"].unique()).items():
        sns.regplot(frame[frame["county"] == county], color=color, **line)
    sns.regplot(frame, color="black", label="All visits", line_kws={"linestyle": "--"}, **line)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="small", markerscale=2)
    ax.set(xlabel=label_of(frame, "age"), ylabel=label_of(frame, "bounce_time"))  # not seaborn's
    return ax


# What stands in the plate diagrams: name -> place and symbol. The first two rows are above and below.
LINE = {
    "intercept": (3.2, 3, r"$\alpha$"),
    "slope": (4.6, 3, r"$\beta$"),
    "sigma": (6, 3, r"$\sigma$"),
}
VISIT = {"std_age": (6.25, 0.5, "$x_i$"), "bounce_time": (4.6, 0.5, "time$_i$")}
COUNTY = {
    "pooled": {},
    "random_intercept": {
        "group_sd": (0.8, 3, r"$\tau$"),
        "group_intercept": (0.8, 0.5, "$u_j$"),
    },
    "random_slope": {
        "group_sd": (-0.4, 3, r"$\tau$"),
        "rho": (0.7, 3, r"$\rho$"),
        "slope_sd": (1.7, 3, r"$\tau_v$"),
        "group_intercept,\ngroup_slope": (0.7, 0.5, "$u_j, v_j$"),
    },
}


def plot_plates(name: str) -> plt.Figure:
    """Plate diagram of one of the three models: circles are drawn, the square is given, grey is seen.

    An arrow leads from what is needed first to what is drawn with it; a frame says how often what
    is inside is repeated. Names are those of ``models.build`` and of the columns of the visits.
    """
    left, bottom = (-1.2, -1.25) if COUNTY[name] else (0.6, -0.8)  # what there is, in the middle
    limits = {"xlim": (left, left + 8.6), "ylim": (bottom, 3.8)}
    figure, ax = plt.subplots(figsize=(7, 0.772 * (3.8 - bottom)))  # one scale for all three
    county, time = COUNTY[name], VISIT["bounce_time"][:2]
    effect = [node[:2] for node in county.values() if node[1] < 1]
    arrows = [(node[:2], time) for node in (*LINE.values(), VISIT["std_age"])]
    arrows += [(start, time) for start in effect]
    arrows += [(node[:2], end) for node in county.values() for end in effect if node[1] > 1]
    for start, end in arrows:
        ends = {"shrinkA": 16, "shrinkB": 22 if end == time or "rho" in county else 17}
        style = {"arrowstyle": "-|>", "color": "black"}
        ax.annotate("", end, start, arrowprops=style | ends)
    for key, (x, y, symbol) in (LINE | VISIT | county).items():
        look = {"std_age": {"marker": "s", "s": 480}, "bounce_time": {"color": "0.8", "s": 1700}}
        pair = {"s": 1700} if "," in key else {}
        look = {"color": "white", "s": 1000} | look.get(key, pair)
        ax.scatter(x, y, edgecolor="black", zorder=3, **look)
        ax.text(x, y, symbol, ha="center", va="center", zorder=4)
        above = {"va": "bottom"} if y > 1 else {"va": "top"}
        y += 0.42 if y > 1 else -0.5
        ax.text(x, y, key, ha="center", fontsize="small", family="monospace", **above)
    plates = {f"{COUNTIES['visits'].sum()} visits": (3.45, -0.7, 3.7, 1.85)}
    if county:
        plates[f"{len(COUNTIES)} counties"] = (-0.9, -1.2, 8.2, 2.55)
    for label, (left, bottom, width, height) in plates.items():
        ax.add_patch(plt.Rectangle((left, bottom), width, height, fill=False, edgecolor="0.5"))
        ax.text(left + width - 0.08, bottom + 0.06, label, ha="right", fontsize="small")
    ax.set(**limits, aspect="equal")
    ax.axis("off")
    return figure


def plot_borrowing(
    frame: pd.DataFrame, tree: xr.DataTree, what_if: dict[str, tuple[pd.DataFrame, xr.DataTree]]
) -> plt.Figure:
    """Shrinkage of the counties' intercepts, and below it the same distances on an axis of their own.

    ``tree`` is a random-intercept fit of ``frame``. ``what_if`` has, by county, a table in which it
    sent fewer visits and the fit of that table: one hollow dot more each.
    """
    layout = {"height_ratios": (3, 2), "layout": "constrained", "sharex": True}
    figure, (above, below) = plt.subplots(2, 1, figsize=(7, 5.6), **layout)
    plot_shrinkage(frame, tree, above)
    above.legend(fontsize="small", loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    above.set(xlabel="", ylabel="Intercept at\nthe mean age (s)")
    borrowed = count_borrowed(frame, tree).sort_values("visits")
    below.plot(borrowed["visits"], borrowed["borrowed"], "o", color="C0")
    beside = {"textcoords": "offset points", "va": "center", "fontsize": "small", "xytext": (8, 0)}
    for county, place in borrowed.head(3).iterrows():  # the others are named above
        below.annotate(county, place, **beside)
    for county, (table, fit) in what_if.items():
        place = count_borrowed(table, fit).loc[county]
        below.plot(*place, "o", color="C0", markerfacecolor="none")
        below.annotate(f"{county}, had it sent {place['visits']:.0f} visits", place, **beside)
    below.set(xlabel="Visits in the county (log scale)", ylabel="Drawn to\nthe mean by (s)")
    below.margins(y=0.15)
    below.set_ylim(-0.1, None)
    return figure


def count_borrowed(frame: pd.DataFrame, tree: xr.DataTree) -> pd.DataFrame:
    """``visits`` of each county, and by how many seconds partial pooling moved its intercept towards
    the population's mean (``borrowed``)."""
    posterior = tree["posterior"].to_dataset().mean(["chain", "draw"])
    population = float(posterior["intercept"])
    partial = (posterior["intercept"] + posterior["group_intercept"]).to_series()
    alone = no_pooling_intercepts(frame)[partial.index]
    moved = (alone - partial) * np.sign(alone - population)
    return pd.DataFrame(
        {"visits": frame["county"].value_counts()[partial.index], "borrowed": moved}
    )


def plot_step_sizes(draws: int = 1000) -> plt.Figure:
    """Traces of four chains of a random walk at each of ``STEPS``, with R-hat and ESS.

    All ``draws`` of each chain are shown and judged; there is no warm-up.
    """
    figure, axes = plt.subplots(len(STEPS), 1, figsize=(7, 5.4), sharex=True, layout="constrained")
    for ax, step in zip(axes, STEPS, strict=True):
        chains = walk_randomly(step, draws)
        accepted = float((chains.diff("draw") != 0).mean())
        ax.plot(chains.T, linewidth=0.7)
        ax.set(ylim=(-5, 5), ylabel="Value")
        ax.set_title(
            f"Step {step:g}: {100 * accepted:.0f} % accepted, R-hat {float(az.rhat(chains)):.2f}, "
            f"ESS {float(az.ess(chains)):.0f} of {chains.size:,}"
        )
    axes[-1].set_xlabel("Draw")
    return figure


def walk_randomly(step: float, draws: int, seed: int = SEED) -> xr.DataArray:
    """Random-walk Metropolis on a standard normal distribution, a chain from each of ``STARTS``.

    ``step`` is the sd of the proposals; the ``draws`` do not count the start. DataArray with the
    dimensions ``chain`` and ``draw``.
    """
    rng, place = np.random.default_rng(seed), np.array(STARTS)
    path = np.empty((draws, len(STARTS)))
    for draw in range(draws):
        proposal = rng.normal(place, step)
        accepted = np.log(rng.uniform(size=len(place))) < (place**2 - proposal**2) / 2
        path[draw] = place = np.where(accepted, proposal, place)
    return xr.DataArray(path.T, dims=("chain", "draw"))


def plot_costs(study: pd.DataFrame) -> plt.Figure:
    """Seconds to the posterior against rows and against groups, from ``large.load_study``."""
    colors = {"NUTS on rows": "C2", "NUTS on statistics": "C1", "exact": "C0"}
    names = {"NUTS on statistics": "NUTS on sums", "exact": "Exact"}  # as on the page
    figure, axes = plt.subplots(1, 2, figsize=(7, 4), sharey=True, layout="constrained")
    for ax, x in zip(axes, ("rows", "groups"), strict=True):
        lines = study[study["study"] == x].groupby(["route", "model"], sort=False)
        for (route, model), of in lines:
            own_slopes = model == "random_slope"
            style = {"color": colors[route], "linestyle": LINES[0 if own_slopes else 1]}
            label = f"{names.get(route, route)}{'' if own_slopes else ', intercepts only'}"
            ax.plot(of[x], of["seconds"], marker="o", markersize=4, label=label, **style)
    for ax in axes:
        ax.set(xscale="log", yscale="log")
    figure.get_layout_engine().set(wspace=TICKS_APART)
    axes[0].set(xlabel="Rows, in 100 groups", ylabel="Seconds", title="More rows")
    axes[1].set(xlabel="Groups, of 5 rows each", title="More groups")
    shown = [ax.get_legend_handles_labels() for ax in axes]
    handles = {name: handle for pair in shown for handle, name in zip(*pair, strict=True)}
    fit_legend(figure, handles.values(), handles.keys(), 2, loc="outside lower center")
    title = "Sums make rows cheap; what costs is groups"
    figure.suptitle(title, ha="left", x=0.02, fontsize="medium")
    return figure


def plot_precision(study: pd.DataFrame, slope_sd: float) -> plt.Figure:
    """Posterior sds of two slopes against rows and against counties, from ``large.load_study``.

    ``slope_sd`` is the true sd of the counties' slopes (s per sd of age), which sets the limit.
    """
    figure, axes = plt.subplots(1, 2, figsize=(7, 3.9), sharey=True, layout="constrained")
    of = study[study["route"] == "exact"].groupby("study")
    for ax, kind, x in zip(axes, ("rows", "counties"), ("rows", "groups"), strict=True):
        table = of.get_group(kind)
        ax.plot(table[x], table["sd"], "o-", markersize=4, label="Population's slope")
        own = {"color": "C1", "markersize": 4, "label": "Mean of these counties' slopes"}
        ax.plot(table[x], table["own_sd"], "s-", **own)
        limit = slope_sd / np.sqrt(table["groups"])
        label = r"Limit $\tau_v / \sqrt{J}$"
        ax.plot(table[x], limit, color="0.2", linestyle="--", label=label, zorder=3)
        ax.set(xscale="log", yscale="log")
    figure.get_layout_engine().set(wspace=TICKS_APART)
    axes[0].set(xlabel="Visits, in 100 counties", ylabel="Posterior sd (s per sd of age)")
    axes[0].set_title("More visits")
    axes[1].set(xlabel="Counties that share\na million visits", title="More counties")
    handles, names = axes[0].get_legend_handles_labels()
    fit_legend(figure, handles, names, 3, loc="outside lower center")
    title = "Visits tell of these counties, only counties of the population"
    figure.suptitle(title, ha="left", x=0.02, fontsize="medium")
    return figure
