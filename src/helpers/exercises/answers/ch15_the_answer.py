"""Answers of "The answer", from independent draws of the exact posterior."""

from functools import cache

import numpy as np
from scipy import stats

from helpers import frames
from helpers.exact import exact_posterior
from helpers.priors import Priors

from .shared import Answer, decade_slope, per_decade, statistics, visits


@cache
def split():
    """The visits with age within counties and between them, and what was fitted to them."""
    frame = frames.split_within_between(visits(), "age", "county")
    columns = {"predictor": "age_within", "covariates": ("age_county_mean",)}
    priors = Priors(covariate_slope=(0.0, 20.0))
    fitted = exact_posterior("random_slope", frame, **columns, priors=priors)
    return frame, fitted["posterior"].to_dataset()


def penalty_that_turns_the_decision() -> Answer:
    """Loss of a second in vain, beside one missed, at which both actions are as good in a new county.

    Given the draw of mean and sd of the slopes a gain is normal, and its expected losses are formulas.
    """
    (_, drawn), cost, gain_per_decade = split(), 2.5, -1.5

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
    """Sd of the expected time at age 40 in a county that copies one of the eight, each as likely.

    The variance of a mixture: that of the counties' means, and the mean of their variances.
    """
    frame, drawn = split()
    age, means = frames.scale_of(frame, "age"), frames.scale_of(frame, "age_county_mean")
    own_age = frame.groupby("county", observed=True)["age"].mean().to_xarray()
    between, x = drawn["covariate_slope"][..., 0], (40 - own_age) / age.sd
    own = drawn["intercept"] + between * means.standardize(own_age) + drawn["group_intercept"]
    own = own + (drawn["slope"] + drawn["group_slope"]) * x
    of_means, within = own.mean(["chain", "draw"]).var(), own.var(["chain", "draw"]).mean()
    copied = float(np.sqrt(of_means + within))
    # A new county with a mean age from Normal(0, 1) sds, by the law of total variance.
    tells = between - drawn["slope"] * means.sd / age.sd
    x = (40 - means.mean) / age.sd
    tilt = drawn["slope_sd"] ** 2 * (x**2 + (means.sd / age.sd) ** 2)
    differ = drawn["group_sd"] * (drawn["group_sd"] + 2 * x * drawn["rho"] * drawn["slope_sd"])
    line = (drawn["intercept"] + drawn["slope"] * x).var()
    new = float(np.sqrt((differ + tilt + tells**2).mean() + line))
    known = "This is how well one of the eight is known, and not how they differ."
    slips = {
        "This is the sd of a county that is drawn from the population.": new,
        known: float(own.std(["chain", "draw"]).mean()),
        "This is a variance, in squared seconds.": copied**2,
    }
    return Answer(copied, "seconds", error=0.4, slips=slips)


def sd_with_more_counties() -> Answer:
    """Posterior sd of the mean slope with ten times the counties, from other draws."""
    drawn, within = split()[1], statistics()["predictor_ss"].to_xarray()

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
