"""What fits call their parameters: by formula after its terms, as Bambi does, by name as the book does."""

from collections.abc import Mapping

import pandas as pd
import xarray as xr

from helpers.priors import EFFECTS, PARAMETERS, Columns
from helpers.terms.design import Terms
from helpers.terms.language import INTERCEPT

GROUP_DIM, LEVEL_DIM, COLUMN_DIM = "__factor_dim", "__expr_dim", "_dim"  # how dimensions end
SAMPLES = {"chain", "draw"}


def group_dim(factor: str) -> str:
    """The dimension of a grouping factor's groups in a fit by formula."""
    return f"{factor}{GROUP_DIM}"


def book_names(columns: Columns, effect: str | None = None) -> dict[str, str]:
    """The book's name of each variable and dimension that Bambi names after a column.

    ``effect`` is the term with slopes by group, if it is not called as the predictor is.
    """
    predictor, group = columns.predictor, columns.group
    names = {
        INTERCEPT: "intercept",
        f"1|{group}": "group_intercept",
        f"1|{group}_sigma": "group_sd",
        group_dim(group): group,
        "__obs__": "obs",
    }
    if predictor is None:
        return names
    own = f"{effect or predictor}|{group}"
    return names | {predictor: "slope", own: "group_slope", f"{own}_sigma": "slope_sd"}


def name_as_book(data: xr.Dataset, columns: Columns, common: Mapping[str, list[str]]) -> xr.Dataset:
    """The parameters of a fit by formula, called as those of a fit by name.

    ``common`` are the columns of the design matrix by the population's term, as in ``Terms``; each is
    the predictor of ``columns`` or one of its covariates. Effects of other groups are left out.
    """
    slopes = {}
    for name in (name for name in common if name in data):
        levels = {*data[name].dims} - SAMPLES
        for place, label in enumerate(common[name]):
            slopes[label] = data[name].isel(dict.fromkeys(levels, place), drop=True)
    data = data.drop_vars([*common], errors="ignore")
    if columns.predictor in slopes:
        data = data.assign(slope=slopes[columns.predictor])
    if shared := [name for name in columns.covariates if name in slopes]:
        index = pd.Index(shared, name="covariate")
        each = xr.concat([slopes[name] for name in shared], index, coords="minimal")
        data = data.assign(covariate_slope=each.transpose("chain", "draw", ...))
    data = rename_there(data, book_names(columns))
    for name in {*EFFECTS} & {*data}:  # a factor of two levels has a dimension of the second
        levels = {*data[name].dims} - SAMPLES - {columns.group}
        data[name] = data[name].isel(dict.fromkeys(levels, 0), drop=True)
    return data[[name for name in PARAMETERS if name in data]]


def rename_there(data: xr.Dataset, names: Mapping[str, str]) -> xr.Dataset:
    """Rename the variables and dimensions that a dataset has."""
    there = {*data.variables, *data.dims}
    return data.rename({old: new for old, new in names.items() if old in there})


def name_after_terms(data: xr.Dataset, terms: Terms, columns: Columns) -> xr.Dataset:
    """The parameters of a fit by name with the names and dimensions that Bambi gives them."""
    effect = next(iter(terms.own_slopes), None)
    names = {new: old for old, new in book_names(columns, effect).items()}
    data = rename_there(data, {columns.group: names[columns.group]})
    found = {names.get(name, name): values for name, values in data.items()}
    found |= {name: _of_term(data, terms, name, columns.predictor) for name in terms.common}
    for name in (f"{effect}|{columns.group}{end}" for end in ("", "_sigma")):
        if name in found:
            found[name] = _with_level(found[name], terms, effect)
    ordered = {name: found[name] for name in terms.variables if name in found}
    return xr.Dataset(ordered, attrs=data.attrs)


def _of_term(data: xr.Dataset, terms: Terms, name: str, predictor: str | None) -> xr.DataArray:
    """The slopes of one term: a scalar, or along a dimension of its levels."""
    slopes = [
        data["slope"]
        if label == predictor
        else data["covariate_slope"].sel(covariate=label, drop=True)
        for label in terms.common[name]
    ]
    levels = _levels(terms, name)
    if levels is None:
        return slopes[0]
    index = pd.Index(levels, name=f"{name}{COLUMN_DIM}")
    return xr.concat(slopes, index).transpose("chain", "draw", ..., missing_dims="ignore")


def _with_level(values: xr.DataArray, terms: Terms, effect: str) -> xr.DataArray:
    """Effects by group of a factor's one level have a dimension of it, before that of the groups."""
    levels = _levels(terms, effect)
    if levels is None:
        return values
    dim = f"{effect}{LEVEL_DIM}"
    others = [name for name in values.dims if not name.endswith(GROUP_DIM)]
    return values.expand_dims({dim: levels}).transpose(*others, dim, ...)


def _levels(terms: Terms, name: str) -> list | None:
    """Labels of the columns of a term that has a dimension, as Bambi gives them."""
    term = terms.population[name]
    if term.levels is not None:
        return list(term.levels)
    return list(range(len(term.labels))) if len(term.labels) > 1 else None
