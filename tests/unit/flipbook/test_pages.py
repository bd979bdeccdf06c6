"""A flip-book shows what Python simulates; the deep lane plays with its controls."""

import json
import re
import tracemalloc

import numpy as np
import pytest
import xarray as xr

from conftest import DIAL
from helpers import exact, flipbook, models
from helpers.priors import Plausible, Priors
from simulated import simulate


def content(book):
    """What the script of a flip-book reads."""
    return json.loads(re.search(r", data = (\{.*\});", book.data).group(1))


def test_shares_count_what_cannot_be_and_what_nobody_believes():
    times = np.tile([-1.0, 0.0, 600.0, 601.0, 700.0], (1, 40, 1))
    draws = xr.DataArray(times, dims=("chain", "draw", "obs"))
    shares = flipbook.present_shares({"prior": draws})
    assert list(shares.columns) == ["impossible (< 0 s)", "implausible (> 600 s)", "in range"]
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
    assert f"{100 * possible[opened]:.1f} % in range" in said
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
