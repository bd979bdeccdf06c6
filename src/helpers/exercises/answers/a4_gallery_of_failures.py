"""Answers of the appendix "A gallery of failures"."""

import numpy as np

from .shared import Answer, visits


def effects_with_wrong_names() -> Answer:
    """How many labels change if counties are listed as they appear in place of by the alphabet."""
    county = visits()["county"]
    moved = int((np.asarray(county.unique()) != np.asarray(county.cat.categories)).sum())
    everything = len(county.cat.categories)
    slips = {
        "A county whose name happens to be right keeps its own effect.": everything,
        "The population's parameters never read a name.": everything + 4,
        "These are the ones that stay.": everything - moved,
    }
    return Answer(moved, "group_intercepts", error=0.1, slips=slips)


ANSWERS = {
    "fa-names": effects_with_wrong_names,
    "fa-chains": Answer(  # four chains begin in the same one of two modes
        2 * 0.5**4,
        "a probability",
        error=0.006,
        units={"per cent": 100, "runs of sixteen": 16},
        slips={
            "This is one particular mode; the chains may share either.": 0.5**4,
            "The first chain chooses freely, and three others must follow it.": 0.5**2,
            "This is the probability that the gate sees something.": 1 - 2 * 0.5**4,
        },
    ),
    "fa-recovery": Answer(  # counties outside the likelihood keep the prior's intervals
        "forgotten group",
        "the label of a failure",
        slips={
            "Are the intercepts that it finds those of the counties it names?": "wrong names",
            "Are its rows those of the counties?": "wrong rows",
        },
    ),
}
