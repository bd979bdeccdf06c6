"""A reader's own table: whatever its labels are, nothing is lost, and what cannot be is refused in a sentence."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers import exact, fits, flipbook, models, tables
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


@pytest.mark.parametrize("name", ["Intercept", "mu", "_a", "my x"])
def test_bambi_refuses_names_that_its_formulas_read_otherwise(table, name):
    frame = table.rename(columns={"x": name})
    with pytest.raises(ValueError, match="Bambi's formula cannot name column"):
        models.build("pooled", frame, **NAMES | {"predictor": name}, backend="bambi")


def test_bambi_takes_numbers_that_pandas_lets_be_missing(table):
    frame = table.assign(x=table["x"].astype("Float64"))
    assert models.build("pooled", frame, **NAMES, priors=PRIORS, backend="bambi")


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
