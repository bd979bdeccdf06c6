"""Answers of the appendix "How do we know?"."""

import numpy as np
from scipy import stats

from .shared import Answer, share


def share_held_by_half_intervals() -> Answer:
    """How often an interval of half the length of a right 95 % interval holds the truth."""
    held = float(1 - 2 * stats.norm.sf(stats.norm.ppf(0.975) / 2))
    half = "Half the length does not hold half as often: the truth is mostly near the middle."
    slips = {
        half: 0.475,
        "This is what the right intervals hold.": 0.95,
        "This is the share that is missed.": 1 - held,
    }
    return share(held, error=0.07, slips=slips)


def worlds_to_tell_two_coverages() -> Answer:
    """The first number of worlds at which 2 % is twice its standard error, by trying them all."""
    worlds = np.arange(1, 10_000)
    difference = 0.95 - 0.93

    def first(errors):
        return float(worlds[difference >= 2 * errors - 1e-12][0])

    one, other = (np.sqrt(p * (1 - p) / worlds) for p in (0.95, 0.93))
    slips = {
        "This takes the error of one share only.": first(one),
        "This takes the error of the other share only.": first(other),
        "The difference is to be twice its error, not once.": first(np.hypot(one, other) / 2),
        "Variances add, not standard errors.": first(one + other),
    }
    return Answer(first(np.hypot(one, other)), "worlds", error=2, slips=slips)


ANSWERS = {
    "hk-blind": Answer(  # truth and blind draws come from the prior; only the visits tell them apart
        "log_likelihood",
        "a quantity that is ranked",
        slips={
            f"For {name} the truth is a draw like any other.": name
            for name in ("intercept", "slope", "sigma")
        },
    ),
    "hk-narrow": share_held_by_half_intervals,
    "hk-worlds": worlds_to_tell_two_coverages,
}
