"""Simulated data sets beside the observed one: on paper, and on a screen with dials."""

import html
from collections.abc import Iterator
from importlib import resources

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from IPython.display import HTML
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from helpers.families import GAUSSIAN, find_family
from helpers.flipbook.dots import Dots, Ends, find_ends, find_limits, place_dots
from helpers.flipbook.simulation import SHARED, Design, draw_parameters, simulate_in_chunks
from helpers.flipbook.widget import embed_picture, fill_template
from helpers.frames import group_labels
from helpers.plots import fit_legend, group_colors, label_panels, make_panels, write_labels
from helpers.priors import MODELS, SEED, Columns, Plausible, Priors, check_choice, check_columns
from helpers.rotated import is_statistics
from helpers.tables import present_probabilities
from helpers.terms import as_model
from helpers.terms.model import refuse_family

TEMPLATE = resources.files("helpers.flipbook") / "flipbook.html"
REACH = 1.5  # of an axis: distances from the observed median to the nearer plausible end
DRAWS = 2000  # behind the shares
PAGES = 100  # data sets that can be turned
STORED, LEAST, VALUES = 30, 10, 150_000  # of which the page holds the values: data sets, and values
PANELS = 5  # data sets on paper
ROWS = 2000  # shown of a larger table: more dots than a reader can tell apart
LEGEND = 40  # groups, of more no legend is drawn


def present_shares(
    simulated: dict[str, xr.DataArray],
    plausible: Plausible = Plausible(),
    *,
    family: str = GAUSSIAN,
    frame: pd.DataFrame | None = None,
    **columns: str,
) -> pd.DataFrame:
    """Shares of simulated outcomes that cannot be, that nobody would believe, and that could be.

    ``simulated`` are prior predictive draws, with the dimensions ``chain`` and ``draw``, by the
    label of their prior; ``plausible`` holds the ends of what could be, in their unit. DataFrame of
    text in per cent, with the digits that the number of draws supports; one row a label, columns:
    below the first end, above the second, and between, as in "% in range".

    With ``family="bernoulli"`` shares of dots instead, as ``plot_data_sets`` draws them, in which all
    rows are no, all are yes, or some; only dots with five rows or more are counted, and ``frame`` and
    its ``columns`` are needed, or else a ``ValueError`` says so.
    """
    of = find_family(family)
    kinds = find_ends(of, plausible).tests()
    if of.link == "logit":
        if frame is None:
            raise ValueError(
                "Yes and no are counted by group: give frame= and its columns besides, as to plot_data_sets."
            )
        dots = place_dots(frame, Columns(**columns), of)
        simulated = {label: _by_dot(draws, dots) for label, draws in simulated.items()}
    shares = _write_shares(
        {
            label: {kind: test(draws) for kind, test in kinds.items()}
            for label, draws in simulated.items()
        }
    )
    return shares.add_prefix("% ")


def _by_dot(draws: xr.DataArray, dots: Dots) -> xr.DataArray:
    """Shares of yes of the dots that are counted (chain, draw, dot)."""
    values = draws.transpose("chain", "draw", ...).to_numpy()
    return xr.DataArray(dots.values(values)[..., dots.counted], dims=("chain", "draw", "dot"))


