"""The slides in a browser: no network, each within its box, on screen and on paper."""

import re

import pytest

import slides
from browser_page import Visit
from chapters import list_chapters, read_title
from executed import require

SIZE = {"width": 1280, "height": 720}
LEAST = 17  # px of 720: smaller type is not legible from the back of a room
NAMES = [path.stem for path in list_chapters()]

# Boxes of what a slide shows: not its notes, and a formula but not the parts inside.
LOOK = """slide => {
  const shown = [...slide.querySelectorAll("*")]
    .filter(e => !e.closest("aside, mjx-container *, script, style"));
  const box = slide.getBoundingClientRect(), name = e => e.tagName + "." + e.className;
  const outside = r => r.width && (r.left < box.left - 1 || r.right > box.right + 1
    || r.top < box.top - 1 || r.bottom > box.bottom + 1);
  const texts = e => [...e.childNodes].filter(n => n.nodeType === 3 && n.data.trim());
  const worded = shown.filter(e => texts(e).length && !e.closest("svg"));
  const type = e => parseFloat(getComputedStyle(e).fontSize);
  const words = node => { const range = document.createRange(); range.selectNode(node);
    return range.getBoundingClientRect(); };
  const picture = e => { const r = e.getBoundingClientRect();
    const scale = Math.min(r.width / e.naturalWidth, r.height / e.naturalHeight);
    const x = (r.width - scale * e.naturalWidth) / 2, y = (r.height - scale * e.naturalHeight) / 2;
    return new DOMRect(r.x + x, r.y + y, r.width - 2 * x, r.height - 2 * y); };
  const filled = [...worded.flatMap(texts).map(words), ...shown.filter(e => e.matches("img")).map(picture)];
  const over = (a, b) => a.width && b.width && Math.min(a.right, b.right) > Math.max(a.left, b.left) + 1
    && Math.min(a.bottom, b.bottom) > Math.max(a.top, b.top) + 1;
  const arrows = [...document.querySelectorAll(".reveal > .controls .enabled .controls-arrow")];
  return {
    text: slide.textContent.trim().slice(0, 60),
    outside: shown.filter(e => outside(e.getBoundingClientRect())).map(name),
    hidden: [slide, ...shown].filter(e => e.clientWidth && !e.closest("mjx-container")
      && (e.scrollWidth > e.clientWidth + 1 || getComputedStyle(e).overflowY !== "visible"
        && e.scrollHeight > e.clientHeight + 1)).map(name),
    small: worded.filter(e => !e.closest(".to-touch") && type(e) < LEAST).map(name),
    raw: worded.filter(e => !e.closest("pre, code")).flatMap(texts).map(n => n.data)
      .filter(text => /\\$[^$]+\\$|\\\\[a-z]+\\{/.test(text)),
    empty: !shown.some(e => e.matches("img, canvas, svg, mjx-container") || texts(e).length),
    crossed: arrows.filter(e => filled.some(r => over(r, e.getBoundingClientRect()))).map(name),
    broken: slide.querySelectorAll("mjx-merror, [data-mjx-error]").length,
    unnamed: shown.filter(e => e.matches("img") && (!e.naturalWidth || e.alt.length < 20)).length,
    label: getComputedStyle(slide, "::after").content,
  };
}""".replace("LEAST", str(LEAST))
DEFECTS = ("outside", "hidden", "small", "raw", "empty", "crossed", "broken", "unnamed")
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


@pytest.fixture
def open_deck(chromium):
    """Function that shows a deck from disk, when all its slides have found their size."""
    made = (slides.SLIDES / "index.html").exists()
    require(made, "there are no slides yet: run `make slides` first")
    opened = []

    def show(name: str, query: str = "", **settings) -> Visit:
        settings = {"viewport": SIZE, "reduced_motion": "no-preference"} | settings
        opened.append(Visit(chromium, slides.SLIDES / f"{name}.html", query, **settings))
        opened[-1].page.wait_for_selector("html[data-ready]")
        return opened[-1]

    yield show
    for deck in opened:
        deck.context.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_deck_is_whole(open_deck, name):
    """Everything is there, fits, can be read and is spoken to; on paper, each slide has a page."""
    screen, paper = open_deck(name), open_deck(name, "?print-pdf")
    shown = screen.page.evaluate(LOOK_AT_ALL)
    printed = paper.page.evaluate(LOOK_AT_PAGES)
    pdf = paper.page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(shown) == len(printed) == len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 3
    found = [(slide["text"], what) for slide in shown for what in DEFECTS if slide[what]]
    on_paper = [what for what in DEFECTS if what != "small"]
    found += [(slide["text"], what) for slide in printed for what in on_paper if slide[what]]
    assert found + screen.problems + paper.problems == []
    title = read_title(slides.ROOT / "notebooks" / f"{name}.ipynb")
    label = f'"{title} · Do younger visitors stay longer?"'
    assert {slide["label"] for slide in shown + printed} == {label}


def test_a_deck_that_is_slow_to_print_says_ready_when_its_pages_are_there(open_deck):
    slow = (
        "const next = requestAnimationFrame;"
        "window.requestAnimationFrame = then => next(() => setTimeout(then, 200))"
    )
    assert open_deck(NAMES[0], "?print-pdf", first=slow).count(".pdf-page") >= 3


def test_a_slide_with_too_much_on_it_is_seen(open_deck):
    page = open_deck(NAMES[0]).page
    page.evaluate(
        "() => { const slide = Reveal.getSlides()[1], more = document.createElement('pre');"
        "more.textContent = 'too wide '.repeat(40) + '\\nand too high'.repeat(40);"
        "more.style.fontSize = '10px'; slide.append(more) }"
    )
    for defect in ("outside", "small"):
        seen = page.evaluate(LOOK_AT_ALL)
        assert [number for number, slide in enumerate(seen) if slide[defect]] == [1]


def test_the_notes_open_in_a_window_of_their_own(open_deck):
    page = open_deck(NAMES[0]).page
    with page.context.expect_page() as opened:
        page.keyboard.press("s")
    notes = opened.value.locator(".speaker-controls-notes .value")
    notes.get_by_text("Objectives").wait_for()
    page.keyboard.press("ArrowRight")
    notes.get_by_text("Objectives").wait_for(state="detached")


def test_a_flip_book_fills_its_slide_and_can_be_turned(open_deck):
    page = open_deck("04_choosing_priors").page
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
