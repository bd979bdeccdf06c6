"""Sums over a grid: no sampler, yet as exact as one wants.

Given the sds and the correlation, everything else in the models is jointly Gaussian and integrates
out in closed form. What is left has one dimension (pooled), two (random intercept) or four (random
slope), and a grid sums over it. All formulas are derived in the appendix "The exact answer".
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import combinations

import numpy as np
from scipy import optimize, special

from helpers.exact import gaussian
from helpers.exact.gaussian import Sds
from helpers.exact.problem import (
    Problem,
    QuadratureFailed,
    condition,
    deviations,
    first_look,
    has_ends,
    log_density,
    sds_at,
)
from helpers.priors import INTERVAL

TOLERANCE = (
    1e-3  # posterior sds by which a mean or sd may move with half of the nodes, and their sum
)
RIM = 1e-6  # largest share of the mass on nodes that are left out
DUST = 3e-4  # and on those that are left out where group-level effects are summed
SCOUT = 1.0  # distance of nodes in posterior sds, at first
STEPS = (0.15, 0.15, 0.4, 0.5)  # by dimensions, where quantiles of an sd need it
LONG_STEP, MANY = 0.65, 300  # instead of the last, with more kinds of groups than that
PROBABILITIES = ((1 - INTERVAL) / 2, 0.5, (1 + INTERVAL) / 2)
STEADY = 0.15  # largest sd of the t of slope_sd at which rho is never left undetermined
ROUNDS = 10
NODE_LIMIT = 600_000
DIGITS = 2**15  # of one coordinate in the number of a node


@dataclass(frozen=True)
class Nodes:
    """The piece of the lattice ``center + axes k``, with whole k, that carries the posterior.

    ``index`` (K, d) holds the k; ``log_density`` (K,) is on the scale of t; ``before`` and
    ``after`` (K, d) are those of the neighbours along each axis; ``edge`` (K,) says which nodes
    have neighbours that were left out.
    """

    problem: Problem
    center: np.ndarray
    axes: np.ndarray
    index: np.ndarray
    log_density: np.ndarray
    before: np.ndarray
    after: np.ndarray
    edge: np.ndarray

    @cached_property
    def position(self) -> np.ndarray:
        return self.center + self.index @ self.axes.T

    @cached_property
    def sds(self) -> Sds:
        return sds_at(self.problem, self.position)[0]

    @cached_property
    def weight(self) -> np.ndarray:
        return special.softmax(self.log_density)

    @property
    def log_integral(self) -> float:
        return float(special.logsumexp(self.log_density) + np.linalg.slogdet(self.axes)[1])

    def halves(self) -> np.ndarray:
        """Weights (R, K): of all nodes; for each axis of those with an even number on it; for each
        pair of axes of those whose numbers are both even or both odd. They sum to 1 or nearly so:
        each half stands for the whole."""
        odd = self.index.T % 2
        parts = [*(odd == 0), *(a == b for a, b in combinations(odd, 2))]
        return self.weight * np.vstack([np.ones(len(self.index)), 2 * np.array(parts)])

    @property
    def half(self) -> np.ndarray:
        """Which nodes (K,) stand for the whole: in one dimension those with an even number, else
        those whose numbers on the first two axes are both even or both odd."""
        odd = self.index.T % 2
        return odd[0] == (odd[1] if len(odd) > 1 else 0)

    def thin(self) -> "Nodes":
        """Of the nodes a quarter in four dimensions, a half in three, all in fewer, without those
        that hold ``DUST`` together.

        For what is smooth such a lattice is nearly as fine as the whole one (Conway & Sloane 1999).
        """
        odd, order = self.index.T % 2, np.argsort(self.weight)
        kept = np.empty(len(order), dtype=bool)
        kept[order] = np.cumsum(self.weight[order]) > DUST
        for k in range(len(odd) - 2):
            kept &= odd[k] == odd[k + 2]
        arrays = (getattr(self, field.name)[kept] for field in fields(self)[3:])
        return Nodes(self.problem, self.center, self.axes, *arrays)


def integrate(
    problem: Problem, tolerance: float | None = None, *, for_quantiles: bool = False
) -> tuple[Nodes, "Moments"]:
    """Find the posterior, lay a lattice over it, and refine until half of its nodes are enough.

    ``tolerance`` (posterior sds) is how far a mean or sd may move then; ``TOLERANCE`` by default.
    It may move by the root of that if nodes double along an axis, which at least squares the error.
    ``for_quantiles`` asks for nodes so near to each other that quantiles of an sd can be found from
    them where its moments do not tell them. Returns the nodes, and the moments of all parameters.
    Raises ``QuadratureFailed`` if the lattice cannot become fine enough.
    """
    tolerance = TOLERANCE if tolerance is None else tolerance
    failures = []
    for chart in _choose_charts(problem):
        try:
            return _refine(replace(problem, chart=chart), tolerance, for_quantiles)
        except QuadratureFailed as failure:
            failures.append(failure)
    raise failures[0]


def _choose_charts(problem: Problem) -> list[str]:
    """The charts to try: first "steady" where the data tell ``slope_sd`` well from 0."""
    if "rho" not in problem.names:
        return [problem.chart]
    try:
        _, covariance = _find_place(problem)
    except QuadratureFailed:
        return ["steady"]
    charts = [problem.chart, "steady"]
    return charts[::-1] if covariance[2, 2] < STEADY**2 else charts


def _refine(problem: Problem, tolerance: float, for_quantiles: bool) -> tuple[Nodes, "Moments"]:
    """What ``integrate`` does, in one chart."""
    center, covariance = _find_place(problem)
    steps = np.full(len(center), SCOUT)
    for _ in range(ROUNDS):
        nodes = _grow(problem, center, np.linalg.cholesky(covariance) * steps)
        moments = find_moments(nodes, tolerance)
        rough = max(
            expand_quantiles(moments.of[name], PROBABILITIES)[1][0] for name in problem.names
        )
        finest = np.inf
        if for_quantiles and rough > TOLERANCE:
            many = len(problem.data.kinds) > MANY
            finest = LONG_STEP if many else STEPS[len(steps) - 1]
        if moments.shift < tolerance and (steps <= finest).all():
            return nodes, moments
        center, covariance = _place_of(nodes)
        if moments.shift >= tolerance:
            # If errors fall like exp(-constant / step^2), these steps are the ones to take.
            ratio = np.log(np.clip(moments.shifts, tolerance / 4, 0.5)) / np.log(tolerance / 4)
            smaller = np.clip(np.sqrt(ratio), 0.5, 0.9)
            worst = moments.shifts >= min(tolerance, moments.shifts.max())
            steps = np.where(worst, steps * smaller, steps)
        steps = np.minimum(steps, finest)
    raise QuadratureFailed(
        f"With half of the nodes a mean or an sd moves by {moments.shift:.2g} posterior sds, more "
        f"than {tolerance:g}: the posterior of {', '.join(problem.names)} is too rugged. If the "
        "predictor lies far from 0, standardize it; else use NUTS."
    )


def _place_of(nodes: Nodes) -> tuple[np.ndarray, np.ndarray]:
    """Mean (d,) and covariance (d, d); the latter is not 0 even if one node has all the mass."""
    center = nodes.weight @ nodes.position
    centred = nodes.position - center
    return center, (centred.T * nodes.weight) @ centred + nodes.axes @ nodes.axes.T / 12


def _find_place(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Mode of the log density on the scale of t, and the inverse of its curvature there."""
    start = first_look(problem)
    bounds = [(-4.0, 4.0 if has_ends(problem, name) else 60.0) for name in problem.names]
    if problem.chart == "steady":
        bounds[-1] = (-np.inf, np.inf)
    found = optimize.minimize(
        lambda t: -log_density(problem, t[None])[0],
        start,
        method="Nelder-Mead",
        bounds=bounds,
        options={"initial_simplex": start + np.eye(len(start) + 1, len(start)) / 2, "xatol": 1e-4},
    )
    if not found.success or np.any(np.isclose(found.x, np.transpose(bounds), atol=0.01)):
        raise QuadratureFailed(
            f"The posterior of {', '.join(problem.names)} has no highest point; is there scatter?"
        )
    values, vectors = np.linalg.eigh(_curvature(lambda t: -log_density(problem, t), found.x))
    # On the scale of t no posterior is much wider than 1, whatever the curvature at its mode.
    return found.x, (vectors / np.maximum(values, 0.3)) @ vectors.T


