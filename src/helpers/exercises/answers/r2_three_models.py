"""Answers of "Three models in brms, and lme4 beside them", from the exact posterior and from the visits."""

from functools import cache

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from scipy import optimize

from helpers.book.visits import data_file
from helpers.exact import exact_posterior

from .shared import Answer, age_scale, exact_mean, share, visits


def cheshire_above_cornwall() -> Answer:
    """Probability that the level of one county lies above that of another, in independent draws."""
    drawn = exact_posterior("random_intercept", visits(), draws=50_000)["posterior"]
    level = drawn["group_intercept"]
    cheshire, cornwall = (level.sel(county=name) for name in ("Cheshire", "Cornwall"))
    right = float((cheshire > cornwall).mean())
    alone = "This is whether {} lies above the population: compare the two counties in each draw."
    slips = {
        "This is the other way round: Cornwall above Cheshire.": 1 - right,
        alone.format("Cheshire"): float((cheshire > 0).mean()),
        alone.format("Cornwall"): float((cornwall > 0).mean()),
        "Overlapping intervals do not make it even: compare the two counties in each draw.": 0.5,
    }
    return share(right, error=0.02, slips=slips)


@cache
def fit_by_reml(slopes: bool = True, correlated: bool = True) -> dict[str, float]:
    """Estimates of the sds (s, and s per sd of age) and of rho where the restricted likelihood is highest.

    Its formula is that of Harville (1974); counties are independent, so it is a sum over them.
    """
    groups = [
        (np.column_stack([np.ones(len(rows)), rows["std_age"]]), rows["bounce_time"].to_numpy())
        for _, rows in visits().groupby("county", observed=True)
    ]

    def read(t):
        sds = np.exp(t[:-1])
        rho = np.tanh(t[-1]) if correlated and slopes else 0.0
        spread = sds[2] if slopes else 0.0
        return {"sigma": sds[0], "group_sd": sds[1], "slope_sd": spread, "rho": rho}

    def deviance(t):
        found = read(t)
        scale = np.diag([found["group_sd"], found["slope_sd"]])
        between = scale @ np.array([[1, found["rho"]], [found["rho"], 1]]) @ scale
        log_det, xx, xy, yy = 0.0, np.zeros((2, 2)), np.zeros(2), 0.0
        for x, y in groups:
            v = found["sigma"] ** 2 * np.eye(len(y)) + x @ between @ x.T
            solved = np.linalg.solve(v, np.column_stack([x, y]))
            log_det += np.linalg.slogdet(v)[1]
            xx, xy, yy = xx + x.T @ solved[:, :2], xy + x.T @ solved[:, 2], yy + y @ solved[:, 2]
        return log_det + np.linalg.slogdet(xx)[1] + yy - xy @ np.linalg.solve(xx, xy)

    start = np.array([np.log(8.0), np.log(10.0), 0.0, 0.0])
    options = {"xatol": 1e-5, "fatol": 1e-9, "maxiter": 4000}
    return read(optimize.minimize(deviance, start, method="Nelder-Mead", options=options).x)


def sd_of_independent_slopes() -> Answer:
    """The sd of slopes by REML if levels and slopes by county are independent (s per sd of age)."""
    found = fit_by_reml(correlated=False)
    slips = {
        "This is with a correlation of levels and slopes: leave it out.": fit_by_reml()["slope_sd"],
        "This is the sd of the levels, not of the slopes.": found["group_sd"],
        "This is the residual sd, not that of the slopes.": found["sigma"],
        "This is a posterior mean: the question is about REML.": exact_mean(
            "random_slope", "slope_sd"
        ),
    }
    # The variance is nearly the same number.
    units = {"seconds per decade of age, or a variance": 10 / age_scale().sd}
    unit = "seconds per sd of age, the sd of slopes by REML"
    return Answer(found["slope_sd"], unit, error=0.01, units=units, slips=slips)


def sleepers_slopes_by_reml() -> Answer:
    sleep = pd.read_csv(data_file("tables/sleepstudy.csv"))
    fit = smf.mixedlm("reaction ~ days", sleep, groups="subject", re_formula="~ days").fit()
    right = float(np.sqrt(fit.cov_re.loc["days", "days"]))
    slips = {
        "This is the population's slope; the question is how far people's slopes differ.": float(
            fit.fe_params["days"]
        ),
        "This is the sd of people's levels.": float(np.sqrt(fit.cov_re.iloc[0, 0])),
        "This is the residual sd.": float(np.sqrt(fit.scale)),
        "This is the variance; its square root is the sd.": right**2,
    }
    return Answer(right, "ms per day", 0.05, {}, slips)


ANSWERS = {
    "r2-sleep": sleepers_slopes_by_reml,
    "r2-higher": cheshire_above_cornwall,
    "r2-independent": sd_of_independent_slopes,
}
