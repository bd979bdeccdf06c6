"""The exact posterior in hard cases: by quadrature on the plain scale, and on a finer grid."""

import numpy as np
import pytest
import xarray as xr
from scipy import special, stats

from dense_posterior import largest_difference
from helpers import exact
from helpers.exact import quadrature
from helpers.priors import Priors
from simulated import simulate


class OnThePlainScale:
    """Random intercept by Gauss-Legendre on a rectangle of (sigma, group_sd)."""

    def __init__(self, frame, priors, answer, nodes=160):
        sigma, tau = (answer["exact"][name].values for name in ("sigma", "group_sd"))
        self.ends = {
            "sigma": (max(0.0, sigma[0] - 12 * sigma[1]), sigma[0] + 12 * sigma[1]),
            "group_sd": (0.0, tau[0] + 40 * tau[1]),
        }
        self.u, w = np.polynomial.legendre.leggauss(nodes)
        self.values = {n: (b - a) * (self.u + 1) / 2 + a for n, (a, b) in self.ends.items()}
        s, t = (grid.ravel() for grid in np.meshgrid(*self.values.values(), indexing="ij"))
        statistics = exact.sufficient_statistics(frame)
        log_density = exact.log_marginal_likelihood(statistics, s, t, priors=priors)
        log_density += stats.halfnorm.logpdf(s, scale=priors.sigma)
        log_density += stats.halfnorm.logpdf(t, scale=priors.group_sd)
        area = np.prod([(b - a) / 2 for a, b in self.ends.values()])
        log_density += np.log(np.outer(w, w).ravel() * area)
        self.log_integral = special.logsumexp(log_density)
        joint = special.softmax(log_density).reshape(nodes, nodes)
        self.mass = {"sigma": joint.sum(axis=1), "group_sd": joint.sum(axis=0)}

    def below(self, name, value):
        """P(parameter < value), by integrating the Legendre series of its density."""
        order = np.arange(len(self.u))
        moments = np.polynomial.legendre.legvander(self.u, order[-1]).T @ self.mass[name]
        cdf = np.polynomial.legendre.legint((order + 0.5) * moments, lbnd=-1)
        a, b = self.ends[name]
        return np.polynomial.legendre.legval(2 * (value - a) / (b - a) - 1, cdf)


FIFTY = simulate([50] * 8)
HARD = {
    "three groups": (simulate([20] * 3), Priors()),
    "a group of a single row": (simulate([1, 20, 20, 20, 5, 2]), Priors()),
    "single rows only": (simulate([1] * 30), Priors()),
    "500 groups": (simulate([5] * 500), Priors()),
    "groups that do not differ": (simulate([50] * 8, group_sd=0.0, slope_sd=0.0), Priors()),
    "hardly any residual": (simulate([20] * 8, slope_sd=0.0, sigma=1e-6), Priors()),
    "a prior for sigma far too narrow": (FIFTY, Priors(sigma=0.5)),
    "a prior for group_sd far too narrow": (FIFTY, Priors(group_sd=0.05)),
    "a prior for the line far away": (FIFTY, Priors(intercept=(0.0, 1.0), slope=(50.0, 0.1))),
    "a predictor far from 0": (
        FIFTY.eval("std_age = 40 + 13 * std_age"),
        Priors(intercept=(200.0, 30.0), slope=(0.0, 1.0), slope_sd=0.5),
    ),
}


@pytest.mark.parametrize("case", HARD)
def test_a_hard_random_intercept_agrees_with_quadrature_on_the_plain_scale(case):
    frame, priors = HARD[case]
    answer = exact.exact_posterior("random_intercept", frame, priors=priors)
    other = OnThePlainScale(frame, priors, answer)
    found = answer["exact"]
    assert found.attrs["log_marginal_likelihood"] == pytest.approx(other.log_integral, abs=1e-4)
    for name, values in other.values.items():
        mean, sd, *quantiles = found[name].values
        assert mean == pytest.approx(other.mass[name] @ values, abs=1e-3 * sd)
        assert sd == pytest.approx(np.sqrt(other.mass[name] @ (values - mean) ** 2), rel=1e-3)
        below = other.below(name, np.array(quantiles))
        assert below == pytest.approx(quadrature.PROBABILITIES, abs=4e-4)


HARD_SLOPES = (
    "three groups",
    "a group of a single row",
    "groups that do not differ",
    "hardly any residual",
    "a predictor far from 0",
)


@pytest.mark.parametrize("case", HARD_SLOPES)
def test_a_hard_random_slope_does_not_change_on_a_finer_grid(case, monkeypatch):
    frame, priors = HARD[case]
    answer = exact.exact_posterior("random_slope", frame, priors=priors, draws=10)
    monkeypatch.setattr(quadrature, "STEPS", (0.2, 0.2, 0.3, 0.4))
    monkeypatch.setattr(quadrature, "TOLERANCE", 5e-4)
    finer = exact.exact_posterior("random_slope", frame, priors=priors, draws=10)
    assert finer["exact"].attrs["nodes"] > 1.3 * answer["exact"].attrs["nodes"]
    moments = [tree["exact"].to_dataset().sel(statistic=["mean", "sd"]) for tree in (finer, answer)]
    moments = [xr.DataTree.from_dict({"exact": dataset}) for dataset in moments]
    assert largest_difference(*moments) < 1e-4
    assert largest_difference(finer, answer) < 5e-3  # quantiles of an sd to digits that are printed
