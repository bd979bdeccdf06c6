"""Ranks and bands of simulation-based calibration, and whether the stored study is of today's models."""

import copy
import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import calibrate
from helpers import models
from helpers.book import calibration
from helpers.priors import Priors

L = calibrate.DRAWS
AGAIN = "The stored study in data/ is not of this book: {}. Run `make calibrate`."
MOVED = "The stored study in data/ was made with other versions, and its numbers hold: {}."


@pytest.fixture(scope="module")
def study():
    return calibration.load_study()


def test_the_stored_study_is_of_todays_models_and_priors(study):
    """Other versions are worth a warning; other numbers are another book."""
    differences = calibrate.find_differences(study[2])
    assert not differences, AGAIN.format("; ".join(differences))
    if moved := calibrate.find_moved_versions(study[2]):
        warnings.warn(MOVED.format("; ".join(moved)), stacklevel=1)


def test_a_study_of_other_models_or_priors_is_found_out_and_other_versions_are_named(
    study, monkeypatch
):
    fingerprint = study[2]["fingerprint"]
    monkeypatch.setattr(calibrate, "fingerprint", lambda: fingerprint)
    old = copy.deepcopy(study[2])
    old["versions"]["pymc"] = "5.0"
    assert calibrate.find_differences(old) == []
    assert calibrate.find_moved_versions(old)[0].startswith("pymc was 5.0 and is")
    old["fingerprint"]["random_slope, log density"][1] += 0.1
    old["settings"]["priors"]["slope"] = [0.0, 1.0]
    differences = "; ".join(calibrate.find_differences(old))
    for phrase in ("random_slope, log density", "priors was"):
        assert phrase in differences


def test_the_fingerprint_notices_another_prior(monkeypatch):
    monkeypatch.setattr(models, "MODELS", ("pooled",))
    record = {"settings": calibrate.settings(), "fingerprint": calibrate.fingerprint()}
    assert calibrate.find_differences(record) == []
    build, changed = models.build, models.Priors(slope=(0.0, 11.0))
    monkeypatch.setattr(models, "build", lambda *given: build(*given, priors=changed))
    differences = ["the numbers of 'pooled, log density' have changed"]
    assert calibrate.find_differences(record) == differences


@pytest.fixture(scope="module")
def prior_draws():
    rng = np.random.default_rng(3)
    draws = [calibration.draw_from_prior("random_slope", list("abc"), rng) for _ in range(1000)]
    return xr.concat(draws, "draw")


def test_parameters_are_drawn_from_the_books_priors(prior_draws):
    for name, distribution in Priors().distributions().items():
        assert stats.kstest(prior_draws[name], distribution.cdf).pvalue > 0.001, name


def test_independent_effects_have_no_correlation():
    rng = np.random.default_rng(1)
    drawn = calibration.draw_from_prior("random_slope", ["a", "b"], rng, Priors(lkj_eta=None))
    assert "rho" not in drawn


def test_deviations_have_the_sds_and_the_correlation_that_were_drawn(prior_draws):
    first = prior_draws["group_intercept"] / prior_draws["group_sd"]
    second = prior_draws["group_slope"] / prior_draws["slope_sd"]
    rho = prior_draws["rho"]
    rest = (second - rho * first) / np.sqrt(1 - rho**2)
    for z in (first, rest):
        assert stats.kstest(z.values.ravel(), stats.norm.cdf).pvalue > 0.001
    assert abs(np.corrcoef(first.values.ravel(), rest.values.ravel())[0, 1]) < 0.05


def test_an_unknown_model_has_no_prior():
    with pytest.raises(ValueError, match="Unknown model 'nested'"):
        calibration.draw_from_prior("nested", ["a"], np.random.default_rng(1))


