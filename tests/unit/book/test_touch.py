import re

import numpy as np

from helpers.book import touch

SETTINGS = {"own": 210.0, "population": 200.0, "sigma": 8.0, "n": 7, "tau": 4.0, "group": "Kent"}


def make():
    return touch.make_shrinkage_widget(**SETTINGS)


def test_the_estimate_follows_n_and_tau(open_page):
    page = open_page(make())
    set_value = (
        "(e, value) => { e.value = value; e.dispatchEvent(new Event('input', {bubbles: true})) }"
    )
    for n, tau in ((7, 4.0), (1, 8.0), (150, 0.0), (20, 2.0)):
        for name, value in (("n", n), ("tau", tau)):
            page.locator(f"[name={name}]").evaluate(set_value, str(value))
        weight = n * tau**2 / (n * tau**2 + 8.0**2)
        assert f"{weight:.2f}. Estimate: {200 + 10 * weight:.1f} s" in page.text_content(".status")


def test_the_curve_rises_towards_the_own_data(open_page):
    page = open_page(make())
    points = re.findall(r"[\d.]+ ([\d.]+)", page.get_attribute(".curve", "d"))
    heights = np.array(points, dtype=float)  # downwards, as screens count
    assert np.all(np.diff(heights) <= 0)
    assert float(page.get_attribute(".estimate", "cy")) < heights[0]


def test_the_sliders_start_where_the_county_stands(open_page):
    page = open_page(make())
    assert page.locator("[name=n]").input_value() == "7"
    assert page.locator("[name=tau]").input_value() == "4"


def test_sliders_have_names_and_arrow_keys(open_page):
    page = open_page(make())
    for name in ("n", "\u03c4"):
        slider = page.get_by_role("slider", name=name, exact=True)
        before = slider.input_value()
        slider.press("ArrowRight")
        assert slider.input_value() != before


def test_a_sentence_stands_where_scripts_do_not_run_and_on_paper(open_page):
    page = open_page(make(), java_script_enabled=False)
    assert "the weight 0.64" in page.text_content(".still")
    page = open_page(make())
    assert not page.locator(".still").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".still").is_visible() and not page.locator("svg").is_visible()
