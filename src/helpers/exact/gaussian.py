"""The models given their sds: Gaussian, so all else is known in closed form.

Data shrink to two numbers a group, and every formula works on many values of the sds at once:
arrays end in the axis K of those values. All formulas are derived in the appendix "The exact
answer".
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.exact.statistics import divide
from helpers.priors import Priors

CHUNK = 50_000  # nodes times groups worked on at once, so that they stay in the cache


def log_marginal_likelihood(
    data: pd.DataFrame, sigma, group_sd=0.0, slope_sd=0.0, rho=0.0, *, priors: Priors = Priors()
) -> np.ndarray:
    """Log density (K,) of all outcomes given the sds and rho, with all else integrated out.

    ``data`` is a result of ``sufficient_statistics``; the sds and rho are numbers or arrays of one
    shape (K,), and an sd of 0 takes its term out of the model; of the priors only ``intercept`` and
    ``slope`` matter.
    """
    given = (np.atleast_1d(value).astype(float) for value in (sigma, group_sd, slope_sd, rho))
    sigma, group_sd, slope_sd, rho = np.broadcast_arrays(*given)
    sds = Sds(sigma, group_sd, slope_sd, rho, np.sqrt(1 - rho**2))
    return condition(sds, reduce_groups(data, priors))[0]


# The data, two numbers a group


@dataclass(frozen=True)
class Reduced:
    """Each group rotated (QR) to two numbers q = R (line + deviation) + noise, and what is left.

    ``R`` has the shape (J, 2, 2), ``q`` (J, 2); ``prior_mean`` and ``prior_sd`` of the line have
    (2,). Lines count from ``reference``, a line near the data, to keep all sums small.
    """

    R: np.ndarray
    q: np.ndarray
    residual_ss: float
    rows: int
    reference: np.ndarray
    prior_mean: np.ndarray
    prior_sd: np.ndarray
    labels: pd.Index

    @property
    def spare(self) -> int:
        """Rows that remain when each group has given two numbers; negative if groups are tiny."""
        return self.rows - 2 * len(self.q)


def reduce_groups(data: pd.DataFrame, priors: Priors) -> Reduced:
    n, y, x = (data[column].to_numpy(float) for column in ("n", "outcome_mean", "predictor_mean"))
    xx, xy = (data[column].to_numpy(float) for column in ("predictor_ss", "product_ss"))
    slope = xy.sum() / xx.sum() if xx.sum() > 0 else 0.0
    intercept = y[0] + np.average(y - y[0] - slope * x, weights=n)
    R = np.zeros((len(data), 2, 2))
    R[:, 0, 0], R[:, 0, 1], R[:, 1, 1] = np.sqrt(n), np.sqrt(n) * x, np.sqrt(xx)
    level, tilt = np.sqrt(n) * (y - intercept - slope * x), divide(xy - slope * xx, np.sqrt(xx))
    reference = np.array([intercept, slope])
    prior_mean, prior_sd = np.array([priors.intercept, priors.slope]).T
    return Reduced(
        R=R,
        q=np.column_stack([level, tilt]),
        residual_ss=data["residual_ss"].sum(),
        rows=int(n.sum()),
        reference=reference,
        prior_mean=prior_mean - reference,
        prior_sd=prior_sd,
        labels=data.index,
    )


# Given the sds: closed forms


@dataclass(frozen=True)
class Sds:
    """What is given at each node, every field of shape (K,); ``rest`` is sqrt(1 - rho^2)."""

    sigma: np.ndarray
    group_sd: np.ndarray
    slope_sd: np.ndarray
    rho: np.ndarray
    rest: np.ndarray

    def factor(self) -> np.ndarray:
        """Cholesky factor (2, 2, K) of the deviations' covariance."""
        zero = np.zeros_like(self.sigma)
        tilt = self.slope_sd * self.rho, self.slope_sd * self.rest
        return np.array([[self.group_sd, zero], tilt])


