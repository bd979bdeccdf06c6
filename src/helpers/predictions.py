"""What a fit by formula says of new rows: their mean, outcomes, contrasts and slopes.

A row of a group that the fit knows has its group's effects; a row of a group never seen has effects
drawn from the population, the same for all rows of that group; a row without a group is what the
population's terms say: a group whose effects are all 0.
"""

from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd
import xarray as xr

from helpers.families import GAUSSIAN, Family, find_family
from helpers.frames import check_column, check_numeric, group_labels, scale_of
from helpers.priors import SEED, check_choice
from helpers.terms import RHO, Terms, group_dim, read_level, read_terms

ROW = "row"
KINDS = ("mean", "outcome", "linear")
LINES = ("mean", "linear")  # kinds that have no chance in them


def predict(
    tree: xr.DataTree,
    formula: str,
    frame: pd.DataFrame,
    rows: pd.DataFrame,
    *,
    kind: str = "mean",
    seed: int = SEED,
    family: str = GAUSSIAN,
) -> xr.DataArray:
    """Posterior draws of the mean, or of outcomes, of new rows.

    Parameters
    ----------
    tree, formula, frame
        A fit of ``models.fit(formula, frame, ...)`` by any back end, and what it was fitted to.
    rows
        A table with the columns that the formula uses, but for the outcome. Where the formula uses
        what ``frames.standardize`` made of a column, such as ``std_x``, the rows may have ``x`` itself,
        in its own unit. Without the grouping column, or where its value is missing, a row has no
        group: its effects are 0.
    kind
        "mean", the line; or "outcome": single outcomes, with the residual. Of another family "mean" is
        the mean of a row's outcomes, such as the chance of a yes, and "linear" its linear predictor,
        on the scale of the link (log or logit).
    seed
        Of the effects of new groups and of residuals.
    family
        As in the fit.

    Returns
    -------
    DataArray in units of the outcome, as the formula has it (but for "linear"), with the dimensions ``chain``, ``draw`` and
    ``row``, whose labels are those of ``rows``.

    Raises
    ------
    ValueError
        If a column is missing or has gaps, or a value of a factor is not among its levels; if the
        family is unknown, or is not that of the fit.
    """
    check_choice("kind", kind, KINDS)
    of, rng = find_family(family), np.random.default_rng(seed)
    terms = read_terms(formula, frame, drop_missing=True)
    rows = _complete(terms, frame, rows)
    posterior = tree["posterior"].to_dataset()
    found = _population(terms, posterior, rows)
    for factor in terms.factors:
        found = found + _effects(terms, posterior, rows, factor, rng)
    if kind != "linear":
        found = of.mean(found)
    if kind == "outcome":
        found = _draw_outcomes(of, found, posterior, rng)
    return (
        found.transpose("chain", "draw", ROW).assign_coords({ROW: rows.index}).rename(terms.outcome)
    )


def _draw_outcomes(
    family: Family, mean: xr.DataArray, posterior: xr.Dataset, rng: np.random.Generator
) -> xr.DataArray:
    """An outcome of each mean; a ``ValueError`` says if the fit lacks the family's parameter."""
    name = family.auxiliary
    if name and name not in posterior:
        raise ValueError(
            f"The fit has no {name!r}, so its outcomes are not of the family {family.name!r}; give "
            "family= as it was fitted."
        )
    each = xr.zeros_like(posterior["draw"], dtype=float) + xr.zeros_like(posterior["chain"], float)
    auxiliary = each + (posterior[name] if name else 0)
    mean, auxiliary = (a.transpose("chain", "draw", ROW) for a in xr.broadcast(mean, auxiliary))
    return mean.copy(data=family.draw(rng, mean.values, auxiliary.values))


