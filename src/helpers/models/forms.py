"""The form in which a sampler gets along with a model, and the settings that nutpie needs for it."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.exact import sufficient_statistics
from helpers.families import GAUSSIAN
from helpers.rotated import is_statistics, names_in, unpack
from helpers.terms import Model, Terms, find_beyond, priors_by_term, read_terms
from helpers.terms.model import model_of

KNOWN_INTERCEPTS = 5  # variance of the groups' intercepts over that of the error of one of them
KNOWN_SLOPES = 3  # the same of their slopes
FEW_GROUPS = 5  # of fewer, one fit in ten had draws that diverged at 0.99
MANY_GROUPS = 20  # whose slopes are not centred given the intercepts
MOST_OF_LOW_RANK = 50  # groups, of more this adaptation takes minutes


def nuts_settings(
    groups: int, *, funnel: bool, collinear: bool = True, target_accept: float | None = None
) -> dict:
    """What nutpie is told: ``target_accept``, and the ``adaptation``, what it learns while it warms up.

    Parameters
    ----------
    groups
        Of the largest grouping factor, or 0.
    funnel
        Whether the sd of slopes, or of intercepts that are not centred, comes close to 0, where steps
        must be smaller.
    collinear
        Whether parameters are nearly collinear, as coefficients of predictors far from 0 are, and
        Bambi's intercept and deviations: "diag" cannot see it, and "low_rank" takes minutes with many
        groups.
    target_accept
        In place of what suits ``funnel``.
    """
    low_rank = collinear and groups <= MOST_OF_LOW_RANK
    small = 0.998 if 0 < groups < FEW_GROUPS else 0.99  # few groups leave their sd wide open
    target = target_accept or (small if funnel else 0.9)
    return {"target_accept": target, "adaptation": "low_rank" if low_rank else "diag"}


def is_collinear(model: Model) -> bool:
    """Whether coefficients are nearly collinear: with covariates, or a predictor far from 0."""
    columns, frame = model.columns, model.frame
    if columns.covariates or columns.predictor is None:
        return bool(columns.covariates)
    x = frame["predictor_mean" if is_statistics(frame) else columns.predictor]
    return bool(abs(x.mean()) > x.std())


def is_noncentered(
    formula: str, frame: pd.DataFrame, priors: Mapping, family: str = GAUSSIAN
) -> bool:
    """Whether Bambi samples a formula better with ``noncentered=True``: where groups do not know their
    own effects well, because they hardly differ or have few rows. Arguments and errors are those of
    ``build``."""
    terms = read_terms(formula, frame, drop_missing=True, family=family)
    return not knows_effects(terms, priors_by_term(terms, priors))


def knows_effects(terms: Terms, priors: dict) -> bool:
    """Whether groups know their slopes, or else their intercepts, so well that a sampler gets along with
    centred ones; what groups know of theirs is told from residuals, so only of a gaussian family."""
    if terms.family.name != GAUSSIAN:
        return False
    if find_beyond(terms):
        return not terms.own_slopes
    model = model_of(terms, priors)
    if terms.own_slopes:
        return choose_form(model) == "centred"
    return knows_intercepts(model)


def knows_intercepts(model: Model) -> bool:
    """Whether groups know their intercepts so well that a sampler gets along with centred ones: from
    what one least-squares line through all rows leaves of the groups' means."""
    table = model.frame
    if not is_statistics(table):
        table = sufficient_statistics(table, **vars(model.columns))
    n, means, within = unpack(table, names_in(table))
    centred, within = means - n @ means / n.sum(), within.sum(axis=0)
    total = within + (n * centred.T) @ centred
    line = np.append(-np.linalg.lstsq(total[:-1, :-1], total[:-1, -1])[0], 1.0)
    spare = n.sum() - len(n) - len(line) + 1
    variance = line @ within @ line / max(spare, 1)
    if spare < 1 or variance <= 0:
        return spare >= 1
    return _compare_variances(n / variance, centred @ line) > KNOWN_INTERCEPTS


def choose_form(model: Model) -> str:
    """The form in which a sampler gets along with groups that know their slopes as these do: from
    least-squares lines of the groups that share one residual variance."""
    table = model.frame
    if not is_statistics(table):
        table = sufficient_statistics(table, **vars(replace(model.columns, covariates=())))
    otherwise = "slopes first" if len(table) < MANY_GROUPS else "intercepts first"
    spare = (table["n"] - 1 - (table["predictor_ss"] > 0)).sum()
    table = table[table["predictor_ss"] > 0]
    variance = table["residual_ss"].sum() / max(spare, 1)
    if spare < 1 or len(table) < 2 or variance <= 0:
        return otherwise
    weight = (table["predictor_ss"] / variance).to_numpy()
    own = (table["product_ss"] / table["predictor_ss"]).to_numpy()
    known = _compare_variances(weight, own - np.average(own, weights=weight))
    return "centred" if known > KNOWN_SLOPES else otherwise


def _compare_variances(weight: np.ndarray, distance: np.ndarray) -> float:
    """The variance of groups' effects over that of the error of a typical one.

    ``weight`` is by group 1 / variance of the error, ``distance`` an estimate's from the weighted mean.
    The effects' variance is estimated by moments (DerSimonian & Laird 1986).
    """
    excess = weight @ distance**2 - (len(weight) - 1)
    spread = excess / (weight.sum() - weight @ weight / weight.sum())
    return spread * np.median(weight)
