import json
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from axe_playwright_python.base import AXE_SCRIPT
from IPython.display import HTML

from helpers import flipbook, models
from helpers.priors import Priors

TIGHT = Priors(intercept=(200, 2.5), slope=(0, 1), sigma=2, group_sd=2, slope_sd=0.5)
WIDE = Priors(intercept=(150, 300), slope=(0, 40), sigma=80, group_sd=80, slope_sd=20)
DIAL = {"wide": WIDE, "ours": Priors(), "too tight": TIGHT}


@pytest.fixture(scope="module")
def book(visits):
    return flipbook.make_flipbook(visits, DIAL, title="Priors")


@pytest.fixture
def page(open_page, book):
    return open_page(book)


def simulated(visits, pages=5):
    rng = np.random.default_rng(1)
    values = rng.normal(200, 300, size=(1, pages, len(visits)))
    return xr.DataArray(values, dims=("chain", "draw", "obs"))


def content(book):
    """What the script of a flip-book reads."""
    return json.loads(re.search(r", data = (\{.*\});", book.data).group(1))


def title_of(page):
    return page.text_content(".status").partition(":")[0]


# The shares


def test_shares_count_what_cannot_be_and_what_nobody_believes():
    times = np.tile([-1.0, 0.0, 600.0, 601.0, 700.0], (1, 40, 1))
    draws = xr.DataArray(times + 0.0, dims=("chain", "draw", "obs"))
    row = flipbook.present_shares({"prior": draws}).loc["prior"]
    assert row.tolist() == ["20", "40", "40"]


def test_the_shares_on_the_page_are_those_of_the_helpers(visits, page):
    for name in models.MODELS:
        page.get_by_label(name.replace("_", " "), exact=True).check()
        times = {label: flipbook.simulate(visits, name, prior) for label, prior in DIAL.items()}
        expected = flipbook.present_shares(times)
        rows = page.locator("form tbody tr")
        assert [rows.nth(i).locator("td").all_text_contents() for i in range(3)] == (
            expected.to_numpy().tolist()
        )


def test_the_script_counts_on_its_pages_what_numpy_counts(visits, page):
    count = """prior => {
      const figure = document.querySelector("figure"), counts = [0, 0];
      for (let i = 0; i < 100; i++) for (const t of figure.simulate(prior, "random_slope", i)) {
        counts[0] += t < 0; counts[1] += t > 600;
      }
      return counts;
    }"""
    for prior, label in enumerate(DIAL):
        counts = page.evaluate(count, prior)
        times = flipbook.simulate(visits, "random_slope", DIAL[label])[0]
        first = times[:100]
        assert counts == pytest.approx([int((first < 0).sum()), int((first > 600).sum())], abs=5)
        if label == "wide":  # events that are not rare: a hundred pages show the share of all draws
            by_page = (times < 0).mean("obs")
            error = float(by_page.std()) / 100**0.5
            share = counts[0] / (100 * len(visits))
            assert share == pytest.approx(float(by_page.mean()), abs=4 * error)


# The simulation


@pytest.mark.parametrize("name", models.MODELS)
def test_the_page_simulates_as_python_does(visits, page, name):
    for prior, label in enumerate(DIAL):
        ours = flipbook.simulate(visits, name, DIAL[label])[0].to_numpy()
        for number in (0, 1, 99):
            theirs = page.evaluate(
                "args => document.querySelector('figure').simulate(...args)", [prior, name, number]
            )
            assert theirs == pytest.approx(ours[number], abs=0.05)


@pytest.mark.parametrize("name", models.MODELS)
def test_the_simulation_is_that_of_the_model(visits, name):
    """Moments of outcomes against the closed form: mean, variance, covariance within a county."""
    draws = 8000
    priors = Priors()
    times = flipbook.simulate(visits, name, priors, draws=draws)[0].to_numpy()
    kent = visits.index[visits["county"] == "Kent"][:2]
    devon = visits.index[visits["county"] == "Devon"][0]
    x = visits["std_age"].to_numpy()
    group = priors.group_sd**2 * (name != "pooled")
    tilt = priors.slope_sd**2 * (name == "random_slope")

    def covariance(i, j, same_county):
        shared = priors.intercept[1] ** 2 + priors.slope[1] ** 2 * x[i] * x[j]
        return shared + same_county * (group + tilt * x[i] * x[j]) + (i == j) * priors.sigma**2

    i, j = kent
    found = np.cov(times[:, [i, j, devon]].T)
    assert times[:, i].mean() == pytest.approx(200, abs=2)
    for value, expected in (
        (found[0, 0], covariance(i, i, True)),
        (found[0, 1], covariance(i, j, True)),
        (found[0, 2], covariance(i, devon, False)),
    ):
        assert value == pytest.approx(expected, rel=0.1)


