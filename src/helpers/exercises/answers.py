"""The right answers of the exercises that have one, computed by another route than their solutions.

They live among the helpers because readers and participants of a workshop import them: a check in a
notebook computes the answer anew and compares.
"""

from functools import cache

import arviz as az
import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from scipy import optimize, special, stats
from statsmodels.datasets import grunfeld

from helpers import frames
from helpers.book.visits import COUNTIES, load_bounce_times
from helpers.exact import exact_posterior
from helpers.exact.gaussian import (
    Sds,
    condition,
    log_marginal_likelihood,
    reduce_groups,
    sufficient_statistics,
)
from helpers.exact.loo import leave_one_out, predict_new_group
from helpers.exact.quadrature import build_problem, integrate, sds_at
from helpers.exercises import selfcheck
from helpers.exercises.selfcheck import Answer, ask
from helpers.priors import Priors

__all__ = ["ANSWERS", "ask", "check"]


def check(label: str, given: object) -> str:
    """Judge the answer to an exercise of the book; see ``selfcheck.check``."""
    return selfcheck.check(ANSWERS, label, given)


@cache
def _visits():
    return frames.standardize(load_bounce_times(), "age")


@cache
def _exact(name: str):
    """Means and quantiles of the exact posterior of a model of the book."""
    return exact_posterior(name, _visits())["exact"].to_dataset()


@cache
def _slopes_per_decade() -> dict[str, float]:
    """Least-squares slopes of time on age (s per decade) by what is compared."""
    visits = _visits()[["age", "bounce_time"]]
    groups = visits.groupby(_visits()["county"], observed=True)
    means = groups.transform("mean")
    compared = {"visits": visits, "groups": groups.mean(), "between": means}
    compared["within"] = visits - means
    return {
        name: 10 * float(part["age"].cov(part["bounce_time"]) / part["age"].var())
        for name, part in compared.items()
    }


def _per_decade() -> dict[str, float]:
    """Other units of a slope in seconds per decade."""
    return {
        "seconds per year": 0.1,
        "seconds per sd of age": frames.scale_of(_visits(), "age").sd / 10,
    }


def slope_of_colleague() -> Answer:
    """A slope of -2 s per sd of age in seconds per decade."""
    sd = frames.scale_of(_visits(), "age").sd
    return Answer(
        -2.0 / (sd / 10),
        "seconds per decade",
        error=0.01,
        units={"seconds per year": 0.1},
        slips={
            "This is the slope per sd, as reported.": -2.0,
            "Divide by the sd of age, do not multiply.": -2.0 * sd / 10,
            "This is the truth, not what the colleague found.": -1.5,
        },
    )


def row_of_the_empty_county() -> Answer:
    """The second row below the header, as a spreadsheet counts."""
    return Answer(
        1 + 2,
        "a row, as a spreadsheet numbers it",
        slips={
            "A spreadsheet counts the header, too.": 2,
            "Python counts from zero; a reader with a spreadsheet does not.": 1,
        },
    )


def slope_of_a_visit() -> Answer:
    """The true slope averaged over the rows of the table."""
    slopes = COUNTIES["slope_per_decade"]
    return Answer(
        float(_visits()["county"].astype(str).map(slopes).mean()),
        "seconds per decade",
        error=0.005,
        units={"seconds per year": 0.1},
        slips={"This still gives each county one vote.": float(slopes.mean())},
    )


def _error_of_slope(county: str) -> float:
    """Standard error of a county's own slope (s per sd of age), from sums of squares."""
    visits = _visits().query("county == @county")
    x, y = (visits[name] - visits[name].mean() for name in ("std_age", "bounce_time"))
    residual_ss = (y**2).sum() - (x * y).sum() ** 2 / (x**2).sum()
    return float((residual_ss / (len(visits) - 2) / (x**2).sum()) ** 0.5)


def ratio_of_errors() -> Answer:
    """Standard error of Rutland's slope over that of Cornwall's."""
    ratio = _error_of_slope("Rutland") / _error_of_slope("Cornwall")
    by_number = "This would hold if only the number of visits mattered. What does the table say?"
    return Answer(
        ratio,
        "a ratio of two standard errors",
        error=0.01,
        slips={
            by_number: (22 / 7) ** 0.5,
            "This would hold if ages were spread equally in both.": (21 / 6) ** 0.5,
            "This is the ratio of the numbers of visits.": 22 / 7,
            "Divide Rutland's error by Cornwall's, not the other way round.": 1 / ratio,
        },
    )


def slope_of_means() -> Answer:
    """Slope of the line through the eight pairs of means."""
    slopes = _slopes_per_decade()
    return Answer(
        slopes["groups"],
        "seconds per decade",
        error=0.05,
        units=_per_decade(),
        slips={
            "This is the line through all visits.": slopes["visits"],
            "This line counts each visit; give each county one point.": slopes["between"],
            "This is the slope within counties.": slopes["within"],
        },
    )


def slope_with_own_levels() -> Answer:
    """Slope within counties: ages and times as distances from their county's mean."""
    slopes = _slopes_per_decade()
    return Answer(
        slopes["within"],
        "seconds per decade",
        error=0.05,
        units=_per_decade(),
        slips={
            "This is the line through all visits: county is not in the formula.": slopes["visits"],
            "This is the truth; asked for is what the visits say.": -1.5,
        },
    )


@cache
def _firms():
    """Logarithms of investment and value in Grunfeld's table, and the firm."""
    firms = grunfeld.load_pandas().data
    return np.log(firms[["value", "invest"]]).assign(firm=firms["firm"])


def slope_within_firms() -> Answer:
    """Elasticity of investment within firms, from distances to the firm's means."""
    logs = _firms()[["value", "invest"]]
    groups = logs.groupby(_firms()["firm"])
    within = logs - groups.transform("mean")
    own = groups.apply(lambda rows: rows["value"].cov(rows["invest"]) / rows["value"].var())
    return Answer(
        float(within["value"].cov(within["invest"]) / within["value"].var()),
        "per cent of investment per one per cent of value",
        error=0.01,
        units={"per cent of investment per ten per cent of value": 10},
        slips={
            "This is the pooled line: firm is not in the formula.": float(
                logs["value"].cov(logs["invest"]) / logs["value"].var()
            ),
            "This is the mean of the firms' own slopes; fit one slope for all.": float(own.mean()),
        },
    )


def values_for_twenty() -> Answer:
    """Numbers of free parameters with 20 counties, counted circle by circle."""
    groups = 20
    return Answer(
        {
            "pooled": 3,
            "random_intercept": 3 + 1 + groups,
            "random_slope": 3 + 2 * (1 + groups) + 1,
        },
        "values to sample",
        slips={
            "A circle on the plate of counties counts once a county.": 5,
            "Circles on the plate of counties count once a county.": 8,
            "This is the count for eight counties.": 12,
            "This is the count for eight counties, too.": 22,
            "One circle is missing: what ties a county's two effects together?": 45,
        },
    )


