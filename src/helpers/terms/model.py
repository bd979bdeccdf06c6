"""A formula as one of the three models, so that PyMC and the exact back end can fit it too."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from helpers.families import GAUSSIAN, find_family
from helpers.priors import Columns, Priors
from helpers.terms.by_term import priors_by_term, refuse_default
from helpers.terms.design import Terms, read_terms
from helpers.terms.language import INTERCEPT, RHO, SIGMA, is_formula
from helpers.terms.names import name_after_terms

NO_GROUPS = "rows"  # column of a model without groups that stands for them: any division will do


@dataclass(frozen=True)
class Model:
    """One of the three models: what ``models.fit`` and ``exact_posterior`` take; ``terms`` are those
    of the formula, if there is one. Or a model of ``as_two_factors``, whose prior scales of the
    groups' sds are ``group_sds``, by term."""

    name: str
    frame: pd.DataFrame
    columns: Columns
    priors: Priors
    terms: Terms | None = None
    group_sds: Mapping[str, float] | None = None

    def rename(self, tree: xr.DataTree) -> xr.DataTree:
        """Call the parameters of a fit after the terms of the formula, as Bambi does."""
        if self.terms is None:
            return tree
        groups = {path: node.to_dataset() for path, node in tree.children.items()}
        for path in {"posterior", "prior", "exact"} & set(groups):
            groups[path] = name_after_terms(groups[path], self.terms, self.columns)
        return xr.DataTree.from_dict(groups)


def as_model(
    name: str,
    frame: pd.DataFrame,
    priors: Mapping | Priors,
    columns: Mapping,
    *,
    drop_missing: bool = False,
    family: str = GAUSSIAN,
) -> Model:
    """Say which of the three models a formula is; a model's name stays what it is.

    ``columns`` are the keywords that go with a name; beside a formula only ``group`` counts, and only
    where the formula has no groups and the table has this column. Of another family only simulations
    make use, and its auxiliary parameter is the model's ``sigma``. Raises ``ValueError`` as
    ``read_terms`` and ``priors_by_term``, and if the formula is none of the three models.
    """
    if not is_formula(name):
        if not isinstance(priors, Priors):
            raise ValueError(
                f"Priors by term go with a formula; {name!r} takes priors.Priors(...)."
            )
        refuse_family(family)
        return Model(name, frame, Columns(**columns), priors)
    terms = read_terms(name, frame, drop_missing=drop_missing, family=family)
    beyond = find_beyond(terms)
    if beyond:
        crossed = not find_beyond_two(terms)
        raise ValueError(
            f"{'PyMC takes' if crossed else 'PyMC and the exact back end take'} one grouping factor with "
            f"intercepts, or with intercepts and one slope; this formula has {beyond}, so use "
            f"backend='bambi'{' or ' + repr('exact') if crossed else ''}."
        )
    refuse_default(terms, priors)
    return model_of(terms, priors_by_term(terms, priors), columns.get("group"))


def refuse_family(family: str) -> None:
    """Raise a ``ValueError`` if a family needs a formula and Bambi."""
    find_family(family)
    if family != GAUSSIAN:
        raise ValueError(
            f"The family {family!r} takes a formula, such as 'y ~ x + (1 | g)', with priors by term, and "
            "to be fitted backend='bambi'."
        )


def as_two_factors(
    name: str, frame: pd.DataFrame, priors: Mapping | Priors, *, drop_missing: bool = False
) -> Model | None:
    """The model of a formula with two grouping factors, which the exact back end can fit; ``None`` for
    a formula with one or none, and for a model's name.

    Raises ``ValueError`` as ``as_model``, and if there are more than intercepts by two factors.
    """
    if not is_formula(name):
        return None
    terms = read_terms(name, frame, drop_missing=drop_missing)
    if len(terms.factors) < 2:
        return None
    if beyond := find_beyond_two(terms):
        raise ValueError(
            "With more than one grouping factor the exact back end takes two, with intercepts only; this "
            f"formula has {beyond}, so use backend='bambi'."
        )
    refuse_default(terms, priors)
    return _two_factors_of(terms, priors_by_term(terms, priors))