def plot_data_sets(
    frame: pd.DataFrame,
    simulated: xr.DataArray,
    *,
    title: str,
    plausible: Plausible = Plausible(),
    limits: tuple[float, float] | None = None,
    number: int = PANELS,
    family: str = GAUSSIAN,
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
    family
        Of outcomes, as in ``models.fit``. Of yes and no (bernoulli) a dot is the share of yes in a
        group and a fifth of the predictor's values, or in a group and each value, if there are five or
        fewer; the more rows, the larger.
    """
    named, of = Columns(**columns), find_family(family)
    dots = place_dots(frame, named, of)
    observed = dots.values(frame[named.outcome].to_numpy())
    limits = limits or find_limits(of, observed, plausible, REACH)
    panels = _name_panels(observed, dots.values(_first_data_sets(simulated, number)))
    labels = group_labels(frame, named.group).cat.categories
    return _draw_panels(panels, dots, labels, limits, find_ends(of, plausible), title)


def _name_panels(observed: np.ndarray, simulated: np.ndarray) -> dict[str, np.ndarray]:
    """Values of the dots by the title of their panel."""
    numbered = {f"Simulated, {k}": values for k, values in enumerate(simulated, start=1)}
    return {"Observed": observed} | numbered


def _draw_panels(
    panels: dict[str, np.ndarray],
    dots: Dots,
    labels: pd.Index,
    limits: tuple[float, float],
    ends: Ends,
    title: str,
) -> plt.Figure:
    """Data sets (D,) by their titles, of groups with these labels."""
    colors = _hex_colors(labels)
    figure, axes = make_panels(len(panels), 2.2)
    dot_colors = np.array(list(colors.values()), dtype=object)[dots.groups]
    for ax, (label, values) in zip(axes.flat, panels.items(), strict=False):
        _draw_data_set(ax, dots, values, dot_colors, limits, ends)
        ax.set_title(label)
    style = {"marker": "o", "linestyle": "", "markersize": 5}
    handles = [Line2D([], [], color=color, **style) for color in colors.values()]
    names = write_labels(colors)
    if len(names) <= LEGEND:
        fit_legend(figure, handles, names, 4, loc="outside lower center")
    label_panels(figure, axes, *dots.labels, title)
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
    family: str = GAUSSIAN,
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
    family
        Of outcomes, with a formula, as in ``models.fit``; drawn as by ``plot_data_sets``.
    priors
        Label -> priors, as for ``simulate``: the positions of the dial.
    title
        Caption.
    start
        Label at which the dial stands first; the first one by default.
    plausible
        Which outcomes are impossible or implausible; not needed for yes and no, of which the dots are
        counted that are all no or all yes.
    seed
        As in ``simulate``.

    Returns
    -------
    HTML: observed and simulated data side by side, dials, buttons, a slider and the shares. Without
    JavaScript and on paper, the observed data and the first five data sets at ``start``. The largest
    model is shown first: random slopes, where there is a predictor. 100 data sets can be turned, and
    the one open at first has the median share of what could be; the shares are counted over 2,000. All
    priors have one axis. Of a table with more than 2,000 rows as many are drawn at random, and the
    caption says so: all that is shown and counted is about them. Of another family than the gaussian
    one up to 30 data sets can be turned, because the page holds their values.

    Raises
    ------
    ValueError
        If a column is missing or not numeric, or a prior is unknown; if the family is unknown, has no
        formula, or cannot have an outcome.
    """
    of, ends = find_family(family), find_ends(find_family(family), plausible)
    name, frame, named, priors = _read_dial(frame, priors, formula, family, columns)
    start = next(iter(priors)) if start is None else start
    check_choice("prior to start from", start, tuple(priors))
    frame, title = _sample_rows(frame, title)
    count = len(named.covariates)
    drawn = {label: draw_parameters(prior, DRAWS, seed, count) for label, prior in priors.items()}
    design, dots = Design(frame, named), place_dots(frame, named, of)
    names = MODELS[: MODELS.index(name) + 1]
    pages = min(PAGES, *(len(draw["sigma"]) for draw in drawn.values()))
    if family != GAUSSIAN:
        pages = min(pages, _count_stored(len(dots.x) * len(priors) * len(names)))
    seen = {
        name: {
            label: _look_at(simulate_in_chunks(name, draw, design, of, seed), dots, ends, pages)
            for label, draw in drawn.items()
        }
        for name in names
    }
    tables = _write_tables(seen, dots, max(len(draw["sigma"]) for draw in drawn.values()))
    observed = dots.values(frame[named.outcome].to_numpy())
    limits = find_limits(of, observed, plausible, REACH)
    if family == GAUSSIAN:
        source = _describe_draws(drawn, design)
    else:
        source = _describe_values(seen, max(limits[1], ends.high))
    first, shares = seen[name][start]
    data = _describe_frame(observed, dots, design.labels, named.outcome) | source
    data |= {
        "models": [{"name": name, "shares": table} for name, table in tables.items()],
        "start": [list(priors).index(start), name],
        "pages": pages,
        "opened": int(shares[ends.heads[-1]][0, :pages].argsort()[pages // 2]),
        "limits": limits,
        "ticks": _ticks(*limits),
        "plausible": [ends.low, ends.high],
        "words": ends.words,
    }
    shown = f"Prior: {start}; model: {name.replace('_', ' ')}"
    panels = _name_panels(observed, first[:PANELS])
    paper = _draw_panels(panels, dots, design.labels, limits, ends, shown)
    still = embed_picture(paper, f"{data['description']} {shown}.")
    still += f"<table>{tables[name]}</table>"
    return fill_template(TEMPLATE, title=title, data=data, still=still)


def _read_dial(
    frame: pd.DataFrame, priors: dict, formula: str | None, family: str, columns: dict
) -> tuple[str, pd.DataFrame, Columns, dict]:
    """The largest model, the table and its columns as it takes them, and priors by their label."""
    if is_statistics(frame):
        raise ValueError("Sufficient statistics have no rows to simulate; give the table of rows.")
    if formula:
        asked = {"family": family}
        read = {k: as_model(formula, frame, prior, columns, **asked) for k, prior in priors.items()}
        model = next(iter(read.values()))
        largest, frame, named = model.name, model.frame, model.columns
        priors = {label: model.priors for label, model in read.items()}
    else:
        refuse_family(family)
        largest = MODELS[-1] if columns.get("predictor", Columns.predictor) else MODELS[-2]
        named = Columns(**columns)
    check_columns(frame, named)
    return largest, frame, named, priors


def _sample_rows(frame: pd.DataFrame, title: str) -> tuple[pd.DataFrame, str]:
    """A table with at most ``ROWS`` rows, and the title, which says if they are a sample."""
    if len(frame) <= ROWS:
        return frame, title
    rows = np.random.default_rng(SEED).choice(len(frame), ROWS, replace=False)
    return frame.iloc[np.sort(rows)], f"{title} ({ROWS:,} of {len(frame):,} rows, drawn at random)"


def _count_stored(values: int) -> int:
    """How many data sets a page holds that have so many values together."""
    return max(LEAST, min(STORED, VALUES // values))


def _write_shares(found: dict[str, dict[str, xr.DataArray]]) -> pd.DataFrame:
    """Shares as text, from events or from the share of every draw; a column has the same decimals."""
    columns = pd.DataFrame.from_dict(found, orient="index").to_dict()
    return pd.DataFrame({kind: present_probabilities(of, 100) for kind, of in columns.items()})


def _write_tables(
    seen: dict[str, dict[str, tuple[np.ndarray, dict]]], dots: Dots, draws: int
) -> dict[str, str]:
    """The inside of the table of shares of each model."""
    what = "Shares" if dots.rows is None else f"Dots of {dots.least} rows or more"
    return {
        name: _table(
            _write_shares({label: shares for label, (_, shares) in found.items()}),
            f"{what} in {draws:,} data sets, %",
        )
        for name, found in seen.items()
    }


def _look_at(
    chunks: Iterator[tuple[int, np.ndarray]], dots: Dots, ends: Ends, pages: int
) -> tuple[np.ndarray, dict[str, xr.DataArray]]:
    """The first data sets (pages, dots), and each kind's share in every data set, piece by piece."""
    first, shares = [], {kind: [] for kind in ends.tests()}
    for start, outcomes in chunks:
        values = dots.values(outcomes)
        first.append(values[: max(0, pages - start)].copy())
        for kind, test in ends.tests().items():
            shares[kind].append(test(values[:, dots.counted]).mean(axis=1))
    whole = {
        kind: xr.DataArray(np.concatenate(parts)[None], dims=("chain", "draw"))
        for kind, parts in shares.items()
    }
    return np.concatenate(first), whole


def _describe_frame(observed: np.ndarray, dots: Dots, labels: pd.Index, outcome: str) -> dict:
    """What the script needs of the observed data; ``labels`` are those of the groups."""
    x, colors = dots.x, _hex_colors(labels)
    sizes = {} if dots.rows is None else _describe_sizes(dots)
    what = "Scatter plots" if dots.rows is None else "Shares of yes, by group,"
    return sizes | {
        "x": _short(x),
        "observed": _short(observed),
        "groups": dots.groups.tolist(),
        "groupLabels": [str(label) for label in colors] if len(colors) <= LEGEND else [],
        "colors": list(colors.values()),
        "xLimits": [float(x.min()), float(x.max())],
        "xTicks": _ticks(x.min(), x.max()),
        "labels": list(dots.labels),
        "description": f"{what} of {outcome} against {dots.column}: observed, and simulated "
        "from a prior.",
    }


def _describe_sizes(dots: Dots) -> dict:
    """What the script needs of dots that are no rows."""
    return {"radius": dots.radius.tolist(), "counted": dots.counted.tolist()}


def _describe_draws(drawn: dict[str, dict[str, np.ndarray]], design: Design) -> dict:
    """What the script needs to simulate outcomes itself."""
    return {
        "predictor": _short(design.x, 6),
        "covariates": [_short(column, 6) for column in design.z.T],
        "priors": [_describe_prior(label, draws) for label, draws in drawn.items()],
    }


def _describe_values(seen: dict[str, dict[str, tuple[np.ndarray, dict]]], highest: float) -> dict:
    """Data sets that the script only shows, by model and prior; far above ``highest`` less will do."""
    values = {
        name: [[_shorter(page, 2 * highest) for page in pages] for pages, _ in found.values()]
        for name, found in seen.items()
    }
    labels = next(iter(seen.values()))
    return {"values": values, "priors": [{"label": label} for label in labels]}


def _shorter(values: np.ndarray, highest: float) -> list[float]:
    """Three significant digits, whole numbers without a decimal point."""
    values = [float(f"{min(value, highest):.3g}") for value in values]
    return [int(value) if value.is_integer() else value for value in values]


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


def _draw_data_set(
    ax: plt.Axes,
    dots: Dots,
    values: np.ndarray,
    colors: np.ndarray,
    limits: tuple[float, float],
    ends: Ends,
) -> None:
    """One data set on blue ground (what could be): dots, and triangles for what lies outside."""
    (low, high), x, area = limits, dots.x, 6 * (dots.radius / 3) ** 2
    ax.axhspan(max(low, ends.low), min(high, ends.high), color="#dcebf7", zorder=0)
    edge = 0.03 * (high - low)
    shown = np.clip(values, low + edge, high - edge)
    inside = (values >= low) & (values <= high)
    ax.scatter(x[inside], values[inside], s=area[inside], color=colors[inside], alpha=0.6)
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
