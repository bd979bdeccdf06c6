"""Sentences about the decision, and what would turn it."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from helpers import tables
from helpers.own.question import NONE, NUMBER, Question
from helpers.own.words.pieces import code, estimate, exact_number, join, plain, safe, unit_of


def describe_decision(
    question: Question,
    found: Mapping[str, xr.DataArray],
    gain: float | None,
    cost: float | None,
) -> str:
    """Whether the change pays, for whom, and what more knowledge would be worth."""
    if gain is None or cost is None:
        return (
            "No decision was made: it takes what one unit of the outcome is worth (`gain`) and what the "
            "change costs (`cost`)."
        )
    if question.kind == NONE:
        return "The formula has no predictor, so there is no change to decide about."
    change = (
        f"{question.per:g} more of {code(question.column)}"
        if question.kind == NUMBER
        else f"to another level of {code(question.column)}"
    )
    parts = [
        f"Assumed: one unit ({unit_of(question)}) more of {code(question.outcome)} is worth {plain(gain)}, the change "
        f"({change}) costs {plain(cost)}, and **the change does what the comparison says**, which no table "
        "of comparisons can show. Then it pays where the worth of the effect exceeds the cost in the mean:"
    ]
    for who, draws in found.items():
        worth = gain * draws
        net = float(worth.mean()) - cost
        regret = float(np.maximum(worth - cost, 0).mean()) - max(net, 0.0)
        said = estimate(worth)
        parts.append(
            f"{who}: worth {said}, against a cost of {plain(cost)}; it pays with probability "
            f"{tables.format_probability(worth > cost)}: **{'do it' if net > 0 else 'leave it'}**. To "
            f"know the effect exactly first would be worth {_say_regret(regret, worth)} at most."
        )
    return "\n- ".join([f"{parts[0]}\n", *parts[1:]])


def _say_regret(regret: float, worth: xr.DataArray) -> str:
    """What perfect knowledge is worth, unless it is less than a hundredth of the effect's sd."""
    return exact_number(regret, 2) if regret > 0.01 * float(worth.std()) else "next to nothing"


def describe_turned(
    question: Question,
    draws: Mapping[str, xr.DataArray],
    gain: float | None,
    cost: float | None,
    effect: str = "",
) -> str:
    """Under which changes the decision for the population turns from that of the first of the ``draws``; ``effect`` names what was followed."""
    of = f" on {safe(effect)}" if effect else ""
    if gain is None or cost is None or question.kind == NONE:
        return ""
    pays = {label: bool(gain * one.mean() > cost) for label, one in draws.items()}
    other = [label for label, one in pays.items() if one != next(iter(pays.values()))]
    if not other:
        return f"The decision{of} is the same under every change."
    return f"The decision{of} turns under: {safe(join(other))}."
