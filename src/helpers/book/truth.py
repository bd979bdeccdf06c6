"""The values that the bounce times were simulated from, a posterior beside them, and the files."""

import json
from pathlib import Path

import pandas as pd
import xarray as xr

from helpers.book.outcomes import write_outcomes
from helpers.book.visits import (
    AGE_SD,
    COUNTIES,
    REFERENCE_AGE,
    SIGMA,
    data_file,
    simulate_bounce_times,
)
from helpers.frames import Scale
from helpers.priors import LOWER, SEED, UPPER, Priors
from helpers.tables import MINUS, UNITS, present_summary, summarize

LINE = ("intercept", "slope")
# What is marked of the counties together, and what ``truth_on_scale`` calls it.
WORDS = {
    "mean intercept": "intercept",
    "mean slope": "slope",
    "sd of intercepts": "group_sd",
    "sd of slopes": "slope_sd",
    "correlation": "rho",
    "sigma": "sigma",
}


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


def priors_in_stan(priors: Priors) -> pd.DataFrame:
    """Priors as Stan and brms write them: ``parameter``, ``prior``, ``unit``, one row a parameter.

    A half-normal prior is a normal one of a parameter that is above 0, as its unit says. There is no
    ``rho`` without ``lkj_eta``.
    """
    rows = [
        (name, "normal({:g}, {:g})".format(*getattr(priors, name)), unit)
        for name, unit in (("intercept", "s"), ("slope", "s per sd of age"))
    ]
    for name, unit in (("sigma", "s"), ("group_sd", "s"), ("slope_sd", "s per sd of age")):
        rows.append((name, f"normal(0, {getattr(priors, name):g})", f"{unit}, above 0"))
    if priors.lkj_eta is not None:
        rows.append(("rho", f"lkj({priors.lkj_eta:g})", ""))
    return pd.DataFrame(rows, columns=["parameter", "prior", "unit"])


def write_data(folder: Path) -> None:
    """Write ``bounce_times.csv``, ``truth.json``, ``priors.csv``, ``next_visits.csv`` and
    ``next_truth.json`` into ``folder``, the same bytes on any system.
    """
    table = simulate_bounce_times().to_csv(index=False, float_format="%.2f", lineterminator="\n")
    truth = json.dumps(true_parameters(), indent=2) + "\n"
    (folder / "bounce_times.csv").write_bytes(table.encode())
    (folder / "truth.json").write_bytes(truth.encode())
    priors = priors_in_stan(Priors()).to_csv(index=False, lineterminator="\n")
    (folder / "priors.csv").write_bytes(priors.encode())
    for name, text in write_outcomes().items():
        (folder / name).write_bytes(text.encode())


def describe_counties(tree: xr.DataTree) -> xr.Dataset:
    """Compute from each draw what is true of the counties at hand, not of a population behind them.

    Returns
    -------
    Dataset of draws: ``mean intercept`` and ``mean slope``, one county one vote; ``sd of
    intercepts`` and ``sd of slopes``, root mean squares around them; their ``correlation``;
    ``sigma``; and each county's own line, ``intercept`` and ``slope`` along ``county``. What all
    counties share has no spread and stands for the mean. Units are the model's.
    """
    posterior = tree["posterior"].to_dataset()
    own = {name: posterior[name] + posterior.get(f"group_{name}", 0) for name in LINE}
    found = {f"mean {name}": line.mean(set(line.dims) & {"county"}) for name, line in own.items()}
    vary = {name: line for name, line in own.items() if "county" in line.dims}
    found |= {f"sd of {name}s": line.std("county") for name, line in vary.items()}
    if len(vary) == 2:
        found["correlation"] = xr.corr(*vary.values(), "county")
    found |= {"sigma": posterior["sigma"], **vary}
    units = {words: UNITS.get(name, name) for words, name in WORDS.items()}
    return xr.Dataset(
        {name: values.assign_attrs(units=units.get(name, name)) for name, values in found.items()}
    )


def compare_with_truth(tree: xr.DataTree, scale: Scale) -> pd.DataFrame:
    """Set a fit of one of the three models beside the values that its data were simulated from.

    The simulation wrote down eight lines and drew none from a population, so each row is about
    these eight, the posterior's as the truth's: ``describe_counties`` says which. ``scale`` is as in
    ``truth_on_scale``. DataFrame with ``truth``, ``mean``, the limits of the 95 % interval, and
    ``holds truth``: whether the truth lies between them. Units are the model's.
    """
    table = summarize(describe_counties(tree))[["mean", LOWER, UPPER]]
    table.insert(0, "truth", _truth_of_counties(scale)[table.index])
    table["holds truth"] = table["truth"].between(table[LOWER], table[UPPER])
    return table


def present_marks(tree: xr.DataTree, scale: Scale) -> pd.DataFrame:
    """What ``compare_with_truth`` says, as text for a page."""
    marks = compare_with_truth(tree, scale)
    shown = present_summary(describe_counties(tree))[["mean", LOWER, UPPER]]
    shown.insert(0, "truth", [f"{value:.2f}".replace("-", MINUS) for value in marks["truth"]])
    return shown.assign(**{"holds truth": marks["holds truth"].map({True: "yes", False: "no"})})


def _truth_of_counties(scale: Scale) -> pd.Series:
    """The true values under the labels that ``describe_counties`` gives its draws."""
    truth = truth_on_scale(scale)
    flat = {words: truth[name] for words, name in WORDS.items()}
    for name in LINE:
        own = truth[name] + truth[f"group_{name}"]
        flat |= {f"{name}[{county}]": value for county, value in own.items()}
    return pd.Series(flat)
