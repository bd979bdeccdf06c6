"""The two further outcomes are drawn from what their file says, and a fit is marked against it."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import special

from helpers.book import outcomes
from helpers.book.outcomes import load_next_visits, simulate_outcomes, true_line, true_mean
from helpers.book.visits import COUNTIES, data_file, load_bounce_times

MANY = range(40)  # seeds


@pytest.fixture(scope="module")
def next_visits() -> pd.DataFrame:
    return load_next_visits()


def test_the_visits_are_those_of_the_book_in_the_same_order(next_visits):
    columns = ["bounce_time", "age", "county"]
    pd.testing.assert_frame_equal(next_visits[columns], load_bounce_times()[columns])
    assert set(next_visits["returned"]) == {0, 1}
    assert next_visits["pages"].ge(0).all() and next_visits["pages"].dtype == int
    assert next_visits.attrs["labels"]["pages"] == "Further pages opened"


def test_what_is_simulated_is_what_is_loaded_and_another_seed_gives_others(next_visits):
    drawn = simulate_outcomes()
    for name in outcomes.OUTCOMES:
        assert (drawn[name] == next_visits[name]).all()
        assert not drawn[name].equals(simulate_outcomes(7)[name])


def test_the_file_of_the_truth_gives_back_each_visits_line(next_visits):
    """Computed from the file alone."""
    truth = json.loads(data_file("next_truth.json").read_text("utf-8"))
    decades = (next_visits["age"] - truth["reference_age"]) / 10
    for name, heights in (("returned", lambda h: h), ("pages", np.log)):
        of = truth[name]
        height = next_visits["county"].map(of["counties"]).astype(float).map(heights)
        line = height + of["slope_per_decade"] * decades
        found = true_line(name, next_visits["age"], next_visits["county"])
        np.testing.assert_allclose(found, line, atol=1e-5)
        own = heights(pd.Series(of["counties"]))
        assert own.mean() == pytest.approx(of["intercept"], abs=1e-6)
        assert own.std(ddof=0) == pytest.approx(of["group_sd"], abs=1e-6)
        assert np.exp(of["slope_per_decade"]) == pytest.approx(of["ratio_per_decade"], abs=1e-6)
        assert set(of["counties"]) == set(COUNTIES.index)


def test_many_simulations_have_the_means_and_the_scatter_of_the_truth(next_visits):
    """Standardized residuals have mean 0 and sd 1, which a Poisson's, or dependent ones, would not."""
    age, county = next_visits["age"], next_visits["county"]
    returned, pages = [], []
    for seed in MANY:
        drawn = simulate_outcomes(seed)
        chance = true_mean("returned", drawn["age"], drawn["county"])
        mean = true_mean("pages", drawn["age"], drawn["county"])
        returned.append((drawn["returned"] - chance) / np.sqrt(chance * (1 - chance)))
        pages.append((drawn["pages"] - mean) / np.sqrt(mean + mean**2 / outcomes.ALPHA))
    for found in (np.concatenate(returned), np.concatenate(pages)):
        assert abs(found.mean()) < 4 / len(found) ** 0.5
        assert found.std() == pytest.approx(1, abs=0.03)
    both = np.corrcoef(np.concatenate(returned), np.concatenate(pages))[0, 1]
    assert abs(both) < 4 / len(found) ** 0.5
    assert true_mean("returned", age, county).between(0.02, 0.98).all()


def test_truth_is_a_chance_or_a_mean_and_other_outcomes_are_refused():
    kent = pd.Series(["Kent"])
    assert true_mean("returned", 45, kent)[0] == special.expit(outcomes.LOG_ODDS["Kent"])
    assert true_mean("pages", 55, kent)[0] == pytest.approx(2.8 * 0.85)
    with pytest.raises(ValueError, match="no outcome 'bounced'; choose one of returned, pages"):
        true_line("bounced", 45, kent)


def fit_near_the_truth(outcome: str, scale, shift: float = 0.0) -> xr.DataTree:
    """Draws as Bambi names them, which scatter a little around the truth of an outcome."""
    truth = outcomes.true_outcomes()[outcome]
    rng = np.random.default_rng(1)
    draws = xr.DataArray(rng.normal(scale=0.01, size=(2, 200)), dims=("chain", "draw"))
    own = rng.normal(scale=0.01, size=(2, 200, len(COUNTIES)))
    own = xr.DataArray(own, dims=("chain", "draw", "county__factor_dim"))
    slope = truth["slope_per_decade"] * scale.sd / 10
    counties = pd.Series(COUNTIES.index, COUNTIES.index)
    heights = true_line(outcome, scale.mean, counties).rename_axis("county__factor_dim").to_xarray()
    parts = {
        "Intercept": heights.mean() + draws,
        "std_age": slope + draws + shift,
        "1|county": heights - heights.mean() + own,
    }
    if outcome == "pages":
        parts["alpha"] = truth["alpha"] + draws
    return xr.DataTree.from_dict({"posterior": xr.Dataset(parts)})


@pytest.mark.parametrize("outcome", outcomes.OUTCOMES)
def test_the_truth_is_marked_where_the_interval_holds_it(outcome, scale):
    """A height is of a visitor aged 45, so it moves a little with the slope."""
    marks = outcomes.compare_with_truth(fit_near_the_truth(outcome, scale), outcome, scale)
    assert marks["holds truth"].all() and ("alpha" in marks.index) == (outcome == "pages")
    assert len(marks) == 2 + len(COUNTIES) + (outcome == "pages")
    moved = fit_near_the_truth(outcome, scale, shift=0.2)
    assert not outcomes.compare_with_truth(moved, outcome, scale).loc[
        "slope per decade", "holds truth"
    ]


def test_a_page_shows_truth_and_marks(scale):
    tree = fit_near_the_truth("pages", scale)
    shown = outcomes.present_marks(tree, "pages", scale)
    assert [*shown] == ["truth", "mean", "2.5 %", "97.5 %", "holds truth"]
    assert shown.loc["slope per decade", "truth"] == "\N{MINUS SIGN}0.16"
