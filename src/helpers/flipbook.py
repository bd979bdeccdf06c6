"""The flip-book: data sets simulated from a prior, one after another, beside the observed one."""

import html

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from IPython.display import HTML
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from helpers.data import check_numeric
from helpers.plots import group_colors
from helpers.specification import (
    MODELS,
    SEED,
    Columns,
    Priors,
    check_choice,
    check_columns,
    check_group,
    group_labels,
)
from helpers.tables import write_share
from helpers.widgets import draw_normals, embed_picture, fill_template

IMPLAUSIBLE = 600  # seconds; ten minutes on a page that people leave after three
PLAUSIBLE = (0, IMPLAUSIBLE)
FRAME_QUANTILES = (0.005, 0.995)
AXIS_LABELS = {"age": "Age (years)", "bounce_time": "Bounce time (s)"}  # other columns: their names
NEEDED = {
    "pooled": ("intercept", "slope", "sigma"),
    "random_intercept": ("intercept", "slope", "sigma", "group_sd"),
    "random_slope": ("intercept", "slope", "sigma", "group_sd", "slope_sd"),
}


def present_shares(
    simulated: dict[str, xr.DataArray],
    plausible: tuple[float, float] = PLAUSIBLE,
    unit: str = "s",
) -> pd.DataFrame:
    """Shares of simulated outcomes that cannot be, that nobody would believe, and that could be.

    Parameters
    ----------
    simulated
        Label of a prior -> its prior predictive draws, with the dimensions ``chain`` and ``draw``.
    plausible, unit
        The ends of what could be, and the unit of these and of the draws.

    Returns
    -------
    DataFrame of text in per cent, with the digits that the number of draws supports; one row a label,
    columns: below the first end, above the second, and between.
    """
    lowest, highest = plausible
    kinds = {
        f"impossible (< {lowest:g} {unit})": lambda values: values < lowest,
        f"implausible (> {highest:g} {unit})": lambda values: values > highest,
        "in range": lambda values: (values >= lowest) & (values <= highest),
    }
    rows = [
        [write_share(kind(draws), 100) for kind in kinds.values()] for draws in simulated.values()
    ]
    return pd.DataFrame(rows, index=list(simulated), columns=list(kinds))


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


def simulate(
    frame: pd.DataFrame,
    name: str,
    priors: Priors | xr.Dataset | xr.DataTree,
    *,
    predictor: str = "std_age",
    group: str = "county",
    draws: int = 2000,
    seed: int = SEED,
) -> xr.DataArray:
    """Simulate data sets from the prior of one of the three models, in plain numpy.

    Parameters
    ----------
    frame
        The design: predictor and groups. Its outcomes are not looked at.
    name
        One of ``MODELS``.
    priors
        The book's kind of priors, or draws of the parameters from any other, such as PyMC's group
        "prior": ``intercept``, ``slope`` and ``sigma``, with groups ``group_sd``, with slopes by group
        ``slope_sd`` and, if correlated, ``rho``.
    predictor, group
        Columns of the model.
    draws, seed
        How many parameters to draw from ``Priors``, and the seed for that. Given draws are all used.

    Returns
    -------
    DataArray with the dimensions ``chain`` (one), ``draw`` and ``obs``. Two priors meet the same
    random numbers, so their data sets of one number can be compared.

    Raises
    ------
    ValueError
        If the model is unknown, or the draws lack one of its parameters.
    """
    parameters = _draw_parameters(priors, draws, seed)
    return _simulate(name, parameters, _Design(frame, predictor, group, len(parameters["sigma"])))


