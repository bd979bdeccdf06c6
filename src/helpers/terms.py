"""What a formula says: outcome, terms and groups, read by formulae, as Bambi reads it.

A formula with one grouping factor, which has intercepts by group, or intercepts and one slope, is
one of the three models, so that PyMC and the exact back end can fit it too; ``as_model`` says which.
Parameters of such a fit are called as Bambi calls them, after the terms.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from keyword import iskeyword
from numbers import Real

import numpy as np
import pandas as pd
import xarray as xr
from formulae import model_description
from formulae.environment import Environment
from formulae.matrices import DesignMatrices
from formulae.parser import Parser
from formulae.scanner import Scanner
from formulae.terms.terms import GroupSpecificTerm, Intercept, Term
from formulae.terms.terms import Model as Description
from formulae.terms.variable import Variable

from helpers.frames import (
    check_column,
    check_group,
    check_numeric,
    complete_rows,
    group_labels,
    looks_numeric,
    name_row,
)
from helpers.frames import standardize as standardize_column
from helpers.priors import Columns, Priors

INTERCEPT, SIGMA, RHO = "Intercept", "sigma", "rho"
# What a fit, or Bambi's model, has besides, after which no term can be called.
TAKEN = (INTERCEPT, SIGMA, RHO, "mu", "chain", "draw", "0", "1", "")
NAMESPACE = {"np": np, "pd": pd}  # functions in formulas, such as "np.log(y) ~ x"
HALVES = "rows"  # stands for a group in a model without groups, where any division will do
MANY_LEVELS = 0.5  # of the rows: a factor with more levels is no factor
FACTOR, LEVEL, COLUMN = "__factor_dim", "__expr_dim", "_dim"  # how Bambi's dimensions end


def is_formula(name: str) -> bool:
    """Whether a model is given by a formula, and not by one of the book's three names."""
    return isinstance(name, str) and "~" in name


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
    def used(self) -> pd.DataFrame:
        """The columns of the table that the formula uses."""
        return self.frame[_columns_in(self.design.model)]

    @cached_property
    def parameters(self) -> list[str]:
        """What needs a prior, in the order of the formula; the correlation may have one besides."""
        return [*([INTERCEPT] * self.has_intercept), *self.common, SIGMA, *self.by_group]

    @cached_property
    def variables(self) -> list[str]:
        """What the posterior of a fit can have, in order."""
        sds = [f"{name}_sigma" for name in self.by_group]
        return [*([INTERCEPT] * self.has_intercept), *self.common, SIGMA, *sds, RHO, *self.by_group]

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


def read_terms(formula: str, frame: pd.DataFrame, *, drop_missing: bool = False) -> Terms:
    """Read a formula of Bambi's language, and make its design matrix of a table.

    Parameters
    ----------
    formula
        Such as "y ~ x + segment + x:segment + (x | g)"; the first level of a factor is the reference.
        Truth values are a factor with the levels "no" and "yes".
    drop_missing
        Leave out the rows that miss a value in a column that the formula uses.

    Raises
    ------
    ValueError
        If the formula cannot be read, or a column is not there or has a name that no parameter can
        have; if a value is missing or not finite, numbers are stored as text, a column is constant,
        there is one group only, or a factor has nearly as many levels as there are rows.
    """
    described = _describe(formula)
    used = _columns_in(described)
    for column in used:
        check_column(frame, column)
    frame = complete_rows(frame, used, drop=drop_missing)
    _check_described(described, frame)
    frame = _prepare(frame, described)
    try:
        terms = _evaluate(formula, described, frame)
    except KeyError as error:
        raise ValueError(
            f"The formula {formula!r} uses {error}, which is no function that it knows; those of numpy "
            "begin with 'np.', such as np.log(x)."
        ) from None
    except Exception as error:  # its errors are of many kinds
        raise ValueError(f"The formula {formula!r} cannot be used: {error}.") from None
    _check_design(terms)
    return terms


