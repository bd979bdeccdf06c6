"""A flip-book shows what Python simulates; the deep lane plays with its controls."""

import json
import re
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dial import DIAL
from helpers import elicitation, exact, flipbook, frames, models
from helpers.families import FAMILIES
from helpers.flipbook.dots import find_ends, find_limits, place_dots
from helpers.priors import Columns, Plausible, Priors
from simulated import simulate
from small_table import make_outcomes


def content(book):
    """What the script of a flip-book reads."""
    return json.loads(re.search(r", data = (\{.*\});", book.data).group(1))


def test_shares_count_what_cannot_be_and_what_nobody_believes():
    times = np.tile([-1.0, 0.0, 600.0, 601.0, 700.0], (1, 40, 1))
    draws = xr.DataArray(times, dims=("chain", "draw", "obs"))
    shares = flipbook.present_shares({"prior": draws})
    heads = ["% impossible (< 0 s)", "% implausible (> 600 s)", "% in range"]
    assert list(shares.columns) == heads
    assert shares.loc["prior"].tolist() == ["20", "40", "40"]


def test_the_page_simulates_as_python_does(visits, open_page, book):
    page = open_page(book)
    asked = "args => document.querySelector('figure').simulate(...args)"
    for name in models.MODELS:
        for number, prior in enumerate(DIAL.values()):
            ours = flipbook.simulate(visits, name, prior)[0].to_numpy()
            for turned in (0, 1, 99):
                theirs = page.evaluate(asked, [number, name, turned])
                assert theirs == pytest.approx(ours[turned], abs=0.05)


def test_all_priors_have_one_axis_which_shows_what_cannot_be_and_all_that_was_observed(
    visits, book
):
    """So a turn of the dial moves the prior, and never what was observed."""
    low, high = content(book)["limits"]
    assert low < -50 and high > 1.5 * visits["bounce_time"].max()
    alone = flipbook.make_flipbook(visits, {"too tight": DIAL["too tight"]}, title="")
    assert content(alone)["limits"] == [low, high]
    assert not any("limits" in prior for prior in content(book)["priors"])
    scores = visits.assign(bounce_time=visits["bounce_time"] / 1000)
    low, high = content(flipbook.make_flipbook(scores, {"ours": Priors()}, title=""))["limits"]
    assert (
        low < 0 and high < 1
    )  # a small outcome, far from the one end of what could be, fills its axis


def test_a_book_opens_at_the_page_with_the_median_share_of_what_could_be(visits, open_page, book):
    times = flipbook.simulate(visits, "random_slope", DIAL["wide"])[0].to_numpy()[:100]
    possible = ((times >= 0) & (times <= 600)).mean(axis=1)
    opened = content(book)["opened"]
    assert (possible < possible[opened]).sum() <= 50 <= (possible <= possible[opened]).sum()
    said = open_page(book).text_content(".status")
    assert said.startswith(f"Data set {opened + 1} of 100: ")
    assert f"{100 * possible[opened]:.1f}\u00a0% in range" in said
    low, high = content(book)["limits"]
    outside = ((times[opened] < low) | (times[opened] > high)).sum()
    assert outside and f"Triangles: {outside} of 613 points" in said


def test_draws_of_any_prior_make_a_flip_book(visits):
    """PyMC's group "prior" has parameters that no ``Priors`` can say."""
    rng = np.random.default_rng(3)
    names = ("intercept", "slope", "sigma", "group_sd", "slope_sd")
    draws = {name: (("chain", "draw"), rng.gamma(2, 10, (2, 10))) for name in names}
    prior = xr.Dataset(draws)
    book = content(flipbook.make_flipbook(visits, {"gamma": prior}, title="Gammas"))
    assert book["pages"] == 20
    shown = book["priors"][0]["draws"]["sigma"]
    assert shown == pytest.approx(prior["sigma"].to_numpy().ravel(), rel=1e-4)


def test_a_standardized_predictor_is_shown_in_its_own_units(visits, book):
    assert content(book)["labels"] == ["Age (years)", "Bounce time (s)"]
    assert content(book)["x"] == visits["age"].tolist()