def turn_pages(
    frame: pd.DataFrame,
    priors: dict[str, Priors | xr.Dataset | xr.DataTree],
    *,
    title: str,
    start: str | None = None,
    models: tuple[str, ...] = MODELS,
    outcome: str = "bounce_time",
    predictor: str = "std_age",
    shown: str | None = None,
    group: str = "county",
    plausible: tuple[float, float] = PLAUSIBLE,
    axis_labels: tuple[str, str] | None = None,
    unit: str = "s",
    pages: int = 100,
    draws: int = 2000,
    seed: int = SEED,
) -> HTML:
    """Make a flip-book with dials for prior and model, which needs nothing but the page it stands on.

    Parameters
    ----------
    frame
        The observed data.
    priors
        Label -> priors, as for ``simulate``: the positions of the dial.
    title
        Caption.
    start
        Label at which the dial stands first; the first one by default.
    models
        Names of models, from ``MODELS``; the last one is shown first.
    outcome, predictor, group
        Columns of the model.
    shown
        Column of the horizontal axis, in units that a reader feels; the predictor by default.
    plausible
        Below the first value an outcome is impossible, above the second implausible.
    axis_labels, unit
        Names of ``shown`` and of the outcome with their units, and the outcome's unit alone.
    pages
        How many data sets can be turned; the shares are counted over all draws.
    draws, seed
        As in ``simulate``.

    Returns
    -------
    HTML: observed and simulated data side by side, dials, buttons, a slider and the shares. Without
    JavaScript and on paper, the observed data and the first five data sets at ``start``.

    Raises
    ------
    ValueError
        If a column is missing or not numeric, or a prior or a model is unknown.
    """
    check_columns(frame, Columns(outcome, predictor, group))
    shown = predictor if shown is None else shown
    check_numeric(frame, shown)
    axis_labels = axis_labels or _axis_labels(shown, outcome)
    start = next(iter(priors)) if start is None else start
    check_choice("prior to start from", start, tuple(priors))
    drawn = {label: _draw_parameters(prior, draws, seed) for label, prior in priors.items()}
    most = max(len(draw["sigma"]) for draw in drawn.values())
    design = _Design(frame, predictor, group, most)
    times, tables = {}, []
    for name in models:
        times = {label: _simulate(name, draw, design) for label, draw in drawn.items()}
        shares = present_shares(times, plausible, unit)
        tables.append({"name": name, "shares": _table(shares, f"Shares in {most:,} data sets, %")})
    y_limits = {
        label: frame_limits(_first_pages(simulated, pages), frame[outcome])
        for label, simulated in times.items()
    }
    description = (
        f"Scatter plots of {outcome} against {shown}: observed, and simulated from a prior."
    )
    book = {
        "x": _short(frame[shown]),
        "predictor": _short(design.x, 6),
        "observed": _short(frame[outcome]),
        "groups": design.codes.tolist(),
        "groupLabels": [str(label) for label in design.colors],
        "colors": list(design.colors.values()),
        "priors": [
            {
                "label": label,
                "draws": {name: _short(values[:pages], 5) for name, values in draw.items()},
                "limits": y_limits[label],
                "ticks": _ticks(*y_limits[label]),
            }
            for label, draw in drawn.items()
        ],
        "models": tables,
        "start": [list(priors).index(start), models[-1]],
        "pages": min(pages, *(len(draw["sigma"]) for draw in drawn.values())),
        "xLimits": [float(frame[shown].min()), float(frame[shown].max())],
        "xTicks": _ticks(frame[shown].min(), frame[shown].max()),
        "labels": axis_labels,
        "plausible": plausible,
        "description": description,
    }
    paper = plot_pages(
        frame,
        times[start],
        title=f"Prior: {start}; model: {_words(models[-1])}",
        outcome=outcome,
        predictor=shown,
        group=group,
        limits=y_limits[start],
        plausible=plausible,
        axis_labels=axis_labels,
    )
    still = embed_picture(paper, f"{description} Prior: {start}; model: {_words(models[-1])}.")
    still += f"<table>{tables[-1]['shares']}</table>"
    return fill_template("flipbook", title=title, data=book, still=still)


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
    plausible: tuple[float, float] = PLAUSIBLE,
    axis_labels: tuple[str, str] | None = None,
) -> plt.Figure:
    """Draw the first pages of a flip-book beside the observed data, in two columns, for paper.

    Parameters
    ----------
    frame
        The observed data.
    simulated
        Prior predictive draws of the outcome: dimensions ``chain`` and ``draw``, and one entry a row
        of ``frame``.
    title
        What the figure shows.
    outcome, predictor, group
        Columns of ``frame`` for the heights, the widths and the colours.
    frames
        How many data sets to show; the first ones are taken, none is chosen.
    limits
        Ends of the outcome's axis; ``frame_limits`` of what is shown by default. A triangle at the
        edge stands for a point outside.
    plausible
        Ends of the blue ground.
    axis_labels
        Predictor's and outcome's name with the unit.
    """
    axis_labels = axis_labels or _axis_labels(predictor, outcome)
    pages = _first_pages(simulated, frames)
    limits = limits or frame_limits(pages, frame[outcome])
    labels = group_labels(frame, group)
    colors = _hex_colors(labels)
    panels = {"Observed": frame[outcome].to_numpy()}
    panels |= {f"Simulated, {number}": page for number, page in enumerate(pages, start=1)}
    rows = -(-len(panels) // 2)
    layout = {"sharex": True, "sharey": True, "layout": "constrained", "squeeze": False}
    figure, axes = plt.subplots(rows, 2, figsize=(7, 2.2 * rows), **layout)
    x, point_colors = frame[predictor].to_numpy(), labels.map(colors).to_numpy()
    for ax, (label, values) in zip(axes.flat, panels.items(), strict=False):
        _draw_page(ax, x, values, point_colors, limits, plausible)
        ax.set_title(label)
    for ax in axes.flat[len(panels) :]:
        ax.set_visible(False)
    style = {"marker": "o", "linestyle": "", "markersize": 5}
    dots = [Line2D([], [], color=color, **style) for color in colors.values()]
    names = [str(label).replace("$", r"\$") for label in colors]  # "$" begins a formula
    figure.legend(dots, names, loc="outside lower right", ncols=4, fontsize="small")
    for ax in axes[-1]:
        ax.set_xlabel(axis_labels[0])
    figure.supylabel(axis_labels[1], fontsize="medium")
    figure.suptitle(title, ha="left", x=0.02, fontsize="medium")
    return figure


class _Design:
    """What simulations need of a table: predictor, groups with their colours, and random numbers."""

    def __init__(self, frame: pd.DataFrame, predictor: str, group: str, draws: int):
        check_numeric(frame, predictor)
        check_group(frame, group)
        labels = group_labels(frame, group)
        self.x = frame[predictor].to_numpy(dtype=float)
        self.codes = labels.cat.codes.to_numpy()
        self.colors = _hex_colors(labels)
        width = len(self.x) + 2 * len(self.colors)
        self.normals = draw_normals(np.arange(draws * width)).reshape(draws, width)


def _draw_parameters(
    priors: Priors | xr.Dataset | xr.DataTree, draws: int, seed: int
) -> dict[str, np.ndarray]:
    """Draws of the scalar parameters by name; given ones are only put into one row."""
    if not isinstance(priors, Priors):
        names = {*NEEDED["random_slope"], "rho"} & set(priors.data_vars)
        return {name: priors[name].to_numpy().ravel() for name in sorted(names)}
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(5, draws))
    eta = priors.lkj_eta
    return {
        "intercept": priors.intercept[0] + priors.intercept[1] * z[0],
        "slope": priors.slope[0] + priors.slope[1] * z[1],
        "sigma": priors.sigma * abs(z[2]),
        "group_sd": priors.group_sd * abs(z[3]),
        "slope_sd": priors.slope_sd * abs(z[4]),
        "rho": np.zeros(draws) if eta is None else 2 * rng.beta(eta, eta, draws) - 1,
    }


