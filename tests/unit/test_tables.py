import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers import frames, tables

DIMS = ("chain", "draw")
SCALE = frames.Scale(mean=40, sd=20)


def number(text: str) -> float:
    """What a text of a table says; it has a true minus sign, which Python does not read."""
    assert "-" not in text
    return float(text.replace("\N{MINUS SIGN}", "-"))


def decimals(texts) -> set[int]:
    return {len(text.partition(".")[2]) for text in texts}


def normal(mean, sd, seed=1, size=(4, 1000)) -> xr.DataArray:
    """Independent draws, whose Monte Carlo errors are known: sd / 63 for the mean."""
    return xr.DataArray(mean + sd * np.random.default_rng(seed).normal(size=size), dims=DIMS)


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
    assert shown[:4].map(number).tolist() == pytest.approx(numbers[:4].tolist(), abs=0.06)


def test_a_slope_says_for_how_much_of_what_it_is_and_nothing_is_multiplied_unasked(fit):
    """In a fit by formula it has the predictor's name, and the predictor its own units."""
    draws = fit["posterior"]["slope"]
    by_formula = xr.DataTree.from_dict({"posterior": xr.Dataset({"days": draws})})
    plain = tables.summarize_slope(by_formula, term="days")
    assert plain["mean"] == pytest.approx(float(draws.mean()))
    assert plain.name == "slope per 1 of days"
    assert tables.summarize_slope(fit, SCALE)["mean"] == pytest.approx(float(draws.mean()) / 20)
    frame = pd.DataFrame({"age": [20, 40, 60]})
    frame.attrs["labels"] = {"age": "Age (years)"}
    scale = frames.scale_of(frames.standardize(frame, "age"), "age")
    assert tables.present_slope(fit, scale, 10).name == "slope per 10 of Age (years)"
    shown = tables.present_slopes({"a": fit}, scale, per=10)
    assert shown.attrs["unit"] == "slope per 10 of Age (years)"
    with pytest.raises(ValueError, match="no 'days'; name the slope by term=, one of"):
        tables.present_slope(fit, term="days")


def test_another_seed_changes_the_guard_and_hardly_the_digit_before_it(fit):
    draws = -2 + np.random.default_rng(2).normal(size=(4, 500))
    first = fit["posterior"].to_dataset()
    again = first.assign(slope=(DIMS, draws))
    ours, theirs = (tables.present_summary(run, ["slope"]).loc["slope"] for run in (first, again))
    assert list(ours.index) == ["mean", "sd", tables.LOWER, tables.UPPER]
    for statistic, text in ours.items():
        unit = 10.0 ** -max(decimals([text]))
        assert abs(number(text) - number(theirs[statistic])) <= 20 * unit
    assert decimals(ours[["mean", tables.LOWER, tables.UPPER]]) == {2}
    assert [tables.format_estimate(first["slope"], name) for name in ("mean", "sd")] == [*ours[:2]]


def test_a_digit_stands_with_an_error_below_half_its_unit_and_one_more_guards_it():
    errors = pd.Series([0.04, 0.06, 0.004, 30.0])
    assert list(tables.count_decimals(errors)) == [2, 1, 3, -1]
    assert tables.count_decimals(0.06) == 1
    assert tables.round_off(1234.5, 30.0) == "1230"
    assert tables.round_off(-1.23456, 0.06) == "\N{MINUS SIGN}1.2"
    assert tables.round_off(-0.01, 0.06) == "0.0"
    assert tables.round_off(-1.23456, 0) == "\N{MINUS SIGN}1.23"


def test_rounding_adds_little_to_the_monte_carlo_error():
    """Half a unit of the last digit is at most one error: with a tenth of it, as without a guard, ten."""
    for error in np.geomspace(0.001, 1, 50):
        assert 0.5 * 10.0 ** -tables.count_decimals(error) <= error * (1 + 1e-9)


