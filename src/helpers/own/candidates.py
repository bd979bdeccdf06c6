"""The models that may answer a question, each with its formula, its priors and the reason for it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from helpers import elicitation, models
from helpers.exact import QuadratureFailed, exact_posterior, loo
from helpers.frames import scale_of, split_within_between
from helpers.own.question import NUMBER, Question
from helpers.priors import SEED
from helpers.terms import INTERCEPT, RHO, Terms, as_model, read_terms

POOLED, INTERCEPTS, SLOPES, BOTH = (
    "pooled",
    "random intercept",
    "random slope",
    "within-between",
)
DRAWS = 4000
ALIKE = 0.05  # sds of the predictor by which means of groups differ at least
LOW_RANK = 50  # groups, of more a mass matrix of low rank takes minutes
CELLS = 8_000_000  # numbers of effects by group that a fit may draw


@dataclass(frozen=True)
class Candidate:
    """A model that may answer: ``formula`` and ``priors`` go with the question's ``table``, or with its
    own one that has further columns; ``main`` is the column that carries the question."""

    name: str
    formula: str
    priors: dict
    table: pd.DataFrame
    main: str | None
    group: str
    reason: str

    @property
    def terms(self) -> Terms:
        return read_terms(self.formula, self.table)


def write_formula(terms: Terms, *, slopes: str = "", groups: bool = True, **renamed: str) -> str:
    """The formula of terms with other effects by group, and with renamed columns.

    ``slopes`` is the term with slopes by group, if any; without ``groups`` there are none at all. A
    renamed column is one that stands by itself in a term.
    """
    parts = ["1"] + [_write(renamed, name) for name in terms.common]
    if groups:
        effect = f"{_write(renamed, slopes)} | " if slopes else "1 | "
        parts.append(f"({effect}{_quote(terms.factors[0])})")
    return f"{_quote(terms.outcome)} ~ {' + '.join(parts)}"


def _write(renamed: Mapping[str, str], term: str) -> str:
    return ":".join(_quote(renamed.get(part, part)) for part in term.split(":"))


def _quote(name: str) -> str:
    call = re.match(r"[\w.]+\(", name)  # and not a column such as "school (years)"
    return name if name.isidentifier() or call else f"`{name}`"


def list_candidates(question: Question, priors: Mapping) -> tuple[dict[str, Candidate], list[str]]:
    """The models that may answer, by name, and why others are not among them.

    ``priors`` are those of the question's formula, by term; models that share a parameter share its
    prior. ``name_of_own`` says which of them the reader's formula is.
    """
    terms, group = question.terms, question.group
    given = {name: priors[name] for name in terms.parameters}
    whole = [INTERCEPT, *terms.common, "sigma"]
    shared = {name: given[name] for name in whole}
    heights = shared | {f"1|{group}": given[f"1|{group}"]}
    both = f"each {group} has a level and an effect of {question.column} of its own"
    found = {
        POOLED: (
            write_formula(terms, groups=False),
            shared,
            "one line for all: groups do not count",
        ),
        INTERCEPTS: (write_formula(terms), heights, f"each {group} has a level of its own"),
    }
    missing = []
    if question.own_slopes:
        found[SLOPES] = (question.formula, given, both)
    elif reason := _why_no_slopes(question):
        missing.append(f"{SLOPES}: {reason}")
    else:
        formula = write_formula(terms, slopes=question.main)
        own_slope = float(given[question.main][1] * elicitation.OF_SLOPES)
        steep = heights | {f"{question.main}|{group}": own_slope}
        found[SLOPES] = (formula, steep, both)
    candidates = {
        name: Candidate(name, formula, dict(own), question.table, question.main, group, reason)
        for name, (formula, own, reason) in found.items()
    }
    reason = _why_not_split(question)
    if reason:
        missing.append(f"{BOTH}: {reason}")
    else:
        candidates[BOTH] = _split(question, given)
    return candidates, missing


def name_of_own(question: Question) -> str:
    """Which candidate the reader's formula is."""
    return SLOPES if question.own_slopes else INTERCEPTS


