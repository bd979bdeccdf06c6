"""Two further outcomes of the same visits: whether the visitor came back, and how many pages were opened."""

import json

import numpy as np
import pandas as pd
import xarray as xr
from scipy import special

from helpers.book.visits import (
    COUNTIES,
    REFERENCE_AGE,
    data_file,
    load_bounce_times,
    simulate_bounce_times,
)
from helpers.frames import Scale
from helpers.priors import LOWER, SEED, UPPER
from helpers.tables import MINUS, present_summary, summarize
from helpers.terms import group_dim

# The true heights of the counties for a visitor aged 45: log odds of coming back, mean number of pages.
LOG_ODDS = {
    **{"Cheshire": -1.0, "Cornwall": -1.7, "Cumbria": 1.1, "Devon": 0.6},
    **{"Essex": -1.5, "Kent": 0.3, "Norfolk": 1.5, "Rutland": -0.5},
}
PAGES = {
    **{"Cheshire": 5.0, "Cornwall": 2.2, "Cumbria": 3.4, "Devon": 3.0},
    **{"Essex": 6.5, "Kent": 2.8, "Norfolk": 5.5, "Rutland": 4.0},
}
LOG_ODDS_PER_DECADE = 0.5  # of coming back, the same in every county
RATIO_PER_DECADE = 0.85  # of the mean number of pages, the same in every county
ALPHA = 1.5  # of the negative binomial: the variance of a count is mean + mean**2 / ALPHA
OUTCOMES = ("returned", "pages")
# Random numbers of their own for each, apart from those of the bounce times.
STREAMS = {"returned": (20, 0), "pages": (20, 1)}
LABELS = {"returned": "Came back within a week", "pages": "Further pages opened"}


def true_line(outcome: str, age, county: pd.Series) -> pd.Series:
    """The true linear predictor: log odds for ``returned``, the log of the mean for ``pages``.

    ``age`` in years, one number or one a row of ``county``, whose index the Series has.
    """
    decades = (age - REFERENCE_AGE) / 10
    if outcome == "returned":
        return county.map(LOG_ODDS).astype(float) + LOG_ODDS_PER_DECADE * decades
    if outcome == "pages":
        heights = np.log(county.map(PAGES).astype(float))
        return heights + np.log(RATIO_PER_DECADE) * decades
    raise ValueError(f"There is no outcome {outcome!r}; choose one of {', '.join(OUTCOMES)}.")


def true_mean(outcome: str, age, county: pd.Series) -> pd.Series:
    """The true chance of coming back, or the true mean number of pages; arguments of ``true_line``."""
    line = true_line(outcome, age, county)
    return special.expit(line) if outcome == "returned" else np.exp(line)


def simulate_outcomes(seed: int = SEED) -> pd.DataFrame:
    """The visits of ``simulate_bounce_times(seed)`` with two further outcomes, drawn independently.

    The default seed gives ``data/next_visits.csv``, byte for byte. DataFrame with ``bounce_time`` (s),
    ``age`` (years), ``county`` (category), ``returned`` (1: came back within a week, 0: did not)
    and ``pages`` (how many further pages the visitor opened, 0 or more, negative binomial).
    """
    visits = simulate_bounce_times(seed)
    rng = {name: np.random.default_rng([seed, *stream]) for name, stream in STREAMS.items()}
    chance = true_mean("returned", visits["age"], visits["county"])
    mean = true_mean("pages", visits["age"], visits["county"])
    drawn = visits.assign(
        returned=(rng["returned"].uniform(size=len(visits)) < chance).astype(int),
        pages=rng["pages"].negative_binomial(ALPHA, ALPHA / (ALPHA + mean)),
    )
    drawn.attrs["labels"] = {**visits.attrs["labels"], **LABELS}
    return drawn


def load_next_visits() -> pd.DataFrame:
    """Load and check ``data/next_visits.csv``: the book's 613 visits with ``returned`` and ``pages``.

    The columns are those of ``simulate_outcomes``; errors are those of ``load_bounce_times``.
    """
    frame = load_bounce_times(data_file("next_visits.csv"))
    frame = frame.astype(dict.fromkeys(OUTCOMES, int))
    frame.attrs["labels"] = {**frame.attrs["labels"], **LABELS}
    return frame


