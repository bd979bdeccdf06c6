"""Where in a text the table stands: its separator, its column names, its rows."""

import csv
import difflib
import io
import math
import re
from collections import Counter
from dataclasses import dataclass

import pandas as pd

from helpers.frames import name_rows
from helpers.reading.numbers import split_number

SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars"}
END = "\x1e"  # a record of its own after the last one, unless a quotation mark swallows it
BLANKS = "\ufeff\u200b \t\n\u00a0"
TOTAL = (
    r"(?:grand )?totals?|sum|mean|average|summe|gesamt(?:summe)?|insgesamt|mittelwert|durchschnitt"
)
REMARK = r"sources?|notes?|quellen?|anmerkung(?:en)?|stand"
FOOTER = re.compile(rf"(?:{TOTAL})\s*:?", re.IGNORECASE)
LONE_FOOTER = re.compile(rf"(?:(?:{TOTAL}|{REMARK})\b|[*†©])", re.IGNORECASE)


@dataclass(frozen=True)
class Sheet:
    """A table of text.

    ``cells`` has ``str`` columns, without a value where nothing stands; its index counts rows as a
    spreadsheet does. ``written`` are the same cells with the spaces around them. ``told`` are
    sentences on what was left out; ``skipped`` lines stand above the column names, and ``length``
    is how many lines with something in them the table has, if more stand below it.
    """

    file: str
    separator: str
    cells: pd.DataFrame
    written: pd.DataFrame
    told: list[str]
    skipped: int = 0
    length: int | None = None

    def check_columns(self, needed: tuple[str, ...]) -> None:
        """Raise a ``ValueError`` if a column is not there."""
        names = list(self.cells.columns)
        for column in needed:
            if column not in names:
                alike = difflib.get_close_matches(column, names, 1)
                hint = f" (do you mean {alike[0]!r}?)" if alike else ""
                raise ValueError(
                    f"{self.file} has no column {column!r}; it has {', '.join(names)}{hint}, so rename "
                    "the column or add it."
                )


def lay_out(text: str, file: str) -> Sheet:
    """Find the table in a text. Errors are those of ``reading.read_table``."""
    said = re.match(r'\ufeff?"?sep=(.)"?[ \t]*\n', text, re.IGNORECASE)
    if said:
        text, separator = text[said.end() :], said.group(1)
    else:
        separator = _sniff(text)
    raw = _split(text, separator, file)
    records = [[cell.strip(BLANKS) for cell in record] for record in raw]
    header = _find_header(records)
    if header is None:
        raise ValueError(f"{file} has no column names: it is empty, so save the table again.")
    names = _trim([" ".join(cell.split()) for cell in records[header]])
    if len(names) == 1:
        _check_one_column(records[header:], file, header + 1)
    rows = dict(enumerate(records[header + 1 :], header + 2))
    there = [number for number, row in rows.items() if row]  # if nothing but separators
    rows, footers = _split_footers(rows, len(names))
    inside = [number for number in there if number <= max(rows, default=0)]
    length = len(inside) if len(inside) < len(there) else None
    rows = _square(rows, len(names), file)
    cells = pd.DataFrame.from_dict(rows, orient="index", dtype=object).astype("str")
    cells = cells.where(cells != "")
    told = [_tell_separator(separator, said)]
    told += [
        f"Row {number} above the column names is left out: {records[number - 1][0]!r}."
        for number in range(1, header + 1)
        if any(records[number - 1])
    ]
    told += [
        f"Row {number} below the table is left out: {', '.join(filter(None, record))!r}."
        for number, record in footers.items()
    ]
    if cells.empty:
        raise ValueError(
            f"{file} has column names but no rows below them, so save the table again."
        )
    cells, names, dropped = _name_columns(cells, names, file)
    written = [[raw[number - 1][place] for place in cells] for number in cells.index]
    cells = cells.set_axis(names, axis=1)
    _check_names(cells, file, header + 1)
    written = pd.DataFrame(written, cells.index, names, dtype="str")
    skipped = header + bool(said)
    return Sheet(file, separator, cells, written, told + dropped, skipped, length)


def _tell_separator(separator: str, said: re.Match | None) -> str:
    name = SEPARATORS.get(separator, repr(separator))
    return f"Columns are parted by {name}" + (", as the first line says." if said else ".")


def _sniff(text: str) -> str:
    """The separator by which most lines have equally many cells, from the first one with names on."""
    head = text[:100_000].split("\n")[:200]
    best, score = ",", (-math.inf, 0)
    for separator in SEPARATORS:
        reader = csv.reader(io.StringIO("\n".join(head)), delimiter=separator)
        widths = [len(record) for record in reader if any(map(str.strip, record))]
        counts = Counter(width for width in widths if width > 1)
        if not counts:
            continue
        width, number = max(counts.items(), key=lambda item: (item[1], item[0]))
        regular = (number - widths.index(width)) / len(widths)
        if (regular, width) > score:
            best, score = separator, (regular, width)
    return best


