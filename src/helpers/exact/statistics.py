"""What the likelihood needs of a table, one row a group, summed by whatever engine holds the rows.

One expression for all engines (narwhals): nothing comes back but sums. They are taken about an
origin near the data, and about the groups' own means where that leaves too few digits.
"""

from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, starmap
from pathlib import Path

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from helpers.exact.gaussian import divide
from helpers.frames import check_column, check_group, check_numeric, group_labels
from helpers.priors import Columns, check_columns
from helpers.rotated import name_product

HEAD = 1_000  # rows whose mean is the origin of all sums
# A pandas table that DuckDB sums, because pandas would hold all products at once, or warns of so many.
LARGE, MANY = 5_000_000, 10  # rows times squared number of numeric columns; their number
EPSILON = np.finfo(float).eps
TOLERANCE = 1e-8  # of squares summed over all groups: the rounding error that is let pass
GROUP = "group"


def sufficient_statistics(
    table,
    *,
    outcome: str = Columns.outcome,
    predictor: str | None = Columns.predictor,
    group: str = Columns.group,
    covariates: tuple[str, ...] = (),
) -> pd.DataFrame:
    """Reduce a table to what the likelihood needs of it, one row a group.

    Parameters
    ----------
    table
        One row an observation: a DataFrame of pandas, Polars (eager or lazy) or Spark, a PyArrow
        table, a DuckDB relation, or whatever else narwhals reads. Or the path of a Parquet file, of
        a folder of them, a pattern with ``*``, or a list of paths: DuckDB reads these, and what its
        default connection is set to (``duckdb.sql("SET memory_limit = '1GB'")``) holds.
    outcome, predictor, group, covariates
        Columns: numbers; numbers, or ``None``; labels; numbers.

    Returns
    -------
    DataFrame indexed by the groups' labels, sorted (categories in their own order). With "predictor"
    (if there is one), the covariates and "outcome" as names, in this order: ``n``, rows;
    ``{name}_mean``; ``{name}_ss``, and ``{a}_{b}_ss`` for each pair, but ``product_ss`` for predictor
    and outcome: squares and products, summed around the group's means; and ``residual_ss``, the
    squares of the outcome that the group's own least-squares line in the predictor leaves. All in
    the columns' units. What is 0 but for rounding is 0.

    Raises
    ------
    ValueError
        If a column is missing, twice there, not numeric, has missing or infinite values, or if no
        model can be fitted to the table; one sentence says why.
    FileNotFoundError
        If no file has that path.
    """
    columns = Columns(outcome, predictor, group, tuple(covariates))
    rows, labels = _open(table, columns)
    sums = _sum_precisely(rows, columns)
    if labels is None:
        labels = group_labels(sums.keys.to_frame(), GROUP).cat.categories
    labels = pd.Index(labels, name=columns.group)
    _check_sums(sums, labels, columns)
    return _as_table(sums, labels, columns)


# What an engine is asked. Inside it the columns are called ``group`` and v0, v1, ...: the predictor
# if there is one, the covariates, the outcome.


def _open(table, columns: Columns) -> tuple[nw.LazyFrame | nw.DataFrame, pd.Index | None]:
    """The rows as the engine holds them, and for pandas the groups' labels: there ``group`` holds
    their codes.
    """
    if isinstance(table, pd.DataFrame):
        for column in _inner(columns).values():
            check_numeric(table, column)
        check_group(table, columns.group)
        code, distinct = pd.factorize(table[columns.group])
        labels = group_labels(pd.DataFrame({GROUP: distinct}), GROUP)
        numbers = {v: table[c].to_numpy(dtype=float) for v, c in _inner(columns).items()}
        frame = pd.DataFrame({GROUP: labels.cat.codes.to_numpy()[code], **numbers})
        rows = nw.from_native(frame)
        large = len(frame) * len(numbers) ** 2 > LARGE or len(numbers) > MANY
        return (rows.lazy("duckdb") if large else rows), labels.cat.categories
    native = _read_parquet(table) if _is_path(table) else table
    _check_header(_list_columns(native), columns)
    rows = nw.from_native(native)
    rows = rows.lazy("duckdb") if isinstance(native, pa.Table) else rows.lazy()
    schema = rows.collect_schema()
    for column in _inner(columns).values():
        if not (schema[column].is_numeric() or schema[column] == nw.Boolean):
            raise ValueError(
                f"Column {column!r} is not numeric but {schema[column]}; cast it to a number first."
            )
    numbers = {v: nw.col(column).cast(nw.Float64) for v, column in _inner(columns).items()}
    key = nw.col(columns.group)
    if schema[columns.group] == nw.Categorical:  # its order is that of the rows
        key = key.cast(nw.String)
    return rows.select(key.alias(GROUP), **numbers), None


