"""Sentences about the table: rows, groups, and least-squares slopes."""

import numpy as np
import pandas as pd

from helpers.families import GAUSSIAN
from helpers.own.question import BERNOULLI, NUMBER, Question
from helpers.own.words import beyond
from helpers.own.words.pieces import (
    code,
    count,
    exact_number,
    from_to,
    join,
    percent,
    plain,
    safe,
    unit_of,
)


def describe_table(question: Question, source: str, asked: pd.DataFrame) -> str:
    """Rows, groups and their sizes; what was left out; what groups cannot tell."""
    sizes, group = question.sizes, code(question.group)
    same = sizes.min() == sizes.max()
    each = (
        f"{sizes.min():,} each"
        if same
        else f"{sizes.min():,} to {sizes.max():,} each (median {sizes.median():g})"
    )
    y, unit = question.values, unit_of(question)
    where = (
        f"runs from {exact_number(y.min())} to {exact_number(y.max())} {unit}, with a mean of "
        f"{exact_number(y.mean())} {unit}."
    )
    if question.family == BERNOULLI:
        where = f"is 1 in {count(int(y.sum()), 'row')}, {percent(y.mean())} of them, and else 0."
    parts = [
        f"**{source}**: {count(len(question.table), 'row')} in {len(sizes):,} groups of {group}, "
        f"{each}. {code(question.outcome)} {where}"
    ]
    if question.further:
        parts.append(beyond.describe_sizes(question))
    if "left_out" in question.table.attrs:
        parts.append(question.table.attrs["left_out"])
    elif len(asked) == len(question.table):
        parts.append("No row was left out.")
    single = int((sizes == 1).sum())
    if single:
        parts.append(
            f"{single:,} of the groups {'have' if single > 1 else 'has'} one row only: such a group "
            "tells nothing about scatter within groups, and borrows what is said of it from the others."
        )
    if question.few_groups:
        parts.append(
            f"{len(sizes)} groups hardly say how far groups lie apart: what is said of their spread "
            "comes mostly from its prior."
        )
    outside = int(((y < question.plausible.low) | (y > question.plausible.high)).sum())
    if outside and question.family == GAUSSIAN:
        parts.append(
            f"{count(outside, 'outcome')} of {len(y):,} {'lies' if outside == 1 else 'lie'} outside of "
            f"{plain(question.plausible.low)} to {plain(question.plausible.high)} {unit}, which was said to be "
            "plausible."
        )
    return " ".join(parts)


def describe_slopes(question: Question) -> str:
    """Least-squares slopes within and between groups, and whether groups differ in the predictor."""
    if question.kind != NUMBER:
        values = pd.Series(question.times * question.values)
        means = values.groupby(question.table[question.group].to_numpy()).mean()
        return (
            f"The means of the {len(means):,} groups run from {from_to(means, safe(question.unit_of_means))}, each "
            "with the luck of its own rows in it."
        )
    x, y = question.predictor(), question.times * question.values
    both = pd.DataFrame({"x": x, "y": y}).groupby(question.table[question.group].to_numpy())
    means = both.transform("mean")
    own_x, own_y = x - means["x"], y - means["y"]
    column, per = code(question.column), question.per
    start = f"Least squares, for {per:g} more of {column}: "
    slopes = [
        f"{exact_number(per * np.polyfit(x, y, 1)[0])} {unit_of(question)} by one line through all rows"
    ]
    if own_x @ own_x > 1e-9 * (x @ x):
        slope = per * (own_x @ own_y) / (own_x @ own_x)
        slopes.append(f"{exact_number(slope)} within groups")
    else:
        slopes.append("nothing within groups, where it does not vary")
    of_groups = both.mean()
    if of_groups["x"].std() > 1e-9 * x.std() and len(of_groups) > 1:
        slope = per * np.polyfit(of_groups["x"], of_groups["y"], 1)[0]
        slopes.append(f"{exact_number(slope)} between the means of groups")
        return f"{start}{join(slopes)}."
    return (
        f"{start}{join(slopes)}. All groups have the same mean of {column}, so nothing is compared "
        "between them."
    )
