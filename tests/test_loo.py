"""Exact leave-one-out is what taking a row out gives, and PSIS agrees with it."""

import arviz as az
import numpy as np
import pandas as pd
import pytest

from helpers import data, exact, fits, loo, models
from test_agreement import simulate

UNBALANCED = simulate([1, 1, 2, 3, 13, 34, 9], seed=2)


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    return data.standardize(data.load_bounce_times(), "age")


def log_evidence(name: str, frame: pd.DataFrame) -> float:
    tree = exact.exact_posterior(name, frame, draws=1)
    return tree["exact"].attrs["log_marginal_likelihood"]


@pytest.mark.parametrize("name", models.MODELS)
def test_elpd_is_what_the_evidence_loses_without_the_row(name):
    """log p(y) - log p(y without row i) needs no formula of leave-one-out; groups of one row too."""
    table = loo.leave_one_out(name, UNBALANCED)
    whole = log_evidence(name, UNBALANCED)
    for row in (0, 1, 2, 5, 30, int(table["elpd"].argmin())):
        without = log_evidence(name, UNBALANCED.drop(UNBALANCED.index[row]))
        assert table["elpd"].iloc[row] == pytest.approx(whole - without, abs=1e-5)


@pytest.mark.parametrize("name", models.MODELS)
def test_mean_sd_and_pit_are_those_of_a_fit_without_the_row(name, visits):
    row = visits.index[visits["county"] == "Rutland"][0]
    found = loo.leave_one_out(name, visits).loc[row]
    tree = exact.exact_posterior(name, visits.drop(row), draws=20_000)
    county, age = visits.loc[row, ["county", "std_age"]]
    line = models.expected_outcome(tree, np.array([age])).squeeze()
    line = line.sel(county=county) if "county" in line.dims else line
    sigma = tree["posterior"]["sigma"].squeeze()
    seen = line + sigma * np.random.default_rng(1).normal(size=line.shape)
    error = found["sd"] / np.sqrt(seen.size)
    assert found["mean"] == pytest.approx(float(seen.mean()), abs=4 * error)
    assert found["sd"] == pytest.approx(float(seen.std()), abs=4 * error)
    below = float((seen <= visits.loc[row, "bounce_time"]).mean())
    assert found["pit"] == pytest.approx(below, abs=4 * np.sqrt(0.25 / seen.size))


@pytest.mark.parametrize("name", models.MODELS)
def test_psis_agrees_with_the_exact_answer(name, visits):
    """PSIS may differ by its Monte Carlo error: that of independent draws, inflated by the weights."""
    extend = ("posterior_predictive", "log_likelihood", "log_prior")
    tree = fits.fit_once(name, visits, draws=2000, extend=extend)
    estimate = az.loo(tree, pointwise=True)
    answer = loo.leave_one_out(name, visits)
    difference = estimate.elpd_i.values - answer["elpd"].to_numpy()
    assert estimate.elpd == pytest.approx(answer["elpd"].sum(), abs=0.3)
    assert np.abs(difference).max() < 0.1


def test_the_model_of_another_data_set_is_seen(visits):
    """The comparison can fail: exchanged labels of two counties move rows by far more."""
    swap = {"Cornwall": "Rutland", "Rutland": "Cornwall"}
    other = visits.assign(county=visits["county"].replace(swap))
    first, second = (loo.leave_one_out("random_intercept", f) for f in (visits, other))
    moved = (first["elpd"] - second["elpd"])[visits["county"] == "Rutland"].abs()
    assert moved.max() > 0.1


def test_an_unknown_model_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match="Unknown model 'mixed'"):
        loo.leave_one_out("mixed", UNBALANCED)
