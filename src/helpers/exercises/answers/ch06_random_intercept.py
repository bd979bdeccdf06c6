"""Answers of "Random intercept"."""

import numpy as np

from helpers import frames
from helpers.exact import exact_posterior
from helpers.priors import Priors

from .shared import Answer, exact_mean, firms, share, visits


def weight_of_rutland() -> Answer:
    """Mean weight of seven visits if counties differ by 2 s."""
    sigma, found = (exact_mean("random_intercept", name) for name in ("sigma", "group_sd"))
    drawn = exact_posterior("random_intercept", visits())["posterior"].to_dataset()
    ratio = drawn["sigma"] ** 2 / drawn["group_sd"] ** 2

    def weigh(n, group_sd=2.0):
        return n / (n + sigma**2 / group_sd**2)

    squares = "The variance ratio takes squares: of sigma and of the group sd."
    slips = {
        "This is the weight of the other counties' evidence.": 1 - weigh(7),
        squares: 7 / (7 + sigma / 2),
        "This is Kent's weight: use the visits of Rutland.": weigh(150),
        # As the table of the page has it, and as its sliders begin.
        "This is the weight as it is: it depends on how much counties differ, too.": float(
            (7 / (7 + ratio)).mean()
        ),
        "This is the weight as it is, at the means of the sds: tau changes, too.": weigh(7, found),
    }
    return share(weigh(7), error=0.01, slips=slips)


def sd_of_counties_held_together() -> Answer:
    """Posterior mean of group_sd under a half-normal prior of scale 2 s."""
    before = "This is the mean under the book's prior: refit with the new one."
    sigma = "This is `sigma`, the scatter of visits, not of counties."
    slips = {
        before: exact_mean("random_intercept", "group_sd"),
        "This is the mean of the prior alone: no visit has been seen.": 2 * np.sqrt(2 / np.pi),
        "This is the scale of the prior; the question is about the posterior.": 2.0,
        sigma: exact_mean("random_intercept", "sigma"),
    }
    unit = "seconds, the posterior mean of `group_sd`"
    right = exact_mean("random_intercept", "group_sd", group_sd=2.0)
    return Answer(right, unit, error=0.1, slips=slips)


def elasticity_of_investment() -> Answer:
    """Slope of log investment on log value in a random intercept for firms, from the exact posterior."""
    frame = frames.standardize(firms(), "value")
    scale = frames.scale_of(frame, "value")
    columns = {"outcome": "invest", "predictor": "std_value", "group": "firm"}
    priors = Priors(intercept=(4, 2), slope=(0, 2), sigma=1, group_sd=1)

    def slope(name):
        found = exact_posterior(name, frame, priors=priors, **columns)["exact"]["slope"]
        return scale.per_unit(float(found.sel(statistic="mean")))

    pooled = "This is the slope of the pooled regression: firms need their own intercepts."
    slips = {pooled: slope("pooled")}
    units = {"log units per sd of the log of value": scale.sd}
    unit = "per cent of investment per one per cent of value"
    return Answer(slope("random_intercept"), unit, error=0.02, units=units, slips=slips)


ANSWERS = {
    "ri-weight": weight_of_rutland,
    "ri-prior": sd_of_counties_held_together,
    "ri-firms": elasticity_of_investment,
}
