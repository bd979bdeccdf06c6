"""Closed forms given the sds are those of dense matrices."""

import numpy as np
import pytest

from dense_posterior import dense_posterior
from helpers import exact
from helpers.exact import gaussian
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
    data = gaussian.reduce_groups(exact.sufficient_statistics(few), Priors(), own_slopes=True)
    rest = np.sqrt([1 - given["rho"] ** 2])
    sds = gaussian.Sds.at(*(np.array([v]) for v in given.values()), rest, data)
    _, line, spread = gaussian.condition(gaussian.sum_groups(sds, data), data)
    back = data.units.back
    assert back @ (line[0] + data.units.reference) == pytest.approx(mean[:2])
    assert back @ spread[0] @ back.T == pytest.approx(covariance[:2, :2])
    groups = np.arange(4)
    deviation, own, gain = gaussian.deviations(sds, data, line, groups)
    both = gaussian.add_line(own[::2], gain, data.rows, spread)
    for j in groups:
        assert deviation[:, 0, j] == pytest.approx(mean[[2 + j, 6 + j]])
        assert both[:, 0, j] == pytest.approx(np.diag(covariance)[[2 + j, 6 + j]])
