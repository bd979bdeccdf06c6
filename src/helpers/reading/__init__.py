"""Any table that a spreadsheet writes, read with every decision told.

What the bytes are (``source``), where the table stands in the text (``layout``), how a number is
written (``numbers``), what numbers of one column are (``quantities``) and what else a column holds
(``columns``), as a reader asks for it (``wishes``); then a look at what was read (``look``).
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from helpers.reading.columns import type_columns
from helpers.reading.layout import Sheet, lay_out
from helpers.reading.look import describe, find_troubles
from helpers.reading.source import read_text
from helpers.reading.wishes import Wishes

__all__ = ["describe", "find_troubles", "read_table"]


def read_table(
    source: str | Path,
    columns: Iterable[str] = (),
    *,
    numeric: Iterable[str] = (),
    text: Iterable[str] = (),
    missing: Iterable[str] = (),
    decimal: str | None = None,
) -> pd.DataFrame:
    """Read a delimited file and give every column its type.

    Parameters
    ----------
    source
        A path, or an address that begins with http:// or https://.
    columns
        Columns that the file must have; further ones are kept. If you name some, a further column
        that cannot be read stays text instead of stopping you.
    numeric, text
        Of these, columns that must hold numbers, and columns whose values are labels as they stand.
    missing
        Words that mean "missing" in every column, such as "NA". Without them, "NA" and the like are
        missing among numbers and labels among labels.
    decimal
        "," or ".", where the file itself leaves it open.

    Returns
    -------
    DataFrame of int, float, bool, datetime64 and str columns, without empty rows. Its index counts
    rows as a spreadsheet does: where the names are row 1, values begin in row 2. ``attrs["reading"]``
    is a list of sentences: what was decided on the way. ``attrs["read_csv"]`` are arguments with which
    ``pandas.read_csv`` reads the same, where its own would not.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no table, or a value cannot be read without a guess; one sentence names the file,
        the column, the row and the way out.
    """
    if decimal not in (None, ",", "."):
        raise ValueError(f"decimal is {decimal!r}, but should be ',' or '.'.")
    numeric, labels, missing = _as_tuple(numeric), _as_tuple(text), _as_tuple(missing)
    needed = tuple(dict.fromkeys([*_as_tuple(columns), *numeric, *labels]))
    file, content, encoding, told = read_text(source)
    sheet = lay_out(content, file)
    sheet.check_columns(needed)
    wishes = Wishes(file, sheet.separator, needed, numeric, labels, missing, decimal)
    frame, decided = type_columns(sheet.cells, sheet.written, wishes)
    frame.attrs["reading"] = [*told, *sheet.told, *decided]
    signs = frame.attrs["read_csv"]
    frame.attrs["read_csv"] = _name_arguments(sheet, encoding, missing) | signs
    return frame


def _name_arguments(sheet: Sheet, encoding: str, missing: tuple[str, ...]) -> dict:
    """Arguments of ``pandas.read_csv`` besides the signs of numbers, without those that are its own."""
    given = {"sep": sheet.separator} if sheet.separator != "," else {}
    given |= {} if encoding.startswith("utf-8") else {"encoding": encoding}
    given |= {"skiprows": sheet.skipped} if sheet.skipped else {}
    given |= {"nrows": sheet.length} if sheet.length else {}
    return given | ({"na_values": list(missing)} if missing else {})


def _as_tuple(names: str | Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)
