"""The rendered book in a real browser: from its archive, without a network, in both themes, wide and narrow.

These tests unpack the archive that ``make test`` builds first, so a page sees nothing else of the book.
Without a browser or without the archive they are skipped, and in CI that is a failure.
"""

import functools
import gzip
import re
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from chapters import list_pages
from conftest import ROOT
from helpers import flipbook
from helpers.priors import Priors
from pdf import ARRANGE, PRINT

SHOTS = ROOT / "_build" / "screenshots"
WIDE, NARROW = {"width": 1300, "height": 900}, {"width": 360, "height": 740}
# Only what is wrong is asked for: to list all that is right takes most of the time.
AXE = {"preload": False, "resultTypes": ["violations"], "reporter": "no-passes"}
# In the dark theme only colours are others.
WCAG = {
    "light": AXE | {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "dark": AXE | {"runOnly": {"type": "rule", "values": ["color-contrast"]}},
}
# A page has thousands of coloured words of code, in few colours that have a test of their own; what else
# can be wrong with code is that it scrolls and no key reaches it.
WHERE = {"exclude": [".highlight"]}
REACHED = """() => [...document.querySelectorAll(".highlight pre")]
    .every(e => e.scrollWidth <= e.clientWidth || e.tabIndex >= 0)"""
STILL = "* { transition: none !important; animation: none !important }"
PAGE_LIMIT = 1_500_000  # bytes that a reader's browser is sent
TOUCH_LIMIT = 300_000  # bytes of a page's widgets, their data and scripts with them
# Figures whose shape on the page is not that of the picture, by more than rounding.
SQUEEZED = """() => [...document.querySelectorAll("article img")].filter(i => i.width &&
    Math.abs(i.naturalWidth / i.naturalHeight / (i.width / i.height) - 1) > 0.03).map(i => i.src)"""
UNFOLD = """async () => {
    document.querySelectorAll("details").forEach(e => e.open = true);
    document.querySelectorAll(".toggle-hidden").forEach(e => e.classList.remove("toggle-hidden"));
    await new Promise(done => requestAnimationFrame(() => setTimeout(done))) }"""
TOUCHED = """() => [...document.querySelectorAll("figure.to-touch")]
    .reduce((sum, figure) => sum + new Blob([figure.outerHTML]).size, 0)"""
# The longest pages first, so that no browser is left alone with one at the end.
LONGEST_FIRST = sorted(list_pages(), key=lambda path: -path.stat().st_size)
PAGES = [f"notebooks/{path.stem}" for path in LONGEST_FIRST] + ["genindex", "search"]
FORMULA_PAGES = [page for page in PAGES if re.match("notebooks/0[3-8]", page)] + [
    "notebooks/formulas"
]


class Visit:
    """A page opened from disk, the files that it took, and all that went wrong while it was open."""

    def __init__(self, browser: Browser, file: Path, query: str = ""):
        self.problems: list[str] = []
        self.files: set[Path] = set()
        self.context = browser.new_context(
            viewport=WIDE, color_scheme="light", reduced_motion="reduce", offline=True
        )
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        self.page.on(
            "requestfailed", lambda request: self.problems.append(f"failed: {request.url}")
        )
        self.page.on("request", self.note_request)
        self.page.on("console", self.note_message)
        self.page.goto(file.as_uri() + query)
        self.page.evaluate("async () => window.MathJax?.startup && await MathJax.startup.promise")

    def note_request(self, request) -> None:
        address = urlparse(request.url)
        if address.scheme == "file":
            self.files.add(Path(unquote(address.path)))
        elif address.scheme not in ("data", "blob"):
            self.problems.append(f"outside: {request.url}")

    def note_message(self, message) -> None:
        # The theme's script says this once, the first time that a browser has no choice stored.
        if message.type == "error" and "invalid theme mode" not in message.text:
            self.problems.append(f"console: {message.text}")

    def load_images(self) -> None:
        self.page.evaluate(
            "async () => { const all = [...document.images]; all.forEach(i => i.loading = 'eager');"
            "await Promise.allSettled(all.map(i => i.decode())) }"
        )

    def count(self, selector: str) -> int:
        return self.page.locator(selector).count()

    def show_theme(self, theme: str) -> None:
        self.page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)

    def shoot(self, name: str, theme: str) -> None:
        """Keep a picture of the whole page, for people to look at."""
        width = self.page.viewport_size["width"]
        path = SHOTS / f"{Path(name).name}-{width}-{theme}.jpg"
        self.page.screenshot(path=path, full_page=True, type="jpeg", quality=80)

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_) -> None:
        self.context.close()


