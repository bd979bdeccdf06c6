import matplotlib.pyplot as plt
import numpy as np
import pytest
import statsmodels.formula.api as smf
import xarray as xr

from helpers import plots
from helpers.book import figures
from helpers.book.truth import truth_on_scale


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def fit(visits, scale):
    """Draws around the truth, in place of a fit."""
    truth = truth_on_scale(scale)
    noise = np.random.default_rng(1).normal(size=(2, 50, 8))
    dims = ("chain", "draw")
    posterior = xr.Dataset(
        {
            "intercept": (dims, truth["intercept"] + noise[..., 0]),
            "slope": (dims, truth["slope"] + noise[..., 1]),
            "group_intercept": ((*dims, "county"), truth["group_intercept"].to_numpy() + noise),
        },
        {"county": list(truth["group_intercept"].index)},
    )
    return xr.DataTree.from_dict({"posterior": posterior})


def test_no_pooling_is_the_regression_with_an_intercept_for_each_county(visits):
    ours = plots.no_pooling_intercepts(visits)
    theirs = smf.ols("bounce_time ~ 0 + county + std_age", visits).fit().params
    for county, intercept in ours.items():
        assert intercept == pytest.approx(theirs[f"county[{county}]"])


def test_every_county_has_one_panel_with_its_number_of_visits(visits, fit):
    figure = plots.plot_group_lines(visits, {"fit": fit})
    titles = {ax.get_title(loc="left") for ax in figure.axes}
    assert {"Rutland (n = 7)", "Kent (n = 150)"} <= titles
    assert len(titles) == 8


def test_axes_say_their_units(visits, fit, scale):
    assert figures.plot_visits(visits).get_xlabel() == "Age (years)"
    plt.close("all")
    assert plots.plot_shrinkage(visits, fit).get_ylabel().endswith("(s)")
    plt.close("all")
    truth = truth_on_scale(scale)["group_intercept"]
    assert figures.plot_deviations(fit, truth, "group_intercept").get_xlabel().endswith("(s)")


def test_a_county_has_the_same_colour_in_every_order():
    assert plots.group_colors(["b", "a"]) == plots.group_colors(["a", "b"])
