import pytest
import statsmodels.formula.api as smf

from helpers import exact, plots

NAMES = {"bounce_time": "score", "std_age": "z", "county": "school"}
COLUMNS = {"outcome": "score", "predictor": "z", "group": "school"}


def test_no_pooling_is_the_regression_with_an_intercept_for_each_group(visits):
    ours = plots.no_pooling_intercepts(visits)
    theirs = smf.ols("bounce_time ~ 0 + county + std_age", visits).fit().params.drop("std_age")
    assert list(theirs.index) == [f"county[{county}]" for county in ours.index]
    assert ours.tolist() == pytest.approx(theirs.tolist())


def test_every_group_has_one_panel_with_its_number_of_rows_and_axes_say_their_units(visits):
    tree = exact.exact_posterior("random_intercept", visits, draws=100)
    figure = plots.plot_group_lines(visits, {"fit": tree}, "Lines")
    titles = {ax.get_title(loc="left") for ax in figure.axes}
    assert {"Rutland (n = 7)", "Kent (n = 150)"} <= titles
    assert len(titles) == 8
    assert figure.axes[-1].get_xlabel() == "Age (years)"
    assert plots.plot_shrinkage(visits, tree).get_ylabel() == "Bounce time (s) where std_age = 0"


def test_any_table_can_be_drawn(visits):
    frame = visits[list(NAMES)].rename(columns=NAMES)
    tree = exact.exact_posterior("random_intercept", frame, draws=100, **COLUMNS)
    assert plots.plot_group_lines(frame, {"fit": tree}, **COLUMNS).axes[-1].get_xlabel() == "z"
    ax = plots.plot_shrinkage(frame, tree, **COLUMNS)
    assert ax.get_xlabel() == "Rows in the school (log scale)"
    assert ax.get_ylabel() == "score where z = 0"


def test_a_group_has_the_same_colour_in_every_order_and_its_own():
    assert plots.group_colors(["b", "a"]) == plots.group_colors(["a", "b"])
    assert len(set(plots.group_colors(range(11)).values())) == 11
