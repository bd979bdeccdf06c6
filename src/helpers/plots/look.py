"""What figures share: style, colours, labels that fit, panels, legends."""

import logging
import re
from collections.abc import Iterable
from itertools import takewhile

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import xarray as xr
from IPython import get_ipython
from matplotlib.collections import PathCollection
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation
from matplotlib_inline.backend_inline import set_matplotlib_formats

from helpers.frames import label_of, original_column, unit_of
from helpers.priors import INTERVAL, LOWER, UPPER, Columns

WIDTH = 7  # inches, of every figure
DOTS = 704 / WIDTH  # an inch: as wide as the text of a page
LINES = ("-", "--", ":", "-.")
QUANTILES = [(1 - INTERVAL) / 2, 0.5, (1 + INTERVAL) / 2]
NAMED = 40  # groups, of more only the outermost have names
PANELS = 12  # small multiples, of more groups a sample is shown
COLORED = 10  # groups, of more none has a colour of its own
# That of seaborn for all eyes; its pink, which hardly shows on white, comes last.
PALETTE = sns.color_palette("colorblind")
PALETTE[6], PALETTE[9] = PALETTE[9], PALETTE[6]
LENGTH = 24  # characters of a label
MARKS = "#c44e00"  # of what is set beside a fit
MIDDLE = 4  # points across a dot of a legend, at least
TIMES = re.compile(r"^(year|month|week|day|hour|minute|second)s$")


def use_book_style() -> None:
    """Set the book's look and its one interval (95 %, equal-tailed) for matplotlib and ArviZ.

    Progress notes of PyMC and Bambi are switched off too; their warnings are not.
    """
    sns.set_theme(style="whitegrid", palette=PALETTE, font_scale=1.1)
    plt.rcParams.update(
        {
            "figure.figsize": (WIDTH, 4.3),
            "figure.dpi": DOTS,
            "figure.constrained_layout.use": True,
            "savefig.facecolor": "white",
            "axes.titlelocation": "left",
            "axes.titlesize": "medium",
            "axes.labelsize": 12,  # as the ticks: a label is longer
        }
    )
    if get_ipython() is not None:
        # Twice the dots at the same size, and nothing cut off: what is drawn has a figure's whole width.
        set_matplotlib_formats("retina", bbox_inches=None)
    az.rcParams["stats.ci_prob"] = INTERVAL
    az.rcParams["stats.ci_kind"] = "eti"
    for library in ("pymc", "bambi"):
        logging.getLogger(library).setLevel(logging.WARNING)


def group_colors(labels) -> dict:
    """One colour for each group, the same in every figure: label -> RGB, labels sorted."""
    labels = sorted(labels)
    palette = PALETTE if len(labels) <= COLORED else "husl"  # the former begins anew after ten
    return dict(zip(labels, sns.color_palette(palette, len(labels)), strict=True))


def write_label(label: object, length: int = LENGTH) -> str:
    """A label as a figure's text: on one line, of at most ``length`` characters ("…" stands for its
    middle), and without formulas, which "$" would begin."""
    return _without_formulas(_shorten(_on_one_line(label), length))


def write_labels(labels: Iterable, length: int = LENGTH) -> list[str]:
    """Labels as ``write_label`` writes them, unless two would read alike: then what all begin and end
    with is shortened instead, and if that is not enough, less is left out."""
    texts = [_on_one_line(label) for label in labels]
    if not texts:
        return []
    longest = max(map(len, texts))
    while True:
        for shown in ([write_label(text, length) for text in texts], _tell_apart(texts, length)):
            if length >= longest or len(set(shown)) == len(set(texts)):
                return shown
        length *= 2


def _on_one_line(label: object) -> str:
    return " ".join(str(label).split())


def _shorten(text: str, length: int) -> str:
    end = (length - 1) // 2
    return text if len(text) <= length else f"{text[: length - 1 - end]}…{text[-end:]}"


def _without_formulas(text: str) -> str:
    return text.replace("$", r"\$")


