"""Sentences and tables about the candidates and their priors."""

import re
from collections.abc import Mapping

import pandas as pd

from helpers import tables
from helpers.elicitation import Elicited
from helpers.own.candidates import BOTH, Candidate, between_column, rename_term
from helpers.own.question import Question
from helpers.own.words import beyond
from helpers.own.words.pieces import code, join, name_term, plain


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
        pair = isinstance(prior, tuple)
        text = (
            f"Normal({plain(prior[0])}, {plain(prior[1])})"
            if pair
            else f"HalfNormal({plain(prior)})"
        )
        old = name if between is None else rename_term(name, {candidate.main: question.main})
        if name == between:
            reason = "all that groups differ may go with their means, in either direction"
        elif elicited.priors.get(old) == prior:
            reason = elicited.reasons.loc[old, "reason"].replace("std_", "")
            reason = re.sub(r"(?<![\w-])-(?=\d)", tables.MINUS, reason)
        else:
            reason = "set by hand"
        rows[name] = {"prior": text, "reason": reason}
    return pd.DataFrame(rows).T.rename_axis("parameter")
