"""The values that the bounce times were simulated from, and a posterior beside them."""

import json
from pathlib import Path

import pandas as pd
import xarray as xr

from helpers.book.visits import (
    AGE_SD,
    COUNTIES,
    REFERENCE_AGE,
    SIGMA,
    data_file,
    simulate_bounce_times,
)
from helpers.frames import Scale
from helpers.priors import LOWER, SEED, UPPER
from helpers.tables import summarize


def true_parameters() -> dict:
    """The content of ``data/truth.json``: what ``simulate_bounce_times`` draws from.

    It has ``seed``, ``reference_age`` (years), ``age_sd`` (years, within a county), ``sigma`` (s),
    ``intercept`` (s at the reference age), ``slope_per_decade`` (s), ``group_sd`` (s), ``slope_sd``
    (s per decade), ``rho``, and ``counties`` with each county's own values. Intercept and slope are
    the plain means over the eight counties; the sds are root mean squares around them.
    """
    population = _average(COUNTIES["baseline"], COUNTIES["slope_per_decade"])
    return {
        "seed": SEED,
        "reference_age": REFERENCE_AGE,
        "age_sd": AGE_SD,
        "sigma": SIGMA,
        "intercept": round(population["intercept"], 6),
        "slope_per_decade": round(population["slope"], 6),
        **{name: round(population[name], 6) for name in ("group_sd", "slope_sd", "rho")},
        "counties": COUNTIES.to_dict(orient="index"),
    }


def _average(intercept: pd.Series, slope: pd.Series) -> dict:
    """Means over the counties, root mean squares around them, and the correlation."""
    return {
        "intercept": intercept.mean(),
        "slope": slope.mean(),
        "group_sd": intercept.std(ddof=0),
        "slope_sd": slope.std(ddof=0),
        "rho": intercept.corr(slope),
    }


def load_truth() -> dict:
    """Read ``data/truth.json``; ``true_parameters`` says what is in it."""
    return json.loads(data_file("truth.json").read_text(encoding="utf-8"))


def truth_on_scale(scale: Scale) -> dict:
    """The true parameters in the units of a model whose predictor is the standardized age.

    ``scale`` holds mean and sd of age (years), as ``scale_of(frame, "age")`` returns them. The
    names are those of ``models.fit``: ``intercept`` (s at the mean age), ``slope`` and ``slope_sd``
    (s per sd of age), ``group_sd`` and ``sigma`` (s), ``rho``, and the Series ``group_intercept``
    and ``group_slope`` (deviations by county).
    """
    slope = COUNTIES["slope_per_decade"] * scale.sd / 10
    decades = (scale.mean - REFERENCE_AGE) / 10
    intercept = COUNTIES["baseline"] + COUNTIES["slope_per_decade"] * decades
    return {
        **_average(intercept, slope),
        "sigma": SIGMA,
        "group_intercept": intercept - intercept.mean(),
        "group_slope": slope - slope.mean(),
    }


def write_data(folder: Path) -> None:
    """Write ``bounce_times.csv`` and ``truth.json`` into ``folder``, the same bytes on any system."""
    table = simulate_bounce_times().to_csv(index=False, float_format="%.2f", lineterminator="\n")
    truth = json.dumps(true_parameters(), indent=2) + "\n"
    (folder / "bounce_times.csv").write_bytes(table.encode())
    (folder / "truth.json").write_bytes(truth.encode())


def compare_with_truth(tree: xr.DataTree, scale: Scale) -> pd.DataFrame:
    """Set a fit of one of the book's models beside the values that its data were simulated from.

    ``scale`` is as in ``truth_on_scale``. DataFrame with ``truth``, ``mean``, the limits of the 95
    % interval, and ``holds truth``: whether the truth lies between them; rows are the parameters
    that have a true value. Units are the model's.
    """
    truth = _flatten(truth_on_scale(scale))
    table = summarize(tree)[["mean", LOWER, UPPER]]
    table = table[table.index.isin(truth.index)]
    table.insert(0, "truth", truth[table.index])
    table["holds truth"] = table["truth"].between(table[LOWER], table[UPPER])
    return table


def _flatten(parameters: dict) -> pd.Series:
    """Scalars and Series by county under the labels that ``summarize`` uses."""
    flat = {}
    for name, value in parameters.items():
        if isinstance(value, pd.Series):
            flat |= {f"{name}[{label}]": entry for label, entry in value.items()}
        else:
            flat[name] = value
    return pd.Series(flat)
