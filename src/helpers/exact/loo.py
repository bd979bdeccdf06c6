"""Exact leave-one-out: what a model says of a row, or of a group, when it has seen only the others.

``name``, ``frame``, ``priors`` and ``columns`` are everywhere as in ``exact.exact_posterior``, with
one row an observation in a pandas table, and so are the errors.

The grid of the exact posterior is laid once, for all rows, and its weights become those of the
posterior without a row or a group. Where they show that the grid does not carry it, because the row
or the group was a surprise, a grid is laid without it: then the log density is the difference of the
log marginal likelihoods with and without. Either way no log density is off by more than 0.002, twice
``BOUND``.
"""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr
from arviz import ELPDData
from scipy import special

from helpers.exact import gaussian
from helpers.exact.gaussian import Reduced, Sds
from helpers.exact.problem import build_problem
from helpers.exact.quadrature import Nodes, integrate
from helpers.exact.statistics import sufficient_statistics
from helpers.frames import group_labels
from helpers.priors import Priors
from helpers.terms import Model, as_model

BOUND = (
    1e-3  # how far a log density may move with half of the nodes; largest mass on the grid's edge
)
CHUNK = 500_000  # rows times nodes worked on at once
ROUNDING = 1e-10  # of a row's leverage


def leave_one_out(
    name: str, frame: pd.DataFrame, *, priors: Priors | Mapping = Priors(), **columns
) -> pd.DataFrame:
    """Predict each row from all the others.

    Given the sds, a row's prediction from the other rows is Gaussian; the sds themselves, given the
    other rows, have the weights w / p, with w their posterior weights and p the density of the row
    in that Gaussian. With S the covariance of all rows given the sds, and r their distance from the
    mean, row i lies (S^-1 r)_i / (S^-1)_ii above its prediction, which has the variance
    1 / (S^-1)_ii (Rasmussen & Williams 2006, section 5.4.2).

    Returns
    -------
    DataFrame indexed as ``frame``: ``elpd``, the log density of the row's outcome given all other
    rows (log of 1 / unit of the outcome); ``mean`` and ``sd`` of that prediction, in units of the
    outcome; ``pit``, the probability that the prediction gives to values up to the outcome.
    """
    table = _Table(as_model(name, frame, priors, columns))
    grid, found = table.grid, np.empty((len(frame), 4))
    for some in _parts(np.arange(len(frame)), grid):
        p, error, variance = _predict_from_others(table, grid, some)
        value, weight, carried = _change(grid, grid.log_weight, -p)
        found[some] = _mix(-value, weight, error, variance)
        for row in some[~carried]:
            found[row] = _predict_anew(table, row)
    result = pd.DataFrame(found, index=frame.index, columns=["elpd", "mean", "sd", "pit"])
    return result.assign(mean=table.outcome - result["mean"])


def leave_group_out(
    name: str, frame: pd.DataFrame, *, priors: Priors | Mapping = Priors(), **columns
) -> pd.Series:
    """Predict all rows of each group together, from the other groups.

    Returns
    -------
    Series by group: the log density of the group's outcomes given those of the other groups.
    """
    table = _Table(as_model(name, frame, priors, columns))
    found = []
    for j in range(len(table.statistics)):
        value, _, carried, _ = _forget(table, j)
        others = None if carried else table.lay(table.without(j))
        found.append(-value if carried else table.grid.log_integral - others.log_integral)
    return pd.Series(found, table.statistics.index, name="elpd")


def predict_new_group(
    name: str, frame: pd.DataFrame, *, priors: Priors | Mapping = Priors(), **columns
) -> pd.Series:
    """Predict each row as the first of its group: from the other groups, and nothing from its own.

    Returns
    -------
    Series indexed as ``frame``: the log density of the row's outcome given the other groups' rows.
    The prediction's variance is that of the population's line, of a deviation not seen yet, and
    sigma^2.
    """
    table = _Table(as_model(name, frame, priors, columns))
    elpd = np.empty(len(frame))
    for j in range(len(table.statistics)):
        _, log_weight, carried, line = _forget(table, j)
        grid = table.grid
        if not carried:
            grid = table.lay(table.without(j))
            log_weight, line = grid.log_weight, grid.line
        for some in _parts(np.flatnonzero(table.code == j), grid):
            p = _predict_first(table, grid, line, some)
            elpd[some], _, fine = _change(grid, log_weight, p)
            for row in some[~fine]:
                elpd[row] = table.evidence_of_first(row) - table.lay(table.without(j)).log_integral
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


