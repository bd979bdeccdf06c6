"""The bounce times: how they are simulated, loaded, checked and standardized."""

import io
import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
from scipy import stats

SEED = 2020
REFERENCE_AGE = 45.0
AGE_RANGE = (16, 90)

# The true parameters, one row a county: number of visits, mean age (years), mean bounce time of a
# visitor aged 45 (s), change per decade of age (s). The older a county, the higher its baseline.
COUNTIES = pd.DataFrame(
    [
        ("Cheshire", 112, 49.0, 207.0, -2.0),
        ("Cornwall", 22, 54.0, 204.5, -1.3),
        ("Cumbria", 37, 42.0, 197.0, -0.9),
        ("Devon", 90, 58.0, 215.5, -1.7),
        ("Essex", 120, 36.0, 193.0, -1.6),
        ("Kent", 150, 30.0, 184.5, -1.1),
        ("Norfolk", 75, 44.0, 190.0, -1.9),
        ("Rutland", 7, 55.0, 208.5, -1.5),
    ],
    columns=["county", "visits", "mean_age", "baseline", "slope_per_decade"],
).set_index("county")
AGE_SD = 9.0
SIGMA = 8.0


def simulate_bounce_times(seed: int = SEED) -> pd.DataFrame:
    """Simulate 613 visits in 8 counties.

    Ages are normal within a county, kept to 16..90 and rounded to whole years; bounce times are
    normal around the county's line with the residual sd ``SIGMA``.

    Parameters
    ----------
    seed
        Seed of the random numbers. The default gives ``data/bounce_times.csv``, byte for byte.

    Returns
    -------
    DataFrame with 613 rows: ``bounce_time`` (s, two decimals), ``age`` (whole years) and
    ``county`` (category).
    """
    rng = np.random.default_rng(seed)
    county = np.repeat(COUNTIES.index.to_numpy(), COUNTIES["visits"])
    truth = COUNTIES.loc[county]
    low, high = ((limit - truth["mean_age"]) / AGE_SD for limit in AGE_RANGE)
    position = stats.truncnorm.ppf(rng.uniform(size=len(county)), low, high)
    age = (truth["mean_age"] + AGE_SD * position).round().to_numpy(dtype=int)
    mean = truth["baseline"] + truth["slope_per_decade"] * (age - REFERENCE_AGE) / 10
    bounce_time = rng.normal(mean, SIGMA).round(2)
    frame = pd.DataFrame({"bounce_time": bounce_time, "age": age, "county": county})
    frame = frame.sample(frac=1, random_state=rng, ignore_index=True)
    return frame.astype({"county": "category"})


def true_parameters() -> dict:
    """The content of ``data/truth.json``: what ``simulate_bounce_times`` draws from.

    Returns
    -------
    dict with ``seed``, ``reference_age`` (years), ``age_sd`` (years, within a county), ``sigma`` (s),
    ``intercept`` (s at the reference age), ``slope_per_decade`` (s), ``group_sd`` (s), ``slope_sd``
    (s per decade), ``rho``, and ``counties`` with each county's own values. Intercept and slope are
    the plain means over the eight counties; the sds are root mean squares around them.
    """
    baseline, slope = COUNTIES["baseline"], COUNTIES["slope_per_decade"]
    return {
        "seed": SEED,
        "reference_age": REFERENCE_AGE,
        "age_sd": AGE_SD,
        "sigma": SIGMA,
        "intercept": round(baseline.mean(), 6),
        "slope_per_decade": round(slope.mean(), 6),
        "group_sd": round(baseline.std(ddof=0), 6),
        "slope_sd": round(slope.std(ddof=0), 6),
        "rho": round(baseline.corr(slope), 6),
        "counties": COUNTIES.to_dict(orient="index"),
    }


def load_truth() -> dict:
    """Read ``data/truth.json``; ``true_parameters`` says what is in it."""
    return json.loads(data_file("truth.json").read_text(encoding="utf-8"))


