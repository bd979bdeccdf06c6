"""The exact posterior by other methods; the deep lane has hard cases and samplers."""

import arviz as az
import numpy as np
import pytest
import xarray as xr

from dense_posterior import dense_posterior, largest_difference
from helpers import diagnostics, exact
from helpers.exact import quadrature
from helpers.priors import EFFECTS, MODELS, PARAMETERS_OF, Priors


@pytest.fixture(scope="module")
def answers(visits):
    return {name: exact.exact_posterior(name, visits) for name in MODELS}


@pytest.mark.parametrize(
    ("name", "lkj_eta"),
    [("pooled", 2.0), ("random_intercept", 2.0), ("random_slope", 2.0), ("random_slope", None)],
)
def test_the_answer_agrees_with_importance_sampling_from_the_prior(few, name, lkj_eta):
    priors = Priors(intercept=(200.0, 10.0), slope_sd=3.0, lkj_eta=lkj_eta)
    rng, size = np.random.default_rng(3), 10_000
    sds = dict(zip(("sigma", "group_sd", "slope_sd"), abs(rng.normal(size=(3, size))), strict=True))
    sds = {sd: z * getattr(priors, sd) for sd, z in sds.items() if sd in PARAMETERS_OF[name]}
    if name == "random_slope" and lkj_eta is not None:
        sds["rho"] = 2 * rng.beta(lkj_eta, lkj_eta, size) - 1
    log_density, means, _ = dense_posterior(few, priors, **sds)
    weight = np.exp(log_density)
    answer = exact.exact_posterior(name, few, priors=priors)["exact"].to_dataset()
    error = weight.std() / weight.mean() / np.sqrt(size)
    log_marginal = answer.attrs["log_marginal_likelihood"]
    assert log_marginal == pytest.approx(np.log(weight.mean()), abs=4 * error)
    columns = sds | {"intercept": means[:, 0], "slope": means[:, 1]}
    effects = {"group_intercept": means[:, 2:6], "group_slope": means[:, 6:]}
    columns |= {effect: effects[effect] for effect in EFFECTS if effect in PARAMETERS_OF[name]}
    assert set(columns) == set(answer.data_vars)
    for parameter, values in columns.items():
        found = np.average(values, weights=weight, axis=0)
        error = np.sqrt(np.sum((weight * (values - found).T).T ** 2, axis=0)) / weight.sum()
        assert (abs(found - answer[parameter].sel(statistic="mean").values) < 4 * error).all()


@pytest.mark.parametrize("name", MODELS)
def test_the_draws_agree_with_the_exact_values(visits, name):
    tree = exact.exact_posterior(name, visits, draws=20_000)
    assert diagnostics.compare_with_exact(tree, tree)["difference"].abs().max() < 4
    assert min(az.ess(tree["posterior"].to_dataset())["sigma"].values.flat) > 15_000


def test_the_same_seed_gives_the_same_draws_and_another_does_not(visits):
    first, second, other = (
        exact.exact_posterior("pooled", visits, draws=50, seed=seed)["posterior"].to_dataset()
        for seed in (1, 1, 2)
    )
    xr.testing.assert_identical(first, second)
    assert not (first == other).to_array().any()


# What must not matter, and what must


@pytest.mark.parametrize("name", MODELS)
def test_a_constant_of_a_billion_moves_the_intercept_only(visits, answers, name):
    far = visits.assign(bounce_time=visits["bounce_time"] + 1e9)
    shifted = exact.exact_posterior(name, far, priors=Priors(intercept=(1e9 + 200.0, 25.0)))
    shifted["exact"]["intercept"] -= np.where(shifted["exact"]["statistic"] == "sd", 0.0, 1e9)
    assert largest_difference(answers[name], shifted) < 1e-4
    near, far = (t["exact"].attrs["log_marginal_likelihood"] for t in (answers[name], shifted))
    assert near == pytest.approx(far, abs=1e-5)


def test_other_units_change_nothing_but_the_units(visits, answers):
    """Milliseconds, and a predictor in hundredths."""
    frame = visits.eval("bounce_time = 1000 * bounce_time\nstd_age = 100 * std_age")
    priors = Priors((2e5, 2.5e4), (0.0, 100.0), 2e4, 2e4, 50.0)
    other = exact.exact_posterior("random_slope", frame, priors=priors)
    for name in other["exact"].data_vars:
        per = {"rho": 1, "slope": 10, "slope_sd": 10, "group_slope": 10}.get(name, 1000)
        other["exact"][name] = other["exact"][name] / per
    assert largest_difference(answers["random_slope"], other) < 1e-4


def test_statistics_and_shuffled_rows_give_the_same_answer(visits, answers):
    table = exact.sufficient_statistics(visits.sample(frac=1, random_state=1))
    answer = exact.exact_posterior("random_slope", table)
    assert largest_difference(answers["random_slope"], answer) < 1e-4


def test_without_a_correlation_the_answer_is_the_limit_of_a_strong_lkj_prior(few):
    none = exact.exact_posterior("random_slope", few, priors=Priors(lkj_eta=None))
    strong = exact.exact_posterior("random_slope", few, priors=Priors(lkj_eta=1e5))
    assert "rho" not in none["posterior"] and "rho" not in none["exact"]
    strong["exact"] = strong["exact"].to_dataset().drop_vars("rho")
    assert largest_difference(none, strong) < 5e-3


# Refusals


@pytest.mark.parametrize("name", MODELS)
def test_rows_without_scatter_are_refused_and_rounding_error_is_none(few, name):
    frame = few.assign(bounce_time=200 - 2 * few["std_age"])
    with pytest.raises(exact.QuadratureFailed, match="without any scatter"):
        exact.exact_posterior(name, frame)


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [("ROUNDS", 1, "too rugged"), ("NODE_LIMIT", 1000, "more than 1,000 nodes")],
)
def test_a_grid_that_may_not_become_fine_enough_is_refused(
    visits, monkeypatch, limit, value, message
):
    monkeypatch.setattr(quadrature, limit, value)
    with pytest.raises(exact.QuadratureFailed, match=message):
        exact.exact_posterior("random_slope", visits)
