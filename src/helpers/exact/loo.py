"""Exact leave-one-out: what a model says of a row, or of a group, when it has seen only the others."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from arviz import ELPDData
from scipy import special

from helpers.exact import gaussian
from helpers.exact.gaussian import Reduced, Sds, times, transpose
from helpers.exact.quadrature import Problem, build_problem, integrate, sds_at
from helpers.frames import group_labels
from helpers.priors import Columns, Priors

CHUNK = 500_000  # rows times nodes worked on at once


def leave_one_out(
    name: str,
    frame: pd.DataFrame,
    *,
    priors: Priors = Priors(),
    outcome: str = Columns.outcome,
    predictor: str = Columns.predictor,
    group: str = Columns.group,
) -> pd.DataFrame:
    """Predict each row from all the others, by one pass over the grid of the exact posterior.

    Given the sds, a row's prediction from the other rows is Gaussian; the sds themselves, given the
    other rows, have the weights w / p, with w their posterior weights and p the density of the row in
    that Gaussian, scaled to sum to 1. So no row is taken out and nothing is fitted again.

    Parameters
    ----------
    name, priors, outcome, predictor, group
        As in ``exact.exact_posterior``.
    frame
        One row an observation.

    Returns
    -------
    DataFrame indexed as ``frame``: ``elpd``, the log density of the row's outcome given all other rows
    (log of 1 / unit of the outcome); ``mean`` and ``sd`` of that prediction, in units of the outcome;
    ``pit``, the probability that the prediction gives to values up to the outcome.

    Raises
    ------
    ValueError, QuadratureFailed
        As ``exact.exact_posterior``.
    """
    columns = Columns(outcome, predictor, group)
    grid = _lay_grid(name, frame, columns, priors)
    sds, problem, line, covariance = grid.sds, grid.problem, grid.line, grid.covariance
    code = group_labels(frame, group).cat.codes.to_numpy()
    origin, tilt = problem.data.reference
    x = frame[predictor].to_numpy(float)
    y = frame[outcome].to_numpy(float) - origin - tilt * x
    found = np.empty((len(frame), 4))
    for j in range(len(problem.data.labels)):
        own = _own_line(sds, problem.data, j, line, covariance)
        rows = np.flatnonzero(code == j)
        for part in np.array_split(rows, 1 + len(rows) * len(sds.sigma) // CHUNK):
            means, variances = _gaussians_without(y[part], x[part], sds.sigma, *own)
            found[part] = _mix(y[part], grid.log_weight, means, variances)
    table = pd.DataFrame(found, index=frame.index, columns=["elpd", "mean", "sd", "pit"])
    table["mean"] += origin + tilt * x
    return table


def leave_group_out(
    name: str,
    frame: pd.DataFrame,
    *,
    priors: Priors = Priors(),
    outcome: str = Columns.outcome,
    predictor: str = Columns.predictor,
    group: str = Columns.group,
) -> pd.Series:
    """Predict all rows of each group together, from the other groups.

    Parameters are those of ``leave_one_out``.

    Returns
    -------
    Series by group: the log density of the group's outcomes given those of the other groups. It equals
    the log marginal likelihood of all rows minus that of the other groups' rows, to about 0.01 where one
    group holds half of the rows and to 0.001 elsewhere: the grid was laid for all rows.
    """
    grid = _lay_grid(name, frame, Columns(outcome, predictor, group), priors)
    scores = {label: _forget(label, grid)[0] for label in grid.problem.data.labels}
    return pd.Series(scores, name="elpd").rename_axis(group)


def predict_new_group(
    name: str,
    frame: pd.DataFrame,
    *,
    priors: Priors = Priors(),
    outcome: str = Columns.outcome,
    predictor: str = Columns.predictor,
    group: str = Columns.group,
) -> pd.Series:
    """Predict each row as the first of its group: from the other groups, and nothing from its own.

    Parameters are those of ``leave_one_out``.

    Returns
    -------
    Series indexed as ``frame``: the log density of the row's outcome given the other groups' rows. The
    prediction's variance is that of the population's line, of a deviation not seen yet, and sigma^2.
    """
    grid = _lay_grid(name, frame, Columns(outcome, predictor, group), priors)
    code = group_labels(frame, group).cat.codes.to_numpy()
    x, y = (frame[column].to_numpy(float) for column in (predictor, outcome))
    elpd = np.empty(len(frame))
    deviation = grid.sds.factor()
    for j, label in enumerate(grid.problem.data.labels):
        _, log_weight, line, covariance = _forget(label, grid)
        covariance = covariance + times(deviation, transpose(deviation))
        rows = np.flatnonzero(code == j)
        for part in np.array_split(rows, 1 + len(rows) * len(log_weight) // CHUNK):
            a = np.column_stack([np.ones(len(part)), x[part]])
            spread = np.einsum("na,abk,nb->nk", a, covariance, a, optimize=True)
            densities = _log_normal(y[part], a @ line, grid.sds.sigma**2 + spread)
            elpd[part] = special.logsumexp(log_weight + densities, axis=1)
    return pd.Series(elpd, index=frame.index, name="elpd")


def psis_moves(result: ELPDData, log_likelihood: xr.DataArray) -> xr.DataArray:
    """How far each draw moves what PSIS says of each row: ``az.mcse`` of it is PSIS' Monte Carlo error.

    The estimate is a mean over draws weighted by w, so by the delta method a draw of density p moves its
    log by w (p / estimate - 1) (Vehtari et al. 2024). Draws move many
    rows at once: for the error of a sum over rows, sum first.

    Parameters
    ----------
    result
        What ``az.loo(tree, pointwise=True)`` returns.
    log_likelihood
        Log density of each row by each draw, with the dimensions ``chain``, ``draw`` and ``obs``.

    Returns
    -------
    DataArray with the same dimensions, in units of elpd, times the number of draws.
    """
    draws = log_likelihood.sizes["chain"] * log_likelihood.sizes["draw"]
    moves = draws * np.exp(result.log_weights) * np.expm1(log_likelihood - result.elpd_i)
    return moves.transpose("chain", "draw", "obs")


@dataclass(frozen=True)
class _Grid:
    """The exact posterior's nodes: sds, log weight and log likelihood (K,) of each, mean (2, K) and
    covariance (2, 2, K) of the line given them, and what they were made from."""

    problem: Problem
    sds: Sds
    log_weight: np.ndarray
    log_likelihood: np.ndarray
    line: np.ndarray
    covariance: np.ndarray
    statistics: pd.DataFrame


def _lay_grid(name: str, frame: pd.DataFrame, columns: Columns, priors: Priors) -> _Grid:
    statistics = gaussian.sufficient_statistics(frame, **vars(columns))
    problem = build_problem(name, statistics, priors)
    nodes, _ = integrate(problem)
    sds, _ = sds_at(problem, nodes.position)
    log_weight = special.log_softmax(nodes.log_density)
    return _Grid(problem, sds, log_weight, *gaussian.condition(sds, problem.data), statistics)


def _forget(label: str, grid: _Grid) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Log density of a group given the others; without it the nodes' log weights, and the line.

    At each node the density of the group given the others is that of all rows over that of the others.
    """
    others = gaussian.reduce_groups(grid.statistics.drop(index=label), grid.problem.priors)
    log_likelihood, line, covariance = gaussian.condition(grid.sds, others)
    log_weight = grid.log_weight + log_likelihood - grid.log_likelihood
    score = -special.logsumexp(log_weight)
    return float(score), log_weight + score, line + others.reference[:, None], covariance


def _own_line(
    sds: Sds, data: Reduced, j: int, line: np.ndarray, covariance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean (2, K) and covariance (2, 2, K) of group j's own line given the sds and all rows."""
    c, S, C = gaussian.deviations(sds, data, j)
    rest = np.eye(2)[..., None] - S
    mean = c + np.einsum("abk,bk->ak", rest, line)
    return mean, C + times(times(rest, covariance), transpose(rest))


def _gaussians_without(
    y: np.ndarray, x: np.ndarray, sigma: np.ndarray, mean: np.ndarray, covariance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance (n, K) of each row's prediction given the sds and the other rows.

    A row with leverage h has the residual e / (1 - h) from what the others predict, and that prediction
    the variance sigma^2 / (1 - h) (Rasmussen & Williams 2006, section 5.4.2).
    """
    a = np.column_stack([np.ones_like(x), x])
    spread = np.einsum("na,abk,nb->nk", a, covariance, a, optimize=True)
    without = 1 - spread / sigma**2
    return y[:, None] - (y[:, None] - a @ mean) / without, sigma**2 / without


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