def values_without_levels() -> Answer:
    """Numbers of values that Bambi samples with and without intercepts by county, circle by circle."""
    groups = _visits()["county"].nunique()
    return Answer(
        {"(std_age|county)": 3 + 2 * (1 + groups), "(0 + std_age|county)": 3 + 1 + groups},
        "values to sample",
        slips={
            "Bambi's formula has no correlation.": 3 + 2 * (1 + groups) + 1,
            "The baseline, the slope and the residual sd are still there.": 1 + groups,
            "The sd of the counties' slopes is a value, too.": 3 + groups,
        },
    )


def first_to_leave() -> Answer:
    """Of the largest and the smallest county, the one whose visits say more about a slope."""
    std_age = _visits().groupby("county", observed=True)["std_age"]
    sizes = std_age.size()
    information = std_age.var() * (sizes - 1)
    return Answer(
        information[[sizes.idxmax(), sizes.idxmin()]].idxmax(),
        slips={
            "Its own slope lies far away, but how well is it known?": sizes.idxmin(),
        },
    )


def _share_below(limit: float, x) -> float:
    """Prior share of times below a limit (s), in per cent, over a quadrature of the two sds."""
    priors = Priors()
    node = stats.halfnorm.ppf((np.arange(60) + 0.5) / 60)
    variance = (priors.sigma * node[:, None, None]) ** 2 + (priors.group_sd * node[:, None]) ** 2
    variance = variance + priors.intercept[1] ** 2 + (priors.slope[1] * np.asarray(x)) ** 2
    return float(100 * stats.norm.cdf((limit - priors.intercept[0]) / variance**0.5).mean())


def impossible_on_raw_age() -> Answer:
    """Share of negative times if the priors meet age in years; the error is that of 2,000 draws."""
    age = _visits()["age"]
    impossible, implausible = _share_below(0.0, age), 100 - _share_below(600.0, age)
    return Answer(
        impossible,
        "per cent of the visits",
        error=5.0,
        units={"a share between 0 and 1": 0.01},
        slips={
            "This is the share with standardized age.": _share_below(0.0, _visits()["std_age"]),
            "This is the share of implausible visits.": implausible,
            "Do not count the implausible visits.": impossible + implausible,
        },
    )


def scale_of_colleague() -> Answer:
    """Scale of a half-normal whose 95 % point is 30 s: it is that of the absolute value of a normal."""
    return Answer(
        30 / (2**0.5 * float(special.erfinv(0.95))),
        "seconds",
        error=0.1,
        slips={
            "A half-normal has about a third of its probability above its scale.": 30,
            "This would be right for a whole normal; a half-normal has one tail only.": 30
            / float(stats.norm.ppf(0.95)),
        },
    )


def width_of_default_prior() -> Answer:
    """Bambi's rule for the prior sd of an intercept whose predictor has mean 0, in sds of the outcome."""
    sd = float(_visits()["bounce_time"].std(ddof=0))
    return Answer(
        2.5,
        "standard deviations of the bounce times",
        error=0.02,
        slips={
            "This is the prior's sd in seconds.": 2.5 * sd,
            "Divide the prior's sd by that of the times, not the other way round.": 1 / 2.5,
            "This is a ratio to the variance of the times.": 2.5 / sd,
        },
    )


@cache
def _pooled(slope: tuple[float, float] = (0.0, 10.0), copies: int = 1):
    """Exact posterior of the pooled regression under another prior of the slope, or with copied rows."""
    frame = pd.concat([_visits()] * copies)
    return exact_posterior("pooled", frame, priors=Priors(slope=slope))


def factor_of_fourfold_visits() -> Answer:
    """Posterior sd of the slope with each visit four times, over the one with each visit once."""
    sds = [float(_pooled(copies=n)["exact"]["slope"].sel(statistic="sd")) for n in (1, 4)]
    return Answer(
        sds[1] / sds[0],
        "the new sd divided by the old one",
        error=0.03,
        slips={
            "This is the factor of the variance.": (sds[1] / sds[0]) ** 2,
            "Divide the new sd by the old one, not the other way round.": sds[0] / sds[1],
            "The sd does change. Which part of the uncertainty do more visits shrink?": 1,
        },
    )


def slope_of_stubborn_prior() -> Answer:
    """Posterior mean of the pooled slope if its prior has an sd of 1 s."""
    slope = _pooled(slope=(0.0, 1.0))["exact"]["slope"]
    sd = frames.scale_of(_visits(), "age").sd
    return Answer(
        float(slope.sel(statistic="mean")),
        "seconds per sd of age",
        error=0.06,
        units={"seconds per decade": 10 / sd},
        slips={
            "This is the slope under the chapter's own prior.": float(
                _exact("pooled")["slope"].sel(statistic="mean")
            ),
            "This is the lower limit of the interval.": float(slope.sel(statistic="2.5 %")),
            "This is the upper limit of the interval.": float(slope.sel(statistic="97.5 %")),
        },
    )


def older_stays_longer() -> Answer:
    """Probability that a visitor of 60 outstays one of 30, without drawing their residuals."""
    draws = _pooled()["posterior"].to_dataset()
    per_sigma = draws["slope"] / draws["sigma"]
    years = 30 / frames.scale_of(_visits(), "age").sd

    def probability(distance):
        return float(stats.norm.cdf(distance * per_sigma).mean())

    return Answer(
        probability(years / 2**0.5),
        "a share between 0 and 1",
        error=0.025,
        units={"per cent": 100},
        slips={
            "This holds for two means; each visitor brings a residual.": 1.0,
            "This is the probability that the younger one stays longer.": 1
            - probability(years / 2**0.5),
            "This has one residual only; the two visitors bring two.": probability(years),
            "Here the ages lie one sd apart: standardize both ages.": probability(1 / 2**0.5),
        },
    )


def weight_of_rutland() -> Answer:
    """Mean weight of seven visits if counties differ by 2 s."""
    variance = _exact("random_intercept")["sigma"].sel(statistic="mean") ** 2

    def weigh(n, tau):
        return float(n / (n + variance / tau**2))

    return Answer(
        weigh(7, 2.0),
        "a share between 0 and 1",
        error=0.005,
        units={"per cent": 100},
        slips={
            "This is the weight of the other counties' evidence.": 1 - weigh(7, 2.0),
            "The variance ratio takes squares: of sigma and of the group sd.": 7
            / (7 + float(variance**0.5) / 2),
            "This is Kent's weight: use the visits of Rutland.": weigh(150, 2.0),
        },
    )


def _mean(parameter) -> float:
    """Posterior mean of a parameter of an exact answer."""
    return float(parameter.sel(statistic="mean"))


