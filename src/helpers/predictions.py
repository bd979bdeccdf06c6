"""What a fit by formula says of new rows: their mean, outcomes, contrasts and slopes.

A row of a group that the fit knows has its group's effects; a row of a group never seen has effects
drawn from the population, the same for all rows of that group; a row without a group is what the
population's terms say: a group whose effects are all 0.
"""

import numpy as np
import pandas as pd
import xarray as xr

from helpers.frames import check_column, scale_of
from helpers.priors import SEED
from helpers.terms import FACTOR, INTERCEPT, RHO, SIGMA, Terms, read_terms

ROW = "row"
KINDS = ("mean", "outcome")


def predict(
    tree: xr.DataTree,
    formula: str,
    frame: pd.DataFrame,
    rows: pd.DataFrame,
    *,
    kind: str = "mean",
    seed: int = SEED,
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
        "mean", the line; or "outcome": single outcomes, with the residual.
    seed
        Of the effects of new groups and of residuals.

    Returns
    -------
    DataArray in units of the outcome with the dimensions ``chain``, ``draw`` and ``row``, whose labels
    are those of ``rows``.

    Raises
    ------
    ValueError
        If a column is missing, or a value of a factor is not among its levels.
    """
    if kind not in KINDS:
        raise ValueError(f"Unknown kind {kind!r}; choose one of {', '.join(KINDS)}.")
    terms, rng = read_terms(formula, frame, drop_missing=True), np.random.default_rng(seed)
    rows = _complete(terms, frame, rows)
    posterior = tree["posterior"].to_dataset()
    mean = _population(terms, posterior, rows)
    for factor in terms.factors:
        mean = mean + _effects(terms, posterior, rows, factor, rng)
    if kind == "outcome":
        noise = rng.normal(size=(posterior.sizes["chain"], posterior.sizes["draw"], len(rows)))
        mean = mean + posterior[SIGMA] * xr.DataArray(noise, dims=("chain", "draw", ROW))
    return (
        mean.transpose("chain", "draw", ROW).assign_coords({ROW: rows.index}).rename(terms.outcome)
    )


def contrast(
    tree: xr.DataTree, formula: str, frame: pd.DataFrame, rows: pd.DataFrame, **values
) -> xr.DataArray:
    """Posterior draws of the difference of means between two values of one column, others being equal.

    ``values`` is one keyword: the column, and a pair (from, to), such as ``dose=(1, 2)`` or
    ``segment=("a", "b")``; the rest as in ``predict``. DataArray (chain, draw, row) in units of the
    outcome: the second minus the first.
    """
    if len(values) != 1 or len(next(iter(values.values()))) != 2:
        raise ValueError("A contrast is of one column and two of its values, such as dose=(1, 2).")
    ((column, (first, second)),) = values.items()
    means = [
        predict(tree, formula, frame, rows.assign(**{column: value})) for value in (first, second)
    ]
    return means[1] - means[0]


def slopes(
    tree: xr.DataTree,
    formula: str,
    frame: pd.DataFrame,
    rows: pd.DataFrame,
    column: str,
    *,
    per: float = 1,
) -> xr.DataArray:
    """Posterior draws of what the mean of each row changes by where a numeric column grows.

    In units of the outcome per ``per`` units of the column, at the values that the rows have; where
    the formula bends, the slope of the tangent. The rest is as in ``predict``.
    """
    check_column(rows, column)
    step = 1e-4 * (float(frame[column].max() - frame[column].min()) or 1.0)
    low, high = (rows.assign(**{column: rows[column] + end * step / 2}) for end in (-1, 1))
    rise = predict(tree, formula, frame, high) - predict(tree, formula, frame, low)
    return per / step * rise


def _complete(terms: Terms, frame: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The new rows with the columns and levels that the terms of the population need."""
    rows = rows.copy()
    factors = {name for factor in terms.factors for name in factor.split(":")}
    used = [name for name in terms.used if name not in factors]
    for column in used:
        if column in terms.design.response.term.term.var_names:
            continue
        original = column.removeprefix("std_")
        if column not in rows and original in frame.attrs.get("scales", {}) and original in rows:
            rows[column] = scale_of(frame, original).standardize(rows[original])
        check_column(rows, column)
        rows[column] = _as_fitted(terms, rows, column)
    return rows


def _as_fitted(terms: Terms, rows: pd.DataFrame, column: str) -> pd.Series:
    """A column of new rows with the type that the fit had; errors as in ``predict``."""
    fitted = terms.frame[column]
    if not isinstance(fitted.dtype, pd.CategoricalDtype):
        values = rows[column].astype(float)
        if not np.isfinite(values).all():
            raise ValueError(f"Column {column!r} is missing or not finite in one of the new rows.")
        return values
    values = rows[column]
    if values.dtype == bool:
        values = values.map({False: "no", True: "yes"})
    known = fitted.cat.categories
    unknown = values[~values.isin(known)]
    if len(unknown):
        raise ValueError(
            f"Column {column!r} has {unknown.iloc[0]!r} in the new rows, but the fit knows only "
            f"{', '.join(map(str, known))}."
        )
    return pd.Series(pd.Categorical(values, known), rows.index)


def _population(terms: Terms, posterior: xr.Dataset, rows: pd.DataFrame) -> xr.DataArray:
    """What the population's terms say of rows."""
    columns = terms.columns_at(rows)
    names = [INTERCEPT] * terms.has_intercept + list(terms.common)
    total, start = xr.DataArray(np.zeros(len(rows)), dims=ROW), 0
    for name in names:
        slopes = posterior[name]
        (dim,) = set(slopes.dims) - {"chain", "draw"} or {None}
        width = 1 if dim is None else slopes.sizes[dim]
        part = columns[:, start : start + width]
        start += width
        if dim is None:
            total = total + slopes * xr.DataArray(part[:, 0], dims=ROW)
        else:
            total = total + xr.dot(slopes, xr.DataArray(part, dims=(ROW, dim)), dim=dim)
    return total


def _effects(
    terms: Terms, posterior: xr.Dataset, rows: pd.DataFrame, factor: str, rng: np.random.Generator
) -> xr.DataArray:
    """What the effects of one grouping factor add to each row."""
    dim = f"{factor}{FACTOR}"
    places, new = _find_groups(rows, factor, posterior[dim].values)
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


def _find_groups(rows: pd.DataFrame, factor: str, known: np.ndarray) -> tuple[np.ndarray, int]:
    """Place (R,) of each row's group: among those known, then the new ones, and last a group without
    effects; and how many are new."""
    columns = factor.split(":")
    if any(column not in rows for column in columns):
        return np.full(len(rows), len(known)), 0
    labels = rows[columns[0]].astype(object)
    there = rows[columns].notna().all(axis=1).to_numpy()
    if len(columns) > 1:
        labels = rows[columns].map(str).agg(":".join, axis=1)
    text = labels.map(str)  # dates and the like are text in a fit
    own = {str(label): place for place, label in enumerate(known)}
    new = [label for label in dict.fromkeys(text[there]) if label not in own]
    own |= {label: len(known) + place for place, label in enumerate(new)}
    places = np.where(there, text.map(own).fillna(0), len(own)).astype(int)
    return places, len(new)


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
