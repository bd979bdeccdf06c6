"""Sentences and tables about the candidates and their priors."""

from collections.abc import Mapping

import pandas as pd
import xarray as xr

from helpers.elicitation import Elicited
from helpers.own.candidates import BOTH, Candidate, between_column, rename_term
from helpers.own.checks import compare_with_priors
from helpers.own.question import Question
from helpers.own.words import beyond
from helpers.own.words.pieces import (
    code,
    estimate,
    join,
    name_term,
    plain,
    with_minus,
)

PULLS = 0.1  # how often at most a prior has the table as far away as one that is told


def tabulate_candidates(candidates: Mapping[str, Candidate]) -> pd.DataFrame:
    """Name, formula and idea of each candidate."""
    rows = {n: {"formula": c.formula, "idea": c.reason} for n, c in candidates.items()}
    return pd.DataFrame(rows).T.rename_axis("model")


def describe_missing(missing: list[str]) -> str:
    """Why a candidate is not there."""
    if not missing:
        return "All four are there."
    return (
        "Not among them: "
        + "; ".join(f"*{m.replace(': ', '*, because ', 1)}" for m in missing)
        + "."
    )


def write_model(question: Question, candidate: Candidate) -> str:
    """A model in words."""
    if question.is_sampled:
        return beyond.write_model(question, candidate)
    group, outcome = code(question.group), code(question.outcome)
    common = [name_term(n) for n in candidate.terms.common]
    mean = f"a level and the effects of {join(common)}" if common else "a level"
    slopes = [e for e, _ in candidate.terms.by_group.values() if e != "1"]
    if slopes:
        own = f"a level and an effect of {code(slopes[0].replace('std_', ''))} of its own"
    else:
        own = "a level of its own"
    scaled, split = "", ""
    if any("std_" in name for name in candidate.terms.common):
        scaled = " Numeric predictors were standardized."
    if candidate.name == BOTH:
        split = (
            f" {code(candidate.main)} is the distance of {code(question.column)} from its group's mean, "
            f"{code(between_column(question))} is that mean."
        )
    return (
        f"Each {outcome} is normal around a mean, with one residual sd. The mean has {mean} in the "
        f"population; each group of {group} has {own}, normal around those of the population"
        f"{' and independent of each other' if slopes else ''}.{split}{scaled}"
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
            reason = elicited.reasons.loc[old, "reason"].replace("std_", "")
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
    if worst.name in candidate.formula.replace("std_", ""):
        unit += " per sd of the predictor" * (f"std_{worst.name}" in candidate.formula)
    so = "what the table says of it" if isinstance(worst.prior, tuple) else "so large a value"
    return (
        f"**The prior of {code(worst.name)} pulls most against the table:** the posterior is "
        f"{estimate(worst.draws)}, {unit}, and {_write_prior(worst.prior)} gives {so}, or one farther "
        f"away, a probability of {worst.probability:.2g}. A wider plausible range makes priors wider."
    )
