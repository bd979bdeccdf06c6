"""The archive of the book, unpacked elsewhere, in a real browser: both themes, keys, search, paper, pictures to look at."""

import functools
import gzip
import re
from pathlib import Path

import pytest

from conftest import ROOT
from helpers import flipbook
from helpers.priors import Priors
from pdf import ARRANGE, PRINT
from visit import NARROW, PAGES, STILL, WCAG, Visit, add_to_article, faults, violations, visit

SHOTS = ROOT / "_build" / "screenshots"
PAGE_LIMIT = 1_500_000  # bytes that a reader's browser is sent
TOUCH_LIMIT = 300_000  # bytes of a page's widgets, their data and scripts with them
TOUCHED = """() => [...document.querySelectorAll("figure.to-touch")]
    .reduce((sum, figure) => sum + new Blob([figure.outerHTML]).size, 0)"""
FORMULA_PAGES = [page for page in PAGES if re.match("notebooks/0[3-8]", page)] + [
    "notebooks/formulas"
]


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


def test_the_search_finds_shrinkage(chromium, html):
    with visit(chromium, html, "search", "?q=shrinkage") as opened:
        opened.page.locator("#search-results li a", has_text="Random intercept").first.wait_for()
        assert opened.problems == []


def test_paper_has_still_flip_books_and_solutions_at_the_end(chromium, visits, tmp_path):
    """What ``make pdf`` does to the one page that holds all chapters, on a page of two."""
    book = flipbook.make_flipbook(visits, {"ours": Priors()}, title="Priors").data
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