def test_any_table_makes_a_flip_book_and_its_words_cannot_break_the_page(visits):
    frame = visits.rename(columns={"bounce_time": "score", "std_age": "z", "county": "school"})
    frame["z"] = 2019 + np.arange(len(frame)) % 24 / 4
    frame["school"] = frame["school"].astype(str).replace("Kent", "</script><b>")
    columns = {"outcome": "score", "predictor": "z", "group": "school"}
    settings = {"title": '<b>slope & "group"</b>', "plausible": Plausible(100, 300, "points")}
    book = flipbook.make_flipbook(frame, {'<b>"ours" & more': Priors()}, **settings, **columns)
    assert content(book)["labels"] == ["z", "score"]
    assert content(book)["x"] == frame["z"].tolist()  # close to each other, far from zero
    assert "impossible (&lt; 100 points)" in book.data
    assert book.data.count("</script>") == 1
    assert "<b>" not in book.data
    with pytest.raises(ValueError, match="prior to start from"):
        flipbook.make_flipbook(frame, {"ours": Priors()}, start="nobody's", title="", **columns)


def test_a_still_picture_and_the_shares_stand_where_scripts_do_not_run_and_on_paper(
    open_page, book
):
    page = open_page(book, java_script_enabled=False)
    picture = page.locator(".still img")
    assert picture.is_visible() and len(picture.get_attribute("alt")) > 40
    assert page.locator(".still tbody tr").count() == 3
    assert not page.locator("button").count()
    page = open_page(book)
    assert page.locator("canvas").is_visible() and not page.locator(".still").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".still").is_visible() and not page.locator("canvas").is_visible()


def test_paper_shows_what_was_observed_and_zero_no_empty_panel_and_no_wild_value(visits):
    draws = xr.DataArray(np.full((1, 5, len(visits)), 200.0), dims=("chain", "draw", "obs"))
    calm, wild = (
        flipbook.plot_data_sets(visits, draws, title="A prior", number=2),
        flipbook.plot_data_sets(visits, draws.where(draws.obs > 0, 1e9), title="", number=2),
    )
    shown = [ax for ax in calm.axes if ax.get_visible()]
    titles = [ax.get_title(loc="left") for ax in shown]
    assert titles == ["Observed", "Simulated, 1", "Simulated, 2"]
    low, high = shown[0].get_ylim()
    assert low < 0 and high > visits["bounce_time"].max()
    assert wild.axes[0].get_ylim() == pytest.approx((low, high), rel=0.05)


def test_of_a_large_table_a_sample_is_shown_which_says_so_and_memory_stays_small():
    frame = simulate([245] * 300)
    tracemalloc.start()
    book = flipbook.make_flipbook(frame, DIAL, title="Priors")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 500e6
    assert "Priors (2,000 of 73,500 rows, drawn at random)" in book.data
    assert len(content(book)["x"]) == 2000
    assert content(book)["groupLabels"] == []


def test_a_book_without_predictor_and_with_covariates_simulates_as_python_does(visits, open_page):
    frame = visits.assign(w=np.arange(len(visits)) % 3 - 1.0)
    columns = {"predictor": None, "covariates": ("w",)}
    book = flipbook.make_flipbook(frame, {"ours": Priors()}, title="Own", **columns)
    assert content(book)["labels"][0] == "County"
    assert [model["name"] for model in content(book)["models"]] == ["pooled", "random_intercept"]
    ours = flipbook.simulate(frame, "random_intercept", Priors(), **columns)[0].to_numpy()
    page = open_page(book)
    asked = "args => document.querySelector('figure').simulate(...args)"
    theirs = page.evaluate(asked, [0, "random_intercept", 7])
    assert theirs == pytest.approx(ours[7], abs=0.05)


def test_sufficient_statistics_make_no_flip_book(visits):
    statistics = exact.sufficient_statistics(visits)
    with pytest.raises(ValueError, match="no rows to simulate"):
        flipbook.make_flipbook(statistics, {"ours": Priors()}, title="")
    with pytest.raises(ValueError, match="no rows to simulate"):
        flipbook.simulate(statistics, "pooled", Priors())


# Other families

OF = {"outcome": "y", "predictor": "std_x", "group": "g"}
FORMULA = "y ~ std_x + (1 | g)"
RANGES = {
    "gamma": Plausible(0.5, 50, "s"),
    "bernoulli": Plausible(0.02, 0.98, ""),
    "poisson": Plausible(0.5, 50, "ticks"),
    "negativebinomial": Plausible(1.5, 50, "ticks"),
}


