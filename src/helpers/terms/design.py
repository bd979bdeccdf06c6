"""A formula with its table: terms, design matrix and groups, as Bambi reads them."""

from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Real

import numpy as np
import pandas as pd
from formulae.environment import Environment
from formulae.matrices import DesignMatrices
from formulae.terms.terms import GroupSpecificTerm, Intercept, Term
from formulae.terms.terms import Model as Description

from helpers.families import FAMILIES, GAUSSIAN, Family, find_family
from helpers.frames import (
    check_column,
    check_group,
    check_numeric,
    complete_rows,
    group_labels,
    looks_numeric,
    name_row,
)
from helpers.terms.language import (
    INTERCEPT,
    RHO,
    check_described,
    describe,
    grouping_columns,
    is_boolean,
    list_columns,
    quote,
)

NAMESPACE = {"np": np, "pd": pd}  # functions in formulas, such as "np.log(y) ~ x"
MOST_LEVELS = 0.5  # of the rows: a factor with more levels is no factor


@dataclass(frozen=True)
class Terms:
    """A formula with its table: ``frame`` are the rows that are used, ``design`` is formulae's.

    ``effects`` are the terms by group, such as "x|g". Their matrix, of rows by groups, is not made:
    formulae makes it dense, and of a large table it is larger than memory.
    """

    formula: str
    frame: pd.DataFrame
    design: DesignMatrices
    effects: dict[str, GroupSpecificTerm]
    family: Family = FAMILIES[GAUSSIAN]

    @property
    def outcome(self) -> str:
        """The outcome's column, or its expression, such as "np.log(y)"."""
        return self.design.response.term.term.name

    @cached_property
    def population(self) -> dict[str, Term]:
        """The population's terms, the intercept and offsets among them."""
        return {} if self.design.common is None else self.design.common.terms

    @cached_property
    def has_intercept(self) -> bool:
        return INTERCEPT in self.population

    @cached_property
    def common(self) -> dict[str, list[str]]:
        """Columns of the design matrix, by the population's term whose slopes they have."""
        own = {n: t for n, t in self.population.items() if t.kind not in ("intercept", "offset")}
        return {name: list(term.labels) for name, term in own.items()}

    @cached_property
    def by_group(self) -> dict[str, tuple[str, str]]:
        """Effects and grouping factor of the terms by group, such as ``"x|g": ("x", "g")``."""
        return {name: tuple(name.rsplit("|", 1)) for name in self.effects}

    @cached_property
    def factors(self) -> list[str]:
        """The grouping factors."""
        return list(dict.fromkeys(factor for _, factor in self.by_group.values()))

    @cached_property
    def columns(self) -> list[str]:
        """Columns of the population's design matrix without intercept and offsets."""
        return [column for labels in self.common.values() for column in labels]

    @cached_property
    def own_slopes(self) -> list[str]:
        """What has slopes by group."""
        return [effect for effect, _ in self.by_group.values() if effect != "1"]

    @cached_property
    def predictor(self) -> str | None:
        """The column of the design matrix that has slopes by group, or else the first one."""
        own = [column for name in self.own_slopes for column in self.common.get(name, [])]
        return next(iter(own + self.columns), None)

    @cached_property
    def used(self) -> pd.DataFrame:
        """The columns of the table that the formula uses."""
        return self.frame[list_columns(self.design.model)]

    @property
    def with_design(self) -> pd.DataFrame:
        """The table with the outcome, and with ``columns`` as the model takes them.

        A predictor whose values are groups too is there, with its labels.
        """
        added = {self.outcome: np.asarray(self.design.response.design_matrix, dtype=float)}
        for name, labels in self.common.items():
            columns = zip(labels, _as_matrix(self.population[name].data).T, strict=True)
            added |= {label: column for label, column in columns if label not in self.factors}
        return self.frame.assign(**added)

    @cached_property
    def auxiliary(self) -> list[str]:
        """The family's parameter besides the mean, such as "sigma", if it has one."""
        return [self.family.auxiliary] if self.family.auxiliary else []

    @cached_property
    def parameters(self) -> list[str]:
        """What needs a prior, in the order of the formula; the correlation may have one besides."""
        population = [*([INTERCEPT] * self.has_intercept), *self.common]
        return [*population, *self.auxiliary, *self.by_group]

    @cached_property
    def variables(self) -> list[str]:
        """What the posterior of a fit can have, in order."""
        sds = [f"{name}_sigma" for name in self.by_group]
        population = [*([INTERCEPT] * self.has_intercept), *self.common]
        return [*population, *self.auxiliary, *sds, RHO, *self.by_group]

    def count_groups(self, factor: str) -> int:
        """How many groups a grouping factor has in the rows that are used."""
        return self.frame.groupby(factor.split(":"), observed=True).ngroups

    def columns_at(self, rows: pd.DataFrame) -> np.ndarray:
        """The design matrix (R, P) of other rows, the intercept among its columns."""
        names = [INTERCEPT] * self.has_intercept + [*self.common]
        return np.hstack([np.zeros((len(rows), 0)), *(self.columns_of(n, rows) for n in names)])

    def columns_of(self, name: str, rows: pd.DataFrame) -> np.ndarray:
        """The columns (R, K) of other rows that belong to one of the population's terms."""
        return _as_matrix(self.population[name].eval_new_data(rows))

    def columns_by_group(self, name: str, rows: pd.DataFrame) -> np.ndarray:
        """The columns (R, K) of rows that the effects of a term by group are multiplied with."""
        return _as_matrix(self.effects[name].expr.eval_new_data(rows))


