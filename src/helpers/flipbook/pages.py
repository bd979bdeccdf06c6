"""Simulated data sets beside the observed one: on paper, and on a screen with dials."""

import html
from collections.abc import Callable, Iterator
from importlib import resources

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from IPython.display import HTML
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from helpers.flipbook.simulation import SHARED, Design, draw_parameters, simulate_in_chunks
from helpers.flipbook.widget import embed_picture, fill_template
from helpers.frames import group_labels, label_of, original_column
from helpers.plots import group_colors, label_panels, make_panels, write_labels
from helpers.priors import MODELS, SEED, Columns, Plausible, Priors, check_choice, check_columns
from helpers.rotated import is_statistics
from helpers.tables import present_probabilities
from helpers.terms import as_model

TEMPLATE = resources.files("helpers.flipbook") / "flipbook.html"
REACH = 1.5  # of an axis: distances from the observed median to the nearer plausible end
DRAWS = 2000  # behind the shares
PAGES = 100  # data sets that can be turned
ROWS = 2000  # shown of a larger table: more dots than a reader can tell apart
LEGEND = 40  # groups, of more no legend is drawn


def present_shares(
    simulated: dict[str, xr.DataArray], plausible: Plausible = Plausible()
) -> pd.DataFrame:
    """Shares of simulated outcomes that cannot be, that nobody would believe, and that could be.

    ``simulated`` are prior predictive draws, with the dimensions ``chain`` and ``draw``, by the
    label of their prior; ``plausible`` holds the ends of what could be, in their unit. DataFrame of
    text in per cent, with the digits that the number of draws supports; one row a label, columns:
    below the first end, above the second, and between.
    """
    kinds = _kinds(plausible)
    return _write_shares(
        {
            label: {kind: test(draws) for kind, test in kinds.items()}
            for label, draws in simulated.items()
        }
    )


def plot_data_sets(
    frame: pd.DataFrame,
    simulated: xr.DataArray,
    *,
    title: str,
    plausible: Plausible = Plausible(),
    limits: tuple[float, float] | None = None,
    number: int = 5,
    **columns: str,
) -> plt.Figure:
    """Draw the first simulated data sets beside the observed one, in two columns.

    Parameters
    ----------
    frame, columns
        The observed data, and its columns as in ``models.fit``. A standardized predictor is shown
        in its own units.
    simulated
        Prior predictive draws of the outcome: dimensions ``chain`` and ``draw``, and one entry a
        row of ``frame``.
    title
        What the figure shows.
    plausible
        Ends of the blue ground.
    limits
        Ends of the outcome's axis, by default those of a flip-book, whatever is simulated. A triangle
        at the edge stands for a point outside.
    number
        How many data sets to show; the first ones are taken, none is chosen.
    """
    named = Columns(**columns)
    outcome, group = named.outcome, named.group
    first = _first_data_sets(simulated, number)
    limits = limits or _axis_limits(frame[outcome], plausible)
    labels = group_labels(frame, group)
    colors = _hex_colors(labels.cat.categories)
    panels = {"Observed": frame[outcome].to_numpy()}
    panels |= {f"Simulated, {k}": values for k, values in enumerate(first, start=1)}
    figure, axes = make_panels(len(panels), 2.2)
    across, x = _x_axis(frame, named)
    point_colors = labels.astype(object).map(colors).to_numpy()
    for ax, (label, values) in zip(axes.flat, panels.items(), strict=False):
        _draw_data_set(ax, x, values, point_colors, limits, plausible)
        ax.set_title(label)
    style = {"marker": "o", "linestyle": "", "markersize": 5}
    dots = [Line2D([], [], color=color, **style) for color in colors.values()]
    names = write_labels(colors)
    if len(names) <= LEGEND:
        figure.legend(dots, names, loc="outside lower right", ncols=4, fontsize="small")
    label_panels(figure, axes, label_of(frame, across), label_of(frame, outcome), title)
    return figure


