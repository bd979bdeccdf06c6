"""Checks of a fit that Bambi sampled, of any family: does the table look as the model says that tables look?

Tables are drawn from the posterior, for the groups of the table. Each check takes a number of the outcomes,
or of the groups' effects, and compares it with the same number of what is drawn. Residuals are Pearson's:
counted in the sds that the family gives outcomes around their means.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr
from scipy import special, stats

from helpers import predictions
from helpers.own.candidates import Candidate
from helpers.own.checks import (
    DRAWS,
    Check,
    check_effects,
    check_priors,
    check_shape,
    check_spread,
    check_spread_along,
    compare,
)
from helpers.own.draws import flatten, thin
from helpers.own.question import BERNOULLI, Question, label_groups
from helpers.own.residuals import FEWEST_DRAWS, MOST_CELLS, sum_by
from helpers.priors import SEED
from helpers.terms import group_dim

BINS = 5  # of predicted chances, with as many rows each
# Of outcomes around their mean, by family: of the mean and of its further parameter.
VARIANCES = {
    "gaussian": lambda mean, sigma: np.broadcast_to(sigma**2, mean.shape),
    "gamma": lambda mean, alpha: mean**2 / alpha,
    "bernoulli": lambda mean, _: mean * (1 - mean),
    "poisson": lambda mean, _: mean,
    "negativebinomial": lambda mean, alpha: mean + mean**2 / alpha,
}
LOG_DENSITIES = {
    "gaussian": stats.norm.logpdf,
    "gamma": lambda y, mean, alpha: stats.gamma.logpdf(y, alpha, scale=mean / alpha),
    "bernoulli": lambda y, mean, _: stats.bernoulli.logpmf(y, mean),
    "poisson": lambda y, mean, _: stats.poisson.logpmf(y, mean),
    "negativebinomial": lambda y, mean, a: stats.nbinom.logpmf(y, a, a / (a + mean)),
}
GRID = np.linspace(-4, 4, 33)  # sds of groups


class Drawn:
    """Means and sds (S, n) of the rows' outcomes, outcomes that the model draws, and groups of rows."""

    def __init__(
        self,
        question: Question,
        candidate: Candidate,
        tree: xr.DataTree,
        seed: int,
        most: int = DRAWS,
    ):
        table = candidate.table
        fitting = max(FEWEST_DRAWS, MOST_CELLS // len(table))
        self.tree = thin(tree, min(fitting, most))
        self.question, self.candidate, self.terms = question, candidate, candidate.terms
        self.family, self.rng = self.terms.family, np.random.default_rng(seed)
        posterior = self.tree["posterior"]
        self.mean = self.family.mean(self._linear(table))
        name = self.family.auxiliary
        self.auxiliary = None if name is None else flatten(posterior[name])[:, None]
        self.sd = np.sqrt(VARIANCES[self.family.name](self.mean, self.auxiliary))
        self.observed = question.values
        self.replicated = self.family.draw(self.rng, self.mean, self.auxiliary)
        self.code = table[candidate.group].cat.codes.to_numpy()
        self.groups, self.sizes = table[candidate.group].cat.categories, np.bincount(self.code)

    def _linear(self, rows: pd.DataFrame) -> np.ndarray:
        fit = self.tree, self.candidate.formula, self.candidate.table
        given = {"kind": "linear", "family": self.candidate.family}
        return flatten(predictions.predict(*fit, rows, **given), "row")

    @cached_property
    def residuals(self) -> np.ndarray:
        return (self.observed - self.mean) / self.sd

    @cached_property
    def noise(self) -> np.ndarray:
        """Residuals of the outcomes that the model draws."""
        return (self.replicated - self.mean) / self.sd

    def mean_by_group(self, values: np.ndarray) -> np.ndarray:
        """Means (S, G) of values (S, n) over the rows of each group of the question's factor."""
        return sum_by(self.code, values) / self.sizes

    def compare(self, name: str, looked_at: str, statistic: Callable, **more) -> Check:
        """A check of a statistic (S,) of residuals (S, n), draw by draw."""
        observed, replicated = statistic(self.residuals), statistic(self.noise)
        return compare_pairs(name, looked_at, observed, replicated, **more)

    def codes_of(self, factor: str) -> tuple[np.ndarray, np.ndarray]:
        """The group (n,) of each row by a grouping factor, as numbers, and the labels of these."""
        return pd.factorize(label_groups(self.candidate.table, factor), sort=True)

    def log_density(self, mean: np.ndarray) -> np.ndarray:
        """Log densities (S, n) of the rows, given their means."""
        return LOG_DENSITIES[self.family.name](self.observed, mean, self.auxiliary)

    def log_density_of_groups(self, factor: str) -> pd.DataFrame:
        """Log densities of the rows of each group of a factor, by its label, the group's level integrated
        out on a grid."""
        (code, groups), dim = self.codes_of(factor), group_dim(factor)
        eta, posterior = self._linear(self.candidate.table), self.tree["posterior"]
        place = {str(label): number for number, label in enumerate(posterior[dim].values)}
        order = [place[label] for label in groups]
        eta = eta - flatten(posterior[f"1|{factor}"], dim)[:, order][:, code]
        sd = flatten(posterior[f"1|{factor}_sigma"])[:, None]
        parts = [
            sum_by(code, self.log_density(self.family.mean(eta + sd * z))) - z**2 / 2 for z in GRID
        ]
        return pd.DataFrame(special.logsumexp(parts, axis=0), columns=groups)


def check_fit(
    question: Question, candidate: Candidate, tree: xr.DataTree, seed: int = SEED
) -> list[Check]:
    """All checks of a sampled candidate's fit that suit its outcomes."""
    drawn = Drawn(question, candidate, tree, seed)
    found = [check_shape(drawn), check_effects(drawn)]
    found += [_check_farthest(drawn, factor) for factor in drawn.terms.factors]
    if candidate.family == BERNOULLI:
        found += [_check_shares(drawn), _check_calibration(drawn)]
    else:
        found += [
            check_spread(drawn, f"spread by {factor}", factor, *drawn.codes_of(factor))
            for factor in drawn.terms.factors
        ]
        found += [check_spread_along(drawn), *_check_ends(drawn)]
    if drawn.family.is_count:
        found += [_check_zeros(drawn), _check_dispersion(drawn)]
    return [*found, check_priors(candidate, tree["posterior"].to_dataset())]


def compare_pairs(name: str, looked_at: str, observed, replicated, **more) -> Check:
    """A check of a number of both the table and the parameters (S,), draw by draw (Gelman, Meng & Stern
    1996): its probability is that of a drawn table's being larger."""
    observed = np.broadcast_to(observed, replicated.shape)
    above = np.mean(replicated > observed) + np.mean(replicated == observed) / 2
    low, high = np.quantile(replicated, [0.025, 0.975])
    chance = 2 * min(above, 1 - above)
    return Check(name, looked_at, float(observed.mean()), low, high, chance, **more)


def _check_farthest(drawn: Drawn, factor: str) -> Check:
    """Whether one group lies farther out than a normal distribution of groups would let it."""
    posterior = drawn.tree["posterior"]
    effects = posterior[f"1|{factor}"]
    dim = group_dim(factor)
    away = flatten(effects, dim) / flatten(posterior[f"1|{factor}_sigma"])[:, None]
    farthest = str(effects[dim].values[int(np.abs(away.mean(axis=0)).argmax())])
    drawn_away = drawn.rng.normal(size=away.shape)
    return compare_pairs(
        f"normal groups of {factor}",
        f"the farthest group of {factor} (sds from the population)",
        np.abs(away).max(axis=1),
        np.abs(drawn_away).max(axis=1),
        names=(farthest, factor),
    )


def _check_ends(drawn: Drawn) -> list[Check]:
    """Whether the largest outcome, and of measurements the smallest one, are as the model draws them."""
    ends = {"largest": np.max} | ({} if drawn.family.is_count else {"smallest": np.min})
    unit = drawn.question.unit
    return [
        compare(
            f"{end} outcome",
            f"the {end} {drawn.question.outcome} ({unit})",
            pick(drawn.observed),
            pick(drawn.replicated, axis=1),
        )
        for end, pick in ends.items()
    ]


def _check_zeros(drawn: Drawn) -> Check:
    """Whether as many outcomes are 0 as the model draws."""
    looked_at = f"share of rows whose {drawn.question.outcome} is 0"
    observed, replicated = (drawn.observed == 0).mean(), (drawn.replicated == 0).mean(axis=1)
    return compare("zeros", looked_at, observed, replicated)


def _check_dispersion(drawn: Drawn) -> Check:
    """Whether counts scatter around their means as the family says."""
    looked_at = "mean square of residuals (in sds of the family)"
    return drawn.compare("dispersion", looked_at, lambda values: (values**2).mean(axis=1))


def _check_shares(drawn: Drawn) -> Check:
    """Whether shares of yes differ between groups as the model draws them."""
    group = drawn.question.group
    return compare(
        f"shares by {group}",
        f"how much shares of yes differ between groups of {group} (sd)",
        drawn.mean_by_group(drawn.observed).std(),
        drawn.mean_by_group(drawn.replicated).std(axis=1),
    )


def _check_calibration(drawn: Drawn) -> Check:
    """Whether of rows with like chances as many are yes as these chances say."""
    order = drawn.mean.mean(axis=0).argsort(kind="stable")
    code = np.empty(len(order), dtype=int)
    code[order] = np.arange(len(order)) * BINS // len(order)

    def stray(values):
        """Sums of squares, over the fifths, of how far shares lie from chances, in sds of them."""
        distance = sum_by(code, values - drawn.mean)
        return (distance**2 / sum_by(code, drawn.mean * (1 - drawn.mean))).sum(axis=1)

    looked_at = (
        "shares of yes in fifths of predicted chances, around these (sum of squares, in sds)"
    )
    return compare_pairs("calibration", looked_at, stray(drawn.observed), stray(drawn.replicated))
