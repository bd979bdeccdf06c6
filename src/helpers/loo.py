"""Exact leave-one-out: what a model says of each row when it has seen only the others."""

import numpy as np
import pandas as pd
from scipy import special

from helpers.exact import integrate, pose, sds_at, sufficient_statistics
from helpers.gaussian import Reduced, Sds, condition, deviations, times, transpose
from helpers.specification import MODELS, Columns, Priors, check_choice

CHUNK = 500_000  # rows times nodes worked on at once


def leave_one_out(
    name: str,
    frame: pd.DataFrame,
    *,
    priors: Priors = Priors(),
    outcome: str = "bounce_time",
    predictor: str = "std_age",
    group: str = "county",
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
        One row a visit.

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
    check_choice("model", name, MODELS)
    columns = Columns(outcome, predictor, group)
    problem = pose(name, sufficient_statistics(frame, **vars(columns)), priors)
    nodes, _ = integrate(problem)
    sds, _ = sds_at(problem, nodes.position)
    _, line, covariance = condition(sds, problem.data)
    origin, tilt = problem.data.reference
    x = frame[predictor].to_numpy(float)
    y = frame[outcome].to_numpy(float) - origin - tilt * x
    log_weight = special.log_softmax(nodes.log_density)
    found = np.empty((len(frame), 4))
    for j, label in enumerate(problem.data.labels):
        own = _own_line(sds, problem.data, j, line, covariance)
        rows = np.flatnonzero(frame[group] == label)
        for part in np.array_split(rows, 1 + len(rows) * len(nodes.index) // CHUNK):
            means, variances = _gaussians_without(y[part], x[part], sds.sigma, *own)
            found[part] = _mix(y[part], log_weight, means, variances)
    table = pd.DataFrame(found, index=frame.index, columns=["elpd", "mean", "sd", "pit"])
    table["mean"] += origin + tilt * x
    return table


def _own_line(
    sds: Sds, data: Reduced, j: int, line: np.ndarray, covariance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean (2, K) and covariance (2, 2, K) of group j's own line given the sds and all rows."""
    c, S, C = deviations(sds, data, j)
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
    z = (y[:, None] - means) / np.sqrt(variances)
    log_density = -(z**2 + np.log(2 * np.pi * variances)) / 2
    log_weight = log_weight - log_density
    elpd = -special.logsumexp(log_weight, axis=1)
    without = np.exp(log_weight + elpd[:, None])
    mean = _sum(without, means)
    variance = _sum(without, variances + (means - mean[:, None]) ** 2)
    return np.column_stack([elpd, mean, np.sqrt(variance), _sum(without, special.ndtr(z))])


def _sum(weight: np.ndarray, of: np.ndarray) -> np.ndarray:
    return np.einsum("nk,nk->n", weight, of)