def _two_factors_of(terms: Terms, priors: dict) -> Model:
    """The model of intercepts by two grouping factors; ``priors`` are by term, checked."""
    pairs = tuple(pair for term in terms.common for pair in priors[term])
    own = {"intercept": priors[INTERCEPT], "sigma": priors[SIGMA]}
    own |= {"covariate_slope": pairs} if pairs else {}
    columns = Columns(terms.outcome, None, terms.factors[0], tuple(terms.columns))
    scales = {term: priors[term] for term in terms.by_group}
    return Model("two_factors", terms.with_design, columns, Priors(**own), terms, scales)


def as_exact(terms: Terms, priors: dict) -> Model | None:
    """What the exact back end can fit of what Bambi can: one of the three models, or one of two grouping
    factors; ``None`` for all else. ``priors`` are by term, checked."""
    if terms.family.name != GAUSSIAN:
        return None
    if not find_beyond(terms):
        return model_of(terms, priors)
    return None if find_beyond_two(terms) else _two_factors_of(terms, priors)


def find_beyond_two(terms: Terms) -> str:
    """What a formula has that no model with intercepts by two grouping factors has, if anything."""
    if len(terms.factors) != 2:
        return f"{len(terms.factors)} grouping factors ({', '.join(terms.factors)})"
    if terms.own_slopes:
        return f"slopes by group ({', '.join(terms.own_slopes)})"
    if not terms.has_intercept:
        return "no intercept"
    offset = any(term.kind == "offset" for term in terms.population.values())
    return "an offset" if offset else ""


def model_of(terms: Terms, priors: dict, group: str | None = None) -> Model:
    """The model that terms are, which are not beyond the three; ``priors`` are by term, checked.

    ``group`` is a column of the table for rows of a formula without groups.
    """
    predictor = terms.predictor
    pairs = dict(zip(terms.columns, [p for n in terms.common for p in priors[n]], strict=True))
    own = {"intercept": priors[INTERCEPT], "lkj_eta": priors[RHO]}
    own |= {"sigma": priors[terms.family.auxiliary]} if terms.auxiliary else {}
    own |= {"slope": pairs.pop(predictor)} if predictor else {}
    own |= {"covariate_slope": tuple(pairs.values())} if pairs else {}
    for name, (effect, _) in terms.by_group.items():
        own["group_sd" if effect == "1" else "slope_sd"] = priors[name]
    table = terms.with_design
    if terms.factors:
        group = terms.factors[0]
    elif group not in terms.frame:
        group = NO_GROUPS + "_" * (NO_GROUPS in terms.frame)
        table[group] = np.arange(len(table)) % 2
    kind = ("pooled", "random_intercept", "random_slope")[len(terms.by_group)]
    return Model(
        kind, table, Columns(terms.outcome, predictor, group, tuple(pairs)), Priors(**own), terms
    )


def find_beyond(terms: Terms) -> str:
    """What a formula has that none of the three models has, if anything."""
    if len(terms.factors) > 1:
        return f"{len(terms.factors)} grouping factors ({', '.join(terms.factors)})"
    if any(":" in factor for factor in terms.factors):
        return f"a grouping factor of several columns ({terms.factors[0]})"
    return find_other_effects(terms)


def find_other_effects(terms: Terms) -> str:
    """What effects a formula has besides an intercept and slopes of the population, and intercepts and
    slopes of one column by group, if any."""
    slopes = terms.own_slopes
    if not terms.has_intercept:
        return "no intercept"
    if any(term.kind == "offset" for term in terms.population.values()):
        return "an offset"
    if len(slopes) == len(terms.by_group) > 0:
        return "slopes without intercepts by group"
    if len(slopes) > 1:
        return f"{len(slopes)} slopes by group ({', '.join(slopes)})"
    if slopes and slopes[0] not in terms.common:
        return f"slopes of {slopes[0]!r} by group, but none of the population"
    if slopes and len(terms.common[slopes[0]]) > 1:
        return f"{len(terms.common[slopes[0]])} slopes by group, of the levels of {slopes[0]!r}"
    return ""
