import numpy as np
import pytest
import xarray as xr

from helpers import exact, tables
from helpers.book.truth import (
    compare_with_truth,
    describe_counties,
    load_truth,
    present_marks,
    truth_on_scale,
)
from helpers.book.visits import COUNTIES
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
    slope, wrong = table.loc["mean slope"], name == "pooled"
    assert (slope[tables.LOWER] > 0) == wrong
    assert (slope[tables.UPPER] < 0) == slope["holds truth"] == (not wrong)
    rows = {"mean intercept", "mean slope", "sigma"}
    rows |= (
        set() if wrong else {"sd of intercepts", *(f"intercept[{one}]" for one in COUNTIES.index)}
    )
    if name == "random_slope":
        rows |= {"sd of slopes", "correlation", *(f"slope[{one}]" for one in COUNTIES.index)}
    assert set(table.index) == rows


def lines_of(scale, **moved) -> xr.DataTree:
    """Draws of eight lines which scatter a little around the true ones, each part moved by so much."""
    truth = truth_on_scale(scale)
    noise = np.random.default_rng(1).normal(scale=0.01, size=(2, 200))
    draws = xr.DataArray(noise, dims=("chain", "draw"))
    parts = {name: truth[name] for name in ("intercept", "slope", "sigma")}
    for name in ("group_intercept", "group_slope"):
        parts[name] = truth[name].rename_axis("county").to_xarray()
    parts = {name: value + moved.get(name, 0) + draws for name, value in parts.items()}
    return xr.DataTree.from_dict({"posterior": xr.Dataset(parts)})


def test_the_truth_is_marked_where_the_interval_holds_it(scale):
    assert compare_with_truth(lines_of(scale), scale).loc["mean slope", "holds truth"]
    table = compare_with_truth(lines_of(scale, slope=1), scale)
    missed = {"mean slope", *(f"slope[{county}]" for county in COUNTIES.index)}
    assert set(table.index[~table["holds truth"]]) - {"sd of slopes", "correlation"} == missed


def test_marks_are_about_the_eight_counties_and_not_about_a_population(scale):
    """A population whose mean lies elsewhere is no error if the eight lines are the true ones."""
    apart = {"slope": 1, "group_slope": -1, "intercept": -3, "group_intercept": 3}
    found = describe_counties(lines_of(scale, **apart)).mean()
    truth = truth_on_scale(scale)
    names = {"mean intercept": "intercept", "mean slope": "slope", "correlation": "rho"}
    names |= {"sd of intercepts": "group_sd", "sd of slopes": "slope_sd"}
    for words, name in names.items():
        assert float(found[words]) == pytest.approx(truth[name], abs=0.01), words


def test_the_mean_of_the_eight_is_known_better_than_the_population(visits):
    tree = exact.exact_posterior("random_slope", visits)
    own, population = describe_counties(tree), tree["posterior"].to_dataset()
    assert own["mean slope"].std() < 0.9 * population["slope"].std()
    assert own["mean intercept"].std() < 0.2 * population["intercept"].std()


def test_a_page_shows_truth_and_marks_beside_the_summary(visits, scale):
    tree = exact.exact_posterior("random_intercept", visits, draws=200)
    shown = present_marks(tree, scale)
    assert [*shown] == ["truth", "mean", tables.LOWER, tables.UPPER, "holds truth"]
    held = compare_with_truth(tree, scale)["holds truth"]
    assert shown["holds truth"].tolist() == ["yes" if each else "no" for each in held]