def _is_path(table) -> bool:
    """Whether it is a path, or some of them."""
    paths = table if isinstance(table, list | tuple) and table else [table]
    return all(isinstance(path, str | Path) for path in paths)


def _read_parquet(path):
    """DuckDB's relation of Parquet files; the errors are as in ``sufficient_statistics``."""
    import duckdb

    paths = [path] if isinstance(path, str | Path) else list(path)
    found = [f"{p}/**/*.parquet" if Path(p).is_dir() else str(p) for p in paths]
    try:
        return duckdb.read_parquet(found)
    except duckdb.IOException as error:
        if "No files found" not in str(error):
            raise
        raise FileNotFoundError(f"There is no Parquet file {', '.join(found)}.") from None
    except duckdb.InvalidInputException:
        raise ValueError(
            f"{', '.join(found)} is no Parquet file; read it first (duckdb.read_csv reads text)."
        ) from None


def _inner(columns: Columns) -> dict[str, str]:
    """The numeric columns by the names that they have inside an engine."""
    return {f"v{i}": name for i, name in enumerate((*columns.predictors, columns.outcome))}


def _find_origin(rows, columns: Columns) -> np.ndarray:
    """A value near each numeric column: the mean of its first rows, if it has one."""
    means = _collect(rows.head(HEAD).select(nw.col(*_inner(columns)).mean()))
    return np.nan_to_num(means.to_numpy(dtype=float)[0], posinf=0.0, neginf=0.0)


def _sum(rows, columns: Columns, origin: np.ndarray, kept: tuple[str, ...] = ()) -> pd.DataFrame:
    """Sums and sums of products by group, of values counted from ``origin``, by one scan.

    ``kept`` are columns that have one value a group.
    """
    names = tuple(_inner(columns))
    pairs = {f"{a}{b}": nw.col(a) * nw.col(b) for a, b in combinations_with_replacement(names, 2)}
    sums = [nw.len().alias("n"), *(nw.col(v).count().alias(f"{v}n") for v in names)]
    sums += [nw.col(*names, *pairs).sum(), *(nw.col(name).max() for name in kept)]

    rows = _shift(rows, origin).with_columns(**pairs).group_by(GROUP).agg(*sums)
    return _sort(_collect(rows))


def _shift(rows, origin: np.ndarray):
    """The rows with values counted from ``origin``."""
    return rows.with_columns(*(nw.col(f"v{i}") - float(o) for i, o in enumerate(origin)))


def _sum_within(rows, columns: Columns, origin: np.ndarray) -> pd.DataFrame:
    """``_sum`` of values counted from their group's mean, which is in m0, m1, ...; two scans."""
    rows = _shift(rows, origin)
    means = {f"m{i}": nw.col(f"v{i}").mean() for i in range(len(origin))}
    rows = rows.join(rows.group_by(GROUP).agg(**means), on=GROUP, how="inner")
    rows = rows.with_columns(*(nw.col(f"v{i}") - nw.col(f"m{i}") for i in range(len(origin))))
    return _sum(rows, columns, np.zeros(len(origin)), tuple(means))