def visit(browser: Browser, html: Path, name: str, query: str = "") -> Visit:
    return Visit(browser, html / f"{name}.html", query)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_serves_every_reader(chromium, html, name):
    """It loads whole from disk and is light, and with all that folds unfolded it has no violation of WCAG
    2.1 A or AA in either theme and nothing wider than a phone. Pictures are kept."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    with visit(chromium, html, name) as opened:
        opened.load_images()
        check_loaded(opened)
        page = opened.page
        page.add_style_tag(content=STILL)
        page.evaluate(UNFOLD)
        page.wait_for_function(REACHED, timeout=5000)  # scripts look again after a size changes
        for theme in ("light", "dark"):
            opened.show_theme(theme)
            assert violations(page, theme) == []
            opened.shoot(name, theme)
        page.set_viewport_size(NARROW)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, widest(page)
        assert page.evaluate(SQUEEZED) == []
        page.wait_for_function(REACHED, timeout=5000)  # scripts look again after a size changes
        for theme in ("dark", "light"):
            opened.show_theme(theme)
            opened.shoot(name, theme)
        assert opened.problems == []


def check_loaded(opened: Visit) -> None:
    script = "[...document.images].filter(i => !i.naturalWidth).map(i => i.src)"
    assert opened.page.evaluate(script) == []
    assert opened.count(".math:not(:has(mjx-container))") == 0
    assert opened.count("mjx-merror, [data-mjx-error], mjx-container [fill=red]") == 0
    assert opened.count("svg.svg-inline--fa .missing") == 0
    assert opened.page.evaluate(SQUEEZED) == []
    assert opened.page.evaluate(TOUCHED) <= TOUCH_LIMIT
    assert opened.problems == []
    assert weigh(opened.files) <= PAGE_LIMIT


def weigh(files: set[Path]) -> int:
    """Bytes sent: text is compressed on its way, and a sharp screen takes the larger figures."""
    sharp = [file.with_name(file.name.replace("-1x.webp", ".webp")) for file in files]
    return sum(
        file.stat().st_size if file.suffix in (".webp", ".png", ".woff2") else packed_size(file)
        for file in sharp
    )


@functools.cache  # most of a page's files are every page's
def packed_size(file: Path) -> int:
    return len(gzip.compress(file.read_bytes(), compresslevel=6))


def violations(page: Page, theme: str = "light", where: dict = WHERE) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    run = "([where, options]) => axe.run(where, options)"
    found = page.evaluate(run, [where, WCAG[theme]])["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


def widest(page: Page) -> str:
    """What makes the page scroll sideways, for the message of a failure."""
    return page.evaluate(
        "() => [...document.querySelectorAll('.bd-main *')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.offsetParent)"
        ".slice(0, 5).map(e => e.outerHTML.slice(0, 120)).join('\\n')"
    )


def test_faults_of_a_page_are_seen(chromium, html):
    """A picture without a text, pale words in a fold, a formula that is none, a script that throws, a file
    that is missing, a host outside."""
    with visit(chromium, html, "notebooks/formulas") as opened:
        page = opened.page
        add_to_article(page, '<img width=9 height=9 src="data:,">')
        add_to_article(page, "<details><p style='color: #888'>Pale words</p></details>")
        add_to_article(page, r"<p class='math'>\(\nosuchmacro\)</p>")
        page.evaluate(UNFOLD)
        for fault in ("image-alt", "color-contrast"):
            assert [line for line in violations(page) if fault in line], fault
        page.evaluate("() => MathJax.typesetPromise()")
        assert opened.count("mjx-container [fill=red]")
        with (
            page.expect_event("pageerror"),
            page.expect_event("requestfailed", lambda request: "no.png" in request.url),
            page.expect_request("https://example.org/"),
        ):
            page.evaluate(
                "() => { setTimeout(() => { throw Error('planted') }); new Image().src = 'no.png';"
                "fetch('https://example.org').catch(() => 0) }"
            )
        for kind in ("script: planted", "failed: file", "outside: https://example.org"):
            assert [problem for problem in opened.problems if kind in problem], kind


def add_to_article(page: Page, html: str) -> None:
    page.evaluate(
        "html => document.querySelector('article').insertAdjacentHTML('beforeend', html)", html
    )


@pytest.mark.parametrize("theme", WCAG)
def test_colours_of_code_can_be_read(chromium, html, theme):
    """Each kind of word that is coloured anywhere in the book, once."""
    kinds = set()
    for page in html.rglob("*.html"):
        kinds |= set(re.findall(r'<span class="([a-z0-9]{1,3})">', page.read_text("utf-8")))
    assert {"k", "n", "s2", "mi"} <= kinds
    words = "\n".join(f'<span class="{kind}">word {kind}</span>' for kind in sorted(kinds))
    with visit(chromium, html, "notebooks/about") as opened:
        opened.show_theme(theme)
        add_to_article(opened.page, f'<div class="highlight" id="all"><pre>{words}</pre></div>')
        opened.page.add_style_tag(content=STILL)
        assert violations(opened.page, theme, {"include": ["#all"]}) == []
        opened.page.add_style_tag(content="#all .k { color: #777 !important }")
        assert violations(opened.page, theme, {"include": ["#all"]})


@pytest.mark.parametrize("name", FORMULA_PAGES)
def test_formulas_are_there_to_be_typeset(html, name):
    """A page without any would pass the check that none is left as TeX."""
    assert 'class="math' in (html / f"{name}.html").read_text(encoding="utf-8")


def test_the_theme_is_toggled(chromium, html):
    with visit(chromium, html, "notebooks/about") as opened:
        theme = "document.documentElement.dataset.theme"
        seen = {opened.page.evaluate(theme)}
        for _ in range(2):
            opened.page.locator("button.theme-switch-button:visible").first.click()
            seen.add(opened.page.evaluate(theme))
        assert seen == {"light", "dark"}
        assert opened.problems == []


def test_the_focus_is_visible(chromium, html):
    """Whatever the tabulator key reaches looks otherwise than without the focus."""
    with visit(chromium, html, "notebooks/about") as opened:
        opened.page.add_style_tag(content=STILL)
        look = (
            "e => { const s = getComputedStyle(e);"
            "return [s.outline, s.boxShadow, s.border, s.background, s.textDecoration].join() }"
        )
        for _ in range(25):
            opened.page.keyboard.press("Tab")
            reached = opened.page.evaluate_handle("document.activeElement").as_element()
            focused = reached.evaluate(look)
            assert focused != reached.evaluate(f"e => {{ e.blur(); return ({look})(e) }}"), (
                reached.evaluate("e => e.outerHTML.slice(0, 200)")
            )
            reached.focus()


@pytest.mark.parametrize(
    ("button", "inside"),
    [("primary", "Random intercept and slope"), ("secondary", "Shrinkage")],
    ids=["menu", "contents"],
)
def test_a_phone_shows_where_one_can_go(chromium, html, button, inside):
    with visit(chromium, html, "notebooks/06_random_intercept") as opened:
        opened.page.set_viewport_size(NARROW)
        drawer = opened.page.locator(f"dialog.bd-sidebar-{button}")
        assert not drawer.is_visible()
        opened.page.locator(f".bd-header-article .{button}-toggle").click()
        drawer.get_by_role("link", name=inside).first.click()
        assert opened.problems == []


def test_a_solution_unfolds(chromium, html):
    with visit(chromium, html, "notebooks/02_exploring_is_modelling") as opened:
        solution = opened.page.locator(".solution.dropdown").first
        content = solution.locator("p:not(.admonition-title)").first
        assert not content.is_visible()
        solution.locator("button, summary").first.click()
        content.wait_for(state="visible")


def test_the_flip_book_answers_to_the_hand(chromium, html):
    """Click, key and slider turn the page and change its numbers; a dial changes the row of shares."""
    with visit(chromium, html, "notebooks/04_choosing_priors") as opened:
        book = opened.page.locator("figure.to-touch").first

        def numbers() -> str:
            return book.locator(".status").text_content().partition(":")[2]

        seen = [numbers()]
        book.get_by_label("Next data set").click()
        seen.append(numbers())
        opened.page.keyboard.press("ArrowRight")
        seen.append(numbers())
        slider = book.locator("input[type=range]").last
        slider.focus()
        slider.press("End")
        seen.append(numbers())
        assert len(set(seen)) == 4
        chosen = book.locator(".chosen").text_content()
        book.locator("input[type=radio]:not(:checked)").first.check()
        assert book.locator(".chosen").text_content() != chosen
        assert opened.problems == []


def test_the_search_finds_shrinkage(chromium, html):
    with visit(chromium, html, "search", "?q=shrinkage") as opened:
        opened.page.locator("#search-results li a", has_text="Random intercept").first.wait_for()
        assert opened.problems == []


def test_paper_has_still_flip_books_and_solutions_at_the_end(chromium, visits, tmp_path):
    """What ``make pdf`` does to the one page that holds all chapters, on a page of two."""
    book = flipbook.make_flipbook(visits, {"ours": Priors()}, title="Priors", draws=20).data
    solution = '<div class="solution dropdown toggle-hidden"><p>Solution {}</p></div>'
    chapters = "".join(
        f"<section><h2>Chapter {number}</h2>{solution.format(number)}<p>End {number}</p></section>"
        for number in (1, 2)
    )
    file = tmp_path / "book.html"
    article = f'<article><div class="toctree-wrapper">{book}{chapters}</div></article>'
    mathjax = "<script>MathJax = {startup: {promise: Promise.resolve()}}</script>"
    file.write_text(f"<!doctype html><meta charset=utf-8>{mathjax}{article}", encoding="utf-8")
    with Visit(chromium, file) as opened:
        opened.page.evaluate(ARRANGE)
        opened.page.add_style_tag(content=PRINT)
        opened.page.emulate_media(media="print")
        text = opened.page.locator("article").inner_text()
        order = (
            "Chapter 1",
            "End 1",
            "Chapter 2",
            "End 2",
            "Solutions",
            "Solution 1",
            "Solution 2",
        )
        places = [text.index(words) for words in order]
        assert places == sorted(places)
        assert opened.page.locator(".still img").is_visible()
        assert not opened.page.locator("canvas").is_visible()
        assert opened.problems == []