def _describe(formula: str) -> Description:
    """What formulae reads of a formula, if that is all of it."""
    try:
        parser = Parser(Scanner(formula).scan())
        parser.parse()
        described = model_description(formula)
    except Exception as error:  # its scanner and its parser raise errors of many kinds
        hint = _advise(formula, error)
        raise ValueError(f"The formula {formula!r} cannot be read: {hint}.") from None
    if not parser.at_end():
        raise ValueError(
            f"The formula {formula!r} cannot be read from {parser.peek().lexeme!r} on: effects by group "
            "stand in parentheses, such as (1 | g), and calculations in I(...)."
        )
    if described.response is None:
        raise ValueError(f"The formula {formula!r} has no outcome: write it to the left of '~'.")
    return described


def _advise(formula: str, error: Exception) -> str:
    """What to write in place of what formulae cannot read."""
    left, _, right = (part.strip() for part in formula.partition("~"))
    if not left:
        return "it has no outcome, which stands to the left of '~'"
    if not right:
        return "nothing stands to the right of '~'; write 1 for an intercept only"
    if right == ".":
        return "name the columns in place of '.'"
    if "||" in right:
        return "write (x | g) for (x || g); intercepts and slopes are independent unless 'rho' has a prior"
    if "response" in str(error):
        return "one outcome stands to the left of '~'; a sum of two stands in I(y + z)"
    said = str(error).rstrip(".")
    return f"{said}; calculations stand in I(...), and names that are no plain words in backticks"


def _columns_in(described: Description) -> list[str]:
    """The columns that a formula uses."""
    names = described.var_names  # a number within a function has the name ""
    return sorted(name for name in names if isinstance(name, str) and name)


def _parts(term: Term | Intercept) -> list:
    """Variables and calls of a term; of an intercept none."""
    return getattr(term, "components", [])


def _check_described(described: Description, frame: pd.DataFrame) -> None:
    """Raise a ``ValueError`` if a formula says what cannot be, whatever the values are."""
    if not described.terms:
        raise ValueError("The formula has no terms: write 1 for an intercept, or name predictors.")
    _check_outcome(described, frame)
    own = [getattr(term, "expr", term) for term in described.terms]
    for part in [part for term in own for part in _parts(term)]:
        if not isinstance(part.name, str):
            raise ValueError(f"{part.name} is no term: multiply within I(...), such as I(3 * x).")
    for name in (described.response.term.name, *(t.name for t in own if _parts(t))):
        if name in TAKEN:
            raise ValueError(f"Column {name!r} has the name of a parameter; rename the column.")
    groups = {column for term in described.group_terms for column in term.factor.var_names}
    for column in _columns_in(described):
        if set(column) & set(":|`" if column in groups else "|`"):
            raise ValueError(f"Rename column {column!r}: ':', '|' and '`' are signs of a formula.")
    for term in described.group_terms:
        if not all(isinstance(part, Variable) for part in term.factor.components):
            raise ValueError(
                f"The grouping factor {term.factor.name!r} is no column; make a column of it first."
            )


def _check_outcome(described: Description, frame: pd.DataFrame) -> None:
    """Raise a ``ValueError`` unless the outcome is a column of numbers, or made of some."""
    outcome = described.response.term
    both = outcome.var_names & set().union(*(term.var_names for term in described.terms))
    if both:
        raise ValueError(f"The outcome {both.pop()!r} cannot be a predictor of itself.")
    if isinstance(outcome.components[0], Variable):
        column = outcome.components[0].name
        if _is_boolean(frame[column]):
            raise ValueError(f"The outcome {column!r} has truth values; these models take numbers.")
        check_numeric(frame, column)


