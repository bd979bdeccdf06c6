"""A formula written anew with standardized columns, where the model stays what it is."""

import pandas as pd
from formulae.terms.terms import GroupSpecificTerm, Intercept
from formulae.terms.variable import Variable

from helpers.frames import standardize as standardize_column
from helpers.terms.design import Terms, read_terms
from helpers.terms.language import parts_of, write_term


def standardize(
    formula: str, frame: pd.DataFrame, *, drop_missing: bool = False
) -> tuple[str, pd.DataFrame]:
    """Standardize every numeric column that stands by itself in a term of a formula.

    Factors, the outcome, and columns inside functions, such as ``np.log(x)``, stay. So does a column
    that would make another model, because 0 means something: without an intercept, in an interaction
    without its parts, or with slopes but no intercepts by group.
    Returns the formula, written out, with ``std_x`` for ``x``, and the table of the rows that are used,
    with these columns added (``frames.standardize``) and its factors as categories. Errors are those
    of ``read_terms``.
    """
    terms = read_terms(formula, frame, drop_missing=drop_missing)
    table, renamed = terms.frame, {}
    for column in sorted(_columns_to_standardize(terms)):
        table, renamed[column] = standardize_column(table, column), f"std_{column}"
    written = [] if terms.has_intercept else ["0"]
    written += [write_term(term, renamed) for term in terms.population.values() if parts_of(term)]
    for factor in terms.factors:
        own = _terms_by(terms, factor)
        slopes = [write_term(term.expr, renamed) for term in own if parts_of(term.expr)]
        first = [] if slopes else ["1"]
        first = ["0"] if len(slopes) == len(own) else first
        written.append(f"({' + '.join(first + slopes)} | {write_term(own[0].factor)})")
    outcome = write_term(terms.design.response.term.term)
    return f"{outcome} ~ {' + '.join(written) or '1'}", table


def _terms_by(terms: Terms, factor: str) -> list[GroupSpecificTerm]:
    """The terms by one grouping factor."""
    return [term for name, term in terms.effects.items() if terms.by_group[name][1] == factor]


def _columns_to_standardize(terms: Terms) -> set[str]:
    """Numeric columns that can have another 0 and unit while the model stays what it is."""
    constant = [t for t in terms.population.values() if t.kind == "categoric" and t.spans_intercept]
    sides = [[*terms.population.values(), *([Intercept()] if constant else [])]]
    sides += [[term.expr for term in _terms_by(terms, factor)] for factor in terms.factors]
    numeric, stay = set(), set()
    for side in sides:
        there = [{part.name for part in parts_of(term)} for term in side]
        for term, names in zip(side, there, strict=True):
            own = [p for p in parts_of(term) if isinstance(p, Variable) and p.kind == "numeric"]
            numeric |= {part.name for part in own}
            stay |= {part.name for part in own if names - {part.name} not in there}
    return numeric - stay
