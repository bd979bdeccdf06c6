"""Exact leave-one-out: what a model says of a row, or of a group, when it has seen only the others.

``name``, ``frame``, ``priors`` and ``columns`` are everywhere as in ``exact.exact_posterior``, with
one row an observation, and so are the errors.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from arviz import ELPDData
from scipy import special

from helpers.exact import gaussian
from helpers.exact.gaussian import Sds, times, transpose
from helpers.exact.quadrature import Problem, build_problem, integrate, sds_at
from helpers.exact.statistics import sufficient_statistics
from helpers.frames import group_labels
from helpers.priors import Columns, Priors

CHUNK = 500_000  # rows times nodes worked on at once


def leave_one_out(
    name: str, frame: pd.DataFrame, *, priors: Priors = Priors(), **columns: str
) -> pd.DataFrame:
    """Predict each row from all the others, by one pass over the grid of the exact posterior.

    Given the sds, a row's prediction from the other rows is Gaussian; the sds themselves, given the
    other rows, have the weights w / p, with w their posterior weights and p the density of the row
    in that Gaussian, scaled to sum to 1. So no row is taken out and nothing is fitted again. A row
    with leverage h has the residual e / (1 - h) from what the others predict, and that prediction
    the variance sigma^2 / (1 - h) (Rasmussen & Williams 2006, section 5.4.2).

    Returns
    -------
    DataFrame indexed as ``frame``: ``elpd``, the log density of the row's outcome given all other
    rows (log of 1 / unit of the outcome); ``mean`` and ``sd`` of that prediction, in units of the
    outcome; ``pit``, the probability that the prediction gives to values up to the outcome.
    """
    grid = _lay_grid(name, frame, Columns(**columns), priors)
    origin, tilt = grid.problem.data.reference
    x, y = grid.x, grid.y - origin - tilt * grid.x
    noise, found = grid.sds.sigma**2, np.empty((len(frame), 4))
    for j in range(len(grid.statistics)):
        c, S, C = gaussian.deviations(grid.sds, grid.problem.data, j)
        own = gaussian.average_over(c, np.eye(2)[..., None] - S, C, grid.line, grid.covariance)
        for part in grid.rows_of(j):
            mean, spread = _along(x[part], *own)
            without = 1 - spread / noise  # 1 - h
            means = y[part, None] - (y[part, None] - mean) / without
            found[part] = _mix(y[part], grid.log_weight, means, noise / without)
    table = pd.DataFrame(found, index=frame.index, columns=["elpd", "mean", "sd", "pit"])
    return table.assign(mean=table["mean"] + (origin + tilt * x))


def leave_group_out(
    name: str, frame: pd.DataFrame, *, priors: Priors = Priors(), **columns: str
) -> pd.Series:
    """Predict all rows of each group together, from the other groups.

    Returns
    -------
    Series by group: the log density of the group's outcomes given those of the other groups. It
    equals the log marginal likelihood of all rows minus that of the other groups' rows, to about
    0.01 where one group holds half of the rows and to 0.001 elsewhere: the grid was laid for all
    rows.
    """
    grid = _lay_grid(name, frame, Columns(**columns), priors)
    labels = grid.statistics.index
    return pd.Series([_forget(label, grid)[0] for label in labels], labels, name="elpd")


def predict_new_group(
    name: str, frame: pd.DataFrame, *, priors: Priors = Priors(), **columns: str
) -> pd.Series:
    """Predict each row as the first of its group: from the other groups, and nothing from its own.

    Returns
    -------
    Series indexed as ``frame``: the log density of the row's outcome given the other groups' rows.
    The prediction's variance is that of the population's line, of a deviation not seen yet, and
    sigma^2.
    """
    grid = _lay_grid(name, frame, Columns(**columns), priors)
    deviation = times(grid.sds.factor(), transpose(grid.sds.factor()))
    elpd = np.empty(len(frame))
    for j, label in enumerate(grid.statistics.index):
        _, log_weight, line, covariance = _forget(label, grid)
        for part in grid.rows_of(j):
            mean, spread = _along(grid.x[part], line, covariance + deviation)
            densities = _log_normal(grid.y[part], mean, grid.sds.sigma**2 + spread)
            elpd[part] = special.logsumexp(log_weight + densities, axis=1)
    return pd.Series(elpd, index=frame.index, name="elpd")


def psis_moves(result: ELPDData, log_likelihood: xr.DataArray) -> xr.DataArray:
    """How far each draw moves what PSIS says of each row: ``az.mcse`` of it is PSIS' Monte Carlo
    error.

    The estimate is a mean over draws weighted by w, so by the delta method a draw of density p
    moves its log by w (p / estimate - 1) (Vehtari et al. 2024). Draws move many rows at once: for
    the error of a sum over rows, sum first.

    ``result`` is what ``az.loo(tree, pointwise=True)`` returns, ``log_likelihood`` the log density
    of each row by each draw, with the dimensions ``chain``, ``draw`` and ``obs``. So are those of
    the result, in units of elpd times the number of draws.
    """
    draws = log_likelihood.sizes["chain"] * log_likelihood.sizes["draw"]
    moves = draws * np.exp(result.log_weights) * np.expm1(log_likelihood - result.elpd_i)
    return moves.transpose("chain", "draw", "obs")


@dataclass(frozen=True)
class _Grid:
    """The exact posterior's nodes: sds, log weight and log likelihood (K,) of each, mean (2, K) and
    covariance (2, 2, K) of the line given them; and the rows (n,) that they were made from."""

    problem: Problem
    sds: Sds
    log_weight: np.ndarray
    log_likelihood: np.ndarray
    line: np.ndarray
    covariance: np.ndarray
    statistics: pd.DataFrame
    x: np.ndarray
    y: np.ndarray
    code: np.ndarray

    def rows_of(self, j: int) -> list[np.ndarray]:
        """Positions of group j's rows, in parts of as many as ``CHUNK`` allows."""
        rows = np.flatnonzero(self.code == j)
        return np.array_split(rows, 1 + len(rows) * len(self.log_weight) // CHUNK)


def _lay_grid(name: str, frame: pd.DataFrame, columns: Columns, priors: Priors) -> _Grid:
    statistics = sufficient_statistics(frame, **vars(columns))
    problem = build_problem(name, statistics, priors)
    nodes, _ = integrate(problem)
    sds, _ = sds_at(problem, nodes.position)
    log_weight = special.log_softmax(nodes.log_density)
    x, y = (frame[column].to_numpy(float) for column in (columns.predictor, columns.outcome))
    rows = statistics, x, y, group_labels(frame, columns.group).cat.codes.to_numpy()
    return _Grid(problem, sds, log_weight, *gaussian.condition(sds, problem.data), *rows)


def _forget(label: str, grid: _Grid) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Log density of a group given the others; without it the nodes' log weights, and the line.

    At each node the density of the group given the others is that of all rows over that of the
    others.
    """
    others = gaussian.reduce_groups(grid.statistics.drop(index=label), grid.problem.priors)
    log_likelihood, line, covariance = gaussian.condition(grid.sds, others)
    log_weight = grid.log_weight + log_likelihood - grid.log_likelihood
    score = -special.logsumexp(log_weight)
    return float(score), log_weight + score, line + others.reference[:, None], covariance


def _along(x: np.ndarray, line: np.ndarray, covariance: np.ndarray) -> tuple:
    """Mean and variance (n, K) at each x (n,) of lines with mean (2, K), covariance (2, 2, K)."""
    a = np.column_stack([np.ones_like(x), x])
    return a @ line, np.einsum("na,abk,nb->nk", a, covariance, a, optimize=True)


def _mix(
    y: np.ndarray, log_weight: np.ndarray, means: np.ndarray, variances: np.ndarray
) -> np.ndarray:
    """Columns elpd, mean, sd and PIT of each row, from its Gaussians (n, K) at the nodes."""
    log_weight = log_weight - _log_normal(y, means, variances)
    elpd = -special.logsumexp(log_weight, axis=1)
    without = np.exp(log_weight + elpd[:, None])
    mean = _sum(without, means)
    variance = _sum(without, variances + (means - mean[:, None]) ** 2)
    pit = _sum(without, special.ndtr((y[:, None] - means) / np.sqrt(variances)))
    return np.column_stack([elpd, mean, np.sqrt(variance), pit])


def _log_normal(y: np.ndarray, means: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Log density (n, K) of each row in each of its Gaussians."""
    return -((y[:, None] - means) ** 2 / variances + np.log(2 * np.pi * variances)) / 2


def _sum(weight: np.ndarray, of: np.ndarray) -> np.ndarray:
    return np.einsum("nk,nk->n", weight, of)
