"""What a reader asks of the columns of a file, and how a column that cannot be read is refused."""

from dataclasses import dataclass, field

import pandas as pd


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
    """A column with its type, and sentences on what was decided; of numbers the signs that they are
    written with, as ``pandas.read_csv`` names them, where they are not its own."""

    values: pd.Series
    told: list[str] = field(default_factory=list)
    signs: dict[str, str] = field(default_factory=dict)


def as_labels(name: str) -> str:
    """The way out where a column may hold labels."""
    return f"read_table(..., text=[{name!r}]) keeps the column as labels"
