"""Figures of groups: what they draw is read back from their Axes."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
import xarray as xr
from matplotlib.colors import to_rgba

from helpers import exact, frames, models, plots
from helpers.priors import LOWER, UPPER

NAMES = {"bounce_time": "score", "std_age": "z", "county": "school"}
COLUMNS = {"outcome": "score", "predictor": "z", "group": "school"}
BY_NAME = {"outcome": "cost", "predictor": "std_age", "group": "school"}
FORMULA = "cost ~ std_age + kind + (std_age | school)"
PRIORS = {"Intercept": (100, 50), "std_age": (0, 10), "kind": (0, 20), "sigma": 20}
PRIORS |= {"1|school": 20, "std_age|school": 5, "rho": 2}
LONG = "Primary school number {} of the northern district"
MANY = (3, 40, 3000)


@pytest.fixture(autouse=True)
def style():
    plots.use_book_style()


def test_a_legend_takes_as_many_columns_as_there_is_room_for():
    figure, ax = plt.subplots()
    handles = [ax.plot([0, 1], [0, k])[0] for k in range(3)]
    for name, columns in (("short", 3), (8 * "long ", 1)):
        legend = plots.fit_legend(figure, handles, 3 * [name], 3, loc="outside lower left")
        assert legend._ncols == columns
        assert legend.get_window_extent().width <= figure.bbox.width


def make_table(groups: int, names: str = "s{}", rows: int | None = None) -> pd.DataFrame:
    """Groups of 2 to 29 rows, or of ``rows``, whose means rise while each falls."""
    rng = np.random.default_rng(groups)
    sizes = rng.integers(2, 30, groups) if rows is None else np.full(groups, rows)
    code = np.repeat(np.arange(groups), sizes)
    place, height = rng.normal(0, 6, groups), rng.normal(0, 8, groups)
    age = rng.normal(40, 8, len(code)) + place[code]
    cost = 100 + height[code] + place[code] - 0.4 * (age - 40) + rng.normal(0, 9, len(code))
    frame = pd.DataFrame({"cost": cost, "age": age, "kind": np.where(code % 2, "a", "b")})
    frame["school"] = [names.format(k) for k in code]
    frame.attrs["labels"] = {"cost": "Cost per pupil ($)", "age": "Age (years)"}
    return frames.standardize(frame, "age")


def make_fit(frame: pd.DataFrame, draws: int = 40) -> xr.DataTree:
    """Draws as a fit by name has them; no model was fitted."""
    groups, rng = frame["school"].astype("category").cat.categories, np.random.default_rng(1)
    effect, one = (2, draws, len(groups)), (2, draws)
    height, tilt = rng.normal(0, 8, len(groups)), rng.normal(0, 1, len(groups))
    drawn = {
        "intercept": (("chain", "draw"), rng.normal(100, 1, one)),
        "slope": (("chain", "draw"), rng.normal(-3, 0.5, one)),
        "group_intercept": (("chain", "draw", "school"), rng.normal(height, 2, effect)),
        "group_slope": (("chain", "draw", "school"), rng.normal(tilt, 0.5, effect)),
    }
    coords = {"school": list(groups)}
    return xr.DataTree.from_dict({"posterior": xr.Dataset(drawn, coords)})


def draw_all(frame: pd.DataFrame, tree: xr.DataTree, **columns) -> dict[str, plt.Figure]:
    """Every figure of groups, each in its own figure."""
    figures = {"lines": plots.plot_group_lines(frame, {"Fit": tree}, "Lines", **columns)}
    for name in ("plot_deviations", "plot_slopes", "plot_shrinkage"):
        plt.figure()
        figures[name] = getattr(plots, name)(frame, tree, **columns).figure
    plt.figure()
    figures["within"] = plots.plot_within_between(frame, **columns).figure
    return figures


def texts_of(figure: plt.Figure) -> list[plt.Text]:
    """Texts that are drawn: names, titles, labels of axes and ticks, entries of legends."""
    figure.draw_without_rendering()
    found = [
        text
        for text in figure.findobj(plt.Text)
        if text.get_text() and text.get_visible() and text.axes in (None, *_shown(figure))
    ]
    hidden = {
        tick.label1
        for ax in figure.axes
        for axis in (ax.xaxis, ax.yaxis)
        for tick in axis.get_major_ticks()
        if not tick.label1.get_visible() or not ax.get_visible() or not _within(ax, axis, tick)
    }
    return [text for text in found if text not in hidden]


def _shown(figure):
    return [ax for ax in figure.axes if ax.get_visible()]


def _within(ax, axis, tick):
    low, high = sorted(axis.get_view_interval())
    return low <= tick.get_loc() <= high


def find_overlaps(figure: plt.Figure) -> list[tuple[str, str]]:
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts_of(figure)]
    return [
        (one, two)
        for (one, a), (two, b) in itertools.combinations(boxes, 2)
        if a.padded(-0.5).overlaps(b.padded(-0.5))
    ]


@pytest.mark.parametrize("names", ["s{}", LONG, "$ {} of $x_i$"])
@pytest.mark.parametrize("groups", MANY)
def test_no_text_overlaps_another_one_and_none_is_a_formula(groups, names):
    frame = make_table(groups, names)
    for name, figure in draw_all(frame, make_fit(frame), **BY_NAME).items():
        assert find_overlaps(figure) == [], name
        assert figure.get_figwidth() <= 7, name
        for text in texts_of(figure):
            assert text.get_window_extent().x1 <= figure.bbox.x1 + 1, (name, text.get_text())
            said = text.get_text().replace(r"\$", "")
            assert "$" not in said, (name, said)


@pytest.mark.parametrize("groups", MANY)
def test_a_forest_shows_every_group_sorted_and_names_few(groups):
    frame = make_table(groups)
    tree = make_fit(frame)
    ax = plots.plot_deviations(frame, tree, **BY_NAME)
    (dots,) = [line for line in ax.get_lines() if line.get_label().startswith("From the")]
    assert len(dots.get_xdata()) == groups
    order = tree["posterior"]["group_intercept"].mean(["chain", "draw"]).to_series().sort_values()
    shown = [text.get_text() for text in ax.get_yticklabels()]
    if groups <= plots.NAMED:
        assert shown == list(order.index)
        assert dots.get_xdata() == pytest.approx(order - order.mean())
        assert f"From the mean of these {groups}, 95 %" == dots.get_label()
    else:
        assert shown == []
        assert dots.get_xdata() == pytest.approx(order)
        assert ax.get_ylabel() == "3,000 groups of 'school', sorted"


def test_of_many_groups_the_extremes_can_be_shown_with_their_names():
    frame = make_table(300)
    tree = make_fit(frame)
    ax = plots.plot_slopes(frame, tree, extremes=15, **BY_NAME)
    slopes = tree["posterior"]["group_slope"].mean(["chain", "draw"]).to_series().sort_values()
    shown = [text.get_text() for text in ax.get_yticklabels()]
    assert shown == [*slopes.index[:15], *slopes.index[-15:]]
    assert ax.get_title(loc="left") == "30 of 300: the 15 lowest and the 15 highest"
    assert find_overlaps(ax.figure) == []


@pytest.mark.parametrize("per", [1, 10])
def test_slopes_are_in_the_predictors_own_units_with_the_populations_as_band(per):
    frame = make_table(3, rows=20)
    tree, sd = make_fit(frame), frames.scale_of(frame, "age").sd
    ax = plots.plot_slopes(frame, tree, per=per, **BY_NAME)
    posterior = tree["posterior"].to_dataset()
    slopes = (posterior["slope"] + posterior["group_slope"]).mean(["chain", "draw"]) * per / sd
    dots = {line.get_label(): line.get_xdata() for line in ax.get_lines()}
    assert dots["Partial pooling, 95 % interval"] == pytest.approx(np.sort(slopes))
    assert dots["Population mean"][0] == pytest.approx(float(posterior["slope"].mean()) * per / sd)
    (band,) = ax.patches
    limits = posterior["slope"].quantile([0.025, 0.975]).to_numpy() * per / sd
    assert [band.get_x(), band.get_x() + band.get_width()] == pytest.approx(limits)
    unit = "year" if per == 1 else "10 years"
    assert ax.get_xlabel() == rf"Slope (\$ per {unit} of age)"
    own = [
        np.polyfit(of["age"], of["cost"], 1)[0] * per
        for _, of in sorted(
            frame.groupby("school"), key=lambda pair: float(slopes.sel(school=pair[0]))
        )
    ]
    assert dots["Least squares, ± 2 std. errors"] == pytest.approx(own)


def test_a_slope_of_few_rows_that_lies_far_outside_is_a_triangle_at_the_edge():
    frame = make_table(5, rows=12)
    one = frame["school"] == "s0"
    frame = frame[~one | (frame[one].groupby("school").cumcount() < 2)]
    frame.loc[frame["school"] == "s0", "cost"] = [0.0, 5000.0]
    ax = plots.plot_slopes(frame, make_fit(frame), **BY_NAME)
    marks = [line.get_marker() for line in ax.get_lines() if len(line.get_xdata())]
    assert sum(marker in "<>" for marker in marks if isinstance(marker, str)) == 1
    assert np.ptp(ax.get_xlim()) < 20


@pytest.mark.parametrize("groups", [40, 3000])
def test_shrinkage_draws_both_estimates_of_each_group_and_names_the_outermost_of_many(groups):
    frame = make_table(groups)
    tree = make_fit(frame)
    ax = plots.plot_shrinkage(frame, tree, **BY_NAME)
    partial = (tree["posterior"]["intercept"] + tree["posterior"]["group_intercept"]).mean(
        ["chain", "draw"]
    )
    (crosses,) = [c for c in ax.collections if c.get_label() == "No pooling"]
    alone = plots.no_pooling_intercepts(frame, **BY_NAME)
    assert sorted(crosses.get_offsets()[:, 1]) == pytest.approx(sorted(alone))
    ranked = list(partial.to_series().sort_values().index)
    named = {text.get_text() for text in ax.texts}
    if groups > plots.NAMED:
        assert named <= {*ranked[:3], *ranked[-3:]} and len(named) >= 3
    else:
        assert len(named) > groups / 3


def test_shrinkage_needs_no_predictor_and_counts_groups_of_one_row():
    frame = make_table(12)
    frame = frame[(frame["school"] != "s1") | ~frame["school"].duplicated()]
    formula = "cost ~ 1 + (1 | school)"
    priors = {name: PRIORS[name] for name in ("Intercept", "sigma", "1|school")}
    tree = models.fit(formula, frame, priors=priors, backend="exact", draws=20)
    ax = plots.plot_shrinkage(frame, tree, formula=formula)
    (crosses,) = [c for c in ax.collections if c.get_label() == "No pooling"]
    means = frame.groupby("school")["cost"].mean()
    assert sorted(crosses.get_offsets()[:, 1]) == pytest.approx(sorted(means))
    assert ax.get_ylabel() == r"Cost per pupil (\$)"


def test_groups_of_one_size_stand_side_by_side():
    frame = make_table(18, rows=10)
    ax = plots.plot_shrinkage(frame, make_fit(frame), **BY_NAME)
    (crosses,) = [c for c in ax.collections if c.get_label() == "No pooling"]
    assert len(np.unique(crosses.get_offsets()[:, 0].round(6))) == 18
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["10"]
    assert "the same in each" in ax.get_xlabel() and len(ax.texts) == 18


@pytest.mark.parametrize(("groups", "panels"), [(3, 3), (12, 12), (40, 12), (3000, 12)])
def test_small_multiples_show_a_sample_and_say_so(groups, panels):
    frame = make_table(groups)
    figure = plots.plot_group_lines(frame, {"Fit": make_fit(frame)}, "Lines", **BY_NAME)
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert len(shown) == panels
    assert (f"12 of {groups:,}: 2 with the fewest rows" in figure.get_suptitle()) == (groups > 12)
    assert sum(bool(ax.get_xlabel()) for ax in shown) == 2


def test_the_sample_holds_the_smallest_the_largest_and_the_extremes_and_is_the_same_again():
    frame = make_table(300)
    chosen, said = plots.choose_groups(frame, outcome="cost", group="school")
    table = frame.groupby("school")["cost"].agg(["size", "mean"])
    assert table["size"].min() == table.loc[chosen, "size"].min()
    assert table["size"].max() == table.loc[chosen, "size"].max()
    assert len(chosen) == len(set(chosen)) == 12 and "4 at random" in said
    assert plots.choose_groups(frame, outcome="cost", group="school")[0] == chosen
    assert plots.choose_groups(frame, 12, 1, outcome="cost", group="school")[0] != chosen


def test_without_fits_each_group_has_its_least_squares_line():
    frame = make_table(3)
    figure = plots.plot_group_lines(frame, **BY_NAME)
    for ax, (_, own) in zip(figure.axes, frame.groupby("school"), strict=False):
        (line,) = ax.get_lines()
        slope, height = np.polyfit(own["age"], own["cost"], 1)
        assert line.get_ydata() == pytest.approx(height + slope * line.get_xdata())


def test_the_slopes_within_and_between_are_those_of_two_regressions():
    frame = make_table(8)
    ax = plots.plot_within_between(frame, per=10, **BY_NAME)
    lines = {line.get_label().split(":")[0]: line for line in ax.get_lines()}
    means = frame.groupby("school")[["age", "cost"]].mean()
    expected = {
        "Within groups": smf.ols("cost ~ age + school", frame).fit().params["age"],
        "Between groups": np.polyfit(means["age"], means["cost"], 1)[0],
    }
    for name, slope in expected.items():
        x, y = lines[name].get_data()
        assert (y[1] - y[0]) / (x[1] - x[0]) == pytest.approx(slope)
        said = float(lines[name].get_label().split(": ")[1].replace("\N{MINUS SIGN}", "-"))
        assert said == pytest.approx(10 * slope, rel=0.01)
    assert ax.get_legend().get_title().get_text() == r"Slopes in \$ per 10 years of age"
    assert len(ax.collections[0].get_segments()) == 8


def test_where_all_groups_have_the_same_ages_there_is_no_slope_between():
    frame = pd.concat([make_table(1, rows=6).assign(school=name) for name in "ab"])
    labels = [line.get_label() for line in plots.plot_within_between(frame, **BY_NAME).get_lines()]
    assert any(label.startswith("Within") for label in labels)
    assert not any(label.startswith("Between") for label in labels)


def test_least_squares_lines_are_those_of_one_regression_with_all_interactions(visits):
    ours = plots.fit_lines(visits)
    theirs = smf.ols("bounce_time ~ 0 + county + county:age", visits).fit()
    names = [f"county[{label}]:age" for label in ours.index]
    assert ours["slope"].tolist() == pytest.approx(theirs.params[names].tolist())
    assert ours["error"].tolist() == pytest.approx(theirs.bse[names].tolist())


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
    assert plots.plot_deviations(frame, tree, **COLUMNS).get_xlabel() == (
        "Deviation in intercept (score)"
    )


def test_deviations_have_the_narrow_interval_from_the_mean_of_these_groups_and_marks(visits):
    """The true deviations are from that mean; from the population's it is far less well known."""
    tree = exact.exact_posterior("random_slope", visits, draws=1000)
    order = list(visits["county"].cat.categories)
    truth = pd.Series(range(8), order)
    ax = plots.plot_deviations(visits, tree, order=order, marks={"Truth": truth})
    wide, own = (lines.get_segments() for lines in ax.collections)
    lengths = [np.mean([np.ptp(line[:, 0]) for line in lines]) for lines in (wide, own)]
    assert lengths[0] > 2 * lengths[1]
    assert np.mean([line[:, 0] for line in own], axis=1).sum() == pytest.approx(0, abs=1)
    (marks,) = [line for line in ax.get_lines() if line.get_label() == "Truth"]
    assert list(marks.get_xdata()) == list(range(8))
    assert [text.get_text() for text in ax.get_yticklabels()] == order
    for per, unit in ((None, "s per sd of age"), (10, "s per 10 years of age")):
        ax = plots.plot_deviations(visits, tree, "group_slope", per=per)
        assert ax.get_xlabel() == f"Deviation in slope ({unit})"


