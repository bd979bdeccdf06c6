"""What a formula asks of a table: the outcome, the groups, and the predictor that the page is about."""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from helpers.families import GAUSSIAN
from helpers.frames import original_column
from helpers.priors import Plausible
from helpers.terms import (
    Terms,
    find_beyond,
    find_beyond_two,
    find_other_effects,
    read_terms,
    standardize,
)

NUMBER, FACTOR, NONE = "number", "factor", "none"
BERNOULLI = "bernoulli"
POINTS = "percentage points"
FEW_GROUPS = 5  # below which how far groups lie apart is mostly the prior's word
OTHER_UNIT = 0.9  # of the outcomes: more outside of the range mean that it has another unit
TINY = 0.01  # of the range: all outcomes within so little mean the same
EQUAL = 1e-9  # of the largest value: numbers that differ by less are the same


@dataclass(frozen=True)
class Question:
    """A formula with its table, and what a single outcome can be.

    ``formula`` and ``table`` are standardized (``terms.standardize``), ``written`` is the formula as the
    reader wrote it. ``main`` is the term that is asked about, as ``formula`` names it, ``kind`` whether it
    is a number or a factor; slopes are told for ``per`` units of it. ``family`` is the distribution of
    outcomes, by Bambi's name.
    """

    written: str
    formula: str
    table: pd.DataFrame
    terms: Terms
    plausible: Plausible
    main: str | None
    kind: str
    per: float = 1
    family: str = GAUSSIAN

    @property
    def is_sampled(self) -> bool:
        """Whether it is beyond the three models that are computed exactly, so that Bambi answers alone."""
        return self.family != GAUSSIAN or bool(find_beyond(self.terms))

    @property
    def is_exact(self) -> bool:
        """Whether its exact answer can be computed, unless the table is too large for two factors."""
        return not self.is_sampled or (self.family == GAUSSIAN and not find_beyond_two(self.terms))

    @property
    def times(self) -> int:
        """What a mean is multiplied with to be told in ``unit``: chances are told in percent."""
        return 100 if self.family == BERNOULLI else 1

    @property
    def outcome(self) -> str:
        return self.terms.outcome

    @property
    def unit(self) -> str:
        return POINTS if self.family == BERNOULLI else self.plausible.unit

    @property
    def unit_of_means(self) -> str:
        """The unit of a mean itself, and not of a difference."""
        return "%" if self.family == BERNOULLI else self.unit

    @cached_property
    def group(self) -> str:
        """The grouping factor that answers are told by: the one with own effects, or else the first."""
        own = [factor for effect, factor in self.terms.by_group.values() if effect != "1"]
        return [*own, *list_plain(self.terms)][0]

    @property
    def further(self) -> list[str]:
        """Grouping factors besides ``group``."""
        return [factor for factor in self.terms.factors if factor != self.group]

    @property
    def grouping_columns(self) -> list[str]:
        """The columns that grouping factors consist of."""
        return list_grouping_columns(self.terms)

    @property
    def own_slopes(self) -> bool:
        """Whether the formula has effects of the main term by group."""
        return any(effect != "1" for effect, _ in self.terms.by_group.values())

    @property
    def column(self) -> str | None:
        """The main term as a reader calls it: ``x`` for ``std_x``, ``f`` for ``C(f)``."""
        return None if self.main is None else _bare(original_column(self.table, self.main))

    @property
    def is_column(self) -> bool:
        """Whether the main term is a numeric column, and no function of one."""
        return self.kind == NUMBER and self.main in self.table

    @property
    def scale_column(self) -> str | None:
        """The numeric column of the table that the main term is, or is a function of."""
        if self.kind != NUMBER:
            return None
        if self.is_column:
            return self.column
        inside = self.terms.design.common.terms[self.main].var_names - {""}
        return next(iter(inside)) if len(inside) == 1 else None

    @property
    def levels(self) -> list:
        """Levels of the main term, if it is a factor; the first is the reference."""
        values = self.table[self.column]
        is_category = isinstance(values.dtype, pd.CategoricalDtype)
        return list(values.cat.categories if is_category else np.sort(values.unique()))

    @property
    def values(self) -> np.ndarray:
        """The outcome (n,) as the formula has it."""
        return np.asarray(self.terms.design.response.design_matrix, dtype=float)

    @property
    def sizes(self) -> pd.Series:
        """Rows of each group."""
        return self.table[self.group].value_counts(sort=False)

    @property
    def few_groups(self) -> bool:
        return len(self.sizes) < FEW_GROUPS

    @cached_property
    def columns(self) -> np.ndarray:
        """The main term as columns (n, K): its numbers, or for each level 1 in rows that have it."""
        if self.kind == NUMBER:
            return self.predictor()[:, None]
        values = self.table[self.column].to_numpy()
        return np.column_stack([values == level for level in self.levels]).astype(float)

    @property
    def differs_within(self) -> bool:
        """Whether the main term differs between rows of one group."""
        return self.varies_within(self.group)

    @property
    def differs_between(self) -> bool:
        """Whether groups differ in their means of the main term."""
        return self.varies_between(self.group)

    def varies_within(self, factor: str) -> bool:
        """Whether the main term differs between rows of one group of a grouping factor."""
        return self._is_more_than_0(self.columns - self._means_by(factor))

    def varies_between(self, factor: str) -> bool:
        """Whether groups of a grouping factor differ in their means of the main term."""
        return self._is_more_than_0(self._means_by(factor) - self.columns.mean(axis=0))

    def _means_by(self, factor: str) -> np.ndarray:
        """Means (n, K) of the main term's columns over the rows of each row's group."""
        by = label_groups(self.table, factor)
        return pd.DataFrame(self.columns).groupby(by).transform("mean").to_numpy()

    def _is_more_than_0(self, distances: np.ndarray) -> bool:
        return bool(np.abs(distances).max() > EQUAL * np.abs(self.columns).max())

    @property
    def ranges_within(self) -> pd.Series:
        """How far the rows of each group lie apart in the predictor."""
        groups = pd.Series(self.predictor()).groupby(self.table[self.group].to_numpy())
        return groups.max() - groups.min()

    def predictor(self) -> np.ndarray:
        """The main term (n,) in its own units: a column, or a column of the design matrix."""
        if self.is_column:
            return self.table[self.column].to_numpy(dtype=float)
        return self.terms.design.common.as_dataframe()[self.main].to_numpy(dtype=float)


