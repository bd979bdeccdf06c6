"""Answers of "Your own table": the sleep study by columns and priors written out, and by least squares."""

from functools import cache

import numpy as np
import pandas as pd
import xarray as xr
from scipy import optimize, stats

from helpers import frames
from helpers.book.visits import data_file
from helpers.exact import exact_posterior
from helpers.priors import Priors

from .shared import Answer, fit_line

LAST_DAY = 9


@cache
def sleep() -> pd.DataFrame:
    return frames.standardize(pd.read_csv(data_file("tables/sleepstudy.csv")), "days")


@cache
def fit(low: float, high: float) -> xr.DataTree:
    """The exact posterior under priors whose variances together are those of a range of four sds: the
    level and the slope have sixteen parts each, the residual and the levels of people four each, and their
    slopes one."""
    part = (high - low) / 4 / np.sqrt(16 + 16 + 4 + 4 + 1)
    priors = Priors(
        intercept=((low + high) / 2, 4 * part),
        slope=(0.0, 4 * part),
        sigma=2 * part,
        group_sd=2 * part,
        slope_sd=part,
        lkj_eta=None,
    )
    columns = {"outcome": "reaction", "predictor": "std_days", "group": "subject"}
    return exact_posterior("random_slope", sleep(), priors=priors, **columns)


def slope_of(low: float, high: float) -> float:
    """Posterior mean of the slope, ms per day."""
    slope = fit(low, high)["exact"]["slope"].sel(statistic="mean")
    return float(frames.scale_of(sleep(), "days").per_unit(slope))


def on_the_last_day() -> tuple[np.ndarray, np.ndarray]:
    """The population's mean and the sd around it of a new person's day (ms), in each draw."""
    drawn = fit(100, 700)["posterior"].to_dataset().squeeze("chain")
    x = frames.scale_of(sleep(), "days").standardize(LAST_DAY)
    mean = (drawn["intercept"] + x * drawn["slope"]).values
    variance = drawn["group_sd"] ** 2 + (x * drawn["slope_sd"]) ** 2 + drawn["sigma"] ** 2
    return mean, np.sqrt(variance.values)


def fastest() -> float:
    """The 2.5 % quantile (ms) of a mixture of normals, one a draw of the parameters."""
    mean, sd = on_the_last_day()
    return optimize.brentq(lambda y: stats.norm.cdf(y, mean, sd).mean() - 0.025, 0, 700)


def least_squares(first_day: int) -> float:
    """Mean of the people's own slopes (ms per day), all of whom were seen on the same days."""
    later = sleep()[sleep()["days"] >= first_day]
    return float(
        np.mean([fit_line(one["days"], one["reaction"]) for _, one in later.groupby("subject")])
    )


def own_range() -> Answer:
    slips = {
        "This is the slope under the range of the page.": slope_of(100, 700),
        "This is the least-squares slope, which knows no range.": least_squares(0),
    }
    per_sd = frames.scale_of(sleep(), "days").sd
    units = {"ms per sd of days": per_sd}
    return Answer(slope_of(250, 350), "ms per day", 0.1, units, slips)


def own_new() -> Answer:
    exact = fit(100, 700)["exact"].to_dataset().sel(statistic="mean")
    x = frames.scale_of(sleep(), "days").standardize(LAST_DAY)
    line = float(exact["intercept"] + x * exact["slope"])
    slips = {
        "This is the middle of the prediction, not its lower end.": line,
        "This is the upper end.": 2 * line - fastest(),
        "This is the limit of the mean over people; a new person differs from it.": float(
            np.quantile(on_the_last_day()[0], 0.025)
        ),
        "The scatter of days alone is too little: people differ as well.": line
        - 1.96 * float(exact["sigma"]),
    }
    return Answer(fastest(), "ms", 4, {"seconds": 0.001}, slips)


ANSWERS = {
    "own-range": own_range,
    "own-new": own_new,
    "own-training": lambda: Answer(
        least_squares(2),
        "ms per day",
        0.1,
        slips={
            "This is the slope of all ten days.": least_squares(0),
            "This leaves out day 0 only.": least_squares(1),
        },
    ),
}
