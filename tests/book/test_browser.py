"""Every page in a real browser, once: whole, within WCAG 2.1 A and AA, and no wider than a phone.

The pages are those of ``make book``, opened from disk and without a network. Both themes, pictures for people
to look at, keys, search and paper are the deep lane's.
"""

import pytest

from browser_page import (
    PAGES,
    PHONE,
    UNFOLD,
    add_to_article,
    cramped,
    faults,
    violations,
    visit,
    widest,
)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_serves_every_reader(chromium, html, name):
    """With all that folds unfolded."""
    with visit(chromium, html, name) as opened:
        opened.load_images()
        assert faults(opened) == []
        opened.unfold()
        assert violations(opened.page) == []
        opened.narrow()
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= 360, widest(
            opened.page
        )
        assert cramped(opened.page) == []
        assert faults(opened) == []


def test_faults_of_a_page_are_seen(chromium, html):
    """A picture without a text, pale words in a fold, a formula that is none, a letter that was left
    out, a script that throws, a file that is missing, a host outside."""
    with visit(chromium, html, "notebooks/formulas") as opened:
        page = opened.page
        add_to_article(page, '<img width=9 height=9 src="data:,">')
        add_to_article(page, "<details><p style='color: #888'>Pale words</p></details>")
        add_to_article(page, r"<p class='math'>\(\nosuchmacro \mathfrak{A}\)</p>")
        page.evaluate(UNFOLD)
        for fault in ("image-alt", "color-contrast"):
            assert [line for line in violations(page) if fault in line], fault
        page.evaluate("() => MathJax.typesetPromise()")
        assert opened.count("mjx-container [fill=red]")
        assert [fault for fault in faults(opened) if "letters left out" in fault]
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


def test_what_a_phone_cramps_is_seen(chromium, html):
    with visit(chromium, html, "notebooks/about") as opened:
        opened.narrow()
        assert cramped(opened.page) == []
        add_to_article(
            opened.page,
            "<img alt=x width=300 height=9 src='data:,'><svg><text y=9 font-size=8>x</text></svg>"
            f"<pre style='overflow-x: auto'>{99 * 'x'}</pre>",
        )
        assert len(cramped(opened.page)) == 3


def test_a_tap_or_a_key_enlarges_a_figure_where_it_is_small(chromium, html):
    with visit(chromium, html, "notebooks/06_random_intercept") as opened:
        opened.load_images()
        page, view = opened.page, opened.page.locator("dialog.enlarged")
        figure = page.locator(".cell_output a:has(> img)").first
        assert not opened.count(".shrunk")
        page.set_viewport_size(PHONE)
        page.wait_for_function("() => document.querySelector('.shrunk')")
        figure.click()
        drawn, shown = (place.locator("img") for place in (view, figure))
        assert drawn.bounding_box()["width"] > 1.5 * shown.bounding_box()["width"]
        assert drawn.get_attribute("alt") == shown.get_attribute("alt")
        address, closed = (
            page.url,
            "() => !history.state?.enlarged && !document.querySelector('[open].enlarged')",
        )
        page.keyboard.press("Escape")
        page.wait_for_function(closed)
        figure.press("Enter")
        view.get_by_role("button", name="Close").click()
        page.wait_for_function(closed)
        figure.click()
        page.evaluate("history.back()")  # as a phone's button does
        page.wait_for_function(closed)
        assert page.url == address
        assert opened.problems == []


def test_dial_picture_and_slider_of_the_flip_book_fit_a_phone(chromium, html):
    with visit(chromium, html, "notebooks/04_choosing_priors") as opened:
        opened.page.set_viewport_size(PHONE)
        header = opened.page.locator(".bd-header-article").bounding_box()["height"]
        for book in opened.page.locator("figure.to-touch").all():
            top = book.locator("fieldset").first.bounding_box()["y"]
            numbers = book.locator(".status").bounding_box()
            assert numbers["y"] + numbers["height"] - top < PHONE["height"] - header


def test_a_wide_table_keeps_its_first_column(chromium, html):
    with visit(chromium, html, "notebooks/11_model_comparison") as opened:
        opened.page.set_viewport_size(PHONE)
        table = opened.page.locator(".cell_output .goes-on:has(> table), .goes-on table").first
        first = table.locator("tbody th, tbody td").first
        before = first.bounding_box()["x"]
        table.evaluate("e => e.closest('.goes-on').scrollLeft = 60")
        assert table.evaluate("e => e.closest('.goes-on, .text_html').scrollLeft") == 60
        assert abs(first.bounding_box()["x"] - before) < 2


def test_letters_come_with_the_page_and_icons_without_a_font(chromium, html):
    loaded = "() => document.fonts.ready.then(fonts => [...fonts].flatMap(f => f.status == 'loaded' ? [f.family] : []))"
    with visit(chromium, html, "notebooks/08_quick_diagnostics") as opened:
        assert {name.strip('"') for name in opened.page.evaluate(loaded)} == {"Source Sans 3"}
        folder = html / "_static" / "fonts"
        assert "Open Font License" in (folder / "LICENSE").read_text(encoding="utf-8")
        assert sum(file.stat().st_size for file in folder.glob("*.woff2")) < 60_000


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
