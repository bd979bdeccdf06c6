"""The bounce times: how they are simulated, loaded and checked."""

from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
from scipy import stats

from helpers.priors import SEED
from helpers.reading import read_table

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
LABELS = {"bounce_time": "Bounce time (s)", "age": "Age (years)", "county": "County"}
AGE_SD = 9.0
SIGMA = 8.0


def simulate_bounce_times(seed: int = SEED) -> pd.DataFrame:
    """Simulate 613 visits in 8 counties; the default seed gives ``data/bounce_times.csv``, byte for
    byte.

    Ages are normal within a county, kept to 16..90 and rounded to whole years; bounce times are
    normal around the county's line with the residual sd ``SIGMA``. DataFrame with ``bounce_time``
    (s, two decimals), ``age`` (whole years) and ``county`` (category).
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
    return _with_labels(frame.astype({"county": "category"}))


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
    """Load and check a CSV file of bounce times; without a path, the book's own 613 visits.

    ``reading.read_table`` says which kinds of files it takes: here with the columns ``bounce_time``
    (s), ``age`` (whole years) and ``county``; further columns are kept.

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
    frame = read_table(path, numeric=("bounce_time", "age"), text=("county",))
    frame = _validate(frame, SCHEMA, path.name)
    if frame["county"].nunique() == 1:
        raise ValueError(
            f"{path.name} holds one county only in column 'county' ({frame['county'].iloc[0]}, from "
            "row 2 on); group-level effects need at least two."
        )
    return _with_labels(frame.reset_index(drop=True).astype({"age": int, "county": "category"}))


def _validate(frame: pd.DataFrame, schema: pa.DataFrameSchema, file: str) -> pd.DataFrame:
    """The table as pandera converts it; a ``ValueError`` names file, row and column of what it
    refuses.
    """
    try:
        return schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        raise ValueError(_first_failure(error.failure_cases, file)) from None


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


def data_file(name: str) -> Path:
    """A file of ``data/``: inside an installed wheel, or at the top of a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "data_files" / name
    return installed if installed.exists() else package.parents[1] / "data" / name


def _with_labels(frame: pd.DataFrame) -> pd.DataFrame:
    frame.attrs["labels"] = dict(LABELS)
    return frame