def _find_constants(rows, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Which columns have one value in which groups (J, p), and a value of each."""
    names = tuple(_inner(columns))
    low, high = ([f"{v}{end}" for v in names] for end in ("low", "high"))
    ends = [nw.col(v).min().alias(name) for v, name in zip(names, low, strict=True)]
    ends += [nw.col(v).max().alias(name) for v, name in zip(names, high, strict=True)]
    found = _sort(_collect(rows.group_by(GROUP).agg(*ends)))
    return (found[low].to_numpy() == found[high].to_numpy()), found[low].to_numpy()


def _sort(groups: pd.DataFrame) -> pd.DataFrame:
    """Answers of an engine in the order of their groups, a missing one first."""
    order = group_labels(groups, GROUP).cat.codes.to_numpy().argsort(kind="stable")
    return groups.iloc[order].reset_index(drop=True)


def _collect(rows) -> pd.DataFrame:
    """What an engine answers, as a pandas table; Polars is asked in its way to save memory."""
    if isinstance(rows, nw.LazyFrame):
        stream = {"engine": "streaming"} if rows.implementation.is_polars() else {}
        rows = rows.collect("pyarrow", **stream)
    return rows.to_native() if rows.implementation.is_pandas() else rows.to_pandas()


# Sums become squares around the groups' means


@dataclass(frozen=True)
class Sums:
    """What J groups sum to around their means; p numeric columns have P = p (p + 1) / 2 pairs.

    ``keys`` (J,) as the engine gave them, ``n`` (J,), ``mean`` (J, p), ``ss`` (J, P). ``size``
    (J, p) are the squares about the origin of the sums, which say how many digits ``ss`` has.
    """

    keys: pd.Series
    n: np.ndarray
    mean: np.ndarray
    ss: np.ndarray
    size: np.ndarray

    @property
    def squares(self) -> np.ndarray:
        """Of each column around its means (J, p)."""
        return self.ss[:, np.equal(*np.triu_indices(self.mean.shape[1]))]


def _sum_precisely(rows, columns: Columns) -> Sums:
    """The sums of every group.

    One scan where the groups lie within some hundred of their sds from the origin. Else a second
    one tells columns without any scatter, which have no digits to lose; and if others are left, two
    more sum about the groups' own means.
    """
    origin = _find_origin(rows, columns)
    raw = _sum(rows, columns, origin)
    _check_values(raw, rows, columns)
    sums = _around_means(raw, origin)
    sums = _set_constant(sums, np.broadcast_to(sums.n[:, None] == 1, sums.mean.shape), sums.mean)
    if _is_lossy(sums, columns):
        constants = _find_constants(rows, columns)
        sums = _set_constant(sums, *constants)
        if _is_lossy(sums, columns):
            raw = _sum_within(rows, columns, origin)
            center = origin + raw[[f"m{i}" for i in range(len(origin))]].to_numpy()
            sums = _set_constant(_around_means(raw, center), *constants)
    return _drop_rounding(sums)


def _around_means(raw: pd.DataFrame, origin: np.ndarray) -> Sums:
    """Move sums about ``origin`` (p,) or (J, p) to the groups' own means."""
    p = origin.shape[-1]
    first, second = np.triu_indices(p)
    n = raw["n"].to_numpy()
    shift = raw[[f"v{i}" for i in range(p)]].to_numpy(dtype=float) / n[:, None]
    products = raw[[f"v{a}v{b}" for a, b in zip(first, second, strict=True)]].to_numpy(dtype=float)
    ss = products - n[:, None] * shift[:, first] * shift[:, second]
    return Sums(raw[GROUP], n, origin + shift, ss, products[:, first == second])


def _set_constant(sums: Sums, constant: np.ndarray, value: np.ndarray) -> Sums:
    """Where a column is known to be constant (J, p), it is its value, and its squares are 0."""
    mean, size = np.where(constant, value, sums.mean), np.where(constant, 0.0, sums.size)
    return replace(_set_zero(sums, constant), mean=mean, size=size)


def _set_zero(sums: Sums, zero: np.ndarray) -> Sums:
    first, second = np.triu_indices(zero.shape[1])
    return replace(sums, ss=np.where(zero[:, first] | zero[:, second], 0.0, sums.ss))


def _is_lossy(sums: Sums, columns: Columns) -> bool:
    """Whether rounding could show in the squares of all groups together, of a column or around the
    lines. Errors of single groups drown there."""
    left, noise = _residual(sums, columns)
    squares = np.column_stack([sums.squares, left]).sum(axis=0)
    lost = np.sqrt(sums.n) @ np.column_stack([EPSILON * sums.size, noise])
    return bool((lost > TOLERANCE * np.maximum(squares, 0.0)).any())


def _drop_rounding(sums: Sums) -> Sums:
    """Squares that rounding alone can make become 0."""
    return _set_zero(sums, sums.squares <= 4 * EPSILON * sums.n[:, None] * sums.size)


def _residual(sums: Sums, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Squares (J,) that the groups' own lines leave of the outcome, and the rounding error in them
    for one row."""
    xx, yy = sums.squares[:, 0], sums.squares[:, -1]
    if columns.predictor is None:
        return yy, EPSILON * sums.size[:, -1]
    xy = sums.ss[:, sums.mean.shape[1] - 1]
    noise = EPSILON * (sums.size[:, -1] + yy * divide(sums.size[:, 0], xx))
    left = np.maximum(yy - divide(xy, xx) * xy, 0.0)
    exact = (sums.n == 2) & (xx > 0)
    return np.where(exact, 0.0, left), np.where(exact, 0.0, noise)


def _as_table(sums: Sums, labels: pd.Index, columns: Columns) -> pd.DataFrame:
    names = (*(["predictor"] if columns.predictor else []), *columns.covariates, "outcome")
    left, noise = _residual(sums, columns)
    table = {
        "n": sums.n,
        **dict(zip((f"{name}_mean" for name in names), sums.mean.T, strict=True)),
        **dict(
            zip(
                starmap(name_product, combinations_with_replacement(names, 2)),
                sums.ss.T,
                strict=True,
            )
        ),
        "residual_ss": np.where(left <= 4 * sums.n * noise, 0.0, left),
    }
    return pd.DataFrame(table, index=labels)


# Refusals: where there is no row to name, the number of rows, and else the sentences of ``frames``
# and ``priors``


def _list_columns(native) -> list[str]:
    if hasattr(native, "collect_schema"):
        return native.collect_schema().names()
    names = getattr(native, "column_names", None) or getattr(native, "columns", None)
    if names is None:
        raise ValueError(
            f"This is no table but a {type(native).__name__}; it can be a table of pandas, Polars, "
            "PyArrow, DuckDB or Spark, or the path of a Parquet file."
        )
    return list(names)


def _check_header(names: list[str], columns: Columns) -> None:
    header = pd.DataFrame([range(len(names))], columns=names)
    for column in (*_inner(columns).values(), columns.group):
        check_column(header, column)


def _check_values(raw: pd.DataFrame, rows, columns: Columns) -> None:
    """Raise a ``ValueError`` unless the sums are those of numbers, and every row has a group."""
    if raw.empty:
        raise ValueError("The table has no rows.")
    for v in _inner(columns):
        if (raw[f"{v}n"] < raw["n"]).any() or not _is_finite(raw[v]):
            _refuse_rows(rows, columns, v)
    missing = raw["n"][raw[GROUP].isna()].sum()
    if missing:
        _refuse(columns.group, "missing", missing)
    if not _is_finite(raw.drop(columns=GROUP)):
        raise ValueError(
            "The squares of the numbers are too large to be summed; change their unit."
        )


def _check_sums(sums: Sums, labels: pd.Index, columns: Columns) -> None:
    """Check names, groups and scatter as for pandas, on a table of two rows a group that has the
    same groups, and scatter where the rows have some."""
    scatter = np.sqrt(sums.squares / sums.n[:, None])
    values = np.concatenate([sums.mean - scatter, sums.mean + scatter])
    frame = pd.DataFrame(values, columns=list(_inner(columns).values()))
    frame = frame.loc[:, ~frame.columns.duplicated()]
    frame[columns.group] = labels.append(labels)
    check_columns(frame, columns)


def _refuse_rows(rows, columns: Columns, v: str) -> None:
    """Say in how many rows a numeric column has no value, if it is in any."""
    bad = rows.filter(nw.col(v).is_null() | ~nw.col(v).is_finite())
    count = _collect(bad.select(nw.len().alias("n")))["n"].iloc[0]
    if count:
        _refuse(_inner(columns)[v], "missing or not finite", count)


def _refuse(column: str, how: str, count: int) -> None:
    where = f"{count} rows" if count > 1 else "one row"
    raise ValueError(
        f"Column {column!r} is {how} in {where} of the table; drop or repair "
        f"{'them' if count > 1 else 'it'} first."
    )


def _is_finite(values) -> bool:
    return bool(np.isfinite(values.to_numpy(dtype=float)).all())