def test_intercepts_and_slopes_of_groups_are_correlated_as_rho_says(visits):
    one = {name: ("draw", np.zeros(4000)) for name in ("intercept", "slope", "sigma")}
    sds = {name: ("draw", np.ones(4000)) for name in ("group_sd", "slope_sd")}
    given = xr.Dataset(one | sds | {"rho": ("draw", np.full(4000, 0.6))})
    times = flipbook.simulate(visits, "random_slope", given)[0].to_numpy()
    kent = np.flatnonzero(visits["county"] == "Kent")
    x = visits["std_age"].to_numpy()
    a, b = kent[np.argmin(x[kent])], kent[np.argmax(x[kent])]
    slope = (times[:, b] - times[:, a]) / (x[b] - x[a])
    assert np.corrcoef(slope, times[:, a] - slope * x[a])[0, 1] == pytest.approx(0.6, abs=0.05)


def test_draws_of_any_prior_turn_pages(visits):
    """PyMC's group "prior" has parameters that no ``Priors`` can say."""
    rng = np.random.default_rng(3)
    shape = ("chain", "draw")
    draws = {name: (shape, rng.gamma(2, 10, (2, 50))) for name in ("intercept", "slope", "sigma")}
    prior = xr.Dataset(draws | {"group_sd": (shape, rng.gamma(2, 10, (2, 50)))})
    book = flipbook.make_flipbook(
        visits, {"gamma": prior}, title="Gammas", models=("pooled", "random_intercept"), pages=20
    )
    assert content(book)["pages"] == 20
    assert content(book)["priors"][0]["draws"]["sigma"] == pytest.approx(
        prior["sigma"].to_numpy().ravel()[:20], rel=1e-4
    )
    with pytest.raises(ValueError, match="slope_sd"):
        flipbook.make_flipbook(visits, {"gamma": prior}, title="Gammas")


def test_any_frame_turns_pages(visits, open_page):
    frame = visits.rename(columns={"bounce_time": "score", "std_age": "z", "county": "school"})
    frame = frame[["score", "z", "school"]]
    columns = {"outcome": "score", "predictor": "z", "group": "school"}
    labels = {"plausible": (100, 300), "unit": "points"}
    book = flipbook.make_flipbook(frame, DIAL, title="Schools", draws=100, **columns, **labels)
    assert content(book)["labels"] == ["z", "score"]
    assert content(book)["x"] == pytest.approx(frame["z"].tolist(), rel=1e-3)
    page = open_page(book)
    assert page.get_by_text("impossible (< 100 points)").first.is_visible()
    assert title_of(page) == "Data set 1 of 100"


def test_what_cannot_be_drawn_is_refused(visits):
    with pytest.raises(ValueError, match="prior to start from"):
        flipbook.make_flipbook(visits, DIAL, title="Priors", start="nobody's")
    with pytest.raises(ValueError, match="model"):
        flipbook.make_flipbook(visits, DIAL, title="Priors", models=("cubic",))
    with pytest.raises(ValueError, match="no column"):
        flipbook.make_flipbook(visits, DIAL, title="Priors", group="school")
    with pytest.raises(ValueError, match="no column 'years'"):
        flipbook.make_flipbook(visits, DIAL, title="Priors", shown="years")
    with pytest.raises(ValueError, match="'county' is not numeric"):
        flipbook.make_flipbook(visits, DIAL, title="Priors", shown="county")


# The controls


def test_the_dials_change_prior_and_model(page):
    assert page.get_by_role("group", name="Prior").get_by_role("radio").count() == 3
    labels = []
    for prior in DIAL:
        page.get_by_label(prior, exact=True).check()
        assert page.text_content("form .chosen th") == prior
        labels.append(page.get_attribute("canvas", "aria-label"))
    page.get_by_label("pooled", exact=True).check()
    labels.append(page.get_attribute("canvas", "aria-label"))
    assert len(set(labels)) == 4