def make_other(family, rows=300):
    """A table, priors of it, and a flip-book of two priors."""
    frame = frames.standardize(make_outcomes(family, rows), "x")
    asked = {"plausible": RANGES[family], "family": family}
    priors = elicitation.elicit(FORMULA, frame, **asked).priors
    dial = {"ours": priors, "wide": priors | {"Intercept": (0, 30.0), "std_x": (0, 30.0)}}
    return frame, dial, flipbook.make_flipbook(frame, dial, title="", formula=FORMULA, **asked)


@pytest.mark.parametrize("family", RANGES)
def test_a_page_of_another_family_shows_the_data_sets_of_python(open_page, family):
    frame, dial, book = make_other(family)
    read = content(book)
    assert read["pages"] == 30
    dots = place_dots(frame, Columns(**OF), FAMILIES[family])
    assert read["observed"] == pytest.approx(dots.values(frame["y"].to_numpy()), rel=1e-3)
    page = open_page(book)
    asked = "args => document.querySelector('figure').simulate(...args)"
    for number, priors in enumerate(dial.values()):
        outcomes = flipbook.simulate(frame, FORMULA, priors, family=family).to_numpy()[0]
        ours = np.minimum(dots.values(outcomes), 2 * max(read["limits"][1], read["plausible"][1]))
        for turned in (0, 29):
            theirs = page.evaluate(asked, [number, "random_intercept", turned])
            assert theirs == pytest.approx(ours[turned], rel=0.006)
    page.get_by_label("wide", exact=True).check()
    said = page.text_content(".status")
    shown = find_ends(FAMILIES[family], RANGES[family])
    tests = shown.tests().values()
    opened = ours[read["opened"]][dots.counted]
    counted = [
        f"{100 * test(opened).mean():.1f}\u00a0% {w}"
        for test, w in zip(tests, filter(None, shown.words), strict=True)
    ]
    assert said.startswith(f"Data set {read['opened'] + 1} of 30: {', '.join(counted)}.")


def test_shares_of_yes_are_those_of_each_group_and_fifth_of_the_predictor():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"y": rng.integers(0, 2, 4000), "x": rng.normal(size=4000)})
    frame["g"] = rng.integers(0, 40, 4000)  # 40 groups of 5 parts are more than a byte holds
    dots = place_dots(frame, Columns("y", "x", "g"), FAMILIES["bernoulli"])
    fifth = pd.qcut(frame["x"], 5, labels=False)
    expected = frame.groupby(["g", fifth])
    np.testing.assert_array_equal(dots.rows, expected.size())
    np.testing.assert_array_equal(dots.groups, expected["g"].first())
    np.testing.assert_allclose(dots.x, expected["x"].mean())
    np.testing.assert_allclose(dots.values(frame["y"].to_numpy()), expected["y"].mean())
    assert dots.radius.argmax() == dots.rows.argmax()
    assert dots.labels == ("x", "Share of yes: y")


def test_a_predictor_of_few_values_has_a_part_for_each_and_without_one_a_group_has_one():
    frame = pd.DataFrame({"y": [0, 1, 1, 1], "x": [0, 1, 1, 0], "g": list("abba")})
    dots = place_dots(frame, Columns("y", "x", "g"), FAMILIES["bernoulli"])
    assert (dots.x.tolist(), dots.groups.tolist()) == ([0, 1], [0, 1])
    assert dots.values(frame["y"].to_numpy()).tolist() == [0.5, 1]
    rare = pd.DataFrame({"y": 1, "x": [0] + [1] * 98 + [2], "g": "a"})
    assert place_dots(rare, Columns("y", "x", "g"), FAMILIES["bernoulli"]).rows.tolist() == [
        1,
        98,
        1,
    ]
    dots = place_dots(frame, Columns("y", None, "g"), FAMILIES["bernoulli"])
    assert (dots.x.tolist(), dots.rows.tolist()) == ([0, 1], [2, 2])


