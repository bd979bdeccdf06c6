"""Ranks and bands of simulation-based calibration; the stored study is of today's models."""

import copy
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import calibrate
import calibrate_yes_no
import forget_factor
from helpers import exact, models
from helpers.book import calibration
from helpers.priors import Priors
from record import find_moved_versions, read_versions

L = calibrate.DRAWS
AGAIN = "The stored study in data/ is not of this book: {}. Run `make calibrate`."
MOVED = "The stored study in data/ was made with other versions, and its numbers hold: {}."


def test_the_stored_study_is_of_todays_models_and_priors():
    """Other versions are worth a warning; other numbers are another book."""
    record = calibration.load_study()[2]
    differences = calibrate.find_differences(record)
    assert not differences, AGAIN.format("; ".join(differences))
    if moved := find_moved_versions(record, calibrate.PACKAGES):
        warnings.warn(MOVED.format("; ".join(moved)), stacklevel=1)


FURTHER = {
    calibrate_yes_no: calibration.load_yes_no,
    forget_factor: calibration.load_forgotten_factor,
}


@pytest.mark.parametrize("study", FURTHER, ids=lambda study: study.__name__)
def test_a_further_study_is_of_todays_model_and_another_prior_would_be_seen(study, monkeypatch):
    record = FURTHER[study]()[1]
    differences = study.find_differences(record)
    assert not differences, AGAIN.format("; ".join(differences))
    if moved := find_moved_versions(record, study.PACKAGES):
        warnings.warn(MOVED.format("; ".join(moved)), stacklevel=1)
    other = {"std_age": (0, 0.6)} if study is calibrate_yes_no else {"temperature": (0, 10)}
    fits = {"build": models.build, "fit": models.fit}
    for name, of in fits.items():
        monkeypatch.setattr(
            models, name, lambda *a, priors, of=of, **k: of(*a, priors=priors | other, **k)
        )
    (found,) = study.find_differences(record)
    assert found.startswith("the numbers of")
    record["settings"]["data_sets"] += 1
    assert study.find_differences(record)[0].startswith("data_sets was")


def test_a_study_of_other_models_or_priors_is_found_out_and_other_versions_are_named(monkeypatch):
    monkeypatch.setattr(models, "MODELS", ("pooled",))
    record = {
        "settings": copy.deepcopy(calibrate.settings()),
        "fingerprint": calibrate.fingerprint(),
        "versions": read_versions(calibrate.PACKAGES) | {"pymc": "5.0"},
    }
    assert calibrate.find_differences(record) == []
    (moved,) = find_moved_versions(record, calibrate.PACKAGES)
    assert moved.startswith("pymc was 5.0 and is")
    record["settings"]["priors"]["slope"] = [0.0, 1.0]
    monkeypatch.setattr(models, "build", partial(models.build, priors=Priors(slope=(0.0, 11.0))))
    other_priors, other_numbers = calibrate.find_differences(record)
    assert other_priors.startswith("priors was")
    assert other_numbers == "the numbers of 'pooled, log density' have changed"


def test_parameters_and_deviations_are_drawn_from_the_books_priors():
    rng = np.random.default_rng(3)
    draws = [calibration.draw_from_prior("random_slope", list("abc"), rng) for _ in range(1000)]
    drawn = xr.concat(draws, "draw")
    first = drawn["group_intercept"] / drawn["group_sd"]
    second = drawn["group_slope"] / drawn["slope_sd"]
    rest = (second - drawn["rho"] * first) / np.sqrt(1 - drawn["rho"] ** 2)
    normal = {"first": stats.norm, "rest": stats.norm}
    for name, distribution in (Priors().distributions() | normal).items():
        values = drawn.assign(first=first, rest=rest)[name].values.ravel()
        assert stats.kstest(values, distribution.cdf).pvalue > 0.001, name
    given = drawn["rho"] * first
    assert abs(np.corrcoef(given.values.ravel(), rest.values.ravel())[0, 1]) < 0.05
    independent = calibration.draw_from_prior("random_slope", ["a"], rng, Priors(lkj_eta=None))
    assert "rho" not in independent


def test_every_visit_gets_its_countys_line(visits):
    number = visits["county"].cat.codes
    own = {"group_intercept": np.arange(8.0), "group_slope": np.arange(8.0) / 10}
    truth = xr.Dataset(
        {"intercept": 200.0, "slope": -2.0, "sigma": 1e-9}
        | {name: ("county", values) for name, values in own.items()},
        coords={"county": list(visits["county"].cat.categories)},
    )
    outcome = calibration.simulate_outcome(truth, visits, np.random.default_rng(1))
    expected = 200.0 + number + (-2.0 + number / 10) * visits["std_age"]
    np.testing.assert_allclose(outcome, expected, atol=1e-6)
    frame = visits.assign(bounce_time=expected + 3.0)
    found = float(calibration.log_likelihood(truth.assign(sigma=5.0), frame))
    assert found == pytest.approx(stats.norm.logpdf(3.0, scale=5.0) * len(visits))


