"""Every page in a real browser, once: whole, within WCAG 2.1 A and AA, and no wider than a phone.

The pages are those of ``make book``, opened from disk and without a network. Both themes, pictures for people
to look at, keys, search and paper are the deep lane's.
"""

import pytest

from visit import PAGES, UNFOLD, add_to_article, faults, violations, visit, widest


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
        assert faults(opened) == []


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