def sd_of_counties_held_together() -> Answer:
    """Posterior mean of group_sd under a half-normal prior of scale 2 s."""
    tight = exact_posterior("random_intercept", _visits(), priors=Priors(group_sd=2.0))["exact"]
    before = _exact("random_intercept")
    return Answer(
        float(tight["group_sd"].sel(statistic="mean")),
        "seconds, the posterior mean of `group_sd`",
        error=0.1,
        slips={
            "This is the mean under the book's prior: refit with the new one.": _mean(
                before["group_sd"]
            ),
            "This is the mean of the prior alone: no visit has been seen.": 2 * np.sqrt(2 / np.pi),
            "This is the scale of the prior; the question is about the posterior.": 2.0,
            "This is `sigma`, the scatter of visits, not of counties.": _mean(before["sigma"]),
        },
    )


def elasticity_of_investment() -> Answer:
    """Slope of log investment on log value in a random intercept for firms, from the exact posterior."""
    frame = frames.standardize(_firms(), "value")
    scale = frames.scale_of(frame, "value")
    columns = {"outcome": "invest", "predictor": "std_value", "group": "firm"}
    priors = Priors(intercept=(4, 2), slope=(0, 2), sigma=1, group_sd=1)
    within, pooled = (
        float(
            scale.per_unit(
                _mean(exact_posterior(name, frame, priors=priors, **columns)["exact"]["slope"])
            )
        )
        for name in ("random_intercept", "pooled")
    )
    return Answer(
        within,
        "per cent of investment per one per cent of value",
        error=0.02,
        units={"log units per sd of the log of value": scale.sd},
        slips={
            "This is the slope of the pooled regression: firms need their own intercepts.": pooled
        },
    )


@cache
def _slopes_on_a_grid():
    """The random-slope model summed over a plain grid: weights, rho, both sds, slope and its variance."""
    middles = (np.arange(30) + 0.5) / 30
    axes = np.linspace(7.5, 9.3, 5), np.geomspace(5, 60, 20), 8 * middles, 2 * middles - 1
    sigma, group_sd, slope_sd, rho = (axis.ravel() for axis in np.meshgrid(*axes, indexing="ij"))
    visits = reduce_groups(sufficient_statistics(_visits()), Priors())
    sds = Sds(sigma, group_sd, slope_sd, rho, np.sqrt(1 - rho**2))
    log_weight, line, covariance = condition(sds, visits)
    # Priors: half-normal sds, LKJ(2); group_sd once more because its nodes are even on a log scale.
    log_weight -= (sigma / 20) ** 2 / 2 + (group_sd / 20) ** 2 / 2 + (slope_sd / 5) ** 2 / 2
    weight = special.softmax(log_weight + np.log(1 - rho**2) + np.log(group_sd))
    return weight, rho, group_sd, slope_sd, line[1] + visits.reference[1], covariance[1, 1]


def sd_with_endless_visits() -> Answer:
    """Sd of the mean of eight slopes, known exactly, that differ by 1 s per decade."""
    weight, _, _, _, slope, variance = _slopes_on_a_grid()
    years = frames.scale_of(_visits(), "age").sd
    now = np.sqrt(weight @ (slope**2 + variance) - (weight @ slope) ** 2) * 10 / years
    shared = float(_exact("random_intercept")["slope"].sel(statistic="sd")) * 10 / years
    return Answer(
        1 / np.sqrt(8),
        "seconds per decade of age",
        error=0.01,
        units={"seconds per sd of age": years / 10, "seconds per year of age": 0.1},
        slips={
            "Endless visits make each county's slope known, and leave eight draws of a population.": 0,
            "This is the sd of single counties; the mean of eight varies less.": 1.0,
            "An sd of a mean falls with the square root of the number of counties.": 1 / 8,
            "This is the sd with the visits that we have.": float(now),
            "This is the sd of the shared slope, which assumes that slopes do not differ.": shared,
        },
    )


def correlation_at_20() -> Answer:
    """Posterior mean of the correlation of slope and height at 20 years, from covariance matrices."""
    weight, rho, group_sd, slope_sd, *_ = _slopes_on_a_grid()
    root = np.array([[group_sd, 0 * rho], [slope_sd * rho, slope_sd * np.sqrt(1 - rho**2)]])

    def at(age):
        x = frames.scale_of(_visits(), "age").standardize(age)
        height, slope = root[0] + x * root[1], root[1]
        lengths = np.sqrt((height**2).sum(axis=0) * (slope**2).sum(axis=0))
        return float(weight @ ((height * slope).sum(axis=0) / lengths))

    return Answer(
        at(20),
        "a correlation, without unit",
        error=0.06,
        slips={
            "This is `rho` itself, the correlation at the mean age.": float(weight @ rho),
            "This is the correlation at 70 years.": at(70),
            "Standardize the age first: x is not in years.": at(
                frames.scale_of(_visits(), "age").mean + 20 * frames.scale_of(_visits(), "age").sd
            ),
        },
    )


def chance_in_a_ninth_county() -> Answer:
    """P(slope < 0) in a county that is drawn from the population; no county is simulated."""
    weight, _, _, slope_sd, slope, variance = _slopes_on_a_grid()

    def falls(spread):
        return float(weight @ stats.norm.cdf(-slope / np.sqrt(spread)))

    return Answer(
        falls(variance + slope_sd**2),
        "a share between 0 and 1",
        error=0.02,
        units={"per cent": 100},
        slips={
            "This is the probability for the mean of the population, not for one county.": falls(
                variance
            ),
            "This is the probability that times rise with age there.": 1
            - falls(variance + slope_sd**2),
        },
    )


def mcse_of_four_times_the_draws() -> Answer:
    """The Monte Carlo error falls with the square root of the ESS, and the ESS grows fourfold."""
    return Answer(
        1 / np.sqrt(4),
        "the new MCSE divided by the old one",
        error=0.1,
        slips={
            "This is the factor of the ESS; the error goes with its square root.": 4.0,
            "The error goes with the square root of the ESS, not with the ESS.": 1 / 4,
            "This is the factor of the posterior sd: the data stay, the draws do not.": 1.0,
            "This is the old one divided by the new one.": 2.0,
        },
    )


def form_with_more_effective_draws() -> Answer:
    """Many visits know each county's intercept well: the draws of a centred form are worth more."""
    return Answer(
        "centred",
        "a form",
        slips={
            "This form suits groups about which the data say little. Is that so here?": "non-centred"
        },
    )


def r_hat_of_drift() -> Answer:
    """Split R-hat of four equal chains that rise from 0 to 99, by ArviZ."""
    chains = np.tile(np.arange(100.0), (4, 1))
    split = float(az.rhat(chains, method="split"))
    return Answer(
        split,
        "R-hat, without unit",
        error=0.01,
        slips={
            "The chains were not cut: whole chains that drift together look as if they agreed.": float(
                az.rhat(chains, method="identity")
            ),
            "The square root is missing: this is a ratio of variances.": split**2,
            "Not the variance of all draws: to that within add the variance of the pieces' means.": float(
                np.sqrt(chains.var() / np.arange(50).var())
            ),
            "This is the rank-normalized R-hat; take the draws themselves.": float(az.rhat(chains)),
        },
    )


