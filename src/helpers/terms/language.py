"""The text of a formula: read by formulae, as Bambi reads it, checked, and written again."""

from collections.abc import Mapping
from keyword import iskeyword

import pandas as pd
from formulae import model_description
from formulae.parser import Parser
from formulae.scanner import Scanner
from formulae.terms.terms import Intercept, Term
from formulae.terms.terms import Model as Description
from formulae.terms.variable import Variable

from helpers.frames import check_numeric

INTERCEPT, SIGMA, RHO = "Intercept", "sigma", "rho"
# What a fit, or Bambi's model, has besides, after which no term can be called.
TAKEN = (INTERCEPT, SIGMA, RHO, "mu", "chain", "draw", "0", "1", "")


def is_formula(name: str) -> bool:
    """Whether a model is given by a formula, and not by one of the book's three names."""
    return isinstance(name, str) and "~" in name


def describe(formula: str) -> Description:
    """What formulae reads of a formula; a ``ValueError`` says what it cannot read, and what to write."""
    try:
        parser = Parser(Scanner(formula).scan())
        parser.parse()
        described = model_description(formula)
    except Exception as error:  # its scanner and its parser raise errors of many kinds
        hint = _advise(formula, error)
        raise ValueError(f"The formula {formula!r} cannot be read: {hint}.") from None
    if not parser.at_end():
        raise ValueError(
            f"The formula {formula!r} cannot be read from {parser.peek().lexeme!r} on: effects by group "
            "stand in parentheses, such as (1 | g), and calculations in I(...)."
        )
    if described.response is None:
        raise ValueError(f"The formula {formula!r} has no outcome: write it to the left of '~'.")
    return described


def _advise(formula: str, error: Exception) -> str:
    """What to write in place of what formulae cannot read."""
    left, _, right = (part.strip() for part in formula.partition("~"))
    if not left:
        return "it has no outcome, which stands to the left of '~'"
    if not right:
        return "nothing stands to the right of '~'; write 1 for an intercept only"
    if right == ".":
        return "name the columns in place of '.'"
    if "||" in right:
        return "write (x | g) for (x || g); intercepts and slopes are independent unless 'rho' has a prior"
    if "response" in str(error):
        return "one outcome stands to the left of '~'; a sum of two stands in I(y + z)"
    said = str(error).rstrip(".")
    return f"{said}; calculations stand in I(...), and names that are no plain words in backticks"


def list_columns(described: Description) -> list[str]:
    """The columns that a formula uses."""
    names = described.var_names  # a number within a function has the name ""
    return sorted(name for name in names if isinstance(name, str) and name)


def parts_of(term: Term | Intercept) -> list:
    """Variables and calls of a term; of an intercept none."""
    return getattr(term, "components", [])


def grouping_columns(described: Description) -> set[str]:
    """The columns that a formula's grouping factors consist of."""
    return {column for term in described.group_terms for column in term.factor.var_names}


def check_described(described: Description, frame: pd.DataFrame) -> None:
    """Raise a ``ValueError`` if a formula says what cannot be, whatever the values are."""
    if not described.terms:
        raise ValueError("The formula has no terms: write 1 for an intercept, or name predictors.")
    _check_outcome(described, frame)
    own = [getattr(term, "expr", term) for term in described.terms]
    for part in [part for term in own for part in parts_of(term)]:
        if not isinstance(part.name, str):
            raise ValueError(f"{part.name} is no term: multiply within I(...), such as I(3 * x).")
    for name in (described.response.term.name, *(t.name for t in own if parts_of(t))):
        if name in TAKEN:
            raise ValueError(f"Column {name!r} has the name of a parameter; rename the column.")
    groups = grouping_columns(described)
    for column in list_columns(described):
        if set(column) & set(":|`" if column in groups else "|`"):
            raise ValueError(f"Rename column {column!r}: ':', '|' and '`' are signs of a formula.")
    for term in described.group_terms:
        if not all(isinstance(part, Variable) for part in term.factor.components):
            raise ValueError(
                f"The grouping factor {term.factor.name!r} is no column; make a column of it first."
            )


def _check_outcome(described: Description, frame: pd.DataFrame) -> None:
    """Raise a ``ValueError`` unless the outcome is a column of numbers, or made of some."""
    outcome = described.response.term
    both = outcome.var_names & set().union(*(term.var_names for term in described.terms))
    if both:
        raise ValueError(f"The outcome {both.pop()!r} cannot be a predictor of itself.")
    if isinstance(outcome.components[0], Variable):
        column = outcome.components[0].name
        if is_boolean(frame[column]):
            raise ValueError(
                f"The outcome {column!r} has truth values; these models take numbers, such as "
                f"frame[{column!r}].astype(int)."
            )
        check_numeric(frame, column)


def is_boolean(values: pd.Series) -> bool:
    """Whether a column has truth values, with or without gaps."""
    return pd.api.types.infer_dtype(values, skipna=True) == "boolean"


def quote(column: str) -> str:
    """A column as a formula writes it: in backticks unless it is a plain word."""
    plain = column.isidentifier() and not iskeyword(column) and not column.startswith("_")
    return column if plain else f"`{column}`"


def write_term(term: Term, renamed: Mapping[str, str] | None = None) -> str:
    """A term as a formula writes it; columns that stand by themselves may have other names."""
    return ":".join(_write_part(part, renamed or {}) for part in term.components)


def _write_part(part, renamed: Mapping[str, str]) -> str:
    if isinstance(part, Variable):
        return quote(renamed.get(part.name, part.name))
    text = part.name
    for column in filter(None, part.var_names):
        text = text if quote(column) == column else text.replace(column, quote(column))
    return text