def _tell_apart(texts: list[str], length: int) -> list[str]:
    """Texts that keep what differs between them, with "…" in what all begin and end with."""
    start = _count_shared(texts)
    end = _count_shared([text[:start:-1] for text in texts])
    middles = [text[start : len(text) - end] for text in texts]
    half = max(2, (length - 2 - max(map(len, middles))) // 2)
    before, after = texts[0][:start], texts[0][len(texts[0]) - end :]
    before = before if start <= half + 1 else f"{before[:half]}…"
    after = after if end <= half + 1 else f"…{after[-half:]}"
    room = max(length - len(before) - len(after), 3)
    return [_without_formulas(before + _shorten(middle, room) + after) for middle in middles]


def _count_shared(texts: list[str]) -> int:
    """How many characters all texts begin with: those of the first and the last in order."""
    return sum(
        1
        for _ in takewhile(
            lambda pair: pair[0] == pair[1], zip(min(texts), max(texts), strict=False)
        )
    )


def name_axis(frame: pd.DataFrame, column: str) -> str:
    """What an axis says of a column, short enough for it."""
    return write_label(label_of(frame, column), 2 * LENGTH)


def outcome_unit(frame: pd.DataFrame, columns: Columns) -> str:
    """The outcome's unit, or its name."""
    return write_label(unit_of(frame, columns.outcome) or columns.outcome)


def slope_unit(frame: pd.DataFrame, columns: Columns, per: float | None) -> str:
    """The unit of a slope, such as "s per 10 years of age"; of the fit's own one if ``per`` is None."""
    shown = original_column(frame, columns.predictor)
    unit = unit_of(frame, shown)
    if per is None and shown != columns.predictor:
        below = "sd"
    elif per is None or per == 1:
        below = TIMES.sub(r"\1", unit) or "unit"
    else:
        below = f"{per:g} {unit or 'units'}"
    return f"{outcome_unit(frame, columns)} per {write_label(below)} of {write_label(shown)}"


def make_panels(number: int, height: float) -> tuple[plt.Figure, np.ndarray]:
    """A figure of panels that share their axes, in rows of two; ``height`` is a row's, in inches."""
    rows = -(-number // 2)
    layout = {"sharex": True, "sharey": True, "squeeze": False, "layout": "constrained"}
    figure, axes = plt.subplots(rows, 2, figsize=(WIDTH, height * rows), **layout)
    for ax in axes.flat[number:]:
        ax.set_visible(False)
    axes.flat[max(number - 2, 0)].tick_params(labelbottom=True)  # there may be none below
    return figure, axes


def label_panels(figure: plt.Figure, axes: np.ndarray, x: str, y: str, title: str) -> None:
    """Say once for all panels what their axes are."""
    for column in axes.T:
        for ax in [ax for ax in column if ax.get_visible()][-1:]:
            ax.set_xlabel(x)
    figure.supylabel(y, fontsize="medium")
    figure.suptitle(title, ha="left", x=0.02, fontsize="medium")


def draw_band(ax: plt.Axes, x: np.ndarray, lines: xr.DataArray, number: int, name: str) -> None:
    """Median and 95 % interval of lines along x, in the style of the fit's number."""
    low, middle, high = lines.quantile(QUANTILES, dim=["chain", "draw"]).values
    ax.fill_between(x, low, high, color=f"C{number}", alpha=0.3, linewidth=0)
    ax.plot(x, middle, color=f"C{number}", linestyle=LINES[number % len(LINES)], label=name)


def fit_legend(
    place: plt.Figure | plt.Axes, handles: Iterable, names: Iterable[str], ncols: int, **look
) -> Legend:
    """A legend of a figure or an Axes in ``ncols`` columns, or in as many as there is room for."""
    look = {"fontsize": "small", "columnspacing": 1, "handlelength": 1.5} | look
    legend = place.legend(handles, names, ncols=ncols, **look)
    left, right = legend.get_window_extent().intervalx
    width = place.get_figure(root=True).bbox.width
    if ncols == 1 or 0 <= left < right <= 0.97 * width:  # letters are a little wider when printed
        return legend
    legend.remove()
    return fit_legend(place, handles, names, ncols - 1, **look)


def put_legend_below(ax: plt.Axes, ncols: int, title: str = "", alone: bool = False) -> None:
    """A legend below the label of the horizontal axis, however high the axes are; below all and from
    the figure's left edge if the Axes stand ``alone`` in a constrained layout."""
    figure = ax.get_figure(root=True)
    below = ax.transAxes + ScaledTranslation(0, -46 / 72, figure.dpi_scale_trans)
    place = {"loc": "upper left", "bbox_to_anchor": (0, 0), "bbox_transform": below}
    place = {"loc": "outside lower left"} if alone else place | {"borderaxespad": 0}
    look = {"title": title, "title_fontsize": "small"} | place
    legend = fit_legend(figure if alone else ax, *ax.get_legend_handles_labels(), ncols, **look)
    for handle in legend.legend_handles:  # as if each were one of few
        if isinstance(handle, PathCollection) and handle.get_sizes() < MIDDLE**2:
            handle.set(alpha=1, sizes=[MIDDLE**2])
        elif isinstance(handle, Line2D) and handle.get_markersize() < MIDDLE:
            handle.set_markersize(MIDDLE)


def summarize_groups(draws: xr.DataArray, group: str) -> pd.DataFrame:
    """Posterior mean and limits of the 95 % interval by group.

    ``draws`` have the dimensions ``chain``, ``draw`` and ``group``. What ``tables.summarize`` says, in
    a second for thousands of groups, because it judges no convergence.
    """
    values = draws.transpose(group, "chain", "draw").to_numpy().reshape(draws.sizes[group], -1)
    low, high = np.quantile(values, [QUANTILES[0], QUANTILES[-1]], axis=1)
    columns = {"mean": values.mean(axis=1), LOWER: low, UPPER: high}
    return pd.DataFrame(columns, index=draws[group].values)
