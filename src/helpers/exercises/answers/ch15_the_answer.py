"""Answers of "The answer", from independent draws of the exact posterior."""

from functools import cache

import numpy as np
from scipy import stats

from helpers.exact import exact_posterior

from .shared import Answer, age_scale, decade_slope, per_decade, statistics, visits


@cache
def random_slope_draws():
    """The random-slope model's draws, with the line of a new county beside them."""
    drawn = exact_posterior("random_slope", visits())["posterior"].to_dataset()
    z = np.random.default_rng(1).normal(size=(2, *drawn["slope"].shape))
    rest = drawn["rho"] * z[0] + np.sqrt(1 - drawn["rho"] ** 2) * z[1]
    return drawn.assign(
        new_slope=drawn["slope"] + drawn["slope_sd"] * z[0],
        new_intercept=drawn["intercept"] + drawn["group_sd"] * rest,
    )


def penalty_that_turns_the_decision() -> Answer:
    """Loss of a second in vain, beside one missed, at which both actions are as good in a new county.

    Given the draw of mean and sd of the slopes a gain is normal, and its expected losses are formulas.
    """
    drawn, cost, gain_per_decade = random_slope_draws(), 2.5, -1.5

    def turn(spread):
        mean = gain_per_decade * per_decade(drawn["slope"]) - cost
        sd = abs(gain_per_decade) * per_decade(spread)
        density, above = stats.norm.pdf(mean / sd), stats.norm.cdf(mean / sd)
        missed, in_vain = sd * density + mean * above, sd * density - mean * (1 - above)
        return float(missed.mean() / in_vain.mean())

    slips = {
        "This is the ratio upside down.": 1 / turn(drawn["slope_sd"]),
        "This is the limit for the population of counties.": turn(1e-9),
    }
    unit = "seconds lost for each second missed"
    return Answer(turn(drawn["slope_sd"]), unit, error=0.3, slips=slips)


def sd_of_copied_line() -> Answer:
    """Sd of the expected time at age 40 in a county that copies one of the eight, each as likely."""
    drawn, x = random_slope_draws(), age_scale().standardize(40)
    own = drawn["intercept"] + drawn["group_intercept"]
    own = own + (drawn["slope"] + drawn["group_slope"]) * x
    new = drawn["new_intercept"] + drawn["new_slope"] * x
    known = "This is how well one of the eight is known, and not how they differ."
    slips = {
        "This is the sd of a county that is drawn from the population.": float(new.std()),
        known: float(own.std(["chain", "draw"]).mean()),
        "This is a variance, in squared seconds.": float(own.var()),
    }
    return Answer(float(own.std()), "seconds", error=0.4, slips=slips)


def sd_with_more_counties() -> Answer:
    """Posterior sd of the mean slope with ten times the counties, from other draws."""
    drawn, within = random_slope_draws(), statistics()["predictor_ss"].to_xarray()

    def sd(visits_times=1, counties_times=1):
        error2 = drawn["sigma"] ** 2 / (visits_times * within)
        weight = counties_times * (1 / (drawn["slope_sd"] ** 2 + error2)).sum("county")
        return per_decade(float(np.sqrt((1 / weight).mean())))

    slips = {
        "This is the other design, with more visits from the same counties.": sd(10),
        "This is the sd as it is now.": sd(),
        "An sd falls with the root of the counties.": sd() / 10,
    }
    return decade_slope(sd(counties_times=10), 0.015, slips)


ANSWERS = {
    "ta-penalty": penalty_that_turns_the_decision,
    "ta-copy": sd_of_copied_line,
    "ta-design": sd_with_more_counties,
}