# The table, and grids for it


class _Table:
    """The rows of a model's table, and the grids that are laid for them."""

    def __init__(self, model: Model):
        self.name, self.priors = model.name, model.priors
        self.frame, self.columns = frame, columns = model.frame, model.columns
        self.statistics = sufficient_statistics(frame, **vars(columns))
        self.code = group_labels(frame, columns.group).cat.codes.to_numpy()
        self.outcome = frame[columns.outcome].to_numpy(dtype=float)
        self.x = frame[list(columns.predictors)].to_numpy(dtype=float)

    @cached_property
    def grid(self) -> "_Grid":
        return self.lay(self.statistics)

    def lay(self, statistics: pd.DataFrame, data: Reduced | None = None) -> "_Grid":
        """The grid of the posterior given some sums, for formulas about these or other ``data``."""
        nodes, _ = integrate(build_problem(self.name, statistics, self.priors), BOUND / 10)
        return _Grid(nodes, data or nodes.problem.data)

    def without(self, j: int) -> pd.DataFrame:
        return self.statistics.drop(index=self.statistics.index[j])

    def sums_of(self, rows: np.ndarray) -> pd.DataFrame:
        """Sufficient statistics of some of the rows."""
        return sufficient_statistics(self.frame.iloc[rows], **vars(self.columns))

    def evidence_of_first(self, row: int) -> float:
        """Log marginal likelihood of the other groups and one row."""
        rows = np.flatnonzero(self.code != self.code[row])
        return self.lay(self.sums_of(np.append(rows, row))).log_integral

    def rows_in(self, data: Reduced, some: np.ndarray) -> np.ndarray:
        """Rows (n, P + 1) of columns and outcome, centred and scaled."""
        units = data.units
        columns = (np.insert(self.x[some], 0, 1.0, axis=1) - units.center) / units.scale
        return np.column_stack([columns, self.outcome[some] - columns @ units.reference])


class _Grid:
    """Log weights (K,) of nodes, which of them are the ``half`` and the ``edge``, and what is known
    given the sds there; ``line`` are mean (K, P) and covariance (K, P, P) of the coefficients."""

    def __init__(self, nodes: Nodes, data: Reduced):
        self.data, self.log_integral = data, nodes.log_integral
        self.log_weight, self.half = np.log(nodes.weight), nodes.half
        self.edge = nodes.edge
        given = (
            getattr(nodes.sds, name) for name in ("sigma", "group_sd", "slope_sd", "rho", "rest")
        )
        self.sds = Sds.at(*given, data)
        self.sums = gaussian.sum_groups(self.sds, data)
        self.log_likelihood, *self.line = gaussian.condition(self.sums, data)


def _parts(rows: np.ndarray, grid: _Grid) -> list[np.ndarray]:
    parts = 1 + len(rows) * len(grid.edge) // CHUNK
    return np.array_split(rows, min(parts, len(rows)))


# Other weights for the same nodes


def _change(grid: _Grid, log_weight: np.ndarray, log_ratio: np.ndarray) -> tuple:
    """Log sums (n,) of weights (K,) times ratios (K, n), the weights (K, n) that these make, and
    whether the grid carries them: the sum stays with half of the nodes, and none lies at the edge."""
    weight = log_weight[:, None] + log_ratio
    top = weight.max(axis=0)
    np.exp(np.subtract(weight, top, out=weight), out=weight)
    total, half = weight.sum(axis=0), 2 * (grid.half @ weight)
    weight /= total
    carried = (abs(half / total - 1) < BOUND) & (grid.edge @ weight < BOUND)
    return top + np.log(total), weight, carried