def truth_on_scale(scale: "Scale") -> dict:
    """The true parameters in the units of a model whose predictor is the standardized age.

    Parameters
    ----------
    scale
        Mean and sd of age (years), as ``scale_of(frame, "age")`` returns them.

    Returns
    -------
    dict with the names of ``models.fit``: ``intercept`` (s at the mean age), ``slope`` and
    ``slope_sd`` (s per sd of age), ``group_sd`` and ``sigma`` (s), ``rho``, and the Series
    ``group_intercept`` and ``group_slope`` (deviations by county).
    """
    truth = load_truth()
    counties = pd.DataFrame.from_dict(truth["counties"], orient="index").rename_axis("county")
    slope = counties["slope_per_decade"] * scale.sd / 10
    years_from_reference = scale.mean - truth["reference_age"]
    intercept = counties["baseline"] + counties["slope_per_decade"] * years_from_reference / 10
    return {
        "intercept": intercept.mean(),
        "slope": slope.mean(),
        "sigma": truth["sigma"],
        "group_sd": intercept.std(ddof=0),
        "slope_sd": slope.std(ddof=0),
        "rho": intercept.corr(slope),
        "group_intercept": intercept - intercept.mean(),
        "group_slope": slope - slope.mean(),
    }


def write_data(folder: Path) -> None:
    """Write ``bounce_times.csv`` and ``truth.json`` into ``folder``, the same bytes on any system."""
    table = simulate_bounce_times().to_csv(index=False, float_format="%.2f", lineterminator="\n")
    truth = json.dumps(true_parameters(), indent=2) + "\n"
    (folder / "bounce_times.csv").write_bytes(table.encode())
    (folder / "truth.json").write_bytes(truth.encode())


SCHEMA = pa.DataFrameSchema(
    {
        "bounce_time": pa.Column(
            float,
            [
                pa.Check(np.isfinite, error="is not finite"),
                pa.Check.ge(0, error="is negative; times are in seconds, 0 or more"),
            ],
            coerce=True,
        ),
        "age": pa.Column(
            float,
            [
                pa.Check.in_range(0, 120, error="cannot be an age in years (0 to 120)"),
                pa.Check(lambda age: age % 1 == 0, error="is not a whole number of years"),
            ],
            coerce=True,
        ),
        "county": pa.Column(str),
    }
)


def load_bounce_times(path: str | Path | None = None) -> pd.DataFrame:
    """Load and check a table of bounce times.

    Takes what spreadsheets write: comma, semicolon (with decimal commas) or tab between columns,
    any line end, with or without a byte order mark, empty lines.

    Parameters
    ----------
    path
        A CSV file with the columns ``bounce_time`` (s), ``age`` (whole years) and ``county``; further
        columns are kept as text. ``None`` loads the book's own 613 visits.

    Returns
    -------
    DataFrame with ``bounce_time`` (float), ``age`` (int), ``county`` (category).

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the table cannot be used; one sentence names the file, the column and the first bad row
        (the header is row 1, as a spreadsheet counts).
    """
    path = data_file("bounce_times.csv") if path is None else Path(path)
    frame = _read_text_table(path)
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise ValueError(f"{path.name} has two columns {twice!r}; rename or delete one.")
    missing = [column for column in SCHEMA.columns if column not in frame.columns]
    if missing:
        raise ValueError(
            f"{path.name} has no column {missing[0]!r}; it has {', '.join(frame.columns)}. "
            "Rename the column or add it."
        )
    if frame.empty:
        raise ValueError(f"{path.name} has column names but no rows below them.")
    try:
        frame = SCHEMA.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        raise ValueError(_first_failure(error.failure_cases, path.name)) from None
    if frame["county"].nunique() == 1:
        raise ValueError(
            f"{path.name} holds one county only in column 'county' ({frame['county'].iloc[0]}, from "
            "row 2 on); group-level effects need at least two."
        )
    return frame.reset_index(drop=True).astype({"age": int, "county": "category"})


@dataclass(frozen=True)
class Scale:
    """Mean and sd of a column before it was standardized, in the column's units."""

    mean: float
    sd: float

    def per_unit(self, slope):
        """Turn a slope per sd into a slope per unit (for age: seconds per year)."""
        return slope / self.sd

    def standardize(self, values):
        """Turn values in the column's units into sds from its mean."""
        return (values - self.mean) / self.sd


