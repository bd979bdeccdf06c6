"""Effects on the outcome's scale where means are no sums of effects: differences, averaged over rows.

With a log or a logit between a mean and its terms, a difference of means depends on where a row and its
group lie. So it is computed for every row of the table and averaged. Of groups like these it is averaged
over what a group's effects can be, too; a typical group is one whose effects are 0.
"""

import numpy as np
import pandas as pd
import xarray as xr

from helpers import predictions
from helpers.frames import own_scale
from helpers.own import rows as at
from helpers.own.candidates import Candidate
from helpers.own.draws import thin
from helpers.own.question import BERNOULLI, FACTOR, NUMBER, Question
from helpers.priors import SEED

NEW = "a group never seen"
GROUPS_LIKE_THESE, TYPICAL, NEW_GROUP = "groups like these", "a typical group", NEW
MOST_CELLS = 4_000_000  # draws times rows that are held at once
NODES = 15  # of the mean over groups, by Gauss-Hermite quadrature


def name_effect(question: Question) -> str:
    """What the effect of a number is called, such as "10 more of days", and that of nothing."""
    if question.kind == NUMBER:
        return f"{question.per:g} more of {question.column}"
    return f"mean of {question.outcome}"


def of_rows(
    question: Question,
    candidate: Candidate,
    tree: xr.DataTree,
    groups: str = GROUPS_LIKE_THESE,
    seed: int = SEED,
) -> xr.Dataset:
    """Draws of the effects that are asked about, averaged over the rows of the table.

    Parameters
    ----------
    groups
        "groups like these": averaged over groups that the population could have; "a typical group":
        effects by group are 0; "a group never seen": one group, drawn anew in every draw.

    Returns
    -------
    Dataset (chain, draw) in units of the outcome, of a yes/no outcome in percentage points. Of a number,
    what ``per`` more of it change in the mean of a row; of a factor, each level minus the reference;
    without predictors, the mean. Where the effect depends on a factor there is one for the rows of
    each level, too.
    """
    rows, found = _rows_of(candidate), {}
    tree, levels = thin(tree, MOST_CELLS // len(rows)), _levels(question, rows)
    for name, pair in move(question, rows).items():
        draws = compare(question, candidate, tree, pair, groups, seed)
        found[name] = draws.mean("row")
        for label, place in levels.items():
            found[f"{name}, {label}"] = draws.isel(row=place).mean("row")
    return xr.Dataset(found)


def ratios(question: Question, candidate: Candidate, tree: xr.DataTree) -> xr.Dataset:
    """Draws of the ratios, within a group, of means (log link) or of odds (logit), by effect.

    Where a ratio differs between rows, its geometric mean over the table's rows.
    """
    rows, found = _rows_of(candidate), {}
    tree = thin(tree, MOST_CELLS // len(rows))
    for name, (before, after) in move(question, rows).items():
        if before is not None:
            first, second = (_linear(candidate, tree, part) for part in (before, after))
            found[name] = np.exp((second - first).mean("row"))
    return xr.Dataset(found)


def move(
    question: Question, rows: pd.DataFrame
) -> dict[str, tuple[pd.DataFrame | None, pd.DataFrame]]:
    """By effect, rows as they are compared: before and after the main term changes."""
    if question.kind == FACTOR:
        column, (first, *others) = question.column, question.levels
        before = rows.assign(**{column: first})
        return {f"{n} minus {first}": (before, rows.assign(**{column: n})) for n in others}
    name = name_effect(question)
    if question.kind != NUMBER:
        return {name: (None, rows)}
    column, standardized = question.scale_column, f"std_{question.scale_column}"
    moved = rows.copy()
    if column in rows:
        moved[column] = rows[column] + question.per
    if standardized in rows:
        moved[standardized] += question.per / own_scale(question.table, standardized).sd
    return {name: (rows, moved)}


def compare(
    question: Question,
    candidate: Candidate,
    tree: xr.DataTree,
    pair: tuple[pd.DataFrame | None, pd.DataFrame],
    groups: str = TYPICAL,
    seed: int = SEED,
) -> xr.DataArray:
    """Draws (chain, draw, row) of the difference of two means of each row, or of a mean itself."""
    before, after = pair
    found = expect(question, candidate, tree, after, groups, seed)
    if before is None:
        return found
    return found - expect(question, candidate, tree, before, groups, seed)


def expect(
    question: Question,
    candidate: Candidate,
    tree: xr.DataTree,
    rows: pd.DataFrame,
    groups: str = TYPICAL,
    seed: int = SEED,
) -> xr.DataArray:
    """Draws (chain, draw, row) of the means of rows, in the question's unit (``of_rows``); a row with a
    group of the table is of that group."""
    family = candidate.terms.family
    if groups == NEW_GROUP:
        rows = rows.assign(**dict.fromkeys(candidate.grouping_columns, NEW))
    eta = _linear(candidate, tree, rows, seed)
    if groups != GROUPS_LIKE_THESE:
        return question.times * family.mean(eta)
    return _average(question, candidate, eta, _sd_of_groups(candidate, tree, rows))


def expect_in_new(
    question: Question,
    candidate: Candidate,
    tree: xr.DataTree,
    rows: pd.DataFrame,
    factor: str,
    seed: int = SEED,
) -> xr.DataArray:
    """Draws (chain, draw, row) of the means of rows in a group of one factor never seen, averaged over
    what groups of the other factors can be."""
    own = [factor]
    others = [one for one in candidate.terms.factors if one != factor]
    eta = _linear(candidate, tree, rows)
    z = eta.isel(row=0, drop=True)
    z = z.copy(data=np.random.default_rng(seed).normal(size=z.shape))
    eta = eta + z * _sd_of_groups(candidate, tree, rows, own)
    return _average(question, candidate, eta, _sd_of_groups(candidate, tree, rows, others))


def _average(
    question: Question, candidate: Candidate, eta: xr.DataArray, sd: xr.DataArray
) -> xr.DataArray:
    """The mean, in the question's unit, over linear predictors that are normal around ``eta``."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    mean, parts = candidate.terms.family.mean, zip(nodes, weights / weights.sum(), strict=True)
    return question.times * sum(weight * mean(eta + sd * node) for node, weight in parts)


def predict_rows(
    question: Question, candidate: Candidate, tree: xr.DataTree, rows: pd.DataFrame, seed: int
) -> xr.Dataset:
    """Draws of the mean of rows over groups like these, and of an outcome (of yes or no: of the chance) in
    a group never seen."""
    found = {"mean of groups": expect(question, candidate, tree, rows, GROUPS_LIKE_THESE)}
    if question.family == BERNOULLI:
        found[f"chance in {NEW}"] = expect(question, candidate, tree, rows, NEW_GROUP, seed)
        return xr.Dataset(found)
    new = rows.assign(**dict.fromkeys(candidate.grouping_columns, NEW))
    fit = tree, candidate.formula, candidate.table
    given = {"kind": "outcome", "seed": seed, "family": candidate.family}
    found[f"one outcome, {NEW}"] = predictions.predict(*fit, new, **given)
    return xr.Dataset(found)


def _linear(
    candidate: Candidate, tree: xr.DataTree, rows: pd.DataFrame, seed: int = SEED
) -> xr.DataArray:
    """Draws (chain, draw, row) of the linear predictor."""
    fit = tree, candidate.formula, candidate.table
    return predictions.predict(*fit, rows, kind="linear", seed=seed, family=candidate.family)


def _sd_of_groups(
    candidate: Candidate, tree: xr.DataTree, rows: pd.DataFrame, factors: list[str] | None = None
) -> xr.DataArray:
    """Draws of the sd, over groups of some factors (by default all), of the linear predictor of each row."""
    posterior, terms, variance = tree["posterior"].to_dataset(), candidate.terms, 0.0
    factors = terms.factors if factors is None else factors
    for name in (name for name, (_, factor) in terms.by_group.items() if factor in factors):
        column = xr.DataArray(terms.columns_by_group(name, rows)[:, 0], dims="row")
        sd = posterior[f"{name}_sigma"]
        sd = sd.squeeze([dim for dim in sd.dims if dim not in ("chain", "draw")], drop=True)
        variance = variance + (sd * column) ** 2
    return np.sqrt(variance)


def _rows_of(candidate: Candidate) -> pd.DataFrame:
    """The table's rows, with what predicts and without groups."""
    outcome = candidate.terms.design.response.term.term.var_names
    left_out = {*outcome, *candidate.grouping_columns}
    used = [name for name in candidate.terms.used if name not in left_out]
    table = candidate.table.reset_index(drop=True).assign(**{at.SHARE: 1 / len(candidate.table)})
    return table[[*used, at.SHARE]]


def _levels(question: Question, rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Places of the rows with each combination of the levels that the effect depends on."""
    by = at.modifiers(question)
    if not by:
        return {}
    groups = rows.reset_index(drop=True).groupby(by, observed=True).indices
    each = {
        label if isinstance(label, tuple) else (label,): place for label, place in groups.items()
    }
    return {
        ", ".join(f"{n} {value}" for n, value in zip(by, label, strict=True)): place
        for label, place in each.items()
    }
