"""Rows that effects and outcomes are told at: typical ones, one for each group, and along the main term."""

import numpy as np
import pandas as pd

from helpers.frames import original_column, own_scale
from helpers.own.candidates import BOTH, Candidate, between_column
from helpers.own.question import FACTOR, Question
from helpers.terms import read_level

SHARE = "share"
POINTS = 3  # along a number: the ends and the middle


def typical_rows(question: Question, candidate: Candidate) -> pd.DataFrame:
    """One row for each combination of levels that the main term's effect depends on.

    Numbers stand at their mean over the table (inside functions at their median), further factors at
    their most frequent level; the column ``share`` is the share of the table's rows that have the
    combination.
    """
    table, by = candidate.table, modifiers(question)
    alone = {part for term in candidate.terms.common for part in term.split(":")}
    used = [name for name in _used(candidate) if name not in by]
    typical = {name: _typical(_as_used(candidate, name), name in alone) for name in used}
    if not by:
        return pd.DataFrame([typical | {SHARE: 1.0}])
    shares = table.groupby(by, observed=True).size().rename(SHARE) / len(table)
    return shares.reset_index().assign(**typical)


def rows_by_group(candidate: Candidate) -> pd.DataFrame:
    """One row for each group, in their order: numbers at the group's mean, factors at its most frequent
    level."""
    by = candidate.table[candidate.group]
    columns = {
        name: _as_used(candidate, name).groupby(by, observed=True).agg(_typical)
        for name in _used(candidate)
    }
    index = by.groupby(by, observed=True).size().index
    return pd.DataFrame(columns, index).rename_axis(candidate.group).reset_index()


def _used(candidate: Candidate) -> list[str]:
    """Columns of the table that a candidate's formula uses, but for the outcome and the groups."""
    terms = candidate.terms
    outcome = terms.design.response.term.term.var_names
    return [n for n in terms.used if n not in {*outcome, *candidate.grouping_columns}]


def _as_used(candidate: Candidate, name: str) -> pd.Series:
    """A column of the table, numbers that the formula takes as levels, in C(), as objects."""
    values = candidate.table[name]
    return values.astype(object) if f"C({name})" in candidate.formula else values


def _typical(values: pd.Series, alone: bool = True):
    """The mean of numbers, the median where they stand in a function, the most frequent level."""
    if pd.api.types.is_numeric_dtype(values):
        return float(values.mean() if alone else values.median())
    return values.mode().iloc[0]


def modifiers(question: Question) -> list[str]:
    """Factors that stand in an interaction with the main term."""
    parts = [name.split(":") for name in question.terms.common if ":" in name]
    with_main = {part for found in parts if question.main in found for part in found}
    return [
        name
        for name, values in question.terms.used.items()
        if name in with_main - {question.main} and not pd.api.types.is_numeric_dtype(values)
    ]


def describe_rows(question: Question, rows: pd.DataFrame) -> list[str]:
    """The levels that tell typical rows apart, such as "sex Male"."""
    by = modifiers(question)
    return [", ".join(f"{name} {row[name]}" for name in by) for _, row in rows.iterrows()]


# Along the main term


def grid(question: Question, candidate: Candidate) -> list:
    """Values of the main term to predict at: the ends and the middle of the table, or the levels.

    In the within-between model, of a group with an average mean: 90 % of the table's rows lie no
    farther from their group's mean.
    """
    if question.kind == FACTOR:
        return question.levels
    if question.scale_column is None:
        return []
    values = question.table[question.scale_column]
    if values.nunique() <= POINTS:
        return [float(x) for x in np.sort(values.unique())]
    if not question.is_column:
        points = values.quantile([0.05, 0.5, 0.95])
    elif candidate.name == BOTH:
        ends = candidate.table[candidate.main].quantile([0.05, 0.95])
        sd, middle = own_scale(candidate.table, candidate.main).sd, _middle(question, candidate)
        points = np.linspace(*(middle + sd * ends), POINTS)
    else:
        points = np.linspace(values.min(), values.max(), POINTS)
    return [float(f"{x:.4g}") for x in points]


def rows_on_grid(question: Question, candidate: Candidate, values: list) -> pd.DataFrame:
    """Rows of a typical combination of the other columns, one for each value of the main term."""
    rows = typical_rows(question, candidate)
    row = rows.loc[[rows[SHARE].idxmax()]]
    if not values:
        return row.reset_index(drop=True)
    rows = pd.concat([row] * len(values), ignore_index=True)
    if question.kind == FACTOR or not question.is_column:
        return rows.assign(**{question.scale_column or question.column: values})
    if candidate.name == BOTH:
        rows[between_column(question)] = 0.0
        values = np.array(values) - _middle(question, candidate)
    elif candidate.main != question.column and question.column in rows:  # in a function, too
        rows[question.column] = values
    scale = own_scale(candidate.table, candidate.main)
    return rows.assign(**{candidate.main: scale.standardize(np.array(values))})


def _middle(question: Question, candidate: Candidate) -> float:
    """The mean of the groups' means of the predictor, in the within-between model."""
    return own_scale(candidate.table, between_column(question)).mean


def held(question: Question, candidate: Candidate, rows: pd.DataFrame) -> dict:
    """Columns that rows hold at one value, with that value in the column's own unit."""
    asked = {candidate.main, question.main, question.column, question.scale_column, SHARE}
    found = {}
    for name in rows.columns.difference(asked, sort=False):
        value, scale = rows[name].iloc[0], own_scale(candidate.table, name)
        if f"C({name})" in candidate.formula:
            value = read_level(value)
        is_number = not isinstance(value, str) and pd.api.types.is_numeric_dtype(rows[name])
        found[original_column(candidate.table, name)] = (
            scale.mean + value * scale.sd if is_number else value
        )
    return found