def test_pages_turn_by_button_slider_key_and_drag(page):
    page.get_by_label("Next data set").click()
    assert title_of(page) == "Data set 2 of 100"
    page.keyboard.press("ArrowRight")  # the button has the focus
    assert title_of(page) == "Data set 3 of 100"
    page.get_by_label("Simulated data set").focus()
    page.keyboard.press("ArrowLeft")
    assert title_of(page) == "Data set 2 of 100"
    box = page.locator("canvas").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 200, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, middle)
    page.mouse.up()
    assert title_of(page) == "Data set 3 of 100"
    for _ in range(3):
        page.get_by_label("Previous data set").click()
    assert title_of(page) == "Data set 100 of 100"


def touch(screen, kind, *places):
    """A touch as a screen reports it: where fingers are at its start, while they move, or at its end."""
    points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
    screen.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})


def test_a_swipe_turns_the_page_and_two_fingers_do_not(open_page, book):
    page = open_page(book, has_touch=True, viewport={"width": 360, "height": 740})
    page.locator("canvas").scroll_into_view_if_needed()
    box = page.locator("canvas").bounding_box()
    left, y = box["x"], box["y"] + box["height"] / 3
    screen = page.context.new_cdp_session(page)
    touch(screen, "Start", (left + 200, y))
    for x in range(180, 60, -20):
        touch(screen, "Move", (left + x, y))
    touch(screen, "End")
    assert title_of(page) == "Data set 2 of 100"
    touch(screen, "Start", (left + 200, y))
    touch(screen, "Start", (left + 200, y), (left + 220, y))
    for step in range(20, 120, 20):
        touch(screen, "Move", (left + 200 - step, y), (left + 220 + step, y))
    touch(screen, "End")
    assert title_of(page) == "Data set 2 of 100"


def test_keys_outside_the_flip_book_are_left_to_the_page(page):
    page.locator("body").press("ArrowRight")
    assert title_of(page) == "Data set 1 of 100"


def test_tab_reaches_every_control_and_shows_where_it_is(page):
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "() => { const e = document.activeElement, r = e.getBoundingClientRect();"
                "return [e.type, getComputedStyle(e).outlineStyle] }"
            )
        )
    assert [kind for kind, _ in reached] == [
        "radio",
        "radio",
        "button",
        "button",
        "button",
        "range",
    ]
    assert {outline for _, outline in reached} == {"solid"}


def test_controls_are_large_enough_to_touch(open_page, book):
    page = open_page(book, viewport={"width": 360, "height": 740})
    sizes = page.evaluate(
        "[...document.querySelectorAll('button, label, [type=range]')].map(e => {"
        "const r = e.getBoundingClientRect(); return Math.min(r.width, r.height) })"
    )
    assert min(sizes) >= 24
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def stop_the_clock(page):
    """From here on no time passes but what ``run_for`` gives: a busy machine's own turns no page."""
    page.clock.install(time=0)
    page.clock.pause_at(3_600_000)


def play(page, milliseconds):
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(milliseconds)
    return title_of(page)


def test_play_turns_pages_until_pause(page):
    stop_the_clock(page)
    assert title_of(page) == "Data set 1 of 100"
    assert play(page, 2000) == "Data set 3 of 100"
    assert page.get_attribute(".status", "aria-live") == "off"
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(5000)
    assert title_of(page) == "Data set 3 of 100"
    assert page.get_attribute(".status", "aria-live") == "polite"


def test_who_wants_less_motion_gets_less(open_page, book):
    page = open_page(book, reduced_motion="reduce")
    stop_the_clock(page)
    page.reload()  # so that the widget's own timers would be the clock's
    page.clock.run_for(20_000)
    assert title_of(page) == "Data set 1 of 100"
    assert play(page, 4000) == "Data set 2 of 100"
    page = open_page(book)
    stop_the_clock(page)
    play(page, 1000)
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button", name="Play").wait_for()


def test_two_flip_books_stand_on_one_page_without_meeting(open_page, book):
    page = open_page(book, book)
    page.get_by_label("Next data set").first.click()
    page.get_by_label("too tight", exact=True).nth(1).check()
    assert page.locator(".status").all_text_contents()[1].startswith("Data set 1 of")
    assert page.locator("form .chosen th").all_text_contents() == ["wide", "too tight"]


# The page it stands on


