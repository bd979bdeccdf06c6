import json
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from helpers import flipbook


def simulated(visits, pages=5):
    rng = np.random.default_rng(1)
    values = rng.normal(200, 300, size=(1, pages, len(visits)))
    return xr.DataArray(values, dims=("chain", "draw", "obs"))


def test_shares_count_what_cannot_be_and_what_nobody_believes():
    draws = xr.DataArray([-1.0, 0.0, 600.0, 601.0, 700.0])
    row = flipbook.count_shares({"prior": draws}).loc["prior"]
    assert row.tolist() == pytest.approx([20, 40, 40])


def test_a_flip_book_needs_nothing_but_its_page(visits):
    page = flipbook.turn_pages(visits, simulated(visits), title="A prior").data
    assert not re.search(r"""(src|href)\s*=|https?://|import\s*\(|fetch\s*\(""", page)


def test_two_flip_books_stand_on_one_page_without_meeting(visits):
    pages = [
        flipbook.turn_pages(visits, simulated(visits, number), title="A prior").data
        for number in (3, 4)
    ]
    ids = {re.search(r'id="(flipbook-\w+)"', page).group(1) for page in pages}
    assert len(ids) == 2


def test_a_title_cannot_break_the_page(visits):
    page = flipbook.turn_pages(visits, simulated(visits), title='<b>slope & "group"</b>').data
    assert "<b>" not in page


def test_a_page_of_twenty_data_sets_is_light(visits):
    page = flipbook.turn_pages(visits, simulated(visits, 30), title="A prior").data
    assert len(page.encode()) < 150_000


def test_the_frames_are_the_first_draws(visits):
    draws = simulated(visits)
    page = flipbook.turn_pages(visits, draws, title="A prior", frames=2).data
    book = json.loads(re.search(r"const book = (\{.*\});", page).group(1))
    assert len(book["frames"]) == 2
    assert book["frames"][1][:5] == pytest.approx(draws[0, 1, :5].values, rel=1e-3)


def test_one_wild_data_set_does_not_stretch_the_frame(visits):
    pages = simulated(visits).to_numpy()[0]
    calm = flipbook.frame_limits(pages, visits["bounce_time"])
    pages[0, 0] = 1e9
    assert flipbook.frame_limits(pages, visits["bounce_time"]) == pytest.approx(calm, rel=0.05)


def test_the_frame_holds_zero_and_every_observed_time(visits):
    low, high = flipbook.frame_limits(np.full((2, 3), 210.0), visits["bounce_time"])
    assert low < 0
    assert high > visits["bounce_time"].max()


def test_a_label_cannot_end_the_script(visits):
    frame = visits.assign(county=visits["county"].astype(str).replace("Kent", "</script><b>"))
    page = flipbook.turn_pages(frame, simulated(visits), title="A prior").data
    assert page.count("</script>") == 1
    assert "<b>" not in page


def test_paper_shows_the_observed_data_and_no_empty_panel(visits):
    figure = flipbook.plot_pages(visits, simulated(visits), title="A prior", frames=2)
    shown = [ax.get_title(loc="left") for ax in figure.axes if ax.get_visible()]
    assert shown == ["Observed", "Simulated, 1", "Simulated, 2"]
    plt.close(figure)
