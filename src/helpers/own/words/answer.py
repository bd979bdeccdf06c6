"""Sentences about the answer: effects, their scope and signs, new groups."""

import re
from collections.abc import Mapping

import numpy as np
import xarray as xr

from helpers import tables
from helpers.families import GAUSSIAN
from helpers.own import effects
from helpers.own.candidates import BOTH
from helpers.own.checks import Check
from helpers.own.draws import limits_of, sign_of
from helpers.own.question import FACTOR, NONE, NUMBER, Question
from helpers.own.rows import modifiers
from helpers.own.words import beyond
from helpers.own.words.checks import say_failed
from helpers.own.words.pieces import (
    code,
    estimates,
    exact_number,
    from_to,
    join,
    name_term,
    plain,
    unit_of,
)

SLIGHT = 0.05  # share of the information that is not worth a word


def describe_scope(question: Question, chosen: str, share: float | None = None) -> str:
    """What is compared: rows of one group, groups, or both; ``share`` is that of groups, if known."""
    if question.is_sampled:
        return beyond.describe_compared(question)
    group = code(question.group)
    if question.kind == NONE:
        return ""
    if chosen == BOTH or not question.differs_between:
        return f"comparing rows of one {group}"
    if not question.differs_within:
        return f"comparing groups of {group}"
    if share is not None and share < SLIGHT:
        return f"comparing almost only rows of one {group}"
    if share is not None and share > 1 - SLIGHT:
        return f"comparing almost only groups of {group}"
    return f"comparing rows within and between groups of {group}"


def say_effects(question: Question, said: Mapping[str, str]) -> str:
    """The effects of the population, without a full stop."""
    outcome, column = code(question.outcome), code(question.column)
    if question.kind == FACTOR:
        parts = "; ".join(f"{name} **{text}**" for name, text in said.items())
        return f"{outcome} by {column}: {parts}"
    (text,) = said.values()
    if question.kind == NONE:
        return f"The mean of {outcome} is **{text}**"
    verb = "goes" if question.per == 1 else "go"
    return f"{plain(question.per)} more of {column} {verb} with **{text}** of {outcome}"


def describe_answer(
    question: Question,
    chosen: str,
    answer: effects.Answer,
    checks: list[Check],
) -> str:
    """The answer in sentences; a failed check is said first."""
    found, new = answer.population, answer.new
    unit, group = unit_of(question), code(question.group)
    parts = [say_failed(checks)]
    said = estimates(found, unit)
    main = effects.overall(found)
    scope = describe_scope(question, chosen, answer.between)
    sentence = say_effects(question, {n: said[n] for n in main})
    table, asked = question.table, _asked(question)
    others = [name_term(table, n) for n in question.terms.used if n not in asked]
    held = f", {join(others)} being equal" if others and question.kind != NONE else ""
    tail = f"{held}, {scope}" if scope else ""
    if question.family == GAUSSIAN:
        parts.append(f"{sentence}{tail}.{_say_sameness(question)}{_say_bend(question)}")
    else:
        parts.append(f"{sentence}, {beyond.describe_average(question)}{tail}.")
    if question.kind == NUMBER:
        parts.append(_warn_of_reach(question, chosen))
    if question.kind != NONE:
        parts.append(_say_direction(found, main))
    inner = [n for n in found if "," in n]
    if inner:
        by = "; ".join(f"{n.partition(', ')[2]}: {said[n]}" for n in inner)
        parts.append(f"It depends on {_list_modifiers(question)}: {by}.")
        parts.append(_say_apart(question, found))
    if question.family != GAUSSIAN:
        parts += beyond.describe_other_answers(question, answer)
        if question.own_slopes:
            parts.append(_say_groups(question, answer.by_group))
    elif question.own_slopes:
        # Apart, since of many groups fewer draws are kept.
        own = {"these": answer.by_group.mean(question.group), "new": new}
        told = {name: estimates({name: draws}, unit)[name] for name, draws in own.items()}
        parts.append(
            f"In the mean over these {len(question.sizes):,} groups of {group} it is {told['these']}; for "
            f"a group never seen {told['new']}, below 0 with probability "
            f"{tables.format_probability(new < 0)}."
        )
        parts += _say_new_by_level(answer.new_by_level, unit)
        parts.append(_say_groups(question, answer.by_group))
    return " ".join(part for part in parts if part)


def _say_sameness(question: Question) -> str:
    """Whether the effect is a mean over groups, or one that the model has for all."""
    if question.kind == NONE or question.own_slopes:
        return " This is the mean over groups like these."
    if not question.differs_within:
        return ""
    return f" The model takes that to be the same in every {code(question.group)}."


