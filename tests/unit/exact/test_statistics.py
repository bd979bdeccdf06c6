"""Every engine's table shrinks to the same sums, to as many digits, or is refused by the same words."""

import datetime
import re

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.exact import statistics, sufficient_statistics

NAMES = {"outcome": "y", "predictor": "x", "group": "g"}


@pytest.fixture
def write(tmp_path):
    def to_parquet(columns, name="rows.parquet"):
        pq.write_table(pa.table(columns), tmp_path / name)
        return tmp_path / name

    return to_parquet


@pytest.fixture(params=["pandas", "polars", "lazy polars", "pyarrow", "duckdb", "parquet"])
def hold(request, write):
    """Function that puts columns into a table of one of the engines."""
    engines = {
        "pandas": pd.DataFrame,
        "polars": pl.DataFrame,
        "lazy polars": pl.LazyFrame,
        "pyarrow": pa.table,
        "duckdb": lambda columns: duckdb.from_arrow(pa.table(columns)),
        "parquet": write,
    }
    return engines[request.param]


def rows(groups=7, seed=3, **more) -> dict[str, np.ndarray]:
    """Groups of 1, 2, 3, 30, 30, ... rows in random order."""
    rng = np.random.default_rng(seed)
    counts = np.minimum(30, [1, 2, 3, *[30] * (groups - 3)])
    g = rng.permutation(np.repeat(np.arange(groups), counts))
    x, z = rng.normal(size=(2, len(g))) + 0.3 * g
    y = 200 + 10 * np.sin(g) - 2 * x + 8 * rng.normal(size=len(g))
    return {"y": y, "x": x, "z": z, "g": g * 5 - 3} | more


def around_means(columns, predictor="x", covariates=()):
    """The same table from the rows of each group, in two passes."""
    frame, table = pd.DataFrame(columns), {}
    names = {"predictor": predictor} if predictor else {}
    names |= {name: name for name in covariates} | {"outcome": "y"}
    for label, own in frame.groupby("g", observed=True):
        centred = {name: own[column] - own[column].mean() for name, column in names.items()}
        line = {"n": len(own)} | {f"{n}_mean": own[column].mean() for n, column in names.items()}
        for a in names:
            for b in list(names)[list(names).index(a) :]:
                pair = {("predictor", "outcome"): "product_ss"}.get((a, b), f"{a}_{b}_ss")
                name = f"{a}_ss" if a == b else pair
                line[name] = (centred[a] * centred[b]).sum()
        left = centred["outcome"]
        if predictor and line["predictor_ss"] > 0:
            left = left - line["product_ss"] / line["predictor_ss"] * centred["predictor"]
        table[label] = line | {"residual_ss": (left**2).sum()}
    return pd.DataFrame(table).T.rename_axis("g")


@pytest.mark.parametrize(
    ("predictor", "covariates"), [("x", ()), ("x", ("z",)), (None, ()), (None, ("z", "x"))]
)
def test_every_engine_sums_to_the_same_table(hold, predictor, covariates):
    columns = rows()
    settings = NAMES | {"predictor": predictor}
    found = sufficient_statistics(hold(columns), **settings, covariates=covariates)
    want = around_means(columns, predictor, covariates)
    assert list(found) == list(want) and found.index.name == "g"
    np.testing.assert_allclose(found, want, rtol=1e-10, atol=1e-10)
    assert found.index.tolist() == want.index.tolist()


def test_twenty_covariates_have_a_product_each_with_each(hold):
    more = np.random.default_rng(1).normal(size=(20, len(rows()["y"])))
    columns = rows() | {f"c{i}": column for i, column in enumerate(more)}
    names = tuple(f"c{i}" for i in range(20))
    found = sufficient_statistics(hold(columns), **NAMES, covariates=names)
    np.testing.assert_allclose(found, around_means(columns, "x", names), rtol=1e-9, atol=1e-9)


