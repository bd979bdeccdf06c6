"""Sentences about what a sceptic would change."""

import numpy as np
import pandas as pd

from helpers import tables
from helpers.families import GAUSSIAN
from helpers.own.draws import sign_of
from helpers.own.question import NONE, Question
from helpers.own.sensitivity import SLOPES_BY_GROUP
from helpers.own.words import beyond
from helpers.own.words.pieces import code, exact_number, join, percent, safe, unit_of
from helpers.priors import LOWER, UPPER

SHIFT = 0.2  # share by which a spread or a width changes noticeably
WIDER = 0.2  # share by which an interval is noticeably wider
LITTLE, MUCH = 0.5, 1.0  # posterior sds by which an answer moves


def tabulate_changes(table: pd.DataFrame, effect: str = "") -> pd.DataFrame:
    """The answer under each change as text; ``effect`` names it and its unit."""
    digits = max(0, 2 - int(np.floor(np.log10(table["mean"].sub(table[LOWER]).iloc[0]))))
    shown = table.map(lambda value: "" if pd.isna(value) else f"{value:.{min(digits, 6)}f}")
    return shown.replace("-", tables.MINUS, regex=True).rename_axis(
        f"change; {effect}" if effect else "change"
    )


def describe_sensitivity(
    question: Question, table: pd.DataFrame, sd: float, skipped: list[str], effect: str = ""
) -> str:
    """How far the answer moves, in posterior sds, and whether its sign is settled throughout.

    ``table`` is that of ``sensitivity.refit``, with the answer first; ``sd`` is the posterior sd of the
    answer, ``effect`` its name.
    """
    if len(table) < 2:
        return " ".join(["No change could be tried.", *(f"Not tried: {safe(s)}." for s in skipped)])
    moves = (table["mean"] - table["mean"].iloc[0]).iloc[1:] / sd
    most = moves.abs().idxmax()
    size = abs(moves[most])
    of = f" of {safe(effect)}" if effect else ""
    how = "little" if size < LITTLE else "noticeably" if size < MUCH else "strongly"
    named = f", {safe(effect)}," if effect else ""
    parts = [
        f"The answer{named} moves {how}: by at most {size:.1f} of its posterior sd, in the row *{safe(most)}*."
    ]
    prior, far = _find_prior(table, sd)
    if far >= LITTLE:
        parts.append(
            f"**It hangs on the prior:** in the row *{safe(prior)}* it moves by {far:.1f} posterior sds. Say why "
            "this prior and no wider one, or state a wider plausible range."
        )
    signs = [sign_of(low, high) for low, high in zip(table[LOWER], table[UPPER], strict=True)]
    if question.kind != NONE:
        other = table.index[[sign != signs[0] for sign in signs]]
        if len(other):
            was = "excludes" if signs[0] else "includes"
            now = "includes" if signs[0] else "excludes"
            under = join([f"*{safe(one)}*" for one in other])
            parts.append(
                f"The interval{of} {was} 0; it {now} 0 in the row{'s' * (len(other) > 1)} {under}."
            )
        else:
            word = "excludes" if signs[0] else "includes"
            parts.append(f"The interval{of} {word} 0 under every change.")
    if SLOPES_BY_GROUP in table.index:
        parts.append(_say_wider(table))
    parts += [_say_widths(table), *_say_spread_changes(question, table)]
    parts += [f"Not tried: {safe(one)}." for one in skipped]
    return " ".join(part for part in parts if part)


def _say_widths(table: pd.DataFrame) -> str:
    """Which change makes the interval noticeably wider or narrower, if one does."""
    widths = table[UPPER] - table[LOWER]
    ratio = (widths / widths.iloc[0]).iloc[1:]
    most = np.abs(np.log(ratio)).idxmax()
    if abs(ratio[most] - 1) <= SHIFT:
        return "The width of the interval changes little."
    return f"The interval becomes {ratio[most]:.2f} times as wide in the row *{safe(most)}*."


def _say_spread_changes(question: Question, table: pd.DataFrame) -> list[str]:
    """How the sds of the levels go with the scales of priors, where they do or were asked for."""
    unit, said = unit_of(question), []
    if question.family != GAUSSIAN:
        unit = beyond.describe_unit_of_priors(question)
    scaled = table.filter(like="scales of all", axis=0)
    factors = question.terms.factors if len(scaled) == 2 else ()  # else the gate refused one
    for factor in (factor for factor in factors if f"1|{factor}_sigma" in table):
        half, double = scaled[f"1|{factor}_sigma"]
        moves = abs(double - half) > SHIFT * table[f"1|{factor}_sigma"].iloc[0]
        if moves or question.kind == NONE:
            of = f" of {code(factor)}" if question.further else ""
            how = "too few to outvote the prior" if moves else "enough to outvote the prior"
            said.append(
                f"With scales halved the sd of the levels{of} is {exact_number(half)}, with scales doubled "
                f"{exact_number(double)} {unit}: {question.terms.count_groups(factor):,} groups are {how}."
            )
    return said


def _say_wider(table: pd.DataFrame) -> str:
    """How much wider the interval is where slopes may differ by group; "" if hardly."""
    width = table[UPPER] - table[LOWER]
    more = width[SLOPES_BY_GROUP] / width.iloc[0] - 1
    if more < WIDER:
        return ""
    return f"**With slopes by group its interval is {percent(more, 0)} wider**: one slope for all is a strong assumption."


def _find_prior(table: pd.DataFrame, sd: float) -> tuple[str, float]:
    """The change of a prior that moves the answer most, and by how many posterior sds."""
    moves = (table["mean"] - table["mean"].iloc[0]).abs() / sd
    moves = moves[[label for label in moves.index if "prior" in label]]
    return (moves.idxmax(), float(moves.max())) if len(moves) else ("", 0.0)


def warn_of_prior(question: Question, name: str, table: pd.DataFrame, sd: float) -> str:
    """Say before the answer that the effect ``name`` hangs on the prior; "" where it does not.

    ``table`` and ``sd`` are those of ``describe_sensitivity``.
    """
    prior, far = _find_prior(table, sd)
    if far < LITTLE:
        return ""
    what = "the mean" if question.kind == NONE else name
    wide = tabulate_changes(table).filter(like="scales of all priors doubled", axis=0)
    instead = "".join(
        f" With the scales of all priors doubled it is {row['mean']} {unit_of(question)} (95 % interval "
        f"{row[LOWER]} to {row[UPPER]} {unit_of(question)})."
        for _, row in wide.iterrows()
    )
    return (
        f"**Read this with care:** {safe(what)} hangs on the prior: in the row *{safe(prior)}* of the sensitivity it moves by "
        f"{far:.1f} posterior sds.{instead}"
    )
