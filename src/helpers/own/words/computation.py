"""Sentences about the question, the sampler, and the fit with a correlation."""

import pandas as pd
import xarray as xr

from helpers.families import GAUSSIAN
from helpers.own.candidates import Candidate
from helpers.own.draws import sign_of
from helpers.own.question import FACTOR, NUMBER, Question
from helpers.own.words import beyond
from helpers.own.words.pieces import (
    code,
    count,
    estimate,
    exact_number,
    interval,
    join,
    name_term,
    unit_of,
)
from helpers.priors import LOWER, UPPER

PASSED = (
    "The fit passed the gate: it agrees with the exact posterior, computed by quadrature, within Monte Carlo "
    "errors."
)
PASSED_ALONE = (
    "The fit passed the gate: R-hat, effective sample sizes, energy, and no divergence. There is no exact "
    "posterior to compare it with."
)


def describe_question(question: Question) -> str:
    """What is asked, in one sentence."""
    outcome = code(question.outcome)
    group = join([code(factor) for factor in [question.group, *question.further]])
    if question.kind == NUMBER:
        asked = f"By how much does {outcome} differ, in {unit_of(question)}, for {question.per:g} more of {code(question.column)}"
    elif question.kind == FACTOR:
        asked = f"By how much does {outcome} differ, in {unit_of(question)}, between levels of {code(question.column)}"
    else:
        return f"Where does {outcome} lie, in {unit_of(question)}, and how far do groups of {group} differ?"
    if question.family != GAUSSIAN:
        return f"{asked}, {beyond.describe_average(question)}?"
    if not question.own_slopes:
        return f"{asked}, in groups of {group} like these?"
    return f"{asked}, in the mean over groups of {group} like these, and by group?"


def describe_convergence(
    question: Question,
    tree: xr.DataTree,
    summary: pd.DataFrame,
    draws: int,
    tune: int,
    chains: int,
    seed: int,
    compared: bool = True,
) -> str:
    """Settings of the sampler, and the worst of what the gate looks at; ``compared`` is whether with an
    exact answer."""
    ess = summary[["ess_bulk", "ess_tail"]].min(axis=1)
    divergent = int(tree["sample_stats"]["diverging"].sum())
    gate = PASSED if compared else PASSED_ALONE
    return (
        f"NUTS of nutpie through Bambi: {chains} chains, {draws:,} draws each after {tune:,} of warm-up, "
        f"seed {seed}. Over {len(summary):,} parameters R-hat is at most {summary['r_hat'].max():.3f} "
        f"({code(summary['r_hat'].idxmax())}), the effective sample size at least {ess.min():,.0f} "
        f"({code(ess.idxmin())}); {count(divergent, 'divergence')}. {gate} All intervals are 95 % and "
        "equal-tailed."
    )


def compare_correlated(
    failures: pd.DataFrame, tree: xr.DataTree, exact: xr.DataTree, candidate: Candidate
) -> str:
    """What PyMC and the exact answer say of the correlation, if PyMC's fit may be read."""
    numbers = exact["exact"]["rho"].to_series()
    said = f"The exact answer for the correlation is {interval(numbers.map(exact_number))}."
    said = f"{said} {warn_of_correlation(candidate, exact)}".rstrip()
    if len(failures):
        kinds = join(list(dict.fromkeys(failures["diagnostic"])))
        return (
            f"The gate refuses PyMC's fit ({kinds}), so it is not read; with this table, try the other form "
            f"of the slopes. {said}"
        )
    own = estimate(tree["posterior"]["rho"])
    return f"PyMC puts the correlation of levels and slopes at {own}. {said}"


def warn_of_correlation(candidate: Candidate, exact: xr.DataTree) -> str:
    """A warning on predictions where the interval of the correlation excludes 0, else ""; ``exact`` is
    the exact fit with a correlation."""
    rho = exact["exact"]["rho"].to_series()
    sign = sign_of(rho[LOWER], rho[UPPER])
    if not sign:
        return ""
    (slope, *_) = [effect for effect, _ in candidate.terms.by_group.values() if effect != "1"]
    column = name_term(candidate.table, slope)
    low, high = ("wide", "narrow") if sign > 0 else ("narrow", "wide")
    at_ends = (
        f": at the low end of {column} too {low}, at its high end too {high}"
        if pd.api.types.is_numeric_dtype(candidate.table.get(slope))
        else ""
    )
    return (
        "**Levels and slopes are correlated**, and the model that answers takes them as independent. "
        f"Its predictions for a group never seen are off{at_ends}."
    )
