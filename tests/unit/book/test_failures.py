"""What the gallery is made of; the deep lane sees each failure caught."""

from pathlib import Path

import nbformat
import pymc as pm
import pytest

from helpers.book import failures

PAGE = Path(__file__).resolve().parents[3] / "notebooks" / "a4_gallery_of_failures.ipynb"


def test_simulated_counties_have_the_sd_that_was_asked_for():
    frame = failures.simulate_counties(rows=20_000, group_sd=10)
    level = (frame["bounce_time"] + 2 * frame["std_age"]).groupby(frame["county"]).mean()
    assert level.std(ddof=0) == pytest.approx(10, abs=0.3)
    assert level.mean() == pytest.approx(200, abs=0.3)


def test_every_failure_of_the_helpers_is_on_the_page():
    page = nbformat.read(PAGE, as_version=4)
    code = "\n".join(cell.source for cell in page.cells)
    builders = [
        name
        for name, value in vars(failures).items()
        if not name.startswith("_")
        and getattr(value, "__annotations__", {}).get("return") is pm.Model
    ]
    assert len(builders) == 7
    for name in builders:
        assert f"failures.{name}(" in code, name