def test_a_large_pandas_table_is_summed_by_duckdb(monkeypatch):
    small = sufficient_statistics(pd.DataFrame(rows()), **NAMES)
    monkeypatch.setattr(statistics, "LARGE", 0)
    monkeypatch.setattr(statistics.nw.DataFrame, "group_by", None)  # what pandas would be asked
    large = sufficient_statistics(pd.DataFrame(rows()), **NAMES)
    pd.testing.assert_frame_equal(small, large, rtol=1e-10, atol=1e-10)


@pytest.fixture
def asked(monkeypatch):
    """Numbers of rows in the answers of an engine."""
    collect, sizes = statistics._collect, []

    def count(rows):
        answer = collect(rows)
        sizes.append(len(answer))
        return answer

    monkeypatch.setattr(statistics, "_collect", count)
    return sizes


@pytest.mark.parametrize(
    "columns",
    [rows(), rows(y=rows()["y"] + 1e9), {n: v[:14] for n, v in rows(g=np.arange(126) % 7).items()}],
    ids=["any", "far from 0", "two rows a group"],
)
def test_one_scan_is_enough_and_nothing_comes_back_but_one_row_a_group(hold, asked, columns):
    assert len(sufficient_statistics(hold(columns), **NAMES)) == 7
    assert asked == [1, 7]  # the origin, and the sums


# Labels

