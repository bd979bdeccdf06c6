"""Sentences and tables about the candidates and their priors."""

import re
from collections.abc import Mapping

import pandas as pd
import xarray as xr

from helpers.elicitation import Elicited
from helpers.families import GAUSSIAN
from helpers.own.candidates import BOTH, Candidate, between_column, rename_term
from helpers.own.checks import compare_with_priors
from helpers.own.question import BERNOULLI, Question
from helpers.own.words import beyond
from helpers.own.words.pieces import (
    code,
    estimate,
    join,
    name_term,
    plain,
    with_minus,
)

# What is normal around nothing, is gamma around its mean, ..., and with which further parameter.
SCATTERS = {
    GAUSSIAN: "is normal around a mean, with one residual sd",
    "gamma": "is gamma around a mean, with an sd that is the same share of every mean (1 / sqrt of `alpha`)",
    BERNOULLI: "is 1 with a chance of its own, and else 0",
    "poisson": "is Poisson around a mean, so its variance is that mean",
    "negativebinomial": "is negative binomial around a mean, so its variance is mean + mean² / `alpha`",
}
PULLS = 0.1  # how often at most a prior has the table as far away as one that is told


def tabulate_candidates(candidates: Mapping[str, Candidate]) -> pd.DataFrame:
    """Name, formula and idea of each candidate."""
    rows = {n: {"formula": c.formula, "idea": c.reason} for n, c in candidates.items()}
    return pd.DataFrame(rows).T.rename_axis("model")


def describe_missing(missing: list[str]) -> str:
    """Why a candidate is not there."""
    if not missing:
        return "No candidate is missing."
    return (
        "Not among them: "
        + "; ".join(f"*{m.replace(': ', '*, because ', 1)}" for m in missing)
        + "."
    )


def write_model(question: Question, candidate: Candidate) -> str:
    """A model in words."""
    terms, outcome, link = candidate.terms, code(question.outcome), candidate.link
    common = [name_term(candidate.table, n) for n in terms.common]
    what = "chance" if question.family == BERNOULLI else "mean"
    of = {"identity": f"The {what}", beyond.LOG: f"The log of the {what}"}
    of = of.get(link, "The log odds of the chance")
    mean = f"a level and the effects of {join(common)}" if common else "a level"
    have: dict[str, list[str]] = {}
    for factor in terms.factors:
        own = [e for e, f in terms.by_group.values() if f == factor and e != "1"]
        own = [f"an effect of {name_term(candidate.table, effect)}" for effect in own]
        what = join(["a level", *own])
        have.setdefault(what, []).append(f"each group of {code(factor)}")
    groups = "; ".join(f"{join(those)} has {what} of its own" for what, those in have.items())
    split = (
        ""
        if candidate.name != BOTH
        else (
            f" {code(candidate.main)} is the distance of {code(question.column)} from its group's mean, "
            f"{code(between_column(question))} is that mean."
        )
    )
    scaled = " Numeric predictors were standardized." if "std_" in candidate.formula else ""
    return (
        f"Each {outcome} {SCATTERS[question.family]}. {of} has {mean} in the population. Besides, {groups}: "
        f"all are normal around those of the population, and independent of each other.{split}{scaled}"
    )


def tabulate_priors(question: Question, candidate: Candidate, elicited: Elicited) -> pd.DataFrame:
    """Each prior of a candidate with its reason; whoever set one by hand has the reason."""
    rows = {}
    between = between_column(question) if candidate.name == BOTH else None
    for name, prior in candidate.priors.items():
        old = name if between is None else rename_term(name, {candidate.main: question.main})
        if name == between:
            reason = "all that groups differ may go with their means, in either direction"
        elif elicited.priors.get(old) == prior:
            reason = elicited.reasons.loc[old, "reason"]
            for column in question.table.attrs.get("scales", {}):
                reason = re.sub(rf"\bstd_(?={re.escape(column)})", "", reason)
            reason = with_minus(reason)
        else:
            reason = "set by hand"
        rows[name] = {"prior": _write_prior(prior), "reason": reason}
    return pd.DataFrame(rows).T.rename_axis("parameter")


def _write_prior(prior: tuple[float, float] | float) -> str:
    if isinstance(prior, tuple):
        return f"Normal({plain(prior[0])}, {plain(prior[1])})"
    return f"HalfNormal({plain(prior)})"


def describe_pull(question: Question, candidate: Candidate, tree: xr.DataTree) -> str:
    """Which prior pulls most against the table, where it expects the parameter, and where the posterior
    is; "" if none pulls much."""
    worst, *_ = compare_with_priors(candidate, tree["posterior"].to_dataset())
    if worst.probability > PULLS:
        return ""
    unit = beyond.describe_unit_of_priors(question)
    unit += " per sd of the predictor" * (f"std_{worst.name}" in candidate.formula)
    so = "what the table says of it" if isinstance(worst.prior, tuple) else "so large a value"
    return (
        f"**The prior of {code(worst.name)} pulls most against the table:** the posterior is "
        f"{estimate(worst.draws)}, {unit}, and {_write_prior(worst.prior)} gives {so}, or one farther "
        f"away, a probability of {worst.probability:.2g}. A wider plausible range makes priors wider."
    )
