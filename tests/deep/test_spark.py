"""Spark sums a table as pandas does, and refuses one by the same sentences."""

import re

import nbformat
import numpy as np
import pandas as pd
import pytest

import spark_session
from chapters import ROOT
from executed import require
from helpers import exact
from helpers.book.large import simulate_visits, true_values

NAMES = {"outcome": "y", "predictor": "x", "group": "g"}


@pytest.fixture(scope="module")
def spark():
    lacking = spark_session.find_missing()
    require(lacking is None, lacking)
    session = spark_session.open_spark(memory="1g")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def visits(spark):
    """A table of Spark, and the same of pandas."""
    table = simulate_visits(20_000, 50, engine=spark)
    return table, table.toArrow().to_pandas()


def hold(spark, **changed):
    """Four groups of rows, with some columns changed."""
    rng = np.random.default_rng(1)
    columns = {"y": rng.normal(size=40), "x": rng.normal(size=40), "g": list("abcd") * 10}
    columns |= changed
    rows = list(zip(*(np.asarray(c, object).tolist() for c in columns.values()), strict=True))
    return spark.createDataFrame(rows, list(columns))


@pytest.mark.parametrize(
    "columns", [{}, {"covariates": ("age",)}, {"predictor": None, "covariates": ("std_age", "age")}]
)
def test_spark_sums_to_the_table_of_pandas(visits, columns):
    found, want = (exact.sufficient_statistics(table, **columns) for table in visits)
    pd.testing.assert_frame_equal(found, want, rtol=1e-9, check_index_type=False)


def test_a_constant_on_the_outcome_changes_nothing_and_neither_do_groups_far_apart(visits):
    table, frame = visits
    moved = table.withColumn("bounce_time", table["bounce_time"] + 1e9)
    want = exact.sufficient_statistics(frame)
    found = exact.sufficient_statistics(moved)
    found["outcome_mean"] -= 1e9
    np.testing.assert_allclose(found, want, rtol=1e-6, atol=1e-5)
    apart = moved.withColumn("bounce_time", moved["bounce_time"] + 1e6 * moved["county"])
    squares = [name for name in want if name.endswith("_ss")]
    found = exact.sufficient_statistics(apart)[squares]
    np.testing.assert_allclose(found, want[squares], rtol=1e-6, atol=1e-5)


def test_a_predictor_of_groups_has_no_squares_within_them(visits):
    table, _ = visits
    table = table.withColumn("std_age", table["county"] / 7)
    found = exact.sufficient_statistics(table)
    assert (found[["predictor_ss", "product_ss"]] == 0).all(axis=None)
    assert (found["residual_ss"] == found["outcome_ss"]).all()
    assert found["predictor_mean"].tolist() == (found.index / 7).tolist()


def test_sparks_visits_have_the_books_truth_and_an_exact_posterior(visits):
    tree = exact.exact_posterior("random_intercept", visits[0])
    given = tree["exact"].to_dataset()
    for name in ("sigma", "group_sd", "slope"):
        mean, sd = (float(given[name].sel(statistic=s)) for s in ("mean", "sd"))
        assert abs(mean - true_values()[name]) < 4 * max(sd, 0.3 / np.sqrt(50)), name


@pytest.mark.parametrize(
    ("changed", "settings", "message"),
    [
        ({"y": [None, *range(39)]}, {}, "'y' is missing or not finite in one row of the table"),
        ({"y": [np.nan] * 2 + [1.0] * 38}, {}, "'y' is missing or not finite in 2 rows"),
        ({"x": [np.inf] * 3 + [1.0] * 37}, {}, "'x' is missing or not finite in 3 rows"),
        ({"g": [None] * 4 + ["a", "b"] * 18}, {}, "'g' is missing in 4 rows of the table"),
        ({"y": ["1"] * 40}, {}, "Column 'y' is not numeric but String"),
        ({"x": [0.1] * 40}, {}, "The predictor 'x' is constant, so it has no slope"),
        ({"g": ["a"] * 40}, {}, "'g' has one level only"),
        ({}, {"outcome": "z"}, "no column 'z'; the table has y, x, g"),
    ],
)
def test_spark_refuses_by_the_same_sentences(spark, changed, settings, message):
    with pytest.raises(ValueError, match=message):
        exact.sufficient_statistics(hold(spark, **changed), **NAMES | settings)


def test_an_empty_table_and_two_columns_of_one_name_are_refused(spark):
    table = hold(spark)
    with pytest.raises(ValueError, match="The table has no rows"):
        exact.sufficient_statistics(table.filter("y > 100"), **NAMES)
    with pytest.raises(ValueError, match="2 columns 'x'; rename or drop one"):
        exact.sufficient_statistics(table.select("*", table["y"].alias("x")), **NAMES)


def test_ids_of_64_bits_stay_apart_and_days_become_text(spark):
    ids = [2**62, 2**62 + 1] * 20
    found = exact.sufficient_statistics(hold(spark, g=ids), **NAMES)
    assert found.index.tolist() == [2**62, 2**62 + 1]
    table = hold(spark, g=["2020-01-02", "2020-01-01"] * 20)
    days = table.withColumn("g", table["g"].cast("date"))
    found = exact.sufficient_statistics(days, **NAMES)
    assert found.index.tolist() == ["2020-01-01", "2020-01-02"]


def test_the_chapter_on_large_tables_says_how(visits, tmp_path):
    """Its code is run as it stands, on files of Parquet in a folder of the test."""
    table, frame = visits
    files = (tmp_path / "visits").as_uri()
    table.write.parquet(files)
    chapter = nbformat.read(ROOT / "notebooks" / "17_large_tables.ipynb", as_version=4)
    (cell,) = [cell for cell in chapter.cells if cell.id == "the-same-on-spark"]
    (code,) = re.findall(r"```python\n(.*?)```", cell.source, re.DOTALL)
    found = {"exact": exact}
    assert code.count('"visits"') == 1
    exec(code.replace('"visits"', repr(files)), found)
    want = exact.sufficient_statistics(frame)
    pd.testing.assert_frame_equal(found["statistics"], want, rtol=1e-9, check_index_type=False)
    slopes = found["posterior"], exact.exact_posterior("random_slope", want)
    np.testing.assert_allclose(*(tree["exact"]["slope"] for tree in slopes), rtol=1e-4)
