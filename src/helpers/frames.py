"""Tables of any kind, in memory: checked with one kind sentence, standardized."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Scale:
    """Mean and sd of a column before it was standardized, in the column's units; ``label`` names it."""

    mean: float
    sd: float
    label: str = field(default="", compare=False)

    def per_unit(self, slope):
        """Turn a slope per sd into a slope per unit (such as seconds per year)."""
        return slope / self.sd

    def standardize(self, values):
        """Turn values in the column's units into sds from its mean."""
        return (values - self.mean) / self.sd


def standardize(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Copy a table and add ``std_<column>``: the column minus its mean, divided by its sample sd.

    The new column has no unit. The mean and the sd stay with the table (``scale_of``), so that
    results go back to the column's units. A ``ValueError`` refuses a column that is not there, not
    numeric or constant, or has missing values.
    """
    check_numeric(frame, column)
    values = frame[column].astype(float)
    scale = {"mean": float(values.mean()), "sd": float(values.std())}
    if values.nunique() < 2:  # the sd of equal values need not be 0
        raise ValueError(f"Column {column!r} is constant, so it cannot be standardized.")
    result = frame.assign(**{f"std_{column}": Scale(**scale).standardize(values)})
    # As a dict, because a table with other objects cannot be saved as Parquet.
    result.attrs["scales"] = {**frame.attrs.get("scales", {}), column: scale}
    return result


def split_within_between(frame: pd.DataFrame, column: str, group: str) -> pd.DataFrame:
    """Copy a table and split a standardized column into what differs within groups and between them.

    Two columns are added (Mundlak 1978). ``<column>_within`` is the column minus its group's mean, in
    the sds of the whole column, so that its slope has the unit of that of ``std_<column>``.
    ``<column>_<group>_mean`` is the group's mean, standardized over the groups: each counts once,
    however many rows it has. ``scale_of`` knows both scales. Errors are those of ``standardize``; a
    ``ValueError`` also refuses groups whose means are all equal.
    """
    frame = standardize(frame, column)
    check_group(frame, group)
    labels = group_labels(frame, group)
    scale, values = scale_of(frame, column), frame[column].astype(float)
    means = values.groupby(labels, observed=True).mean()
    between = Scale(float(means.mean()), float(means.std()))
    if not between.sd > 1e-9 * scale.sd:
        raise ValueError(
            f"All groups of {group!r} have the same mean of {column!r}: nothing to split. Use "
            f"standardize: its slope compares rows of one group already."
        )
    own_mean = labels.map(means).astype(float)
    names = f"{column}_within", f"{column}_{group}_mean"
    parts = (values - own_mean) / scale.sd, between.standardize(own_mean)
    result = frame.assign(**dict(zip(names, parts, strict=True)))
    kept = {"mean": 0.0, "sd": scale.sd}, {"mean": between.mean, "sd": between.sd}
    result.attrs["scales"] = {**frame.attrs["scales"], **dict(zip(names, kept, strict=True))}
    return result


def scale_of(frame: pd.DataFrame, column: str) -> Scale:
    """The ``Scale`` that ``standardize(frame, column)`` kept, with the column's label.

    A ``ValueError`` says if the table does not carry it (some pandas operations, such as a merge,
    drop it).
    """
    try:
        kept = frame.attrs["scales"][column]
    except KeyError:
        raise ValueError(
            f"The table does not know mean and sd of {column!r}; call standardize(frame, {column!r})."
        ) from None
    return Scale(**kept, label=label_of(frame, column))


def original_column(frame: pd.DataFrame, column: str) -> str:
    """The column that ``standardize`` made ``column`` from, or ``column`` itself."""
    original = column.removeprefix("std_")
    return original if original in frame.attrs.get("scales", {}) else column


def original_term(frame: pd.DataFrame, term: str) -> str:
    """A term of the population or by group, such as "x:z|g" for "std_x:std_z|g", with original columns."""
    effect, bar, group = term.partition("|")
    return ":".join(original_column(frame, part) for part in effect.split(":")) + bar + group


def label_of(frame: pd.DataFrame, column: str) -> str:
    """What an axis calls a column: ``frame.attrs["labels"][column]``, such as "Age (years)", or its
    name.
    """
    return frame.attrs.get("labels", {}).get(column, column)


def unit_of(frame: pd.DataFrame, column: str) -> str:
    """The unit in a column's label, such as "years" in "Age (years)"; "" if there is none."""
    found = re.search(r"\s\(([^()]+)\)\s*$", str(label_of(frame, column)))
    return found.group(1).strip() if found else ""


def own_scale(frame: pd.DataFrame, column: str) -> Scale:
    """The ``Scale`` of a column that ``standardize`` or ``split_within_between`` made; mean 0 and sd 1
    for any other, which is in its own units already."""
    scales, original = frame.attrs.get("scales", {}), original_column(frame, column)
    made = original != column or (column in scales and f"std_{column}" not in frame)
    return scale_of(frame, original) if made else Scale(0.0, 1.0, label_of(frame, column))


def check_numeric(frame: pd.DataFrame, column: str) -> None:
    """Raise a ``ValueError`` unless ``column`` exists, is numeric and has no missing or infinite
    value.
    """
    check_column(frame, column)
    if not pd.api.types.is_numeric_dtype(frame[column]):
        raise ValueError(
            f"Column {column!r} is not numeric but {frame[column].dtype}; {_advise(frame, column)}."
        )
    if pd.api.types.is_complex_dtype(frame[column]):
        raise ValueError(f"Column {column!r} has complex numbers; use their real part or size.")
    bad = ~np.isfinite(frame[column].to_numpy(dtype=float, na_value=np.nan))
    if bad.any():
        raise ValueError(
            f"Column {column!r} is missing or not finite in row {name_row(frame, bad.argmax())} of the "
            "table; drop or repair the row first."
        )


def _advise(frame: pd.DataFrame, column: str) -> str:
    """Say what makes numbers of a column that has none, after a look at its values."""
    values, place = frame[column], f"frame[{column!r}]"
    if pd.api.types.is_datetime64_any_dtype(values) or isinstance(values.dtype, pd.PeriodDtype):
        return f"count the time since a day of your choice, such as ({place} - start).dt.days"
    if pd.api.types.is_timedelta64_dtype(values):
        return f"{place}.dt.total_seconds() converts it"
    if isinstance(values.dtype, pd.CategoricalDtype):
        values, place = values.astype(object), f"{place}.astype(object)"
    if _count_unread(values) == 0:
        return f"pd.to_numeric({place}) converts it"
    if not values.dropna().map(lambda value: isinstance(value, str)).all():
        place += ".astype(str)"
    text = values.where(values.isna(), values.astype(str)).str.strip()
    bare = text.str.rstrip("% ")
    recipes = {
        "percent signs": (bare, '.str.rstrip("% ")'),
        "commas between thousands": (_without_commas(text), '.str.replace(",", "")'),
        "decimal commas": (_with_points(text), '.str.replace(",", ".")'),
        "percent signs and decimal commas": (
            _with_points(bare),
            '.str.rstrip("% ").str.replace(",", ".")',
        ),
    }
    for what, (mended, code) in recipes.items():
        if _count_unread(mended) == 0:
            return f"it has {what}, and pd.to_numeric({place}{code}) converts it"
    unread = (pd.to_numeric(text, errors="coerce").isna() & values.notna()).to_numpy()
    first = int(unread.argmax())
    where = f"{values.iloc[first]!r} in row {name_row(frame, first)} is no number"
    if unread.sum() <= len(values) / 10:
        return f"{where}; repair or drop the row, then pd.to_numeric({place}) converts it"
    return f"{where}; pick another column, or use it as a factor in a formula"


def looks_numeric(frame: pd.DataFrame, column: str) -> bool:
    """Whether nearly all texts of a column are numbers, so that it is no factor but to be repaired."""
    text = frame[column].dropna().astype(str).str.strip().str.rstrip("% ")
    unread = min(_count_unread(_with_points(text)), _count_unread(_without_commas(text)))
    return unread <= len(text) / 10


def _count_unread(values: pd.Series) -> int:
    """How many values are there that ``pd.to_numeric`` cannot read."""
    return int((pd.to_numeric(values, errors="coerce").isna() & values.notna()).sum())


def _with_points(text: pd.Series) -> pd.Series:
    return text.str.replace(r"^([+-]?\d+),(\d+)$", r"\1.\2", regex=True)


def _without_commas(text: pd.Series) -> pd.Series:
    """Drop commas where each is followed by three digits, and one number has two or a point."""
    return text.str.replace(",", "").where(
        text.str.fullmatch(r"[+-]?\d{1,3}(,\d{3})*(\.\d+)?"), text
    )


def check_column(frame: pd.DataFrame, column: str) -> None:
    """Raise a ``ValueError`` unless ``frame`` is a table with rows that has ``column`` once."""
    if not isinstance(frame, pd.DataFrame):
        raise ValueError(
            f"This is no pandas DataFrame but a {type(frame).__name__}; convert it first."
        )
    names = list(frame.columns)
    if column not in names:
        raise ValueError(
            f"There is no column {column!r}; the table has {', '.join(map(str, names))}."
        )
    if names.count(column) > 1:
        raise ValueError(
            f"The table has {names.count(column)} columns {column!r}; rename or drop one."
        )
    if frame.empty:
        raise ValueError("The table has no rows.")


def check_group(frame: pd.DataFrame, group: str) -> None:
    """Raise a ``ValueError`` unless every row has a label, and no two labels read alike."""
    check_column(frame, group)
    _check_there(frame, group)
    texts = pd.Series([str(label) for label in frame[group].unique()])
    if texts.duplicated().any():
        raise ValueError(
            f"Column {group!r} has two levels that read {texts[texts.duplicated()].iloc[0]!r}, such as "
            f"a number and the same as text; make them one: frame[{group!r}].astype(str)."
        )


def _check_there(frame: pd.DataFrame, column: str) -> None:
    """Raise a ``ValueError`` if a value is missing in ``column``."""
    missing = frame[column].isna()
    if missing.any():
        raise ValueError(
            f"Column {column!r} is missing in row {name_row(frame, missing.argmax())} of the table; "
            "drop or repair the row first."
        )


def complete_rows(frame: pd.DataFrame, columns: Iterable[str], drop: bool = False) -> pd.DataFrame:
    """The rows that miss no value in any of ``columns``.

    Parameters
    ----------
    columns
        Columns that a model needs, each named once or more often.
    drop
        Whether rows that miss a value are left out; if not, they are an error.

    Returns
    -------
    ``frame`` itself if no row misses a value, else a copy of the complete rows under their old
    labels, with all ``attrs`` and a sentence more, ``attrs["left_out"]``: how many rows were left
    out, and which.

    Raises
    ------
    ValueError
        If a column is not there, if a row misses a value and ``drop`` is False (how many, and the
        first five by row label and column), or if no row is complete.
    """
    columns = list(dict.fromkeys(columns))
    for column in columns:
        check_column(frame, column)
    gaps = frame[columns].isna()
    holes = gaps.any(axis=1).to_numpy()
    if not holes.any():
        return frame
    if holes.all():
        raise ValueError(
            f"Every row misses a value in one of {', '.join(columns)}; {_name_gaps(frame, gaps)}."
        )
    counted = f"{holes.sum()} of {len(frame)} rows {'misses' if holes.sum() == 1 else 'miss'} a value: {_name_gaps(frame, gaps)}"
    if not drop:
        raise ValueError(f"{counted}; fill them in, or drop_missing=True leaves them out.")
    result = frame[~holes].copy()
    result.attrs = {**frame.attrs, "left_out": f"Left out: {counted}."}
    return result


def _name_gaps(frame: pd.DataFrame, gaps: pd.DataFrame, most: int = 5) -> str:
    """Where values are missing, such as "row 3 ('age'), row 7 ('age', 'dose') and 2 more rows"."""
    rows = np.flatnonzero(gaps.any(axis=1))
    named = [
        f"row {name_row(frame, row)} ({', '.join(map(repr, gaps.columns[gaps.iloc[row]]))})"
        for row in rows[:most]
    ]
    further = len(rows) - len(named)
    more = f" and {further} more row{'s' * (further > 1)}" if further else ""
    return ", ".join(named) + more


def name_rows(index: pd.Index, most: int = 5) -> str:
    """Labels of rows as a sentence has them: "row 3", or "rows 3, 7" and how many more."""
    named = ", ".join(map(repr, index[:most].tolist()))
    further = len(index) - most
    return f"row{'s' * (len(index) > 1)} {named}" + (f" and {further} more" if further > 0 else "")


def name_row(frame: pd.DataFrame, position: int) -> str:
    """The label of a row as Python writes it."""
    return repr(frame.index[[position]].tolist()[0])


def group_labels(frame: pd.DataFrame, group: str) -> pd.Series:
    """The group column as a category without unused levels; dates, intervals and the like as text,
    because neither samplers nor files can hold them as labels; whole numbers too of which one needs
    more than 63 bits, because arrays of such numbers turn into floats, which merge them."""
    labels = frame[group].astype("category").cat.remove_unused_categories()
    levels = labels.cat.categories
    plain = levels.inferred_type in ("string", "floating", "boolean")
    if levels.inferred_type == "integer":
        plain = all(abs(int(level)) < 2**63 for level in levels)
    return labels if plain else labels.cat.rename_categories(str)
