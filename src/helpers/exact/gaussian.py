"""The models given their sds: Gaussian, so all else is known in closed form.

Each group shrinks to two rotated rows, and what its rows say beyond them adds up over groups. Every
formula works on many values of the sds at once: arrays begin with the axis K of those values. All
formulas are derived in the appendix "The exact answer".
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.priors import Priors
from helpers.rotated import names_in, unpack

BLOCK = 256, 1024  # sds times kinds of groups worked on at once, so that they stay in the cache
CELLS = 200_000  # the same, where all nodes are needed at once
TINY = 1e-290  # smallest variance: below it squares would be 0


@dataclass(frozen=True)
class Sds:
    """The sds in the table's units, each (K,), and what the formulas need of them.

    ``rest`` is sqrt(1 - rho^2), ``covariance`` (3, K) is that of a group's deviations where the predictor has its mean and per
    sd of the predictor: variance of the intercept, covariance, variance of the slope;
    ``determinant`` (K,) is its determinant, found without a difference.
    """

    sigma: np.ndarray
    group_sd: np.ndarray
    slope_sd: np.ndarray
    rho: np.ndarray
    rest: np.ndarray
    covariance: np.ndarray
    determinant: np.ndarray

    @classmethod
    def at(cls, sigma, group_sd, slope_sd, rho, rest, data: "Reduced") -> "Sds":
        """From sds and rho in the table's units and origin."""
        shift, per = data.units.back[:2, 1] if data.own_slopes else (0.0, 1.0)
        slope = slope_sd / per
        along, across = rho * group_sd - shift * slope, rest * group_sd
        covariance = np.array([along**2 + across**2, along * slope, slope**2])
        return cls(sigma, group_sd, slope_sd, rho, rest, covariance, (across * slope) ** 2)

    def __getitem__(self, part) -> "Sds":
        return Sds(*(value[..., part] for value in vars(self).values()))

    @property
    def variance(self) -> np.ndarray:
        return np.maximum(self.sigma**2, TINY)


def log_marginal_likelihood(statistics: pd.DataFrame, sigma, *sds, **more) -> np.ndarray:
    """Log density (K,) of all outcomes given the sds and rho, with all else integrated out.

    Arguments are as in ``condition_on``.
    """
    return condition_on(statistics, sigma, *sds, **more)[0]


