"""Answers of "Did the prior decide?"."""

import numpy as np
from scipy import optimize, special, stats

from helpers.exact import exact_posterior
from helpers.priors import Priors

from .shared import Answer, decade_slope, exact_mean, per_decade, share, statistics


def slope_under(center: float, sd: float):
    """Exact posterior of the random intercept's slope under another prior of it, and log p(y)."""
    priors = Priors(slope=(center, sd))
    found = exact_posterior("random_intercept", statistics(), priors=priors, draws=1)["exact"]
    return found["slope"].to_series(), found.attrs["log_marginal_likelihood"]


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


def slope_under_a_t_prior() -> Answer:
    """A t prior is a mixture of normal ones, whose precisions have a gamma distribution."""
    center = exact_mean("pooled", "slope")
    factor = np.geomspace(1e-3, 8, 18)  # of the precision
    found = [slope_under(center, 1 / times**0.5) for times in factor]
    log_weight = np.log(factor) + stats.gamma.logpdf(factor, 1.5, scale=1 / 1.5)
    log_weight += [log_evidence for _, log_evidence in found]
    mean = special.softmax(log_weight) @ [slope["mean"] for slope, _ in found]
    normal = per_decade(slope_under(center, 1.0)[0]["mean"])
    own = per_decade(exact_mean("random_intercept", "slope"))
    slips = {
        "This is the slope under the copied prior in its normal shape.": normal,
        "This is the slope under the book's prior.": own,
    }
    return decade_slope(float(per_decade(mean)), 0.04, slips, "seconds per decade")


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
    "ps-heavy": slope_under_a_t_prior,
    "ps-tipping": sds_that_tip_the_sign,
}
