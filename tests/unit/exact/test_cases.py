"""Small tables that went wrong once, simulated, with right values found in two other ways: as
differences of log marginal likelihoods, or of the standardized table, and by importance sampling."""

import numpy as np
import pandas as pd
import pytest

from chapters import ROOT
from helpers import diagnostics, exact, models
from helpers.exact import loo
from helpers.priors import Priors

FIRMS = {"outcome": "y", "predictor": "x", "group": "g"}


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / "tests" / "cases" / f"{name}.csv")


def log_evidence(frame: pd.DataFrame, name: str, **settings) -> float:
    tree = exact.exact_posterior(name, frame, draws=1, **settings)
    return tree["exact"].attrs["log_marginal_likelihood"]


OUTLYING = {"priors": Priors((250.0, 100.0), (0.0, 30.0), 60.0, 60.0), **FIRMS}


@pytest.fixture
def typo():
    frame = read("outlying_group")
    frame.loc[2, "y"] += 150
    return frame


def test_a_group_or_a_row_that_surprises_is_left_out_exactly(typo):
    as_stored = loo.leave_group_out("random_intercept", read("outlying_group"), **OUTLYING)
    assert as_stored["g00"] == pytest.approx(-44.70, abs=0.01)
    groups = loo.leave_group_out("random_intercept", typo, **OUTLYING)
    assert groups["g00"] == pytest.approx(-67.63, abs=0.01)
    rows = loo.leave_one_out("random_intercept", typo, **OUTLYING)
    assert rows.loc[2, "elpd"] == pytest.approx(-39.89, abs=0.01)
    assert rows.loc[2, "pit"] > 0.999


@pytest.mark.parametrize("row", [2, 3, 40])
def test_every_log_density_is_a_difference_of_evidence_within_its_bound(typo, row):
    whole = log_evidence(typo, "random_intercept", **OUTLYING)
    rows = loo.leave_one_out("random_intercept", typo, **OUTLYING)["elpd"]
    without = log_evidence(typo.drop(row), "random_intercept", **OUTLYING)
    assert rows[row] == pytest.approx(whole - without, abs=2 * loo.BOUND)
    first = loo.predict_new_group("random_intercept", typo, **OUTLYING)
    others = typo[typo["g"] != typo.loc[row, "g"]]
    one = pd.concat([others, typo.loc[[row]]])
    gain = log_evidence(one, "random_intercept", **OUTLYING)
    gain -= log_evidence(others, "random_intercept", **OUTLYING)
    assert first[row] == pytest.approx(gain, abs=2 * loo.BOUND)


def test_the_grid_of_all_rows_alone_would_be_wrong_and_says_so(typo, monkeypatch):
    monkeypatch.setattr(loo, "BOUND", np.inf)
    rows = loo.leave_one_out("random_intercept", typo, **OUTLYING)["elpd"]
    assert rows[2] > -39.89 + 1


@pytest.mark.parametrize("name", ["random_intercept", "random_slope"])
def test_leaving_out_the_only_row_of_a_group_is_leaving_out_the_group(name):
    frame = read("one_row_a_site")
    asked = {"priors": Priors((0.0, 5.0), (0.0, 5.0), 3.0, 3.0), "outcome": "y", "predictor": "x"}
    rows = loo.leave_one_out(name, frame, group="site", **asked)["elpd"]
    groups = loo.leave_group_out(name, frame, group="site", **asked)
    assert rows.to_numpy() == pytest.approx(groups[frame["site"]].to_numpy(), abs=1e-9)


RAW = {"priors": Priors((50.0, 600.0), (0.0, 3.0), 40.0, 40.0, 3.0), **FIRMS}


@pytest.mark.parametrize(("number", "slope"), [(71, -0.1692), (77, 0.0558)])
def test_slopes_in_a_predictor_far_from_0_are_found(number, slope):
    """The deep lane asks for other draws."""
    frame, asked = read(f"uncentred_{number}"), RAW
    found = exact.exact_posterior("random_slope", frame, draws=10, **asked)["exact"]["slope"].values
    assert found[0] == pytest.approx(slope, abs=1e-3)


def test_growth_curves_by_nuts_at_its_defaults_agree_with_the_exact_answer():
    priors = Priors((150.0, 25.0), (0.0, 20.0), 20.0, 20.0, 15.0)
    asked = {"outcome": "height", "predictor": "age", "group": "boy", "priors": priors}
    fit = models.fit("random_slope", read("growth"), **asked)
    answer = exact.exact_posterior("random_slope", read("growth"), **asked)
    assert "passed" in diagnostics.require_converged(fit, answer)


def test_a_table_in_which_older_visitors_stay_longer_says_so():
    frame = read("eight_counties_rising")
    frame["decades"] = (frame["age"] - 45) / 10
    answer = exact.exact_posterior("random_intercept", frame, predictor="decades")
    assert float(answer["exact"]["slope"].sel(statistic="mean")) == pytest.approx(1.7, abs=0.1)
    assert float((answer["posterior"]["slope"] < 0).mean()) < 0.001
