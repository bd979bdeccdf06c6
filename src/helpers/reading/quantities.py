"""Columns of numbers: their unit, their decimal sign, their type."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import pandas as pd

from helpers.frames import name_rows
from helpers.reading.numbers import (
    APOSTROPHES,
    KNOWN,
    as_python,
    decimals_of,
    group_sign,
    has_groups,
    is_ambiguous,
    split_number,
)
from helpers.reading.wishes import Typed, Wishes, as_labels

DATES = {
    "year first": r"\d{4}-\d{1,2}-\d{1,2}(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?",
    "day first": r"\d{1,2}\.\d{1,2}\.\d{4}(?: \d{1,2}:\d{2}(?::\d{2})?)?",
    "slashed": r"\d{1,2}/\d{1,2}/\d{4}(?: \d{1,2}:\d{2}(?::\d{2})?)?",
}
MONTHS = "jan|feb|m[aä]r|mrz|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz]"
# What spreadsheets make of 3.5 or "2-5", such as "5-Mar", "Mrz 05", "05. Mrz"
MANGLED = re.compile(
    rf"\d{{1,2}}[-. ]{{1,2}}(?:{MONTHS})[a-z]?\.?|(?:{MONTHS})[a-z]?\.?[- ]\d{{1,2}}", re.IGNORECASE
)


@dataclass(frozen=True)
class Numbers:
    """A column that holds numbers, before its decimal sign is known.

    ``numbers`` has the number, without its unit, for each text of ``cells``.
    """

    cells: pd.Series
    numbers: dict[str, str]
    told: list[str] = field(default_factory=list)

    @cached_property
    def decimals(self) -> set[str]:
        """The decimal signs with which all numbers can be read."""
        return {".", ","}.intersection(*map(decimals_of, self.numbers.values()))

    def first(self, chosen: Callable[[str], bool]) -> str | None:
        """The first text whose number is chosen."""
        return next((text for text, number in self.numbers.items() if chosen(number)), None)


def find_numbers(values: pd.Series, wishes: Wishes) -> Numbers | list[str]:
    """The numbers of a column, or sentences on why it holds labels. Raises ``Unreadable``."""
    parts = _without_unlike_units({text: split_number(text) for text in values.dropna().unique()})
    bad = values.isin([text for text, part in parts.items() if part is None])
    if bad.any():
        return _judge_unread(values, bad, wishes)
    padded = values.str.fullmatch(rf"[{APOSTROPHES}]?0[0-9]+").fillna(False).astype(bool)
    if padded.any() and values.name not in wishes.numeric:
        example = f"{values[padded].iloc[0]!r} ({name_rows(values.index[padded][:1])})"
        return [f"Column {values.name!r} stays text: {example} begins with a zero, as ids do."]
    unit = _find_unit(values, parts, wishes)
    found = Numbers(values, {text: number for text, (number, _) in parts.items()})
    _check_decimals(found, wishes)
    return replace(found, told=_tell_writing(found, unit))


def _find_unit(values: pd.Series, parts: dict[str, tuple], wishes: Wishes) -> str:
    """The unit of all numbers, "" if none has one."""
    units = values.map(lambda text: parts[text][1], na_action="ignore")
    unit = units.mode()[0]
    other = units.notna() & (units != unit)
    if other.any():
        raise wishes.refuse(
            values,
            other,
            f"has {_name_unit(units[other].iloc[0])} but others have {_name_unit(unit)}; write numbers "
            f"of one unit without it, or {as_labels(values.name)}",
        )
    return unit


def _check_decimals(found: Numbers, wishes: Wishes) -> None:
    """Refuse numbers of which some have a decimal comma and others a decimal point."""
    if found.decimals:
        return
    cells = found.cells
    comma, point = (found.first(lambda n, s=sign: decimals_of(n) == s) for sign in ",.")
    raise wishes.refuse(
        cells,
        comma,
        f"has a decimal comma, but {point!r} in {name_rows(cells.index[cells == point][:1])} a decimal "
        f"point; write one of them throughout, or {as_labels(cells.name)}",
    )


def _without_unlike_units(parts: dict[str, tuple | None]) -> dict[str, tuple | None]:
    """Take a word behind a number for a unit only if it is known as one or behind every number."""
    units = {part[1] for part in parts.values() if part}
    if len(units) < 2:
        return parts
    return {
        text: part if part and (not part[1] or KNOWN.fullmatch(part[1])) else None
        for text, part in parts.items()
    }


def _judge_unread(values: pd.Series, bad: pd.Series, wishes: Wishes) -> list[str]:
    """Refuse a few texts among numbers; where they are many, the column holds labels."""
    name, number = values.name, int(bad.sum())
    good = int(values.notna().sum()) - number
    text = values[bad].iloc[0]
    if name in wishes.numeric or (good > number and number <= max(1, len(values) / 10)):
        mangled = MANGLED.fullmatch(text) or any(
            re.fullmatch(form, text) for form in DATES.values()
        )
        what = "a date, into which a spreadsheet may have turned a number" if mangled else ""
        way_out = "repair it" if name in wishes.numeric else f"repair it, or {as_labels(name)}"
        raise wishes.refuse(values, bad, f"is {what or 'not a number'}; {way_out}")
    if good <= number:
        return []
    where = name_rows(values.index[bad])
    return [
        f"Column {name!r} stays text: {number} of its values are no numbers, such as {text!r} ({where})."
    ]


def _name_unit(unit: str) -> str:
    return f"the unit {unit!r}" if unit else "no unit"


def _tell_writing(found: Numbers, unit: str) -> list[str]:
    """Sentences on what was taken off the numbers of a column, and on what looks rounded."""
    name, told = repr(found.cells.name), []
    if unit == "%":
        told.append(f"Column {name}: percent signs are taken off, so that 12 means 12 %.")
    elif unit:
        told.append(f"Column {name}: the unit {unit!r} of every number is taken off.")
    if any(text[0] in APOSTROPHES for text in found.numbers):
        told.append(f"Column {name}: apostrophes before numbers are taken off.")
    for sign in "\u2212\u2013":
        if any(sign in text for text in found.numbers):
            told.append(f"Column {name}: {sign!r} before a number is read as a minus.")
    rounded = found.first(re.compile(r".*[eE]\+?[1-9][0-9]").fullmatch)
    if rounded:
        told.append(
            f"Column {name}: {rounded!r} is read as a number; if it was a longer id, the spreadsheet has "
            "rounded it, so export the ids as text."
        )
    return told


def convert(column: pd.Series, wishes: Wishes, found: Numbers, known: dict[str, str]) -> Typed:
    """Numbers of a column, by the decimal sign of itself, of its file, or of the reader."""
    sign, reason = _choose_decimal(wishes, found, known)
    cells, told = found.cells, list(found.told)
    plain = {text: as_python(number, sign) for text, number in found.numbers.items()}
    grouped = found.first(lambda number: has_groups(number, sign))
    shown = grouped or (reason and found.first(is_ambiguous))
    if shown:
        where = name_rows(cells.index[cells == shown][:1])
        what = "thousands signs are taken off" if grouped else "its sign is the decimal one"
        told.append(
            f"Column {cells.name!r}: {shown!r} ({where}) is {plain[shown]}; {what}{reason}."
        )
    values = _as_numbers(cells.map(plain, na_action="ignore"))
    if values is None:
        return Typed(
            column, [f"Column {cells.name!r} stays text: it has more digits than numbers."]
        )
    signs = {"decimal": ","} if sign == "," else {}
    if grouped:
        signs["thousands"] = group_sign(found.numbers[grouped], sign)
    return Typed(values, told, signs)


def _choose_decimal(wishes: Wishes, found: Numbers, known: dict[str, str]) -> tuple[str, str]:
    """The decimal sign of a column, and the reason, where the column itself gives none."""
    possible, cells = found.decimals, found.cells
    if wishes.decimal and wishes.decimal not in possible:
        unlike = found.first(lambda number: wishes.decimal not in decimals_of(number))
        problem = f"has no decimal {wishes.decimal!r} but another one; leave out 'decimal'"
        raise wishes.refuse(cells, unlike, problem)
    ambiguous = found.first(is_ambiguous) if len(possible) > 1 else None
    if not ambiguous:
        return max(possible), ""
    if wishes.decimal:
        return wishes.decimal, ", as decimal says"
    if len(set(known.values())) == 1:
        other, sign = next(iter(known.items()))
        what = "commas" if sign == "," else "points"
        return sign, f", because decimals are written with {what} in column {other!r}"
    if wishes.separator == "," and not known:
        return ".", ""
    number = found.numbers[ambiguous]
    raise wishes.refuse(
        cells,
        ambiguous,
        f"may be {as_python(number, ',')} or {as_python(number, '.')}, and the other columns do not show which; "
        "read_table(..., decimal=',') or decimal='.' decides",
    )


def _as_numbers(plain: pd.Series) -> pd.Series | None:
    """Integers and floats of numerals as Python writes them; None if an integer has over 64 bits.

    Integers with gaps are floats, but for those that floats cannot hold.
    """
    there = plain.dropna()
    if not there.str.fullmatch(r"-?[0-9]+").all():
        return plain.astype(float)
    numbers = [int(text) for text in there]
    low, high = min(numbers), max(numbers)
    if low < -(2**63) or high >= 2 ** (63 if low < 0 else 64):
        return None
    if len(there) < len(plain) and max(-low, high) <= 2**53:
        return plain.astype(float)
    kind = "int64" if high < 2**63 else "uint64"
    if len(there) == len(plain):
        return pd.Series(numbers, plain.index, dtype=kind)
    nullable = kind.replace("int", "Int").replace("u", "U")
    return pd.Series(numbers, there.index, dtype=nullable).reindex(plain.index)