def _prepare(frame: pd.DataFrame, described: Description) -> pd.DataFrame:
    """Columns as formulae takes them: floats, and categories without unused levels.

    Numbers that are a predictor and groups too, such as years, stay numbers.
    """
    groups = {name for term in described.group_terms for name in term.factor.var_names}
    own = {n for t in described.terms for n in getattr(t, "expr", t).var_names}
    own |= described.response.var_names
    changed = {}
    for column in _columns_in(described):
        values = frame[column]
        numeric = pd.api.types.is_numeric_dtype(values) and not _is_boolean(values)
        if column in groups:
            check_group(frame, column)
        if column in groups - own:
            changed[column] = group_labels(frame, column)
        elif numeric:
            check_numeric(frame, column)
            changed[column] = values.to_numpy() if column in groups else values.astype(float)
        else:
            changed[column] = _as_factor(frame, column)
    result = frame.assign(**changed)
    result.attrs = dict(frame.attrs)
    return result


def _is_boolean(values: pd.Series) -> bool:
    return pd.api.types.infer_dtype(values, skipna=True) == "boolean"


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
    written = not isinstance(values.dtype, pd.CategoricalDtype) and not _is_boolean(values)
    if written and looks_numeric(frame, column):
        check_numeric(frame, column)
    labels = values.astype("category").cat.remove_unused_categories()
    levels = labels.cat.categories
    if len(levels) > max(2, MANY_LEVELS * len(frame)):
        if levels.inferred_type not in ("string", "mixed", "empty"):
            check_numeric(frame, column)
        raise ValueError(
            f"Column {column!r} has {len(levels)} levels in {len(frame)} rows, too many for a factor; as a "
            f"grouping factor it would be '(1 | {_quote(column)})'."
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


def standardize(
    formula: str, frame: pd.DataFrame, *, drop_missing: bool = False
) -> tuple[str, pd.DataFrame]:
    """Standardize every numeric column that stands by itself in a term of a formula.

    Factors, the outcome, and columns inside functions, such as ``np.log(x)``, stay. So does a column
    that would make another model, because 0 means something: without an intercept, in an interaction
    without its parts, or with slopes but no intercepts by group.
    Returns the formula, written out, with ``std_x`` for ``x``, and the table of the rows that are used,
    with these columns added (``frames.standardize``) and its factors as categories. Errors are those
    of ``read_terms``.
    """
    terms = read_terms(formula, frame, drop_missing=drop_missing)
    table, changed = terms.frame, _columns_to_standardize(terms)
    for column in sorted(changed):
        table = standardize_column(table, column)
    written = [] if terms.has_intercept else ["0"]
    written += [_write(term, changed) for term in terms.population.values() if _parts(term)]
    for factor in terms.factors:
        own = [t for name, t in terms.effects.items() if terms.by_group[name][1] == factor]
        of = _write(own[0].factor, set())
        slopes = [_write(term.expr, changed) for term in own if _parts(term.expr)]
        first = [] if slopes else ["1"]
        first = ["0"] if len(slopes) == len(own) else first
        written.append(f"({' + '.join(first + slopes)} | {of})")
    outcome = _write(terms.design.response.term.term, set())
    return f"{outcome} ~ {' + '.join(written) or '1'}", table


def _columns_to_standardize(terms: Terms) -> set[str]:
    """Numeric columns that can have another 0 and unit while the model stays what it is."""
    constant = [t for t in terms.population.values() if t.kind == "categoric" and t.spans_intercept]
    sides = [[*terms.population.values(), *([Intercept()] if constant else [])]]
    for factor in terms.factors:
        sides.append(
            [t.expr for name, t in terms.effects.items() if terms.by_group[name][1] == factor]
        )
    numeric, stay = set(), set()
    for side in sides:
        there = [{part.name for part in _parts(term)} for term in side]
        for term in side:
            names = {part.name for part in _parts(term)}
            own = [p for p in _parts(term) if isinstance(p, Variable) and p.kind == "numeric"]
            numeric |= {part.name for part in own}
            stay |= {part.name for part in own if names - {part.name} not in there}
    return numeric - stay


def _write(term: Term, standardized: set[str]) -> str:
    """A term as a formula writes it, with ``std_`` before the columns that are standardized."""
    return ":".join(_write_part(part, standardized) for part in term.components)


def _write_part(part, standardized: set[str]) -> str:
    if isinstance(part, Variable):
        return _quote(f"std_{part.name}" if part.name in standardized else part.name)
    text = part.name
    for column in filter(None, part.var_names):
        text = text if _quote(column) == column else text.replace(column, _quote(column))
    return text


def _quote(column: str) -> str:
    """A column as a formula writes it: in backticks unless it is a plain word."""
    plain = column.isidentifier() and not iskeyword(column) and not column.startswith("_")
    return column if plain else f"`{column}`"


# Priors by term


def refuse_default(terms: Terms, priors: Mapping | Priors) -> None:
    """Raise a ``ValueError`` if the book's default priors would be used for another outcome."""
    if isinstance(priors, Priors) and priors == Priors() and terms.outcome != Columns.outcome:
        raise ValueError(
            f"{terms.formula!r} needs priors in the unit of {terms.outcome!r}: one for each of "
            f"{', '.join(terms.parameters)}; elicitation.elicit makes them of a plausible range."
        )


def priors_by_term(terms: Terms, priors: Mapping | Priors) -> dict:
    """Check that every parameter of a formula has a prior, and no other one.

    ``priors`` are normal ones (mean, sd) of "Intercept" and of the population's terms, half-normal
    ones (scale) of "sigma" and of terms by group, such as "1|g", and of "rho", if there is one, the
    LKJ concentration. Or they are the book's kind, for one of the three models.

    Returns a dict by name: of the population's terms a list with one pair a column, ``rho`` is
    ``None`` where intercepts and slopes are not correlated. Raises ``ValueError`` for what is missing,
    unknown or no prior.
    """
    if isinstance(priors, Priors):
        return from_book(terms, priors, _predictor(terms))
    unknown = [name for name in priors if name not in (*terms.parameters, RHO)]
    if unknown:
        raise ValueError(
            f"There is a prior for {unknown[0]!r}, but {terms.formula!r} has no such parameter; it has "
            f"{', '.join(terms.parameters)}."
        )
    missing = [name for name in terms.parameters if name not in priors]
    if missing:
        example = 5.0 if missing[0] == SIGMA or missing[0] in terms.by_group else (0.0, 5.0)
        raise ValueError(
            f"There is no prior for {missing[0]!r}; add one to priors, such as "
            f"{ {missing[0]: example}!r}, in the outcome's unit."
        )
    given = dict(priors)
    for name in (*terms.common, *([INTERCEPT] * terms.has_intercept)):
        Priors(slope=_named(name, given[name]))
    for name in (SIGMA, *terms.by_group):
        Priors(sigma=_named(name, given[name], pair=False))
    given |= {name: [given[name]] * len(labels) for name, labels in terms.common.items()}
    return {RHO: None} | given


def _named(name: str, given, pair: bool = True):
    """A prior, if it is a pair or a scale above 0; the message has its name."""
    try:
        Priors(slope=given) if pair else Priors(sigma=given)
    except ValueError as error:
        said = str(error).replace("'slope'" if pair else "'sigma'", repr(name))
        raise ValueError(said) from None
    return given


def from_book(terms: Terms, priors: Priors, predictor: str | None) -> dict:
    """The book's kind of priors, by term: ``slope`` is that of the model's predictor, if it has one."""
    others = [column for column in _columns(terms) if column != predictor]
    pairs = dict(zip(others, priors.of_covariates(len(others)), strict=True))
    pairs[predictor] = priors.slope
    given = {INTERCEPT: priors.intercept, SIGMA: priors.sigma}
    given |= {name: [pairs[label] for label in labels] for name, labels in terms.common.items()}
    for name, (effect, _) in terms.by_group.items():
        given[name] = priors.group_sd if effect == "1" else priors.slope_sd
    return given | {RHO: priors.lkj_eta}


def _columns(terms: Terms) -> list[str]:
    """Columns of the population's design matrix without the intercept."""
    return [column for labels in terms.common.values() for column in labels]


def _predictor(terms: Terms) -> str | None:
    """The column that has slopes by group, or else the first one."""
    own = [effect for effect, _ in terms.by_group.values() if effect != "1"]
    columns = terms.common[own[0]] if own else _columns(terms)
    return columns[0] if columns else None


# A formula as one of the three models


@dataclass(frozen=True)
class Model:
    """One of the three models: what ``models.fit`` and ``exact_posterior`` take; ``terms`` are those
    of the formula, if there is one."""

    name: str
    frame: pd.DataFrame
    columns: Columns
    priors: Priors
    terms: Terms | None = None

    def rename(self, tree: xr.DataTree) -> xr.DataTree:
        """Call the parameters of a fit after the terms of the formula, as Bambi does."""
        if self.terms is None:
            return tree
        groups = {path: node.to_dataset() for path, node in tree.children.items()}
        for path in {"posterior", "prior", "exact"} & set(groups):
            groups[path] = _name_after_terms(groups[path], self)
        return xr.DataTree.from_dict(groups)


def as_model(
    name: str,
    frame: pd.DataFrame,
    priors: Mapping | Priors,
    columns: Mapping,
    *,
    drop_missing: bool = False,
) -> Model:
    """Say which of the three models a formula is; a model's name stays what it is.

    ``columns`` are the keywords that go with a name; beside a formula only ``group`` counts, and only
    where the formula has no groups and the table has this column. Raises ``ValueError`` as
    ``read_terms`` and ``priors_by_term``, and if the formula is none of the three models.
    """
    if not is_formula(name):
        if not isinstance(priors, Priors):
            raise ValueError(
                f"Priors by term go with a formula; {name!r} takes priors.Priors(...)."
            )
        return Model(name, frame, Columns(**columns), priors)
    terms = read_terms(name, frame, drop_missing=drop_missing)
    beyond = find_beyond(terms)
    if beyond:
        raise ValueError(
            "PyMC and the exact back end take one grouping factor with intercepts, or with intercepts "
            f"and one slope; this formula has {beyond}, so use backend='bambi'."
        )
    refuse_default(terms, priors)
    return model_of(terms, priors_by_term(terms, priors), columns.get("group"))


def model_of(terms: Terms, priors: dict, group: str | None = None) -> Model:
    """The model that terms are, which are not beyond the three; ``priors`` are by term, checked.

    ``group`` is a column of the table for rows of a formula without groups.
    """
    predictor, columns = _predictor(terms), _columns(terms)
    pairs = dict(zip(columns, [pair for n in terms.common for pair in priors[n]], strict=True))
    own = {"intercept": priors[INTERCEPT], "sigma": priors[SIGMA], "lkj_eta": priors[RHO]}
    own |= {"slope": pairs.pop(predictor)} if predictor else {}
    own |= {"covariate_slope": tuple(pairs.values())} if pairs else {}
    for name, (effect, _) in terms.by_group.items():
        own["group_sd" if effect == "1" else "slope_sd"] = priors[name]
    table, group = _add_columns(terms, group)
    kind = ("pooled", "random_intercept", "random_slope")[len(terms.by_group)]
    named = Columns(terms.outcome, predictor, group, tuple(pairs))
    return Model(kind, table, named, Priors(**own), terms)


def find_beyond(terms: Terms) -> str:
    """What a formula has that none of the three models has, if anything."""
    effects = [effect for effect, _ in terms.by_group.values()]
    slopes = [effect for effect in effects if effect != "1"]
    if len(terms.factors) > 1:
        return f"{len(terms.factors)} grouping factors ({', '.join(terms.factors)})"
    if any(":" in factor for factor in terms.factors):
        return f"a grouping factor of several columns ({terms.factors[0]})"
    if not terms.has_intercept:
        return "no intercept"
    if any(term.kind == "offset" for term in terms.population.values()):
        return "an offset"
    if slopes and "1" not in effects:
        return "slopes without intercepts by group"
    if len(slopes) > 1:
        return f"{len(slopes)} slopes by group ({', '.join(slopes)})"
    if slopes and slopes[0] not in terms.common:
        return f"slopes of {slopes[0]!r} by group, but none of the population"
    if slopes and len(terms.common[slopes[0]]) > 1:
        return f"{len(terms.common[slopes[0]])} slopes by group, of the levels of {slopes[0]!r}"
    return ""


def _add_columns(terms: Terms, group: str | None) -> tuple[pd.DataFrame, str]:
    """The table with a column for each of the design matrix, and its grouping column."""
    frame = terms.frame
    added = {terms.outcome: np.asarray(terms.design.response.design_matrix, dtype=float)}
    for name, labels in terms.common.items():
        columns = zip(labels, _as_matrix(terms.population[name].data).T, strict=True)
        # A predictor whose values are groups too is there, with its labels.
        added |= {label: column for label, column in columns if label not in terms.factors}
    if terms.factors:
        group = terms.factors[0]
    elif group not in frame:
        group = HALVES + "_" * (HALVES in frame)
        added[group] = np.arange(len(frame)) % 2
    result = frame.assign(**added)
    result.attrs = dict(frame.attrs)
    return result, group


# Names


def _name_after_terms(data: xr.Dataset, model: Model) -> xr.Dataset:
    """Parameters with the names and dimensions that Bambi gives them."""
    terms, group, found = model.terms, model.columns.group, {}
    factor = {group: f"{group}{FACTOR}"} if group in data.dims else {}
    data = data.rename(factor)
    pooled = {"intercept": INTERCEPT, "sigma": SIGMA, "rho": RHO}
    found |= {new: data[old] for old, new in pooled.items() if old in data}
    for name, labels in terms.common.items():
        found[name] = _of_term(data, model, name, labels)
    for name, (effect, _) in terms.by_group.items():
        old = ("group_sd", "group_intercept") if effect == "1" else ("slope_sd", "group_slope")
        for variable, suffix in zip(old, ("_sigma", ""), strict=True):
            if variable not in data:
                continue
            found[f"{name}{suffix}"] = _with_level(data[variable], terms, effect)
    ordered = {name: found[name] for name in terms.variables if name in found}
    return xr.Dataset(ordered, attrs=data.attrs)


def _of_term(data: xr.Dataset, model: Model, name: str, labels: list[str]) -> xr.DataArray:
    """The slopes of one term: a scalar, or along a dimension of its levels."""
    slopes = [
        data["slope"]
        if label == model.columns.predictor
        else data["covariate_slope"].sel(covariate=label, drop=True)
        for label in labels
    ]
    levels = _levels(model.terms, name)
    if levels is None:
        return slopes[0]
    index = pd.Index(levels, name=f"{name}{COLUMN}")
    return xr.concat(slopes, index).transpose("chain", "draw", ..., missing_dims="ignore")


def _with_level(values: xr.DataArray, terms: Terms, effect: str) -> xr.DataArray:
    """Effects by group of a factor's one level have a dimension of it, before that of the groups."""
    levels = None if effect == "1" else _levels(terms, effect)
    if levels is None:
        return values
    dims = [dim for dim in values.dims if not dim.endswith(FACTOR)]
    return values.expand_dims({f"{effect}{LEVEL}": levels}).transpose(
        *dims, f"{effect}{LEVEL}", ...
    )


def _levels(terms: Terms, name: str) -> list | None:
    """Labels of the columns of a term that has a dimension, as Bambi gives them."""
    term = terms.population[name]
    if term.levels is not None:
        return list(term.levels)
    return list(range(len(term.labels))) if len(term.labels) > 1 else None
