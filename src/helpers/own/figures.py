"""The picture of a grouped table before a model: rows, the line through all, and a line a group."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr

from helpers.own.question import FACTOR, NUMBER, Question
from helpers.priors import SEED

SHOWN = 24  # groups with lines
DOTS = 2000
NAMED = 40


def plot_table(question: Question, ax: plt.Axes | None = None, seed: int = SEED) -> plt.Axes:
    """Rows against the main term, the least-squares line through all, and a line (or the means by level)
    for each group, or for ``SHOWN`` groups drawn at random."""
    ax = plt.gca() if ax is None else ax
    rng = np.random.default_rng(seed)
    groups = question.table[question.group]
    labels = list(groups.cat.categories)
    shown = labels if len(labels) <= SHOWN else list(rng.choice(labels, SHOWN, replace=False))
    x, y = _x_of(question), question.values
    some = np.arange(len(y))
    if len(y) > DOTS:
        some = np.sort(rng.choice(some, DOTS, replace=False))
    ax.scatter(x[some], y[some], s=8, color="0.6", alpha=0.6)
    for label in shown:
        own = (groups == label).to_numpy()
        _draw_group(ax, question, x[own], y[own])
    if question.kind == NUMBER:
        ends = np.array([x.min(), x.max()])
        ax.plot(
            ends,
            np.polyval(np.polyfit(x, y, 1), ends),
            color="k",
            ls="--",
            label="One line for all",
        )
        ax.legend(fontsize="small")
    if question.kind == FACTOR:
        ax.set_xticks(range(len(question.levels)), [_plain(level) for level in question.levels])
    if question.kind not in (NUMBER, FACTOR):
        ax.set_xticks([])
    ax.set_xlabel(_plain(question.column or question.group))
    ax.set_ylabel(f"{_plain(question.outcome)} ({_plain(question.unit)})")
    of = f"{len(shown)} of {len(labels):,}" if len(shown) < len(labels) else f"{len(labels)}"
    ax.set_title(f"{of} groups of {_plain(question.group)}")
    return ax


def plot_groups(
    question: Question, draws: xr.DataArray, title: str, ax: plt.Axes | None = None
) -> plt.Axes:
    """Mean and 95 % interval of each group, sorted; of more than ``NAMED`` without names."""
    mean = draws.mean(["chain", "draw"]).to_numpy()
    low, high = draws.quantile([0.025, 0.975], ["chain", "draw"]).to_numpy()
    order = np.argsort(mean)
    many = len(order) > NAMED
    if ax is None:
        _, ax = plt.subplots(figsize=(7, 4.5 if many else 1.2 + 0.22 * len(order)))
    place = np.arange(len(order))
    width = 0.5 if many else 1.5
    ax.hlines(place, low[order], high[order], color="C0", alpha=0.6, linewidth=width)
    ax.plot(mean[order], place, ".", color="C0", markersize=2 if many else 7)
    ax.axvline(mean.mean(), color="0.4", linestyle="--", label="Mean over groups")
    if question.own_slopes:
        ax.axvline(0, color="0.2", linewidth=1)
    labels = [_plain(label) for label in draws[question.group].values[order]]
    ax.set_yticks([] if many else place, [] if many else labels)
    ax.set_xlabel(_plain(title))
    ax.set_ylabel(_plain(question.group))
    ax.set_title(f"{len(order):,} groups, with 95 % intervals")
    ax.legend(fontsize="small")
    return ax


def _x_of(question: Question) -> np.ndarray:
    if question.kind == NUMBER:
        return question.predictor()
    if question.kind == FACTOR:
        order = pd.Categorical(question.table[question.column], question.levels)
        return np.asarray(order.codes, dtype=float)
    return question.table[question.group].cat.codes.to_numpy(dtype=float)


def _draw_group(ax: plt.Axes, question: Question, x: np.ndarray, y: np.ndarray) -> None:
    style = {"color": "C0", "linewidth": 1, "alpha": 0.7}
    if question.kind == NUMBER and len(np.unique(x)) > 1:
        ends = np.array([x.min(), x.max()])
        ax.plot(ends, np.polyval(np.polyfit(x, y, 1), ends), **style)
    elif question.kind == FACTOR:
        means = pd.Series(y).groupby(x).mean()
        ax.plot(means.index, means, marker=".", **style)
    else:
        ax.plot(x.mean(), y.mean(), "o", color="C0")


def _plain(text: object) -> str:
    """Text in which no dollar sign begins a formula."""
    return str(text).replace("$", r"\$")
