"""The picture of a grouped table before a model, and of its groups after one, whatever was asked."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr

from helpers import plots
from helpers.families import GAUSSIAN
from helpers.own import effects
from helpers.own.candidates import Candidate
from helpers.own.question import FACTOR, NUMBER, Question
from helpers.plots.look import summarize_groups
from helpers.priors import LOWER, SEED, UPPER
from helpers.terms import group_dim

DOTS = 2000
MOST_NAMED = 40  # groups on an axis


def plot_table(question: Question, ax: plt.Axes | None = None, seed: int = SEED) -> plt.Axes:
    """Rows against the main term, and what groups say: a line each, means by level, or means.

    Lines are drawn by ``plots.plot_within_between``. Of many groups a sample is shown otherwise
    (``plots.choose_groups``).
    """
    ax = plt.gca() if ax is None else ax
    if question.is_column:
        plots.plot_within_between(
            question.table, ax, per=question.per, formula=question.formula, predictor=question.main
        )
        ax.set_title(_name_groups(question, len(question.sizes)))
        return ax
    x, y, groups = _x_of(question), question.values, question.table[question.group]
    frame = pd.DataFrame({"y": y, "group": groups.to_numpy()})
    shown, _ = plots.choose_groups(frame, plots.NAMED, seed, outcome="y", group="group")
    some = np.random.default_rng(seed).permutation(len(y))[:DOTS]
    ax.scatter(x[some], y[some], s=10, color="0.45", alpha=0.8)
    for label in shown:
        own = (groups == label).to_numpy()
        means = pd.Series(y[own]).groupby(x[own]).mean()
        ax.plot(means.index, means, marker=".", color="C0", linewidth=1, alpha=0.6)
    _name_axes(ax, question)
    ax.set_title(_name_groups(question, len(shown)))
    return ax


def _name_groups(question: Question, shown: int) -> str:
    number, group = len(question.sizes), plots.write_label(question.group)
    return f"{f'{shown} of' if shown < number else 'All'} {number:,} groups of {group!r}"


def _name_axes(ax: plt.Axes, question: Question) -> None:
    if question.kind == FACTOR:
        ax.set_xticks(range(len(question.levels)), plots.write_labels(question.levels))
    elif question.kind != NUMBER:
        ax.set_xticks([])
    ax.set_xlabel(plots.write_label(question.column or question.group))
    ax.set_ylabel(plots.write_label(f"{question.outcome} ({question.unit})", 50))


def _x_of(question: Question) -> np.ndarray:
    """Where rows stand on the axis: the term, or the place of a level, or of a group."""
    if question.kind == NUMBER:
        return question.predictor()
    if question.kind == FACTOR:
        order = pd.Categorical(question.table[question.column], question.levels)
        return np.asarray(order.codes, dtype=float)
    return question.table[question.group].cat.codes.to_numpy(dtype=float)


def plot_groups(question: Question, candidate: Candidate, tree: xr.DataTree) -> plt.Axes:
    """Slopes by group where a numeric column has them, else how far groups lie from the population."""
    if question.family != GAUSSIAN:
        return _plot_means(question, candidate, tree)
    tree = _with_own_labels(candidate, tree)
    given = {"formula": candidate.formula, "predictor": candidate.main}
    if question.own_slopes and question.is_column:
        return plots.plot_slopes(candidate.table, tree, per=question.per, **given)
    if not question.is_column:
        given.pop("predictor")
    return plots.plot_deviations(candidate.table, tree, **given)


def _plot_means(question: Question, candidate: Candidate, tree: xr.DataTree) -> plt.Axes:
    """What ``effects.show_by_group`` says of groups, sorted, on the outcome's scale, and the population's."""
    found = effects.population(question, candidate, tree)
    name = effects.choose_first(question, found)
    draws, title = effects.show_by_group(question, candidate, tree, name)
    table = summarize_groups(draws, question.group).sort_values("mean")
    heights = np.arange(len(table))
    _, ax = plt.subplots(figsize=(7, 1.5 + min(0.2 * len(table), 9)))
    ax.axvline(float(draws.mean()), color="0.4", linestyle="--", label="Mean of these groups")
    ax.hlines(heights, table[LOWER], table[UPPER], color="C0", label="95 % interval")
    ax.plot(table["mean"], heights, "o", color="C0", markersize=4, label="Posterior mean")
    if len(table) <= MOST_NAMED:
        ax.set_yticks(heights, plots.write_labels(table.index))
    else:
        ax.set_yticks([])
    ax.set_ylabel(plots.write_label(question.group))
    ax.set_xlabel(plots.write_label(title, 60))
    ax.legend(loc="lower right")
    return ax


def _with_own_labels(candidate: Candidate, tree: xr.DataTree) -> xr.DataTree:
    """A fit with the table's labels of groups, which Bambi turns into text."""
    dim = group_dim(candidate.group)
    own = {str(label): label for label in candidate.table[candidate.group].cat.categories}
    posterior = tree["posterior"].to_dataset()
    labels = [own[str(text)] for text in posterior[dim].values]
    return xr.DataTree.from_dict({"posterior": posterior.assign_coords({dim: labels})})
