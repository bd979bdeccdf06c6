"""A look at a table before a model: what its columns hold, and what looks wrong in it."""

import re
import unicodedata
from collections.abc import Iterable

import numpy as np
import pandas as pd

from helpers.frames import check_column, name_rows
from helpers.reading.columns import MISSING
from helpers.reading.quantities import MANGLED

GARBLED = re.compile(r"\ufffd|[ÂÃ][\u0080-\u00bf]|â€")
CODES = (-1, -9, -99, -999, -9999, 99, 999, 9999)


def describe(frame: pd.DataFrame) -> pd.DataFrame:
    """What the columns of a table hold, one row a column.

    Returns
    -------
    DataFrame with ``name``, ``kind`` ("number", "whole number", "text", "yes-no", "date" or "empty"),
    ``missing`` and ``distinct`` (counts), ``smallest`` and ``largest`` (of numbers and dates, in
    the column's unit, else None), ``examples`` (the most frequent labels of text, else "").
    """
    # As objects, because a column of whole numbers and None would turn them into floats.
    rows = [_describe_column(frame.iloc[:, place]) for place in range(frame.shape[1])]
    return pd.DataFrame(rows, dtype=object).astype({"missing": int, "distinct": int})


def _describe_column(column: pd.Series) -> dict:
    there, kind = column.dropna(), kind_of(column)
    ordered = kind in ("number", "whole number", "date")
    frequent = there.value_counts().index[:3].tolist() if kind == "text" else []
    return {
        "name": column.name,
        "kind": kind,
        "missing": int(column.isna().sum()),
        "distinct": int(there.nunique()),
        "smallest": there.min() if ordered else None,
        "largest": there.max() if ordered else None,
        "examples": ", ".join(map(str, frequent)),
    }


def kind_of(column: pd.Series) -> str:
    """The kind of a column, as ``describe`` names it."""
    there = column.dropna()
    if there.empty:
        return "empty"
    if pd.api.types.is_bool_dtype(there):
        return "yes-no"
    if pd.api.types.is_datetime64_any_dtype(there):
        return "date"
    if not pd.api.types.is_numeric_dtype(there):
        return "text"
    return "whole number" if (there % 1 == 0).all() else "number"


def find_troubles(frame: pd.DataFrame, groups: str | Iterable[str] = ()) -> list[str]:
    """What looks wrong in a table, though it can be read: sentences that name columns and rows.

    Parameters
    ----------
    groups
        Columns by which a model will group the rows.

    Returns
    -------
    list of str, empty if nothing was found: labels that read alike, labels that may mean missing,
    labels that a spreadsheet took for dates, letters garbled by a wrong encoding, codes such as -999
    among numbers, columns with few or equal values, groups with one row or nearly as many groups as
    rows, rows that repeat others.

    Raises
    ------
    ValueError
        If a column of ``groups`` is not there.
    """
    groups = (groups,) if isinstance(groups, str) else tuple(groups)
    troubles = []
    for name in groups:
        check_column(frame, name)
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        kind = kind_of(column)
        looks = [_look_for_gaps]
        if kind == "text":
            looks += [_look_for_twins, _look_for_words]
        elif kind in ("number", "whole number"):
            looks.append(_look_for_codes)
        if column.name in groups:
            looks.append(_look_at_groups)
        troubles += [sentence for look in looks for sentence in look(column)]
    return troubles + _look_for_copies(frame)


def _look_for_gaps(column: pd.Series) -> list[str]:
    there = column.dropna()
    if there.empty:
        return [f"Column {column.name!r} is empty."]
    if len(there) <= len(column) / 10:
        return [
            f"Column {column.name!r} is nearly empty; it has values in {name_rows(there.index)}."
        ]
    if len(column) > 1 and len(there) == len(column) and there.nunique() == 1:
        return [f"Column {column.name!r} has one value only, {there.tolist()[0]!r}."]
    return []


def _look_for_twins(column: pd.Series) -> list[str]:
    """Labels that differ by case, spaces or the coding of letters; the rarer ones have the rows."""
    column = column.dropna().astype(str)
    counts = column.value_counts()
    plain = counts.index.to_series().map(_simplify)
    sentences = []
    for labels in plain.groupby(plain, sort=False).groups.values():
        common, *rare = sorted(labels, key=lambda label: (-counts[label], label))
        sentences += [
            f"Column {column.name!r}: {label!r} ({name_rows(column.index[column == label])}) may be meant "
            f"as {common!r} ({name_rows(column.index[column == common], 1)})."
            for label in rare
        ]
    return sentences


def _simplify(label: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", label).casefold().split())


def _look_for_words(column: pd.Series) -> list[str]:
    what = {
        "may mean that the value is missing": lambda label: label.strip().casefold() in MISSING,
        "may be a number or a label that a spreadsheet took for a date": MANGLED.fullmatch,
        "has letters garbled by a wrong encoding": GARBLED.search,
    }
    column = column.dropna().astype(str)
    return [
        f"Column {column.name!r}: {label!r} ({name_rows(column.index[column == label])}) {meaning}."
        for meaning, fits in what.items()
        for label in column.unique()
        if fits(label)
    ]


def _look_for_codes(column: pd.Series) -> list[str]:
    """Codes for missing values: extreme, and far from the others."""
    values = column.dropna().astype(float)
    infinite = values.index[np.isinf(values)]
    sentences = []
    if len(infinite):
        sentences.append(f"Column {column.name!r} is infinite in {name_rows(infinite)}.")
    for code in CODES:
        rest = values[~values.isin(CODES) & np.isfinite(values)]
        if not (values == code).any() or len(rest) < 3:
            continue
        beyond = rest.min() - code if code < 0 else code - rest.max()
        if beyond > rest.std() / 2 and (code > 0 or rest.min() >= 0 or beyond > 3 * rest.std()):
            rows = name_rows(values.index[values == code])
            sentences.append(
                f"Column {column.name!r}: {code} ({rows}) may be a code for a missing value; the other "
                f"values go from {rest.min():g} to {rest.max():g}; if it is, read_table(..., "
                f"missing=['{code}']) says so."
            )
    return sentences


def _look_at_groups(column: pd.Series) -> list[str]:
    sizes = column.value_counts()
    single = sizes.index[sizes == 1]
    name, rows = column.name, int(sizes.sum())
    if len(sizes) > 1 and len(sizes) > 0.7 * rows:
        return [
            f"Column {name!r} has {len(sizes):,} groups in {rows:,} rows; groups should have several rows."
        ]
    if not len(single):
        return []
    where = name_rows(column.index[column.isin(single)])
    return [
        f"Column {name!r}: {len(single):,} of {len(sizes):,} groups have one row only ({where})."
    ]


def _look_for_copies(frame: pd.DataFrame) -> list[str]:
    copies = frame.index[frame.duplicated()]
    if not len(copies):
        return []
    repeat = "repeats" if len(copies) == 1 else "repeat"
    return [
        f"{len(copies):,} of {len(frame):,} rows {repeat} an earlier row in all columns: {name_rows(copies)}."
    ]
