import numpy as np
import pytest
import xarray as xr

from helpers import exact, tables
from helpers.book.truth import compare_with_truth, load_truth, truth_on_scale
from helpers.priors import MODELS


def test_truth_on_the_model_scale_gives_each_countys_own_line(scale):
    truth = truth_on_scale(scale)
    for county, row in load_truth()["counties"].items():
        expected = row["baseline"] + row["slope_per_decade"] * (60 - 45) / 10
        intercept = truth["intercept"] + truth["group_intercept"][county]
        slope = truth["slope"] + truth["group_slope"][county]
        assert intercept + slope * scale.standardize(60.0) == pytest.approx(expected)


@pytest.mark.parametrize("name", MODELS)
def test_one_line_is_wrong_with_confidence_and_mixed_models_recover_the_sign(visits, scale, name):
    table = compare_with_truth(exact.exact_posterior(name, visits), scale)
    slope, wrong = table.loc["slope"], name == "pooled"
    assert (slope[tables.LOWER] > 0) == wrong
    assert (slope[tables.UPPER] < 0) == slope["holds truth"] == (not wrong)
    assert wrong or {"sigma", "group_sd", "group_intercept[Kent]"} <= set(table.index)


def test_the_truth_is_marked_where_the_interval_holds_it(scale):
    truth = truth_on_scale(scale)
    draws = xr.DataArray(np.random.default_rng(1).normal(size=(2, 200)), dims=("chain", "draw"))
    shifted = {"intercept": truth["intercept"] + draws, "slope": truth["slope"] + 10 + draws}
    posterior = xr.Dataset(shifted | {"nuisance": draws})
    table = compare_with_truth(xr.DataTree.from_dict({"posterior": posterior}), scale)
    assert table["holds truth"].to_dict() == {"intercept": True, "slope": False}
