"""Answers of "Outcomes that are not normal": what the chapter samples is here summed over nodes."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
from scipy import integrate, optimize, special, stats
from statsmodels.tools.numdiff import approx_hess

from helpers.book.outcomes import load_next_visits
from helpers.book.visits import data_file

from .shared import Answer, age_scale, share

NODES = np.linspace(-4.5, 4.5, 91)  # of a group's effect, in sds of groups
WEIGHTS = stats.norm.logpdf(NODES) + np.log(NODES[1] - NODES[0])
FAR = special.logit(0.99)


def share_of_sure_counties() -> Answer:
    """How often intercept plus deviation lies beyond the log odds of 0.01 and 0.99."""

    def beyond(scale, sides=2):
        def given(sd):
            return stats.halfnorm.pdf(sd, scale=scale) * stats.norm.sf(FAR, scale=np.hypot(1.5, sd))

        return sides * integrate.quad(given, 0, 12 * scale)[0]

    slips = {
        "This is the share under the chapter's own prior.": beyond(1.0),
        "Both ends count: below 0.01 and above 0.99.": beyond(10.0, sides=1),
        "Here all counties differ by the scale itself; draw `group_sd` from its prior.": 2
        * stats.norm.sf(FAR, scale=np.hypot(1.5, 10.0)),
    }
    return share(beyond(10.0), error=0.012, slips=slips)


def weigh(
    log_likelihood: Callable, log_prior: Callable, group: np.ndarray, start: list[float]
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Draws (S, P) of the parameters, their weights (S,), and weights (J, K) of the nodes for each.

    ``log_likelihood(parameters)`` gives the log density of each row at each node (R, K); rows are
    sorted by ``group``. Draws come from a Student t near the posterior, importance weights mend it.
    """
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])

    def by_node(parameters):
        return np.add.reduceat(log_likelihood(parameters), starts) + WEIGHTS

    def log_posterior(parameters):
        return special.logsumexp(by_node(parameters), axis=1).sum() + log_prior(parameters)

    mode = optimize.minimize(lambda p: -log_posterior(p), start).x
    spread = -np.linalg.inv(approx_hess(mode, log_posterior))
    proposal = stats.multivariate_t(mode, 1.3 * spread, df=5, seed=1)
    draws = proposal.rvs(1000)
    weight = special.softmax([log_posterior(d) - proposal.logpdf(d) for d in draws])
    return draws, weight, [special.softmax(by_node(d), axis=1) for d in draws]


def half_normal_of_log(value: float, scale: float) -> float:
    """Log density of the log of what has a half-normal prior."""
    return -((np.exp(value) / scale) ** 2) / 2 + value


@cache
def log_ratio_of_pages() -> tuple[np.ndarray, np.ndarray]:
    """Draws, and their weights, of the log ratio of pages per sd of age: negative binomial."""
    rows = load_next_visits().sort_values("county")
    x, y = (values.to_numpy(dtype=float)[:, None] for values in (rows["age"], rows["pages"]))
    x = age_scale().standardize(x)

    def log_likelihood(parameters):
        intercept, slope, log_sd, log_alpha = parameters
        alpha, eta = np.exp(log_alpha), intercept + slope * x + np.exp(log_sd) * NODES
        free = special.gammaln(y + alpha) - special.gammaln(alpha) + alpha * log_alpha
        return free + y * eta - (y + alpha) * np.log(alpha + np.exp(eta))

    def log_prior(parameters):
        intercept, slope, log_sd, log_alpha = parameters
        sds = half_normal_of_log(log_sd, 0.5) + half_normal_of_log(log_alpha, 5.0)
        return stats.norm.logpdf(intercept, 1, 1) + stats.norm.logpdf(slope, 0, 0.5) + sds

    group = rows["county"].cat.codes.to_numpy()
    draws, weight, _ = weigh(log_likelihood, log_prior, group, [1.0, 0.0, -1.0, 0.0])
    return draws[:, 1], weight


def ratio_over_the_visits() -> Answer:
    """The ratio in one county: a common factor goes through every mean."""
    slope, weight = log_ratio_of_pages()
    per_decade = 10 * slope / age_scale().sd
    right = float(weight @ np.exp(per_decade))
    slips = {
        "This is the logarithm of a ratio.": float(weight @ per_decade),
        "This is per sd of age: ask for ten years.": float(weight @ np.exp(slope)),
        "This is the change of a ratio: give the ratio itself.": right - 1,
        "This is young by old: turn it around.": 1 / right,
    }
    return Answer(right, "a ratio of means per decade", error=0.012, slips=slips)


@cache
def women() -> pd.DataFrame:
    """By district and place of living: how many women, and how many of them use contraception."""
    table = pd.read_csv(data_file("tables/contraception.csv"))
    cells = table.groupby(["district", "urban"])["uses"].agg(["size", "sum"]).reset_index()
    return cells.assign(town=(cells["urban"] == "yes").astype(float))


def more_users_in_towns() -> Answer:
    """Average over the women of the difference of two chances, given their district's effect."""
    cells = women()
    town, n, y = (cells[name].to_numpy(dtype=float)[:, None] for name in ("town", "size", "sum"))

    def log_likelihood(parameters):
        intercept, slope, log_sd = parameters
        eta = intercept + slope * town + np.exp(log_sd) * NODES
        return y * eta - n * np.logaddexp(0, eta)

    def log_prior(parameters):
        intercept, slope, log_sd = parameters
        normal = stats.norm.logpdf(intercept, 0, 1.5) + stats.norm.logpdf(slope, 0, 1)
        return normal + half_normal_of_log(log_sd, 1.0)

    group = cells["district"].to_numpy()
    draws, weight, nodes = weigh(log_likelihood, log_prior, group, [0.0, 0.0, -1.0])
    of_district = cells.groupby("district")["size"].sum().to_numpy() / cells["size"].sum()
    found = []
    for (intercept, slope, log_sd), of_node in zip(draws, nodes, strict=True):
        rural = intercept + np.exp(log_sd) * NODES
        found.append(of_district @ of_node @ (special.expit(rural + slope) - special.expit(rural)))
    right, shares = 100 * float(weight @ found), cells.groupby("urban")[["sum", "size"]].sum()
    seen = 100 * (shares["sum"] / shares["size"])
    slips = {
        "These are log odds times a hundred: turn them into chances first.": 100
        * float(weight @ draws[:, 1]),
        "These are two shares of the table: districts differ, too.": seen["yes"] - seen["no"],
    }
    unit = "more users among 100 women"
    return Answer(right, unit, error=0.4, units={"a share": 0.01}, slips=slips)


ANSWERS = {
    "oo-prior": share_of_sure_counties,
    "oo-ratio": ratio_over_the_visits,
    "oo-towns": more_users_in_towns,
}