def test_without_a_residual_sd_outcomes_are_yes_or_no(visits):
    truth = xr.Dataset(
        {"intercept": -0.5, "slope": 0.8, "group_intercept": ("county", np.linspace(-2, 2, 8))},
        coords={"county": list(visits["county"].cat.categories)},
    )
    line = np.linspace(-2, 2, 8)[visits["county"].cat.codes] - 0.5 + 0.8 * visits["std_age"]
    chance, rng = 1 / (1 + np.exp(-line)), np.random.default_rng(2)
    drawn = np.array([calibration.simulate_outcome(truth, visits, rng) for _ in range(400)])
    z = (drawn.mean(0) - chance) / np.sqrt(chance * (1 - chance) / 400)
    assert set(np.unique(drawn)) == {0, 1}
    assert abs(z).max() < 5 and z.std() == pytest.approx(1, abs=0.1)
    found = float(calibration.log_likelihood(truth, visits.assign(back=drawn[0]), "back"))
    assert found == pytest.approx(stats.bernoulli.logpmf(drawn[0], chance).sum())


def test_weighted_draws_are_those_of_the_wrong_prior():
    """Draws of the right prior are its posterior where there are no data."""
    sds = abs(np.random.default_rng(4).normal(size=(4, 5000)))
    drawn = xr.Dataset({"group_sd": (("chain", "draw"), sds)})
    found = calibrate_yes_no.reweigh(drawn, 1)["group_sd"]
    assert found.dims == ("chain", "draw") and found.shape == (1, 20_000)
    assert float((found**2).mean()) == pytest.approx(0.25, rel=0.05)


def test_a_simulated_wine_has_the_design_of_the_real_one_and_its_own_truth():
    many = [forget_factor.simulate(number) for number in range(300)]
    assert many[0].groupby("bottle")[["temperature", "contact"]].nunique().max().max() == 1
    warmth = [w.groupby("temperature")["bitterness"].mean().diff().iloc[-1] for w in many]
    assert np.mean(warmth) == pytest.approx(20, abs=1)
    # Four bottles of each temperature, 36 marks: the judges cancel.
    assert np.std(warmth) == pytest.approx(np.sqrt(2 * (4**2 / 4 + 12**2 / 36)), rel=0.15)


def test_a_grid_whose_last_nodes_have_no_new_neighbours_is_integrated():
    """The wine on which the lattice once asked for the density of no node at all."""
    for row in forget_factor.cover(174):
        assert row["lower"] < row["mean"] < row["upper"]


def test_exact_draws_carry_the_densities_that_power_scaling_needs(visits):
    """Each parameter's own prior, and the likelihood of all rows; deviations are no top level."""
    priors = Priors(group_sd=7.0)
    tree = exact.exact_posterior("random_intercept", visits, priors=priors, draws=4)
    drawn = tree["posterior"].to_dataset()
    dressed = calibration.add_densities(tree, visits, priors)
    assert set(dressed["log_prior"].data_vars) == {"intercept", "slope", "sigma", "group_sd"}
    expected = stats.halfnorm.logpdf(drawn["group_sd"], scale=7.0)
    np.testing.assert_allclose(dressed["log_prior"]["group_sd"], expected)
    code = visits["county"].cat.codes.to_numpy()
    one = drawn.isel(chain=0, draw=2)
    mean = one["intercept"].item() + one["group_intercept"].values[code]
    mean += one["slope"].item() * visits["std_age"].to_numpy()
    by_row = stats.norm.logpdf(visits["bounce_time"], mean, one["sigma"].item())
    found = dressed["log_likelihood"]["bounce_time"].isel(chain=0, draw=2).item()
    assert found == pytest.approx(by_row.sum())


def test_a_rank_counts_the_draws_below_the_truth(visits):
    draws = xr.DataArray([[1.0, 2.0, 3.0, 4.0]], dims=("chain", "draw"))
    sign = xr.DataArray([1, -1], {"county": ["Devon", "Kent"]})
    names = ("intercept", "slope", "sigma")
    posterior = xr.Dataset(dict.fromkeys(names, draws) | {"group_intercept": draws * sign})
    truth = {"intercept": 0.5, "slope": 2.5, "sigma": 9.0, "group_intercept": 3.5 * sign}
    frame = visits[visits["county"].isin(["Devon", "Kent"])]
    ranks = calibration.rank_truth(xr.Dataset(truth), posterior, frame)
    assert ranks.drop("log_likelihood").to_dict() == {
        "intercept": 0,
        "slope": 2,
        "sigma": 4,
        "group_intercept[Devon]": 3,
        "group_intercept[Kent]": 1,
    }


def test_the_ecdf_difference_of_known_ranks():
    found = calibration.ecdf_difference([0, 0, 3, 1], 3)
    np.testing.assert_allclose(found, [0.5 - 0.25, 0.75 - 0.5, 0.75 - 0.75])


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
    """Draws from the prior, not the posterior: ranks of parameters are uniform all the same."""
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
