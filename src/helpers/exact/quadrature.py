"""The exact posterior of the three models: no sampler, only sums over a grid.

Given the sds and the correlation, everything else in the models is jointly Gaussian and integrates
out in closed form. What is left has one dimension (pooled), two (random intercept) or four (random
slope), and a grid sums over it. All formulas are derived in the appendix "The exact answer".
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from numbers import Integral

import numpy as np
import pandas as pd
import xarray as xr
from scipy import optimize, special, stats

from helpers.exact import gaussian
from helpers.exact.gaussian import Reduced, Sds
from helpers.exact.statistics import sufficient_statistics
from helpers.priors import (
    EFFECTS,
    INTERVAL,
    LOWER,
    MODELS,
    PARAMETERS,
    PARAMETERS_OF,
    SDS,
    SEED,
    UPPER,
    Columns,
    Priors,
    check_choice,
)

STATISTICS = ("mean", "sd", LOWER, "50 %", UPPER)
PROBABILITIES = ((1 - INTERVAL) / 2, 0.5, (1 + INTERVAL) / 2)
TOLERANCE = 1e-3  # of a posterior sd: no mean and no sd may move further when the nodes double
RIM = 1e-6  # largest share of the mass on nodes that are left out
SCOUT, STEP = 1.0, 0.65  # distance of nodes in posterior sds, in the first round and the second
ROUNDS = 10
NODE_LIMIT = 1_000_000


class QuadratureFailed(RuntimeError):
    """The grid did not reach its accuracy within its limits, so there is no answer."""


def exact_posterior(
    name: str,
    data: pd.DataFrame,
    *,
    priors: Priors = Priors(),
    draws: int = 4000,
    seed: int = SEED,
    **columns: str,
) -> xr.DataTree:
    """Compute the posterior of one of the three models, and draw from it independently.

    Parameters
    ----------
    name, priors
        As in ``models.fit``; with ``lkj_eta=None`` there is no ``rho``: it is 0.
    data
        One row an observation, or the result of ``sufficient_statistics``. Time and memory depend
        on the number of groups, not of rows.
    draws, seed
        Number of independent draws, and their seed; the group ``exact`` has nothing random in it.
    columns
        As in ``models.fit``, if ``data`` holds observations.

    Returns
    -------
    DataTree with two groups that name the parameters as ``models.fit`` does. ``posterior`` holds
    the draws, as one chain. ``exact`` holds mean, sd and the quantiles 2.5, 50 and 97.5 % of every
    parameter along the dimension ``statistic``; its attributes are ``log_marginal_likelihood``, the
    number of ``nodes``, and ``largest_shift``: how far any mean or sd moved when the nodes doubled,
    in posterior sds.

    Raises
    ------
    ValueError
        If the model is unknown, or as ``sufficient_statistics``.
    QuadratureFailed
        If the grid does not reach its accuracy, for instance because rows without any scatter
        leave no lower limit to sigma.
    """
    named = Columns(**columns)
    if not (isinstance(draws, Integral) and draws > 0):
        raise ValueError(f"draws must be a whole number above 0, not {draws!r}.")
    if not {"n", "outcome_mean", "residual_ss"} <= set(getattr(data, "columns", ())):
        data = sufficient_statistics(data, **vars(named))
    problem = build_problem(name, data, priors)
    nodes, shift = integrate(problem)
    exact = _as_dataset(problem, _summarize(problem, nodes), {"statistic": list(STATISTICS)})
    exact.attrs = {
        "log_marginal_likelihood": nodes.log_integral,
        "nodes": len(nodes.index),
        "largest_shift": shift,
    }
    posterior = draw_posterior(problem, nodes, draws, seed)
    return xr.DataTree.from_dict({"posterior": posterior, "exact": exact})


# The scale on which the sds become smooth and unbounded


@dataclass(frozen=True)
class Problem:
    """A model with its data. The grid spans the sds and rho in ``names``; ``effects`` are the
    group-level effects of the model, and ``unit`` is a small value of each sd.
    """

    names: tuple[str, ...]
    effects: tuple[str, ...]
    unit: dict[str, float]
    data: Reduced
    priors: Priors


def _refuse_noiseless(name: str, statistics: pd.DataFrame, data: Reduced) -> None:
    """Raise where only rounding error scatters around the model's lines: sigma has no lower limit."""
    left = data.residual_ss  # around lines of the groups' own
    if name == "random_intercept":  # the reference has the slope that all groups share
        left += (data.q[:, 1] ** 2).sum()
    if name == "pooled":
        q, R = data.q.ravel(), data.R.reshape(-1, 2)
        left += ((q - R @ np.linalg.lstsq(R, q)[0]) ** 2).sum()
    y = statistics["outcome_mean"] - statistics["outcome_mean"].iloc[0]
    total = (statistics["outcome_ss"] + statistics["n"] * y**2).sum()
    if statistics["n"].max() > 2 and left <= 1e-24 * total:
        raise QuadratureFailed(
            "The outcome lies on straight lines without any scatter, so sigma has no lower limit."
        )


