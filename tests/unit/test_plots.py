import matplotlib.pyplot as plt
import pytest
import statsmodels.formula.api as smf

from helpers import exact, plots


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fit(visits):
    return exact.exact_posterior("random_intercept", visits, draws=100)


def test_no_pooling_is_the_regression_with_an_intercept_for_each_group(visits):
    ours = plots.no_pooling_intercepts(visits)
    theirs = smf.ols("bounce_time ~ 0 + county + std_age", visits).fit().params
    for county, intercept in ours.items():
        assert intercept == pytest.approx(theirs[f"county[{county}]"])


def test_every_group_has_one_panel_with_its_number_of_rows(visits, fit):
    figure = plots.plot_group_lines(visits, {"fit": fit}, "Lines")
    titles = {ax.get_title(loc="left") for ax in figure.axes}
    assert {"Rutland (n = 7)", "Kent (n = 150)"} <= titles
    assert len(titles) == 8
    assert figure.axes[-1].get_xlabel() == "Age (years)"


def test_any_table_can_be_drawn(visits):
    names = {"bounce_time": "score", "std_age": "z", "county": "school"}
    frame = visits[list(names)].rename(columns=names)
    columns = {"outcome": "score", "predictor": "z", "group": "school"}
    tree = exact.exact_posterior("random_intercept", frame, draws=100, **columns)
    assert plots.plot_group_lines(frame, {"fit": tree}, **columns).axes[-1].get_xlabel() == "z"
    plt.close("all")
    ax = plots.plot_shrinkage(frame, tree, **columns)
    assert ax.get_xlabel() == "Rows in the school (log scale)"
    assert ax.get_ylabel() == "score where z = 0"


def test_shrinkage_says_its_units(visits, fit):
    assert plots.plot_shrinkage(visits, fit).get_ylabel() == "Bounce time (s) where std_age = 0"


def test_a_group_has_the_same_colour_in_every_order_and_its_own():
    assert plots.group_colors(["b", "a"]) == plots.group_colors(["a", "b"])
    assert len(set(plots.group_colors(range(11)).values())) == 11