def _simulate(name: str, drawn: dict[str, np.ndarray], design: _Design) -> xr.DataArray:
    """One data set a draw, number by number what ``simulate`` in ``flipbook.html`` gives."""
    check_choice("model", name, MODELS)
    missing = [parameter for parameter in NEEDED[name] if parameter not in drawn]
    if missing:
        raise ValueError(f"The model {name!r} needs draws of {missing[0]!r}; there are none.")
    draw = {parameter: values[:, None] for parameter, values in drawn.items()}
    groups = len(design.colors)
    normals = design.normals[: len(drawn["sigma"])]
    z, other, noise = np.split(normals, [groups, 2 * groups], axis=1)
    times = draw["intercept"] + draw["slope"] * design.x + draw["sigma"] * noise
    if name != "pooled":
        times += (draw["group_sd"] * z)[:, design.codes]
    if name == "random_slope":
        rho = draw.get("rho", 0.0)
        tilt = draw["slope_sd"] * (rho * z + np.sqrt(1 - rho**2) * other)
        times += tilt[:, design.codes] * design.x
    return xr.DataArray(times[None], dims=("chain", "draw", "obs"))


def _table(shares: pd.DataFrame, caption: str) -> str:
    """The inside of an HTML table."""
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in shares.columns)
    body = "".join(
        f'<tr><th scope="row">{html.escape(str(label))}</th>'
        + "".join(f"<td>{cell}</td>" for cell in row)
        + "</tr>"
        for label, row in zip(shares.index, shares.to_numpy(), strict=True)
    )
    return (
        f"<caption>{html.escape(caption)}</caption>"
        f'<thead><tr><th scope="col">Prior</th>{head}</tr></thead><tbody>{body}</tbody>'
    )