def _as_matrix(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=float).reshape(len(values), -1)


def read_terms(
    formula: str, frame: pd.DataFrame, *, drop_missing: bool = False, family: str = GAUSSIAN
) -> Terms:
    """Read a formula of Bambi's language, and make its design matrix of a table.

    Parameters
    ----------
    formula
        Such as "y ~ x + segment + x:segment + (x | g)"; the first level of a factor is the reference.
        Truth values are a factor with the levels "no" and "yes".
    drop_missing
        Leave out the rows that miss a value in a column that the formula uses.
    family
        One of ``families.FAMILIES``, whose outcomes these must be.

    Raises
    ------
    ValueError
        If the formula cannot be read, or a column is not there or has a name that no parameter can
        have; if a value is missing or not finite, numbers are stored as text, a column is constant,
        there is one group only, or a factor has nearly as many levels as there are rows; if the
        family is unknown, or an outcome is none that it has.
    """
    of = find_family(family)
    described = describe(formula)
    used = list_columns(described)
    for column in used:
        check_column(frame, column)
    frame = complete_rows(frame, used, drop=drop_missing)
    check_described(described, frame)
    frame = _prepare(frame, described)
    try:
        terms = replace(_evaluate(formula, described, frame), family=of)
    except KeyError as error:
        raise ValueError(
            f"The formula {formula!r} uses {error}, which is no function that it knows; those of numpy "
            "begin with 'np.', such as np.log(x)."
        ) from None
    except Exception as error:  # its errors are of many kinds
        raise ValueError(f"The formula {formula!r} cannot be used: {error}.") from None
    _check_design(terms)
    return terms


def _prepare(frame: pd.DataFrame, described: Description) -> pd.DataFrame:
    """Columns as formulae takes them: floats, and categories without unused levels.

    Numbers that are a predictor and groups too, such as years, stay numbers.
    """
    groups = grouping_columns(described)
    own = {n for t in described.terms for n in getattr(t, "expr", t).var_names}
    own |= described.response.var_names
    changed = {}
    for column in list_columns(described):
        values = frame[column]
        numeric = pd.api.types.is_numeric_dtype(values) and not is_boolean(values)
        if column in groups:
            check_group(frame, column)
        if column in groups - own:
            changed[column] = group_labels(frame, column)
        elif numeric:
            check_numeric(frame, column)
            changed[column] = values.to_numpy() if column in groups else values.astype(float)
        else:
            changed[column] = _as_factor(frame, column)
    return frame.assign(**changed)


def read_level(label) -> str:
    """A label as text: truth values as "no" and "yes", whole numbers without a decimal point, which
    they get in a column with gaps."""
    if isinstance(label, bool | np.bool_):
        return "yes" if label else "no"
    whole = isinstance(label, Real) and float(label).is_integer()
    return str(int(label)) if whole else str(label)


