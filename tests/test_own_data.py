"""A reader's own table: whatever its labels are, nothing is lost, and what cannot be is refused in a sentence."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers import diagnostics, exact, fits, flipbook, frames, models, plots, tables
from helpers.book import calibration, touch
from helpers.exact import loo
from helpers.priors import Priors

NAMES = {"outcome": "y", "predictor": "x", "group": "g"}
PRIORS = Priors(intercept=(0, 5), slope=(0, 1), sigma=1.5, group_sd=1, slope_sd=0.5)
CODE = np.arange(24) % 3
LABELS = {
    "numbers": [10, 2, -1],
    "dates": pd.to_datetime(["2020-01-01", "2021-01-01", "2022-01-01"]),
    "intervals": pd.interval_range(0, 3),
    "months": pd.period_range("2020-01", periods=3, freq="M"),
    "awkward text": ["a, b", "", "Zoë [x]/y"],
}


def make_table(labels=("a", "b", "c")) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    groups = pd.Series(list(labels))[CODE].reset_index(drop=True)
    return pd.DataFrame(
        {"y": rng.normal(size=24) + 2 * CODE, "x": rng.normal(size=24), "g": groups}
    )


@pytest.fixture
def table():
    return make_table()


def group_effects(tree: xr.DataTree) -> list[float]:
    """Posterior means by group, in the order of a, b, c."""
    return tree["posterior"]["group_intercept"].mean(["chain", "draw"]).values.tolist()


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_every_kind_of_label_is_kept_through_fit_cache_and_table(tmp_path, monkeypatch, labels):
    monkeypatch.setenv(fits.VARIABLE, str(tmp_path))
    frame = make_table(labels)
    settings = NAMES | {"priors": PRIORS, "backend": "exact"}
    tree = fits.fit_once("random_intercept", frame, **settings)
    assert fits.fit_once("random_intercept", frame, **settings).identical(tree)
    shown = tables.present_summary(tree, ["group_intercept"]).index
    order = frame["g"].astype("category").cat.categories
    assert list(shown) == [f"group_intercept[{label}]" for label in order]
    plain = exact.exact_posterior("random_intercept", make_table(), **NAMES, priors=PRIORS)
    ranks = pd.Series(range(3), order)[list(labels)].to_numpy()
    np.testing.assert_allclose(
        np.array(group_effects(tree))[ranks], group_effects(plain), atol=0.05
    )


def test_bambi_gives_numbers_back_as_numbers():
    frame = make_table([10, 2, -1])
    few = NAMES | {"priors": PRIORS, "draws": 500, "tune": 500}
    tree = models.fit("random_intercept", frame, backend="bambi", target_accept=0.99, **few)
    answer = exact.exact_posterior("random_intercept", frame, **NAMES, priors=PRIORS)
    assert tree["posterior"]["g"].values.tolist() == [-1, 2, 10]
    difference = tree["posterior"]["group_intercept"].mean(["chain", "draw"]) - answer["exact"][
        "group_intercept"
    ].sel(statistic="mean")
    assert difference.size == 3 and abs(difference).max() < 0.3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"g": [1, "1", "b"] * 8}, "two levels that read '1'"),
        ({"g": ["a", "b", None] * 8}, "'g' is missing in row 2"),
        ({"x": ["1"] * 24}, "'x' is not numeric but .*pd.to_numeric"),
        ({"x": [np.nan, *range(23)]}, "'x' is missing or not finite in row 0"),
    ],
    ids=["alike", "no label", "text", "missing"],
)
def test_a_table_that_would_be_misread_is_refused(table, change, message):
    frame = table.assign(**change)
    for call in (
        lambda: models.build("random_intercept", frame, **NAMES),
        lambda: flipbook.simulate(frame, "random_intercept", PRIORS, predictor="x", group="g"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("name", ["obs", "predictor", "chain", "a/b", 7])
def test_a_group_column_that_would_hide_part_of_a_fit_is_refused(table, name):
    frame = table.rename(columns={"g": name})
    with pytest.raises(ValueError, match="cannot name the groups of a fit; rename the column"):
        models.build("random_intercept", frame, **NAMES | {"group": name})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda frame: frame.to_dict(), "no pandas DataFrame but a dict"),
        (lambda frame: frame.iloc[:0], "The table has no rows"),
        (lambda frame: frame.rename(columns={"g": "x"}), "2 columns 'x'; rename or drop one"),
        (lambda frame: frame.rename(columns={"y": 1, "x": 2}), "no column 'y'; the table has 1, 2"),
    ],
    ids=["dict", "empty", "twice", "numbers"],
)
def test_what_is_no_table_for_a_model_is_refused(table, make, message):
    with pytest.raises(ValueError, match=message):
        models.build("pooled", make(table), **NAMES)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"sigma": -1.0}, "sigma"),
        ({"group_sd": 0}, "group_sd"),
        ({"intercept": (0, -5)}, "intercept"),
        ({"slope": 5}, "slope"),
        ({"slope_sd": np.nan}, "slope_sd"),
        ({"lkj_eta": 0}, "lkj_eta"),
    ],
)
def test_a_prior_that_is_none_is_refused_where_it_is_written(given, name):
    with pytest.raises(ValueError, match=f"The prior of '{name}'"):
        Priors(**given)


@pytest.mark.parametrize("name", ["Intercept", "mu", "_a", "my x"])
def test_bambi_refuses_names_that_its_formulas_read_otherwise(table, name):
    frame = table.rename(columns={"x": name})
    with pytest.raises(ValueError, match="Bambi's formula cannot name column"):
        models.build("pooled", frame, **NAMES | {"predictor": name}, backend="bambi")


def test_bambi_takes_numbers_that_pandas_lets_be_missing(table):
    frame = table.assign(x=table["x"].astype("Float64"))
    assert models.build("pooled", frame, **NAMES, priors=PRIORS, backend="bambi")


def test_what_does_not_vary_has_no_scale():
    with pytest.raises(ValueError, match="'x' is constant"):
        frames.standardize(pd.DataFrame({"x": [0.1] * 3}), "x")


def test_a_standardized_table_can_be_saved_with_its_scale(table):
    frame = frames.standardize(table, "x")
    read = pd.DataFrame(frame)
    read.attrs = json.loads(json.dumps(frame.attrs))
    assert frames.scale_of(read, "x") == frames.scale_of(frame, "x")


def test_an_outcome_without_scatter_within_groups_is_no_line_of_all(table):
    """One line through all rows leaves scatter, so sigma has a posterior; lines of their own leave none."""
    frame = table.assign(y=1.0 * CODE)
    assert exact.exact_posterior("pooled", frame, **NAMES, priors=PRIORS)
    with pytest.raises(exact.QuadratureFailed, match="without any scatter"):
        exact.exact_posterior("random_intercept", frame, **NAMES, priors=PRIORS)


@pytest.mark.parametrize("draws", [0, -1, 1.5])
def test_draws_are_counted(table, draws):
    with pytest.raises(ValueError, match="draws must be a whole number above 0"):
        exact.exact_posterior("pooled", table, **NAMES, priors=PRIORS, draws=draws)


def test_a_table_too_large_at_once_is_predicted_in_parts(table, monkeypatch):
    whole = loo.predict_new_group("random_slope", table, **NAMES, priors=PRIORS)
    monkeypatch.setattr(loo, "CHUNK", 100)
    parts = loo.predict_new_group("random_slope", table, **NAMES, priors=PRIORS)
    pd.testing.assert_series_equal(whole, parts)


def test_smaller_steps_can_be_asked_for(table):
    few = NAMES | {"priors": PRIORS, "draws": 50, "tune": 200, "chains": 1}
    steps = [
        float(
            models.fit("pooled", table, target_accept=accept, **few)["sample_stats"][
                "step_size"
            ].mean()
        )
        for accept in (None, 0.99)
    ]
    assert steps[1] < steps[0]


def test_a_number_whose_error_is_not_known_is_not_printed_as_zero():
    draws = xr.DataArray(np.ones((2, 500)), dims=("chain", "draw"))
    draws[0, 0] = np.nan
    assert tables.format_estimate(draws) == "nan"
    assert "above" in tables.format_probability(
        xr.DataArray(np.ones((2, 1)) > 0, dims=("chain", "draw"))
    )


def test_years_are_told_apart_in_a_flip_book():
    shown = flipbook._short(2019 + np.arange(24) / 4)
    assert len(set(shown)) == 24


def test_more_than_ten_groups_have_a_colour_each():
    assert len(set(plots.group_colors(range(11)).values())) == 11


def test_prior_draws_of_independent_effects_have_no_correlation():
    rng = np.random.default_rng(1)
    drawn = calibration.draw_from_prior("random_slope", ["a", "b"], rng, Priors(lkj_eta=None))
    assert "rho" not in drawn


def test_a_picture_to_touch_takes_numbers_of_numpy():
    given = np.float64(3.0), xr.DataArray(1.0), np.float64(2.0)
    assert touch.make_shrinkage_widget(*given, n=np.int64(7), tau=np.float64(1.0), group="a").data
    with pytest.raises(ValueError, match="n must be 1 or more"):
        touch.make_shrinkage_widget(np.nan, 1.0, 2.0, n=7, tau=1.0, group="a")


def test_a_summary_takes_one_name(table):
    tree = exact.exact_posterior("pooled", table, **NAMES, priors=PRIORS)
    assert list(tables.summarize(tree, "slope").index) == ["slope"]
    assert diagnostics.require_converged(tree)
