"""Two further outcomes of the same visits: whether the visitor came back, and how many pages were opened."""

import json

import numpy as np
import pandas as pd
from scipy import special

from helpers.book.visits import COUNTIES, REFERENCE_AGE, data_file, load_bounce_times
from helpers.book.visits import simulate_bounce_times as simulate_visits
from helpers.priors import SEED

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
    visits = simulate_visits(seed)
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


def write_outcomes() -> dict[str, str]:
    """The text of the two files, by name: ``next_visits.csv`` and ``next_truth.json``."""
    table = simulate_outcomes().to_csv(index=False, float_format="%.2f", lineterminator="\n")
    return {
        "next_visits.csv": table,
        "next_truth.json": json.dumps(true_outcomes(), indent=2) + "\n",
    }