def condition_on(
    statistics: pd.DataFrame,
    sigma,
    group_sd=0.0,
    slope_sd=0.0,
    rho=0.0,
    *,
    priors: Priors = Priors(),
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is known given the sds and rho: log density (K,) of all outcomes; mean (K, P) and
    covariance (K, P, P) of intercept, slope and covariates' slopes.

    ``statistics`` is a result of ``sufficient_statistics``; the sds and rho are numbers or arrays of
    one shape (K,), and an sd of 0 takes its term out of the model; of the priors only those of the
    coefficients matter.
    """
    given = (np.atleast_1d(value).astype(float) for value in (sigma, group_sd, slope_sd, rho))
    given = list(np.broadcast_arrays(*given))
    given.append(np.sqrt(1 - given[-1] ** 2))
    reference = None
    for _ in range(2):  # the second time from a line near those that the sds make likely
        data = reduce_groups(statistics, priors, bool(np.any(slope_sd)), reference)
        log_density, line, covariance = condition(sum_groups(Sds.at(*given, data), data), data)
        reference = line[np.argmax(log_density)] + data.units.reference
    back = data.units.back
    return log_density, (line + data.units.reference) @ back.T, back @ covariance @ back.T


# The data, two rotated rows a group


@dataclass(frozen=True)
class Units:
    """Columns count from ``center`` (P,) in units of ``scale`` (P,), the first being the constant;
    outcomes from the line with the coefficients ``reference`` (P,) of these columns."""

    center: np.ndarray
    scale: np.ndarray
    reference: np.ndarray

    @property
    def back(self) -> np.ndarray:
        """Matrix (P, P) that turns coefficients of these columns into those of the table's."""
        matrix = np.diag(1 / self.scale)
        matrix[0, 1:] = -self.center[1:] / self.scale[1:]
        return matrix


@dataclass(frozen=True)
class Reduced:
    """A table as the formulas use it, for groups that have ``own_slopes`` or not.

    ``keys`` (J, 3): of each group the number of rows, the mean of the predictor and the squares
    around it, the latter two 0 without own slopes. ``rows`` (J, D, P + 1): its D rotated rows of
    columns and outcome, one for each deviation it can have. ``rest`` (J, T): products of what
    these leave of columns and outcome, the upper triangle in a row. ``kinds`` (U, 3) are the
    different keys, ``count`` (U,) says how many groups have them, ``terms`` (U, M, T) are sums of
    their ``group_terms``.
    """

    own_slopes: bool
    keys: np.ndarray
    rows: np.ndarray
    rest: np.ndarray
    kinds: np.ndarray
    count: np.ndarray
    terms: np.ndarray
    units: Units
    prior_mean: np.ndarray
    prior_precision: np.ndarray
    labels: pd.Index
    columns: tuple[str, ...]


def reduce_groups(
    statistics: pd.DataFrame,
    priors: Priors,
    own_slopes: bool,
    reference: np.ndarray | None = None,
) -> Reduced:
    """Centre and scale a result of ``sufficient_statistics``, and rotate each group's rows.

    ``reference`` (P,) is the line that outcomes count from, by default that of least squares: the
    nearer to the posterior, the more digits.
    """
    names = names_in(statistics)
    n, mean, within = unpack(statistics, names)
    units = find_units(n, mean, within, reference)
    # The constant joins the columns, and outcomes become what the reference leaves of them.
    turn = np.eye(len(units.center) + 1)
    turn[:-1, -1] = -units.reference
    scale, square = np.append(units.scale, 1.0), np.outer(*2 * [np.append(units.scale, 1.0)])
    mean = (np.insert(mean, 0, 1.0, axis=1) - np.append(units.center, 0.0)) / scale @ turn
    within = turn.T @ (np.pad(within, ((0, 0), (1, 0), (1, 0))) / square) @ turn
    rows, rest = _rotate(n, mean, within, own_slopes, statistics["residual_ss"].to_numpy())
    keys = np.column_stack([n, 0 * n, 0 * n])
    if own_slopes:
        keys[:, 1:] = np.column_stack([mean[:, 1], rows[:, 1, 1] ** 2])
    kinds, kind, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(kind, kind="stable")
    starts = np.searchsorted(kind[order], np.arange(len(kinds)))
    terms = np.add.reduceat(group_terms(keys, rows)[order], starts)
    columns = "intercept", *("slope" if name == "predictor" else name for name in names[:-1])
    arrays = keys, rows, rest, kinds, count, terms
    prior = center_priors(columns, priors, units)
    return Reduced(own_slopes, *arrays, units, *prior, statistics.index, columns)


def find_units(n, mean, within, reference) -> Units:
    """Centre and scale of all columns but the outcome."""
    average = n @ mean / n.sum()
    total = within.sum(axis=0) + ((mean - average).T * n) @ (mean - average)
    scale = np.sqrt(np.diag(total) / n.sum())[:-1]
    scale[scale == 0] = 1.0
    center = average[:-1]
    if reference is None:
        columns = total[:-1, :-1] / np.outer(scale, scale)
        slopes = np.linalg.lstsq(columns, total[:-1, -1] / scale)[0]
        reference = np.append(average[-1], slopes)
    return Units(np.append(0.0, center), np.append(1.0, scale), reference)


def _rotate(n, mean, within, own_slopes: bool, residual_ss) -> tuple[np.ndarray, np.ndarray]:
    """Rows (J, D, P + 1) of each group in the directions of its deviations, and the rest (J, T)."""
    rows = (np.sqrt(n)[:, None] * mean)[:, None]
    alone = (
        mean.shape[1] == 3
    )  # squares around a group's own line have more digits than a difference
    if alone:
        within[:, 2, 2] = residual_ss + divide(within[:, 1, 2] ** 2, within[:, 1, 1])
    if own_slopes:
        along = divide(within[:, 1], np.sqrt(within[:, 1, 1])[:, None])
        rows = np.stack([rows[:, 0], along], axis=1)
        within = within - along[:, :, None] * along[:, None, :]
        within[:, 1], within[:, :, 1] = 0.0, 0.0
        within[n == 1 + (along[:, 1] > 0)] = 0.0
        if alone:
            within[:, 2, 2] = residual_ss
    return rows, within[:, *np.triu_indices(mean.shape[1])]


def group_terms(keys: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Matrices (J, M, T) whose weighted sum, over the determinant, is what a group's rotated rows
    (J, D, P + 1) contribute."""
    if rows.shape[1] == 1:
        return pack(rows[:, 0], rows[:, 0])[:, None]
    n, tilt, spread = keys.T[..., None]
    first, second = rows[:, 0], rows[:, 1]
    along = np.sqrt(n) * second
    across = np.sqrt(spread) * first - tilt * along
    squares = pack(first, first) + pack(second, second)
    both = pack(across, along) + pack(along, across)
    return np.stack([squares, pack(across, across), -both, pack(along, along)], axis=1)


def center_priors(columns: tuple[str, ...], priors: Priors, units: Units) -> tuple:
    """Mean (P,) and precision (P, P) of what the coefficients add to the reference."""
    given = [priors.intercept, *([priors.slope] if "slope" in columns else [])]
    given += priors.of_covariates(len(columns) - len(given))
    mean, sd = np.array(given).T
    precision = (units.back.T / sd**2) @ units.back
    return np.linalg.solve(units.back, mean) - units.reference, precision


# Given the sds: closed forms


def determinants(sds: Sds, keys: np.ndarray, own_slopes: bool) -> np.ndarray:
    """Determinant (K, J) of the covariance of a group's rotated outcomes."""
    v, (n, tilt, spread) = sds.variance, keys.T
    if not own_slopes:
        return v[:, None] + np.outer(sds.covariance[0], n)
    of_group = np.array([0 * n + 1, n, 2 * n * tilt, spread + n * tilt**2, n * spread])
    return np.array([v**2, *(v * sds.covariance), sds.determinant]).T @ of_group


def term_weights(sds: Sds, own_slopes: bool) -> np.ndarray:
    """Weights (K, M) of the ``group_terms``."""
    if not own_slopes:
        return np.ones((len(sds.sigma), 1))
    level, both, slope = sds.covariance
    return np.column_stack([sds.variance, slope, both, level])


@dataclass(frozen=True)
class Sums:
    """What rows say given the sds: ``products`` (K, T) of columns and outcome, weighted by the
    inverse of their covariance, and its log determinant (K,). Groups add up, and can be taken out."""

    products: np.ndarray
    log_determinant: np.ndarray
    rows: int

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums(
            *(
                mine - theirs
                for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)
            )
        )


def sum_groups(sds: Sds, data: Reduced, j: int | None = None) -> Sums:
    """Sums over all groups, or of group ``j`` alone."""
    if j is None:
        kinds, count, terms, rest, n = (
            data.kinds,
            data.count,
            data.terms,
            data.rest.sum(axis=0),
            data.keys[:, 0],
        )
    else:
        kinds, count, rest, n = (
            data.keys[j : j + 1],
            np.ones(1),
            data.rest[j],
            data.keys[j : j + 1, 0],
        )
        terms = group_terms(kinds, data.rows[j : j + 1])
    v = sds.variance
    products = rest / v[:, None]
    logs = (n.sum() - data.rows.shape[1] * count.sum()) * np.log(v)
    for nodes, some in blocks(len(v), len(count)):
        found = determinants(sds[nodes], kinds[some], data.own_slopes)
        logs[nodes] += np.log(found) @ count[some]
        sums = (1 / found) @ terms[some].reshape(found.shape[1], -1)
        sums = sums.reshape(len(found), *terms.shape[1:])
        products[nodes] += np.einsum("km,kmt->kt", term_weights(sds[nodes], data.own_slopes), sums)
    return Sums(products, logs, int(n.sum()))


def condition(sums: Sums, data: Reduced) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log likelihood (K,) of the sds; mean (K, P), covariance (K, P, P) of the coefficients given
    them, for centred columns and from the reference. The square in the coefficients is completed."""
    P = len(data.prior_mean)
    first, second = np.triu_indices(P + 1)
    whole = np.empty((len(sums.products), P + 1, P + 1))
    whole[:, first, second] = whole[:, second, first] = sums.products
    precision = whole[:, :P, :P] + data.prior_precision
    toward = data.prior_precision @ data.prior_mean
    g = whole[:, :P, P] + toward
    covariance = np.linalg.inv(precision)
    mean = np.einsum("kab,kb->ka", covariance, g)
    squares = whole[:, P, P] + data.prior_mean @ toward - (g * mean).sum(axis=1)
    logs = np.linalg.slogdet(precision)[1] - np.linalg.slogdet(data.prior_precision)[1]
    logs += sums.log_determinant + sums.rows * np.log(2 * np.pi)
    return -(logs + squares) / 2, mean, covariance


def deviations(sds: Sds, data: Reduced, line: np.ndarray, groups: np.ndarray) -> tuple:
    """Deviations of some groups given the sds and the line (K, P), in the table's units.

    Returns their mean (D, K, J), their covariance (1, K, J) or (3, K, J), and the ``gain``
    (D, D, K, J) by which errors of the group's rotated rows move the mean.
    """
    rows, P = data.rows[groups], line.shape[1]
    gain, covariance = _gain(sds, data, data.keys[groups])
    errors = rows[:, :, P].T[:, None] - np.tensordot(line, rows[:, :, :P], (1, 2)).transpose(
        2, 0, 1
    )
    return np.einsum("drkj,rkj->dkj", gain, errors), covariance, gain


def add_line(variance: np.ndarray, gain: np.ndarray, rows: np.ndarray, covariance: np.ndarray):
    """Variance (D, K, J) of the deviations when the line has the covariance (K, P, P)."""
    P = covariance.shape[1]
    for r, s in np.ndindex(rows.shape[1], rows.shape[1]):
        both = (rows[:, r, :P, None] * rows[:, s, None, :P]).reshape(len(rows), -1)
        variance = variance + gain[:, r] * gain[:, s] * (covariance.reshape(-1, P * P) @ both.T)
    return variance


def invert(sds: Sds, keys: np.ndarray, own_slopes: bool) -> np.ndarray:
    """Inverse covariance (1, K, J) or (3, K, J) of a group's rotated outcomes: of the first, of both,
    of the second."""
    (n, tilt, spread), v = keys.T, sds.variance[:, None]
    over = 1 / determinants(sds, keys, own_slopes)
    if not own_slopes:
        return over[None]
    level, both, slope = sds.covariance[..., None]
    d12 = -np.sqrt(n * spread) * (both + tilt * slope)
    d22 = v + n * (level + 2 * tilt * both + tilt**2 * slope)
    return np.array([(v + slope * spread) * over, d12 * over, d22 * over])


def _gain(sds: Sds, data: Reduced, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gain and covariance of ``deviations``."""
    (n, tilt, spread), v = keys.T, sds.variance[:, None]
    level, slope = sds.group_sd[:, None] ** 2, sds.slope_sd[:, None] ** 2
    inverse = invert(sds, keys, data.own_slopes)
    if not data.own_slopes:
        return level * np.sqrt(n) * inverse[None], v * level * inverse
    # In the table's units: sums about its origin cancel nothing if sds there are small.
    scale, x = data.units.scale[1], data.units.center[1] + data.units.scale[1] * tilt
    both = (sds.rho * sds.group_sd * sds.slope_sd)[:, None]
    first = np.sqrt(n) * inverse[:2]
    second = x * first + scale * np.sqrt(spread) * inverse[1:]
    gain = np.array([level * first + both * second, both * first + slope * second])
    left, squares = sds.determinant[:, None] / scale**2, scale**2 * spread + n * x**2
    parts = v * level + left * squares, v * both - left * n * x, v * slope + left * n
    return gain, np.array(parts) * v / determinants(sds, keys, data.own_slopes)


# Small tools


def blocks(nodes: int, groups: int) -> Iterator[tuple[slice, slice]]:
    """Pieces of ``BLOCK`` of an array of nodes by groups."""
    for first in range(0, nodes, BLOCK[0]):
        for start in range(0, groups, BLOCK[1]):
            yield slice(first, first + BLOCK[0]), slice(start, start + BLOCK[1])


def parts(groups: np.ndarray, nodes: int) -> Iterator[np.ndarray]:
    """Some of the groups after the others, as many as fit with all nodes."""
    width = max(1, CELLS // nodes)
    for first in range(0, len(groups), width):
        yield groups[first : first + width]


def pack(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Upper triangle (J, T) of the products of rows (J, C) with rows (J, C)."""
    a, b = np.triu_indices(first.shape[1])
    return first[:, a] * second[:, b]


def divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Quotient, and 0 where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    return np.divide(numerator, denominator, out=np.zeros(numerator.shape), where=denominator > 0)
