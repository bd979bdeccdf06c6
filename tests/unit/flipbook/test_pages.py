"""A flip-book shows what Python simulates, wherever it stands; the deep lane plays with its controls."""

import json
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from helpers import flipbook, models
from helpers.flipbook import pages
from helpers.priors import Plausible, Priors

DIAL = {
    "wide": Priors((150, 300), (0, 40), sigma=80, group_sd=80, slope_sd=20),
    "ours": Priors(),
    "too tight": Priors((200, 2.5), (0, 1), sigma=2, group_sd=2, slope_sd=0.5),
}


@pytest.fixture(scope="module")
def book(visits):
    return flipbook.make_flipbook(visits, DIAL, title="Priors")


@pytest.fixture
def page(open_page, book):
    return open_page(book)


def content(book):
    """What the script of a flip-book reads."""
    return json.loads(re.search(r", data = (\{.*\});", book.data).group(1))


def draw_wild(visits, number=5):
    values = np.random.default_rng(1).normal(200, 300, size=(1, number, len(visits)))
    return xr.DataArray(values, dims=("chain", "draw", "obs"))


def test_shares_count_what_cannot_be_and_what_nobody_believes():
    times = np.tile([-1.0, 0.0, 600.0, 601.0, 700.0], (1, 40, 1))
    draws = xr.DataArray(times, dims=("chain", "draw", "obs"))
    shares = flipbook.present_shares({"prior": draws})
    assert list(shares.columns) == ["impossible (< 0 s)", "implausible (> 600 s)", "in range"]
    assert shares.loc["prior"].tolist() == ["20", "40", "40"]


@pytest.mark.parametrize("name", models.MODELS)
def test_the_page_simulates_as_python_does(visits, page, name):
    for prior, label in enumerate(DIAL):
        ours = flipbook.simulate(visits, name, DIAL[label])[0].to_numpy()
        for number in (0, 1, 99):
            theirs = page.evaluate(
                "args => document.querySelector('figure').simulate(...args)", [prior, name, number]
            )
            assert theirs == pytest.approx(ours[number], abs=0.05)


def test_controls_turn_the_page_and_the_dials(page):
    page.get_by_label("Next data set").click()
    assert page.text_content(".status").startswith("Data set 2 of 100: ")
    page.get_by_label("too tight", exact=True).check()
    assert page.text_content("form .chosen th") == "too tight"


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
    with pytest.raises(ValueError, match="slope_sd"):
        flipbook.make_flipbook(visits, {"gamma": prior.drop_vars("slope_sd")}, title="Gammas")


def test_any_table_makes_a_flip_book(visits):
    frame = visits.rename(columns={"bounce_time": "score", "std_age": "z", "county": "school"})
    columns = {"outcome": "score", "predictor": "z", "group": "school"}
    points = Plausible(100, 300, "points")
    book = flipbook.make_flipbook(frame, DIAL, title="Schools", plausible=points, **columns)
    assert content(book)["labels"] == ["z", "score"]
    assert content(book)["x"] == pytest.approx(frame["z"].tolist(), rel=1e-3)
    assert "impossible (&lt; 100 points)" in book.data


def test_a_standardized_predictor_is_shown_in_its_own_units(visits, book):
    assert content(book)["labels"] == ["Age (years)", "Bounce time (s)"]
    assert content(book)["x"] == visits["age"].tolist()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"start": "nobody's"}, "prior to start from"),
        ({"group": "school"}, "no column 'school'"),
        ({"predictor": "county"}, "'county' is not numeric"),
    ],
)
def test_what_cannot_be_drawn_is_refused(visits, settings, message):
    with pytest.raises(ValueError, match=message):
        flipbook.make_flipbook(visits, DIAL, title="Priors", **settings)


def test_a_flip_book_is_light_and_needs_nothing_but_its_page(book):
    assert not re.search(r"""href\s*=|https?://|import\s*\(|fetch\s*\(""", book.data)
    assert all(source.startswith("data:") for source in re.findall(r'src="([^"]*)', book.data))
    assert 2 * len(book.data.encode()) < 250_000


def test_words_cannot_break_the_page(visits):
    frame = visits.assign(county=visits["county"].astype(str).replace("Kent", "</script><b>"))
    dial = {'<b>"ours" & more': Priors()}
    page = flipbook.make_flipbook(frame, dial, title='<b>slope & "group"</b>').data
    assert page.count("</script>") == 1
    assert "<b>" not in page


def test_a_still_picture_and_the_shares_stand_where_scripts_do_not_run(open_page, book):
    page = open_page(book, java_script_enabled=False)
    picture = page.locator(".still img")
    assert picture.is_visible() and len(picture.get_attribute("alt")) > 40
    assert page.locator(".still tbody tr").count() == 3
    assert not page.locator("button").count()


def test_on_paper_the_still_picture_takes_the_place_of_the_controls(page):
    assert page.locator("canvas").is_visible() and not page.locator(".still").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".still").is_visible() and not page.locator("canvas").is_visible()


def test_one_wild_data_set_does_not_stretch_the_axis(visits):
    values = draw_wild(visits).to_numpy()[0]
    calm = pages._axis_limits(values, visits["bounce_time"])
    values[0, 0] = 1e9
    assert pages._axis_limits(values, visits["bounce_time"]) == pytest.approx(calm, rel=0.05)


def test_the_axis_holds_zero_and_every_observed_time(visits):
    low, high = pages._axis_limits(np.full((2, 3), 210.0), visits["bounce_time"])
    assert low < 0
    assert high > visits["bounce_time"].max()


def test_paper_shows_the_observed_data_and_no_empty_panel(visits):
    figure = flipbook.plot_data_sets(visits, draw_wild(visits), title="A prior", number=2)
    shown = [ax.get_title(loc="left") for ax in figure.axes if ax.get_visible()]
    assert shown == ["Observed", "Simulated, 1", "Simulated, 2"]
    plt.close(figure)


def test_numbers_that_lie_close_are_told_apart():
    assert len(set(pages._short(2019 + np.arange(24) / 4))) == 24
