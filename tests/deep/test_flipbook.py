"""The flip-book in a browser: its controls, its numbers, notebooks that show it, light and dark."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from IPython.display import HTML

from dial import DIAL
from helpers import flipbook, models

PHONE = {"width": 360, "height": 740}


@pytest.fixture
def page(open_page, book):
    return open_page(book)


def is_at(page, number) -> bool:
    return page.text_content(".status").startswith(f"Data set {number} of 100:")


def to_first(page) -> None:
    """Turn back from the page at which a book opens."""
    page.locator("[type=range]").press("Home")
    assert is_at(page, 1)


def test_the_dials_change_prior_and_model_and_the_shares_are_those_of_the_helpers(visits, page):
    assert page.get_by_role("group", name="Prior").get_by_role("radio").count() == 3
    shown = set()
    for name in models.MODELS:
        page.get_by_label(name.replace("_", " "), exact=True).check()
        times = {label: flipbook.simulate(visits, name, prior) for label, prior in DIAL.items()}
        rows = page.locator("form tbody tr").all()
        found = [row.locator("td").all_text_contents() for row in rows]
        assert found == flipbook.present_shares(times).to_numpy().tolist()
        for prior in DIAL:
            page.get_by_label(prior, exact=True).check()
            assert page.text_content("form .chosen th") == prior
            shown.add(page.get_attribute("canvas", "aria-label"))
    assert len(shown) == 9


def test_pages_turn_by_button_slider_key_and_drag_and_other_keys_are_left_to_the_page(page):
    opened = page.text_content(".status")
    page.locator("body").press("ArrowRight")
    assert page.text_content(".status") == opened
    to_first(page)
    page.get_by_label("Next data set").click()
    assert is_at(page, 2)
    page.keyboard.press("ArrowRight")  # the button has the focus
    assert is_at(page, 3)
    page.get_by_label("Simulated data set").focus()
    page.keyboard.press("ArrowLeft")
    assert is_at(page, 2)
    box = page.locator("canvas").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 200, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, middle)
    page.mouse.up()
    assert is_at(page, 3)
    for _ in range(3):
        page.get_by_label("Previous data set").click()
    assert is_at(page, 100)


def touch(screen, kind, *places):
    """A touch as a screen reports it: where fingers are at its start, on their way, at its end."""
    points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
    screen.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})


def test_a_swipe_turns_the_page_and_two_fingers_do_not(open_page, book):
    page = open_page(book, has_touch=True, viewport=PHONE)
    to_first(page)
    page.locator("canvas").scroll_into_view_if_needed()
    box = page.locator("canvas").bounding_box()
    left, y = box["x"], box["y"] + box["height"] / 3
    screen = page.context.new_cdp_session(page)
    touch(screen, "Start", (left + 200, y))
    for x in range(180, 60, -20):
        touch(screen, "Move", (left + x, y))
    touch(screen, "End")
    assert is_at(page, 2)
    touch(screen, "Start", (left + 200, y))
    touch(screen, "Start", (left + 200, y), (left + 220, y))
    for step in range(20, 120, 20):
        touch(screen, "Move", (left + 200 - step, y), (left + 220 + step, y))
    touch(screen, "End")
    assert is_at(page, 2)


def test_tab_reaches_every_control_and_shows_where_it_is(page):
    look = "e => [e.type, getComputedStyle(e).outlineStyle]"
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.locator(":focus").evaluate(look))
    kinds = ["radio"] * 2 + ["button"] * 3 + ["range"]
    assert reached == [[kind, "solid"] for kind in kinds]


def test_controls_are_large_enough_to_touch(open_page, book):
    page = open_page(book, viewport=PHONE)
    sizes = page.evaluate(
        "[...document.querySelectorAll('button, label, [type=range]')].map(e => {"
        "const r = e.getBoundingClientRect(); return Math.min(r.width, r.height) })"
    )
    assert min(sizes) >= 24
    below = "document.querySelector('.controls').getBoundingClientRect().bottom"
    assert page.evaluate(below) <= PHONE["height"]  # dials, picture and slider on one screen
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def play(page, milliseconds):
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(milliseconds)


@pytest.fixture
def still_page(open_page, book):
    """Function that opens a page where no time passes but what ``run_for`` gives."""

    def show(**settings):
        page = open_page(book, **settings)
        page.clock.install(time=0)
        page.clock.pause_at(3_600_000)
        page.reload()  # so that the widget's own timers are the clock's
        page.clock.run_for(20_000)
        to_first(page)
        return page

    return show


def test_play_turns_pages_until_pause(still_page):
    page = still_page()
    play(page, 2000)
    assert is_at(page, 3)
    assert page.get_attribute(".status", "aria-live") == "off"
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(5000)
    assert is_at(page, 3)
    assert page.get_attribute(".status", "aria-live") == "polite"


def test_who_wants_less_motion_gets_less(still_page):
    page = still_page(reduced_motion="reduce")
    play(page, 4000)
    assert is_at(page, 2)
    page = still_page()
    play(page, 1000)
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button", name="Play").wait_for()


# How a notebook runs the script in an output that it adds to its page: JupyterLab puts a copy in
# its place, VS Code adds a copy to the end of the output and takes it away again.
RUN = {"JupyterLab": "script.replaceWith(copy)", "VS Code": "output.append(copy); copy.remove()"}
ADD_OUTPUT = """html => {
  const output = document.createElement("div");
  output.className = "jp-RenderedHTMLCommon";
  output.innerHTML = html;
  document.body.append(output);
  for (const script of [...output.querySelectorAll("script")]) {
    const copy = document.createElement("script");
    copy.text = script.text;
    RUN;
  }
}"""


@pytest.mark.parametrize("program", RUN)
@pytest.mark.parametrize("outputs", [1, 2])
def test_two_flip_books_stand_in_a_notebook(open_page, book, program, outputs):
    page = open_page(HTML("<p>A notebook</p>"))
    for _ in range(outputs):
        page.evaluate(ADD_OUTPUT.replace("RUN", RUN[program]), book.data * (2 // outputs))
    assert page.locator("canvas").count() == 2
    sliders = page.locator("[type=range]")
    sliders.first.press("Home")
    sliders.last.press("Home")
    page.get_by_label("Next data set").last.click()
    status = page.locator(".status").all_text_contents()
    assert [text.partition(":")[0] for text in status] == [f"Data set {n} of 100" for n in (1, 2)]


def test_the_table_can_be_read_in_a_dark_notebook(open_page, book):
    """JupyterLab gives rows of tables a ground of its theme; ours keep white under dark words."""
    page = open_page(HTML("<body style='background: #111'>"))
    page.evaluate(ADD_OUTPUT.replace("RUN", RUN["JupyterLab"]), book.data)
    ground = ".jp-RenderedHTMLCommon tbody tr:nth-child({}) {{ background: #111 }}"
    page.add_style_tag(content=ground.format("odd") + ground.format("even"))
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run('table', {runOnly: ['color-contrast']})")
    assert found["violations"] == []
    assert found["passes"]