def test_every_visit_gets_its_countys_line(visits):
    truth = xr.Dataset(
        {
            "intercept": 200.0,
            "slope": -2.0,
            "sigma": 1e-9,
            "group_intercept": ("county", np.arange(8.0)),
            "group_slope": ("county", np.arange(8.0) / 10),
        },
        coords={"county": list(visits["county"].cat.categories)},
    )
    outcome = calibration.simulate_outcome(truth, visits, np.random.default_rng(1))
    number = visits["county"].cat.codes
    expected = 200.0 + number + (-2.0 + number / 10) * visits["std_age"]
    np.testing.assert_allclose(outcome, expected, atol=1e-6)
    wider = truth.assign(sigma=5.0)
    frame = visits.assign(bounce_time=expected + 3.0)
    assert float(calibration.log_likelihood(wider, frame)) == pytest.approx(
        stats.norm.logpdf(3.0, scale=5.0) * len(visits)
    )


def test_a_rank_counts_the_draws_below_the_truth(visits):
    draws = np.array([[1.0, 2.0, 3.0, 4.0]])
    dims = ("chain", "draw")
    own = np.stack([draws, -draws], axis=-1)
    posterior = xr.Dataset(
        {
            "intercept": (dims, draws),
            "slope": (dims, draws),
            "sigma": (dims, draws),
            "group_intercept": ((*dims, "county"), own),
        },
        coords={"county": ["Devon", "Kent"]},
    )
    truth = xr.Dataset(
        {
            "intercept": 0.5,
            "slope": 2.5,
            "sigma": 9.0,
            "group_sd": 1.0,
            "group_intercept": ("county", [3.5, -3.5]),
        },
        coords={"county": ["Devon", "Kent"]},
    )
    frame = visits[visits["county"].isin(["Devon", "Kent"])]
    ranks = calibration.rank_truth(truth, posterior, frame)
    del ranks["log_likelihood"]
    assert ranks.to_dict() == {
        "intercept": 0,
        "slope": 2,
        "sigma": 4,
        "group_intercept[Devon]": 3,
        "group_intercept[Kent]": 1,
    }


def test_the_ecdf_difference_of_known_ranks():
    np.testing.assert_allclose(
        calibration.ecdf_difference([0, 0, 3, 1], 3), [0.5 - 0.25, 0.75 - 0.5, 0.75 - 0.75]
    )


@pytest.mark.parametrize("number", [60, 1000])
def test_uniform_ranks_stay_within_the_band_as_often_as_they_should(number):
    rng = np.random.default_rng(8)
    lower, upper = calibration.ecdf_band(number, L)
    sets = rng.integers(0, L + 1, size=(1000, number))
    curves = np.array([calibration.ecdf_difference(ranks, L) for ranks in sets])
    inside = ((lower - 1e-12 <= curves) & (curves <= upper + 1e-12)).all(axis=1)
    assert 0.92 < inside.mean() < 0.98
    p_values = [calibration.uniformity_p_value(ranks, L) for ranks in sets[:200]]
    np.testing.assert_array_equal(inside[:200], np.array(p_values) > 0.05)


@pytest.mark.parametrize("shape", [(0.7, 0.7), (1.4, 1.4), (1.3, 1.0)])
def test_ranks_of_a_posterior_too_narrow_too_wide_or_shifted_leave_the_band(shape):
    ranks = np.floor(np.random.default_rng(9).beta(*shape, size=1000) * (L + 1))
    assert calibration.uniformity_p_value(ranks, L) < 0.01


def test_only_the_likelihood_notices_a_posterior_that_has_not_looked(visits):
    """Draws from the prior instead of the posterior: ranks of parameters are uniform all the same."""
    rng = np.random.default_rng(10)
    labels = list(visits["county"].cat.categories)
    found = []
    for _ in range(60):
        truth, *blind = (calibration.draw_from_prior("pooled", labels, rng) for _ in range(20))
        frame = visits.assign(bounce_time=calibration.simulate_outcome(truth, visits, rng))
        blind = xr.concat(blind, "draw").expand_dims("chain")
        found.append(calibration.rank_truth(truth, blind, frame))
    ranks = pd.DataFrame(found)
    assert calibration.uniformity_p_value(ranks["slope"], 19) > 0.01
    assert calibration.uniformity_p_value(ranks["log_likelihood"], 19) < 0.001