def slope_of_any_two_visitors() -> Answer:
    """The line through all visits, by least squares."""
    slopes = _slopes_per_decade()
    return Answer(
        slopes["visits"],
        "seconds for ten years of age",
        error=0.1,
        units=_per_decade(),
        slips={
            "This compares two visitors of one county; here nothing is known of counties.": slopes[
                "within"
            ],
            "This compares the means of counties, not two visitors.": slopes["groups"],
        },
    )


def slope_within_counties() -> Answer:
    """The line through all visits when each age counts from its county's mean, by least squares."""
    slopes, age = _slopes_per_decade(), _visits()["age"]
    within = age - age.groupby(_visits()["county"], observed=True).transform("mean")
    return Answer(
        slopes["within"],
        "seconds per decade of age",
        error=0.06,
        units=_per_decade()
        | {"seconds per sd of the age within counties": float(within.std()) / 10},
        slips={
            "This is the slope on the ages as they are: subtract the county's mean first.": slopes[
                "visits"
            ],
            "This is the slope of the random intercept.": 10
            * frames.scale_of(_visits(), "age").per_unit(
                _mean(_exact("random_intercept")["slope"])
            ),
            "This is the truth; asked for is what the visits say.": -1.5,
        },
    )


def distance_of_pooled_firms() -> Answer:
    """How many sds the pooled slope lies above that of a random intercept, by (restricted) likelihood."""
    pooled = smf.ols("invest ~ value", _firms()).fit()
    within = smf.mixedlm("invest ~ value", _firms(), groups="firm").fit()
    gap = pooled.params["value"] - within.params["value"]
    return Answer(
        float(gap / within.bse["value"]),
        "sds of the random-intercept model's slope",
        error=0.2,
        slips={
            "This is the difference itself: divide it by an sd.": float(gap),
            "This is in sds of the pooled slope, which counts each year as a new firm.": float(
                gap / pooled.bse["value"]
            ),
        },
    )


def kent_too_wide() -> Answer:
    """The expected variance of replicates is that of the line over Kent's ages plus sigma^2."""
    kent = _visits().query("county == 'Kent'")
    drawn = exact_posterior("pooled", _visits())["posterior"].to_dataset()
    rows = 1 - 1 / len(kent)
    expected = drawn["sigma"] ** 2 * rows + drawn["slope"] ** 2 * kent["std_age"].var(ddof=0)
    ratio = float(expected.mean() ** 0.5 / kent["bounce_time"].std(ddof=0))
    return Answer(
        ratio,
        "a ratio without a unit",
        error=0.02,
        units={"per cent": 100},
        slips={
            "This fraction is upside down: the replicates come first.": 1 / ratio,
            "This compares variances: take sds.": ratio**2,
        },
    )


def _share_of_visits() -> float:
    """Posterior mean weight of the visits beside an intercept's prior with an sd of 1 s, over all sigma."""
    visits, sigma = _visits(), np.linspace(8, 60, 2000)
    x, y, n = visits["std_age"], visits["bounce_time"], len(visits)
    slope = (x * y).sum() / (x @ x)  # the mean of x is 0, so intercept and slope are independent
    left = ((y - y.mean() - slope * x) ** 2).sum()
    log_weight = (2 - n) * np.log(sigma) - left / (2 * sigma**2)
    log_weight += stats.norm.logpdf(y.mean(), 150, np.sqrt(1 + sigma**2 / n))
    log_weight += stats.norm.logpdf(slope, 0, np.sqrt(100 + sigma**2 / (x @ x)))
    log_weight += stats.halfnorm.logpdf(sigma, scale=20)
    return np.average(n / (n + sigma**2), weights=special.softmax(log_weight))


def intercept_between_prior_and_visits() -> Answer:
    """Given sigma, the posterior mean weighs prior and visits by precision."""
    observed, n = _visits()["bounce_time"].mean(), len(_visits())
    old = n / (n + float(_exact("pooled")["sigma"].sel(statistic="mean")) ** 2)

    def mix(share):
        return 150 + share * (observed - 150)

    return Answer(
        mix(_share_of_visits()),
        "seconds",
        error=0.2,
        slips={
            "This is the centre of the prior; the visits count as well.": mix(0),
            "This is the observed mean; the prior counts as well.": mix(1),
            "Halfway is a guess: the weights follow from the two precisions.": mix(0.5),
            "With the sigma of the old fit it would be this, but sigma has grown.": mix(old),
        },
    )


def sd_notices_the_fault() -> Answer:
    """``sigma`` is fitted to the sd of all times, whatever makes it."""
    return Answer(
        "no",
        "yes or no",
        slips={"Is there a parameter that was fitted to this statistic?": "yes"},
    )


def ratio_of_a_quarter() -> Answer:
    """A sum goes with the number of rows, its standard error with the root of it."""
    return Answer(
        (1 / 4) / (1 / 4) ** 0.5,
        "a factor",
        error=0.05,
        units={"per cent": 100},
        slips={
            "By this the difference itself changes: divide by the factor of its standard error.": 1
            / 4,
            "This is upside down: fewer visits make the ratio smaller.": 2,
            "The standard error of a mean would double; that of a sum goes down.": 1 / 8,
            "If both changed alike, it would be this; the standard error changes less.": 1,
        },
    )


def price_of_a_wide_prior() -> Answer:
    """The marginal likelihoods' ratio is the posterior mean of the ratio of the two priors."""
    drawn = exact_posterior("random_intercept", _visits(), draws=8000)["posterior"]["group_sd"]
    scale = Priors().group_sd
    old, new = (stats.halfnorm.pdf(drawn, scale=times * scale) for times in (1, 10))
    change = float(np.log(np.mean(new / old)))
    return Answer(
        change,
        "natural logarithms",
        error=0.02,
        units={"logarithms to base 10": 1 / np.log(10)},
        slips={
            "This is the second step, or the rule of thumb: compute the first step.": -np.log(10),
            "This is the change over both steps: take the first.": change - np.log(10),
            "This is the factor itself: take its logarithm.": np.exp(change),
        },
    )


@cache
def _nodes(name: str):
    """Sds at the grid of a model of the book, and the log of their prior."""
    problem = build_problem(name, sufficient_statistics(_visits()), Priors())
    return sds_at(problem, integrate(problem)[0].position)


def _log_density(name: str, frame) -> float:
    """Log density of all outcomes of a part of the visits, up to a constant of the model."""
    sds, log_prior = _nodes(name)
    reduced = reduce_groups(sufficient_statistics(frame), Priors())
    return special.logsumexp(log_prior + condition(sds, reduced)[0])