def test_of_yes_and_no_the_dots_are_counted_that_are_all_one_and_small_ones_are_not():
    frame = pd.DataFrame({"y": 0, "x": 0.0, "g": ["a"] * 5 + ["b"] * 5 + ["c"] * 5 + ["d"] * 4})
    one = [0] * 5 + [1] * 5 + [0, 1, 1, 1, 1] + [1] * 4
    draws = xr.DataArray(np.tile(one, (1, 40, 1)), dims=("chain", "draw", "obs"))
    columns = {"outcome": "y", "predictor": "x", "group": "g"}
    asked = {"family": "bernoulli"} | columns
    shares = flipbook.present_shares({"ours": draws}, frame=frame, **asked)
    assert list(shares.columns) == ["% all no", "% all yes", "% in between"]
    assert shares.loc["ours"].tolist() == ["33", "33", "33"]
    with pytest.raises(ValueError, match="counted by group: give frame= and its columns"):
        flipbook.present_shares({"ours": draws}, **asked)


def test_a_normal_prior_with_sd_10_on_a_logit_is_seen_to_be_all_or_nothing():
    frame = frames.standardize(make_outcomes("bernoulli", 600), "x")
    calm = {"Intercept": (0, 1.0), "std_x": (0, 1.0), "1|g": 0.5}
    asked = {"family": "bernoulli"}
    found = {
        label: flipbook.simulate(frame, FORMULA, priors, draws=500, **asked)
        for label, priors in {"calm": calm, "wide": calm | {"Intercept": (0, 10.0)}}.items()
    }
    shares = flipbook.present_shares(found, frame=frame, **asked, **OF).astype(float)
    assert shares.loc["wide", "% in between"] < 30 < 90 < shares.loc["calm", "% in between"]


@pytest.mark.parametrize(
    ("family", "heads"),
    [
        ("gamma", ["too small (< 0.5 s)", "too large (> 50 s)", "in range"]),
        ("poisson", ["too large (> 50 ticks)", "in range"]),
        ("negativebinomial", ["too small (< 1 ticks)", "too large (> 50 ticks)", "in range"]),
    ],
)
def test_of_counts_and_times_it_is_counted_what_is_too_small_or_too_large(family, heads):
    draws = xr.DataArray(np.full((1, 40, 2), [0.9, 60]), dims=("chain", "draw", "obs"))
    shares = flipbook.present_shares({"ours": draws}, RANGES[family], family=family)
    assert list(shares.columns) == [f"% {head}" for head in heads]
    assert shares.loc["ours", f"% {heads[-2]}"] == "50"


@pytest.mark.parametrize("family", RANGES)
def test_paper_shows_dots_of_another_family_within_their_axis(family):
    frame, dial, book = make_other(family, rows=120)
    simulated = flipbook.simulate(frame, FORMULA, dial["ours"], draws=3, family=family)
    asked = {"title": "", "family": family, "plausible": RANGES[family]} | OF
    figure = flipbook.plot_data_sets(frame, simulated, **asked)
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert len(shown) == 4
    dots = place_dots(frame, Columns(**OF), FAMILIES[family])
    drawn = sum(len(collection.get_offsets()) for collection in shown[0].collections)
    assert drawn == len(dots.x)
    low, high = shown[0].get_ylim()
    assert low < 0 and high > dots.values(frame["y"].to_numpy()).max()
    assert [low, high] == pytest.approx(content(book)["limits"])


def test_the_axis_of_counts_begins_at_0_and_shows_all_observed_and_some_of_what_could_be():
    observed = np.array([3.0, 4, 20])
    for high, end in ((10, 20), (25, 25), (1e6, 30)):
        low, top = find_limits(FAMILIES["poisson"], observed, Plausible(1, high, ""), 1.5)
        assert (low, top) == pytest.approx((-0.03 * end, 1.03 * end))


def test_a_book_of_a_large_table_of_counts_holds_fewer_data_sets_and_stays_small():
    *_, book = make_other("poisson", rows=2500)
    assert content(book)["pages"] == 18
    assert len(content(book)["x"]) == 2000
    assert len(book.data) < 900_000


def test_a_book_of_another_family_refuses_what_cannot_be(visits):
    with pytest.raises(ValueError, match="The family 'poisson' takes a formula"):
        flipbook.make_flipbook(visits, DIAL, title="", family="poisson")
    frame = make_outcomes("gamma")
    with pytest.raises(ValueError, match="outcomes of the family 'bernoulli' are 0"):
        given = {"ours": {"Intercept": (0, 1), "x": (0, 1)}}
        flipbook.make_flipbook(frame, given, title="", formula="y ~ x", family="bernoulli")