LABELS = {
    "numbers": [10, 2, -1],
    "64-bit numbers": [2**62 + 1, 2**62, 2**62 + 2],
    "text": ["b", "a, c", "Zoë [x]/y"],
    "dates": [datetime.date(2021, 1, 1), datetime.date(2020, 1, 1), datetime.date(2022, 1, 1)],
    "booleans": [True, False, True],
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_groups_are_sorted_and_keep_their_labels(hold, labels):
    columns = {"y": np.arange(6.0), "x": np.arange(6.0) ** 2, "g": labels * 2}
    found = sufficient_statistics(hold(columns), **NAMES)
    want = sorted(set(labels))
    if labels is LABELS["dates"]:
        want = [str(label) for label in want]
    assert found.index.tolist() == want and found["n"].sum() == 6


def test_categories_keep_their_own_order_and_those_without_rows_are_left_out():
    levels = ["low", "unused", "mid", "high"]
    columns = {"y": np.arange(6.0), "x": np.arange(6.0) ** 2, "g": ["high", "mid", "low"] * 2}
    category = pd.DataFrame(columns | {"g": pd.Categorical(columns["g"], levels)})
    enum = pl.DataFrame(columns, schema_overrides={"g": pl.Enum(levels)})
    listed = duckdb.from_arrow(pa.table(columns)).select(f"y, x, g::ENUM{tuple(levels)} AS g")
    for table in (category, enum, enum.lazy(), listed):
        found = sufficient_statistics(table, **NAMES)
        assert found.index.tolist() == ["low", "mid", "high"]
        assert found["outcome_mean"].tolist() == [3.5, 2.5, 1.5]
    loose = pl.DataFrame(columns, schema_overrides={"g": pl.Categorical})
    assert sufficient_statistics(loose, **NAMES).index.tolist() == ["high", "low", "mid"]


def test_numbers_of_any_type_are_numbers(hold):
    columns = rows(x=np.arange(126) % 2 == 0, y=np.arange(126))
    whole = sufficient_statistics(hold(columns), **NAMES)
    np.testing.assert_allclose(whole, around_means(columns | {"x": columns["x"] * 1.0}), atol=1e-9)


# Digits


def test_a_constant_of_a_billion_on_the_outcome_changes_nothing(hold):
    columns = rows()
    found = sufficient_statistics(hold(columns | {"y": columns["y"] + 1e9}), **NAMES)
    want = sufficient_statistics(hold(columns), **NAMES)
    found["outcome_mean"] -= 1e9
    np.testing.assert_allclose(found, want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "place",
    [
        lambda g: 1.7e9 + 3600 * g,  # seconds, with a group an hour
        lambda g: 1e9 + 1e6 * np.sin(g),
        lambda g: np.where(g == 100, 0.0, 1e9),
    ],
    ids=["times", "groups far apart", "a head unlike the rest"],
)
def test_groups_far_apart_keep_the_digits_of_their_scatter(hold, place, monkeypatch):
    monkeypatch.setattr(statistics, "HEAD", 20)
    columns = rows()
    columns["g"][:20] = 100
    moved = columns | {name: columns[name] + place(columns["g"]) for name in "xy"}
    origin = place(columns["g"])  # what is left of the digits when it is taken off again is right
    want = around_means(columns | {name: moved[name] - origin for name in "xy"})
    found = sufficient_statistics(hold(moved), **NAMES)
    squares = [name for name in want if name.endswith("ss")]
    np.testing.assert_allclose(found[squares], want[squares], rtol=1e-6, atol=1e-9)


def test_a_column_without_scatter_in_a_group_has_no_squares_there(hold):
    """0.1 is no binary number, so that sums of it are rounded."""
    columns = rows()
    columns["z"] = 0.1 + columns["g"] / 7
    for predictor, covariates in [("z", ("x",)), ("x", ("z",))]:
        settings = NAMES | {"predictor": predictor, "covariates": covariates}
        found = sufficient_statistics(hold(columns), **settings)
        name = "predictor" if predictor == "z" else "z"
        gone = [n for n in found if n.endswith("ss") and f"{name}_" in n]
        gone += ["product_ss"] if predictor == "z" else []
        assert len(gone) >= 2 and (found[gone] == 0).all(axis=None)
        assert found[f"{name}_mean"].tolist() == sorted(set(columns["z"]))
        if predictor == "z":
            assert (found["residual_ss"] == found["outcome_ss"]).all()
    some = np.where(columns["g"] > 10, columns["z"], columns["x"])
    found = sufficient_statistics(hold(columns | {"x": some}), **NAMES)
    assert ((found["predictor_ss"] == 0) == (found.index > 10) | (found["n"] == 1)).all()


def test_a_line_through_all_points_of_a_group_leaves_nothing(hold):
    columns = rows()
    found = sufficient_statistics(hold(columns), **NAMES)
    assert (found.loc[found["n"] <= 2, "residual_ss"] == 0).all()
    assert (found.loc[found["n"] > 2, "residual_ss"] > 0).all()
    own = np.sin(columns["g"]) - 0.7 * columns["x"]
    found = sufficient_statistics(hold(columns | {"y": own}), **NAMES)
    assert (found["residual_ss"] == 0).all() and (found["outcome_ss"] > 0).sum() == 6


def test_two_rows_of_one_predictor_leave_what_their_mean_leaves(hold):
    columns = {"y": [1.0, 3.0, 5.0, 6.0], "x": [2.0, 2.0, 1.0, 3.0], "g": ["a", "a", "b", "b"]}
    assert sufficient_statistics(hold(columns), **NAMES)["residual_ss"].tolist() == [2.0, 0.0]


def test_near_lines_keep_the_digits_of_what_they_leave(hold):
    columns = rows()
    error = 1e-5 * np.random.default_rng(1).normal(size=len(columns["y"]))
    columns["y"] = 50 + columns["g"] + 3 * columns["x"] + error
    found = sufficient_statistics(hold(columns), **NAMES)["residual_ss"]
    want = around_means(columns)["residual_ss"]
    np.testing.assert_allclose(found, want, rtol=1e-3, atol=1e-20)


# Refusals


def replaced(column, values):
    """Columns in which the first rows have these values."""
    columns = {name: list(entries) for name, entries in rows().items()}
    columns[column][: len(values)] = values
    return columns


MISSING = r"(row \d+|{} rows?|one row) of the table; drop or repair"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (rows() | {"g": 1}, "'g' has one level only; group-level effects need at least two"),
        (replaced("y", [None]), "'y' is missing or not finite in " + MISSING.format(1)),
        (replaced("y", [np.nan] * 3), "'y' is missing or not finite in " + MISSING.format(3)),
        (replaced("x", [np.inf]), "'x' is missing or not finite in " + MISSING.format(1)),
        (replaced("x", [-np.inf, np.inf]), "'x' is missing or not finite in " + MISSING.format(2)),
        (replaced("g", [None] * 4), "'g' is missing in " + MISSING.format(4)),
        (rows(y=[str(n) for n in rows()["y"]]), "Column 'y' is not numeric but"),
        (rows(x=np.full(126, 0.1)), "The predictor 'x' is constant, so it has no slope"),
        ({n: v[:0] for n, v in rows().items()}, "The table has no rows"),
        ({n: v for n, v in rows().items() if n != "x"}, "no column 'x'; the table has y, z, g"),
        ({n: v for n, v in rows().items() if n != "g"}, "no column 'g'; the table has y, x, z"),
        (rows(y=rows()["y"] * 1e200), "The squares of the numbers are too large to be summed"),
    ],
)
def test_the_same_sentence_refuses_a_table_on_every_engine(hold, columns, message):
    columns = {name: np.resize(v, 126) if np.ndim(v) == 0 else v for name, v in columns.items()}
    with pytest.raises(ValueError, match=message) as refusal:
        sufficient_statistics(hold(columns), **NAMES)
    assert "\n" not in str(refusal.value)


