"""What a figure is about: a table, its columns, and a fit, whether given by names or by a formula."""

import pandas as pd
import xarray as xr
from formulae import model_description

from helpers.frames import check_group, check_numeric, group_labels
from helpers.priors import Columns
from helpers.terms import INTERCEPT, Terms, read_terms
from helpers.terms.names import name_as_book


def read_table(
    frame: pd.DataFrame, formula: str | None = None, **columns
) -> tuple[pd.DataFrame, Columns]:
    """The table with its groups as categories, and which columns a figure reads.

    ``columns`` are as in ``models.fit``. A formula names them too: the outcome, the first grouping
    factor and the column that has slopes by group, or else the first numeric one; ``group`` and
    ``predictor`` choose others. The columns of its design matrix are added, rows with missing values
    left out. A ``ValueError`` says if a column cannot be used, or if a formula has no groups and
    ``group`` names none.
    """
    if formula is not None:
        return _read_terms(read_terms(formula, frame, drop_missing=True), columns)
    named = Columns(**columns)
    check_group(frame, named.group)
    for column in (named.outcome, *named.predictors):
        check_numeric(frame, column)
    return _with_labels(frame, named.group), named


def read_fit(
    frame: pd.DataFrame, tree: xr.DataTree, formula: str | None, needed: str, **columns
) -> tuple[pd.DataFrame, Columns, xr.Dataset]:
    """What ``read_table`` says, and the fit's posterior with the book's names.

    A ``ValueError`` says if the posterior has no variable ``needed``, such as "group_slope".
    """
    posterior = tree["posterior"].to_dataset()
    if formula is not None:
        terms = read_terms(formula, frame, drop_missing=True)
        table, named = _read_terms(terms, columns)
        posterior = name_as_book(posterior, named, terms.common)
        if not terms.has_intercept:
            posterior["intercept"] = xr.zeros_like(posterior["sigma"])
    elif INTERCEPT in posterior:
        raise ValueError("This fit was made by a formula; give it, too: formula='...'.")
    else:
        table, named = read_table(frame, **columns)
    if needed not in posterior:
        what = "slopes" if needed == "group_slope" else "intercepts"
        raise ValueError(
            f"This fit has no {what} by {named.group!r}, only "
            f"{', '.join(map(str, tree['posterior'].data_vars))}; fit a model that has them."
        )
    return table, named, posterior


def other_factors(formula: str, group: str) -> set[str]:
    """Columns that a formula uses for other grouping factors than ``group``, and for nothing else."""
    described = model_description(formula)
    columns = {name for term in described.group_terms for name in term.factor.var_names}
    common = {name for term in described.common_terms for name in term.var_names}
    return columns - {*group.split(":")} - common


def _read_terms(terms: Terms, columns: dict) -> tuple[pd.DataFrame, Columns]:
    """Table and columns of a formula, as in ``read_table``."""
    group = columns.get("group") or next(iter(terms.factors), None)
    if group is None:
        raise ValueError(
            f"The formula {terms.formula!r} has no groups; name their column by group=."
        )
    predictor = columns.get("predictor") or _find_predictor(terms, group)
    others = tuple(label for label in terms.columns if label != predictor)
    table, factors = terms.with_design, group.split(":")
    if group not in table and len(factors) > 1:
        table[group] = table[factors].map(str).agg(":".join, axis=1)
    return _with_labels(table, group), Columns(terms.outcome, predictor, group, others)


def need_predictor(columns: Columns) -> None:
    """Raise a ``ValueError`` if there is nothing to draw the outcome against."""
    if columns.predictor is None:
        raise ValueError(
            "A line needs a numeric column to be drawn against: name it by predictor=, or draw "
            "plots.plot_deviations, which needs none."
        )


def _with_labels(frame: pd.DataFrame, group: str) -> pd.DataFrame:
    return frame.assign(**{group: group_labels(frame, group)})


def _find_predictor(terms: Terms, group: str) -> str | None:
    """The column that has slopes by group, or else the first that is a numeric one of the table."""
    own = [effect for effect, of in terms.by_group.values() if of == group and effect != "1"]
    for name in own + list(terms.common):
        if terms.common.get(name) == [name]:
            return name
    return None