# How a notebook runs the script in an output that it adds to its page: JupyterLab puts a copy in its place,
# VS Code adds a copy to the end of the output and takes it away again.
RUN = {
    "JupyterLab": "script.replaceWith(copy)",
    "VS Code": "output.append(copy); copy.remove()",
}


def show_in_notebook(page, how, *books):
    """Add each flip-book to the page as an output of a notebook."""
    for book in books:
        page.evaluate(
            """html => {
              const output = document.createElement("div");
              output.className = "jp-RenderedHTMLCommon";
              output.innerHTML = html;
              document.body.append(output);
              for (const script of [...output.querySelectorAll("script")]) {
                const copy = document.createElement("script");
                copy.text = script.text;
                HOW;
              }
            }""".replace("HOW", how),
            book,
        )


@pytest.mark.parametrize("program", RUN)
@pytest.mark.parametrize("outputs", [1, 2])
def test_two_flip_books_stand_in_a_notebook(open_page, book, program, outputs):
    page = open_page(HTML("<p>A notebook</p>"))
    books = [book.data] * 2
    show_in_notebook(page, RUN[program], *(books if outputs == 2 else ["".join(books)]))
    assert page.locator("canvas").count() == 2
    page.get_by_label("Next data set").last.click()
    assert [text.partition(":")[0] for text in page.locator(".status").all_text_contents()] == [
        "Data set 1 of 100",
        "Data set 2 of 100",
    ]


def test_the_table_can_be_read_in_a_dark_notebook(open_page, book):
    """JupyterLab gives the rows of tables a ground of its theme; ours keep white under dark words."""
    page = open_page(HTML("<body style='background: #111'>"))
    show_in_notebook(page, RUN["JupyterLab"], book.data)
    ground = ".jp-RenderedHTMLCommon tbody tr:nth-child({}) {{ background: #111 }}"
    page.add_style_tag(content=ground.format("odd") + ground.format("even"))
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run('table', {runOnly: ['color-contrast']})")
    assert found["violations"] == []
    assert found["passes"]


def test_a_flip_book_needs_nothing_but_its_page(book):
    assert not re.search(r"""href\s*=|https?://|import\s*\(|fetch\s*\(""", book.data)
    assert all(source.startswith("data:") for source in re.findall(r'src="([^"]*)', book.data))


def test_two_flip_books_on_a_page_are_light(book):
    assert 2 * len(book.data.encode()) < 250_000


def test_without_scripts_a_still_picture_and_the_shares_stand_there(open_page, book):
    page = open_page(book, java_script_enabled=False)
    picture = page.locator(".still img")
    assert picture.is_visible() and len(picture.get_attribute("alt")) > 40
    assert page.locator(".still tbody tr").count() == 3
    assert not page.locator("button").count()


def test_on_paper_the_still_picture_takes_the_place_of_the_controls(page):
    assert page.locator("canvas").is_visible() and not page.locator(".still").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".still").is_visible() and not page.locator("canvas").is_visible()


def test_words_cannot_break_the_page(visits):
    frame = visits.assign(county=visits["county"].astype(str).replace("Kent", "</script><b>"))
    dial = {'<b>"ours" & more': Priors()}
    page = flipbook.make_flipbook(frame, dial, title='<b>slope & "group"</b>', draws=20).data
    assert page.count("</script>") == 1
    assert "<b>" not in page


# The still picture


def test_one_wild_data_set_does_not_stretch_the_frame(visits):
    pages = simulated(visits).to_numpy()[0]
    calm = flipbook.axis_limits(pages, visits["bounce_time"])
    pages[0, 0] = 1e9
    assert flipbook.axis_limits(pages, visits["bounce_time"]) == pytest.approx(calm, rel=0.05)


def test_the_frame_holds_zero_and_every_observed_time(visits):
    low, high = flipbook.axis_limits(np.full((2, 3), 210.0), visits["bounce_time"])
    assert low < 0
    assert high > visits["bounce_time"].max()


def test_paper_shows_the_observed_data_and_no_empty_panel(visits):
    figure = flipbook.plot_data_sets(visits, simulated(visits), title="A prior", frames=2)
    shown = [ax.get_title(loc="left") for ax in figure.axes if ax.get_visible()]
    assert shown == ["Observed", "Simulated, 1", "Simulated, 2"]
    plt.close(figure)