def ask(
    formula: str,
    frame: pd.DataFrame,
    plausible: Plausible,
    *,
    per: float = 1,
    drop_missing: bool = False,
    family: str = GAUSSIAN,
) -> Question:
    """Read what a formula asks of a table, and standardize its numeric columns.

    The main term is the one that has effects by group, or else the first number, or else the first
    factor. ``family`` is a name in ``families.FAMILIES``; of "bernoulli" the range is that of a row's chance.

    Raises
    ------
    ValueError
        As ``terms.read_terms``; if the formula has no groups, or effects by group that the page cannot
        follow; if ``per`` is not above 0; if the family is unknown, or cannot have these outcomes.
    """
    if not per > 0:
        raise ValueError(f"per is {per!r}, but must be above 0: so many units of the predictor.")
    if not plausible.low < plausible.high:
        raise ValueError(
            f"low is {plausible.low:g} and high {plausible.high:g}; low must be the smaller one."
        )
    frame = _count_truth_values(formula, frame) if family == BERNOULLI else frame
    first = read_terms(formula, frame, drop_missing=drop_missing, family=family)
    _check(first)
    if family == GAUSSIAN:
        _check_range(first, plausible)
    else:
        _check_range_of_means(first, plausible)
    written, (formula, table) = formula, standardize(formula, frame, drop_missing=drop_missing)
    terms = read_terms(formula, table, family=family)
    if family == BERNOULLI:  # the range is of chances, which have no unit
        plausible = Plausible(plausible.low, plausible.high, "")
    labels = {terms.outcome: f"{terms.outcome} ({plausible.unit})".removesuffix(" ()")}
    table.attrs["labels"] = labels | table.attrs.get("labels", {})
    main, kind = _find_main(terms)
    return Question(written, formula, table, terms, plausible, main, kind, per, family)


def _check(terms: Terms) -> None:
    """Raise a ``ValueError`` unless the page can take this formula."""
    if not terms.factors:
        raise ValueError(
            f"The formula {terms.formula!r} names no groups; add them, such as '+ (1 | column)', with the "
            "column that says which rows belong together."
        )
    if "/" in terms.outcome:
        what = "rename the column" if terms.outcome in terms.frame else "make a column of it first"
        raise ValueError(
            f"The outcome {terms.outcome!r} cannot name a variable of a fit because of its '/'; {what}."
        )
    beyond = _find_beyond(terms)
    if beyond:
        raise ValueError(
            "This page takes grouping factors with intercepts, of which one may have slopes of one column; "
            f"this formula has {beyond}, which models.fit(..., backend='bambi') can fit without this page."
        )
    if terms.common and _find_main(terms)[0] is None:
        name = next(iter(terms.common))
        raise ValueError(
            f"{name!r} has several columns, so no one slope tells its effect; write the terms one by one, "
            "such as x + I(scale(x)**2)."
        )


def label_groups(table: pd.DataFrame, factor: str) -> np.ndarray:
    """The group (n,) of each row by a grouping factor, such as "g" or "g:h", as text."""
    columns = [table[name].astype(str) for name in factor.split(":")]
    return (columns[0].str.cat(columns[1:], sep=":") if columns[1:] else columns[0]).to_numpy()


