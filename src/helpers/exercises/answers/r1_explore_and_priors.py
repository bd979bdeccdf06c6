"""Answers of "Look, and choose priors, in R", from the visits and by integration over two half-normal sds."""

import numpy as np
from scipy import stats

from helpers.priors import Priors

from .shared import Answer, age_scale, fit_line, visits


def slope_of_essex() -> Answer:
    essex = visits()[visits()["county"] == "Essex"]
    right = 10 * fit_line(essex["age"], essex["bounce_time"])
    slips = {
        "This is the line through all visits.": 10
        * fit_line(visits()["age"], visits()["bounce_time"]),
        "This is per year; a decade has ten.": right / 10,
    }
    units = {"s per sd of age": age_scale().sd / 10}
    return Answer(right, "s per decade", 0.1, units, slips)


def below_zero(intercept_sd: float) -> float:
    """Share (%) of prior predictive visits below 0 s at the mean age, by a grid over both sds."""
    book = Priors()
    p = (np.arange(400) + 0.5) / 400
    sd, group_sd = (stats.halfnorm.ppf(p, scale=one) for one in (book.sigma, book.group_sd))
    variance = np.add.outer(sd**2, group_sd**2)
    mean = book.intercept[0]
    return 100 * float(np.mean(stats.norm.cdf(-mean / np.sqrt(intercept_sd**2 + variance))))


def share_below_zero() -> Answer:
    slips = {
        "This is the share under the book's own prior of the intercept.": below_zero(25.0),
        "This is a share between 0 and 1; give per cent.": below_zero(150.0) / 100,
        "This is the share of the other visits.": 100 - below_zero(150.0),
        "This is the intercept's prior alone; counties and visits scatter around it.": 100
        * float(stats.norm.cdf(-Priors().intercept[0] / 150)),
    }
    return Answer(below_zero(150.0), "%", 0.15, {}, slips)


ANSWERS = {"r1-essex": slope_of_essex, "r1-prior": share_below_zero}
