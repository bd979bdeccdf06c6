"""Visits that an engine makes are drawn from the book's truth, and are the same every time."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from helpers.book.large import AGE_SD_BETWEEN, SCALE, simulate_visits, true_values
from helpers.book.truth import load_truth
from helpers.exact import sufficient_statistics

ORDER = ["county", "age", "bounce_time"]


def test_visits_depend_on_the_seed_and_not_on_threads():
    def visits(seed, threads):
        with duckdb.connect(config={"threads": threads}) as connection:
            frame = simulate_visits(300_000, 20, seed, connection).df()
        return frame.sort_values(ORDER, ignore_index=True)

    first = visits(1, threads=1)
    assert list(first) == ["county", "age", "std_age", "bounce_time"] and len(first) == 300_000
    pd.testing.assert_frame_equal(first, visits(1, threads=4))
    assert not np.isin(visits(2, threads=1)["bounce_time"], first["bounce_time"]).any()


def test_visits_are_made_when_asked_and_not_held():
    assert len(simulate_visits(10**12, 100).limit(5).fetchall()) == 5


def test_visits_are_drawn_from_the_books_truth():
    """Within four standard errors."""
    statistics = sufficient_statistics(simulate_visits(2_000_000, 2_000))
    truth, count = true_values(), len(statistics)
    assert count == 2_000 and statistics["n"].sum() == 2_000_000
    assert statistics["n"].max() > 20 * statistics["n"].min() > 2_000
    slope = statistics["product_ss"] / statistics["predictor_ss"]
    intercept = statistics["outcome_mean"] - slope * statistics["predictor_mean"]
    sigma = np.sqrt(statistics["residual_ss"].sum() / (statistics["n"] - 2).sum())
    assert sigma == pytest.approx(truth["sigma"], rel=4 / np.sqrt(4e6))
    assert intercept.mean() == pytest.approx(truth["intercept"], abs=4 * 10 / np.sqrt(count))
    assert slope.mean() == pytest.approx(truth["slope"], abs=4 * 0.7 / np.sqrt(count))
    assert intercept.std() == pytest.approx(truth["group_sd"], rel=4 / np.sqrt(2 * count))
    error = truth["sigma"] ** 2 / statistics["predictor_ss"]  # of each slope
    spread = np.sqrt(slope.var() - error.mean())
    assert spread == pytest.approx(truth["slope_sd"], rel=0.15)
    assert intercept.corr(slope) < -0.15
    mean_age = statistics["predictor_mean"] * SCALE.sd
    assert mean_age.std() == pytest.approx(AGE_SD_BETWEEN, rel=4 / np.sqrt(2 * count))
    assert mean_age.corr(intercept) > 0.9  # so that older counties stay longer
    within = np.sqrt(statistics["predictor_ss"].sum() / statistics["n"].sum()) * SCALE.sd
    assert within == pytest.approx(load_truth()["age_sd"], rel=0.02)
    ages = simulate_visits(100_000, 100).aggregate("min(age), max(age)")
    ((low, high),) = ages.fetchall()
    assert low == 16 and 75 < high <= 90
