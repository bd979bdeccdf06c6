"""Answers of "Random intercept and slope", from sums over a plain grid."""

import numpy as np
from scipy import stats

from helpers.exact import exact_posterior

from .shared import Answer, age_scale, exact, per_decade, share, slopes_on_a_grid, visits


def sd_with_endless_visits() -> Answer:
    """Sd of the mean of eight slopes, known exactly, that differ by 1 s per decade."""
    weight, _, _, _, slope, variance = slopes_on_a_grid()
    now = np.sqrt(weight @ (slope**2 + variance) - (weight @ slope) ** 2)
    shared = float(exact("random_intercept")["slope"].sel(statistic="sd"))
    known = "Endless visits make each county's slope known, and leave eight draws of a population."
    alike = "This is the sd of the shared slope, which assumes that slopes do not differ."
    slips = {
        known: 0,
        "This is the sd of single counties; the mean of eight varies less.": 1.0,
        "An sd of a mean falls with the square root of the number of counties.": 1 / 8,
        "This is the sd with the visits that we have.": float(per_decade(now)),
        alike: per_decade(shared),
    }
    units = {"seconds per sd of age": age_scale().sd / 10, "seconds per year of age": 0.1}
    return Answer(1 / np.sqrt(8), "seconds per decade of age", error=0.01, units=units, slips=slips)


def correlation_at_20() -> Answer:
    """Posterior mean of the correlation of slope and height at 20 years, from covariance matrices."""
    weight, rho, group_sd, slope_sd, *_ = slopes_on_a_grid()
    root = np.array([[group_sd, 0 * rho], [slope_sd * rho, slope_sd * np.sqrt(1 - rho**2)]])
    scale = age_scale()

    def at(x):
        height, slope = root[0] + x * root[1], root[1]
        lengths = np.sqrt((height**2).sum(axis=0) * (slope**2).sum(axis=0))
        return float(weight @ ((height * slope).sum(axis=0) / lengths))

    slips = {
        "This is `rho` itself, the correlation at the mean age.": float(weight @ rho),
        "This is the correlation at 70 years.": at(scale.standardize(70)),
        "Standardize the age first: x is not in years.": at(20),
    }
    return Answer(at(scale.standardize(20)), "a correlation, without unit", error=0.06, slips=slips)


def chance_in_a_ninth_county() -> Answer:
    """P(slope < 0) in a county that is drawn from the population; no county is simulated."""
    weight, _, _, slope_sd, slope, variance = slopes_on_a_grid()

    def falls(spread):
        return float(weight @ stats.norm.cdf(-slope / np.sqrt(spread)))

    one = falls(variance + slope_sd**2)
    drawn = exact_posterior("random_slope", visits())["posterior"].to_dataset()
    of_mean = "This is the probability for the mean of the population, not for one county."
    slips = {
        of_mean: falls(variance),
        "This copies one of the eight counties; a ninth has a slope of its own.": float(
            (drawn["slope"] + drawn["group_slope"] < 0).mean()
        ),
        "This is the probability that times rise with age there.": 1 - one,
    }
    return share(one, error=0.02, slips=slips)


ANSWERS = {
    "rs-infinite": sd_with_endless_visits,
    "rs-zero": correlation_at_20,
    "rs-ninth": chance_in_a_ninth_county,
}
