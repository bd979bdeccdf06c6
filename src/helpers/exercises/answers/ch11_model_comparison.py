"""Answers of "Which model predicts better?"."""

from functools import cache

import numpy as np
import pandas as pd
from scipy import special, stats

from helpers.exact import exact_posterior, log_marginal_likelihood, sufficient_statistics
from helpers.exact.loo import leave_one_out, predict_new_group
from helpers.exact.quadrature import build_problem, integrate, sds_at
from helpers.priors import Priors

from .shared import Answer, statistics, visits


def price_of_a_wide_prior() -> Answer:
    """The marginal likelihoods' ratio is the posterior mean of the ratio of the two priors."""
    drawn = exact_posterior("random_intercept", visits(), draws=8000)["posterior"]["group_sd"]
    scale = Priors().group_sd
    old, new = (stats.halfnorm.pdf(drawn, scale=times * scale) for times in (1, 10))
    change = float(np.log(np.mean(new / old)))
    slips = {
        "This is the second step, or the rule of thumb: compute the first step.": -np.log(10),
        "This is the change over both steps: take the first.": change - np.log(10),
        "This is the factor itself: take its logarithm.": np.exp(change),
    }
    units = {"logarithms to base 10": 1 / np.log(10)}
    return Answer(change, "natural logarithms", error=0.02, units=units, slips=slips)


@cache
def nodes(name: str):
    """Sds at the grid of a model of the book, and the log of their prior."""
    found = integrate(build_problem(name, statistics(), Priors()))[0]
    sds, log_prior = sds_at(found.problem, found.position)
    return (sds.sigma, sds.group_sd, sds.slope_sd, sds.rho), log_prior


def log_density(name: str, frame: pd.DataFrame) -> float:
    """Log density of all outcomes of a part of the visits, up to a constant of the model."""
    sds, log_prior = nodes(name)
    log_likelihood = log_marginal_likelihood(sufficient_statistics(frame), *sds)
    return special.logsumexp(log_prior + log_likelihood)


def score(name: str) -> float:
    """Mean elpd of the first four visits of each county, each given the three others.

    A row's density given others is that of all of them over that of the others.
    """
    found = []
    for county, rows in visits().groupby("county", observed=True):
        others = visits()[visits()["county"] != county]
        part = pd.concat([rows.head(4), others])
        whole = log_density(name, part)
        found += [whole - log_density(name, part.drop(index=row)) for row in rows.index[:4]]
    return float(np.mean(found))


def lead_with_three_visits() -> Answer:
    """Mean elpd of the random intercept beyond the pooled one's, where three visits of a county are known."""
    chosen = visits().groupby("county", observed=True).head(4).index

    def lead(score_rows):
        by_county, pooled = (score_rows(name) for name in ("random_intercept", "pooled"))
        return float((by_county - pooled).loc[chosen].mean())

    all_known = lead(lambda name: leave_one_out(name, visits())["elpd"])
    slips = {
        "Here the county's other visits were still in the table.": all_known,
        "This is the lead with no visit of the county known.": lead(
            lambda name: predict_new_group(name, visits())
        ),
    }
    units = {"the sum over the visits": len(chosen)}
    right = score("random_intercept") - score("pooled")
    return Answer(right, "elpd per visit", error=0.015, units=units, slips=slips)


ANSWERS = {
    "mc-quarter": Answer(  # a sum goes with the number of rows, its error with the root of it
        (1 / 4) / (1 / 4) ** 0.5,
        "a factor",
        error=0.05,
        units={"per cent": 100},
        slips={
            "By this the difference itself changes: divide by the factor of its standard error.": 0.25,
            "This is upside down: fewer visits make the ratio smaller.": 2,
            "The standard error of a mean would double; that of a sum goes down.": 1 / 8,
            "If both changed alike, it would be this; the standard error changes less.": 1,
        },
    ),
    "mc-prior": price_of_a_wide_prior,
    "mc-known": lead_with_three_visits,
}