def _score(name: str) -> float:
    """Mean elpd of the first four visits of each county, each given the three others."""
    found = []
    for county, rows in _visits().groupby("county", observed=True):
        others = _visits()[_visits()["county"] != county]
        part = pd.concat([rows.head(4), others])
        whole = _log_density(name, part)
        found += [whole - _log_density(name, part.drop(index=row)) for row in rows.index[:4]]
    return float(np.mean(found))


def lead_with_three_visits() -> Answer:
    """A row's density given others is that of all of them over that of the others."""
    chosen = _visits().groupby("county", observed=True).head(4).index
    names = ("random_intercept", "pooled")
    all_known, none_known = (
        [float(predict(name, _visits()).loc[chosen].mean()) for name in names]
        for predict in (lambda *of: leave_one_out(*of)["elpd"], predict_new_group)
    )
    lead = _score(names[0]) - _score(names[1])
    return Answer(
        lead,
        "elpd per visit",
        error=0.015,
        units={"the sum over the visits": len(chosen)},
        slips={
            "Here the county's other visits were still in the table.": all_known[0] - all_known[1],
            "This is the lead with no visit of the county known.": none_known[0] - none_known[1],
        },
    )


def _slope_under(center: float, sd: float):
    """Exact posterior of the random intercept's slope under another prior of it, and log p(y)."""
    found = exact_posterior(
        "random_intercept",
        sufficient_statistics(_visits()),
        priors=Priors(slope=(center, sd)),
        draws=1,
    )["exact"]
    return found["slope"].to_series(), found.attrs["log_marginal_likelihood"]


def weight_against_a_sceptic() -> Answer:
    """How far the exact mean moves to zero when the prior becomes the sceptic's."""
    own, sceptics = _slope_under(*Priors().slope)[0], _slope_under(0.0, 1.0)[0]
    weight = sceptics["mean"] / own["mean"]
    return Answer(
        weight,
        "a share between 0 and 1",
        error=0.01,
        units={"per cent": 100},
        slips={
            "Halfway is a guess: the weight follows from two variances.": 0.5,
            "This is the weight of the prior's centre.": 1 - weight,
            "The rule takes squares: of the posterior sd and of the prior's.": 1 / (1 + own["sd"]),
        },
    )


def slope_under_a_t_prior() -> Answer:
    """A t prior is a mixture of normal ones, whose precisions have a gamma distribution."""
    center = float(_exact("pooled")["slope"].sel(statistic="mean"))
    factor = np.geomspace(1e-3, 8, 18)  # of the precision
    found = [_slope_under(center, 1 / times**0.5) for times in factor]
    log_weight = np.log(factor) + stats.gamma.logpdf(factor, 1.5, scale=1 / 1.5)
    log_weight += [log_evidence for _, log_evidence in found]
    mean = special.softmax(log_weight) @ [slope["mean"] for slope, _ in found]
    decade = 10 / frames.scale_of(_visits(), "age").sd
    return Answer(
        float(decade * mean),
        "seconds per decade",
        error=0.04,
        units={"seconds per sd of age": 1 / decade, "seconds per year": 0.1},
        slips={
            "This is the slope under the copied prior in its normal shape.": decade
            * _slope_under(center, 1.0)[0]["mean"],
            "This is the slope under the book's prior.": decade
            * float(_exact("random_intercept")["slope"].sel(statistic="mean")),
        },
    )


def sds_that_tip_the_sign() -> Answer:
    """Where the upper limit is zero if the likelihood of the slope were normal."""
    wide, prior_sd = _slope_under(*Priors().slope)[0], Priors().slope[1]
    z, decade = stats.norm.ppf(0.975), 10 / frames.scale_of(_visits(), "age").sd
    precision = 1 / wide["sd"] ** 2 - 1 / prior_sd**2
    pull = wide["mean"] / wide["sd"] ** 2

    def limit(sd, center):  # seconds per sd of age
        both = precision + 1 / sd**2
        return (pull + center / sd**2) / both + z / both**0.5

    tipping = {
        center: decade * optimize.brentq(limit, 0.05, 5, args=(center / decade,))
        for center in (0, 2, 4)
    }
    return Answer(
        tipping,
        "seconds per decade",
        error=0.03,
        units={
            "half the width of the prior's 95 % interval": z,
            "seconds per sd of age": 1 / decade,
        },
    )


@cache
def _between_counties():
    """Exact line through the counties' times, without what age does within them: Mundlak's second."""
    visits, ages = _visits(), _visits().groupby("county", observed=True)["age"].mean()
    within = visits["std_age"] - visits.groupby("county", observed=True)["std_age"].transform(
        "mean"
    )
    slope = (within * visits["bounce_time"]).sum() / (within**2).sum()
    scale = frames.Scale(ages.mean(), ages.std())
    frame = visits.assign(
        rest=visits["bounce_time"] - slope * within,
        county_age=visits["county"].map(scale.standardize(ages)).astype(float),
    )
    columns = {"outcome": "rest", "predictor": "county_age"}
    found = exact_posterior("random_intercept", frame, priors=Priors(slope=(0.0, 20.0)), **columns)
    return found["exact"].to_dataset().sel(statistic="mean"), scale


def change_in_kent() -> Answer:
    """The least-squares slope within counties, which the wide prior hardly moves."""
    line, scale = _between_counties()
    within, mixed = _slopes_per_decade()["within"], _exact("random_intercept")["slope"]
    between = 10 * float(line["slope"]) / scale.sd
    return Answer(
        within,
        "seconds",
        error=0.04,
        units={
            "the change for one year": 0.1,
            "seconds per sd of age": _per_decade()["seconds per sd of age"],
        },
        slips={
            "This slope compares Kent with another county, but Kent stays Kent.": between,
            "This compares visitors of one age in two counties.": between - within,
            "This slope mixes two comparisons: take the one within counties.": 10
            * float(mixed.sel(statistic="mean"))
            / frames.scale_of(_visits(), "age").sd,
        },
    )


def does_the_interval_hold_the_truth() -> Answer:
    """The number of counties cancels in the weight: the interval shrinks around a biased value."""
    return Answer(
        "no",
        "yes or no",
        slips={
            "Counties add to both precisions alike: look at the interval of the last row.": "yes"
        },
    )


def median_of_a_ninth_county() -> Answer:
    """The line between counties at a mean age of 55; a deviation has the median 0."""
    line, scale = _between_counties()
    other, own_scale = (
        _exact("random_intercept").sel(statistic="mean"),
        frames.scale_of(_visits(), "age"),
    )
    lower = other["intercept"] + other["slope"] * own_scale.standardize(55)
    return Answer(
        float(line["intercept"] + line["slope"] * scale.standardize(55)),
        "seconds",
        error=1.0,
        slips={
            "This comes of the other model, the slope within counties, or another mean age.": float(
                lower
            )
        },
    )


