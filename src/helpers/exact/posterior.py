"""The exact posterior of the three models: its numbers, and independent draws from it."""

from collections.abc import Callable, Mapping
from numbers import Integral

import numpy as np
import xarray as xr
from scipy import optimize, special
from scipy.optimize import elementwise
from threadpoolctl import threadpool_limits

from helpers.exact.crossed import build_crossed
from helpers.exact.problem import (
    Problem,
    QuadratureFailed,
    as_dataset,
    build_problem,
    condition,
    draw_effects,
    from_t,
    log_density,
    sds_at,
    to_t,
)
from helpers.exact.quadrature import (
    PROBABILITIES,
    TOLERANCE,
    Moments,
    Nodes,
    effect_mixtures,
    expand_quantiles,
    integrate,
    line_mixtures,
)
from helpers.exact.statistics import sufficient_statistics
from helpers.priors import LOWER, SEED, UPPER, Priors, check_slope
from helpers.rotated import columns_of, is_statistics, names_in
from helpers.terms import Model, as_model, as_two_factors

STATISTICS = ("mean", "sd", LOWER, "50 %", UPPER)
ROUGH = 0.01  # last terms of an expansion, in sds, up to which no quantile is solved for; errors are half
STEEP = 0.03  # mass of nodes at which an sd or rho may change faster than the frequencies allow for
DRAWN = 40_000_000  # numbers that are drawn at most unless more are asked for: 320 MB
ROUNDS = 100


def exact_posterior(
    name: str,
    data,
    *,
    priors: Priors | Mapping = Priors(),
    draws: int | None = None,
    seed: int = SEED,
    drop_missing: bool = False,
    **columns,
) -> xr.DataTree:
    """Compute the posterior of one of the three models, or of a formula with intercepts by two grouping
    factors, such as "y ~ x + (1|g) + (1|h)" or "y ~ x + (1|g/h)", and draw from it independently.

    Parameters
    ----------
    name, priors, drop_missing
        As in ``models.fit``: a name, or a formula. With
        ``lkj_eta=None``, or without a prior of "rho", there is no ``rho``: it is 0.
    data
        Whatever ``sufficient_statistics`` takes, or its result. Time and memory depend on the
        number of groups, not of rows.
    draws, seed
        Number of independent draws, by default 4,000 or as many as make 40 million numbers, and
        their seed; the group ``exact`` has nothing random in it.
    columns
        ``outcome``, ``predictor``, ``group``, ``covariates`` as in ``models.fit``; sufficient
        statistics know them, all but the name of the outcome and the predictor's, which are not used.

    Returns
    -------
    DataTree with two groups that name the parameters as ``models.fit`` does. ``posterior`` holds
    the draws, as one chain. ``exact`` holds mean, sd and the quantiles 2.5, 50 and 97.5 % of every
    parameter along the dimension ``statistic``; its attributes are ``log_marginal_likelihood``, the
    number of ``nodes``, and ``largest_shift``: how far a mean or sd moves at most with half of the
    nodes, in posterior sds (see ``quadrature.Moments``). Quantiles are good to about 0.005 sds.

    Raises
    ------
    ValueError
        If the model is unknown, or as ``sufficient_statistics``.
    QuadratureFailed
        If the grid does not reach its accuracy, for instance because rows without any scatter
        leave no lower limit to sigma.
    """
    if not (draws is None or (isinstance(draws, Integral) and draws > 0)):
        raise ValueError(f"draws must be a whole number above 0, not {draws!r}.")
    model = as_two_factors(name, data, priors, drop_missing=drop_missing)
    if model is None:
        model = as_model(name, data, priors, columns, drop_missing=drop_missing)
    if model.group_sds is None:
        return _answer(model, draws, seed)
    # For many small matrices a second thread costs more than it brings, up to twentyfold.
    with threadpool_limits(1, user_api="blas"):
        return _answer(model, draws, seed)


