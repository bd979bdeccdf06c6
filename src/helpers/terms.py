"""What a formula says: outcome, terms and groups, read by formulae, as Bambi reads it.

A formula with one grouping factor, which has intercepts by group, or intercepts and one slope, is
one of the three models, so that PyMC and the exact back end can fit it too; ``translate`` says which.
Parameters of such a fit are called as Bambi calls them, after the terms.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np  # also for formulas, such as "np.log(y) ~ x"
import pandas as pd
import xarray as xr
from formulae import design_matrices, model_description
from formulae.matrices import DesignMatrices
from formulae.terms.variable import Variable

from helpers.frames import (
    check_column,
    check_group,
    check_numeric,
    complete_rows,
    group_labels,
    looks_numeric,
)
from helpers.frames import standardize as standardize_column
from helpers.priors import Columns, Priors

INTERCEPT, SIGMA, RHO = "Intercept", "sigma", "rho"
HALVES = "rows"  # stands for a group in a model without groups, where any division will do
MANY_LEVELS = 0.5  # of the rows: a factor with more levels is no factor
FACTOR, LEVEL, COLUMN = "__factor_dim", "__expr_dim", "_dim"  # how Bambi's dimensions end


def is_formula(name: str) -> bool:
    """Whether a model is given by a formula, and not by one of the book's three names."""
    return isinstance(name, str) and "~" in name


@dataclass(frozen=True)
class Terms:
    """A formula with its table: ``frame`` are the rows that are used, ``design`` is formulae's."""

    formula: str
    frame: pd.DataFrame
    design: DesignMatrices

    @property
    def outcome(self) -> str:
        """The outcome's column, or its expression, such as "np.log(y)"."""
        return self.design.response.term.term.name

    @cached_property
    def has_intercept(self) -> bool:
        return self.design.common is not None and INTERCEPT in self.design.common.terms

    @cached_property
    def common(self) -> dict[str, list[str]]:
        """Columns of the design matrix, by the population's term that they belong to."""
        terms = {} if self.design.common is None else self.design.common.terms
        return {name: list(term.labels) for name, term in terms.items() if name != INTERCEPT}

    @cached_property
    def by_group(self) -> dict[str, tuple[str, str]]:
        """Effects and grouping factor of the terms by group, such as ``"x|g": ("x", "g")``."""
        terms = {} if self.design.group is None else self.design.group.terms
        return {name: tuple(name.split("|")) for name in terms}

    @cached_property
    def factors(self) -> list[str]:
        """The grouping factors."""
        return list(dict.fromkeys(factor for _, factor in self.by_group.values()))

    @cached_property
    def used(self) -> pd.DataFrame:
        """The columns of the table that the formula uses."""
        return self.frame[[name for name in sorted(self.design.model.var_names) if name]]

    @cached_property
    def parameters(self) -> list[str]:
        """What needs a prior, in the order of the formula; the correlation may have one besides."""
        return [*([INTERCEPT] * self.has_intercept), *self.common, SIGMA, *self.by_group]

    def columns_at(self, rows: pd.DataFrame) -> np.ndarray:
        """The design matrix (R, P) of other rows, the intercept among its columns."""
        if self.design.common is None:
            return np.zeros((len(rows), 0))
        return self.design.common.evaluate_new_data(rows).design_matrix.astype(float)

    def columns_by_group(self, name: str, rows: pd.DataFrame) -> np.ndarray:
        """The columns (R, K) of rows that the effects of a term by group are multiplied with."""
        if self.by_group[name][0] == "1":
            return np.ones((len(rows), 1))
        columns = self.design.group.terms[name].expr.eval_new_data(rows)
        return np.asarray(columns, dtype=float).reshape(len(rows), -1)


def read_terms(formula: str, frame: pd.DataFrame, *, drop_missing: bool = False) -> Terms:
    """Read a formula of Bambi's language, and make its design matrices of a table.

    Parameters
    ----------
    formula
        Such as "y ~ x + segment + x:segment + (x | g)"; the first level of a factor is the reference.
    drop_missing
        Leave out the rows that miss a value in a column that the formula uses.

    Raises
    ------
    ValueError
        If the formula cannot be read, a column is not there, a value is missing, numbers are stored
        as text, or a factor has nearly as many levels as there are rows.
    """
    described = _describe(formula)
    used = sorted(name for name in described.var_names if name)  # a number has the name ""
    for column in used:
        check_column(frame, column)
    frame = complete_rows(frame, used, drop=drop_missing)
    groups = {name for term in described.group_terms for name in term.factor.var_names}
    frame = _prepare(frame, used, groups)
    try:
        # formulae looks for functions such as np.log here.
        terms = Terms(formula, frame, design_matrices(formula, frame[used]))
    except Exception as error:  # its errors are of many kinds
        raise ValueError(f"The formula {formula!r} cannot be used: {error}") from None
    _check_names(terms)
    return terms