def test_labels_that_are_not_numbers_are_missing(hold):
    with pytest.raises(ValueError, match="'g' is missing in"):
        sufficient_statistics(hold(rows(g=[np.nan, *[1.0, 2.0] * 62, 2.0])), **NAMES)


def test_names_of_parameters_are_refused(hold):
    columns = rows()
    with pytest.raises(ValueError, match="'slope' has the name of a parameter"):
        sufficient_statistics(
            hold(columns | {"slope": columns["x"]}), **NAMES | {"predictor": "slope"}
        )
    with pytest.raises(ValueError, match="'chain' cannot name the groups of a fit"):
        sufficient_statistics(hold(columns | {"chain": columns["g"]}), **NAMES | {"group": "chain"})


def test_two_columns_of_one_name_are_refused():
    arrow = pa.table([pa.array([1.0, 2.0])] * 3 + [["a", "b"]], names=["y", "x", "x", "g"])
    twice = duckdb.sql("SELECT 1.0 AS y, 2.0 AS x, 3.0 AS x, 'a' AS g")
    for table in (pd.DataFrame([[1.0] * 4], columns=["y", "x", "x", "g"]), arrow, twice):
        with pytest.raises(ValueError, match="2 columns 'x'; rename or drop one"):
            sufficient_statistics(table, **NAMES)


@pytest.mark.parametrize("what", [{"y": [1.0]}, [1, 2], 3, np.zeros(3), pl.Series([1.0])])
def test_what_is_no_table_is_refused(what):
    with pytest.raises(ValueError, match="This is no table but a"):
        sufficient_statistics(what, **NAMES)


# Files


def test_a_folder_a_pattern_and_a_list_of_parquet_files_are_one_table(write, tmp_path):
    frame = pd.DataFrame(rows())
    want = sufficient_statistics(frame, **NAMES)
    files = [write(pa.Table.from_pandas(frame[i::2]), f"{i}.parquet") for i in (0, 1)]
    for path in (tmp_path, str(tmp_path), tmp_path / "*.parquet", files, [str(f) for f in files]):
        found = sufficient_statistics(path, **NAMES)
        pd.testing.assert_frame_equal(found, want, rtol=1e-10, atol=1e-10)


def test_a_path_without_parquet_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=re.escape("There is no Parquet file")):
        sufficient_statistics(tmp_path / "none.parquet", **NAMES)
    text = tmp_path / "rows.csv"
    text.write_text("y,x,g\n" + "1,2,a\n" * 20)
    with pytest.raises(ValueError, match="is no Parquet file; read it first") as refusal:
        sufficient_statistics(text, **NAMES)
    assert "\n" not in str(refusal.value)
