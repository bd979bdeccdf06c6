"""Visits that an engine makes are drawn from the book's truth, and are the same every time."""

import copy
import hashlib
import warnings

import duckdb
import numpy as np
import pandas as pd
import pytest

import scale
from chapters import ROOT
from helpers.book.large import AGE_SD_BETWEEN, SCALE, load_study, simulate_visits, true_values
from helpers.book.truth import load_truth
from helpers.exact import exact_posterior, sufficient_statistics
from record import find_moved_versions

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


# The stored study

AGAIN = "The stored study of large tables is not of this book: {}. Run `make scale`."
MOVED = "The stored study of large tables was made with other versions; its numbers hold: {}."


def test_the_stored_study_is_of_todays_visits_and_posterior():
    """Other versions are worth a warning; other numbers are another study."""
    table, record = load_study()
    differences = scale.find_differences(record)
    assert not differences, AGAIN.format("; ".join(differences))
    content = (ROOT / "data" / "scale.csv").read_bytes().replace(b"\r\n", b"\n")
    assert record["sha256"] == {"scale.csv": hashlib.sha256(content).hexdigest()}
    jobs = {tuple(vars(job).values()) for study in scale.SIZES for job in scale.list_jobs(study)}
    stored = table[["study", "route", "model", "rows", "groups"]]
    assert {tuple(row) for row in stored.itertuples(index=False)} == jobs
    assert len(stored) == len(jobs)
    if moved := find_moved_versions(record, scale.PACKAGES):
        warnings.warn(MOVED.format("; ".join(moved)), stacklevel=1)


def test_a_study_of_other_visits_is_found_out():
    record = {"settings": copy.deepcopy(scale.settings()), "fingerprint": scale.fingerprint()}
    assert scale.find_differences(record) == []
    record["settings"]["counties"] = 99
    record["fingerprint"][2] += 0.01
    other_settings, other_numbers = scale.find_differences(record)
    assert other_settings.startswith("counties was 99")
    assert other_numbers == "the visits or their posterior have changed"


def test_the_stored_intervals_are_those_of_today():
    """The smallest tables, and one that rows have narrowed."""
    table, _ = load_study()
    for rows in (1_000, 1_000_000):
        of = table[
            (table["study"] == "rows") & (table["route"] == "exact") & (table["rows"] == rows)
        ]
        visits = simulate_visits(rows, scale.COUNTIES)
        today = exact_posterior("random_slope", visits, draws=1)["exact"]["slope"]
        mean, sd = today.sel(statistic=["mean", "sd"]).values
        assert of["slope"].item() == pytest.approx(mean, abs=0.005 * sd)
        assert of["sd"].item() == pytest.approx(sd, rel=0.005)


def test_a_measurement_has_its_costs_and_its_slope():
    job = scale.Job("groups", scale.EXACT, "random_intercept", 50, 10)
    found = scale.run(job)
    assert 0 < found["sum_seconds"] < found["seconds"] and 50 < found["memory_mb"] < 5_000
    assert found["lower"] < found["slope"] < found["upper"]
