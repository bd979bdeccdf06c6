"""The archive of the book, unpacked, in a browser: both themes, keys, search, paper, pictures."""

import functools
import gzip
import io
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from browser_page import (
    NARROW,
    PAGES,
    STILL,
    WCAG,
    Visit,
    add_to_article,
    faults,
    violations,
    visit,
)
from chapters import ROOT
from pdf import arrange

SHOTS = ROOT / "_build" / "screenshots"
PAGE_LIMIT = 1_200_000  # bytes that a reader's browser is sent
TOUCH_LIMIT = 300_000  # bytes of a page's widgets, their data and scripts with them
TOUCHED = """() => [...document.querySelectorAll("figure.to-touch")]
    .reduce((sum, figure) => sum + new Blob([figure.outerHTML]).size, 0)"""
FORMULAS = re.compile("notebooks/(0[3-8]|formulas)")
# How light the ground of the page is, from 0 to 255.
GROUND = """() => {
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
    return 0.299 * r + 0.587 * g + 0.114 * b }"""
FOCUS = """e => {
    const look = () => { const s = getComputedStyle(e);
      return [s.outline, s.boxShadow, s.border, s.background, s.textDecoration].join() };
    const focused = look();
    e.blur();
    const shown = focused !== look();
    e.focus();
    return shown || e.outerHTML.slice(0, 200) }"""


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_light_and_can_be_read_in_both_themes(chromium, html, name):
    """Pictures of it are kept, wide and narrow, for people to look at."""
    with visit(chromium, html, name) as opened:
        opened.load_images()
        assert weigh(opened.files) <= PAGE_LIMIT
        assert opened.page.evaluate(TOUCHED) <= TOUCH_LIMIT
        opened.unfold()
        shoot(opened, name, "light")
        opened.show_theme("dark")
        assert violations(opened.page, "dark") == []
        shoot(opened, name, "dark")
        opened.narrow()
        for theme in ("dark", "light"):
            opened.show_theme(theme)
            shoot(opened, name, theme)
        assert faults(opened) == []
        # Without any the check that no formula is left as TeX would pass.
        assert opened.count("mjx-container") or not FORMULAS.match(name)


def shoot(opened: Visit, name: str, theme: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    width = opened.page.viewport_size["width"]
    path = SHOTS / f"{Path(name).name}-{width}-{theme}.jpg"
    opened.page.screenshot(path=path, full_page=True, type="jpeg", quality=80)


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
        for _ in range(25):
            opened.page.keyboard.press("Tab")
            assert opened.page.locator(":focus").evaluate(FOCUS) is True


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


@pytest.mark.parametrize("page", ["08_quick_diagnostics", "a4_gallery_of_failures"])
def test_a_figure_stands_on_the_ground_of_the_page(chromium, html, page):
    """In both themes, and what is ink on paper is light in the dark."""
    with visit(chromium, html, f"notebooks/{page}") as opened:
        opened.load_images()
        opened.unfold()
        seen = {}
        for theme in ("light", "dark"):
            opened.show_theme(theme)
            figure = opened.page.locator(".cell_output img").first
            with Image.open(io.BytesIO(figure.screenshot())) as shot:
                seen[theme] = np.asarray(shot.convert("L"), dtype=int)
            ground = opened.page.evaluate(GROUND)
            assert abs(seen[theme][1, 1] - ground) <= 3, theme
        assert seen["light"].min() < 80 and seen["dark"].max() > 200
        assert seen["light"].mean() > 200 and seen["dark"].mean() < 60


def test_a_solution_unfolds(chromium, html):
    with visit(chromium, html, "notebooks/02_exploring_is_modelling") as opened:
        solution = opened.page.locator(".solution.dropdown").first
        content = solution.locator("p:not(.admonition-title)").first
        assert not content.is_visible()
        solution.locator("button, summary").first.click()
        content.wait_for(state="visible")


def test_the_search_finds_shrinkage(chromium, html):
    with visit(chromium, html, "search", "?q=shrinkage") as opened:
        opened.page.locator("#search-results li a", has_text="Random intercept").first.wait_for()
        assert opened.problems == []


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def address(html):
    """Where the pages are served, as long as a test runs."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=html)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_results_show_lines_of_the_pages_where_these_are_served(chromium, html, address):
    """From disk they have titles only, and nothing fails."""
    with visit(chromium, html, "search", "?q=shrinkage") as opened:
        opened.page.locator("#search-results li a").first.wait_for()
        assert not opened.count("#search-results p.context")
        assert opened.problems == []
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}/search.html?q=shrinkage")
        page.locator("#search-results p.context", has_text="shrinkage").first.wait_for()


PAPER = """<!doctype html><meta charset=utf-8>
<script>MathJax = {startup: {promise: Promise.resolve()}}</script>
<article><section><h1>A book</h1><div class="toctree-wrapper">"""
CHAPTER = """<section><h2>Chapter %d</h2>
<div class="solution dropdown toggle-hidden"><p>Solution %d</p></div><p>End %d</p></section>"""


def test_paper_has_still_flip_books_and_solutions_at_the_end(chromium, book, tmp_path):
    """What ``make pdf`` does to the one page that holds all chapters, on a page of two."""
    file = tmp_path / "book.html"
    chapters = [CHAPTER % (number, number, number) for number in (1, 2)]
    file.write_text(
        "".join([PAPER, book.data, *chapters, "</div></section></article>"]), encoding="utf-8"
    )
    with Visit(chromium, file) as opened:
        arrange(opened.page, [])
        text = opened.page.locator("article").inner_text()
        order = "Chapter 1.*End 1.*Chapter 2.*End 2.*Solutions.*Solution 1.*Solution 2"
        assert re.search(order, text, re.DOTALL)
        assert opened.page.locator(".still img").is_visible()
        assert not opened.page.locator("canvas").is_visible()
        assert opened.problems == []
