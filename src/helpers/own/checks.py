"""Checks of a fit: does the table look as the model says that tables look, where no parameter sees to it?

Each check takes a number of the residuals or group-level effects (realized discrepancies: Gelman, Meng &
Stern 1996), and compares its posterior mean with the same number of residuals or effects that the model
would draw. Residuals are counted in sds.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy import sparse, stats

from helpers import predictions
from helpers.exact import QuadratureFailed, loo
from helpers.frames import name_row, original_term
from helpers.own.candidates import BOTH, Candidate
from helpers.own.draws import split_levels, thin
from helpers.own.question import EQUAL, FEW_GROUPS, NONE, NUMBER, Question
from helpers.own.residuals import MOST_CELLS, Residuals, sum_by
from helpers.priors import SEED

FAILS, DOUBTFUL, PASSES, CANNOT = "fails", "doubtful", "passes", "cannot be made"
LIMITS = {FAILS: 0.01, DOUBTFUL: 0.05}  # two-sided probabilities
DRAWS = 1000
SURPRISE = 0.001  # two-sided probability of a row that surprises
ENOUGH_ROWS = 3  # of a group, to tell its spread
LEAST = 1e-6  # mean square of residuals, in sds: less is none


@dataclass(frozen=True)
class Check:
    """What was looked at, observed and expected numbers, and how often the model would draw such."""

    name: str
    looked_at: str
    observed: float = np.nan
    low: float = np.nan
    high: float = np.nan
    probability: float = np.nan
    why_not: str = ""
    names: tuple[str, ...] = ()

    @property
    def is_more(self) -> bool:
        """Whether more was observed than the middle of what is expected."""
        return self.observed > (self.low + self.high) / 2

    @property
    def verdict(self) -> str:
        if self.why_not:
            return CANNOT
        found = [verdict for verdict, limit in LIMITS.items() if self.probability < limit]
        return found[0] if found else PASSES


def check_fit(
    question: Question, candidate: Candidate, tree: xr.DataTree, seed: int = SEED
) -> list[Check]:
    """All checks of a candidate's fit; each is one statement about what the model assumes."""
    drawn = _Drawn(question, candidate, tree, seed)
    return [
        check_shape(drawn),
        _check_means(drawn),
        _check_farthest_group(drawn),
        check_effects(drawn),
        check_spread(drawn, "spread by group", question.group, drawn.code, drawn.groups),
        check_spread_along(drawn),
        _check_rows(candidate),
        check_priors(candidate, tree["posterior"].to_dataset()),
    ]


class _Drawn(Residuals):
    """Residuals and levels of groups, and the noise in whose place the model would draw them."""

    def __init__(self, question: Question, candidate: Candidate, tree: xr.DataTree, seed: int):
        super().__init__(question, candidate, tree, DRAWS)
        self.rng = np.random.default_rng(seed)
        self.noise = self.rng.normal(size=self.residuals.shape)
        self.levels = self.mean_by_group(self.mean - self.of_population)
        self.sds = self.sds_of_levels()

    def compare(self, name: str, looked_at: str, statistic: Callable, **more) -> "Check":
        """A check of a statistic (S,) of residuals (S, n)."""
        observed, replicated = statistic(self.residuals), statistic(self.noise)
        return compare(name, looked_at, observed, replicated, **more)


def compare(name: str, looked_at: str, observed, replicated, **more) -> Check:
    """A check from draws (S,) of an observed number, whose mean is judged, and of replicated ones."""
    mean = float(np.mean(observed))
    above = np.mean(replicated > mean) + np.mean(replicated == mean) / 2
    low, high = np.quantile(replicated, [0.025, 0.975])
    return Check(name, looked_at, mean, low, high, 2 * min(above, 1 - above), **more)


