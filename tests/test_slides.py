"""The slides in a real browser: from disk, without a network, each within its box, on screen and on paper.

These tests read ``_build/slides``, which ``make slides`` builds. Without a browser or without decks they
are skipped, and in CI that is a failure.
"""

import re
from dataclasses import dataclass, field

import nbformat
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
    raw: words.flatMap(e => [...e.childNodes]).filter(n => n.nodeType === 3 && /\\$[^$]+\\$|\\\\[a-z]+\\{|\\{(ref|term|cite)/.test(n.data)).map(n => n.data),
    empty: !shown.some(e => e.matches("img, canvas, svg, mjx-container") || hasText(e)),
    broken: slide.querySelectorAll("mjx-merror, [data-mjx-error]").length,
    unnamed: [...slide.querySelectorAll("img")].filter(i => !i.naturalWidth || i.alt.length < 20).length,
    notes: [...slide.querySelectorAll("aside.notes")].map(e => e.textContent.trim()).join(" "),
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
    silent = [slide["text"] for slide in deck.slides if len(slide["notes"]) < 20]
    assert not silent


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


def test_the_contents_lead_to_every_deck(browser):
    page = browser.new_page()
    page.goto((slides.SLIDES / "index.html").as_uri())
    links = page.eval_on_selector_all("li a", "links => links.map(link => link.href)")
    page.close()
    assert links == [(slides.SLIDES / f"{name}.html").as_uri() for name in NAMES]


def test_the_notes_open_in_a_window_of_their_own(open_deck):
    page = open_deck(NAMES[0])
    with page.context.expect_page() as opened:
        page.keyboard.press("s")
    notes = opened.value.locator(".speaker-controls-notes .value")
    notes.get_by_text("Objectives").wait_for()
    page.keyboard.press("ArrowRight")
    notes.get_by_text("Objectives").wait_for(state="detached")


def test_a_picture_to_touch_works_on_its_slide(open_deck):
    name = next(
        name for name in NAMES if "to-touch" in (slides.SLIDES / f"{name}.html").read_text("utf-8")
    )
    page = open_deck(name)
    page.evaluate(
        "() => { const slide = document.querySelector('.to-touch').closest('.sheet');"
        "const {h, v} = Reveal.getIndices(slide); Reveal.slide(h, v, 99) }"
    )
    widget = page.locator(".to-touch").first
    assert not widget.locator(".still").is_visible()
    before = widget.locator(".status").inner_text()
    widget.locator("[type=range]").first.focus()
    page.keyboard.press("ArrowRight")  # moves the slider, not the deck
    assert widget.is_visible()
    assert widget.locator(".status").inner_text() != before
    for button in widget.locator("button").all():
        button.click(trial=True)


def test_nothing_comes_from_another_host():
    require(
        (slides.SLIDES / "index.html").exists(), "there are no slides yet: run `make slides` first"
    )
    for page in slides.SLIDES.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.findall(
            r'<(?:script|img|iframe|source|link)\b[^>]*\b(?:src|href)="(?:https?:)?//[^"]+', text
        ), page
    for sheet in slides.SLIDES.rglob("*.css"):
        assert not re.findall(r"url\(['\"]?(?:https?:)?//", sheet.read_text(encoding="utf-8")), (
            sheet
        )


def marked(cell: nbformat.NotebookNode, kind: str, *tags: str) -> nbformat.NotebookNode:
    cell.metadata.update({"slideshow": {"slide_type": kind}, "tags": list(tags)})
    return cell


def test_a_deck_has_the_marked_cells_and_no_others(tmp_path):
    new, page = nbformat.v4, tmp_path / "page.ipynb"
    frame = "# Title\n\n**Questions**\n- What?\n\n**Objectives**\n- That.\n\n```"
    drawn = new.new_output("display_data", {"image/png": "", "text/plain": "<Figure>"})
    told = new.new_output("display_data", {"text/markdown": "See {ref}`here <random-slope>`."})
    cells = [
        new.new_markdown_cell(frame),
        new.new_code_cell("unmarked = 1"),
        marked(new.new_markdown_cell("```{note}\nText\n```"), "slide"),
        marked(new.new_code_cell("draw()", outputs=[drawn]), "fragment"),
        marked(new.new_code_cell("tell()", outputs=[told]), "-", "remove-input"),
        marked(new.new_markdown_cell("Say this."), "notes"),
    ]
    notebook = new.new_notebook(cells=cells)
    nbformat.write(notebook, page)
    arranged = slides.arrange_slides(notebook, page)
    text = [cell.source for cell in arranged.cells if cell.cell_type == "markdown"]
    assert text == [
        "# Title\n\n- What?",
        "**Objectives**\n- That.",
        "> **Note**\n> \n> Text",
        "Say this.",
    ]
    code = [cell for cell in arranged.cells if cell.cell_type == "code"]
    assert [cell.source for cell in code if not cell.metadata.transient["remove_source"]] == []
    assert code[1].outputs[0].data["text/markdown"] == "See here."


def test_what_is_no_plain_markdown_is_refused():
    with pytest.raises(ValueError, match="no plain Markdown"):
        slides.write_words("```{unknown-directive} x\n```")