def contrast(
    tree: xr.DataTree,
    formula: str,
    frame: pd.DataFrame,
    rows: pd.DataFrame,
    values: Mapping | None = None,
    *,
    kind: str = "mean",
    family: str = GAUSSIAN,
    **others,
) -> xr.DataArray:
    """Posterior draws of the difference of means between two values of one column, others being equal.

    What is set is one keyword: the column, and a pair (from, to), such as ``dose=(1, 2)`` or
    ``segment=("a", "b")``, or ``values``, the same as a dict, for a column of any name; the rest as in ``predict``. DataArray (chain, draw, row) in units of the
    outcome: the second minus the first. With ``kind="linear"`` the difference of linear predictors, whose
    exponential is a ratio of means (log) or of odds (logit). A ``ValueError`` refuses a column that the formula does not use.
    """
    check_choice("kind of contrast", kind, LINES)
    values = {**(values or {}), **others}
    pairs = [pair for pair in values.values() if isinstance(pair, tuple | list) and len(pair) == 2]
    if len(values) != 1 or not pairs:
        raise ValueError("A contrast is of one column and two of its values, such as dose=(1, 2).")
    ((column, pair),) = values.items()
    first, second = (
        predict(
            tree, formula, frame, _set(formula, frame, rows, column, v), kind=kind, family=family
        )
        for v in pair
    )
    return second - first


def slopes(
    tree: xr.DataTree,
    formula: str,
    frame: pd.DataFrame,
    rows: pd.DataFrame,
    column: str,
    *,
    per: float = 1,
    kind: str = "mean",
    family: str = GAUSSIAN,
) -> xr.DataArray:
    """Posterior draws of what the mean of each row changes by where a numeric column grows.

    In units of the outcome per ``per`` units of the column, at the values that the rows have; where
    the formula or the link bends, the slope of the tangent. With ``kind="linear"`` what the linear
    predictor changes by. The rest is as in ``predict``.
    """
    check_choice("kind of slope", kind, LINES)
    check_column(frame, column)
    for table in (rows, frame.dropna(subset=[column])):
        check_numeric(table, column)
    step = 1e-4 * (float(frame[column].max() - frame[column].min()) or 1.0)
    values = [rows[column].astype(float) + end * step / 2 for end in (-1, 1)]
    low, high = (
        predict(
            tree, formula, frame, _set(formula, frame, rows, column, v), kind=kind, family=family
        )
        for v in values
    )
    return per / step * (high - low)


def _set(formula: str, frame: pd.DataFrame, rows: pd.DataFrame, column: str, value) -> pd.DataFrame:
    """Rows with another value of a column that the formula uses, standardized or not."""
    check_column(rows, rows.columns[0])
    used = read_terms(formula, frame, drop_missing=True).design.model
    standardized = f"std_{column}"
    if standardized in used.var_names and column in frame.attrs.get("scales", {}):
        # What is there belongs to the old value, and would be used in place of the new one.
        return rows.drop(columns=standardized, errors="ignore").assign(**{column: value})
    if column not in used.var_names - used.response.var_names:
        raise ValueError(f"The formula {formula!r} does not use {column!r}, so nothing follows.")
    return rows.assign(**{column: value})


