"""Two grouping factors with intercepts only, crossed or nested: exact up to a grid in three dimensions.

Given the three sds all else is Gaussian with a sparse precision: in the block of either factor it is
diagonal. The factor with more groups is summed out in closed form, and what it leaves of the other
one and of the coefficients (a Schur complement) is solved. All that is costly depends on the sds of
the factors over sigma only, so it is done once for nodes that share them. The formulas are derived
in the appendix "The exact answer".
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod
from types import SimpleNamespace

import numpy as np
import pandas as pd
import xarray as xr
from scipy import sparse, stats

from helpers.exact import gaussian
from helpers.exact.gaussian import TINY, Sums, Units
from helpers.exact.problem import (
    Problem,
    QuadratureFailed,
    as_dataset,
    condition,
    deviations,
    draw_effects,
    sd_from,
    sds_at,
)
from helpers.frames import group_labels
from helpers.terms import Model, group_dim

MOST_SOLVED = 500  # groups of the smaller factor
MOST_GROUPS = 20_000  # of both
MOST_PRODUCTS = 20_000_000  # numbers in ``between``: 240 MB
AT_ONCE = 2_000_000  # numbers in one array of matrices


@dataclass(frozen=True)
class Factors:
    """A table as the formulas use it: products of columns, summed over rows.

    The columns (M,) are the indicators of the ``second`` factor's groups, the P of the coefficients,
    and the outcome; the latter are centred and scaled by ``units``. The ``first`` factor has more
    groups: ``counts`` (J1,) rows each, of ``kinds`` (U,) different numbers, with the sums
    ``cells`` (J1, J2) and ``sums`` (J1, P + 1) of the columns. ``within`` (M, M) are the products of
    columns around the first factor's means, and ``between`` (M * M, U) those of the means, by kind.
    """

    names: tuple[str, str]
    groups: tuple[list, list]
    counts: np.ndarray
    kinds: np.ndarray
    cells: sparse.csr_array
    sums: np.ndarray
    within: np.ndarray
    between: sparse.csr_array
    units: Units
    prior_mean: np.ndarray
    prior_precision: np.ndarray
    columns: tuple[str, ...]
    known: dict = field(default_factory=dict)  # results of ``eliminate``, by the ratios

    @property
    def labels(self) -> list:
        return [*self.groups[0], *self.groups[1]]


class Crossed(Problem):
    """A ``Problem`` with ``Factors`` as data, and scales of the sds, by name, as priors.

    In the ``chart`` "ratio" the grid spans the factors' sds over sigma in place of the sds, which
    makes nodes share them; in the chart "plain", where nearly every row is a group, the sds.
    """


def build_crossed(model: Model) -> Crossed:
    """Put a model of two grouping factors and its table together.

    Raises ``ValueError`` if it is too large, ``QuadratureFailed`` for rows without any scatter.
    """
    terms, frame = model.terms, model.frame
    coded = {name: code_groups(frame, factor) for name, (_, factor) in terms.by_group.items()}
    first, second = names = sorted(coded, key=lambda name: -len(coded[name][1]))
    codes, groups = zip(*(coded[name] for name in names), strict=True)
    if len(groups[1]) > MOST_SOLVED:
        raise ValueError(
            f"The exact answer takes up to {MOST_SOLVED} groups of the smaller grouping factor, but "
            f"{second!r} has {len(groups[1]):,}; use backend='bambi'."
        )
    columns = terms.columns_at(frame)[:, 1:]
    outcome = np.asarray(terms.design.response.design_matrix, dtype=float).reshape(-1, 1)
    data = reduce_rows(tuple(names), groups, codes, np.hstack([columns, outcome]), model)
    sigma, spare = _find_sigma(data, len(frame))
    reach = {"sigma": model.priors.sigma} | {name: model.group_sds[name] for name in names}
    reach = {name if name == "sigma" else f"{name}_sigma": sd for name, sd in reach.items()}
    unit = {
        f"{n}_sigma": sigma / np.sqrt(np.bincount(c).max())
        for n, c in zip(names, codes, strict=True)
    }
    unit = {name: min(reach[name], value) for name, value in unit.items()} | {"sigma": sigma}
    sds = (f"{first}_sigma", f"{second}_sigma", "sigma")
    chart = "ratio" if spare > 0 else "plain"
    return Crossed(sds, ("effects",), unit, reach, data, reach, chart)


def code_groups(frame: pd.DataFrame, factor: str) -> tuple[np.ndarray, list]:
    """Number of each row's group (R,), and all groups' labels: of "g:h" all pairs, as Bambi has them."""
    parts = [group_labels(frame, column).cat for column in factor.split(":")]
    sizes = tuple(len(part.categories) for part in parts)
    if prod(sizes) > MOST_GROUPS:
        raise ValueError(
            f"The exact answer takes up to {MOST_GROUPS:,} groups, but {factor!r} has "
            f"{prod(sizes):,}, combinations without rows among them; use backend='bambi'."
        )
    codes = np.ravel_multi_index([part.codes.astype(int) for part in parts], sizes)
    if len(parts) == 1:
        return codes, list(parts[0].categories)
    return codes, [":".join(map(str, of)) for of in product(*(p.categories for p in parts))]


def reduce_rows(names, groups, codes, rows: np.ndarray, model: Model) -> Factors:
    """Centre and scale rows (R, P) of columns and outcome, and sum products over them."""
    R, C = rows.shape
    units = gaussian.find_units(np.ones(R), rows, np.zeros((1, C, C)), None)
    rows = np.column_stack([np.ones(R), (rows - np.append(units.center[1:], 0.0))])
    rows[:, :-1] /= units.scale
    rows[:, -1] -= rows[:, :-1] @ units.reference
    first, second = (
        sparse.csr_array((np.ones(R), (np.arange(R), code)), shape=(R, len(labels)))
        for code, labels in zip(codes, groups, strict=True)
    )
    counts = first.sum(axis=0)
    cells, sums = (first.T @ second).tocsr(), first.T @ rows
    inner = rows - (gaussian.divide(sums, counts[:, None]))[codes[0]]
    means = cells.T @ sparse.diags_array(gaussian.divide(1.0, counts)) @ cells
    both = second.T @ inner
    indicators = np.diag(second.sum(axis=0)) - means.toarray()
    within = np.block([[indicators, both], [both.T, inner.T @ inner]])
    kinds, kind = np.unique(counts, return_inverse=True)
    wide = sparse.hstack([cells, sparse.csr_array(sums)]).tocsr()
    parts, numbers = [], 0
    for place, n in enumerate(kinds):
        part = wide[kind == place]
        parts.append((part.T @ part).tocoo().reshape((within.size, 1)) / max(n, 1.0))
        numbers += parts[-1].nnz
        if numbers > MOST_PRODUCTS:
            raise ValueError(
                f"The exact answer of {names[0]!r} and {names[1]!r} needs more memory than 240 MB: too "
                "many pairs of their groups have rows in common; use backend='bambi'."
            )
    between = sparse.hstack(parts).tocsr()
    columns = ("intercept", *model.columns.covariates)
    prior = gaussian.center_priors(columns, model.priors, units)
    return Factors(
        names, groups, counts, kinds, cells, sums, within, between, units, *prior, columns
    )


def _find_sigma(data: Factors, rows: int) -> tuple[float, int]:
    """The residual sd around least-squares effects, and the number of rows that are left for it."""
    W = data.within
    line, _, rank, _ = np.linalg.lstsq(W[:-1, :-1], W[:-1, -1], rcond=1e-12)
    left, spare = W[-1, -1] - W[-1, :-1] @ line, rows - np.sum(data.counts > 0) - rank
    total = (gaussian.divide(data.sums[:, -1] ** 2, data.counts)).sum() + W[-1, -1]
    if spare > 0 and left <= 1e-14 * total:
        raise QuadratureFailed(
            "The outcome is a sum of effects without any scatter, so sigma has no lower limit."
        )
    return float(np.sqrt(left / spare if spare > 0 else total / rows)), int(spare)


# Given the sds


@sds_at.register
def _(problem: Crossed, t: np.ndarray) -> tuple[SimpleNamespace, np.ndarray]:
    """The sds by name, and ``ratios`` (K, 2), the factors' variances over that of the residual."""
    *factors, _ = problem.names
    unit = np.array([problem.unit[name] for name in factors])
    sigma, log_prior = sd_from(t[:, 2], problem.unit["sigma"])
    per = problem.unit["sigma"] if problem.chart == "ratio" else 1.0
    sds, jacobian = sd_from(t[:, :2], unit / per)
    log_prior = log_prior + jacobian.sum(axis=1)
    if problem.chart == "ratio":
        ratios, sds = sds, sds * sigma[:, None]
        log_prior = log_prior + 2 * np.log(sigma)
    else:
        ratios = sds / np.sqrt(np.maximum(sigma**2, TINY))[:, None]
    given = dict(zip(problem.names, [*sds.T, sigma], strict=True))
    for name, sd in given.items():
        log_prior = log_prior + stats.halfnorm.logpdf(sd, scale=problem.priors[name])
    return SimpleNamespace(**given, ratios=ratios**2), log_prior


