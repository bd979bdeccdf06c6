"""Answers of "Choosing priors"."""

import numpy as np
from scipy import special, stats

from helpers.priors import Priors

from .shared import Answer, visits


def share_below(limit: float, x) -> float:
    """Prior share of times below a limit (s), in per cent, over a quadrature of the two sds."""
    priors = Priors()
    node = stats.halfnorm.ppf((np.arange(60) + 0.5) / 60)
    variance = (priors.sigma * node[:, None, None]) ** 2 + (priors.group_sd * node[:, None]) ** 2
    variance = variance + priors.intercept[1] ** 2 + (priors.slope[1] * np.asarray(x)) ** 2
    return float(100 * stats.norm.cdf((limit - priors.intercept[0]) / variance**0.5).mean())


def impossible_on_raw_age() -> Answer:
    """Share of negative times if the priors meet age in years; the error is that of 2,000 draws."""
    age = visits()["age"]
    impossible, implausible = share_below(0.0, age), 100 - share_below(600.0, age)
    slips = {
        "This is the share with standardized age.": share_below(0.0, visits()["std_age"]),
        "This is the share of implausible visits.": implausible,
        "Do not count the implausible visits.": impossible + implausible,
    }
    units = {"a share between 0 and 1": 0.01}
    return Answer(impossible, "per cent of the visits", error=5.0, units=units, slips=slips)


def scale_of_colleague() -> Answer:
    """Scale of a half-normal whose 95 % point is 30 s: it is that of the absolute value of a normal."""
    whole = "This would be right for a whole normal; a half-normal has one tail only."
    slips = {
        "A half-normal has about a third of its probability above its scale.": 30,
        whole: 30 / float(stats.norm.ppf(0.95)),
    }
    return Answer(30 / (2**0.5 * float(special.erfinv(0.95))), "seconds", error=0.1, slips=slips)


def width_of_default_prior() -> Answer:
    """Bambi's rule for the prior sd of an intercept whose predictor has mean 0, in sds of the outcome."""
    sd = float(visits()["bounce_time"].std(ddof=0))
    slips = {
        "This is the prior's sd in seconds.": 2.5 * sd,
        "Divide the prior's sd by that of the times, not the other way round.": 1 / 2.5,
        "This is a ratio to the variance of the times.": 2.5 / sd,
    }
    return Answer(2.5, "standard deviations of the bounce times", error=0.02, slips=slips)


ANSWERS = {
    "cp-raw-age": impossible_on_raw_age,
    "cp-colleague": scale_of_colleague,
    "cp-bambi": width_of_default_prior,
}