def contextual_slope_of_firms() -> Answer:
    """Least squares on the firms' means minus least squares on the distances from them."""
    firms = np.log(grunfeld.load_pandas().data.set_index("firm")[["value", "invest"]])
    means = firms.groupby("firm").mean()

    def fit(frame):
        return frame["value"].cov(frame["invest"]) / frame["value"].var()

    within, between = fit(firms - firms.groupby("firm").transform("mean")), fit(means)
    return Answer(
        between - within,
        "a difference of two slopes without a unit",
        error=0.03,
        slips={
            "This is the slope within firms: subtract it from the other.": within,
            "This is the slope between firms: subtract the one within.": between,
            "This is a ratio: take the difference.": between / within,
        },
    )


@cache
def _student_t_residuals():
    """Degrees of freedom, scale and weight of each point of a grid: Student-t residuals of fixed lines."""
    frame = _visits()
    within = frame.groupby("county", observed=True)[["std_age", "bounce_time"]].transform(
        lambda values: values - values.mean()
    )
    x, y = within.to_numpy().T
    residual = (y - x * (x @ y) / (x @ x)) * np.sqrt(len(x) / (len(x) - 9))
    nu, sigma = np.meshgrid(np.geomspace(3, 150, 40), np.linspace(6.5, 9.5, 40))
    log_posterior = stats.t.logpdf(residual[:, None, None], nu, scale=sigma).sum(axis=0)
    log_posterior += stats.gamma.logpdf(nu, 2, scale=10) + np.log(nu)
    return nu, sigma, special.softmax(log_posterior)


def residual_sd_of_student_t() -> Answer:
    """Mean residual sd of the Student-t model, by a grid over its two last parameters."""
    nu, sigma, weight = _student_t_residuals()
    return Answer(
        float((weight * sigma * np.sqrt(nu / (nu - 2))).sum()),
        "seconds",
        error=0.15,
        slips={
            "This is the scale `sigma` of the Student-t, and not yet an sd.": float(
                (weight * sigma).sum()
            ),
            "This is a variance, in squared seconds: take its root.": float(
                (weight * sigma**2 * nu / (nu - 2)).sum()
            ),
        },
    )


def _slope_by_gls(frame) -> float:
    """Slope (per unit of ``age``) by generalized least squares, with sds from within and between counties."""
    of_county = frame.groupby("county", observed=True)[["age", "bounce_time"]]
    mean, n = of_county.mean(), of_county.size()
    age, time = (frame[["age", "bounce_time"]] - of_county.transform("mean")).to_numpy().T
    within = (age @ time) / (age @ age)
    variance = ((time - within * age) ** 2).sum() / (len(age) - len(n) - 1)
    between = (mean["bounce_time"] - within * mean["age"]).var() - variance * (1 / n).mean()
    weight = 1 - np.sqrt(variance / (variance + n * between))
    kept = weight.loc[frame["county"]].to_numpy()
    centred = [frame[name] - kept * of_county.transform("mean")[name] for name in mean]
    return float(np.linalg.lstsq(np.column_stack([1 - kept, centred[0]]), centred[1])[0][1])


def slope_of_late_visitors() -> Answer:
    """Slope if the oldest twelve for their county stay a minute longer, by generalized least squares."""
    frame = _visits()
    within = frame["age"] - frame.groupby("county", observed=True)["age"].transform("mean")
    oldest = frame.index.isin(within.nlargest(12).index)
    late = frame.assign(bounce_time=frame["bounce_time"] + 60 * oldest)
    return Answer(
        10 * _slope_by_gls(late),
        "seconds per decade of age",
        error=0.06,
        units=_per_decade(),
        slips={"This is the slope without the open tabs.": 10 * _slope_by_gls(frame)},
    )


def power_of_residual_check() -> Answer:
    """How often the check notices a county of 7 visits with an sd 1.5 times as large (chi-square)."""

    def notice(n, factor, prob=0.975):
        return float(stats.chi2.sf(stats.chi2.ppf(prob, n - 1) / factor**2, n - 1))

    return Answer(
        notice(7, 1.5),
        "a share between 0 and 1",
        error=0.04,
        units={"per cent": 100},
        slips={
            "This is how often the county goes unseen.": 1 - notice(7, 1.5),
            "This is Cornwall's share: take the county with the fewest visits.": notice(22, 1.5),
            "This is another factor: take the county whose sd is half as large again.": notice(
                7, 2
            ),
            "The bar has two ends: its upper limit leaves 2.5 % above it, not 5 %.": notice(
                7, 1.5, 0.95
            ),
        },
    )


@cache
def _random_slope_draws():
    """Independent draws of the exact posterior, with the slope of a new county beside them."""
    drawn = exact_posterior("random_slope", _visits())["posterior"].to_dataset()
    z = np.random.default_rng(1).normal(size=(2, *drawn["slope"].shape))
    rest = drawn["rho"] * z[0] + np.sqrt(1 - drawn["rho"] ** 2) * z[1]
    return drawn.assign(
        new_slope=drawn["slope"] + drawn["slope_sd"] * z[0],
        new_intercept=drawn["intercept"] + drawn["group_sd"] * rest,
    )


def penalty_that_turns_the_decision() -> Answer:
    """Loss of a second in vain, beside one missed, at which both actions are as good in a new county.

    Given the draw of mean and sd of the slopes a gain is normal, and its expected losses are formulas.
    """
    drawn, per_decade = _random_slope_draws(), frames.scale_of(_visits(), "age").per_unit(10)

    def turn(spread, k=2.5, gain_per_decade=-1.5):
        mean = gain_per_decade * per_decade * drawn["slope"] - k
        sd = abs(gain_per_decade) * per_decade * spread
        density, above = stats.norm.pdf(mean / sd), stats.norm.cdf(mean / sd)
        return float(
            (sd * density + mean * above).mean() / (sd * density - mean * (1 - above)).mean()
        )

    return Answer(
        turn(drawn["slope_sd"]),
        "seconds lost for each second missed",
        error=0.3,
        slips={
            "This is the ratio upside down.": 1 / turn(drawn["slope_sd"]),
            "This is the limit for the population of counties.": turn(1e-9),
        },
    )


def sd_of_copied_line() -> Answer:
    """Sd of the expected time at age 40 in a county that copies one of the eight, each as likely."""
    drawn, x = _random_slope_draws(), frames.scale_of(_visits(), "age").standardize(40)
    own = (
        drawn["intercept"] + drawn["group_intercept"] + (drawn["slope"] + drawn["group_slope"]) * x
    )
    new = drawn["new_intercept"] + drawn["new_slope"] * x
    return Answer(
        float(own.std()),
        "seconds",
        error=0.4,
        slips={
            "This is the sd of a county that is drawn from the population.": float(new.std()),
            "This is how well one of the eight is known, and not how they differ.": float(
                own.std(["chain", "draw"]).mean()
            ),
            "This is a variance, in squared seconds.": float(own.var()),
        },
    )