def correlate(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Correlations (S,) of rows (S, n) with rows (S, n), or with one (n,)."""
    first, second = (v - v.mean(axis=-1, keepdims=True) for v in (first, second))
    product = (first * second).sum(axis=-1)
    size = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    return np.divide(product, size, out=np.zeros_like(product), where=size > 0)


# Single checks: what is ``drawn`` has the question, the candidate and its terms, the groups of rows, and
# residuals with a way to ``compare`` them with the model's. ``predictive`` has another.


def check_shape(drawn) -> Check:
    """Whether the outcome bends along the predictor: what is left beside its square."""
    name = "shape in the predictor"
    curve, looked_at, why_not = _find_curve(drawn)
    if why_not:
        return Check(name, looked_at, why_not=why_not)
    return drawn.compare(name, looked_at, lambda values: correlate(values, curve))


def _find_curve(drawn) -> tuple[np.ndarray | None, str, str]:
    """What the model's columns, and levels (and slopes) by group, cannot tell of the predictor's square;
    what is looked at; and why there is nothing to look at, if there is a reason."""
    question = drawn.question
    if question.kind != NUMBER or question.main not in question.terms.common:
        return None, "", "there is no numeric predictor that is a term by itself"
    column = question.column
    looked_at = f"residuals along the square of {column} (correlation)"
    words = [re.findall(r"\w+", other) for other in question.terms.common if "(" in other]
    if question.is_column and any(column in found for found in words):
        return None, looked_at, f"the formula has a function of {column} already"
    if not question.differs_within:
        return None, looked_at, f"{column} does not vary within groups of {question.group}"
    curve = _left_of_square(drawn, question.predictor())
    return curve, looked_at, f"{column} has too few distinct values for a bend" * (curve is None)


def _left_of_square(drawn, x: np.ndarray) -> np.ndarray | None:
    """What the model's columns, and levels (and slopes) by group, cannot tell of a square."""
    x = (x - x.mean()) / x.std()
    columns = np.column_stack([drawn.terms.columns_at(drawn.candidate.table)[:, 1:], x**2])
    centred = columns - drawn.mean_by_group(columns.T).T[drawn.code]
    if drawn.terms.own_slopes:
        own = x - drawn.mean_by_group(x)[0][drawn.code]
        square = np.bincount(drawn.code, own**2)
        slopes = np.array([np.bincount(drawn.code, own * c) for c in centred.T])
        slopes = np.divide(slopes, square, out=np.zeros_like(slopes), where=square > 1e-9)
        centred = centred - slopes.T[drawn.code] * own[:, None]
    rest, curve = centred[:, :-1], centred[:, -1]
    curve = curve - rest @ np.linalg.lstsq(rest, curve)[0]
    return curve if curve @ curve > 1e-6 * (columns[:, -1] @ columns[:, -1]) else None


def _check_means(drawn: _Drawn) -> Check:
    """Whether groups with higher means of the predictor lie higher than the model says."""
    question, name = drawn.question, "group means"
    if question.kind != NUMBER:
        return Check(name, "", why_not="there is no numeric predictor")
    column, group = question.column, question.group
    looked_at = f"levels of {group} along their means of {column} (correlation)"
    means = drawn.mean_by_group(question.predictor())[0]
    if not means.std() > EQUAL * question.predictor().std():
        return Check(name, looked_at, why_not=f"all groups have the same mean of {column}")
    if drawn.candidate.name == BOTH:
        return Check(name, looked_at, why_not="the model has a slope for it")
    if len(means) < FEW_GROUPS:
        return Check(name, looked_at, why_not=f"{len(means)} groups are too few")
    replicated = drawn.rng.normal(size=drawn.levels.shape) * drawn.sds
    return compare(name, looked_at, correlate(drawn.levels, means), correlate(replicated, means))


def _check_farthest_group(drawn: _Drawn) -> Check:
    """Whether one group lies farther out than a normal distribution of groups would let it."""
    away = drawn.levels / np.maximum(drawn.sds, 1e-12)
    replicated = drawn.rng.normal(size=away.shape)
    farthest = drawn.groups[int(np.abs(away.mean(axis=0)).argmax())]
    return compare(
        "normal groups",
        f"the farthest group of {drawn.question.group} (sds from the population)",
        np.abs(away).max(axis=1),
        np.abs(replicated).max(axis=1),
        names=(str(farthest), drawn.question.group),
    )


def check_effects(drawn) -> Check:
    """Whether the effect of the main term is alike in all groups."""
    question, name = drawn.question, "effects alike in all groups"
    if question.kind == NONE:
        return Check(name, "", why_not="there is no predictor")
    column, group = question.column, question.group
    looked_at = f"what is left of effects of {column} in each {group} (mean square, in sds)"
    if drawn.terms.own_slopes:
        return Check(name, looked_at, why_not="the model lets them differ")
    weights = _weights_of_effects(drawn)
    if weights.shape[0] < 2:
        why = f"fewer than two groups have rows enough to tell an effect of {column} from scatter"
        return Check(name, looked_at, why_not=why)
    return drawn.compare(name, looked_at, lambda values: ((weights @ values.T) ** 2).mean(axis=0))


def _weights_of_effects(drawn) -> sparse.csr_array:
    """Weights (K, n) of rows in what is left of each group's effects, each of length 1: along the
    predictor within the group, or in the mean of a level less the group's mean."""
    question, code, columns = drawn.question, drawn.code, drawn.question.columns
    own = columns - drawn.mean_by_group(columns.T).T[code]
    rows, places, weights = [], [], []
    for column, part in zip(columns.T, own.T, strict=True):
        square = np.bincount(code, part**2)
        enough = square > EQUAL * max(square.max(), 1e-300)
        if question.kind != NUMBER:
            enough &= np.bincount(code, column) >= 2  # one row of a level is no mean of it
        else:
            enough &= drawn.sizes >= ENOUGH_ROWS
        keep = np.flatnonzero(enough[code])
        rows.append(code[keep] + len(rows) * len(drawn.groups))
        places.append(keep)
        weights.append(part[keep] / np.sqrt(square[code[keep]]))
    _, numbers = np.unique(np.concatenate(rows), return_inverse=True)
    shape = (numbers.max(initial=-1) + 1, len(code))
    entries = np.concatenate(weights), (numbers, np.concatenate(places))
    return sparse.csr_array(entries, shape=shape) if shape[0] else sparse.csr_array((1, len(code)))


def check_spread(drawn, name: str, factor: str, code: np.ndarray, labels) -> Check:
    """Whether residuals scatter alike in all groups of a factor: the group (n,) of each row, and labels."""
    looked_at = f"how much the residual sds of {factor} differ (sd of their logs)"
    sizes = np.bincount(code)
    enough = sizes >= ENOUGH_ROWS
    if enough.sum() < 2:
        return Check(name, looked_at, why_not=f"fewer than two groups have {ENOUGH_ROWS} rows")

    def differ(values):
        squares = sum_by(code, values**2)[:, enough] / sizes[enough]
        return np.log(np.maximum(squares, LEAST)).std(axis=1) / 2

    squares = sum_by(code, drawn.residuals**2).mean(axis=0) / sizes
    widest = str(labels[int(np.where(enough, squares, 0).argmax())])
    return drawn.compare(name, looked_at, differ, names=(widest, factor))


def check_spread_along(drawn) -> Check:
    """Whether residuals scatter more, in their sds, where more is expected."""
    name = "spread along the mean"
    looked_at = "size of residuals (in sds) along what is expected (correlation)"
    if not (drawn.mean.std(axis=1) > 1e-9).all():
        return Check(name, looked_at, why_not="all rows have the same mean")
    return drawn.compare(name, looked_at, lambda values: correlate(np.abs(values), drawn.mean))


def _check_rows(candidate: Candidate) -> Check:
    """Whether more rows than chance lets are surprises, predicted from all others (exact)."""
    try:
        left_out = loo.leave_one_out(candidate.formula, candidate.table, priors=candidate.priors)
    except QuadratureFailed:
        why = "quadrature does not reach its accuracy for all rows"
        return Check("leave-one-out", "", why_not=why)
    tail = 2 * np.minimum(left_out["pit"], 1 - left_out["pit"])
    far = np.flatnonzero(tail < SURPRISE)
    order = far[np.argsort(tail.to_numpy()[far])]
    names = tuple(name_row(candidate.table, row) for row in order)
    number = len(tail)
    low, high = stats.binom.ppf([0.025, 0.975], number, SURPRISE)
    at_least = stats.binom.sf(len(far) - 1, number, SURPRISE)
    looked_at = f"rows that all others make a one-in-{1 / SURPRISE:,.0f} surprise (number)"
    probability = min(1.0, at_least)
    return Check("leave-one-out", looked_at, len(far), low, high, probability, names=names)


def check_priors(candidate: Candidate, posterior: xr.Dataset) -> Check:
    """Whether table and prior of a coefficient, or of an sd, disagree.

    A normal posterior is a normal prior times a normal likelihood; taken apart, the likelihood's middle
    has the variance of both around the prior's (Box 1980). Of several the worst is judged.
    """
    looked_at = "the parameter farthest from its prior, as the table has it (sds)"
    worst, *others = compare_with_priors(candidate, posterior)
    number = 1 + len(others)
    probability = 1 - (1 - worst.probability) ** number
    low, high = (stats.halfnorm.ppf(p ** (1 / number)) for p in (0.025, 0.975))
    return Check("priors", looked_at, worst.far, low, high, probability, names=(worst.name,))


@dataclass(frozen=True)
class Compared:
    """A parameter with its prior and its draws, and how ``far`` the table has it from the prior (sds)."""

    name: str
    prior: tuple[float, float] | float
    draws: xr.DataArray
    far: float

    @property
    def probability(self) -> float:
        """How often the prior would have the table as far away."""
        return float(2 * stats.norm.sf(self.far))


def compare_with_priors(candidate: Candidate, posterior: xr.Dataset) -> list[Compared]:
    """Coefficients and sds beside their priors, the farthest first."""
    found = []
    for name, prior in candidate.priors.items():
        called = original_term(candidate.table, name)
        if isinstance(prior, tuple) and name in posterior:
            for level, draws in split_levels(posterior[name]).items():
                far = _conflict(float(draws.mean()), float(draws.var()), *prior)
                found.append(Compared(f"{called}[{level}]" if level else called, prior, draws, far))
        elif f"{name}_sigma" in posterior or name in posterior:
            draws = posterior[f"{name}_sigma" if "|" in name else name]
            found.append(Compared(called, prior, draws, float(draws.mean()) / prior))
    return sorted(found, key=lambda one: -one.far)


def share_outside(
    question: Question, candidate: Candidate, tree: xr.DataTree, seed: int = SEED
) -> tuple[float, float]:
    """Which shares of the outcomes that the model draws, for the rows of the table, lie below and above
    the plausible range."""
    fit = thin(tree, MOST_CELLS // len(candidate.table)), candidate.formula, candidate.table
    given = {"kind": "outcome", "seed": seed, "family": candidate.family}
    drawn = predictions.predict(*fit, candidate.table, **given)
    low, high = question.plausible.low, question.plausible.high
    return float((drawn < low).mean()), float((drawn > high).mean())


def _conflict(mean: float, variance: float, center: float, sd: float) -> float:
    """Distance of the likelihood's middle from the prior's, in sds that both allow for."""
    precision = 1 / variance - 1 / sd**2
    if precision <= 0:
        return 0.0
    middle = (mean / variance - center / sd**2) / precision
    return abs(middle - center) / np.sqrt(sd**2 + 1 / precision)


def as_table(checks: list[Check]) -> pd.DataFrame:
    """The checks as a page shows them: text, one row a check."""
    rows = {}
    for check in checks:
        numbers = check.observed, check.low, check.high
        observed, low, high = ("" if check.why_not else _write(number) for number in numbers)
        rows[check.name] = {
            "looked at": check.looked_at,
            "observed": observed,
            "expected (95 %)": "" if check.why_not else f"{low} to {high}",
            "verdict": ": ".join(filter(None, (check.verdict, check.why_not))),
        }
    return pd.DataFrame(rows).T.rename_axis("check")


def _write(value: float) -> str:
    text = f"{value:.0f}" if value == round(value) else f"{round(value, 2) + 0.0:.2f}"
    return text.replace("-", "\N{MINUS SIGN}")
