"""The rendered book in a real browser: from its archive, without a network, in both themes, wide and narrow.

These tests unpack the archive that ``make test`` builds first, so a page sees nothing else of the book.
Without a browser or without the archive they are skipped, and in CI that is a failure.
"""

import gzip
import re
import shutil
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe
from chapters import list_pages
from playwright.sync_api import Browser, Page

from conftest import ROOT, require

ARCHIVE = ROOT / "_build" / "bayesian-lmm-book-html.zip"
SHOTS = ROOT / "_build" / "screenshots"
WIDE, NARROW = {"width": 1300, "height": 900}, {"width": 360, "height": 740}
# In the dark theme only colours are others.
WCAG = {
    "light": {"preload": False, "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "dark": {"preload": False, "runOnly": {"type": "rule", "values": ["color-contrast"]}},
}
PAGE_LIMIT = 1_500_000  # bytes that a reader's browser is sent
# Figures whose shape on the page is not that of the picture, by more than rounding.
SQUEEZED = """() => [...document.querySelectorAll("article img")].filter(i => i.width &&
    Math.abs(i.naturalWidth / i.naturalHeight / (i.width / i.height) - 1) > 0.03).map(i => i.src)"""
PAGES = [path.stem for path in list_pages()]
each_page = pytest.mark.parametrize("name", PAGES)


@pytest.fixture(scope="session")
def html(tmp_path_factory) -> Path:
    """The rendered book, unpacked somewhere else."""
    require(ARCHIVE.exists(), "there are no pages yet: run `make book` first")
    folder = tmp_path_factory.mktemp("un packed")
    shutil.unpack_archive(ARCHIVE, folder)
    return folder / ARCHIVE.stem


class Visit:
    """A page opened from disk, the files that it took, and all that went wrong while it was open."""

    def __init__(self, browser: Browser, file: Path):
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
        self.page.goto(file.as_uri())
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

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_) -> None:
        self.context.close()


def visit(browser: Browser, html: Path, name: str) -> Visit:
    return Visit(browser, html / f"{name}.html")


@each_page
def test_a_page_loads_whole_from_disk_and_is_light(chromium, html, name):
    with visit(chromium, html, f"notebooks/{name}") as opened:
        opened.load_images()
        script = "[...document.images].filter(i => !i.naturalWidth).map(i => i.src)"
        assert opened.page.evaluate(script) == []
        assert opened.count(".math:not(:has(mjx-container))") == 0
        assert opened.count("mjx-merror, [data-mjx-error]") == 0
        assert opened.count("svg.svg-inline--fa .missing") == 0
        assert opened.problems == []
        assert weigh(opened.files) <= PAGE_LIMIT


def weigh(files: set[Path]) -> int:
    """Bytes sent: text is compressed on its way, and a sharp screen takes the larger figures."""
    sharp = [file.with_name(file.name.replace("-1x.webp", ".webp")) for file in files]
    return sum(
        file.stat().st_size if file.suffix in (".webp", ".png", ".woff2") else packed_size(file)
        for file in sharp
    )


def packed_size(file: Path) -> int:
    return len(gzip.compress(file.read_bytes(), compresslevel=6))


