"""A model with its data, and the scales on which its sds become smooth and unbounded.

What is integrated numerically are the sds and rho only. A chart says which coordinates stand for them:
``t`` (K, d), one a name. All formulas are derived in the appendix "The exact answer".

The grid, the quantiles and the draws ask a model for ``sds_at``, ``condition``, ``deviations``,
``draw_effects`` and ``as_dataset`` only; ``crossed`` registers its own for two grouping factors.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import singledispatch
from itertools import product

import numpy as np
import pandas as pd
import xarray as xr
from scipy import special, stats

from helpers.exact import gaussian
from helpers.exact.gaussian import Reduced, Sds
from helpers.priors import EFFECTS, MODELS, PARAMETERS, PARAMETERS_OF, SDS, Priors, check_choice


class QuadratureFailed(RuntimeError):
    """The grid did not reach its accuracy within its limits, so there is no answer."""


@dataclass(frozen=True)
class Problem:
    """A model with its data. The grid spans the sds and rho in ``names``; ``effects`` are the
    group-level effects of the model; ``unit`` is a small value of each sd, ``reach`` a large one.

    In the ``chart`` "far", for a predictor with values far from 0, the grid spans the angle between
    ``group_sd`` and ``slope_sd`` instead; in the chart "steady" a Cholesky factor.
    """

    names: tuple[str, ...]
    effects: tuple[str, ...]
    unit: dict[str, float]
    reach: dict[str, float]
    data: Reduced
    priors: Priors
    chart: str


def build_problem(name: str, statistics: pd.DataFrame, priors: Priors) -> Problem:
    """Put a model and its data together.

    Raises ``ValueError`` for an unknown model, ``QuadratureFailed`` for rows without any scatter.
    """
    check_choice("model", name, MODELS)
    own_slopes = name == "random_slope"
    data = gaussian.reduce_groups(statistics, priors, own_slopes)
    _refuse_noiseless(name, statistics, data)
    far = abs(data.units.center[1]) if own_slopes else 0.0
    far = far if own_slopes and far > data.units.scale[1] else 0.0
    without = ("rho",) if priors.lkj_eta is None else ()
    names = tuple(sd for sd in SDS if sd in PARAMETERS_OF[name] and sd not in without)
    effects = tuple(effect for effect in EFFECTS if effect in PARAMETERS_OF[name])
    problem = Problem(
        names,
        effects,
        *_sizes(statistics, data, priors, far),
        data,
        priors,
        "far" if far else "plain",
    )
    # Once more from a line near the posterior, so that all sums are small.
    sums = gaussian.sum_groups(sds_at(problem, first_look(problem)[None])[0], data)
    line = gaussian.condition(sums, data)[1][0] + data.units.reference
    data = gaussian.reduce_groups(statistics, priors, own_slopes, line)
    _refuse_noiseless(name, statistics, data)
    return replace(problem, data=data)


def _sizes(statistics, data: Reduced, priors: Priors, far: float) -> tuple[dict, dict]:
    """The smallest values of the sds that the data can tell from 0, and large ones of the priors."""
    n, _, spread = data.keys.max(axis=0)
    left, spare = statistics["residual_ss"].sum(), (statistics["n"] - 2).clip(lower=0).sum()
    sigma = np.sqrt(left / spare) if spare else 0.0
    sigma = sigma or np.sqrt(np.mean(data.rows[..., -1] ** 2)) or priors.sigma
    level = np.hypot(priors.group_sd, far * priors.slope_sd)
    reach = {"sigma": priors.sigma, "group_sd": level, "slope_sd": priors.slope_sd}
    of_slope = sigma / data.units.scale[1] / np.sqrt(spread) if spread else np.inf
    smallest = {"group_sd": sigma / np.sqrt(n), "slope_sd": of_slope}
    unit = {sd: min(reach[sd], smallest[sd]) for sd in smallest} | {"sigma": sigma}
    return unit, reach


def _refuse_noiseless(name: str, statistics: pd.DataFrame, data: Reduced) -> None:
    """Raise where only rounding error scatters around the model's lines: sigma has no lower limit."""
    P, rest = len(data.prior_mean), data.rest.sum(axis=0)
    spare = statistics["n"].sum() - P
    if name == "pooled":
        rest = rest + data.terms.sum(axis=(0, 1))
    else:
        spare -= len(data.keys) + (data.keys[:, 2] > 0).sum() - 1
    square = np.zeros((P + 1, P + 1))
    square[np.triu_indices(P + 1)] = rest
    square += np.triu(square, 1).T
    left = square[P, P] - square[P, :P] @ np.linalg.lstsq(square[:P, :P], square[:P, P])[0]
    mean = statistics["outcome_mean"] - statistics["outcome_mean"].iloc[0]
    total = (statistics["outcome_ss"] + statistics["n"] * mean**2).sum()
    if spare > 0 and left <= (1e-24 if P < 3 else 1e-14) * total:
        raise QuadratureFailed(
            "The outcome lies on straight lines without any scatter, so sigma has no lower limit."
        )