def _say_bend(question: Question) -> str:
    """That functions of the predictor, such as its square, change the effect along it."""
    if not question.is_column:
        return ""
    named = re.compile(rf"\b{re.escape(question.column)}\b")
    others = [n for n in question.terms.common if "(" in n and named.search(n)]
    if not others:
        return ""
    return (
        f" That is the coefficient of {code(question.column)} alone; with {join(map(code, others))} the "
        "effect changes along it, as the table of what to expect shows."
    )


def _list_modifiers(question: Question) -> str:
    return join([code(name) for name in modifiers(question)])


def _say_apart(question: Question, found: xr.Dataset) -> str:
    """How far the effect differs between levels, and whether the sign of that is settled."""
    apart = effects.between_levels(question, found)
    if not apart:
        return ""
    said = estimates(apart, unit_of(question))
    many = len(effects.overall(found)) > 1
    labels = {n: n if many else n.partition(", ")[2] for n in apart}
    told = "; ".join(f"{labels[n]} **{said[n]}**" for n in apart)
    short = apart.rename({n: f"the difference {labels[n]}" for n in apart})
    sign = _say_direction(short, list(short))
    sign = sign.replace("The interval ", "The interval of that difference ")
    return f"Difference of these effects: {told}. {sign}"


def _say_new_by_level(new: Mapping[str, xr.DataArray], unit: str) -> list[str]:
    """The effect of a group never seen, a sentence a level."""
    said = estimates(new, unit) if new else {}
    return [
        f"For one with {label} {said[label]}, below 0 with probability "
        f"{tables.format_probability(draws < 0)}."
        for label, draws in new.items()
    ]


def _warn_of_reach(question: Question, chosen: str) -> str:
    """Say if slopes within groups are told for more than any group differs in the predictor."""
    if chosen != BOTH and question.differs_between:
        return ""
    largest = question.ranges_within.max()
    if not 0 < largest < question.per:
        return ""
    return (
        f"**{plain(question.per)} more of {code(question.column)} is more than the table has:** rows of one "
        f"{code(question.group)} lie at most {exact_number(largest)} apart. Tell it per "
        f"{plain(10 ** np.floor(np.log10(largest)))} (`per`)."
    )


def _asked(question: Question) -> set[str]:
    """Columns of the outcome, of the main term, and of the groups."""
    outcome = question.terms.design.response.term.term.var_names
    main = {question.main, question.column} | set(re.findall(r"\w+", question.main or ""))
    return {*outcome, *main, *question.grouping_columns}


def _say_direction(found: xr.Dataset, main: list[str]) -> str:
    """Whether the signs are settled."""
    open_ones, settled = [], []
    for name in main:
        _, low, high = limits_of(found[name])
        sign = sign_of(low, high)
        chance = tables.format_probability(found[name] > 0)
        what = f" of {name}" if len(main) > 1 else ""
        if sign:
            settled.append(name)
        else:
            open_ones.append(
                f"the sign{what} is not settled: the interval includes 0, and the probability that it is "
                f"above 0 is {chance}"
            )
    if not open_ones:
        return "The interval excludes 0." if len(main) == 1 else "All of these intervals exclude 0."
    text = "; ".join(open_ones)
    return text[0].upper() + text[1:] + "."


def _say_groups(question: Question, by_group: xr.DataArray) -> str:
    """Where the effects of the groups lie, and how many have a settled sign."""
    mean = by_group.mean(["chain", "draw"]).to_series()
    low, high = by_group.quantile([0.025, 0.975], ["chain", "draw"]).values
    above, below = int((low > 0).sum()), int((high < 0).sum())
    return f"By group its mean runs from {from_to(mean, unit_of(question))}; {_count_signs(len(mean), above, below)}."


def _count_signs(number: int, above: int, below: int) -> str:
    """How many of so many intervals exclude 0, and on which side."""
    if max(above, below) == number:
        return f"all {number:,} intervals lie {'above' if above else 'below'} 0"
    rest = number - above - below
    said = {"above": above, "below": below}
    parts = [f"{n:,} {'lies' if n == 1 else 'lie'} {side} 0" for side, n in said.items() if n]
    parts += [f"{rest:,} {'includes' if rest == 1 else 'include'} 0"] * bool(rest)
    return (
        f"of {number:,} intervals {join(parts)}"
        if rest < number
        else f"all {number:,} intervals include 0"
    )