def build_problem(name: str, statistics: pd.DataFrame, priors: Priors) -> Problem:
    """Put a model and its data together. Units are the smallest values that the data, or the prior,
    can tell from 0.

    Raises ``ValueError`` for an unknown model, ``QuadratureFailed`` for rows without any scatter.
    """
    check_choice("model", name, MODELS)
    data = gaussian.reduce_groups(statistics, priors)
    _refuse_noiseless(name, statistics, data)
    sigma = np.sqrt(data.residual_ss / data.spare) if data.spare > 0 else 0.0
    sigma = sigma or np.sqrt(np.mean(data.q**2)) or priors.sigma
    of_intercept, of_slope = sigma / np.linalg.norm(data.R, axis=1).max(axis=0)
    unit = {
        "sigma": sigma,
        "group_sd": min(priors.group_sd, of_intercept),
        "slope_sd": min(priors.slope_sd, of_slope),
    }
    without = ("rho",) if priors.lkj_eta is None else ()
    names = [sd for sd in SDS if sd in PARAMETERS_OF[name] and sd not in without]
    effects = [effect for effect in EFFECTS if effect in PARAMETERS_OF[name]]
    return Problem(tuple(names), tuple(effects), unit, data, priors)


def _sd_from(t: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """sd = unit exp(t - exp(-t)) and log d sd / dt: tails fall off double-exponentially.

    Source: Takahasi & Mori (1974). Below t = -6 (an sd of 1e-178 units) it goes on as exp(t).
    """
    shrink = np.exp(np.minimum(-t, 6.0))
    log_sd = np.log(unit) + t - shrink
    return np.exp(log_sd), log_sd + np.log1p(shrink)


def _rho_from(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """rho = tanh(sinh t), log sqrt(1 - rho^2) and log d rho / dt; the source is the same."""
    z = np.sinh(t)
    log_rest = np.log(2) - np.abs(z) - np.log1p(np.exp(-2 * np.abs(z)))
    return np.tanh(z), log_rest, 2 * log_rest + np.log(np.cosh(t))


def sds_at(problem: Problem, t: np.ndarray) -> tuple[Sds, np.ndarray]:
    """Sds and rho at positions t (K, d), and the log density of their prior on the scale of t."""
    values = dict.fromkeys(("group_sd", "slope_sd", "rho"), np.zeros(len(t)))
    values["rest"], log_prior = np.ones(len(t)), np.zeros(len(t))
    for name, column in zip(problem.names, t.T, strict=True):
        if name == "rho":
            values["rho"], log_rest, log_jacobian = _rho_from(column)
            values["rest"] = np.exp(log_rest)
            eta = problem.priors.lkj_eta
            log_prior += 2 * (eta - 1) * log_rest + log_jacobian
            log_prior -= (2 * eta - 1) * np.log(2) + special.betaln(eta, eta)
        else:
            values[name], log_jacobian = _sd_from(column, problem.unit[name])
            scale = getattr(problem.priors, name)
            log_prior += stats.halfnorm.logpdf(values[name], scale=scale) + log_jacobian
    return Sds(**values), log_prior


def _log_density(problem: Problem, t: np.ndarray) -> np.ndarray:
    """Log of prior times likelihood at positions t (K, d), on the scale of t."""
    sds, log_prior = sds_at(problem, t)
    return log_prior + gaussian.condition(sds, problem.data)[0]


# The grid


@dataclass(frozen=True)
class Nodes:
    """The piece of the lattice ``center + axes k``, with whole k, that carries the posterior.

    ``index`` (K, d) holds the k; ``log_density`` (K,) is on the scale of t.
    """

    center: np.ndarray
    axes: np.ndarray
    index: np.ndarray
    log_density: np.ndarray

    @cached_property
    def position(self) -> np.ndarray:
        return self.center + self.index @ self.axes.T

    @cached_property
    def weight(self) -> np.ndarray:
        return special.softmax(self.log_density)

    @property
    def log_integral(self) -> float:
        return float(special.logsumexp(self.log_density) + np.linalg.slogdet(self.axes)[1])


def integrate(problem: Problem, tolerance: float | None = None) -> tuple[Nodes, float]:
    """Find the posterior, lay a lattice over it, and refine until doubling changes nothing.

    ``tolerance`` (posterior sds) is how far a mean or sd may move then; ``TOLERANCE`` by default.
    Returns the nodes, and how far one moved at most. Raises ``QuadratureFailed`` if the lattice
    cannot become fine enough.
    """
    tolerance = TOLERANCE if tolerance is None else tolerance
    center, covariance = _find_place(problem)
    steps = np.full(len(center), SCOUT)
    for _ in range(ROUNDS):
        axes = np.linalg.cholesky(covariance) * steps
        nodes = _grow(lambda t: _log_density(problem, t), center, axes)
        shifts = _shifts(problem, nodes, tolerance)
        if (shifts < tolerance).all():
            return nodes, float(shifts.max())
        center, covariance = _place_of(nodes)
        # If the error falls like exp(-constant / step^2), these steps are the ones to take.
        ratio = np.log(np.clip(shifts, tolerance / 2, 0.5)) / np.log(tolerance / 2)
        smaller = np.minimum(steps * np.clip(np.sqrt(ratio), 0.6, 0.9), STEP)
        steps = np.where(shifts < tolerance, steps, smaller)
    raise QuadratureFailed(
        f"Doubling the nodes still moves a mean or an sd by {shifts.max():.2g} posterior sds, more "
        f"than {tolerance:g}: the posterior of {', '.join(problem.names)} is too rugged."
    )


def _place_of(nodes: Nodes) -> tuple[np.ndarray, np.ndarray]:
    """Mean (d,) and covariance (d, d); the latter is not 0 even if one node has all the mass."""
    center = nodes.weight @ nodes.position
    centred = nodes.position - center
    return center, (centred.T * nodes.weight) @ centred + nodes.axes @ nodes.axes.T / 12


def _find_place(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Mode of the log density on the scale of t, and the inverse of its curvature there."""
    scan = np.array(list(product(*(_scanned(problem, name) for name in problem.names))))
    start = scan[np.argmax(_log_density(problem, scan))]
    bounds = [(-4.0, 4.0) if name == "rho" else (-4.0, 60.0) for name in problem.names]
    found = optimize.minimize(
        lambda t: -_log_density(problem, t[None])[0],
        start,
        method="Nelder-Mead",
        bounds=bounds,
        options={"initial_simplex": start + np.eye(len(start) + 1, len(start)) / 2, "xatol": 1e-4},
    )
    if not found.success or np.any(np.isclose(found.x, np.transpose(bounds), atol=0.01)):
        raise QuadratureFailed(
            f"The posterior of {', '.join(problem.names)} has no highest point; is there scatter?"
        )
    values, vectors = np.linalg.eigh(_curvature(lambda t: -_log_density(problem, t), found.x))
    # On the scale of t no posterior is much wider than 1, whatever the curvature at its mode.
    return found.x, (vectors / np.maximum(values, 0.3)) @ vectors.T


def _scanned(problem: Problem, name: str) -> np.ndarray:
    """Values of t for a first look, up to four prior scales."""
    if name == "rho":
        return np.linspace(-1, 1, 3)
    reach = np.log(4 * getattr(problem.priors, name) / problem.unit[name])
    return np.linspace(-1, max(reach, 1), 6)


def _curvature(function: Callable, x: np.ndarray, step: float = 1e-3) -> np.ndarray:
    """Matrix of second derivatives by central differences."""
    e = step * np.eye(len(x))
    plus, minus = e[:, None] + e[None], e[:, None] - e[None]
    points = x + np.stack([plus, minus, -minus, -plus])
    values = function(points.reshape(-1, len(x))).reshape(points.shape[:3])
    return (values[0] - values[1] - values[2] + values[3]) / (4 * step**2)


def _grow(log_density: Callable, center: np.ndarray, axes: np.ndarray) -> Nodes:
    """Grow a lattice from its centre, neighbour by neighbour, until the rest carries nothing.

    A node stays, and has its neighbours visited, if its density is at least exp(-drop) of the
    highest; ``drop`` increases until the visited nodes below hold less than ``RIM`` of the mass.
    """
    d = len(center)
    moves = np.vstack([np.eye(d, dtype=int), -np.eye(d, dtype=int)])
    index, values, grown = np.zeros((1, d), dtype=int), log_density(center[None]), np.array([False])
    for drop in range(16, 60):
        while (ripe := ~grown & (values > values.max() - drop)).any():
            grown |= ripe
            new = _unvisited((index[ripe][:, None] + moves).reshape(-1, d), index)
            index = np.vstack([index, new])
            values = np.append(values, log_density(center + new @ axes.T))
            grown = np.append(grown, np.zeros(len(new), dtype=bool))
            if len(index) > NODE_LIMIT:
                raise QuadratureFailed(f"The grid needs more than {NODE_LIMIT:,} nodes.")
        if special.softmax(values)[~grown].sum() < RIM:
            return Nodes(center, axes, index[grown], values[grown])
    raise QuadratureFailed("The posterior's tails are too long for the grid.")


def _unvisited(reached: np.ndarray, visited: np.ndarray) -> np.ndarray:
    """Rows of ``reached`` that are not in ``visited``, each once, sorted."""
    known = pd.DataFrame(np.vstack([visited, reached])).duplicated().to_numpy()[len(visited) :]
    new = reached[~known]
    return new[np.lexsort(new.T)]


# What the nodes say of each parameter


def _moments(problem: Problem, nodes: Nodes) -> Iterator[tuple[str, int, np.ndarray, np.ndarray]]:
    """For each parameter its name, its group's number, and mean and variance (K,) given the sds.

    The variance of a parameter that the grid spans is 0. Scalars come first, with the number -1.
    """
    sds, _ = sds_at(problem, nodes.position)
    for name in problem.names:
        yield name, -1, getattr(sds, name), np.zeros(len(nodes.index))
    _, line, covariance = gaussian.condition(sds, problem.data)
    for k, name in enumerate(("intercept", "slope")):
        yield name, -1, line[k] + problem.data.reference[k], covariance[k, k]
    for j in range(len(problem.data.q) if problem.effects else 0):
        c, S, C = gaussian.deviations(sds, problem.data, j)
        mean, total = gaussian.average_over(c, -S, C, line, covariance)
        for k, name in enumerate(problem.effects):
            yield name, j, mean[k], total[k, k]


def _mean_and_sd(weight: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> tuple:
    """Mean and sd of a mixture; rows of ``weight`` (..., K) are mixtures of their own."""
    origin = mean[np.argmax(weight) % len(mean)]
    first = weight @ (mean - origin)
    second = weight @ (variance + (mean - origin) ** 2)
    return first + origin, np.sqrt(second - first**2)


def _shifts(problem: Problem, nodes: Nodes, tolerance: float) -> np.ndarray:
    """How far a mean or sd moves at most, in posterior sds, when nodes double along each axis (d,).

    The nodes with an even number on the axis are set against all of them. Group-level effects are
    looked at if nothing else has moved too far already.
    """
    halves = nodes.weight * (nodes.index.T % 2 == 0)
    weights = np.vstack([nodes.weight, halves / halves.sum(axis=1, keepdims=True)])
    shifts = np.zeros(len(halves))
    for _, group, mean, variance in _moments(problem, nodes):
        if group >= 0 and (shifts >= tolerance).any():
            break
        means, sds = _mean_and_sd(weights, mean, variance)
        moved = np.abs([means[1:] - means[0], sds[1:] - sds[0]]).max(axis=0)
        shifts = np.maximum(shifts, moved / sds[0])
    return shifts


def _summarize(problem: Problem, nodes: Nodes) -> dict[str, np.ndarray]:
    """``STATISTICS`` of every parameter, in arrays of shape (5,) or (groups, 5)."""
    rows = {}
    for name, _, mean, variance in _moments(problem, nodes):
        center, sd = _mean_and_sd(nodes.weight, mean, variance)
        if name in problem.names:
            quantiles = _grid_quantiles(problem, nodes, name)
        else:
            quantiles = _mixture_quantiles(nodes.weight, mean, np.sqrt(variance), center, sd)
        rows.setdefault(name, []).append([center, sd, *quantiles])
    return {name: np.array(entries) for name, entries in rows.items()}


def _mixture_quantiles(
    weight: np.ndarray, means: np.ndarray, sds: np.ndarray, center: float, sd: float
) -> list[float]:
    """Quantiles of a mixture of normals with the given mean and sd, between Cantelli's limits."""
    return [
        optimize.brentq(
            lambda x, p=p: weight @ special.ndtr((x - means) / sds) - p,
            center - sd * np.sqrt((1 - p) / p),
            center + sd * np.sqrt(p / (1 - p)),
            xtol=1e-6 * sd,
        )
        for p in PROBABILITIES
    ]


def _grid_quantiles(problem: Problem, nodes: Nodes, name: str) -> np.ndarray:
    """Quantiles of an sd or of rho: of its t, by inverting a characteristic function (Davies 1973).

    Frequencies end where the lattice can no longer tell them from lower ones.
    """
    axis = problem.names.index(name)
    t = nodes.position[:, axis]
    low, high = t.min(), t.max()
    m = np.arange(int((high - low) / (2 * np.abs(nodes.axes[axis]).max()))) + 0.5
    frequency = 2 * np.pi * m / (high - low)
    characteristic = np.exp(1j * np.outer(frequency, t - low)) @ nodes.weight

    def below(x):
        waves = np.imag(characteristic * np.exp(-1j * frequency * (x - low)))
        return 0.5 - (waves / m).sum() / np.pi

    found = [optimize.brentq(lambda x, p=p: below(x) - p, low, high) for p in PROBABILITIES]
    positions = np.zeros((len(found), len(problem.names)))
    positions[:, axis] = found
    return getattr(sds_at(problem, positions)[0], name)


# Draws


def draw_posterior(problem: Problem, nodes: Nodes, draws: int, seed: int) -> xr.Dataset:
    """Independent draws from the exact posterior, as one chain named as by ``models.fit``."""
    rng = np.random.default_rng(seed)
    sds, _ = sds_at(problem, _draw_positions(problem, nodes, draws, rng))
    _, mean, covariance = gaussian.condition(sds, problem.data)
    line = gaussian.draw_normal(mean, covariance, rng)
    drawn = {name: getattr(sds, name) for name in problem.names}
    drawn["intercept"], drawn["slope"] = line + problem.data.reference[:, None]
    drawn |= {name: np.empty((len(problem.data.q), draws)) for name in problem.effects}
    for j in range(len(problem.data.q) if problem.effects else 0):
        c, S, C = gaussian.deviations(sds, problem.data, j)
        deviation = gaussian.draw_normal(c - np.einsum("abk,bk->ak", S, line), C, rng)
        for k, name in enumerate(problem.effects):
            drawn[name][j] = deviation[k]
    posterior = _as_dataset(problem, drawn, {"chain": [0], "draw": np.arange(draws)})
    posterior.attrs = {"sampling": "independent draws from the exact posterior"}
    return posterior


def _draw_positions(
    problem: Problem, nodes: Nodes, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Positions t (draws, d): a point in a random cell of the lattice, kept or rejected.

    Cells are drawn by a power of their density below 1, which has the longer tails a proposal
    needs. The largest ratio is that of the proposals themselves (Caffo, Booth & Davis 2002).
    """
    power, size = 0.7, 20 * draws + 1000
    cell = rng.choice(len(nodes.index), size=size, p=special.softmax(power * nodes.log_density))
    offset = rng.uniform(-0.5, 0.5, size=(size, len(nodes.center)))
    position = nodes.position[cell] + offset @ nodes.axes.T
    log_ratio = _log_density(problem, position) - power * nodes.log_density[cell]
    accepted = np.log(rng.uniform(size=size)) < log_ratio - log_ratio.max()
    if accepted.sum() < draws:
        raise QuadratureFailed("The grid is too coarse to draw from.")
    return position[accepted][:draws]


def _as_dataset(problem: Problem, arrays: dict[str, np.ndarray], coords: dict) -> xr.Dataset:
    """Name and order arrays as ``models.fit`` does; group-level effects come with groups first."""
    labels = problem.data.labels
    shape = tuple(map(len, coords.values()))
    data = {}
    for name in (name for name in PARAMETERS if name in arrays):
        if name in problem.effects:
            values = np.moveaxis(arrays[name].reshape(len(labels), *shape), 0, -1)
            data[name] = ((*coords, labels.name), values)
        else:
            data[name] = (tuple(coords), arrays[name].reshape(shape))
    groups = {labels.name: list(labels)} if problem.effects else {}
    return xr.Dataset(data, coords={**coords, **groups})