def _why_no_slopes(question: Question) -> str:
    """Why a formula without slopes by group is not tried with them, if there is a reason."""
    if question.kind != NUMBER:
        return "there is no numeric predictor whose slope could differ by group"
    if question.main not in question.terms.common:
        return f"{question.column} stands in the formula only together with other terms"
    if not question.is_column:
        return f"{question.column} is a function; make it a column of the table to give groups own slopes of it"
    varying = question.table.groupby(question.group, observed=True)[question.main].nunique() > 1
    if varying.sum() < 2:
        return f"{question.column} does not vary within groups, so groups have no slopes of it"
    return ""


def _why_not_split(question: Question) -> str:
    """Why the main term has no slopes within and between groups, if there is a reason."""
    if question.kind != NUMBER:
        return "it takes a numeric predictor"
    if not question.is_column or question.main not in question.terms.common:
        return f"{question.column} is a function, or stands in the formula only with other terms"
    name = question.column
    elsewhere = [
        term
        for term in question.terms.common
        if term != question.main and name in re.findall(r"\w+", term.replace("std_", ""))
    ]
    if elsewhere:
        return f"{name} stands in {elsewhere[0].replace('std_', '')} too, so it has no one slope to split"
    by_group = question.table.groupby(question.group, observed=True)[name]
    if not (by_group.nunique() > 1).any():
        return f"{name} does not vary within groups, so its slope compares groups only"
    means = by_group.mean()
    if not means.std() > 1e-9 * question.table[name].std():
        return (
            f"all groups have the same mean of {name}, so its slope compares rows of one group only"
        )
    if means.std() < ALIKE * question.table[name].std():
        return f"groups hardly differ in their means of {name}, which tells no slope between them"
    if len(means) < 3:
        return f"a slope between groups needs three of them at least, and there are {len(means)}"
    return ""


def _split(question: Question, given: dict) -> Candidate:
    """The question's model with the main predictor's distance from its group's mean, and that mean."""
    terms, main, group, name = question.terms, question.main, question.group, question.column
    table = split_within_between(question.table, name, group)
    within, between = f"{name}_within", f"{name}_{group}_mean"
    own = main if question.own_slopes else ""
    formula = write_formula(terms, slopes=own, **{main: within})
    head, tail = formula.rsplit(" + (", 1)
    formula = f"{head} + {_quote(between)} + ({tail}"
    priors = {_rename(n, main, within): prior for n, prior in given.items()}
    priors[between] = (0.0, given[f"1|{group}"])
    reason = f"rows of one {group} and groups with other means of {name} are compared apart"
    return Candidate(BOTH, formula, priors, table, within, group, reason)


def _rename(term: str, old: str, new: str) -> str:
    effect, bar, group = term.partition("|")
    return ":".join(new if part == old else part for part in effect.split(":")) + bar + group


def between_column(question: Question) -> str:
    """The column of the groups' means in the within-between model."""
    return f"{question.column}_{question.group}_mean"


