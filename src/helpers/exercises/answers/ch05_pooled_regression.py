"""Answers of "Pooled regression"."""

import pandas as pd
from scipy import stats

from helpers.exact import exact_posterior

from .shared import Answer, age_scale, exact, exact_mean, share, visits


def sd_of_slope(copies: int) -> float:
    """Posterior sd of the slope (s per sd of age) with each visit so many times."""
    found = exact_posterior("pooled", pd.concat([visits()] * copies))["exact"]
    return float(found["slope"].sel(statistic="sd"))


def factor_of_fourfold_visits() -> Answer:
    """Posterior sd of the slope with each visit four times, over the one with each visit once."""
    factor = sd_of_slope(copies=4) / sd_of_slope(copies=1)
    slips = {
        "This is the factor of the variance.": factor**2,
        "Divide the new sd by the old one, not the other way round.": 1 / factor,
        "The sd does change. Which part of the uncertainty do more visits shrink?": 1,
    }
    return Answer(factor, "the new sd divided by the old one", error=0.03, slips=slips)


def slope_of_stubborn_prior() -> Answer:
    """Posterior mean of the pooled slope if its prior has an sd of 1 s."""
    slope = exact("pooled", slope=(0.0, 1.0))["slope"]
    own = exact_mean("pooled", "slope")
    slips = {
        "This is the slope under the chapter's own prior.": own,
        "This is the lower limit of the interval.": float(slope.sel(statistic="2.5 %")),
        "This is the upper limit of the interval.": float(slope.sel(statistic="97.5 %")),
    }
    units = {"seconds per decade": 10 / age_scale().sd}
    right = float(slope.sel(statistic="mean"))
    return Answer(right, "seconds per sd of age", error=0.06, units=units, slips=slips)


def older_stays_longer() -> Answer:
    """Probability that a visitor of 60 outstays one of 30, without drawing their residuals."""
    draws = exact_posterior("pooled", visits())["posterior"].to_dataset()
    years = 30 / age_scale().sd

    def outstays(distance):
        return float(stats.norm.cdf(distance * draws["slope"] / draws["sigma"]).mean())

    right = outstays(years / 2**0.5)
    slips = {
        "This holds for two means; each visitor brings a residual.": 1.0,
        "This is the probability that the younger one stays longer.": 1 - right,
        "This has one residual only; the two visitors bring two.": outstays(years),
        "Here the ages lie one sd apart: standardize both ages.": outstays(1 / 2**0.5),
    }
    return share(right, error=0.025, slips=slips)


ANSWERS = {
    "pooled-more": factor_of_fourfold_visits,
    "pooled-prior": slope_of_stubborn_prior,
    "pooled-two": older_stays_longer,
}
