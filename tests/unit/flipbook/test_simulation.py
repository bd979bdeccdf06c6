"""Data sets are simulated as the models say."""

import numpy as np
import pytest
import xarray as xr

from helpers import flipbook, models
from helpers.priors import Priors


@pytest.mark.parametrize("name", models.MODELS)
def test_the_simulation_is_that_of_the_model(visits, name):
    """Moments of outcomes against the closed form: mean, variance, covariance within a county."""
    draws = 8000
    priors = Priors()
    times = flipbook.simulate(visits, name, priors, draws=draws)[0].to_numpy()
    kent = visits.index[visits["county"] == "Kent"][:2]
    devon = visits.index[visits["county"] == "Devon"][0]
    x = visits["std_age"].to_numpy()
    group = priors.group_sd**2 * (name != "pooled")
    tilt = priors.slope_sd**2 * (name == "random_slope")

    def covariance(i, j, same_county):
        shared = priors.intercept[1] ** 2 + priors.slope[1] ** 2 * x[i] * x[j]
        return shared + same_county * (group + tilt * x[i] * x[j]) + (i == j) * priors.sigma**2

    i, j = kent
    found = np.cov(times[:, [i, j, devon]].T)
    assert times[:, i].mean() == pytest.approx(200, abs=2)
    for value, expected in (
        (found[0, 0], covariance(i, i, True)),
        (found[0, 1], covariance(i, j, True)),
        (found[0, 2], covariance(i, devon, False)),
    ):
        assert value == pytest.approx(expected, rel=0.1)


def test_intercepts_and_slopes_of_groups_are_correlated_as_rho_says(visits):
    one = {name: ("draw", np.zeros(4000)) for name in ("intercept", "slope", "sigma")}
    sds = {name: ("draw", np.ones(4000)) for name in ("group_sd", "slope_sd")}
    given = xr.Dataset(one | sds | {"rho": ("draw", np.full(4000, 0.6))})
    times = flipbook.simulate(visits, "random_slope", given)[0].to_numpy()
    kent = np.flatnonzero(visits["county"] == "Kent")
    x = visits["std_age"].to_numpy()
    a, b = kent[np.argmin(x[kent])], kent[np.argmax(x[kent])]
    slope = (times[:, b] - times[:, a]) / (x[b] - x[a])
    assert np.corrcoef(slope, times[:, a] - slope * x[a])[0, 1] == pytest.approx(0.6, abs=0.05)


def test_a_model_needs_draws_of_its_parameters(visits):
    given = xr.Dataset({name: ("draw", np.ones(3)) for name in ("intercept", "slope", "sigma")})
    assert flipbook.simulate(visits, "pooled", given).sizes["draw"] == 3
    with pytest.raises(ValueError, match="needs draws of 'group_sd'"):
        flipbook.simulate(visits, "random_intercept", given)
