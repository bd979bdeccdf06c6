"""Exact leave-one-out is what taking a row out gives."""

import numpy as np
import pandas as pd
import pytest

from helpers import exact, frames, models
from helpers.exact import loo
from helpers.priors import Priors
from simulated import simulate

UNBALANCED = simulate([1, 1, 3, 13, 20, 15], slope_sd=6, sigma=6, seed=2)
# Without a correlation the grid is small; the visits below have one.
PRIORS = Priors(lkj_eta=None)


def log_evidence(name: str, frame: pd.DataFrame) -> float:
    tree = exact.exact_posterior(name, frame, priors=PRIORS, draws=1)
    return tree["exact"].attrs["log_marginal_likelihood"]


def drop(row: int) -> pd.DataFrame:
    return UNBALANCED.drop(UNBALANCED.index[row])


@pytest.mark.parametrize("name", models.MODELS)
def test_elpd_is_what_the_evidence_loses_without_the_row_or_the_group(name):
    """log p(y) - log p(y without row i) needs no formula of leave-one-out."""
    rows = loo.leave_one_out(name, UNBALANCED, priors=PRIORS)["elpd"]
    whole = log_evidence(name, UNBALANCED)
    for row in (0, 2, int(rows.argmin())):
        assert rows.iloc[row] == pytest.approx(whole - log_evidence(name, drop(row)), abs=1e-5)
    groups = loo.leave_group_out(name, UNBALANCED, priors=PRIORS)
    for label in ("c000", "c002", "c004"):
        without = log_evidence(name, UNBALANCED[UNBALANCED["county"] != label])
        assert groups[label] == pytest.approx(whole - without, abs=0.01)
    # The only row of a group is left out as a row, as a group, and as its first row alike.
    first = loo.predict_new_group(name, UNBALANCED, priors=PRIORS)
    for row, label in ((0, "c000"), (1, "c001")):
        assert [groups[label], first[row]] == pytest.approx([rows[row]] * 2, abs=1e-6)


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


def test_a_table_too_large_at_once_is_predicted_in_parts(monkeypatch):
    asked = ("random_slope", UNBALANCED)
    whole = loo.predict_new_group(*asked, priors=PRIORS)
    monkeypatch.setattr(loo, "CHUNK", 100)
    pd.testing.assert_series_equal(whole, loo.predict_new_group(*asked, priors=PRIORS))


def test_the_first_visit_of_a_county_is_predicted_best_by_a_model_of_its_mean_age(visits):
    """In each county, ahead of the pooled model, which is ahead of the random intercept."""
    split = frames.split_within_between(visits, "age", "county")
    columns = {"predictor": "age_within", "covariates": ("age_county_mean",)}
    priors = Priors(covariate_slope=(0.0, 20.0))
    scores = pd.DataFrame({name: loo.predict_new_group(name, visits) for name in models.MODELS[:2]})
    scores["within_between"] = loo.predict_new_group(
        "random_intercept", split, priors=priors, **columns
    )
    by_county = scores.groupby(visits["county"], observed=True).mean()
    assert (by_county["within_between"] > by_county["pooled"]).all()
    assert (by_county["pooled"] > by_county["random_intercept"]).all()
