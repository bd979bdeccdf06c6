"""Answers of "Did the prior decide?"."""

import numpy as np
from scipy import optimize, special, stats

from helpers.exact import log_marginal_likelihood
from helpers.priors import Priors

from .shared import Answer, per_decade, share, slope_under, statistics


def weight_against_a_sceptic() -> Answer:
    """How far the exact mean moves to zero when the prior becomes the sceptic's."""
    own, sceptics = slope_under(*Priors().slope)[0], slope_under(0.0, 1.0)[0]
    weight = sceptics["mean"] / own["mean"]
    slips = {
        "Halfway is a guess: the weight follows from two variances.": 0.5,
        "This is the weight of the prior's centre.": 1 - weight,
        "The rule takes squares: of the posterior sd and of the prior's.": 1 / (1 + own["sd"]),
    }
    return share(weight, error=0.01, slips=slips)


def distance_with_twice_the_visits() -> Answer:
    """How far two scales of the prior move the counties' sd, from sums over a plain grid.

    Twice the same visits have twice the counts and sums of squares, around the same means.
    """
    sums = [name for name in statistics() if name == "n" or name.endswith("_ss")]
    twice = statistics().copy()
    twice[sums] = 2 * twice[sums]
    grid = np.meshgrid(np.linspace(7.3, 9.4, 40), np.linspace(0.1, 120, 1200))
    sigma, group_sd = (axis.ravel() for axis in grid)

    def apart(table, *scales):
        log_likelihood = log_marginal_likelihood(table, sigma, group_sd)
        log_prior = [-((sigma / 20) ** 2 + (group_sd / scale) ** 2) / 2 for scale in scales]
        low, high = (special.softmax(log_likelihood + each) @ group_sd for each in log_prior)
        return float(high - low)

    whole = apart(statistics(), 5, 100)
    slips = {
        "Half is a guess: the sd is learned from counties, and there are still eight.": whole / 2,
        "This is the distance from the book's scale: compare the smallest with the largest.": apart(
            twice, 20, 100
        ),
    }
    return Answer(apart(twice, 5, 100), "seconds", error=0.06, slips=slips)


def sds_that_tip_the_sign() -> Answer:
    """Where the upper limit is zero if the likelihood of the slope were normal."""
    wide, prior_sd = slope_under(*Priors().slope)[0], Priors().slope[1]
    z, decade = stats.norm.ppf(0.975), per_decade(1)
    precision = 1 / wide["sd"] ** 2 - 1 / prior_sd**2
    pull = wide["mean"] / wide["sd"] ** 2

    def limit(sd, center):  # seconds per sd of age
        both = precision + 1 / sd**2
        return (pull + center / sd**2) / both + z / both**0.5

    tipping = {
        center: decade * optimize.brentq(limit, 0.05, 5, args=(center / decade,))
        for center in (0, 2, 4)
    }
    half = "half the width of the prior's 95 % interval"
    units = {half: z, "seconds per sd of age": 1 / decade}
    return Answer(tipping, "seconds per decade", error=0.03, units=units)


ANSWERS = {
    "ps-sceptic": weight_against_a_sceptic,
    "ps-twice": distance_with_twice_the_visits,
    "ps-tipping": sds_that_tip_the_sign,
}