def _describe(formula: str):
    """What formulae reads of a formula; it has an outcome."""
    try:
        described = model_description(formula)
    except Exception as error:  # its scanner and its parser raise errors of many kinds
        raise ValueError(f"The formula {formula!r} cannot be read: {error}") from None
    if described.response is None:
        raise ValueError(f"The formula {formula!r} has no outcome: write it to the left of '~'.")
    return described


def _prepare(frame: pd.DataFrame, used: list[str], groups: set[str]) -> pd.DataFrame:
    """Columns as formulae takes them: floats, and categories without unused levels."""
    changed = {}
    for column in used:
        values = frame[column]
        if column in groups:
            check_group(frame, column)
            changed[column] = group_labels(frame, column)
        elif pd.api.types.is_numeric_dtype(values) and values.dtype != bool:
            check_numeric(frame, column)
            changed[column] = values.astype(float)
        else:
            changed[column] = _as_factor(frame, column)
    result = frame.assign(**changed)
    result.attrs = dict(frame.attrs)
    return result


def _as_factor(frame: pd.DataFrame, column: str) -> pd.Series:
    """A column of text, truth values or categories as a factor; errors as in ``read_terms``."""
    values = frame[column]
    if not isinstance(values.dtype, pd.CategoricalDtype):
        if values.dtype == bool:
            values = values.map({False: "no", True: "yes"})
        elif looks_numeric(frame, column):
            check_numeric(frame, column)
    labels = values.astype("category").cat.remove_unused_categories()
    if len(labels.cat.categories) > max(2, MANY_LEVELS * len(frame)):
        raise ValueError(
            f"Column {column!r} has {len(labels.cat.categories)} levels in {len(frame)} rows, too many "
            f"for a factor; as a grouping factor it would be '(1 | {column})'."
        )
    return labels


def _check_names(terms: Terms) -> None:
    """Raise a ``ValueError`` if a term cannot name a variable of a fit, or a column has no scatter."""
    for name in (terms.outcome, *terms.common, *terms.by_group):
        if "/" in name:
            raise ValueError(
                f"The term {name!r} cannot name a parameter because of its '/'; make a column of it first."
            )
    columns = {} if terms.design.common is None else terms.design.common.as_dataframe()
    for column in (name for names in terms.common.values() for name in names):
        if columns[column].nunique() == 1:
            raise ValueError(
                f"The column {column!r} of the formula is constant, so it has no slope."
            )


def standardize(
    formula: str, frame: pd.DataFrame, *, drop_missing: bool = False
) -> tuple[str, pd.DataFrame]:
    """Standardize every numeric column that stands by itself in a term of a formula.

    Factors, the outcome, and columns inside functions, such as ``np.log(x)``, stay.
    Returns the formula, written out, with ``std_x`` for ``x``, and the table of the rows that are used,
    with these columns added (``frames.standardize``) and its factors as categories. Errors are those
    of ``read_terms``.
    """
    terms = read_terms(formula, frame, drop_missing=drop_missing)
    described, table = terms.design.model, terms.frame
    numeric = set()
    for term in (*described.common_terms, *(t.expr for t in described.group_terms)):
        for part in getattr(term, "components", ()):
            if isinstance(part, Variable) and part.kind == "numeric":
                numeric.add(part.name)
    for column in sorted(numeric - set(terms.factors)):
        table = standardize_column(table, column)
    written = [] if terms.has_intercept else ["0"]
    written += [_write(name, numeric) for name in terms.common]
    for factor in terms.factors:
        own = [effect for effect, of in terms.by_group.values() if of == factor]
        own = [_write(e, numeric) for e in own if e != "1" or len(own) == 1] + ["0"] * (
            "1" not in own
        )
        written.append(f"({' + '.join(own)} | {_write(factor, set())})")
    return f"{_write(terms.outcome, set())} ~ {' + '.join(written) or '1'}", table


def _write(term: str, numeric: set[str]) -> str:
    """A term as a formula writes it, with ``std_`` before the columns that are standardized."""
    parts = [f"std_{part}" if part in numeric else part for part in term.split(":")]
    plain = [
        part if part.isidentifier() or "(" in part or part == "1" else f"`{part}`" for part in parts
    ]
    return ":".join(plain)


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
    if any(term.kind == "offset" for term in terms.design.common.terms.values()):
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
    added = terms.design.common.as_dataframe()[_columns(terms)].set_index(frame.index)
    added[terms.outcome] = np.asarray(terms.design.response.design_matrix, dtype=float)
    if terms.factors:
        group = terms.factors[0]
    elif group not in frame:
        group, added[HALVES] = HALVES, np.arange(len(frame)) % 2
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
    sds = [f"{name}_sigma" for name in terms.by_group]
    order = [INTERCEPT, *terms.common, SIGMA, *sds, RHO, *terms.by_group]
    return xr.Dataset({name: found[name] for name in order if name in found}, attrs=data.attrs)


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
    term = terms.design.common.terms[name]
    if term.levels is not None:
        return list(term.levels)
    return list(range(len(term.labels))) if len(term.labels) > 1 else None
