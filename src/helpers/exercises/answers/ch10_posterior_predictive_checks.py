"""Answers of "Does the model look like the data?"."""

import numpy as np
from scipy import special, stats

from helpers.exact import exact_posterior

from .shared import Answer, exact_mean, visits, yes_or_no


def kent_too_wide() -> Answer:
    """The expected variance of replicates is that of the line over Kent's ages plus sigma^2."""
    kent = visits().query("county == 'Kent'")
    drawn = exact_posterior("pooled", visits())["posterior"].to_dataset()
    rows = 1 - 1 / len(kent)
    expected = drawn["sigma"] ** 2 * rows + drawn["slope"] ** 2 * kent["std_age"].var(ddof=0)
    ratio = float(expected.mean() ** 0.5 / kent["bounce_time"].std(ddof=0))
    slips = {
        "This fraction is upside down: the replicates come first.": 1 / ratio,
        "This compares variances: take sds.": ratio**2,
    }
    return Answer(ratio, "a ratio without a unit", error=0.02, units={"per cent": 100}, slips=slips)


def share_of_visits() -> float:
    """Posterior mean weight of the visits beside an intercept's prior with an sd of 1 s, over all sigma."""
    x, y, n = visits()["std_age"], visits()["bounce_time"], len(visits())
    sigma = np.linspace(8, 60, 2000)
    slope = (x * y).sum() / (x @ x)  # the mean of x is 0, so intercept and slope are independent
    left = ((y - y.mean() - slope * x) ** 2).sum()
    log_weight = (2 - n) * np.log(sigma) - left / (2 * sigma**2)
    log_weight += stats.norm.logpdf(y.mean(), 150, np.sqrt(1 + sigma**2 / n))
    log_weight += stats.norm.logpdf(slope, 0, np.sqrt(100 + sigma**2 / (x @ x)))
    log_weight += stats.halfnorm.logpdf(sigma, scale=20)
    return np.average(n / (n + sigma**2), weights=special.softmax(log_weight))


def intercept_between_prior_and_visits() -> Answer:
    """Given sigma, the posterior mean weighs prior and visits by precision."""
    observed, n = visits()["bounce_time"].mean(), len(visits())
    old = n / (n + exact_mean("pooled", "sigma") ** 2)

    def mix(weight):
        return 150 + weight * (observed - 150)

    slips = {
        "This is the centre of the prior; the visits count as well.": mix(0),
        "This is the observed mean; the prior counts as well.": mix(1),
        "Halfway is a guess: the weights follow from the two precisions.": mix(0.5),
        "With the sigma of the old fit it would be this, but sigma has grown.": mix(old),
    }
    return Answer(mix(share_of_visits()), "seconds", error=0.2, slips=slips)


ANSWERS = {
    "ppc-fitted": kent_too_wide,
    "ppc-prior": intercept_between_prior_and_visits,
    "ppc-plant": yes_or_no(  # sigma is fitted to the sd of all times, whatever makes it
        "no", "Is there a parameter that was fitted to this statistic?"
    ),
}