@each_page
def test_a_page_serves_every_reader(chromium, html, name):
    """No violation of WCAG 2.1 A or AA in either theme, nothing wider than a phone; pictures kept."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    with visit(chromium, html, f"notebooks/{name}") as opened:
        opened.load_images()
        page = opened.page
        page.add_style_tag(content="* { transition: none !important }")
        for theme in ("light", "dark"):
            page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            assert violations(page, theme) == []
            for size in (NARROW, WIDE):
                page.set_viewport_size(size)
                shot = SHOTS / f"{name}-{size['width']}-{theme}.jpg"
                page.screenshot(path=shot, full_page=True, type="jpeg", quality=80)
                width = page.evaluate("document.documentElement.scrollWidth")
                assert width <= size["width"], widest(page)
                assert page.evaluate(SQUEEZED) == []


def violations(page: Page, theme: str = "light") -> list[str]:
    found = Axe().run(page, options=WCAG[theme]).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


def widest(page: Page) -> str:
    """What makes the page scroll sideways, for the message of a failure."""
    return page.evaluate(
        "() => [...document.querySelectorAll('.bd-main *')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.offsetParent)"
        ".slice(0, 5).map(e => e.outerHTML.slice(0, 120)).join('\\n')"
    )


@each_page
def test_a_page_can_be_heard(html, name):
    """Headings go down by one level, tables have headers, and a figure's text says what it shows."""
    text = (html / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
    article = text[text.index("<article") : text.index("</article>")]
    levels = [int(level) for level in re.findall(r"<h([1-6])\b", article)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert all("<th" in table for table in re.findall(r"<table.*?</table>", article, re.DOTALL))
    for image in re.findall(r"<img [^>]*>", article):
        assert not is_placeholder(image), image


def is_placeholder(image: str) -> bool:
    """Whether the text of a picture is missing, a file's name, or too short to say anything."""
    found = re.search(r'\balt="([^"]*)"', image)
    said = found[1] if found else ""
    return len(said) < 40 or bool(re.search(r"_images|\.(png|svg|webp)\b|^(figure|image)\b", said))


@pytest.mark.parametrize("alt", ["", "figure 1", "../_images/0a1b2c" + 40 * "d" + ".png"])
def test_a_placeholder_is_seen(alt):
    assert is_placeholder(f'<img alt="{alt}" src="x.png">')
    assert is_placeholder('<img src="x.png">')


def test_faults_of_a_page_are_seen(chromium, html):
    """A picture without a text, a script that throws, a file that is missing, a host outside."""
    with visit(chromium, html, "notebooks/about") as opened:
        opened.page.evaluate("document.querySelector('article').append(new Image(9, 9))")
        assert [line for line in violations(opened.page) if "image-alt" in line]
        opened.page.evaluate(
            "() => { setTimeout(() => { throw Error('planted') }); new Image().src = 'no.png';"
            "fetch('https://example.org').catch(() => 0) }"
        )
        opened.page.wait_for_timeout(300)
        for kind in ("script: planted", "failed: file", "outside: https://example.org"):
            assert [problem for problem in opened.problems if kind in problem], kind


def test_nothing_comes_from_another_host(html):
    for page in html.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.findall(
            r'<(?:script|img|iframe|source)\b[^>]*\bsrc="(?:https?:)?//[^"]+', text
        ), page
        sheets = re.findall(r'<link\b[^>]*rel="(?:stylesheet|preload)"[^>]*>', text)
        assert not [sheet for sheet in sheets if re.search(r'href="(?:https?:)?//', sheet)], page


def test_the_theme_is_toggled(chromium, html):
    with visit(chromium, html, "notebooks/index") as opened:
        theme = "document.documentElement.dataset.theme"
        seen = {opened.page.evaluate(theme)}
        for _ in range(2):
            opened.page.locator("button.theme-switch-button:visible").first.click()
            seen.add(opened.page.evaluate(theme))
        assert seen == {"light", "dark"}


def test_the_focus_is_visible(chromium, html):
    with visit(chromium, html, "notebooks/06_random_intercept") as opened:
        style = (
            "() => { const s = getComputedStyle(document.activeElement);"
            "return [s.outlineStyle, s.boxShadow] }"
        )
        for _ in range(25):
            opened.page.keyboard.press("Tab")
            outline, shadow = opened.page.evaluate(style)
            assert outline != "none" or shadow != "none"


def test_a_solution_unfolds(chromium, html):
    with visit(chromium, html, "notebooks/06_random_intercept") as opened:
        solution = opened.page.locator(".solution.dropdown").first
        content = solution.locator("p:not(.admonition-title)").first
        assert not content.is_visible()
        solution.locator("button, summary").first.click()
        content.wait_for(state="visible")


def test_the_flip_book_answers_to_the_hand(chromium, html):
    """Click, key and slider turn the page, and a dial changes the row of shares."""
    with visit(chromium, html, "notebooks/04_choosing_priors") as opened:
        book = opened.page.locator("figure.to-touch").first
        status = book.locator(".status")
        seen = [status.text_content()]
        book.get_by_label("Next data set").click()
        seen.append(status.text_content())
        opened.page.keyboard.press("ArrowRight")
        seen.append(status.text_content())
        slider = book.locator("input[type=range]").last
        slider.focus()
        slider.press("End")
        seen.append(status.text_content())
        assert len(set(seen)) == 4
        chosen = book.locator(".chosen").text_content()
        book.locator("input[type=radio]:not(:checked)").first.check()
        assert book.locator(".chosen").text_content() != chosen
        assert opened.problems == []


def test_the_search_finds_shrinkage(chromium, html):
    with visit(chromium, html, "search") as opened:
        opened.page.goto((html / "search.html").as_uri() + "?q=shrinkage")
        opened.page.locator("#search-results li a", has_text="Random intercept").first.wait_for()
        assert opened.problems == []


def test_an_address_that_does_not_exist_leads_back(chromium, html):
    text = (html / "404.html").read_text(encoding="utf-8")
    assert "<h1" in text and "index.html" in text