def _split(text: str, separator: str, file: str) -> list[list[str]]:
    """Records of cells as they are written; a line without any cell is an empty record.

    Spaces before a cell stay, unless somewhere they part a quotation mark from its separator.
    """
    parted = re.search(rf'(?:^|{re.escape(separator)}) +"', text, re.MULTILINE) is not None
    whole = io.StringIO(f"{text.removesuffix(chr(10))}\n{END}\n", newline="")
    reader, records = csv.reader(whole, delimiter=separator, skipinitialspace=parted), []
    try:
        for record in reader:  # one by one, so that an error finds those before it
            records.append(record)
        closed = records.pop() == [END]
    except csv.Error:  # a cell longer than any: what an open quotation mark swallows
        closed = False
    if not closed:
        raise ValueError(
            f"{file}, row {len(records) + 1}: a quotation mark opens and never closes; close it or "
            "delete it."
        )
    return records


def _find_header(records: list[list[str]]) -> int | None:
    """Position of the first record that is more than a title, which stands alone in the first cell;
    where all records are so, there is one column."""
    filled = [[number for number, cell in enumerate(record) if cell] for record in records]
    wide = [place for place, cells in enumerate(filled) if cells and cells != [0]]
    some = [place for place, cells in enumerate(filled) if cells]
    return (wide or some or [None])[0]


def _trim(record: list[str]) -> list[str]:
    """A record without the empty cells at its end."""
    while record and not record[-1]:
        record = record[:-1]
    return record


def _check_one_column(records: list[list[str]], file: str, row: int) -> None:
    """Refuse a single column that holds whole rows: between quotation marks, or parted by spaces."""
    name, words = records[0][0], {len(record[0].split()) for record in records if any(record)}
    if re.search(r"[,;|\t]", name) or (len(records) > 1 and len(words) == 1 and max(words) > 1):
        raise ValueError(
            f"{file}, row {row}: all names stand in one cell, {name!r}; save the table with commas or "
            "semicolons between columns, and without quotation marks around whole rows."
        )


def _split_footers(rows: dict[int, list[str]], width: int) -> tuple[dict, dict]:
    """Part totals and remarks below the table from its rows, and leave out empty rows.

    A footer stands at the end. It is alone in its row and says that it is one, or stands after an
    empty row, or has no separators; or it is a row with a label such as "Total" that no other has.
    """
    filled = {number: [cell for cell in row if cell] for number, row in rows.items()}
    kept = {number: row for number, row in rows.items() if filled[number]}
    firsts = Counter(cells[0] for cells in filled.values() if cells)
    footers = {}
    for number in reversed(kept):
        cells = filled[number]
        alone = width > 1 and len(cells) == 1
        unlike = not filled.get(number - 1, True) or len(rows[number]) == 1
        says_so = alone and (unlike or LONE_FOOTER.match(cells[0]))
        if not (says_so or (FOOTER.fullmatch(cells[0]) and firsts[cells[0]] == 1)):
            break
        footers[number] = rows[number]
    rest = {number: row for number, row in kept.items() if number not in footers}
    return rest, dict(reversed(footers.items()))


def _square(rows: dict[int, list[str]], width: int, file: str) -> dict[int, list[str]]:
    """Rows with ``width`` cells each, or refused: what is missing or too much may be anywhere."""
    for number, row in rows.items():
        if any(row[width:]):
            raise ValueError(
                f"{file}, row {number} has more entries than there are column names ({len(_trim(row))} "
                f"and {width}); if numbers are written with commas, save the table with semicolons "
                "between columns, else repair the row or delete lines above the names."
            )
        if len(row) < width:
            raise ValueError(
                f"{file}, row {number} has fewer entries than there are column names ({len(row)} and "
                f"{width}); write a separator for each empty cell, or delete the row."
            )
    return {number: row[:width] for number, row in rows.items()}


def _name_columns(
    cells: pd.DataFrame, names: list[str], file: str
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Columns with names: empty ones without a name, and a count of rows, are left out."""
    keep, called, told = [], [], []
    for place, name in enumerate(names):
        values = cells[place].dropna()
        if not name and values.empty:
            continue
        if place == 0 and name in ("", "Unnamed: 0") and _counts_rows(cells[place]):
            told.append("The first column has no name and counts rows, so it is left out.")
            continue
        if not name and place:
            raise ValueError(
                f"{file}, row {values.index[0]}, column {place + 1}: {values.iloc[0]!r} stands in a "
                "column without a name; name the column, or delete lines above the names."
            )
        if not name:
            told.append("The first column has no name; here it is called 'column 1'.")
        keep.append(place)
        called.append(name or "column 1")
    return cells[keep], called, told


def _counts_rows(column: pd.Series) -> bool:
    if not column.notna().all() or not column.str.fullmatch(r"[0-9]{1,15}").all():
        return False
    numbers = column.astype("int64")
    return bool(numbers.is_monotonic_increasing and numbers.is_unique)


def _check_names(cells: pd.DataFrame, file: str, row: int) -> None:
    """Refuse names that come twice, and values where names should stand."""
    names = cells.columns
    if names.has_duplicates:
        twice = names[names.duplicated()][0]
        raise ValueError(f"{file} has two columns {twice!r}; rename or delete one.")
    again = (cells == list(names)).all(axis=1)
    if again.any():
        raise ValueError(
            f"{file}, {name_rows(cells.index[again])}: the column names stand here once more; delete them."
        )
    numbers = [name for name in names if split_number(name)]
    broken = [name for name in numbers if not name.isdigit()]
    if broken or len(numbers) == len(names):
        raise ValueError(
            f"{file}, row {row} holds the number {(broken or numbers)[0]!r} where a column name should "
            "stand; put a row of names above the values."
        )