def sd_with_more_counties() -> Answer:
    """Posterior sd of the mean slope with ten times the counties, from other draws."""
    drawn, scale = _random_slope_draws(), frames.scale_of(_visits(), "age")
    within = sufficient_statistics(_visits())["predictor_ss"].to_xarray()

    def sd(visits_times=1, counties_times=1):
        error2 = drawn["sigma"] ** 2 / (visits_times * within)
        weight = counties_times * (1 / (drawn["slope_sd"] ** 2 + error2)).sum("county")
        return 10 * scale.per_unit(float(np.sqrt((1 / weight).mean())))

    return Answer(
        sd(counties_times=10),
        "seconds per decade of age",
        error=0.015,
        units={"seconds per year": 0.1, "seconds per sd of age": scale.sd / 10},
        slips={
            "This is the other design, with more visits from the same counties.": sd(10),
            "This is the sd as it is now.": sd(),
            "An sd falls with the root of the counties.": sd() / 10,
        },
    )


def rows_missing_in_a_report() -> Answer:
    """Of eighteen rows the section has one, R-hat; counted by hand."""
    return Answer(
        18 - 1,
        "rows of the checklist",
        slips={
            "One row is there: each section of the report has to hold the text.": 18,
            "This is the number of rows that are there.": 1,
        },
    )


def draws_for_one_digit_more() -> Answer:
    """How many times the draws make the Monte Carlo error ten times smaller."""
    return Answer(
        10.0**2,
        "a number of times",
        error=0.5,
        slips={
            "The error falls with the root of the draws, not with the draws.": 10.0,
            "This is the number of draws that there were.": 30.0,
            "This is the root of the step: the draws go with its square.": 10.0**0.5,
        },
    )


def distance_of_two_halves() -> Answer:
    """Sd of the difference of two independent halves' means, in Monte Carlo standard errors of one."""
    return Answer(
        2**0.5,
        "Monte Carlo standard errors of one half",
        error=0.02,
        slips={
            "Both runs have an error, and their variances add.": 1.0,
            "Variances add, not standard errors.": 2.0,
            "This is the error of the mean of both, not of their difference.": 0.5**0.5,
        },
    )


def sd_of_sigma_with_ten_times_the_visits() -> Answer:
    """Ratio of two sds of a residual sd: the root of the degrees of freedom that are left."""
    visits, counties = len(_visits()), 8
    ratio = ((visits - counties - 1) / (10 * visits - counties - 1)) ** 0.5
    return Answer(
        ratio,
        "the sd with ten times the visits, divided by the sd with the visits as they are",
        error=0.01,
        slips={
            "This is the ratio upside down.": 1 / ratio,
            "An sd falls with the root of the visits.": 0.1,
            "Nothing changed: is the table really ten times as long?": 1.0,
        },
    )


def evidence_against_wide_slopes() -> Answer:
    """Two ratios on a plain grid: of posterior and prior where slopes are equal, and of the two priors."""
    weight, _, _, slope_sd, *_ = _slopes_on_a_grid()
    first, second = np.unique(slope_sd)[:2]  # the first lies so near to 0 that it stands for it
    density = weight[slope_sd == first].sum() / (second - first)
    scale = Priors().slope_sd
    equal = -np.log(density / stats.halfnorm.pdf(first, scale=scale))
    old, new = (stats.halfnorm.pdf(slope_sd, scale=sd) for sd in (scale, 50.0))
    wider = np.log(weight @ (new / old))
    return Answer(
        float(equal + wider),
        "natural logarithms",
        error=0.06,
        units={"logarithms to base 10": 1 / np.log(10)},
        slips={
            "This is for the prior of the book: take the wide one.": float(equal),
            "This compares the two priors: compare with the random intercept.": float(wider),
            "This is the factor itself: take its logarithm.": float(np.exp(equal + wider)),
        },
    )


def corner_of_each_county() -> Answer:
    """Weight of each county's own data for sigma = 8 s and tau = 4 s."""
    n = _visits()["county"].value_counts()
    return Answer(
        (n / (n + 4)).to_dict(),
        "a share between 0 and 1",
        error=0.006,
        units={"per cent": 100},
    )


def factor_of_a_firm() -> Answer:
    """exp of the posterior median of the firms' sd, from a sum over a plain grid."""
    frame = _firms().assign(value=_firms()["value"] - _firms()["value"].mean())
    priors = Priors(intercept=(4, 2), slope=(0, 1), sigma=1, group_sd=1)
    table = sufficient_statistics(frame, outcome="invest", predictor="value", group="firm")
    sigma, group_sd = np.meshgrid(np.linspace(0.28, 0.5, 45), np.linspace(0.2, 3.2, 301))
    log_density = log_marginal_likelihood(table, sigma.ravel(), group_sd.ravel(), priors=priors)
    log_density = log_density.reshape(sigma.shape) - (sigma**2 + group_sd**2) / 2
    weight = special.softmax(log_density).sum(axis=1)
    median = float(np.interp(0.5, weight.cumsum() - weight / 2, group_sd[:, 0]))
    mean = float(weight @ group_sd[:, 0])
    return Answer(
        np.exp(median),
        "times the investment of an average firm",
        error=0.02,
        slips={
            "This is still a logarithm: what does a difference of logarithms say of the amounts?": median,
            "This is a mean, and still a logarithm.": mean,
            "This is made from the mean: a factor keeps quantiles, not means.": np.exp(mean),
        },
    )


def effects_with_wrong_names() -> Answer:
    """How many labels change if counties are listed as they appear in place of by the alphabet."""
    county = _visits()["county"]
    moved = int((np.asarray(county.unique()) != np.asarray(county.cat.categories)).sum())
    everything = len(county.cat.categories)
    return Answer(
        moved,
        "group_intercepts",
        error=0.1,
        slips={
            "A county whose name happens to be right keeps its own effect.": everything,
            "The population's parameters never read a name.": everything + 4,
            "These are the ones that stay.": everything - moved,
        },
    )


def quiet_failure_that_holds_all() -> Answer:
    """Without the counties in the likelihood their intervals are the prior's, and hold nearly everything."""
    moved = "Are the intercepts that it finds those of the counties it names?"
    return Answer(
        "forgotten group",
        "the label of a failure",
        slips={moved: "wrong names", "Are its rows those of the counties?": "wrong rows"},
    )


