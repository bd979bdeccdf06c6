"""What the right answers share: the visits, exact posteriors, least squares, and kinds of answers."""

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd
import xarray as xr
from scipy import special
from statsmodels.datasets import grunfeld

from helpers import frames
from helpers.book.visits import load_bounce_times
from helpers.exact import exact_posterior, sufficient_statistics
from helpers.exact.gaussian import condition_on
from helpers.exercises.selfcheck import Answer
from helpers.priors import Priors


def share(value: float, error: float, slips: Mapping[str, float]) -> Answer:
    """A share or a probability; per cent are another unit of it."""
    return Answer(value, "a share between 0 and 1", error, {"per cent": 100}, slips)


def decade_slope(value, error, slips, unit="seconds per decade of age", more=None) -> Answer:
    """A slope in s per decade, which readers give per year, per sd or in ``more`` units, too."""
    per_sd = {"seconds per sd of age": age_scale().sd / 10}
    return Answer(value, unit, error, {"seconds per year": 0.1, **per_sd, **(more or {})}, slips)


def yes_or_no(right: str, sentence: str) -> Answer:
    """A yes or a no, and what to say to the other one."""
    return Answer(right, "yes or no", slips={sentence: "no" if right == "yes" else "yes"})


@cache
def visits() -> pd.DataFrame:
    return frames.standardize(load_bounce_times(), "age")


def age_scale() -> frames.Scale:
    return frames.scale_of(visits(), "age")


def per_decade(slope: float) -> float:
    """Seconds per decade of age, from seconds per sd."""
    return 10 * age_scale().per_unit(slope)


@cache
def statistics() -> pd.DataFrame:
    return sufficient_statistics(visits())


@cache
def exact(name: str, **priors) -> xr.Dataset:
    """Means, sds and quantiles of the exact posterior of a model of the book, also under other priors."""
    return exact_posterior(name, visits(), priors=Priors(**priors))["exact"].to_dataset()


def exact_mean(name: str, parameter: str, **priors) -> float:
    return float(exact(name, **priors)[parameter].sel(statistic="mean"))


def slope_under(center: float, sd: float) -> tuple[pd.Series, float]:
    """Exact posterior of the random intercept's slope under another prior of it, and log p(y)."""
    priors = Priors(slope=(center, sd))
    found = exact_posterior("random_intercept", statistics(), priors=priors, draws=1)["exact"]
    return found["slope"].to_series(), found.attrs["log_marginal_likelihood"]


def fit_line(x: pd.Series, y: pd.Series) -> float:
    """Slope by least squares."""
    return float(x.cov(y) / x.var())


@cache
def slopes_per_decade() -> dict[str, float]:
    """Least-squares slopes of time on age (s per decade) by what is compared."""
    both = visits()[["age", "bounce_time"]]
    groups = both.groupby(visits()["county"], observed=True)
    means = groups.transform("mean")
    compared = {"visits": both, "groups": groups.mean(), "between": means, "within": both - means}
    return {
        name: 10 * fit_line(part["age"], part["bounce_time"]) for name, part in compared.items()
    }


@cache
def firms() -> pd.DataFrame:
    """Logarithms of investment and value in Grunfeld's table, and the firm."""
    table = grunfeld.load_pandas().data
    return np.log(table[["value", "invest"]]).assign(firm=table["firm"])


@cache
def slopes_on_a_grid():
    """The random-slope model summed over a plain grid: weights, rho, both sds, slope and its variance."""
    middles = (np.arange(30) + 0.5) / 30
    axes = np.linspace(7.5, 9.3, 5), np.geomspace(5, 60, 20), 8 * middles, 2 * middles - 1
    sigma, group_sd, slope_sd, rho = (axis.ravel() for axis in np.meshgrid(*axes, indexing="ij"))
    log_weight, line, covariance = condition_on(statistics(), sigma, group_sd, slope_sd, rho)
    # Priors: half-normal sds, LKJ(2); group_sd once more because its nodes are even on a log scale.
    log_weight -= (sigma / 20) ** 2 / 2 + (group_sd / 20) ** 2 / 2 + (slope_sd / 5) ** 2 / 2
    weight = special.softmax(log_weight + np.log(1 - rho**2) + np.log(group_sd))
    return weight, rho, group_sd, slope_sd, line[:, 1], covariance[:, 1, 1]
