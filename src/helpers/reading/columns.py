"""What the columns of a table of text hold: numbers, truth values, dates or labels."""

import re
from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from helpers.frames import name_rows
from helpers.reading.quantities import DATES, Numbers, convert, find_numbers
from helpers.reading.wishes import Typed, Unreadable, Wishes

BROKEN = re.compile(r"#(?:[A-ZÄÖÜ0-9/]+[!?]|#+)")  # such as #DIV/0!, #REF!, #NAME?, #####
NOT_AVAILABLE = ("#n/a", "#nv", "#n/v")
MISSING = (
    *("na", "n/a", "n.a.", "<na>", "nan", "null", "none", "nil", "missing", "k.a."),
    *("-", "--", "\u2013", "\u2014", ".", "..", "...", "?"),
)
YEAR_FIRST = {"year first": r"\g<0>", "day first": r"\3-\2-\1", "month first": r"\3-\1-\2"}
TRUTH = {"true": True, "false": False, "wahr": True, "falsch": False, "vrai": True, "faux": False}


def type_columns(
    cells: pd.DataFrame, written: pd.DataFrame, wishes: Wishes
) -> tuple[pd.DataFrame, list[str]]:
    """Columns with their types, and sentences on what was decided.

    ``cells`` and ``written`` are text, as in ``layout.Sheet``. ``attrs["read_csv"]`` of the frame are the
    signs of numbers that ``pandas.read_csv`` has to be told. Errors are those of ``reading.read_table``; for a column
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
            found[name] = _or_text(convert, cells[name], wishes, part, known)
        told += found[name].told + _tell_merged(found[name].values, written[name])
    values = {name: typed.values for name, typed in found.items()}
    frame = pd.DataFrame(values, index=cells.index)
    signs = [typed.signs for typed in found.values()]
    frame.attrs["read_csv"] = {name: sign for one in signs for name, sign in one.items()}
    return frame, told


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
    finders = [_find_truth, _find_dates, find_numbers]
    for find in finders[2:] if column.name in wishes.numeric else finders:
        part = find(values, wishes)
        if not isinstance(part, list):
            return replace(part, told=told_words + part.told)
        told += part
    return _keep_labels(column, told)


def _tell_merged(values: pd.Series, written: pd.Series) -> list[str]:
    """Sentences on labels that others become when the spaces around them are taken off."""
    if not pd.api.types.is_string_dtype(values):
        return []
    merged = written[(written != values) & values.isin(values[written == values])].drop_duplicates()
    return [
        f"Column {values.name!r}: {label!r} (row {row}) is read as {values[row]!r}; spaces around labels "
        "are taken off."
        for row, label in merged.items()
    ]


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
    # The year first, because pandas takes "the day first" only as advice.
    iso = values.str.replace(r"^(\d+)[./](\d+)[./](\d+)", YEAR_FIRST[order], regex=True)
    dates = pd.to_datetime(iso, errors="coerce", format="ISO8601")
    wrong = dates.isna() & values.notna()
    if wrong.any():
        where = name_rows(values.index[wrong])
        return [f"Column {name!r} stays text: {values[wrong].iloc[0]!r} is no date ({where})."]
    return Typed(dates, [f"Column {name!r} holds dates, {order}."])