def _answer(model: Model, draws: int | None, seed: int) -> xr.DataTree:
    """What ``exact_posterior`` returns."""
    nodes, moments = integrate(_build(model), for_quantiles=True)
    problem = nodes.problem
    numbers = {name: values.T for name, values in find_numbers(nodes, moments).items()}
    exact = as_dataset(problem, numbers, {"statistic": list(STATISTICS)})
    exact.attrs = {
        "log_marginal_likelihood": nodes.log_integral,
        "nodes": len(nodes.index),
        "largest_shift": moments.shift,
    }
    if draws is None:
        draws = min(4000, max(1, DRAWN // (1 + len(problem.effects) * len(problem.data.labels))))
    posterior = draw_posterior(nodes, draws, seed)
    return model.rename(xr.DataTree.from_dict({"posterior": posterior, "exact": exact}))


def _build(model: Model) -> Problem:
    """A model with its data, after a look at the columns."""
    if model.group_sds is not None:
        return build_crossed(model)
    name, data, priors = model.name, model.frame, model.priors
    if not is_statistics(data):
        data = sufficient_statistics(data, **vars(model.columns))
    named = columns_of(data, model.columns)
    check_slope(name, named)
    unasked = set(names_in(data)) - {"predictor", "outcome", *named.covariates}
    data = data.drop(columns=[f"{name}_mean" for name in unasked]).rename_axis(named.group)
    return build_problem(name, data, priors)


# Numbers


def find_numbers(nodes: Nodes, moments: Moments) -> dict[str, np.ndarray]:
    """``STATISTICS`` (5,) or (5, M) of every parameter."""
    problem, found = nodes.problem, {}
    expanded = {name: expand_quantiles(of, PROBABILITIES) for name, of in moments.of.items()}
    if (expanded["line"][1] > ROUGH).any():
        expanded["line"][0][:] = _solve(nodes.weight, *line_mixtures(nodes), moments.of["line"])
    far = [expanded[name][1] > ROUGH for name in problem.effects]
    groups = np.flatnonzero(np.any(far, axis=0)) if far else []
    for some, weights, *mixtures in effect_mixtures(nodes, groups) if len(groups) else ():
        for name, *mixture in zip(problem.effects, *mixtures, strict=True):
            of = moments.of[name][:, some]
            expanded[name][0][:, some] = _solve(weights[0], *mixture, of)
    for name, (mean, sd, *_) in moments.of.items():
        standardized, last = expanded[name]
        quantiles = mean + sd * standardized
        if name in problem.names and last > TOLERANCE:
            quantiles = _grid_quantiles(nodes, name)[:, None]
        found[name] = np.vstack([mean, sd, quantiles])
    units = problem.data.units
    found["line"][[0, 2, 3, 4]] += units.back @ units.reference
    return found


def _solve(weight, means, variances, moments) -> np.ndarray:
    """Standardized quantiles (3, M) of mixtures of normals (K, M) with known moments (6, M)."""
    center, scale = moments[:2]
    means, sds = (means - center) / scale, np.sqrt(variances) / scale

    def excess(x, p, m):
        m = m.astype(int)
        return weight @ special.ndtr((x - means[:, m]) / sds[:, m]) - p

    p, m = np.meshgrid(PROBABILITIES, np.arange(len(center)), indexing="ij")
    p, m = p.ravel(), m.ravel()
    limits = -np.sqrt((1 - p) / p), np.sqrt(p / (1 - p))  # Cantelli's
    solved = elementwise.find_root(excess, limits, args=(p, m), tolerances={"xatol": 1e-5})
    return solved.x.reshape(len(PROBABILITIES), -1)


def _grid_quantiles(nodes: Nodes, name: str) -> np.ndarray:
    """Quantiles (3,) of an sd or of rho, found on the scale of t."""
    problem = nodes.problem
    t, *moved = (
        to_t(problem, name, getattr(sds_at(problem, nodes.position + move)[0], name))
        for move in (0 * nodes.center, *nodes.axes.T)
    )
    moves = np.abs(np.array(moved) - t).max(axis=0)
    order = np.argsort(moves)
    fastest = moves[order][np.searchsorted(np.cumsum(nodes.weight[order]), 1 - STEEP)]
    below = _sum_waves(t, fastest, nodes.weight)
    found = [optimize.brentq(lambda x, p=p: below(x) - p, t.min(), t.max()) for p in PROBABILITIES]
    return from_t(problem, name, np.array(found))


def _sum_waves(t: np.ndarray, step: float, weight: np.ndarray) -> Callable:
    """Distribution function of what moves by ``step`` at most from node to node, by inverting a
    characteristic function (Davies 1973). Frequencies end where the lattice can no longer tell them
    from lower ones."""
    low, high = t.min(), t.max()
    m = np.arange(int((high - low) / (2 * step))) + 0.5
    frequency = 2 * np.pi * m / (high - low)
    characteristic = np.exp(1j * np.outer(frequency, t - low)) @ weight

    def below(x):
        waves = np.imag(characteristic * np.exp(-1j * frequency * (x - low)))
        return 0.5 - (waves / m).sum() / np.pi

    return below


# Draws


def draw_posterior(nodes: Nodes, draws: int, seed: int) -> xr.Dataset:
    """Independent draws from the exact posterior, as one chain named as by ``models.fit``."""
    rng = np.random.default_rng(seed)
    problem, data = nodes.problem, nodes.problem.data
    sds, _ = sds_at(problem, _draw_positions(nodes, draws, rng))
    _, mean, covariance = condition(problem, sds)
    z = rng.standard_normal(mean.shape)
    line = mean + np.einsum("kab,kb->ka", np.linalg.cholesky(covariance), z)
    drawn = {name: getattr(sds, name) for name in problem.names}
    drawn["line"] = data.units.back @ (line + data.units.reference).T
    drawn |= draw_effects(problem, sds, line, rng)
    posterior = as_dataset(problem, drawn, {"chain": [0], "draw": np.arange(draws)})
    posterior.attrs = {"sampling": "independent draws from the exact posterior"}
    return posterior


def _draw_positions(nodes: Nodes, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Positions t (draws, d): points in random cells of the lattice, kept or rejected twice.

    Cells are drawn by a power of their density below 1, which has the longer tails a proposal
    needs. First the density in a cell is that of parabolas through its neighbours, which cost
    nothing; what is kept is judged by the density itself, in ratio to the parabolas and to the
    largest such ratio (Caffo, Booth & Davis 2002).
    """
    power, d = 0.7, len(nodes.center)
    rise = np.clip((nodes.after - nodes.before) / 2, -2, 2)
    bend = np.clip(nodes.after + nodes.before - 2 * nodes.log_density[:, None], -2, 2)
    highest = (np.abs(rise) / 2 + np.maximum(bend, 0) / 8).sum(axis=1)
    highest = np.max((1 - power) * nodes.log_density + highest)
    share = special.softmax(power * nodes.log_density)
    positions, ratios, chances = np.empty((0, d)), np.empty(0), np.empty(0)
    for _ in range(ROUNDS):
        cell = rng.choice(len(share), size=20 * draws + 1000, p=share)
        offset = rng.uniform(-0.5, 0.5, size=(len(cell), d))
        parabola = (offset * (rise[cell] + bend[cell] * offset / 2)).sum(axis=1)
        log_chance = (1 - power) * nodes.log_density[cell] + parabola - highest
        kept = np.flatnonzero(np.log(rng.uniform(size=len(cell))) < log_chance)[: draws + 100]
        position = nodes.position[cell[kept]] + offset[kept] @ nodes.axes.T
        ratio = (
            log_density(nodes.problem, position) - nodes.log_density[cell[kept]] - parabola[kept]
        )
        positions, ratios = np.vstack([positions, position]), np.append(ratios, ratio)
        chances = np.append(chances, np.log(rng.uniform(size=len(kept))))
        accepted = chances < ratios - ratios.max()
        if accepted.sum() >= draws:
            return positions[accepted][:draws]
    raise QuadratureFailed("The grid is too coarse to draw from.")
