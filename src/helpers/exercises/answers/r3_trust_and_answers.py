"""Answers of "Trust, check and answer, in R", from the exact posterior and not from brms."""

from functools import cache

import numpy as np
import xarray as xr
from scipy import stats

from helpers.exact import exact_posterior

from .shared import Answer, per_decade, share, slopes_on_a_grid, visits

OPPOSITE = "This is the probability of the opposite."


@cache
def drawn() -> xr.Dataset:
    """Independent draws of the random-slope model."""
    return exact_posterior("random_slope", visits(), draws=20_000)["posterior"].to_dataset()


def slope_of_rutland_below_0() -> Answer:
    slope, own = drawn()["slope"], drawn()["group_slope"].sel(county="Rutland", drop=True)

    def below(values, limit=0):
        return float((values < limit).mean())

    steeper = (
        "This is the deviation alone: whether Rutland's slope is steeper than the population's."
    )
    slips = {
        steeper: below(own),
        "This is the population's slope; Rutland's own deviation is missing.": below(slope),
        "This is the probability of a slope below -1 s per decade.": below(
            per_decade(slope + own), -1
        ),
        OPPOSITE: 1 - below(slope + own),
    }
    return share(below(slope + own), 0.02, slips)


def ten_years_cost_a_second() -> Answer:
    """Given the sds the slope is normal: its distribution function, summed over a plain grid."""
    weight, *_, slope, variance = slopes_on_a_grid()

    def below(limit):
        return float(weight @ stats.norm.cdf((limit - slope) / np.sqrt(variance)))

    right = below(-1 / per_decade(1))
    new = drawn()["slope"], drawn()["slope_sd"]
    in_a_new_county = stats.norm.cdf((-1 / per_decade(1) - new[0]) / new[1]).mean()
    slips = {
        "This is for a second per sd of age; a decade is less than an sd.": below(-1),
        "This is the probability of any loss at all.": below(0),
        "This is for one new county, and not for the mean of the population.": in_a_new_county,
        OPPOSITE: 1 - right,
    }
    return share(right, 0.018, slips)


ANSWERS = {"rt-rutland": slope_of_rutland_below_0, "rt-manager": ten_years_cost_a_second}