def make_flipbook(
    frame: pd.DataFrame,
    priors: dict[str, Priors | xr.Dataset | xr.DataTree],
    *,
    title: str,
    start: str | None = None,
    plausible: Plausible = Plausible(),
    seed: int = SEED,
    formula: str | None = None,
    **columns: str,
) -> HTML:
    """Make a flip-book with dials for prior and model, which needs nothing but the page it stands on.

    Parameters
    ----------
    frame, columns
        The observed data, and its columns as in ``models.fit``. A standardized predictor is shown
        in its own units.
    formula
        In place of columns: that of the largest model; priors are by term then.
    priors
        Label -> priors, as for ``simulate``: the positions of the dial.
    title
        Caption.
    start
        Label at which the dial stands first; the first one by default.
    plausible
        Which outcomes are impossible or implausible.
    seed
        As in ``simulate``.

    Returns
    -------
    HTML: observed and simulated data side by side, dials, buttons, a slider and the shares. Without
    JavaScript and on paper, the observed data and the first five data sets at ``start``. The largest
    model is shown first: random slopes, where there is a predictor. 100 data sets can be turned, and
    the one open at first has the median share of what could be; the shares are counted over 2,000. All
    priors have one axis. Of a table with more than 2,000 rows as many are drawn at random, and the
    caption says so: all that is shown and counted is about them.

    Raises
    ------
    ValueError
        If a column is missing or not numeric, or a prior is unknown.
    """
    if is_statistics(frame):
        raise ValueError("Sufficient statistics have no rows to simulate; give the table of rows.")
    largest = MODELS[-1] if columns.get("predictor", Columns.predictor) else MODELS[-2]
    if formula:
        read = {label: as_model(formula, frame, prior, columns) for label, prior in priors.items()}
        model = next(iter(read.values()))
        largest, frame, columns = model.name, model.frame, vars(model.columns)
        priors = {label: model.priors for label, model in read.items()}
    named = Columns(**columns)
    check_columns(frame, named)
    start = next(iter(priors)) if start is None else start
    check_choice("prior to start from", start, tuple(priors))
    frame, title = _sample_rows(frame, title)
    count = len(named.covariates)
    drawn = {label: draw_parameters(prior, DRAWS, seed, count) for label, prior in priors.items()}
    most = max(len(draw["sigma"]) for draw in drawn.values())
    design = Design(frame, named)
    tables = {}
    for name in MODELS[: MODELS.index(largest) + 1]:
        seen = {
            label: _look_at(simulate_in_chunks(name, draw, design), plausible)
            for label, draw in drawn.items()
        }
        shares = _write_shares({label: shares for label, (_, shares) in seen.items()})
        tables[name] = _table(shares, f"Shares in {most:,} data sets, %")
    limits = _axis_limits(frame[named.outcome], plausible)
    pages = min(PAGES, *(len(draw["sigma"]) for draw in drawn.values()))
    data = _describe_frame(frame, design, named) | {
        "priors": [_describe_prior(label, drawn[label]) for label in priors],
        "models": [{"name": name, "shares": table} for name, table in tables.items()],
        "start": [list(priors).index(start), name],
        "pages": pages,
        "opened": int(seen[start][1]["in range"][0, :pages].argsort()[pages // 2]),
        "limits": limits,
        "ticks": _ticks(*limits),
        "plausible": [plausible.low, plausible.high],
    }
    shown = f"Prior: {start}; model: {name.replace('_', ' ')}"
    settings = {"title": shown, "limits": limits, "plausible": plausible}
    first = xr.DataArray(seen[start][0][None], dims=("chain", "draw", "obs"))
    paper = plot_data_sets(frame, first, **settings, **columns)
    still = embed_picture(paper, f"{data['description']} {shown}.")
    still += f"<table>{tables[name]}</table>"
    return fill_template(TEMPLATE, title=title, data=data, still=still)


def _sample_rows(frame: pd.DataFrame, title: str) -> tuple[pd.DataFrame, str]:
    """A table with at most ``ROWS`` rows, and the title, which says if they are a sample."""
    if len(frame) <= ROWS:
        return frame, title
    rows = np.random.default_rng(SEED).choice(len(frame), ROWS, replace=False)
    return frame.iloc[np.sort(rows)], f"{title} ({ROWS:,} of {len(frame):,} rows, drawn at random)"


def _kinds(plausible: Plausible) -> dict[str, Callable]:
    """Tests of outcomes by the heading of their column."""
    low, high, unit = plausible.low, plausible.high, plausible.unit
    return {
        f"impossible (< {low:g} {unit})": lambda values: values < low,
        f"implausible (> {high:g} {unit})": lambda values: values > high,
        "in range": lambda values: (values >= low) & (values <= high),
    }


def _write_shares(found: dict[str, dict[str, xr.DataArray]]) -> pd.DataFrame:
    """Shares as text, from events or from the share of every draw; a column has the same decimals."""
    columns = pd.DataFrame.from_dict(found, orient="index").to_dict()
    return pd.DataFrame({kind: present_probabilities(of, 100) for kind, of in columns.items()})


def _look_at(
    chunks: Iterator[tuple[int, np.ndarray]], plausible: Plausible
) -> tuple[np.ndarray, dict[str, xr.DataArray]]:
    """The first data sets (PAGES, rows), and each kind's share in every data set, piece by piece."""
    first, shares = [], {kind: [] for kind in _kinds(plausible)}
    for start, values in chunks:
        first.append(values[: max(0, PAGES - start)].copy())
        for kind, test in _kinds(plausible).items():
            shares[kind].append(test(values).mean(axis=1))
    whole = {
        kind: xr.DataArray(np.concatenate(parts)[None], dims=("chain", "draw"))
        for kind, parts in shares.items()
    }
    return np.concatenate(first), whole


def _x_axis(frame: pd.DataFrame, columns: Columns) -> tuple[str, np.ndarray]:
    """What rows are drawn against: the predictor in its own units, or without one their group."""
    if columns.predictor is None:
        return columns.group, group_labels(frame, columns.group).cat.codes.to_numpy()
    shown = original_column(frame, columns.predictor)
    return shown, frame[shown].to_numpy()


def _describe_frame(frame: pd.DataFrame, design: Design, columns: Columns) -> dict:
    """What the script needs of the observed data."""
    shown, x = _x_axis(frame, columns)
    colors = _hex_colors(design.labels)
    return {
        "x": _short(x),
        "predictor": _short(design.x, 6),
        "covariates": [_short(column, 6) for column in design.z.T],
        "observed": _short(frame[columns.outcome]),
        "groups": design.codes.tolist(),
        "groupLabels": [str(label) for label in colors] if len(colors) <= LEGEND else [],
        "colors": list(colors.values()),
        "xLimits": [float(x.min()), float(x.max())],
        "xTicks": _ticks(x.min(), x.max()),
        "labels": [label_of(frame, shown), label_of(frame, columns.outcome)],
        "description": f"Scatter plots of {columns.outcome} against {shown}: observed, and simulated "
        "from a prior.",
    }


def _describe_prior(label: str, drawn: dict[str, np.ndarray]) -> dict:
    """What the script needs of one position of the dial."""
    draws = {name: _short(values[:PAGES], 5) for name, values in drawn.items() if name != SHARED}
    if SHARED in drawn:
        draws[SHARED] = [_short(values, 5) for values in drawn[SHARED][:PAGES]]
    return {"label": label, "draws": draws}


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


def _first_data_sets(simulated: xr.DataArray, number: int) -> np.ndarray:
    """The first simulated data sets, one a row."""
    draws = simulated.transpose("chain", "draw", ...).to_numpy()
    return draws.reshape(-1, draws.shape[-1])[:number]


def _hex_colors(labels: pd.Index) -> dict[str, str]:
    """Each group's colour, in the order of the labels."""
    colors = group_colors(labels)
    return {label: to_hex(colors[label]) for label in labels}


def _axis_limits(observed: pd.Series, plausible: Plausible) -> tuple[float, float]:
    """Limits around all observed outcomes that reach beyond the nearer end of what could be."""
    middle = observed.median()
    reach = REACH * min(abs(middle - plausible.low), abs(plausible.high - middle))
    low, high = min(middle - reach, observed.min()), max(middle + reach, observed.max())
    margin = 0.03 * (high - low) or 1.0
    return float(low - margin), float(high + margin)


def _draw_data_set(
    ax: plt.Axes,
    x: np.ndarray,
    values: np.ndarray,
    colors: np.ndarray,
    limits: tuple[float, float],
    plausible: Plausible,
) -> None:
    """One data set on blue ground (what could be): dots, and triangles for what lies outside."""
    low, high = limits
    ax.axhspan(max(low, plausible.low), min(high, plausible.high), color="#dcebf7", zorder=0)
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
    return [float(f"{value:.12g}") for value in values if low <= value <= high]


def _short(values, digits: int = 4) -> list[float]:
    """A few significant digits of what tells the values apart: enough for a screen, small on a page."""
    values = np.asarray(values, dtype=float)
    whole = max(np.abs(values).max(), 1e-300)
    digits += int(np.log10(whole / (np.ptp(values) or whole)))
    return [float(f"{value:.{digits}g}") for value in values]