def _first_pages(simulated: xr.DataArray, frames: int) -> np.ndarray:
    """The first simulated data sets, one a row."""
    draws = simulated.transpose("chain", "draw", ...).to_numpy()
    return draws.reshape(-1, draws.shape[-1])[:frames]


def _hex_colors(labels: pd.Series) -> dict[str, str]:
    """Each group's colour, in the order of the categories."""
    colors = group_colors(labels.cat.categories)
    return {label: to_hex(colors[label]) for label in labels.cat.categories}


def _draw_page(
    ax: plt.Axes,
    x: np.ndarray,
    values: np.ndarray,
    colors: np.ndarray,
    limits: tuple[float, float],
    plausible: tuple[float, float],
) -> None:
    """One data set on blue ground (what could be): dots, and triangles for what lies outside."""
    low, high = limits
    ax.axhspan(max(low, plausible[0]), min(high, plausible[1]), color="#dcebf7", zorder=0)
    edge = 0.03 * (high - low)
    shown = np.clip(values, low + edge, high - edge)
    inside = (values >= low) & (values <= high)
    ax.scatter(x[inside], values[inside], s=6, color=colors[inside], alpha=0.6)
    for marker, rows in {"^": values > high, "v": values < low}.items():
        ax.scatter(x[rows], shown[rows], s=14, marker=marker, color=colors[rows], alpha=0.6)
    ax.set_ylim(low, high)


def _axis_labels(*columns: str) -> tuple[str, ...]:
    return tuple(AXIS_LABELS.get(column, column) for column in columns)


def _ticks(low: float, high: float) -> list[float]:
    """Round values within the limits."""
    values = MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(f"{value:.12g}") for value in values if low <= value <= high]


def _short(values, digits: int = 4) -> list[float]:
    """A few significant digits of what tells the values apart: enough for a screen, small on a page."""
    values = np.asarray(values, dtype=float)
    whole = max(np.abs(values).max(), 1e-300)
    digits += int(np.log10(whole / (np.ptp(values) or whole)))
    return [float(f"{value:.{digits}g}") for value in values]


def _words(name: str) -> str:
    return name.replace("_", " ")
