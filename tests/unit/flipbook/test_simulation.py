"""Data sets are simulated as the models say."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers import flipbook, models
from helpers.families import FAMILIES
from helpers.flipbook import simulation
from helpers.priors import Priors
from small_table import make_outcomes


@pytest.mark.parametrize("name", models.MODELS)
def test_the_simulation_is_that_of_the_model(visits, name):
    """Mean, variance, covariance within and across counties against the closed form."""
    priors = Priors()
    county = visits["county"]
    rows = [*visits.index[county == "Kent"][:2], visits.index[county == "Devon"][0]]
    times = flipbook.simulate(visits, name, priors, draws=8000)[0].to_numpy()[:, rows]
    line = np.column_stack([np.ones(3), visits["std_age"][rows]])
    shared = np.diag([priors.intercept[1] ** 2, priors.slope[1] ** 2])
    sds = [priors.group_sd * (name != "pooled"), priors.slope_sd * (name == "random_slope")]
    together = np.equal.outer([0, 0, 1], [0, 0, 1])
    expected = line @ shared @ line.T + together * (line @ np.diag(np.square(sds)) @ line.T)
    expected += priors.sigma**2 * np.eye(3)
    assert times[:, 0].mean() == pytest.approx(200, abs=2)
    np.testing.assert_allclose(np.cov(times.T), expected, rtol=0.1)


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


def test_covariates_and_a_missing_predictor_are_those_of_the_model(visits):
    frame = visits.assign(w=np.arange(len(visits)) % 3 - 1.0)
    calm = Priors((200, 1e-6), (5, 1e-6), sigma=1e-6, group_sd=1e-6, covariate_slope=(7, 1e-6))
    asked = {"predictor": None, "covariates": ("w",), "draws": 3}
    times = flipbook.simulate(frame, "random_intercept", calm, **asked)[0]
    np.testing.assert_allclose(times, np.tile(200 + 7 * frame["w"], (3, 1)), atol=1e-3)
    own = {name: ("draw", np.ones(3)) for name in ("intercept", "sigma", "group_sd")}
    given = xr.Dataset(own | {"covariate_slope": (("draw", "covariate"), np.full((3, 1), 7.0))})
    assert flipbook.simulate(frame, "random_intercept", given, **asked).sizes["draw"] == 3
    with pytest.raises(ValueError, match="'random_slope' needs a predictor"):
        flipbook.simulate(frame, "random_slope", calm, **asked)


def test_data_sets_made_piece_by_piece_are_those_made_at_once(visits, monkeypatch):
    whole = flipbook.simulate(visits, "random_slope", Priors(), draws=50)
    monkeypatch.setattr(simulation, "CELLS", 7 * (len(visits) + 16))
    pieces = flipbook.simulate(visits, "random_slope", Priors(), draws=50)
    xr.testing.assert_identical(whole, pieces)
    monkeypatch.setattr(simulation, "CELLS", 1)
    xr.testing.assert_identical(
        whole, flipbook.simulate(visits, "random_slope", Priors(), draws=50)
    )


CALM = {"Intercept": (0.7, 1e-6), "x": (0.01, 1e-7), "1|g": 1e-6}
OTHERS = [name for name in FAMILIES if name != "gaussian"]


@pytest.mark.parametrize("family", OTHERS)
def test_outcomes_of_another_family_scatter_around_the_mean_of_the_linear_predictor(family):
    frame, of = make_outcomes(family), FAMILIES[family]
    priors = CALM | ({"alpha": 2.0} if of.auxiliary else {})
    asked = {"family": family, "draws": 4000}
    simulated = flipbook.simulate(frame, "y ~ x + (1 | g)", priors, **asked)[0].to_numpy()
    of.check(pd.Series(simulated.ravel()), "y")
    mean = of.mean(0.7 + 0.01 * frame["x"].to_numpy())
    np.testing.assert_allclose(simulated.mean(), mean.mean(), rtol=0.03)
    if not of.auxiliary:
        variance = mean * (1 - mean) if family == "bernoulli" else mean
        np.testing.assert_allclose(simulated.var(axis=0), variance, rtol=0.15)


@pytest.mark.parametrize("family", OTHERS)
def test_groups_of_another_family_differ_on_the_scale_of_the_link(family):
    frame, of = make_outcomes(family, rows=600), FAMILIES[family]
    priors = {"Intercept": (0.0, 1e-6), "1|g": 0.5} | ({"alpha": 1e4} if of.auxiliary else {})
    found = flipbook.simulate(frame, "y ~ 1 + (1 | g)", priors, family=family).to_numpy()[0]
    means = np.array([found[:, frame["g"] == g].mean(axis=1) for g in "abcdef"])
    there = (means > 0) & (means < of.mean(1e3))
    # A half-normal scale of 0.5: the sd of effects over all draws.
    assert of.to_link(means[there]).std() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("family", ["bernoulli", "poisson"])
def test_one_seed_gives_the_same_outcomes_again_and_another_one_others(family):
    frame = make_outcomes(family)
    ours, again, other = (
        flipbook.simulate(frame, "y ~ x + (1 | g)", CALM, family=family, draws=20, seed=seed)
        for seed in (1, 1, 2)
    )
    xr.testing.assert_identical(ours, again)
    assert not ours.equals(other)


def test_another_family_needs_a_formula(visits):
    for prior in (Priors(), xr.Dataset({"sigma": ("draw", np.ones(3))})):
        with pytest.raises(ValueError, match="The family 'poisson' takes a formula"):
            flipbook.simulate(visits, "pooled", prior, family="poisson")