def _complete(terms: Terms, frame: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The new rows with the columns and levels that the terms of a formula need, but for groups."""
    check_column(rows, next(iter(rows), ""))
    rows, own = rows.copy(), (*terms.population.values(), *(t.expr for t in terms.effects.values()))
    for column in sorted(set().union(*(term.var_names for term in own)) - {""}):
        original = column.removeprefix("std_")
        if column not in rows and original in frame.attrs.get("scales", {}) and original in rows:
            check_numeric(rows, original)
            rows[column] = scale_of(frame, original).standardize(rows[original].astype(float))
        check_column(rows, column)
        rows[column] = _as_fitted(terms, rows, column)
    return rows


def _as_fitted(terms: Terms, rows: pd.DataFrame, column: str) -> pd.Series:
    """A column of new rows with the type that the fit had; errors as in ``predict``."""
    fitted = terms.frame[column]
    if not isinstance(fitted.dtype, pd.CategoricalDtype):
        check_numeric(rows, column)
        return rows[column].astype(float)
    known = {read_level(level): level for level in fitted.cat.categories}
    values = rows[column].astype(object)
    for value in values[~values.map(read_level).isin(known)]:
        raise ValueError(
            f"Column {column!r} has {value!r} in the new rows, but the fit knows only {', '.join(known)}."
        )
    levels = values.map(read_level).map(known)
    return pd.Series(pd.Categorical(levels, dtype=fitted.dtype), rows.index)


def _population(terms: Terms, posterior: xr.Dataset, rows: pd.DataFrame) -> xr.DataArray:
    """What the population's terms say of rows."""
    total = xr.DataArray(np.zeros(len(rows)), dims=ROW)
    for name, term in terms.population.items():
        columns = terms.columns_of(name, rows)
        slopes = 1.0 if term.kind == "offset" else posterior[name]
        dims = sorted(set(getattr(slopes, "dims", ())) - {"chain", "draw"})
        if not dims:
            total = total + slopes * xr.DataArray(columns[:, 0], dims=ROW)
            continue
        total = total + xr.dot(slopes, xr.DataArray(columns, dims=(ROW, *dims)), dim=dims)
    return total


def _effects(
    terms: Terms, posterior: xr.Dataset, rows: pd.DataFrame, factor: str, rng: np.random.Generator
) -> xr.DataArray:
    """What the effects of one grouping factor add to each row."""
    dim = group_dim(factor)
    places, new = _find_groups(terms, rows, factor, posterior[dim].values)
    names = [name for name, (_, of) in terms.by_group.items() if of == factor]
    total = 0.0
    for name, drawn in _draw_groups(posterior, names, dim, new, rng).items():
        effects = posterior[name].drop_vars(dim)
        none = xr.zeros_like(effects.isel({dim: [0]}))
        each = xr.concat([effects, drawn, none], dim).isel({dim: xr.DataArray(places, dims=ROW)})
        columns = terms.columns_by_group(name, rows)
        levels = set(each.dims) - {"chain", "draw", ROW}
        columns = xr.DataArray(columns if levels else columns[:, 0], dims=(ROW, *levels))
        total = total + xr.dot(each, columns, dim=list(levels))
    return total


def _find_groups(
    terms: Terms, rows: pd.DataFrame, factor: str, known: np.ndarray
) -> tuple[np.ndarray, int]:
    """Place (R,) of each row's group: among those known, then the new ones, and last a group without
    effects; and how many are new."""
    columns = factor.split(":")
    if any(column not in rows for column in columns):
        return np.full(len(rows), len(known)), 0
    there = rows[columns].notna().all(axis=1).to_numpy()
    levels = [group_labels(terms.frame, column).cat.categories for column in columns]
    place = {str(label): number for number, label in enumerate(known)}
    own = {tuple(map(read_level, of)): place[":".join(map(str, of))] for of in product(*levels)}
    labels = rows[columns].astype(object).map(read_level)
    keys = list(labels.itertuples(index=False, name=None))
    new = [
        key
        for key in dict.fromkeys(k for k, t in zip(keys, there, strict=True) if t)
        if key not in own
    ]
    own |= {key: len(known) + number for number, key in enumerate(new)}
    none = len(known) + len(new)
    places = [own[key] if t else none for key, t in zip(keys, there, strict=True)]
    return np.array(places, dtype=int), len(new)


def _draw_groups(
    posterior: xr.Dataset, names: list[str], dim: str, number: int, rng: np.random.Generator
) -> dict[str, xr.DataArray]:
    """Effects of groups never seen, from the population that each draw describes."""
    drawn, first = {}, None
    for name in names:
        like = posterior[name].isel({dim: np.zeros(number, dtype=int)}).drop_vars(dim)
        z = like.copy(data=rng.normal(size=like.shape))
        if first is not None and RHO in posterior:
            z = posterior[RHO] * first + np.sqrt(1 - posterior[RHO] ** 2) * z
        first = z if first is None else first
        drawn[name] = (posterior[f"{name}_sigma"] * z).transpose(*like.dims)
    return drawn
