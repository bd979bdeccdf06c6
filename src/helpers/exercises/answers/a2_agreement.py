"""Answers of the appendix "Agreement"."""

import numpy as np
from scipy import special, stats

from helpers.exact import log_marginal_likelihood

from .shared import (
    Answer,
    decade_slope,
    exact_mean,
    per_decade,
    slope_under,
    statistics,
    yes_or_no,
)


def sd_of_counties_under_a_wider_prior() -> Answer:
    """Mean sd of the counties under a half-normal prior of scale 30 s, from a sum over a plain grid."""
    grid = np.meshgrid(np.linspace(7.2, 9.8, 40), np.linspace(0.1, 70, 700))
    sigma, group_sd = (axis.ravel() for axis in grid)
    log_likelihood = log_marginal_likelihood(statistics(), sigma, group_sd)

    def mean(scale):
        log_prior = -((sigma / 20) ** 2 + (group_sd / scale) ** 2) / 2
        return float(special.softmax(log_likelihood + log_prior) @ group_sd)

    slips = {
        "This is the mean under the book's prior.": mean(20),
        "This is the mean under another scale of the list.": mean(25),
        "This is the mean of the prior itself.": 30 * (2 / np.pi) ** 0.5,
    }
    return Answer(mean(30), "seconds", error=0.03, slips=slips)


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


ANSWERS = {
    "ag-draws": Answer(  # in the parameter's units: the root of a quarter
        4**-0.5,
        "the new difference, divided by the old one",
        error=0.06,
        slips={
            "An error falls with the root of the draws, not with the draws.": 1 / 4,
            "This is the ratio upside down.": 2.0,
            "This holds for differences in Monte Carlo standard errors.": 1.0,
        },
    ),
    "ag-heavy": slope_under_a_t_prior,
    "ag-prior": sd_of_counties_under_a_wider_prior,
    "ag-silent": yes_or_no(  # a correlation of one is the edge of what a covariance matrix can be
        "yes", "Compare the smaller eigenvalue with the larger one, not with 0."
    ),
}
