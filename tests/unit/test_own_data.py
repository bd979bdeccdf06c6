"""A reader's own table: any labels are kept, and what cannot be is refused in a sentence."""

import numpy as np
import pandas as pd
import pytest

from helpers import exact, fits, flipbook, models, tables
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
    "64-bit ids": np.array([2**63 + 5, 7, 2**63 + 6], dtype="uint64"),
    "63-bit ids": [2**63 - 1, 2**63 - 2, -(2**62)],
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
    plain = models.fit("random_intercept", make_table(), **settings)
    ranks = pd.Series(range(3), order)[list(labels)].to_numpy()
    ours, theirs = (fit["posterior"]["group_intercept"].mean("draw")[0] for fit in (tree, plain))
    np.testing.assert_allclose(ours[ranks], theirs, atol=0.05)


def rename(**names):
    return lambda frame: frame.rename(columns=names)


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        (lambda frame: frame.to_dict(), {}, "no pandas DataFrame but a dict"),
        (lambda frame: frame.iloc[:0], {}, "The table has no rows"),
        (rename(g="x"), {}, "2 columns 'x'; rename or drop one"),
        (lambda frame: frame.set_axis([1, 2, "g"], axis=1), {}, "no column 'y'; .* has 1, 2, g"),
        ({"g": [1, "1", "b"] * 8}, {}, "two levels that read '1'"),
        ({"g": ["a", "b", None] * 8}, {}, "'g' is missing in row 2"),
        ({"g": 1}, {}, "'g' has one level only"),
        ({"x": ["1"] * 24}, {}, "'x' is not numeric but .*pd.to_numeric"),
        ({"x": ["1,5"] * 24}, {}, "'x' is not numeric but .*decimal commas"),
        ({}, {"name": "random_slope", "predictor": None}, "'random_slope' needs a predictor"),
        ({}, {"covariates": ("x",)}, "'x' is given twice among predictor and covariates"),
        ({}, {"covariates": ("y",)}, "outcome 'y' cannot be a predictor of itself"),
        ({}, {"covariates": "w"}, "covariates is a tuple of columns, not the text 'w'"),
        ({}, {"covariates": ("w",)}, "no column 'w'"),
        ({"w": 3}, {"covariates": ("w",)}, "The covariate 'w' is constant"),
        ({"w": [1, np.nan] * 12}, {"covariates": ("w",)}, "'w' is missing or not finite in row 1"),
        (
            {"w": np.arange(24)},
            {"covariates": ("w",), "priors": Priors(covariate_slope=((0.0, 1.0),) * 2)},
            "given for 2 covariates, but there are 1",
        ),
        ({"x": [np.nan, *range(23)]}, {}, "'x' is missing or not finite in row 0"),
        ({"y": [*range(23), np.inf]}, {}, "'y' is missing or not finite in row 23"),
        ({"x": 1.0}, {}, "'x' is constant"),
        (rename(x="slope"), {"predictor": "slope"}, "'slope' has the name of a parameter"),
        *(
            (rename(g=name), {"group": name}, "cannot name the groups of a fit; rename the column")
            for name in ("obs", "predictor", "chain", "a/b")
        ),
        (lambda frame: frame.rename(columns={"g": 7}), {"group": 7}, "7 cannot name the groups"),
        *(
            (rename(x=name), {"predictor": name, "backend": "bambi"}, "formula cannot name column")
            for name in ("Intercept", "mu", "_a", "x/y", "x|y")
        ),
        ({}, {"name": "nested"}, "Unknown model 'nested'; choose one of pooled"),
        ({}, {"backend": "stan"}, "Unknown back end 'stan'; choose one of pymc"),
        ({}, {"extend": ("everything",)}, "Unknown group in extend 'everything'"),
        ({}, {"backend": "exact", "extend": ("prior",)}, "exact back end has no group 'prior'"),
        *(
            ({}, {"backend": "exact", "draws": draws}, "draws must be a whole number above 0")
            for draws in (0, -1, 1.5)
        ),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_one_sentence(table, change, settings, message):
    frame = change(table) if callable(change) else table.assign(**change)
    with pytest.raises(ValueError, match=message) as refusal:
        models.fit(**{"name": "random_intercept", "frame": frame, **NAMES, **settings})
    assert "\n" not in str(refusal.value)


def simulate(name, frame, outcome, **columns):
    return flipbook.simulate(frame, name, PRIORS, **columns)


@pytest.mark.parametrize(
    "ask",
    [
        models.build,
        exact.exact_posterior,
        loo.leave_one_out,
        loo.leave_group_out,
        loo.predict_new_group,
        simulate,
    ],
)
def test_whoever_takes_a_table_refuses_an_unknown_model_and_labels_that_read_alike(table, ask):
    with pytest.raises(ValueError, match="Unknown model 'nested'"):
        ask("nested", table, **NAMES)
    with pytest.raises(ValueError, match="two levels that read '1'"):
        ask("random_intercept", table.assign(g=[1, "1", "b"] * 8), **NAMES)


def test_bambi_takes_numbers_that_pandas_lets_be_missing(table):
    frame = table.assign(x=table["x"].astype("Float64"))
    assert models.build("pooled", frame, **NAMES, priors=PRIORS, backend="bambi")


def test_an_outcome_without_scatter_within_groups_is_no_line_of_all(table):
    """One line through all rows leaves scatter for sigma; lines of their own leave none."""
    frame = table.assign(y=1.0 * CODE)
    assert exact.exact_posterior("pooled", frame, **NAMES, priors=PRIORS)
    with pytest.raises(exact.QuadratureFailed, match="without any scatter"):
        exact.exact_posterior("random_intercept", frame, **NAMES, priors=PRIORS)
