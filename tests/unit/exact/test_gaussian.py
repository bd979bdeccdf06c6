"""Closed forms given the sds are those of dense matrices."""

import numpy as np
import pytest

from dense import dense_posterior
from helpers import exact
from helpers.exact import gaussian, quadrature
from helpers.priors import MODELS, Priors

SDS = {
    "pooled": {"sigma": 7.0},
    "random_intercept": {"sigma": 7.0, "group_sd": 11.0},
    "random_slope": {"sigma": 7.0, "group_sd": 11.0, "slope_sd": 3.0, "rho": -0.6},
}


@pytest.mark.parametrize("name", MODELS)
def test_the_likelihood_given_the_sds_is_the_multivariate_normal_density(few, name):
    priors = Priors(intercept=(190.0, 12.0), slope=(1.0, 4.0))
    found = exact.log_marginal_likelihood(
        exact.sufficient_statistics(few), **SDS[name], priors=priors
    )
    assert found == pytest.approx(dense_posterior(few, priors, **SDS[name])[0], abs=1e-9)


def test_lines_and_deviations_given_the_sds_are_those_of_dense_matrices(few):
    given = SDS["random_slope"]
    _, (mean,), (covariance,) = dense_posterior(few, Priors(), **given)
    problem = quadrature.build_problem("random_slope", exact.sufficient_statistics(few), Priors())
    sds = gaussian.Sds(*(np.array([v]) for v in given.values()), np.sqrt([1 - given["rho"] ** 2]))
    _, line, line_covariance = gaussian.condition(sds, problem.data)
    assert line[:, 0] + problem.data.reference == pytest.approx(mean[:2])
    assert line_covariance[..., 0] == pytest.approx(covariance[:2, :2])
    for j in range(4):
        own = [2 + j, 6 + j]
        c, S, C = (array[..., 0] for array in gaussian.deviations(sds, problem.data, j))
        assert c - S @ line[:, 0] == pytest.approx(mean[own])
        spread = C + S @ line_covariance[..., 0] @ S.T
        assert spread == pytest.approx(covariance[np.ix_(own, own)])
        assert -S @ line_covariance[..., 0] == pytest.approx(covariance[np.ix_(own, [0, 1])])
