import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers import frames, tables

DIMS = ("chain", "draw")
SCALE = frames.Scale(mean=40, sd=20)


@pytest.fixture
def fit():
    """Effects whose means are all different, declared in the order that misleads ``az.summary``."""
    rng = np.random.default_rng(1)
    effects = np.array([10.0, 20.0, 30.0]) + rng.normal(size=(4, 500, 3))
    both = np.arange(6.0).reshape(3, 2) * 100 + rng.normal(size=(4, 500, 3, 2))
    posterior = xr.Dataset(
        {
            "slope": (DIMS, -2 + rng.normal(size=(4, 500))),
            "effect": ((*DIMS, "term"), effects[..., :2]),
            "group_intercept": ((*DIMS, "county"), effects),
            "crossed": ((*DIMS, "county", "term"), both),
        },
        {"county": ["Devon", "Essex", "Kent"], "term": ["a", "b"]},
    )
    return xr.DataTree.from_dict({"posterior": posterior})


def test_every_number_stands_beside_its_own_label(fit):
    """The interval is the equal-tailed one of 95 %."""
    table = tables.summarize(fit)
    posterior = fit["posterior"]
    for county in posterior["county"].values:
        draws = posterior["group_intercept"].sel(county=county)
        row = table.loc[f"group_intercept[{county}]"]
        assert row["mean"] == pytest.approx(float(draws.mean()))
        limits = draws.quantile([0.025, 0.975]).values
        assert row[[tables.LOWER, tables.UPPER]].tolist() == pytest.approx(limits, abs=0.02)
        for term in posterior["term"].values:
            mean = float(posterior["crossed"].sel(county=county, term=term).mean())
            assert table.loc[f"crossed[{county}, {term}]", "mean"] == pytest.approx(mean)


def test_a_summary_keeps_the_order_asked_for(fit):
    assert list(tables.summarize(fit, ["group_intercept", "slope"]).index)[-1] == "slope"
    assert list(tables.summarize(fit, "slope").index) == ["slope"]


def test_a_slope_per_decade_is_ten_years_of_it_and_is_presented_with_the_same_entries(fit):
    numbers = tables.summarize_slope(fit, SCALE, per=10)
    draws = fit["posterior"]["slope"]
    assert numbers["mean"] == pytest.approx(float(draws.mean()) / 2)
    assert numbers["P(slope < 0)"] == pytest.approx(float((draws < 0).mean()))
    assert numbers[tables.LOWER] < numbers["mean"] < numbers[tables.UPPER]
    shown = tables.present_slope(fit, SCALE, per=10)
    assert list(shown.index) == list(numbers.index)
    assert shown[:4].astype(float).tolist() == pytest.approx(numbers[:4].tolist(), abs=0.06)


def test_a_table_prints_no_more_digits_than_its_draws_support(fit):
    """The same draws with another seed may change the last digit by one, and no digit before it."""
    draws = -2 + np.random.default_rng(2).normal(size=(4, 500))
    first = fit["posterior"].to_dataset()
    again = first.assign(slope=(DIMS, draws))
    ours, theirs = (tables.present_summary(run, ["slope"]).loc["slope"] for run in (first, again))
    assert list(ours.index) == ["mean", "sd", tables.LOWER, tables.UPPER]
    for statistic, text in ours.items():
        unit = 10.0 ** -len(text.partition(".")[2])
        assert abs(float(text) - float(theirs[statistic])) <= 2 * unit
        assert tables.format_estimate(first["slope"], statistic) == text


def test_a_digit_needs_an_error_below_half_its_unit():
    errors = pd.Series([0.04, 0.06, 0.004, 3.0])
    assert list(tables.count_decimals(errors)) == [1, 0, 2, -1]
    assert tables.count_decimals(0.06) == 0


def test_a_function_of_draws_has_the_error_of_the_same_statistic(fit):
    """2,000 independent draws of sd 1 know their mean to within 0.022, so to one decimal."""
    slope = fit["posterior"]["slope"]
    assert tables.format_estimate(slope, lambda draws: draws.mean()) == f"{float(slope.mean()):.1f}"
    ratio = tables.format_estimate(fit["posterior"], lambda draws: draws["effect"].mean() / 15)
    assert float(ratio) == pytest.approx(1, abs=0.01)


def test_a_probability_has_its_digits_and_is_never_printed_as_certain(fit):
    slope = fit["posterior"]["slope"]
    assert tables.format_probability(slope < 100) == "above 0.999"
    assert tables.format_probability(slope > 100) == "below 0.001"
    assert tables.format_probability(slope > 100, whole=100) == "below 0.1"
    half = tables.format_probability(slope < -2)
    assert float(half) == pytest.approx(0.5, abs=0.02) and len(half) <= 4


def test_visits_of_one_draw_are_no_independent_draws():
    """Each draw puts all its visits on one side: however many, they tell no more than it."""
    side = np.random.default_rng(1).permutation(400) % 2 == 0
    event = xr.DataArray(side[None], dims=DIMS).expand_dims(obs=1000)
    assert tables.format_probability(event, whole=100) == "50"


def test_a_table_by_group_keeps_its_labels(fit):
    posterior = fit["posterior"].to_dataset()
    table = tables.present_by_group(posterior[["group_intercept"]])
    assert list(table.index) == ["Devon", "Essex", "Kent"]
    assert table["group_intercept"].astype(float).tolist() == pytest.approx([10, 20, 30], abs=0.11)


def test_a_comparison_prints_the_exact_number_with_two_digits_more():
    compared = pd.DataFrame(
        {"sampled": [1.2345], "exact": [1.2377], "mcse": [0.01], "difference": [-0.32]}
    )
    shown = tables.present_comparison(compared).iloc[0]
    assert list(shown) == ["1.2", "1.238", "0.01", "-0.3"]


def test_a_number_whose_error_is_not_known_is_not_printed_as_zero():
    draws = xr.DataArray(np.ones((2, 500)), dims=DIMS)
    draws[0, 0] = np.nan
    assert tables.format_estimate(draws) == "nan"
    assert "above" in tables.format_probability(draws.isel(draw=[1]) > 0)
