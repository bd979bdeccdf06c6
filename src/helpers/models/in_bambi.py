"""Any formula in Bambi, and what its fits call groups and parameters."""

from itertools import product

import bambi as bmb
import numpy as np
import xarray as xr

from helpers.frames import group_labels
from helpers.models.forms import knows_effects
from helpers.models.groups import PARAMETERS_IN, keep_parameters
from helpers.priors import PARAMETERS, Columns
from helpers.terms import INTERCEPT, Terms, group_dim, quote
from helpers.terms.names import book_names, name_as_book, rename_there


def write_formula(name: str, columns: Columns) -> str:
    """One of the three models as a formula."""
    terms = [*map(quote, columns.predictors)]
    if name != "pooled":
        effect = quote(columns.predictor) if name == "random_slope" else 1
        terms.append(f"({effect} | {quote(columns.group)})")
    return f"{quote(columns.outcome)} ~ {' + '.join(terms) or '1'}"


def build_bambi(terms: Terms, priors: dict) -> bmb.Model:
    """A built model of a formula; ``priors`` are by term, checked. A ``ValueError`` refuses an outcome
    with a "/" in its name."""
    if "/" in terms.outcome:
        raise ValueError(
            f"Bambi cannot name the outcome {terms.outcome!r} because of its '/'; rename the column, or use pymc."
        )
    normal = {name: np.transpose(priors[name]) for name in terms.common}
    normal |= {INTERCEPT: priors[INTERCEPT]} if terms.has_intercept else {}
    model = bmb.Model(
        terms.formula,
        terms.used,
        priors={
            **{name: bmb.Prior("Normal", mu=m, sigma=sd) for name, (m, sd) in normal.items()},
            **{name: bmb.Prior("HalfNormal", sigma=priors[name]) for name in terms.auxiliary},
            **{name: _bambi_effect(priors[name]) for name in terms.by_group},
        },
        family=terms.family.name,
        link=terms.family.link,
        # The prior of the intercept holds where the predictors are 0, as in PyMC.
        center_predictors=False,
        noncentered=not knows_effects(terms, priors),
    )
    model.build()
    return model


def _bambi_effect(scale: float) -> bmb.Prior:
    """Group-level effects around 0, whose sd has a half-normal prior."""
    return bmb.Prior("Normal", mu=0, sigma=bmb.Prior("HalfNormal", sigma=scale))


def check_formula_names(columns: Columns) -> None:
    """Raise a ``ValueError`` if Bambi would take a column for something else, or could not name it."""
    words = ("Intercept", "mu", "True", "False", "None", "__obs__")
    for column in columns.names:
        plain = isinstance(column, str) and column and not set(column) & set("/|`")
        if not plain or column in words or (column.isidentifier() and column.startswith("_")):
            raise ValueError(
                f"Bambi's formula cannot name column {column!r}; rename it to letters without any of "
                f"'/', '|' and '`' and without '_' in front, and to none of {', '.join(words)}."
            )


def rename_bambi(
    tree: xr.DataTree,
    *,
    predictor: str | None = Columns.predictor,
    group: str = Columns.group,
    covariates: tuple[str, ...] = (),
) -> xr.DataTree:
    """Give a fit of Bambi's the names that ``fit`` gives, so that it can meet the exact answer.

    ``tree`` is what ``bambi.Model.fit`` returns for one of the book's three formulas, with these
    columns; it stays as it was. The DataTree returned has the book's names of parameters and
    dimensions.
    """
    columns, groups = Columns(predictor=predictor, group=group, covariates=covariates), {}
    for path, node in tree.children.items():
        if path in PARAMETERS_IN:
            common = {name: [name] for name in columns.predictors}
            groups[path] = name_as_book(node.to_dataset(), columns, common)
        else:
            groups[path] = rename_there(node.to_dataset(), book_names(columns))
    return keep_parameters(xr.DataTree.from_dict(groups), PARAMETERS)


def with_own_labels(tree: xr.DataTree, terms: Terms) -> xr.DataTree:
    """Give groups the labels of the table, which Bambi turns into text."""
    groups = {path: node.to_dataset() for path, node in tree.children.items()}
    for factor in (factor for factor in terms.factors if factor in terms.frame):
        own = {str(label): label for label in group_labels(terms.frame, factor).cat.categories}
        for path, dim in product({*PARAMETERS_IN} & {*groups}, (factor, group_dim(factor))):
            if dim in groups[path].dims:
                found = [own[text] for text in groups[path][dim].values]
                groups[path] = groups[path].assign_coords({dim: found})
    return xr.DataTree.from_dict(groups)