def standardize(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Add ``std_<column>``: the column minus its mean, divided by its sample sd.

    The mean and the sd stay with the table (``scale_of``), so that results go back to the
    column's units.

    Parameters
    ----------
    frame
        Any table; it is not changed.
    column
        A numeric column without missing values that is not constant.

    Returns
    -------
    A copy of the table with one more column, without unit.

    Raises
    ------
    ValueError
        If there is no such column, or it is not numeric, has missing values or is constant.
    """
    check_numeric(frame, column)
    values = frame[column].astype(float)
    scale = Scale(float(values.mean()), float(values.std()))
    if values.nunique() < 2:  # the sd of equal values need not be 0
        raise ValueError(f"Column {column!r} is constant, so it cannot be standardized.")
    result = frame.assign(**{f"std_{column}": scale.standardize(values)})
    # As a dict, because a table with other objects cannot be saved as Parquet.
    result.attrs["scales"] = {**frame.attrs.get("scales", {}), column: vars(scale)}
    return result


def scale_of(frame: pd.DataFrame, column: str) -> Scale:
    """The ``Scale`` that ``standardize(frame, column)`` kept.

    Raises
    ------
    ValueError
        If the table does not carry it (some pandas operations, such as a merge, drop it).
    """
    try:
        return Scale(**frame.attrs["scales"][column])
    except KeyError:
        raise ValueError(
            f"The table does not know mean and sd of {column!r}; call standardize(frame, {column!r})."
        ) from None


def check_numeric(frame: pd.DataFrame, column: str) -> None:
    """Raise a ``ValueError`` unless ``column`` exists, is numeric and has no missing or infinite value."""
    check_column(frame, column)
    if not pd.api.types.is_numeric_dtype(frame[column]):
        raise ValueError(
            f"Column {column!r} is not numeric but {frame[column].dtype}; pd.to_numeric converts it."
        )
    bad = ~np.isfinite(frame[column].to_numpy(dtype=float, na_value=np.nan))
    if bad.any():
        raise ValueError(
            f"Column {column!r} is missing or not finite in row {name_row(frame, bad.argmax())} of the "
            "table; drop or repair the row first."
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


def name_row(frame: pd.DataFrame, position: int) -> str:
    """The label of a row as Python writes it."""
    return repr(frame.index[[position]].tolist()[0])


def data_file(name: str) -> Path:
    """A file of ``data/``: inside an installed wheel, or at the top of a checkout."""
    package = Path(__file__).parent
    installed = package / "data_files" / name
    return installed if installed.exists() else package.parents[1] / "data" / name


def _read_text_table(path: Path) -> pd.DataFrame:
    """Read a delimited file as text; the index counts rows as a spreadsheet does, from 2."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path.name} is not UTF-8 text (byte {error.start}); save it as 'CSV UTF-8'."
        ) from None
    header = text.partition("\n")[0]
    if not header.strip():
        raise ValueError(f"{path.name} has no column names in its first row.")
    separator = max(",;\t", key=header.count)
    try:
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
            frame = pd.read_csv(
                io.StringIO(text),
                sep=separator,
                dtype=str,
                index_col=False,
                keep_default_na=False,
                na_values=[""],
                skip_blank_lines=False,
                skipinitialspace=True,
                on_bad_lines="error",
            )
    except pd.errors.ParserError as error:
        raise ValueError(f"{path.name} is not a regular table: {error}".rstrip()) from None
    except pd.errors.ParserWarning:  # pandas would drop what stands to the right of the last name
        raise ValueError(
            f"{path.name}, row 2 has more entries than there are column names; if decimals are written "
            "with commas, save the table with semicolons between columns."
        ) from None
    frame.index += 2
    frame = frame.rename(columns=str.strip).apply(lambda column: column.str.strip())
    frame = frame.replace("", None).dropna(how="all")
    if separator == ";":
        numeric = frame.columns.intersection(["bounce_time", "age"])
        frame[numeric] = frame[numeric].apply(lambda column: column.str.replace(",", "."))
    return frame


def _first_failure(failures: pd.DataFrame, file: str) -> str:
    """Say in one sentence which value pandera refused first, where and why."""
    failures = failures.dropna(subset="index")
    coercion = failures["check"].str.startswith("coerce_dtype")
    first = failures[coercion if coercion.any() else slice(None)].sort_values("index").iloc[0]
    place = f"{file}, row {first['index']}, column {first['column']!r}:"
    if first["check"] == "not_nullable":
        return f"{place} the value is missing; fill it in or drop the row."
    if first["check"].startswith("coerce_dtype"):
        return f"{place} {first['failure_case']!r} is not a number."
    return f"{place} {first['failure_case']} {first['check']}."