def fit_exactly(candidate: Candidate, seed: int = SEED, **priors) -> xr.DataTree:
    """The exact posterior of a candidate, with as many draws as memory bears.

    ``priors`` are changes by term.
    """
    groups = candidate.table[candidate.group].nunique() if "|" in candidate.formula else 0
    draws = max(500, min(DRAWS, CELLS // max(2 * groups, 1)))
    given = candidate.priors | priors
    return exact_posterior(candidate.formula, candidate.table, priors=given, draws=draws, seed=seed)


def find_mismatch(candidate: Candidate) -> str:
    """Say if the outcomes lie far outside of what a candidate's priors expect; "" if they do not."""
    return elicitation.find_mismatch(
        as_model(candidate.formula, candidate.table, candidate.priors, {})
    )


# How to sample


def list_forms(candidate: Candidate) -> tuple[bool, bool]:
    """What to give Bambi's ``noncentered``, and what to try where the gate refuses the first."""
    first = models.is_noncentered(candidate.formula, candidate.table, candidate.priors)
    return first, not first


def steps(candidate: Candidate) -> dict:
    """What nutpie is told: small steps, and a mass matrix of low rank where groups are few."""
    many = candidate.table[candidate.group].nunique() > LOW_RANK
    small = 0.95 if many and len(candidate.terms.by_group) < 2 else 0.99
    return {"target_accept": small, "adaptation": "diag" if many else "low_rank"}


# Scores


def score(question: Question, candidates: Mapping[str, Candidate]) -> pd.DataFrame:
    """Exact scores of predictions of rows and of groups left out, and how they differ from the reader's.

    Returns
    -------
    DataFrame by candidate: ``rows`` and ``groups``, the differences of elpd (leave one row, or one
    group out) from the candidate that the reader's formula is, positive where it predicts better;
    ``rows_se`` and ``groups_se``, their standard errors. What quadrature cannot compute is NaN.
    """
    rows, groups = {}, {}
    for name, one in candidates.items():
        given = {"group": question.group} if name == POOLED else {}
        rows[name] = _try_score(loo.leave_one_out, one, **given)
        groups[name] = _try_score(loo.leave_group_out, one, **given)
    rows = {n: found["elpd"] if np.ndim(found) == 2 else found for n, found in rows.items()}
    own = name_of_own(question)
    found = {}
    for kind, of in (("rows", rows), ("groups", groups)):
        apart = pd.DataFrame({name: elpd - of[own] for name, elpd in of.items()})
        found[kind] = apart.sum(skipna=False)
        found[f"{kind}_se"] = np.sqrt(len(apart)) * apart.std()
    return pd.DataFrame(found).loc[list(candidates)]


def _try_score(leave_out: Callable, one: Candidate, **columns):
    """What a function of ``exact.loo`` finds, or NaN by row or group where its quadrature fails."""
    try:
        return leave_out(one.formula, one.table, priors=one.priors, **columns)
    except QuadratureFailed:
        is_row = leave_out is loo.leave_one_out
        return pd.Series(np.nan, one.table.index if is_row else one.table[one.group].unique())


# Which of them answers


def difference_of_slopes(question: Question, both: Candidate, tree: xr.DataTree) -> xr.DataArray:
    """Draws of the slope between groups minus that within, per ``per`` units of the predictor."""
    posterior = tree["posterior"]
    between = between_column(question)
    slopes = {
        column: question.per * scale_of(both.table, column).per_unit(posterior[column])
        for column in (both.main, between)
    }
    return slopes[between] - slopes[both.main]


def choose(question: Question, difference: xr.DataArray | None) -> str:
    """Name of the candidate that answers.

    It is the reader's own one, unless the 95 % interval of the ``difference`` between slopes between and
    within groups excludes 0: then it is the within-between one, whose slope is that within groups.
    """
    if difference is None:
        return name_of_own(question)
    low, high = difference.quantile([0.025, 0.975])
    return BOTH if low > 0 or high < 0 else name_of_own(question)


def with_correlation(candidate: Candidate, eta: float = 2.0) -> Candidate:
    """The same model with correlated intercepts and slopes by group."""
    return replace(candidate, priors=candidate.priors | {RHO: eta})


def with_slopes(question: Question, candidate: Candidate) -> Candidate | None:
    """The same model with slopes by group besides levels; None where there can be none, or are some."""
    if len(candidate.terms.by_group) != 1 or _why_no_slopes(question):
        return None
    main, group = candidate.main, candidate.group
    formula = write_formula(candidate.terms, slopes=main)
    steep = {f"{main}|{group}": candidate.priors[main][1] / 4}  # as elicit gives it
    return replace(candidate, formula=formula, priors=candidate.priors | steep)


def scale_priors(priors: Mapping, factor: float) -> dict:
    """Priors with the sd or scale of each multiplied; that of ``rho`` stays."""
    return {
        name: prior
        if name == RHO
        else (prior[0], factor * prior[1])
        if isinstance(prior, tuple)
        else factor * prior
        for name, prior in priors.items()
    }


def limits_of(draws: xr.DataArray) -> tuple[float, float, float]:
    """Mean and 95 % limits of draws."""
    low, high = draws.quantile([0.025, 0.975]).values
    return float(draws.mean()), float(low), float(high)
