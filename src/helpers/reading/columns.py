"""What the columns of a table of text hold: numbers, truth values, dates or labels."""

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
    has_groups,
    is_ambiguous,
    split_number,
)

BROKEN = re.compile(r"#(?:[A-ZÄÖÜ0-9/]+[!?]|#+)")  # such as #DIV/0!, #REF!, #NAME?, #####
NOT_AVAILABLE = ("#n/a", "#nv", "#n/v")
MISSING = (
    *("na", "n/a", "n.a.", "<na>", "nan", "nv", "null", "none", "nil", "missing", "k.a."),
    *("-", "--", "\u2013", "\u2014", ".", "..", "...", "?"),
)
TRUTH = {"true": True, "false": False, "wahr": True, "falsch": False, "vrai": True, "faux": False}
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


class Unreadable(ValueError):
    """A column that cannot be read without a guess; one sentence says where and why."""


@dataclass(frozen=True)
class Wishes:
    """What a reader asks of the columns of a file (see ``reading.read_table``)."""

    file: str
    separator: str = ","
    needed: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    decimal: str | None = None

    def refuse(self, cells: pd.Series, chosen: pd.Series | str, problem: str) -> Unreadable:
        """The error for the first cell that was chosen, by a mask or by its text."""
        first = cells.index[cells == chosen if isinstance(chosen, str) else chosen][0]
        return Unreadable(
            f"{self.file}, row {first}, column {cells.name!r}: {cells[first]!r} {problem}."
        )


@dataclass(frozen=True)
class Typed:
    """A column with its type, and sentences on what was decided."""

    values: pd.Series
    told: list[str] = field(default_factory=list)


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


def type_columns(cells: pd.DataFrame, wishes: Wishes) -> tuple[pd.DataFrame, list[str]]:
    """Columns with their types, and sentences on what was decided.

    ``cells`` are text, as in ``layout.Sheet``. Errors are those of ``reading.read_table``; for a column
    that is not needed they become a sentence, and the column stays text.
    """
    found = {name: _or_text(_recognize, cells[name], wishes) for name in cells}
    signs = {name: part.decimals for name, part in found.items() if isinstance(part, Numbers)}
    known = {name: min(sign) for name, sign in signs.items() if len(sign) == 1}
    told = []
    commas = [repr(name) for name, sign in known.items() if sign == ","]
    if commas:
        told.append(f"Decimals are written with commas in {', '.join(commas)}.")
    for name, part in found.items():
        if isinstance(part, Numbers):
            found[name] = _or_text(_convert, cells[name], wishes, part, known)
        told += found[name].told
    values = {name: typed.values for name, typed in found.items()}
    return pd.DataFrame(values, index=cells.index), told


def _or_text(step: Callable, column: pd.Series, wishes: Wishes, *further) -> Typed | Numbers:
    """What a step makes of a column, or text where it fails and the column is not needed."""
    try:
        return step(column, wishes, *further)
    except Unreadable as error:
        if not wishes.needed or column.name in wishes.needed:
            raise
        return Typed(column, [f"Column {column.name!r} stays text: {error}"])


def _recognize(column: pd.Series, wishes: Wishes) -> Typed | Numbers:
    """Find out what a column of text holds."""
    broken = column.str.fullmatch(BROKEN).fillna(False).astype(bool)
    if broken.any():
        raise wishes.refuse(column, broken, "is an error of the spreadsheet; repair its formula")
    folded = column.str.casefold()
    empty = folded.isin(NOT_AVAILABLE) | column.isin(wishes.missing)
    told, column = _tell_missing(column, empty), column.mask(empty)
    if column.name in wishes.text:
        return _keep_labels(column, told)
    words = folded.isin(MISSING) & column.notna()
    values, told_words = column.mask(words), told + _tell_missing(column, words)
    if not values.notna().any():
        return Typed(values.astype(float), [*told_words, f"Column {column.name!r} is empty."])
    finders = [_find_truth, _find_dates, _find_numbers]
    for find in finders[2:] if column.name in wishes.numeric else finders:
        part = find(values, wishes)
        if not isinstance(part, list):
            return replace(part, told=told_words + part.told)
        told += part
    return _keep_labels(column, told)


def _tell_missing(column: pd.Series, missing: pd.Series) -> list[str]:
    """Sentences on words that count as missing."""
    return [
        f"Column {column.name!r}: {word!r} counts as missing ({name_rows(column.index[column == word])})."
        for word in column[missing].dropna().unique()
    ]