def condition(sds: Sds, data: Reduced) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log likelihood (K,) of the sds; mean (2, K), covariance (2, 2, K) of the line given them.

    The line counts from ``data.reference``.
    """
    fields = np.array(list(vars(sds).values()))
    parts = np.array_split(fields, 1 + len(sds.sigma) * len(data.q) // CHUNK, axis=1)
    pieces = [_condition_part(Sds(*part), data) for part in parts]
    return tuple(np.concatenate(piece, axis=-1) for piece in zip(*pieces, strict=True))


def _condition_part(sds: Sds, data: Reduced) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``condition`` for as many nodes as fit into the cache.

    A group's q has the covariance V = sigma^2 I + B B', B being R times the deviations' factor.
    The likelihood is the joint density over the line's conditional density, both at the line's
    conditional mean (Besag's identity): a sum of squares, in which nothing cancels.
    """
    B, determinant = _loadings(sds, data.R)
    c11 = np.sqrt(sds.sigma[:, None] ** 2 + B[0, 0] ** 2 + B[0, 1] ** 2)
    c21 = (B[0, 0] * B[1, 0] + B[0, 1] * B[1, 1]) / c11
    c22 = np.sqrt(determinant) / c11

    def whiten(first, second):
        return first / c11, (second - c21 * (first / c11)) / c22

    a = whiten(data.R[:, 0, 0], 0.0)
    b = whiten(data.R[:, 0, 1], data.R[:, 1, 1])
    z = whiten(data.q[:, 0], data.q[:, 1])
    prior_mean, prior_sd = data.prior_mean[:, None], data.prior_sd[:, None]
    ga, gb = np.array([_dot(a, z), _dot(b, z)]) + prior_mean / prior_sd**2
    haa, hbb = np.array([_dot(a, a), _dot(b, b)]) + 1 / prior_sd**2
    hab = _dot(a, b)
    h = haa * hbb - hab**2
    mean = np.array([hbb * ga - hab * gb, haa * gb - hab * ga]) / h
    intercept, slope = mean[..., None]
    error = [z[i] - a[i] * intercept - b[i] * slope for i in (0, 1)]
    conflict = (mean - prior_mean) / prior_sd
    squares = _dot(error, error) + (conflict**2).sum(axis=0) + data.residual_ss / sds.sigma**2
    logs = np.log(determinant).sum(axis=1) + np.log(h) + 2 * np.log(data.prior_sd).sum()
    logs += data.rows * np.log(2 * np.pi) + 2 * data.spare * np.log(sds.sigma)
    return -(logs + squares) / 2, mean, np.array([[hbb, -hab], [-hab, haa]]) / h


def _loadings(sds: Sds, R: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """B (2, 2, K, J), and the determinant (K, J) of sigma^2 I + B B' as a sum without a minus."""
    L = sds.factor()
    B = np.einsum("jab,bck->ackj", R, L)
    variance = sds.sigma[:, None] ** 2
    determinant_of_B = np.outer(L[0, 0] * L[1, 1], R[:, 0, 0] * R[:, 1, 1])
    return B, variance**2 + variance * (B**2).sum(axis=(0, 1)) + determinant_of_B**2


def deviations(sds: Sds, data: Reduced, j: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Group j's deviations given sds and line: Gaussian with mean c - S line and covariance C.

    Returns c (2, K), S (2, 2, K) and C (2, 2, K). So the group's own line is Gaussian with mean
    c + (I - S) line and covariance C: what a prediction for the group needs.
    """
    B, determinant = (array[..., 0] for array in _loadings(sds, data.R[j : j + 1]))
    L, noise = sds.factor(), sds.sigma**2 * np.eye(2)[..., None]
    # B' (noise + B B')^-1 equals (noise + B' B)^-1 B'; each is used where its digits last.
    outer = _invert(times(B, transpose(B)) + noise, determinant)
    inner = _invert(times(transpose(B), B) + noise, determinant)
    gain = times(L, times(transpose(B), outer))
    c = np.einsum("abk,b->ak", gain, data.q[j])
    S = np.einsum("abk,bc->ack", gain, data.R[j])
    return c, S, sds.sigma**2 * times(times(L, inner), transpose(L))


def average_over(
    c: np.ndarray, S: np.ndarray, C: np.ndarray, line: np.ndarray, covariance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean (2, K) and covariance (2, 2, K) of c + S line + noise with covariance C, the line being
    Gaussian.
    """
    mean = c + np.einsum("abk,bk->ak", S, line)
    return mean, C + times(times(S, covariance), transpose(S))


def draw_normal(mean: np.ndarray, covariance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One draw (2, K) for each mean (2, K) and covariance (2, 2, K), which may be singular."""
    first = np.sqrt(covariance[0, 0])
    second = divide(covariance[1, 0], first)
    rest = np.sqrt(np.maximum(covariance[1, 1] - second**2, 0.0))
    z = rng.standard_normal(mean.shape)
    return mean + np.array([first * z[0], second * z[0] + rest * z[1]])


# Small tools


def _dot(first, second) -> np.ndarray:
    """Sum of products over groups and over the two numbers of each."""
    return sum((a * b).sum(axis=1) for a, b in zip(first, second, strict=True))


def times(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Products of matrices (2, 2, K), node by node."""
    return np.einsum("ab...,bc...->ac...", first, second)


def transpose(matrix: np.ndarray) -> np.ndarray:
    return np.swapaxes(matrix, 0, 1)


def _invert(matrix: np.ndarray, determinant: np.ndarray) -> np.ndarray:
    """Inverses of symmetric matrices (2, 2, K) whose determinants (K,) are known."""
    (a, b), (_, c) = matrix
    return np.array([[c, -b], [-b, a]]) / determinant