def list_plain(terms: Terms) -> list[str]:
    """The grouping factors that are one column."""
    return [factor for factor in terms.factors if ":" not in factor]


def list_grouping_columns(terms: Terms) -> list[str]:
    """The columns that the grouping factors of a formula consist of."""
    return list(dict.fromkeys(column for factor in terms.factors for column in factor.split(":")))


def _find_beyond(terms: Terms) -> str:
    """What a formula has that the page has no answer to, if anything."""
    if len(terms.factors) < 2:
        return find_beyond(terms)
    plain = list_plain(terms)
    with_slopes = [factor for effect, factor in terms.by_group.values() if effect != "1"]
    levels = [factor for effect, factor in terms.by_group.values() if effect == "1"]
    if not plain:
        return f"no grouping factor of one column ({', '.join(terms.factors)})"
    if bare := [factor for factor in terms.factors if factor not in levels]:
        return f"slopes without intercepts by {bare[0]}"
    if other := find_other_effects(terms):
        return other
    if with_slopes and with_slopes[0] not in plain:
        return f"slopes by a grouping factor of several columns ({with_slopes[0]})"
    both = {*list_grouping_columns(terms)} & set(terms.common)
    return f"{both.pop()!r} both as a predictor and in a grouping factor" if both else ""


def _count_truth_values(formula: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The table with truth values of the outcome as 0 and 1."""
    outcome = formula.partition("~")[0].strip().strip("`")
    if outcome in frame and pd.api.types.is_bool_dtype(frame[outcome]):
        return frame.assign(**{outcome: frame[outcome].astype(int)})
    return frame


def _check_range_of_means(terms: Terms, plausible: Plausible) -> None:
    """Raise a ``ValueError`` if the plausible range is none that means of the family can have."""
    mean = float(np.mean(terms.design.response.design_matrix))
    low, high, family = plausible.low, plausible.high, terms.family.name
    if family == BERNOULLI and not 0 < low < high < 1:
        raise ValueError(
            f"The range of {terms.outcome!r} runs from {low:g} to {high:g}; with the family {family!r} it is "
            "that of a row's chance, such as 0.02 to 0.98."
        )
    if low <= 0:
        raise ValueError(
            f"The range of {terms.outcome!r} begins at {low:g}; with the family {family!r} it is that of a "
            "row's mean, which is above 0."
        )
    if not low <= mean <= high:
        raise ValueError(
            f"The mean of {terms.outcome!r}, {mean:.4g}, lies outside of the plausible range of {low:g} to "
            f"{high:g}; give the range in the outcome's unit."
        )


def _check_range(terms: Terms, plausible: Plausible) -> None:
    """Raise a ``ValueError`` if the plausible range cannot be in the outcome's unit."""
    outcome = np.asarray(terms.design.response.design_matrix, dtype=float)
    low, high, reach = outcome.min(), outcome.max(), plausible.high - plausible.low
    ends = f"they run from {low:.4g} to {high:.4g}, and the range from {plausible.low:g} to {plausible.high:g}"
    outside = (outcome < plausible.low) | (outcome > plausible.high)
    if outside.mean() > OTHER_UNIT:
        raise ValueError(
            f"{outside.sum():,} of {len(outcome):,} values of {terms.outcome!r} lie outside of the plausible "
            f"range: {ends}; give the range in the outcome's unit."
        )
    if high - low < TINY * reach:
        raise ValueError(
            f"All values of {terms.outcome!r} lie within a hundredth of the plausible range: {ends}; give the "
            "range in the outcome's unit."
        )


def _find_main(terms: Terms) -> tuple[str | None, str]:
    """The term that is asked about, and whether it is a number or a factor."""
    own = [effect for effect, _ in terms.by_group.values() if effect != "1"]
    whole = [name for name in terms.common if ":" not in name]
    parts = [part for name in terms.common for part in name.split(":")]
    names = [*own, *whole, *parts]
    numbers = [name for name in names if _is_number(terms, name)]
    factors = [n for n in names if _bare(n) in terms.frame and not _is_number(terms, n)]
    if own:
        return own[0], NUMBER if own[0] in numbers else FACTOR
    if numbers:
        return numbers[0], NUMBER
    return (factors[0], FACTOR) if factors else (None, NONE)


def _is_number(terms: Terms, name: str) -> bool:
    """Whether a term, or a part of one, is a numeric column or one numeric column's function."""
    if name in terms.frame:
        return pd.api.types.is_numeric_dtype(terms.frame[name])
    term = terms.design.common.terms.get(name)
    return term is not None and term.kind == "numeric" and len(term.labels) == 1


def _bare(name: str) -> str:
    """The column of a term such as "C(f)"; other terms stay."""
    found = re.fullmatch(r"C\((\w+)\)", name)
    return found[1] if found else name
