"""The rendered book in a real browser: from disk, without a network, in both themes, wide and narrow.

These tests read ``_build/html``, which ``make test`` builds first. Without a browser or without pages
they are skipped, and in CI that is a failure.
"""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from chapters import list_pages
from playwright.sync_api import Browser, Page

from conftest import ROOT, require

HTML = ROOT / "_build" / "html"
SHOTS = ROOT / "_build" / "screenshots"
WIDE, NARROW = {"width": 1300, "height": 900}, {"width": 360, "height": 740}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
PAGES = [path.stem for path in list_pages()]
each_page = pytest.mark.parametrize("name", PAGES)


@pytest.fixture(scope="session")
def browser(chromium):
    require((HTML / "index.html").exists(), "there are no pages yet: run `make book` first")
    return chromium


class Visit:
    """A page opened from disk, and all that went wrong while it was open."""

    def __init__(self, browser: Browser, name: str, theme: str = "light", size: dict = WIDE):
        self.problems: list[str] = []
        self.context = browser.new_context(
            viewport=size, color_scheme=theme, reduced_motion="reduce"
        )
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        self.page.on(
            "requestfailed", lambda request: self.problems.append(f"failed: {request.url}")
        )
        self.page.on("request", self.note_outside)
        self.page.on("console", self.note_message)
        self.page.goto((HTML / name).as_uri())
        self.page.evaluate("async () => window.MathJax?.startup && await MathJax.startup.promise")

    def note_outside(self, request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.problems.append(f"outside: {request.url}")

    def note_message(self, message) -> None:
        # The theme's script says this once, the first time that a browser has no choice stored.
        if message.type == "error" and "invalid theme mode" not in message.text:
            self.problems.append(f"console: {message.text}")

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_) -> None:
        self.context.close()


@each_page
def test_a_page_loads_whole_from_disk(browser, name):
    """No failed or outside request, no error, formulas typeset, images there, screenshots kept."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    with Visit(browser, f"notebooks/{name}.html") as visit:
        page = visit.page
        broken = page.evaluate(
            "async () => { const all = [...document.images]; all.forEach(i => i.loading = 'eager');"
            "await Promise.allSettled(all.map(i => i.decode()));"
            "return all.filter(i => !i.naturalWidth).map(i => i.src) }"
        )
        assert not broken
        raw = page.evaluate(
            "[...document.querySelectorAll('.math')].filter(m => !m.querySelector('mjx-container')).length"
        )
        assert raw == 0
        assert not page.locator("mjx-merror, [data-mjx-error]").count()
        page.screenshot(path=SHOTS / f"{name}-1300.png", full_page=True)
        page.set_viewport_size(NARROW)
        page.screenshot(path=SHOTS / f"{name}-360.png", full_page=True)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW["width"], widest(page)
        assert not visit.problems


def widest(page: Page) -> str:
    """What makes the page scroll sideways, for the message of a failure."""
    return page.evaluate(
        "() => [...document.querySelectorAll('.bd-main *')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.offsetParent)"
        ".slice(0, 5).map(e => e.outerHTML.slice(0, 120)).join('\\n')"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@each_page
def test_a_page_has_no_violation_of_wcag(browser, name, theme):
    with Visit(browser, f"notebooks/{name}.html", theme) as visit:
        options = {"preload": False, "runOnly": WCAG}
        found = Axe().run(visit.page, options=options).response["violations"]
        assert not found, "\n".join(
            f"{violation['id']}: {node['html'][:200]}"
            for violation in found
            for node in violation["nodes"]
        )


def test_axe_sees_a_picture_without_a_text(browser):
    with Visit(browser, "notebooks/about.html") as visit:
        visit.page.evaluate("document.querySelector('article').append(new Image(9, 9))")
        found = Axe().run(visit.page, options={"preload": False, "runOnly": WCAG}).response
        assert "image-alt" in [violation["id"] for violation in found["violations"]]


def test_nothing_comes_from_another_host():
    require((HTML / "index.html").exists(), "there are no pages yet: run `make book` first")
    for page in HTML.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.findall(
            r'<(?:script|img|iframe|source)\b[^>]*\bsrc="(?:https?:)?//[^"]+', text
        ), page
        sheets = re.findall(r'<link\b[^>]*rel="(?:stylesheet|preload)"[^>]*>', text)
        assert not [sheet for sheet in sheets if re.search(r'href="(?:https?:)?//', sheet)], page


def test_the_theme_is_toggled(browser):
    with Visit(browser, "notebooks/index.html") as visit:
        theme = "document.documentElement.dataset.theme"
        seen = {visit.page.evaluate(theme)}
        for _ in range(2):
            visit.page.locator("button.theme-switch-button:visible").first.click()
            seen.add(visit.page.evaluate(theme))
        assert seen == {"light", "dark"}


def test_a_solution_unfolds(browser):
    with Visit(browser, "notebooks/06_random_intercept.html") as visit:
        solution = visit.page.locator(
            ".solution.dropdown, details.solution, .admonition.solution"
        ).first
        content = solution.locator("p:not(.admonition-title)").first
        assert not content.is_visible()
        solution.locator("button, summary").first.click()
        content.wait_for(state="visible")


def test_the_search_finds_shrinkage(browser):
    with Visit(browser, "search.html") as visit:
        visit.page.goto((HTML / "search.html").as_uri() + "?q=shrinkage")
        visit.page.locator("#search-results li a", has_text="Random intercept").first.wait_for()
        assert not visit.problems