def chains_in_one_mode() -> Answer:
    """Probability that four chains begin in the same one of two modes."""
    return Answer(
        2 * 0.5**4,
        "a probability",
        error=0.006,
        units={"per cent": 100, "runs of sixteen": 16},
        slips={
            "This is one particular mode; the chains may share either.": 0.5**4,
            "The first chain chooses freely, and three others must follow it.": 0.5**2,
            "This is the probability that the gate sees something.": 1 - 2 * 0.5**4,
        },
    )


def error_of_four_times_the_draws() -> Answer:
    """What the differences from the truth become, in the parameter's units: the root of a quarter."""
    return Answer(
        4**-0.5,
        "the new difference, divided by the old one",
        error=0.06,
        slips={
            "An error falls with the root of the draws, not with the draws.": 1 / 4,
            "This is the ratio upside down.": 2.0,
            "This holds for differences in Monte Carlo standard errors.": 1.0,
        },
    )


def sd_of_counties_under_a_wider_prior() -> Answer:
    """Mean sd of the counties under a half-normal prior of scale 30 s, from a sum over a plain grid."""
    sigma, group_sd = np.meshgrid(np.linspace(7.2, 9.8, 40), np.linspace(0.1, 70, 700))
    table = sufficient_statistics(_visits())
    log_likelihood = log_marginal_likelihood(table, sigma.ravel(), group_sd.ravel())

    def mean(scale):
        log_prior = -((sigma / 20) ** 2 + (group_sd / scale) ** 2).ravel() / 2
        return float(special.softmax(log_likelihood + log_prior) @ group_sd.ravel())

    return Answer(
        mean(30),
        "seconds",
        error=0.03,
        slips={
            "This is the mean under the book's prior.": mean(20),
            "This is the mean under another scale of the list.": mean(25),
            "This is the mean of the prior itself.": 30 * (2 / np.pi) ** 0.5,
        },
    )


def is_at_the_edge() -> Answer:
    """A correlation of one is the edge of what a covariance matrix can be."""
    return Answer(
        "yes",
        "yes or no",
        slips={"Compare the smaller eigenvalue with the larger one, not with 0.": "no"},
    )


def quantity_that_knows_the_data() -> Answer:
    """Truth and blind draws both come from the prior; only the simulated visits tell them apart."""
    parameters = ("intercept", "slope", "sigma")
    return Answer(
        "log_likelihood",
        "a quantity that is ranked",
        slips={f"For {name} the truth is a draw like any other.": name for name in parameters},
    )


def share_held_by_half_intervals() -> Answer:
    """How often an interval of half the length of a right 95 % interval holds the truth."""
    held = float(1 - 2 * stats.norm.sf(stats.norm.ppf(0.975) / 2))
    return Answer(
        held,
        "a share between 0 and 1",
        error=0.07,
        units={"per cent": 100},
        slips={
            "Half the length does not hold half as often: the truth is mostly near the middle.": 0.475,
            "This is what the right intervals hold.": 0.95,
            "This is the share that is missed.": 1 - held,
        },
    )


def worlds_to_tell_two_coverages() -> Answer:
    """The first number of worlds at which 2 % is twice its standard error, by trying them all."""
    worlds = np.arange(1, 10_000)
    difference = 0.95 - 0.93

    def first(errors):
        return float(worlds[difference >= 2 * errors - 1e-12][0])

    one, other = (np.sqrt(p * (1 - p) / worlds) for p in (0.95, 0.93))
    return Answer(
        first(np.hypot(one, other)),
        "worlds",
        error=2,
        slips={
            "This takes the error of one share only.": first(one),
            "This takes the error of the other share only.": first(other),
            "The difference is to be twice its error, not once.": first(np.hypot(one, other) / 2),
            "Variances add, not standard errors.": first(one + other),
        },
    )


ANSWERS = {
    "data-units": slope_of_colleague,
    "data-break": row_of_the_empty_county,
    "data-vote": slope_of_a_visit,
    "exploring-noise": ratio_of_errors,
    "exploring-means": slope_of_means,
    "exploring-fixed": slope_with_own_levels,
    "exploring-firms": slope_within_firms,
    "cm-count": values_for_twenty,
    "cm-formula": values_without_levels,
    "cm-rutland": first_to_leave,
    "cp-raw-age": impossible_on_raw_age,
    "cp-colleague": scale_of_colleague,
    "cp-bambi": width_of_default_prior,
    "pooled-more": factor_of_fourfold_visits,
    "pooled-prior": slope_of_stubborn_prior,
    "pooled-two": older_stays_longer,
    "ri-weight": weight_of_rutland,
    "ri-prior": sd_of_counties_held_together,
    "ri-firms": elasticity_of_investment,
    "rs-infinite": sd_with_endless_visits,
    "rs-zero": correlation_at_20,
    "rs-ninth": chance_in_a_ninth_county,
    "qd-draws": mcse_of_four_times_the_draws,
    "qd-form": form_with_more_effective_draws,
    "qd-rhat": r_hat_of_drift,
    "wl-question": slope_of_any_two_visitors,
    "wl-within": slope_within_counties,
    "wl-firms": distance_of_pooled_firms,
    "ppc-fitted": kent_too_wide,
    "ppc-prior": intercept_between_prior_and_visits,
    "ppc-plant": sd_notices_the_fault,
    "mc-quarter": ratio_of_a_quarter,
    "mc-prior": price_of_a_wide_prior,
    "mc-known": lead_with_three_visits,
    "ps-sceptic": weight_against_a_sceptic,
    "ps-heavy": slope_under_a_t_prior,
    "ps-tipping": sds_that_tip_the_sign,
    "wb-which": change_in_kent,
    "wb-counties": does_the_interval_hold_the_truth,
    "wb-ninth": median_of_a_ninth_county,
    "wb-firms": contextual_slope_of_firms,
    "ex-sigma": residual_sd_of_student_t,
    "ex-old": slope_of_late_visitors,
    "ex-power": power_of_residual_check,
    "ta-penalty": penalty_that_turns_the_decision,
    "ta-copy": sd_of_copied_line,
    "ta-design": sd_with_more_counties,
    "rp-missing": rows_missing_in_a_report,
    "rp-refuse": draws_for_one_digit_more,
    "rp-again": distance_of_two_halves,
    "ea-ten": sd_of_sigma_with_ten_times_the_visits,
    "ea-evidence": evidence_against_wide_slopes,
    "ea-weight": corner_of_each_county,
    "ea-firms": factor_of_a_firm,
    "fa-names": effects_with_wrong_names,
    "fa-chains": chains_in_one_mode,
    "fa-recovery": quiet_failure_that_holds_all,
    "ag-draws": error_of_four_times_the_draws,
    "ag-prior": sd_of_counties_under_a_wider_prior,
    "ag-silent": is_at_the_edge,
    "hk-blind": quantity_that_knows_the_data,
    "hk-narrow": share_held_by_half_intervals,
    "hk-worlds": worlds_to_tell_two_coverages,
}