@pytest.fixture(scope="module")
def by_formula():
    frame = make_table(9)
    tree = models.fit(FORMULA, frame, priors=PRIORS, backend="exact", draws=100)
    return frame, tree


def test_a_fit_by_formula_is_drawn_like_the_same_fit_by_name(by_formula):
    frame, tree = by_formula
    posterior = tree["posterior"].to_dataset()
    plain = {"intercept": posterior["Intercept"], "slope": posterior["std_age"]}
    plain |= {"group_intercept": posterior["1|school"], "group_slope": posterior["std_age|school"]}
    plain = xr.Dataset(plain).rename(school__factor_dim="school")
    named = xr.DataTree.from_dict({"posterior": plain})
    for draw in (plots.plot_deviations, plots.plot_slopes):
        ours, theirs = draw(frame, tree, formula=FORMULA), draw(frame, named, **BY_NAME)
        assert ours.get_xlabel() == theirs.get_xlabel()
        for one, two in zip(ours.get_lines(), theirs.get_lines(), strict=True):
            np.testing.assert_allclose(one.get_xdata(), two.get_xdata())
    for name, figure in draw_all(frame, tree, formula=FORMULA).items():
        assert find_overlaps(figure) == [], name


def test_lines_of_a_formula_are_its_predictions_where_other_columns_are_as_in_the_group(by_formula):
    frame, tree = by_formula
    figure = plots.plot_group_lines(frame, {"Fit": tree}, formula=FORMULA)
    posterior = tree["posterior"].to_dataset()
    for ax, label in zip(figure.axes, sorted(frame["school"].unique()), strict=False):
        (line,) = ax.get_lines()
        own = posterior.sel(school__factor_dim=label)
        kind = float(frame.loc[frame["school"] == label, "kind"].iloc[0] == "b")
        z = frames.scale_of(frame, "age").standardize(line.get_xdata())
        rise = (own["std_age"] + own["std_age|school"]) * xr.DataArray(z, dims="x")
        level = own["Intercept"] + own["1|school"] + kind * own["kind"].isel(kind_dim=0)
        np.testing.assert_allclose(line.get_ydata(), (level + rise).median(["chain", "draw"]))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda f, t: plots.plot_slopes(f, t, **BY_NAME), "made by a formula; give it, too"),
        (
            lambda f, t: plots.plot_slopes(f, t, formula="cost ~ 1 + (1 | school)"),
            "no slopes by 'school', only Intercept",
        ),
        (lambda f, t: plots.plot_deviations(f, t, formula="cost ~ age"), "has no groups; name"),
        (
            lambda f, t: plots.plot_group_lines(f, {"a": t}, formula="cost ~ 1 + (1 | school)"),
            "needs a numeric column",
        ),
        (lambda f, t: plots.plot_within_between(f, outcome="cost"), "no column 'county'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_sentence(by_formula, ask, message):
    with pytest.raises(ValueError, match=message):
        ask(*by_formula)


def test_a_group_has_the_same_colour_in_every_order_and_its_own():
    assert plots.group_colors(["b", "a"]) == plots.group_colors(["a", "b"])
    assert len(set(plots.group_colors(range(11)).values())) == 11
    assert len({to_rgba(color) for color in plots.group_colors(range(10)).values()}) == 10


def test_a_long_label_loses_its_middle_and_a_dollar_begins_no_formula():
    assert plots.write_label("abcdefghij", 7) == "abc…hij"
    assert plots.write_label("abcdefghij", 10) == "abcdefghij"
    assert plots.write_label("$x$ and\n y") == r"\$x\$ and y"
    assert len(plots.write_label("x" * 200)) == 24


def test_labels_stay_different_when_they_are_shortened():
    shown = plots.write_labels([LONG.format(k) for k in range(3000)])
    assert len(set(shown)) == 3000 and max(map(len, shown)) <= 24
    alike = [f"{'x' * 30}{k}{'y' * 30}{k}{'z' * 30}" for k in "ab"]
    assert len(set(plots.write_labels(alike))) == 2
    assert plots.write_labels(["a", "a"]) == ["a", "a"] and plots.write_labels([]) == []


def test_intervals_by_group_are_those_of_the_draws():
    frame = make_table(5)
    draws = make_fit(frame)["posterior"]["group_intercept"]
    ours = plots.look.summarize_groups(draws, "school")
    theirs = draws.quantile([0.025, 0.975], ["chain", "draw"])
    np.testing.assert_allclose(ours[[LOWER, UPPER]].T, theirs)