def sd_from(t: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """sd = unit exp(t - exp(-t)) and log d sd / dt: tails fall off double-exponentially.

    Source: Takahasi & Mori (1974). Below t = -6 (an sd of 1e-178 units) it goes on as exp(t).
    """
    shrink = np.exp(np.minimum(-t, 6.0))
    log_sd = np.log(unit) + t - shrink
    return np.exp(log_sd), log_sd + np.log1p(shrink)


def to_t(problem: Problem, name: str, value: np.ndarray) -> np.ndarray:
    """The t (K,) of values (K,) of an sd or of rho."""
    if name == "rho":
        return np.arcsinh(np.arctanh(np.clip(value, -1 + 1e-16, 1 - 1e-16)))
    log_sd = np.log(np.maximum(value / problem.unit[name], 1e-250))
    return log_sd + special.lambertw(np.exp(-log_sd)).real


def from_t(problem: Problem, name: str, t: np.ndarray) -> np.ndarray:
    """The reverse of ``to_t``."""
    return _rho_from(t)[0] if name == "rho" else sd_from(t, problem.unit[name])[0]


def _rho_from(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """rho = tanh(sinh t), log sqrt(1 - rho^2) and log d rho / dt; the source is the same."""
    z = np.sinh(t)
    log_rest = np.log(2) - np.abs(z) - np.log1p(np.exp(-2 * np.abs(z)))
    return np.tanh(z), log_rest, 2 * log_rest + np.log(np.cosh(t))


def _angle_from(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """log cos and log sin of an angle between 0 and a right one with log tan = 2 sinh t, and the log
    of d angle / dt."""
    log_tan = 2 * np.sinh(t)
    log_cos, log_sin = -np.logaddexp(0, 2 * log_tan) / 2, -np.logaddexp(0, -2 * log_tan) / 2
    return log_cos, log_sin, log_cos + log_sin + np.log(2 * np.cosh(t))


@singledispatch
def sds_at(problem: Problem, t: np.ndarray) -> tuple[Sds, np.ndarray]:
    """Sds and rho at positions t (K, d), and the log density of their prior on the scale of t."""
    chart = {"steady": _from_cholesky, "far": _from_angle}.get(problem.chart, _from_sds)
    given, log_rest, log_prior = chart(problem, dict(zip(problem.names, t.T, strict=True)))
    for name in problem.names:
        if name == "rho":
            eta = problem.priors.lkj_eta
            log_prior = log_prior + 2 * (eta - 1) * log_rest
            log_prior -= (2 * eta - 1) * np.log(2) + special.betaln(eta, eta)
        else:
            scale = getattr(problem.priors, name)
            log_prior = log_prior + stats.halfnorm.logpdf(given[name], scale=scale)
    return Sds.at(**given, rest=np.exp(log_rest), data=problem.data), log_prior


def _from_sds(problem: Problem, t: dict[str, np.ndarray]) -> tuple:
    """Sds and rho, log sqrt(1 - rho^2) and the log change of volume, from the t of each."""
    zero = np.zeros(len(t["sigma"]))
    given = {"group_sd": zero, "slope_sd": zero, "rho": zero}
    log_rest = log_change = zero
    for name, column in t.items():
        if name == "rho":
            given[name], log_rest, log_jacobian = _rho_from(column)
        else:
            given[name], log_jacobian = sd_from(column, problem.unit[name])
        log_change = log_change + log_jacobian
    return given, log_rest, log_change


def _from_angle(problem: Problem, t: dict[str, np.ndarray]) -> tuple:
    """The same where ``group_sd`` stands for the root of the sum of squares of ``group_sd`` and
    ``far * slope_sd``, and ``slope_sd`` for the angle between them."""
    log_cos, log_sin, log_jacobian = _angle_from(t["slope_sd"])
    given, log_rest, log_change = _from_sds(problem, {k: t[k] for k in t if k != "slope_sd"})
    root, far = given["group_sd"], abs(problem.data.units.center[1])
    given |= {"group_sd": root * np.exp(log_cos), "slope_sd": root * np.exp(log_sin) / far}
    return given, log_rest, log_change + log_jacobian + np.log(root / far)


def _from_cholesky(problem: Problem, t: dict[str, np.ndarray]) -> tuple:
    """The same from a Cholesky factor of the deviations' covariance where the predictor has its
    mean, its second row being ``rho`` times the unit, and ``slope_sd``."""
    shift, per = problem.data.units.back[:2, 1]
    sigma, jacobian = sd_from(t["sigma"], problem.unit["sigma"])
    level, of_level = sd_from(t["group_sd"], problem.unit["group_sd"])
    left, of_left = sd_from(t["slope_sd"], problem.unit["slope_sd"] / per)
    along = t["rho"] * problem.unit["slope_sd"] / per
    slope_sd = per * np.hypot(along, left)
    group_sd = np.hypot(level + shift * along, shift * left)
    both = per * ((level + shift * along) * along + shift * left**2)
    log_rest = np.log(per * level * left) - np.log(group_sd * slope_sd)
    given = {"sigma": sigma, "group_sd": group_sd, "slope_sd": slope_sd}
    given["rho"] = both / (group_sd * slope_sd)
    log_change = jacobian + of_level + of_left + np.log(problem.unit["slope_sd"] / per)
    log_change += np.log(per**3 * level**2 * left) - 2 * np.log(group_sd * slope_sd)
    return given, log_rest, log_change


def log_density(problem: Problem, t: np.ndarray) -> np.ndarray:
    """Log of prior times likelihood at positions t (K, d), on the scale of t."""
    sds, log_prior = sds_at(problem, t)
    return log_prior + condition(problem, sds)[0]


@singledispatch
def condition(problem: Problem, sds: Sds) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``gaussian.condition`` of the model, given the sds."""
    return gaussian.condition(gaussian.sum_groups(sds, problem.data), problem.data)


@singledispatch
def deviations(problem: Problem, sds: Sds, line: np.ndarray, covariance: np.ndarray) -> Callable:
    """A function that gives means and variances (D, K, M) of the effects of some groups (M,), given
    the sds and ``condition``'s mean and covariance of the coefficients."""

    def of_groups(some):
        mean, variance, gain = gaussian.deviations(sds, problem.data, line, some)
        rows = problem.data.rows[some]
        return mean, gaussian.add_line(variance[::2], gain, rows, covariance)

    return of_groups


def first_look(problem: Problem) -> np.ndarray:
    """The best t (d,) of a first look, up to four prior scales."""
    axes = []
    for name in problem.names:
        if has_ends(problem, name):
            axes.append(np.linspace(-1, 1, 3))
        else:
            reach = np.log(4 * problem.reach[name] / problem.unit[name])
            axes.append(np.linspace(-1, max(reach, 1), 6))
    scan = np.array(list(product(*axes)))
    return scan[np.argmax(log_density(problem, scan))]


def has_ends(problem: Problem, name: str) -> bool:
    """Whether an axis is that of rho or of an angle, not of an sd."""
    return name == "rho" or (name == "slope_sd" and problem.chart == "far")


# Draws and names


@singledispatch
def draw_effects(
    problem: Problem, sds: Sds, line: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draws (J, K) of each group-level effect, one for each of the sds and coefficients (K, P)."""
    data, draws = problem.data, len(line)
    drawn = {name: np.empty((len(data.keys), draws)) for name in problem.effects}
    for some in gaussian.parts(np.arange(len(data.keys) * bool(problem.effects)), draws):
        mean, (level, *rest), _ = gaussian.deviations(sds, data, line, some)
        first = np.sqrt(level)
        z = rng.standard_normal(mean.shape)
        drawn[problem.effects[0]][some] = (mean[0] + first * z[0]).T
        if rest:
            second = gaussian.divide(rest[0], first)
            left = np.sqrt(np.maximum(rest[1] - second**2, 0.0))
            drawn[problem.effects[1]][some] = (mean[1] + second * z[0] + left * z[1]).T
    return drawn


@singledispatch
def as_dataset(problem: Problem, arrays: dict[str, np.ndarray], coords: dict) -> xr.Dataset:
    """Name and order arrays as ``models.fit`` does; they have parameters by ``coords``, or by groups
    or coefficients and ``coords``."""
    dims, data = tuple(coords), problem.data
    shape = tuple(map(len, coords.values()))
    names, labels = list(data.columns), data.labels
    found = {key: (dims, arrays[key].reshape(shape)) for key in problem.names}
    for name in ("intercept", "slope"):
        if name in names:
            found[name] = (dims, arrays["line"][names.index(name)].reshape(shape))
    covariates = [name for name in names if name not in ("intercept", "slope")]
    if covariates:
        values = arrays["line"][-len(covariates) :].reshape(-1, *shape)
        found["covariate_slope"] = ((*dims, "covariate"), np.moveaxis(values, 0, -1))
        coords = coords | {"covariate": covariates}
    for name in problem.effects:
        values = np.moveaxis(arrays[name].reshape(len(labels), *shape), 0, -1)
        found[name] = ((*dims, labels.name), values)
        coords = coords | {labels.name: list(labels)}
    ordered = [name for name in (*PARAMETERS, *problem.names) if name in found]
    return xr.Dataset({name: found[name] for name in ordered}, coords=coords)
