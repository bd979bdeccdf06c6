"""Sentences about which model answers, and about scores of predictions."""

import numpy as np
import pandas as pd
import xarray as xr

from helpers import tables
from helpers.own.candidates import BOTH, INTERCEPTS, SLOPES, name_of_own
from helpers.own.choice import CLEAR, DIFFERENCE, Choice, judge_score
from helpers.own.draws import limits_of
from helpers.own.question import FEW_GROUPS, Question
from helpers.own.words import beyond
from helpers.own.words.pieces import code, estimate, join, plain, unit_of


def tabulate_scores(question: Question, scores: pd.DataFrame) -> pd.DataFrame:
    """Differences of elpd from the reader's model, and for how many rows they are not sure, as text."""
    shown, kinds = {}, [kind for kind in ("rows", "groups") if kind in scores]
    for kind in kinds:
        with_error = kind == "rows" or not question.few_groups
        shown[f"a {kind[:-1]} left out"] = [
            "not computed"
            if np.isnan(value)
            else f"{value:+.1f}" + (f" (SE {error:.1f})" if with_error else "")
            for value, error in zip(scores[kind], scores[f"{kind}_se"], strict=True)
        ]
    table = pd.DataFrame(shown, index=scores.index).replace("-", tables.MINUS, regex=True)
    table.loc[(scores[kinds] == 0).all(axis=1)] = "your formula"
    if "unsure" in scores:
        rows = f"{len(question.table):,}"
        table["rows with a large Pareto k"] = [f"{n:,.0f} of {rows}" for n in scores["unsure"]]
    return table.rename_axis(DIFFERENCE)


def describe_choice(question: Question, scores: pd.DataFrame, choice: Choice) -> str:
    """Which model answers, why, and what scores say to that."""
    if question.is_sampled:
        return beyond.describe_choice(question, scores, choice.name)
    difference = choice.difference
    own = name_of_own(question)
    parts = [
        f"Your formula is the *{own}* model" + (", and it answers." if difference is None else ".")
    ]
    if difference is not None:
        said = estimate(difference, unit_of(question))
        parts.append(
            f"For {plain(question.per)} more of {code(question.column)}, the slope between groups minus that "
            f"within is {said}."
        )
        if choice.name == BOTH:
            parts.append(
                "The interval excludes 0, so one slope would mix two different ones: the "
                "*within-between* model answers, with the slope within groups."
            )
        else:
            parts.append(
                "The interval includes 0, so your formula answers; that does not show that both slopes are "
                f"alike{_say_if_wide(difference, choice.within)}."
            )
    parts += _describe_scores(scores, own, len(question.sizes))
    if SLOPES in scores.index and own == INTERCEPTS:
        gain, error = scores.loc[SLOPES, ["groups", "groups_se"]]
        if gain > max(2 * error, CLEAR) and not question.few_groups:
            parts.append(
                f"Slopes that differ by group predict groups clearly better: think of "
                f"`({question.column} | {question.group})` in your formula. With one slope for all, its "
                "interval may be too narrow."
            )
    return " ".join(parts)


def _say_if_wide(difference: xr.DataArray, within: xr.DataArray | None) -> str:
    _, low, high = limits_of(difference)
    if within is None or high - low <= 2 * abs(float(within.mean())):
        return ""
    return ": the interval is more than twice as wide as the slope within groups is large, so the table cannot tell"


def _describe_scores(scores: pd.DataFrame, own: str, groups: int) -> list[str]:
    """What leave-one-out and leave-group-out say about the reader's model."""
    others, found = scores.drop(index=own), {}
    whats = {"rows": "single rows", "groups": "whole groups"}
    for kind in whats if groups >= FEW_GROUPS else ("rows",):
        for name, one in others[kind].items():
            verdict = judge_score(one, others.loc[name, f"{kind}_se"])
            found.setdefault(name, {}).setdefault(verdict, []).append(whats[kind])
    alike = {}  # models with the same verdicts share a sentence
    for name, verdicts in found.items():
        clauses = [f"{join(what)} are {verdict}" for verdict, what in verdicts.items()]
        alike.setdefault("; ".join(clauses), []).append(f"*{name}*")
    said = [f"By {join(names)}, {clause}." for clause, names in alike.items()]
    if groups < FEW_GROUPS:
        said.append(f"{groups} groups are too few to compare predictions of groups left out.")
    return said