def test_rows_of_one_unit_have_the_same_decimals_and_the_smallest_sd_two_digits():
    """The intercept's mean is known to 0.07, so one decimal is printed, and that is enough for sigma."""
    posterior = xr.Dataset(
        {
            "intercept": normal(200, 4.57),
            "sigma": normal(8, 0.25, 2),
            "slope": normal(-2, 0.7, 3),
            "rho": normal(0, 0.4, 4),
            "covariate_slope": xr.concat([normal(8, 4.1, 5), normal(8, 0.001, 6)], "covariate"),
        }
    ).assign_coords(covariate=["a", "b"])
    for draws in (posterior, xr.DataTree.from_dict({"posterior": posterior})):
        shown = tables.present_summary(draws)
        heights = shown.loc[["intercept", "sigma"]]
        assert decimals(heights["mean"]) == {1} and decimals(heights["sd"]) == {2}
        assert decimals(heights[tables.LOWER]) == decimals(heights[tables.UPPER]) == {1}
        assert decimals([shown.loc["slope", "mean"]]) == {2}
        assert decimals([shown.loc["covariate_slope[a]", "mean"]]) == {1}
        assert decimals([shown.loc["covariate_slope[b]", "mean"]]) == {5}


def test_means_and_limits_reach_the_first_digit_of_the_smallest_sd():
    """The mean of the first is known to 2, which alone would leave no decimal to the second."""
    draws = {"intercept": normal(200, 20, size=(4, 25)), "sigma": normal(8, 0.25, size=(4, 25))}
    shown = tables.present_summary(xr.Dataset(draws))
    assert decimals([tables.format_estimate(draws["intercept"])]) == {0}
    for column in ("mean", tables.LOWER, tables.UPPER):
        assert decimals(shown[column]) == {1}


def test_a_data_set_has_one_unit_unless_it_says_so():
    gain, share = normal(2, 1.0), normal(0.5, 0.01)
    together = tables.present_summary(xr.Dataset({"gain": gain, "share": share}))
    assert decimals(together["mean"]) == {2} and decimals(together["sd"]) == {3}
    apart = xr.Dataset({"gain": gain, "share": share.assign_attrs(units="1")})
    assert decimals([tables.present_summary(apart).loc["share", "mean"]]) == {4}
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset({"nu": gain, "sigma_sd": share})})
    assert decimals([tables.present_summary(tree).loc["sigma_sd", "mean"]]) == {4}


def test_an_sd_is_never_left_with_one_digit():
    """Sixty draws know an sd of 4.6 to 0.4."""
    few = normal(47, 4.57, size=(4, 15))
    assert decimals([tables.format_estimate(few, "sd")]) == {1}
    shown = tables.present_estimates({"a": few, "b": normal(0, 0.46, size=(4, 15))}, "sd")
    assert decimals(shown) == {2}


def test_a_function_of_draws_has_the_error_of_the_same_statistic(fit):
    """2,000 independent draws of sd 1 know their mean to within 0.022: one decimal and a guard."""
    slope = fit["posterior"]["slope"]
    shown = tables.format_estimate(slope, lambda draws: draws.mean())
    assert shown == tables.format_estimate(slope) and decimals([shown]) == {2}
    ratio = tables.format_estimate(fit["posterior"], lambda draws: draws["effect"].mean() / 15)
    assert number(ratio) == pytest.approx(1, abs=0.01)


def test_a_probability_has_its_digits_and_is_never_printed_as_certain(fit):
    slope = fit["posterior"]["slope"]
    assert tables.format_probability(slope < 100) == "above 0.999"
    assert tables.format_probability(slope > 100) == "below 0.001"
    assert tables.format_probability(slope > 100, whole=100) == "below 0.1"
    half = tables.format_probability(slope < -2)
    assert number(half) == pytest.approx(0.5, abs=0.03) and len(half) == 4


def test_probabilities_below_each_other_have_the_same_decimals():
    draws = normal(0, 1)
    events = {"half": draws < 0, "most": draws < 1.9, "nearly": draws < 3, "all": draws < 100}
    for given in (events, xr.Dataset(events)):
        shown = tables.present_probabilities(given)
        assert list(shown.index) == list(events)
        assert decimals(shown[:2]) == {2}
        assert list(shown[1:]) == ["0.97", "above 0.99", "above 0.99"]
    assert decimals(tables.present_probabilities({"few": draws[:, :8] < 0})) == {2}
    rare = tables.present_probabilities({"rare": draws > 3, "none": draws > 100}, whole=100)
    assert number(rare["rare"]) == pytest.approx(100 * float((draws > 3).mean()), abs=0.05)
    assert rare["none"] == "below 0.1"