def _as_factor(frame: pd.DataFrame, column: str) -> pd.Series:
    """A column of text, truth values or categories as a factor; errors as in ``read_terms``."""
    values = frame[column]
    check_group(frame, column)
    written = not isinstance(values.dtype, pd.CategoricalDtype) and not is_boolean(values)
    if written and looks_numeric(frame, column):
        check_numeric(frame, column)
    labels = values.astype("category").cat.remove_unused_categories()
    levels = labels.cat.categories
    if len(levels) > max(2, MOST_LEVELS * len(frame)):
        if levels.inferred_type not in ("string", "mixed", "empty"):
            check_numeric(frame, column)
        raise ValueError(
            f"Column {column!r} has {len(levels)} levels in {len(frame)} rows, too many for a factor; as a "
            f"grouping factor it would be '(1 | {quote(column)})'."
        )
    return labels.cat.rename_categories([read_level(level) for level in levels])


def _evaluate(formula: str, described: Description, frame: pd.DataFrame) -> Terms:
    """Design matrix of the population, and of each term by group its columns."""
    groups, described.group_terms = described.group_terms, []
    environment = Environment([NAMESPACE])
    design = DesignMatrices(described, frame, environment)
    described.group_terms = groups
    with_intercept = {t.factor.name for t in groups if isinstance(t.expr, Intercept)}
    for term in groups:
        term.expr.set_type(frame, environment)
        # A factor has effects of all its levels by group, or if there are intercepts too but one.
        term.expr.set_data(term.factor.name not in with_intercept)
    return Terms(formula, frame, design, {term.name: term for term in groups})


def _check_design(terms: Terms) -> None:
    """Raise a ``ValueError`` if the columns of a design matrix cannot be those of a model."""
    outcome = terms.design.response
    if outcome.kind != "numeric" or _as_matrix(outcome.design_matrix).shape[1] > 1:
        raise ValueError(f"The outcome {terms.outcome!r} is not a column of numbers.")
    _check_finite(terms, terms.outcome, outcome.design_matrix)
    terms.family.check(pd.Series(outcome.design_matrix, terms.frame.index), terms.outcome)
    _check_names(terms)
    own = {name: term.expr for name, term in terms.effects.items()}
    for name, term in (terms.population | own).items():
        values = _as_matrix(term.data)
        _check_term(name, term, values.shape[1])
        _check_finite(terms, name, values)
        if term.kind in ("intercept", "offset"):
            continue
        for label, column in zip(term.labels, values.T, strict=True):
            if np.ptp(column) == 0:
                raise ValueError(
                    f"The column {label!r} of the formula is constant, so it has no slope; leave the term "
                    "out, or join levels of which there are no rows."
                )
    for factor in terms.factors:
        if terms.count_groups(factor) < 2:
            raise ValueError(
                f"Column {factor!r} has one level only; group-level effects need at least two."
            )


def _check_names(terms: Terms) -> None:
    """Raise a ``ValueError`` if a term is called as the family's parameters are."""
    for name in {terms.family.parent, *terms.auxiliary} & {*terms.common}:
        raise ValueError(f"Column {name!r} has the name of a parameter; rename the column.")


def _check_term(name: str, term: Term | Intercept, width: int) -> None:
    """Raise a ``ValueError`` unless a term is one that has slopes, under a name that a fit can have."""
    if "/" in name:
        raise ValueError(
            f"The term {name!r} cannot name a parameter because of its '/'; rename the column, or make "
            "one of the term first."
        )
    if name.startswith("hsgp("):
        raise ValueError(f"The term {name!r} is a Gaussian process; use Bambi itself for that.")
    if len(term.labels) != width:
        # After "segment/x" both terms share one factor, in which formulae mixes up the levels.
        raise ValueError(
            f"The levels of {name!r} cannot be told apart: write interactions out, such as "
            "segment + segment:x for segment/x."
        )


def _check_finite(terms: Terms, name: str, values: np.ndarray) -> None:
    bad = ~np.isfinite(_as_matrix(values)).all(axis=1)
    if bad.any():
        raise ValueError(
            f"The term {name!r} is not finite in row {name_row(terms.frame, bad.argmax())} of the table; "
            "drop or repair the row, or change the term."
        )