@condition.register
def _(problem: Crossed, sds: SimpleNamespace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    data, v = problem.data, np.maximum(sds.sigma**2, TINY)
    products, logs = eliminate(data, sds.ratios)
    n = int(data.counts.sum())
    return gaussian.condition(Sums(products / v[:, None], logs + n * np.log(v), n), data)


def eliminate(data: Factors, ratios: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Without both factors' effects, in units of sigma: products (K, T) of columns and outcome, weighted
    by the inverse of the covariance of the outcomes, and its log determinant (K,)."""
    keys, first, place = _distinct(ratios)
    keys = [key.tobytes() for key in keys]
    missing = [k for k, key in enumerate(keys) if key not in data.known]
    new = ratios[first[missing]]
    for some in _blocks(data, len(new)):
        square, cross, rest = _complement(data, new[some])
        rest -= new[some, 1, None, None] * np.swapaxes(cross, 1, 2) @ np.linalg.solve(square, cross)
        roots = np.diagonal(np.linalg.cholesky(square), axis1=1, axis2=2)
        logs = np.log1p(np.outer(new[some, 0], data.counts)).sum(axis=1)
        logs += 2 * np.log(roots).sum(axis=1)
        packed = rest[:, *np.triu_indices(rest.shape[1])]
        found = zip(np.arange(len(new))[some], packed, logs, strict=True)
        data.known.update({keys[missing[k]]: (one, log) for k, one, log in found})
    products, logs = zip(*(data.known[key] for key in keys), strict=True)
    return np.array(products)[place], np.array(logs)[place]


def _complement(data: Factors, ratios: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the first factor leaves: precision (K, J2, J2) of the second factor's standardized effects
    in units of sigma, and the products of its indicators with the other columns, and of these."""
    J, M = data.cells.shape[1], len(data.within)
    shrunk = 1 / (1 + np.outer(data.kinds, ratios[:, 0]))
    whole = np.ascontiguousarray((data.between @ shrunk).T).reshape(-1, M, M) + data.within
    square = ratios[:, 1, None, None] * whole[:, :J, :J] + np.eye(J)
    return square, whole[:, :J, J:], whole[:, J:, J:]


def _distinct(ratios: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keys of the distinct ratios (K, 2), where each is first, and which one each has."""
    keys = np.round(np.log(np.maximum(ratios, TINY)), 9)
    return np.unique(keys, axis=0, return_index=True, return_inverse=True)


def _blocks(data: Factors, number: int) -> Iterator[slice]:
    """Some ratios after the others, as many as fit."""
    width = max(1, AT_ONCE // max(len(data.within) ** 2, data.cells.shape[0]))
    return (slice(start, start + width) for start in range(0, number, width))


# Effects


@deviations.register
def _(problem: Crossed, sds: SimpleNamespace, line, covariance) -> Callable:
    _, first, place = _distinct(sds.ratios)
    gains, spreads = _effects(problem.data, sds.ratios[first])
    v = sds.sigma[:, None] ** 2

    def of_groups(some):
        gain = gains[:, some][place]
        own, outcome = gain[..., :-1], gain[..., -1]
        mean = outcome - (own @ line[..., None])[..., 0]
        variance = v * spreads[:, some][place] + ((own @ covariance) * own).sum(axis=2)
        return mean[None], variance[None]

    return of_groups


def _effects(data: Factors, ratios: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gains (K, J, P + 1), which turn coefficients and outcome into the effects' means, and variances
    (K, J) in units of sigma squared, first factor first."""
    gains, spreads = [], []
    J1 = data.cells.shape[0]
    place, cells = np.repeat(np.arange(J1), np.diff(data.cells.indptr)), data.cells
    rows = sparse.csr_array((cells.data, (place, np.arange(cells.nnz))), shape=(J1, cells.nnz))
    for some in _blocks(data, len(ratios)):
        first, second = ratios[some].T[..., None]
        square, cross, _ = _complement(data, ratios[some])
        inverse = np.linalg.inv(square)
        of_second = second[..., None] * (inverse @ cross)
        shrunk = first / (1 + first * data.counts)
        of_first = shrunk[..., None] * (data.sums - _spread_out(cells, of_second))
        squares = np.stack([rows @ (cells @ one)[place, cells.indices] for one in inverse])
        gains.append(np.concatenate([of_first, of_second], axis=1))
        own = second * np.diagonal(inverse, axis1=1, axis2=2)
        spreads.append(np.hstack([shrunk + shrunk**2 * second * squares, own]))
    return np.concatenate(gains), np.concatenate(spreads)


def _spread_out(cells: sparse.csr_array, values: np.ndarray) -> np.ndarray:
    """Sums (K, J1, P) over the cells of values (K, J2, P) of the second factor's groups."""
    K, J2, P = values.shape
    flat = cells @ values.transpose(1, 0, 2).reshape(J2, -1)
    return flat.reshape(-1, K, P).transpose(1, 0, 2)


@draw_effects.register
def _(problem: Crossed, sds: SimpleNamespace, line, rng) -> dict[str, np.ndarray]:
    """First the second factor's effects given the coefficients, then the first one's given both."""
    data, drawn = problem.data, []
    for some in _blocks(data, len(line)):
        first, second = sds.ratios[some].T[..., None]
        sigma, left = sds.sigma[some, None], np.insert(-line[some], line.shape[1], 1.0, axis=1)
        square, cross, _ = _complement(data, sds.ratios[some])
        z = np.linalg.cholesky(square) @ rng.standard_normal((*square.shape[:2], 1))
        toward = np.sqrt(second) * (cross @ left[..., None])[..., 0] + sigma * z[..., 0]
        of_second = np.sqrt(second) * np.linalg.solve(square, toward[..., None])[..., 0]
        shrunk = first / (1 + first * data.counts)
        mean = shrunk * (left @ data.sums.T - of_second @ data.cells.T)
        z = rng.standard_normal(mean.shape)
        drawn.append(np.hstack([mean + sigma * np.sqrt(shrunk) * z, of_second]))
    return {"effects": np.concatenate(drawn).T}


@as_dataset.register
def _(problem: Crossed, arrays: dict[str, np.ndarray], coords: dict) -> xr.Dataset:
    """Names of the coefficients are the book's, those of sds and effects Bambi's."""
    data = problem.data
    found = as_dataset.dispatch(Problem)(replace(problem, effects=()), arrays, coords)
    start = 0
    for name, labels in zip(data.names, data.groups, strict=True):
        values = arrays["effects"][start : start + len(labels)]
        values = np.moveaxis(values.reshape(len(labels), *map(len, coords.values())), 0, -1)
        dim = group_dim(name.split("|", 1)[1])
        found[name] = ((*coords, dim), values)
        found = found.assign_coords({dim: labels})
        start += len(labels)
    return found