def _keep_labels(column: pd.Series, told: list[str]) -> Typed:
    """A column of text, and a sentence on each label that may mean missing."""
    words = column[column.str.casefold().isin(MISSING)].unique()
    kept = [
        f"Column {column.name!r}: {word!r} is kept as a label ({name_rows(column.index[column == word])}); "
        f"if it means missing, read_table(..., missing=[{word!r}]) says so."
        for word in words
    ]
    return Typed(column, told + kept)


# Finders return what they found, or else sentences on why it is something else; often none.


def _find_truth(values: pd.Series, wishes: Wishes) -> Typed | list[str]:
    folded = values.str.casefold()
    if not folded.dropna().isin(TRUTH).all():
        return []
    truth = folded.map(TRUTH)
    return Typed(truth.astype("boolean" if truth.isna().any() else bool))


def _find_dates(values: pd.Series, wishes: Wishes) -> Typed | list[str]:
    texts, name = values.dropna(), values.name
    order = next((order for order, form in DATES.items() if texts.str.fullmatch(form).all()), None)
    if order is None:
        return []
    if order == "slashed":
        parts = texts.str.extract(r"(\d+)/(\d+)").astype(int)
        order = "month first" if (parts[1] > 12).any() else "day first"
        if not (parts > 12).any(axis=None):
            first = f"{texts.iloc[0]!r} ({name_rows(texts.index[:1])})"
            return [
                f"Column {name!r} stays text: of dates like {first} day and month cannot be told "
                "apart, so write them as 2024-12-31."
            ]
    style = {"format": "ISO8601"} if order == "year first" else {"format": "mixed"}
    dates = pd.to_datetime(values, errors="coerce", dayfirst=order == "day first", **style)
    wrong = dates.isna() & values.notna()
    if wrong.any():
        where = name_rows(values.index[wrong])
        return [f"Column {name!r} stays text: {values[wrong].iloc[0]!r} is no date ({where})."]
    return Typed(dates, [f"Column {name!r} holds dates, {order}."])


def _find_numbers(values: pd.Series, wishes: Wishes) -> Numbers | list[str]:
    parts = {text: split_number(text) for text in values.dropna().unique()}
    parts = _without_unlike_units(parts)
    bad = values.isin([text for text, part in parts.items() if part is None])
    if bad.any():
        return _judge_unread(values, bad, wishes)
    padded = values.str.fullmatch(rf"[{APOSTROPHES}]?0[0-9]+").fillna(False).astype(bool)
    if padded.any() and values.name not in wishes.numeric:
        example = f"{values[padded].iloc[0]!r} ({name_rows(values.index[padded][:1])})"
        return [f"Column {values.name!r} stays text: {example} begins with a zero, as ids do."]
    units = values.map(lambda text: parts[text][1], na_action="ignore")
    unit = units.mode()[0]
    if (units.dropna() != unit).any():
        raise wishes.refuse(
            values,
            units.notna() & (units != unit),
            f"has {_name_unit(units[units.notna() & (units != unit)].iloc[0])} but others have "
            f"{_name_unit(unit)}; write numbers of one unit without it, or {_as_labels(values.name)}",
        )
    found = Numbers(values, {text: number for text, (number, _) in parts.items()})
    if not found.decimals:
        comma, point = (found.first(lambda n, s=sign: decimals_of(n) == s) for sign in ",.")
        raise wishes.refuse(
            values,
            comma,
            f"has a decimal comma, but {point!r} in {name_rows(values.index[values == point][:1])} a "
            f"decimal point; write one of them throughout, or {_as_labels(values.name)}",
        )
    return replace(found, told=_tell_writing(found, unit))


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
        way_out = "repair it" if name in wishes.numeric else f"repair it, or {_as_labels(name)}"
        raise wishes.refuse(values, bad, f"is {what or 'not a number'}; {way_out}")
    if good <= number:
        return []
    where = name_rows(values.index[bad])
    return [
        f"Column {name!r} stays text: {number} of its values are no numbers, such as {text!r} ({where})."
    ]


def _as_labels(name: str) -> str:
    return f"read_table(..., text=[{name!r}]) keeps the column as labels"


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


def _convert(column: pd.Series, wishes: Wishes, found: Numbers, known: dict[str, str]) -> Typed:
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
    return Typed(values, told)


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