def true_outcomes() -> dict:
    """The content of ``data/next_truth.json``: what ``simulate_outcomes`` draws from.

    By outcome: the height of each county at the reference age (log odds of coming back, mean number of
    pages), their mean and root mean square around it on the link scale (``intercept``, ``group_sd``),
    and the slope, on the link scale and as a ratio; for ``pages`` also ``alpha``.
    """
    found = {"reference_age": REFERENCE_AGE}
    counties = pd.Series(COUNTIES.index, COUNTIES.index)
    slopes = {"returned": LOG_ODDS_PER_DECADE, "pages": float(np.log(RATIO_PER_DECADE))}
    for outcome, slope in slopes.items():
        heights = true_line(outcome, REFERENCE_AGE, counties)
        found[outcome] = {
            "seed": [SEED, *STREAMS[outcome]],
            "link": "logit" if outcome == "returned" else "log",
            "intercept": round(float(heights.mean()), 6),
            "group_sd": round(float(heights.std(ddof=0)), 6),
            "slope_per_decade": round(slope, 6),
            "ratio_per_decade": round(float(np.exp(slope)), 6),
            "counties": LOG_ODDS if outcome == "returned" else PAGES,
        }
    found["pages"]["alpha"] = ALPHA
    return found


def describe_counties(tree: xr.DataTree, scale: Scale) -> xr.Dataset:
    """Draws of what the truth of an outcome is about, from a fit with a slope and intercepts by county.

    ``tree`` has Bambi's names (``Intercept``, ``std_age``, ``1|county``), ``scale`` is that of age. On
    the link scale: ``slope per decade``; ``height`` of each county at the reference age, along
    ``county``; ``sd of heights``, a root mean square around their mean; ``alpha``, if there is one.
    """
    posterior = tree["posterior"].to_dataset()
    posterior = posterior.rename({group_dim("county"): "county"})
    reference = scale.standardize(REFERENCE_AGE)
    height = posterior["Intercept"] + posterior["1|county"] + posterior["std_age"] * reference
    found = {
        "slope per decade": 10 * scale.per_unit(posterior["std_age"]),
        "sd of heights": height.std("county"),
        **({"alpha": posterior["alpha"]} if "alpha" in posterior else {}),
        "height": height.assign_attrs(units="height"),
    }
    return xr.Dataset(
        {name: f.assign_attrs(units=f.attrs.get("units", name)) for name, f in found.items()}
    )


def compare_with_truth(tree: xr.DataTree, outcome: str, scale: Scale) -> pd.DataFrame:
    """Set a fit of ``returned`` or ``pages`` beside what the outcome was simulated from.

    DataFrame with the rows of ``describe_counties``: ``truth``, ``mean``, the limits of the 95 %
    interval, and ``holds truth``: whether the truth lies between them.
    """
    table = summarize(describe_counties(tree, scale))[["mean", LOWER, UPPER]]
    table.insert(0, "truth", _truth_of(outcome)[table.index])
    table["holds truth"] = table["truth"].between(table[LOWER], table[UPPER])
    return table


def present_marks(tree: xr.DataTree, outcome: str, scale: Scale) -> pd.DataFrame:
    """What ``compare_with_truth`` says, as text for a page."""
    marks = compare_with_truth(tree, outcome, scale)
    shown = present_summary(describe_counties(tree, scale))[["mean", LOWER, UPPER]]
    shown.insert(0, "truth", [f"{value:.2f}".replace("-", MINUS) for value in marks["truth"]])
    return shown.assign(**{"holds truth": marks["holds truth"].map({True: "yes", False: "no"})})


def _truth_of(outcome: str) -> pd.Series:
    """The true values under the labels that ``describe_counties`` gives its draws."""
    truth = true_outcomes()[outcome]
    counties = pd.Series(COUNTIES.index, COUNTIES.index)
    heights = true_line(outcome, REFERENCE_AGE, counties)
    flat = {"slope per decade": truth["slope_per_decade"], "sd of heights": truth["group_sd"]}
    flat |= {"alpha": truth.get("alpha", np.nan)}
    return pd.Series(flat | {f"height[{county}]": value for county, value in heights.items()})


def write_outcomes() -> dict[str, str]:
    """The text of the two files, by name: ``next_visits.csv`` and ``next_truth.json``."""
    table = simulate_outcomes().to_csv(index=False, float_format="%.2f", lineterminator="\n")
    return {
        "next_visits.csv": table,
        "next_truth.json": json.dumps(true_outcomes(), indent=2) + "\n",
    }
