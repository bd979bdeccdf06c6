import re

import arviz as az
import numpy as np
import pytest
import xarray as xr

from helpers.book import figures, touch
from helpers.diagnostics import ESS_LIMIT, R_HAT_LIMIT


@pytest.fixture(scope="module")
def shrinkage():
    return touch.make_shrinkage_widget(210.0, 200.0, 8.0, n=7, tau=4.0, group="Rutland & <b>")


@pytest.fixture(scope="module")
def chains():
    return figures.plot_step_sizes()


def set_slider(page, selector, value):
    page.locator(selector).evaluate(
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input', {bubbles: true})); }",
        str(value),
    )


def test_a_widget_needs_nothing_but_its_page(shrinkage, chains):
    for page in (shrinkage.data, chains.data):
        assert not re.search(r"""href\s*=|https?://|import\s*\(|fetch\s*\(""", page)
        assert all(source.startswith("data:") for source in re.findall(r'src="([^"]*)', page))
        assert page.count("</script>") == 1
        assert "<b>" not in page
        assert len(page.encode()) < 60_000


def test_the_counters_give_standard_normal_and_independent_numbers():
    z = widgets.draw_normals(np.arange(400_000))
    assert [z.mean(), z.std(), np.mean(z**3), np.mean(z**4)] == pytest.approx(
        [0, 1, 0, 3], abs=0.06
    )
    assert abs(np.corrcoef(z[1:], z[:-1])[0, 1]) < 0.01
    assert abs(np.corrcoef(z[::629][1:], z[::629][:-1])[0, 1]) < 0.15


def test_the_estimate_follows_n_and_tau(open_page, shrinkage):
    page = open_page(shrinkage)
    for n, tau in ((7, 4.0), (1, 8.0), (150, 0.0), (20, 2.0)):
        set_slider(page, "[name=n]", n)
        set_slider(page, "[name=tau]", tau)
        weight = n * tau**2 / (n * tau**2 + 8.0**2)
        assert f"{weight:.2f}. Estimate: {200 + 10 * weight:.1f} s" in page.text_content(".status")


def test_the_curve_rises_towards_the_own_data(open_page, shrinkage):
    page = open_page(shrinkage)
    points = re.findall(r"[\d.]+ ([\d.]+)", page.get_attribute(".curve", "d"))
    heights = np.array(points, dtype=float)  # downwards, as screens count
    assert np.all(np.diff(heights) <= 0)
    assert float(page.get_attribute(".estimate", "cy")) < heights[0]


def test_the_sliders_reach_where_they_start(open_page):
    page = open_page(touch.make_shrinkage_widget(210.0, 200.0, 8.0, n=400, tau=45.3, group="Kent"))
    assert page.locator("[name=n]").input_value() == "400"
    assert page.locator("[name=tau]").input_value() == "45.3"
    assert float(page.get_attribute(".estimate", "cx")) <= 400  # within the picture


@pytest.mark.parametrize("wrong", [{"n": 0}, {"tau": -1.0}, {"sigma": 0.0}])
def test_what_no_slider_can_show_is_refused(wrong):
    settings = {"own": 210.0, "population": 200.0, "sigma": 8.0, "n": 7, "tau": 4.0} | wrong
    with pytest.raises(ValueError, match="n must be 1 or more"):
        touch.make_shrinkage_widget(**settings, group="Kent")


def test_a_label_belongs_to_its_slider(open_page, shrinkage, chains):
    page = open_page(shrinkage, chains)
    controls = "[...document.querySelectorAll('label')].map(label => label.control.type)"
    assert page.evaluate(controls) == ["range"] * 3
    assert page.locator("output").count() == 0  # the status alone is read out


def test_a_group_sd_of_zero_pools_completely():
    page = touch.make_shrinkage_widget(210.0, 200.0, 8.0, n=7, tau=0.0, group="Rutland").data
    assert "weight 0.00" in page and "estimate 200.0 s" in page


@pytest.mark.parametrize("step", widgets.STEPS)
def test_the_page_walks_as_python_does(open_page, chains, step):
    page = open_page(chains)
    drawn = page.evaluate("step => document.querySelector('figure').walk(step).chains", step)
    assert np.array(drawn) == pytest.approx(widgets.walk(step, 1000), abs=1e-9)


@pytest.mark.parametrize("step", widgets.STEPS)
def test_the_page_judges_as_arviz_does(open_page, chains, step):
    page = open_page(chains)
    judged = page.evaluate(
        "step => { const f = document.querySelector('figure'); return f.judge(f.walk(step).chains) }",
        step,
    )
    draws = xr.DataArray(widgets.walk(step, 1000), dims=("chain", "draw"))
    assert judged["rHat"] == pytest.approx(float(az.rhat(draws, method="split")), rel=1e-3)
    assert judged["ess"] == pytest.approx(float(az.ess(draws, method="mean")), rel=0.05, abs=1)


def test_of_three_steps_only_the_middle_one_mixes(open_page, chains):
    page = open_page(chains)
    for step, mixes in zip(widgets.STEPS, (False, True, False), strict=True):
        set_slider(page, "input", np.log10(step))
        status = page.text_content(".status")
        assert ("The chains mix." in status) == mixes
        draws = xr.DataArray(widgets.walk(step, 1000), dims=("chain", "draw"))
        good = az.rhat(draws, method="split") <= R_HAT_LIMIT and az.ess(draws) >= ESS_LIMIT
        assert bool(good) == mixes


def test_a_random_walk_that_mixes_finds_its_normal_distribution():
    draws = widgets.walk(2.5, 20_000)
    assert [draws.mean(), draws.std()] == pytest.approx([0, 1], abs=0.05)


def test_sliders_have_names_and_arrow_keys(open_page, shrinkage, chains):
    page = open_page(shrinkage, chains)
    assert page.get_by_role("slider").count() == 3
    for name in ("n", "\u03c4", "Step"):
        slider = page.get_by_role("slider", name=name, exact=True)
        before = slider.input_value()
        slider.focus()
        page.keyboard.press("ArrowRight")
        assert slider.input_value() != before


def test_without_scripts_and_on_paper_something_still_stands_there(open_page, shrinkage, chains):
    page = open_page(shrinkage, chains, java_script_enabled=False)
    assert page.locator(".still img").is_visible()
    assert "the weight 0.64" in page.text_content(".still")
    page = open_page(shrinkage, chains)
    assert not page.locator(".still img").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".still img").is_visible()
    assert not page.locator("canvas").is_visible()
