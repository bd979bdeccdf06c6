import json

import numpy as np
import pytest
import xarray as xr

from helpers import exact, tables
from helpers.book.truth import compare_with_truth, load_truth, true_parameters, truth_on_scale


def test_truth_json_holds_every_parameter_county_by_county():
    truth = load_truth()
    assert truth == json.loads(json.dumps(true_parameters()))
    for county in truth["counties"].values():
        assert set(county) == {"visits", "mean_age", "baseline", "slope_per_decade"}


def test_truth_on_the_model_scale_gives_each_countys_own_line(scale):
    truth = truth_on_scale(scale)
    for county, row in load_truth()["counties"].items():
        age = 60.0
        expected = row["baseline"] + row["slope_per_decade"] * (age - 45) / 10
        x = scale.standardize(age)
        intercept = truth["intercept"] + truth["group_intercept"][county]
        slope = truth["slope"] + truth["group_slope"][county]
        assert intercept + slope * x == pytest.approx(expected)


def test_pooled_regression_is_wrong_with_confidence(visits, scale):
    slope = compare_with_truth(exact.exact_posterior("pooled", visits), scale).loc["slope"]
    assert slope[tables.LOWER] > 0 > slope["truth"]
    assert not slope["holds truth"]


@pytest.mark.parametrize("name", ["random_intercept", "random_slope"])
def test_the_mixed_models_recover_the_sign(visits, scale, name):
    table = compare_with_truth(exact.exact_posterior(name, visits), scale)
    assert table.loc["slope", "holds truth"]
    assert table.loc["slope", tables.UPPER] < 0
    assert {"sigma", "group_sd", "group_intercept[Kent]"} <= set(table.index)


def test_the_truth_is_marked_where_the_interval_holds_it(scale):
    truth = truth_on_scale(scale)
    draws = np.random.default_rng(1).normal(size=(2, 200))
    posterior = xr.Dataset(
        {
            "intercept": (("chain", "draw"), truth["intercept"] + draws),
            "slope": (("chain", "draw"), truth["slope"] + 10 + draws),
            "nuisance": (("chain", "draw"), draws),
        }
    )
    table = compare_with_truth(xr.DataTree.from_dict({"posterior": posterior}), scale)
    assert table["holds truth"].to_dict() == {"intercept": True, "slope": False}