def _forget(table: _Table, j: int) -> tuple:
    """Minus the log density of group j given the others; log weights (K,) without it, whether the
    grid carries them, and mean and covariance of the line at the nodes."""
    grid = table.grid
    others = grid.sums - gaussian.sum_groups(grid.sds, grid.data, j)
    log_likelihood, *line = gaussian.condition(others, grid.data)
    change = log_likelihood - grid.log_likelihood
    (value,), _, (carried,) = _change(grid, grid.log_weight, change[:, None])
    return value, grid.log_weight + change - value, carried, line


# Predictions at the nodes


def _predict_from_others(table: _Table, grid: _Grid, some: np.ndarray) -> tuple:
    """Log density, distance from the mean, and variance, each (K, n), of rows given all others."""
    data, sds = grid.data, grid.sds
    line, covariance = grid.line
    group = table.code[some]
    row, keys, rotated = table.rows_in(data, some), data.keys[group], data.rows[group]
    n, tilt, spread = keys.T
    # How much of each rotated row a row is, and what is left of it.
    share = [1 / np.sqrt(n), gaussian.divide(row[:, 1 % row.shape[1]] - tilt, np.sqrt(spread))]
    share = np.column_stack(share[: rotated.shape[1]])
    left = 1 - (share**2).sum(axis=1)
    left[left < ROUNDING] = 0.0
    rest = (row - np.einsum("nd,ndp->np", share, rotated)) * (left > 0)[:, None]
    inverse = gaussian.invert(sds, keys, data.own_slopes)
    # The row of the inverse covariance of all rows of the group, times rotated rows and the rest.
    pulls = [inverse[0] * share[:, 0]]
    if data.own_slopes:
        pulls[0] += inverse[1] * share[:, 1]
        pulls.append(inverse[1] * share[:, 0] + inverse[2] * share[:, 1])
    own = 1 / sds.variance[:, None]
    whole = [
        sum(pull * r for pull, r in zip(pulls, rotated[..., p].T, strict=True)) + own * rest[:, p]
        for p in range(row.shape[1])
    ]
    precision = sum(pull * r for pull, r in zip(pulls, share.T, strict=True)) + own * left
    for p, q in np.ndindex(covariance.shape[1:]):
        precision -= covariance[:, [p], q] * whole[p] * whole[q]
    error = whole[-1] - sum(line[:, [p]] * whole[p] for p in range(line.shape[1]))
    error /= precision
    return _log_normal(error, 1 / precision), error, 1 / precision


def _predict_first(table: _Table, grid: _Grid, line: tuple, some: np.ndarray) -> np.ndarray:
    """Log density (K, n) of rows of a group that is not among the others."""
    mean, covariance = line
    row = table.rows_in(grid.data, some)
    columns = row[:, :-1]
    square = (columns[:, :, None] * columns[:, None, :]).reshape(len(some), -1)
    variance = covariance.reshape(len(covariance), -1) @ square.T
    level, both, slope = grid.sds.covariance[..., None]
    z = columns[:, 1] if grid.data.own_slopes else 0.0
    variance += grid.sds.variance[:, None] + level + 2 * both * z + slope * z**2
    return _log_normal(row[:, -1] - mean @ columns.T, variance)


def _predict_anew(table: _Table, row: int) -> np.ndarray:
    """``_mix`` of a row that the grid of all rows does not carry."""
    others = table.sums_of(np.delete(np.arange(len(table.code)), row))
    grid = table.lay(others, table.grid.data)
    _, *prediction = _predict_from_others(table, grid, np.array([row]))
    elpd = table.grid.log_integral - grid.log_integral
    return _mix(elpd, np.exp(grid.log_weight)[:, None], *prediction)[0]


def _mix(elpd, weight, error, variance) -> np.ndarray:
    """Columns (n, 4) elpd, distance from the mean, sd and PIT, of mixtures of Gaussians (K, n)."""
    far = (weight * error).sum(axis=0)
    sd = np.sqrt((weight * (variance + (error - far) ** 2)).sum(axis=0))
    pit = (weight * special.ndtr(error / np.sqrt(variance))).sum(axis=0)
    return np.column_stack([elpd, far, sd, pit])


def _log_normal(error: np.ndarray, variance: np.ndarray) -> np.ndarray:
    return -(error**2 / variance + np.log(2 * np.pi * variance)) / 2