def _curvature(function: Callable, x: np.ndarray, step: float = 1e-3) -> np.ndarray:
    """Matrix of second derivatives by central differences."""
    e = step * np.eye(len(x))
    plus, minus = e[:, None] + e[None], e[:, None] - e[None]
    points = x + np.stack([plus, minus, -minus, -plus])
    values = function(points.reshape(-1, len(x))).reshape(points.shape[:3])
    return (values[0] - values[1] - values[2] + values[3]) / (4 * step**2)


def _grow(problem: Problem, center: np.ndarray, axes: np.ndarray) -> Nodes:
    """Grow a lattice from its centre, neighbour by neighbour, until the rest carries nothing.

    A node stays, and has its neighbours visited, if its density is at least exp(-drop) of the
    highest; ``drop`` increases until the visited nodes below hold less than ``RIM`` of the mass.
    """
    d = len(center)
    powers = DIGITS ** np.arange(d)  # a node's number has its places on the axes as digits
    numbers = known = np.array([DIGITS // 2 * powers.sum()])
    values, grown = log_density(problem, center[None]), np.array([False])
    for drop in range(16, 60):
        while (ripe := ~grown & (values > values.max() - drop)).any():
            grown |= ripe
            reached = np.unique(np.add.outer(numbers[ripe], [*powers, *-powers]))
            new = reached[known[np.searchsorted(known, reached) % len(known)] != reached]
            if not len(new):
                continue
            known = np.sort(np.append(known, new), kind="stable")
            numbers = np.append(numbers, new)
            values = np.append(values, log_density(problem, center + _index(new, d) @ axes.T))
            grown = np.append(grown, np.zeros(len(new), dtype=bool))
            if len(numbers) > NODE_LIMIT:
                raise QuadratureFailed(f"The grid needs more than {NODE_LIMIT:,} nodes.")
        if special.softmax(values)[~grown].sum() < RIM:
            return _with_neighbours(problem, center, axes, numbers, values, grown)
    raise QuadratureFailed("The posterior's tails are too long for the grid.")


def _with_neighbours(problem, center, axes, numbers, values, grown) -> Nodes:
    """The grown nodes; all their neighbours have been visited."""
    order = np.argsort(numbers)

    def find(step):
        return order[np.searchsorted(numbers, numbers[grown][:, None] + step, sorter=order)]

    steps = DIGITS ** np.arange(len(center))
    before, after = find(-steps), find(steps)
    edge = ~(grown[before] & grown[after]).all(axis=1)
    index = _index(numbers[grown], len(center))
    return Nodes(problem, center, axes, index, values[grown], values[before], values[after], edge)


def _index(numbers: np.ndarray, d: int) -> np.ndarray:
    """Places (K, d) on the axes from the numbers (K,) of nodes."""
    return numbers[:, None] // DIGITS ** np.arange(d) % DIGITS - DIGITS // 2


# What the nodes say of each parameter


@dataclass(frozen=True)
class Moments:
    """Of every parameter, by name, mean, sd and the standardized cumulants 3 to 6 as arrays (6, M);
    the coefficients are together, as ``line``, and count from the reference. Group-level effects are
    there if nothing else moves too far. ``shift`` is how far a mean or sd moves at most with half of the nodes, in posterior sds,
    ``shifts`` (d,) the same for halves that concern an axis.
    """

    of: dict[str, np.ndarray]
    shift: float
    shifts: np.ndarray


def find_moments(nodes: Nodes, tolerance: float) -> Moments:
    """Moments of all parameters."""
    problem, weights = nodes.problem, nodes.halves()
    values = np.column_stack([getattr(nodes.sds, name) for name in problem.names])
    of_sds, moved = _moments(weights, values, 0 * values)
    of_line, also = _moments(weights, *line_mixtures(nodes))
    of = {name: of_sds[:, [k]] for k, name in enumerate(problem.names)} | {"line": of_line}
    shifts = _by_axis(np.maximum(moved, also), len(problem.names))
    shift = shifts.max()
    if problem.effects and shift < tolerance:
        found = []
        for _, weights, means, variances in effect_mixtures(nodes):
            parts = [_moments(weights, *part) for part in zip(means, variances, strict=True)]
            found.append([part for part, _ in parts])
            shift = max(shift, *(moved[0] for _, moved in parts))
        for k, name in enumerate(problem.effects):
            of[name] = np.concatenate([part[k] for part in found], axis=1)
    return Moments(of, float(shift), shifts)


def _by_axis(moved: np.ndarray, d: int) -> np.ndarray:
    """Largest shift (d,) on each axis from those of ``Nodes.halves``.

    Doubling the distance along an axis at least squares the error: of these shifts the squares count.
    """
    if d == 1:
        return moved
    shifts = moved[:d] ** 2
    for pair, value in zip(combinations(range(d), 2), moved[d:], strict=True):
        shifts[list(pair)] = np.maximum(shifts[list(pair)], value)
    return shifts


def line_mixtures(nodes: Nodes) -> tuple[np.ndarray, np.ndarray]:
    """The coefficients as mixtures of normals: means and variances (K, P) at the nodes."""
    _, line, covariance = condition(nodes.problem, nodes.sds)
    back = nodes.problem.data.units.back
    return line @ back.T, np.einsum("ab,kbc,ac->ka", back, covariance, back)


def effect_mixtures(nodes: Nodes, groups: np.ndarray | None = None) -> Iterator[tuple]:
    """The group-level effects as mixtures of normals, some groups after the others.

    Yields which they are, weights (2, K) of the nodes (all, half of them), and means and variances
    (D, K, M) at the nodes.
    """
    nodes = nodes.thin()
    weights = nodes.weight * np.array([np.ones(len(nodes.index)), 2 * nodes.half])
    _, line, covariance = condition(nodes.problem, nodes.sds)
    of_groups = deviations(nodes.problem, nodes.sds, line, covariance)
    groups = np.arange(len(nodes.problem.data.labels)) if groups is None else groups
    for some in gaussian.parts(groups, len(nodes.index)):
        yield some, weights, *of_groups(some)


def _moments(weights: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> tuple:
    """Moments (6, M) of mixtures of normals (K, M), and the largest shift (R - 1,) of mean or sd,
    in sds, from the first of the ``weights`` (R, K) to each other; or of their sum."""
    center = weights[0] @ mean
    x = mean - center
    xx, v = x * x, variance
    mass = weights.sum(axis=1, keepdims=True)
    first, second = weights @ x / mass, weights @ (xx + v) / mass
    sd = np.sqrt(second - first**2)
    powers = [x * (xx + 3 * v), xx * (xx + 6 * v) + 3 * v * v]
    powers += [x * (xx * (xx + 10 * v) + 15 * v * v)]
    powers += [xx * (xx * (xx + 15 * v) + 45 * v * v) + 15 * v**3]
    m3, m4, m5, m6 = (weights[0] @ power / sd[0] ** (3 + k) for k, power in enumerate(powers))
    cumulants = [m3, m4 - 3, m5 - 10 * m3, m6 - 15 * m4 - 10 * m3**2 + 30]
    moved = np.maximum(np.abs(first[1:] - first[0]), np.abs(sd[1:] - sd[0])) / sd[0]
    return np.array([center, sd[0], *cumulants]), np.maximum(moved, abs(mass[1:] - 1)).max(axis=1)


def expand_quantiles(moments: np.ndarray, probabilities) -> tuple[np.ndarray, np.ndarray]:
    """Standardized quantiles (Q, M) of nearly normal distributions from their moments (6, M), and
    the size (M,) of the last terms of the expansion (Cornish & Fisher 1938, Draper & Tierney 1973)."""
    z = special.ndtri(probabilities)[:, None]
    a, b, c, d = moments[2:]
    z2, z3, z4, z5 = z**2, z**3, z**4, z**5
    first = (z2 - 1) * a / 6 + (z3 - 3 * z) * b / 24 - (2 * z3 - 5 * z) * a**2 / 36
    third = (z4 - 6 * z2 + 3) * c / 120 - (z4 - 5 * z2 + 2) * a * b / 24
    third += (12 * z4 - 53 * z2 + 17) * a**3 / 324
    last = [(z5 - 10 * z3 + 15 * z) * d / 720, -(3 * z5 - 24 * z3 + 29 * z) * b**2 / 384]
    last += [(14 * z5 - 103 * z3 + 107 * z) * a**2 * b / 288]
    last += [-(2 * z5 - 17 * z3 + 21 * z) * a * c / 180]
    last += [-(252 * z5 - 1688 * z3 + 1511 * z) * a**4 / 7776]
    return z + first + third + sum(last), np.abs(last).sum(axis=0).max(axis=0)
