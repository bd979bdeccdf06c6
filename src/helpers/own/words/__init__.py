"""Sentences of the report, each from computed values; a module for each of its subjects."""

from helpers.own.words.answer import describe_answer, describe_scope
from helpers.own.words.beyond import describe_beyond, describe_range, describe_unit_of_priors
from helpers.own.words.checks import advise, describe_checks, describe_ends
from helpers.own.words.choice import describe_choice, tabulate_scores
from helpers.own.words.computation import (
    compare_correlated,
    describe_convergence,
    describe_question,
    warn_of_correlation,
)
from helpers.own.words.decision import describe_decision, describe_turned
from helpers.own.words.limits import describe_limits
from helpers.own.words.models import (
    describe_missing,
    describe_pull,
    tabulate_candidates,
    tabulate_priors,
    write_model,
)
from helpers.own.words.outcomes import (
    describe_held,
    describe_spread,
    tabulate_coefficients,
    tabulate_groups,
    tabulate_outcomes,
)
from helpers.own.words.pieces import as_markdown, code, safe, with_minus
from helpers.own.words.sensitivity import describe_sensitivity, tabulate_changes, warn_of_prior
from helpers.own.words.table import describe_slopes, describe_table

__all__ = [
    "advise",
    "as_markdown",
    "code",
    "compare_correlated",
    "describe_answer",
    "describe_beyond",
    "describe_checks",
    "describe_choice",
    "describe_convergence",
    "describe_decision",
    "describe_ends",
    "describe_held",
    "describe_limits",
    "describe_missing",
    "describe_pull",
    "describe_question",
    "describe_range",
    "describe_scope",
    "describe_sensitivity",
    "describe_slopes",
    "describe_spread",
    "describe_table",
    "describe_turned",
    "describe_unit_of_priors",
    "safe",
    "tabulate_candidates",
    "tabulate_changes",
    "tabulate_coefficients",
    "tabulate_groups",
    "tabulate_outcomes",
    "tabulate_priors",
    "tabulate_scores",
    "warn_of_correlation",
    "warn_of_prior",
    "with_minus",
    "write_model",
]
