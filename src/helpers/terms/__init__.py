"""What a formula says: outcome, terms and groups, read by formulae, as Bambi reads it.

A formula with one grouping factor, which has intercepts by group, or intercepts and one slope, is
one of the three models, so that PyMC and the exact back end can fit it too; ``as_model`` says which.
The exact back end takes two factors with intercepts besides (``as_two_factors``).
Parameters of such a fit are called as Bambi calls them, after the terms.

``language`` reads and writes the text of a formula, ``design`` makes its columns of a table, ``names``
knows what a fit calls its parameters, ``by_term`` checks priors, ``model`` says which of the three
models it is, and ``standardizing`` writes it anew.
"""

from helpers.terms.by_term import priors_by_term
from helpers.terms.design import Terms, read_level, read_terms
from helpers.terms.language import INTERCEPT, RHO, is_formula, quote
from helpers.terms.model import (
    Model,
    as_exact,
    as_model,
    as_two_factors,
    find_beyond,
    find_beyond_two,
    find_other_effects,
)
from helpers.terms.names import group_dim
from helpers.terms.standardizing import standardize

__all__ = [
    "INTERCEPT",
    "RHO",
    "Model",
    "Terms",
    "as_exact",
    "as_model",
    "as_two_factors",
    "find_beyond",
    "find_beyond_two",
    "find_other_effects",
    "group_dim",
    "is_formula",
    "priors_by_term",
    "quote",
    "read_level",
    "read_terms",
    "standardize",
]
