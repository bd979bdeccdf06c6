"""Answers of the appendix "The exact answer", from sums over plain grids."""

import numpy as np
from scipy import special, stats

from helpers.exact import log_marginal_likelihood, sufficient_statistics
from helpers.priors import Priors

from .shared import Answer, firms, share, slopes_on_a_grid, visits


def sd_of_sigma_with_ten_times_the_visits() -> Answer:
    """Ratio of two sds of a residual sd: the root of the degrees of freedom that are left."""
    n, used = len(visits()), 8 + 1
    ratio = ((n - used) / (10 * n - used)) ** 0.5
    slips = {
        "This is the ratio upside down.": 1 / ratio,
        "An sd falls with the root of the visits.": 0.1,
        "Nothing changed: is the table really ten times as long?": 1.0,
    }
    unit = "the sd with ten times the visits, divided by the sd with the visits as they are"
    return Answer(ratio, unit, error=0.01, slips=slips)


def evidence_against_wide_slopes() -> Answer:
    """Two ratios on a plain grid: of posterior and prior where slopes are equal, and of the two priors."""
    weight, _, _, slope_sd, *_ = slopes_on_a_grid()
    first, second = np.unique(slope_sd)[:2]  # the first lies so near to 0 that it stands for it
    density = weight[slope_sd == first].sum() / (second - first)
    scale = Priors().slope_sd
    equal = -np.log(density / stats.halfnorm.pdf(first, scale=scale))
    old, new = (stats.halfnorm.pdf(slope_sd, scale=sd) for sd in (scale, 50.0))
    wider = np.log(weight @ (new / old))
    slips = {
        "This is for the prior of the book: take the wide one.": float(equal),
        "This compares the two priors: compare with the random intercept.": float(wider),
        "This is the factor itself: take its logarithm.": float(np.exp(equal + wider)),
    }
    units = {"logarithms to base 10": 1 / np.log(10)}
    return Answer(float(equal + wider), "natural logarithms", error=0.06, units=units, slips=slips)


def corner_of_each_county() -> Answer:
    """Weight of each county's own data for sigma = 8 s and tau = 4 s."""
    n = visits()["county"].value_counts()
    slips = {
        "This is what the common line has: the rest of the weight.": (4 / (n + 4)).to_dict(),
        "The variance ratio takes squares: of sigma and of tau.": (n / (n + 2)).to_dict(),
    }
    return share((n / (n + 4)).to_dict(), error=0.006, slips=slips)


def factor_of_a_firm() -> Answer:
    """exp of the posterior median of the firms' sd, from a sum over a plain grid."""
    frame = firms().assign(value=firms()["value"] - firms()["value"].mean())
    priors = Priors(intercept=(4, 2), slope=(0, 1), sigma=1, group_sd=1)
    table = sufficient_statistics(frame, outcome="invest", predictor="value", group="firm")
    sigma, group_sd = np.meshgrid(np.linspace(0.28, 0.5, 45), np.linspace(0.2, 3.2, 301))
    log_density = log_marginal_likelihood(table, sigma.ravel(), group_sd.ravel(), priors=priors)
    log_density = log_density.reshape(sigma.shape) - (sigma**2 + group_sd**2) / 2
    weight = special.softmax(log_density).sum(axis=1)
    median = float(np.interp(0.5, weight.cumsum() - weight / 2, group_sd[:, 0]))
    mean = float(weight @ group_sd[:, 0])
    logarithm = (
        "This is still a logarithm: what does a difference of logarithms say of the amounts?"
    )
    slips = {
        logarithm: median,
        "This is a mean, and still a logarithm.": mean,
        "This is made from the mean: a factor keeps quantiles, not means.": np.exp(mean),
    }
    return Answer(
        np.exp(median), "times the investment of an average firm", error=0.02, slips=slips
    )


ANSWERS = {
    "ea-ten": sd_of_sigma_with_ten_times_the_visits,
    "ea-evidence": evidence_against_wide_slopes,
    "ea-weight": corner_of_each_county,
    "ea-firms": factor_of_a_firm,
}
