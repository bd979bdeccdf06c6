"""The slides in a real browser: from disk, without a network, each within its box, on screen and on paper."""

import re
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page

import slides
from chapters import list_chapters
from conftest import require

SIZE = {"width": 1280, "height": 720}
LEAST = 17  # px of 720: smaller type is not legible from the back of a room
NAMES = [path.stem for path in list_chapters()]

# Boxes of what a slide shows; the notes are not shown, and a formula's parts lie inside the formula.
LOOK = """slide => {
  const shown = [...slide.querySelectorAll("*")].filter(e => !e.closest("aside, mjx-container *, script, style"));
  const box = slide.getBoundingClientRect(), name = e => e.tagName + "." + e.className;
  const outside = r => r.width && (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1);
  const hasText = e => [...e.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  const words = shown.filter(e => hasText(e) && !e.closest("pre, code, svg"));
  return {
    text: slide.textContent.trim().slice(0, 60),
    outside: shown.filter(e => outside(e.getBoundingClientRect())).map(name),
    hidden: [slide, ...shown].filter(e => e.clientWidth && !e.closest("mjx-container") && (e.scrollWidth > e.clientWidth + 1
      || getComputedStyle(e).overflowY !== "visible" && e.scrollHeight > e.clientHeight + 1)).map(name),
    type: Math.min(...shown.filter(e => hasText(e) && !e.closest("svg, .to-touch")).map(e => parseFloat(getComputedStyle(e).fontSize))),
    raw: words.flatMap(e => [...e.childNodes]).filter(n => n.nodeType === 3 && /\\$[^$]+\\$|\\\\[a-z]+\\{/.test(n.data)).map(n => n.data),
    empty: !shown.some(e => e.matches("img, canvas, svg, mjx-container") || hasText(e)),
    broken: slide.querySelectorAll("mjx-merror, [data-mjx-error]").length,
    unnamed: [...slide.querySelectorAll("img")].filter(i => !i.naturalWidth || i.alt.length < 20).length,
    label: getComputedStyle(slide, "::after").content,
  };
}"""
# A widget draws itself anew when its slide comes: that takes a frame.
LOOK_AT_ALL = f"""async () => {{
  const seen = [];
  for (const slide of Reveal.getSlides()) {{
    const {{h, v}} = Reveal.getIndices(slide);
    Reveal.slide(h, v, 99);
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    seen.push(({LOOK})(slide));
  }}
  return seen;
}}"""
LOOK_AT_PAGES = f"() => [...document.querySelectorAll('.pdf-page > section')].map({LOOK})"


@dataclass
class Deck:
    """What a browser saw of one deck, and all that went wrong meanwhile."""

    slides: list[dict] = field(default_factory=list)
    pages: list[dict] = field(default_factory=list)
    paper: int = 0  # pages of the PDF
    problems: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        page.on("requestfailed", lambda request: self.problems.append(f"failed: {request.url}"))
        page.on("request", self.note_outside)
        page.on("console", self.note_message)

    def note_outside(self, request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.problems.append(f"outside: {request.url}")

    def note_message(self, message) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console: {message.text}")

    def found(self, what: str) -> dict[str, list]:
        """Beginning of a slide's text -> what was found there."""
        return {slide["text"]: slide[what] for slide in self.slides + self.pages if slide[what]}


@pytest.fixture(scope="session")
def browser(chromium):
    require(
        (slides.SLIDES / "index.html").exists(), "there are no slides yet: run `make slides` first"
    )
    return chromium


@pytest.fixture
def open_deck(browser):
    """Function that shows a deck from disk, when all its slides have found their size."""
    context = browser.new_context(viewport=SIZE)

    def show(name: str, query: str = "", deck: Deck | None = None) -> Page:
        page = context.new_page()
        if deck:
            deck.listen(page)
        page.goto((slides.SLIDES / f"{name}.html").as_uri() + query)
        page.wait_for_selector("html[data-ready]")
        return page

    yield show
    context.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_deck_is_whole(open_deck, name):
    """Everything is there, fits, can be read and is spoken to; on paper, each slide has a page."""
    deck = Deck()
    deck.slides = open_deck(name, deck=deck).evaluate(LOOK_AT_ALL)
    page = open_deck(name, "?print-pdf", deck)
    deck.pages = page.evaluate(LOOK_AT_PAGES)
    paper = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(deck.slides) >= 3
    assert len(deck.slides) == len(deck.pages) == len(re.findall(rb"/Type\s*/Page\b", paper))
    assert not deck.problems
    for defect in ("empty", "outside", "hidden", "raw", "broken", "unnamed"):
        assert not deck.found(defect), defect
    small = [slide["text"] for slide in deck.slides if slide["type"] < LEAST]
    assert not small
    assert {slide["label"] for slide in deck.slides + deck.pages} == {f'"{label_of(name)}"'}


def label_of(name: str) -> str:
    """What stands in the corner of each slide: the course, and the number of the chapter."""
    return f"Do younger visitors stay longer? · {name.partition('_')[0].lstrip('0').upper()}"


def test_a_deck_that_is_slow_to_print_says_ready_when_its_pages_are_there(browser):
    page = browser.new_page()
    page.add_init_script(
        "const next = requestAnimationFrame;"
        "window.requestAnimationFrame = then => next(() => setTimeout(then, 200))"
    )
    page.goto((slides.SLIDES / f"{NAMES[0]}.html").as_uri() + "?print-pdf")
    page.wait_for_selector("html[data-ready]")
    shown = page.locator(".pdf-page").count()
    page.close()
    assert shown >= 3


def test_a_slide_with_too_much_on_it_is_seen(open_deck):
    page = open_deck(NAMES[0])
    page.evaluate(
        "() => { const slide = Reveal.getSlides()[1], more = document.createElement('pre');"
        "more.textContent = 'too wide '.repeat(40) + '\\nand too high'.repeat(40); slide.append(more) }"
    )
    seen = page.evaluate(LOOK_AT_ALL)
    assert [number for number, slide in enumerate(seen) if slide["outside"]] == [1]


def test_the_notes_open_in_a_window_of_their_own(open_deck):
    page = open_deck(NAMES[0])
    with page.context.expect_page() as opened:
        page.keyboard.press("s")
    notes = opened.value.locator(".speaker-controls-notes .value")
    notes.get_by_text("Objectives").wait_for()
    page.keyboard.press("ArrowRight")
    notes.get_by_text("Objectives").wait_for(state="detached")


def test_a_flip_book_fills_its_slide_and_can_be_turned(open_deck):
    page = open_deck("04_choosing_priors")
    page.evaluate(
        "() => { const slide = document.querySelector('.to-touch').closest('.sheet');"
        "const {h, v} = Reveal.getIndices(slide); Reveal.slide(h, v, 99) }"
    )
    widget = page.locator(".to-touch").first
    assert not widget.locator(".still").is_visible()
    assert widget.locator("canvas").bounding_box()["width"] > 0.7 * SIZE["width"]
    before = widget.locator(".status").inner_text()
    widget.locator("[type=range]").first.focus()
    page.keyboard.press("ArrowRight")  # moves the slider, not the deck
    assert widget.is_visible()
    assert widget.locator(".status").inner_text() != before
    for button in widget.locator("button, label").all():
        button.click(trial=True)  # nothing lies over it
