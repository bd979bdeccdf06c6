"""What is drawn and counted of a data set: a dot a row, or of yes/no outcomes a share of yes a cell."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.families import Family
from helpers.frames import group_labels, label_of, original_column
from helpers.priors import Columns, Plausible

PARTS = 5  # of the predictor's values
FEW = 5  # rows: the share of yes of fewer is 0 or 1 by chance alone
NEARLY = 1e-9


@dataclass(frozen=True)
class Dots:
    """Where dots of a data set are drawn: ``x``, and the number of their group (D,).

    ``cells`` (R,) are the numbers of the dots to which rows belong, if dots are no rows, and ``rows``
    (D,) how many belong to each. ``column`` is what is on the first axis; ``labels`` are those of both.
    """

    x: np.ndarray
    groups: np.ndarray
    column: str
    labels: tuple[str, str]
    cells: np.ndarray | None = None
    rows: np.ndarray | None = None

    def values(self, outcomes: np.ndarray) -> np.ndarray:
        """The dots' values (..., D) in data sets (..., R): outcomes, or shares of yes."""
        if self.cells is None:
            return outcomes
        order = np.argsort(self.cells, kind="stable")
        starts = np.concatenate([[0], np.cumsum(self.rows)[:-1]])
        return np.add.reduceat(outcomes[..., order], starts, axis=-1) / self.rows

    @property
    def least(self) -> int:
        """Rows of the smallest dot that is counted: ``FEW``, where there are dots of so many."""
        return 1 if self.rows is None else int(min(FEW, self.rows.max()))

    @property
    def counted(self) -> np.ndarray | slice:
        """Places of the dots whose values are counted."""
        return slice(None) if self.rows is None else np.flatnonzero(self.rows >= self.least)

    @property
    def radius(self) -> np.ndarray:
        """Radius (D,) of the dots on a screen, in pixels; their area grows with the rows."""
        if self.rows is None:
            return np.full(len(self.x), 3.0)
        return np.round(1.5 + 5 * np.sqrt(self.rows / self.rows.max()), 1)


def place_dots(frame: pd.DataFrame, columns: Columns, family: Family) -> Dots:
    """The dots of a table: one a row, or with yes/no outcomes one a group and fifth of the predictor.

    A predictor of up to five values has a part for each of them. A standardized one is shown in its
    own units; without one rows are drawn against their group.
    """
    groups = group_labels(frame, columns.group).cat.codes.to_numpy(dtype=int)  # codes are bytes
    shown, x = columns.group, groups
    if columns.predictor is not None:
        shown = original_column(frame, columns.predictor)
        x = frame[shown].to_numpy()
    labels = label_of(frame, shown), label_of(frame, columns.outcome)
    if family.link != "logit":
        return Dots(x, groups, shown, labels)
    own, cells, rows = np.unique(
        groups * PARTS + _parts(x.astype(float)), return_inverse=True, return_counts=True
    )
    labels = labels[0], f"Share of yes: {labels[1]}"
    return Dots(np.bincount(cells, x) / rows, own // PARTS, shown, labels, cells, rows)


def _parts(x: np.ndarray) -> np.ndarray:
    """The fifth of each value, or its number, if there are no more than five."""
    known = np.unique(x)
    if len(known) <= PARTS:
        return np.searchsorted(known, x)
    inner = np.quantile(x, np.arange(1, PARTS) / PARTS)
    return np.searchsorted(inner, x, side="right")


@dataclass(frozen=True)
class Ends:
    """Ends between which a dot's value is as it should be. ``heads`` and ``words`` are what a table and
    a sentence call values below, above and between; "" if there can be none."""

    low: float
    high: float
    heads: tuple[str, str, str]
    words: tuple[str, str, str]

    def tests(self) -> dict[str, Callable]:
        """Tests of values by the heading of their column."""
        tests = (
            lambda values: values < self.low,
            lambda values: values > self.high,
            lambda values: (values >= self.low) & (values <= self.high),
        )
        return {head: test for head, test in zip(self.heads, tests, strict=True) if head}


def find_ends(family: Family, plausible: Plausible) -> Ends:
    """What is counted: what cannot be or nobody believes, and of yes/no outcomes cells that are all one.

    A count can be any whole number below the smallest mean; what a family cannot have is not counted.
    """
    low, high, unit = plausible.low, plausible.high, plausible.unit
    if family.link == "logit":
        names = ("all no", "all yes", "in between")
        return Ends(NEARLY, 1 - NEARLY, names, names)
    low = np.floor(low) if family.is_count else low
    below = "impossible" if family.link == "identity" else "too small"
    above = "implausible" if family.link == "identity" else "too large"
    heads = (f"{below} (< {low:g} {unit})", f"{above} (> {high:g} {unit})", "in range")
    words = (below, above, "in range (blue ground)")
    if family.link == "log" and low <= 0:
        heads, words = ("", *heads[1:]), ("", *words[1:])
    return Ends(float(low), high, heads, words)


def find_limits(
    family: Family, observed: np.ndarray, plausible: Plausible, reach: float
) -> tuple[float, float]:
    """Ends of the axis: around all observed values, and ``reach`` times as far as the nearer end of what
    could be is from their median."""
    if family.link == "logit":
        return -0.06, 1.06
    low, high, middle = observed.min(), observed.max(), np.median(observed)
    if family.link == "log":
        low, high = 0.0, max(high, min(plausible.high, reach * high))
    else:
        distance = reach * min(abs(middle - plausible.low), abs(plausible.high - middle))
        low, high = min(middle - distance, low), max(middle + distance, high)
    margin = 0.03 * (high - low) or 1.0
    return float(low - margin), float(high + margin)
