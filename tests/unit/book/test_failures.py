"""What the gallery is made of; the deep lane sees each failure caught."""

import pytest

from helpers.book import failures


def test_simulated_counties_have_the_sd_that_was_asked_for():
    frame = failures.simulate_counties(rows=20_000, group_sd=10)
    level = (frame["bounce_time"] + 2 * frame["std_age"]).groupby(frame["county"]).mean()
    assert [level.mean(), level.std(ddof=0)] == pytest.approx([200, 10], abs=0.3)