def test_visits_of_one_draw_are_no_independent_draws():
    """Each draw puts all its visits on one side: however many, they tell no more than it."""
    side = np.random.default_rng(1).permutation(400) % 2 == 0
    event = xr.DataArray(side[None], dims=DIMS).expand_dims(obs=1000)
    assert tables.format_probability(event, whole=100) == "50"


def test_a_table_by_group_keeps_its_labels(fit):
    posterior = fit["posterior"].to_dataset()
    table = tables.present_by_group(posterior[["group_intercept"]])
    assert list(table.index) == ["Devon", "Essex", "Kent"]
    assert table["group_intercept"].map(number).tolist() == pytest.approx([10, 20, 30], abs=0.11)


def test_a_table_by_group_has_the_same_decimals_down_a_column():
    """One group knows its mean to 0.3, the other to 0.003."""
    both = xr.concat([normal(10, 20), normal(-1, 0.2)], "county").assign_coords(county=["a", "b"])
    shown = tables.present_by_group(xr.Dataset({"u": both}))["u"]
    assert decimals(shown) == {1} and shown["b"] == "\N{MINUS SIGN}1.0"
    assert decimals(tables.present_by_group(xr.Dataset({"u": both}), "sd")["u"]) == {2}


def test_slopes_of_several_fits_have_the_same_decimals_and_their_labels():
    fits = {
        name: xr.DataTree.from_dict({"posterior": xr.Dataset({"slope": draws})})
        for name, draws in {"sure": normal(-2, 0.1), "unsure": normal(2, 5)}.items()
    }
    shown = tables.present_slopes(fits, SCALE, per=10)
    assert list(shown.index) == ["sure", "unsure"]
    for column in shown.columns[:4]:
        assert len(decimals(shown[column])) == 1
    assert number(shown.loc["sure", "mean"]) == pytest.approx(-1, abs=0.1)
    assert shown.loc["sure", "P(slope < 0)"].startswith("above")
    alone = tables.present_slope(fits["sure"], SCALE, per=10)
    assert list(alone.index) == list(shown.columns) and decimals([alone["mean"]]) == {3}


def test_a_comparison_prints_the_exact_number_with_one_digit_more():
    """For one unit the same decimals, and two digits of its smallest sd."""
    keys = [("intercept", "mean"), ("sigma", "sd"), ("slope", "mean")]
    compared = pd.DataFrame(
        {
            "sampled": [1.2345, 0.2345, -1.2345],
            "exact": [1.2377, 0.2377, -1.2377],
            "mcse": [0.1, 0.01, 0.01],
            "difference": [-0.32, -0.32, 0.32],
        },
        pd.MultiIndex.from_tuples(keys, names=["parameter", "statistic"]),
    )
    shown = tables.present_comparison(compared)
    assert list(shown.iloc[0]) == ["1.23", "1.238", "0.1", "\N{MINUS SIGN}0.3"]
    assert list(shown["sampled"]) == ["1.23", "0.23", "\N{MINUS SIGN}1.23"]
    means = shown.index.get_level_values("statistic") == "mean"
    alone = tables.present_comparison(compared[means].droplevel("statistic"))
    assert list(alone["sampled"]) == ["1.2", "\N{MINUS SIGN}1.23"]
    near = tables.present_comparison(compared.assign(difference=-0.04))
    assert set(near["difference / mcse"]) == {"0.0"}


def test_a_number_whose_error_is_not_known_is_not_printed_as_zero():
    draws = xr.DataArray(np.ones((2, 500)), dims=DIMS)
    draws[0, 0] = np.nan
    assert tables.format_estimate(draws) == "nan"
    assert "above" in tables.format_probability(draws.isel(draw=[1]) > 0)
