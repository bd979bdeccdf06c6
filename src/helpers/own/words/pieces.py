"""Pieces of sentences: names, numbers, estimates, lists, and tables as Markdown."""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from helpers import tables
from helpers.frames import original_term
from helpers.own.question import Question
from helpers.priors import LOWER, UPPER

LISTED = 12  # groups or rows that a sentence or a table lists


def code(name: object) -> str:
    """A name as Markdown shows code."""
    return f"`{name}`" if "`" not in str(name) else f"`` {name} ``"


def safe(text: object) -> str:
    """Text of a reader's in which no dollar sign begins a formula."""
    return str(text).replace("$", r"\$")


def unit_of(question: Question) -> str:
    """The outcome's unit, as Markdown shows it."""
    return safe(question.unit)


def as_markdown(table: pd.DataFrame) -> str:
    """A DataFrame as a Markdown table."""
    rows = [[table.index.name or "", *table.columns]]
    rows += [[label, *row] for label, row in zip(table.index, table.to_numpy(), strict=True)]
    rows = [[_as_cell(cell) for cell in row] for row in rows]
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _as_cell(cell: object) -> str:
    return re.sub(r"(?<!\\)\$", r"\\$", str(cell)).replace("|", "\\|")


def count(number: int, noun: str) -> str:
    """A number with its noun: "1 row", "2 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def join(parts: list[str], last: str = "and") -> str:
    parts = [str(part) for part in parts]
    return f" {last} ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def listed(names: list, most: int = LISTED) -> str:
    """Names in a sentence, and how many more there are."""
    more = [f"{len(names) - most:,} more"] if len(names) > most else []
    return join([*names[:most], *more])


def estimates(draws: Mapping[str, xr.DataArray] | xr.Dataset, unit: str = "") -> pd.Series:
    """Mean and 95 % interval of draws in words, by name, all with the same decimals."""
    shown = tables.present_summary(xr.Dataset(dict(draws)))
    unit = f" {unit}".rstrip()
    return pd.Series({name: interval(row, unit) for name, row in shown.iterrows()})


def estimate(draws: xr.DataArray, unit: str = "") -> str:
    """Mean and 95 % interval of draws in words."""
    return estimates({"": draws}, unit).iloc[0]


def interval(row: Mapping[str, str], unit: str = "") -> str:
    return f"{row['mean']}{unit} (95 % interval {row[LOWER]} to {row[UPPER]}{unit})"


def name_term(table: pd.DataFrame, term: str) -> str:
    """A term with the reader's own names of columns, as code."""
    return code(original_term(table, term))


def from_to(values: pd.Series, unit: str) -> str:
    """The lowest and the highest of some numbers, with their labels and the same decimals.

    The larger of the two has three significant digits.
    """
    low, high, largest = values.idxmin(), values.idxmax(), values.abs().max()
    decimals = max(2 - int(np.floor(np.log10(largest))), 0) if largest else 0
    least, most = (
        f"{round(float(values[k]), decimals) + 0.0:,.{decimals}f}".replace("-", tables.MINUS)
        for k in (low, high)
    )
    return f"{least} ({safe(low)}) to {most} {unit} ({safe(high)})"


def exact_number(value: float, digits: int = 3) -> str:
    """A number without Monte Carlo error, with so many significant digits."""
    text = f"{value:,.{digits}g}" if abs(value) < 10**digits else f"{value:,.0f}"
    return text.replace("-", tables.MINUS)


def percent(share: float, digits: int = 1) -> str:
    """A share in percent, such as "39.2 %"."""
    return f"{100 * share:.{digits}f} %"


def with_minus(text: str) -> str:
    """Text in which a hyphen before a number is a true minus."""
    return re.sub(r"(?<![\w-])-(?=\d)", tables.MINUS, text)


def plain(value: float) -> str:
    """A number as the reader gave it, with a true minus."""
    return f"{value:g}".replace("-", tables.MINUS)
