"""Weakly informative priors from what one knows: what an outcome can be, and how far predictors reach.

The plausible range of a single outcome is read as four sds, so that it holds 95 % of a normal
distribution. This variance is shared out among the parts of a model, in the proportions of
``SHARES``, so that outcomes simulated from all priors together have it. Every level of a factor may lie
off the middle by a term's share. So the intercept, the mean at the reference levels, has a share more for
each factor, and a coefficient, the difference of two levels, has two. Who knows more about a part changes
its prior by hand.

With a link the range is of the mean of a single row (of counts or times) or of its chance of a yes; it is
shared out on the scale of the link. A family whose outcomes have no scatter of their own to tell has no
residual's share.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from helpers.families import GAUSSIAN, Family
from helpers.frames import original_column, scale_of
from helpers.priors import Plausible
from helpers.terms import INTERCEPT, RHO, Model, Terms, read_terms

RANGE = 4  # sds
# Relative variances in the outcome: where it lies, and of each term, of the residual, of groups.
SHARES = {"level": 1.0, "term": 1.0, "residual": 0.25, "intercepts": 0.25, "slopes": 0.0625}
OF_SLOPES = np.sqrt(
    SHARES["slopes"] / SHARES["term"]
)  # scale of slopes by group, in sds of their term
ETA = 2.0  # LKJ concentration: correlations near -1 and 1 are rare
MOST_NAMED = 2  # reference levels in a reason
# Scale of the prior of alpha: that alpha with which outcomes scatter as the residual's share says, times
# this. Few outcomes tell a prior of too small a scale; counts are hardly more even than Poisson's.
TIMES = {"gamma": 16.0, "negativebinomial": 4.0}
FAR_FROM_0 = 5  # sds of a predictor
FAR = 3  # sds of the prior predictive
MANY = 0.05  # a share of outcomes beyond them that is too large


@dataclass(frozen=True)
class Elicited:
    """``priors`` by term, as ``models.fit`` takes them; ``reasons`` has a row a parameter: ``prior``
    as text, and ``reason``, a sentence."""

    priors: dict[str, tuple[float, float] | float]
    reasons: pd.DataFrame


def elicit(
    formula: str,
    frame: pd.DataFrame,
    plausible: Plausible,
    *,
    reach: Mapping[str, tuple[float, float]] | None = None,
    correlated: bool = False,
    family: str = GAUSSIAN,
) -> Elicited:
    """Weakly informative priors of all parameters of a formula.

    Parameters
    ----------
    formula, frame
        As in ``models.fit``. Of the outcome nothing is looked at. Priors hold where numeric predictors
        are 0, so standardize them first (``terms.standardize``).
    plausible
        What a single outcome can be: ``low`` to ``high`` hold 95 % of outcomes, in ``unit``.
    reach
        Ends between which a numeric column can lie, in its own unit, also where the formula has its
        standardized form; by default four of its sds in the table.
    correlated
        Whether to add a prior of ``rho``.
    family
        As in ``models.fit``. With another one than "gaussian" ``plausible`` is what the mean of a
        single row can be: above 0, and for bernoulli a chance, such as 0.02 to 0.98. Priors are on
        the scale of the link.

    Raises
    ------
    ValueError
        As ``read_terms``; if ``low`` is not below ``high``, or no mean that the family has, or a reach
        is none; or if 0 is so far from
        a numeric predictor's values that no prior at 0 can be weakly informative.
    """
    terms = read_terms(formula, frame, drop_missing=True, family=family)
    if not plausible.low < plausible.high:
        raise ValueError(
            f"The plausible range runs from {plausible.low:g} to {plausible.high:g}; the first must be "
            "the smaller one."
        )
    ends = _ends_on_link(terms.family, plausible)
    spreads = _spreads(terms, frame, reach or {})
    sd = (ends[1] - ends[0]) / RANGE * _shrink(terms)
    rows = _write_priors(terms, plausible, ends, sd, spreads, reach or {})
    if correlated and len(terms.by_group) == 2:
        rows[RHO] = ETA, f"LKJ({ETA:g})", "any correlation can be, one near -1 or 1 is rare"
    priors = {name: prior for name, (prior, _, _) in rows.items()}
    texts = {name: texts for name, (_, *texts) in rows.items()}
    reasons = pd.DataFrame.from_dict(texts, orient="index", columns=["prior", "reason"])
    return Elicited(priors, reasons.rename_axis("parameter"))


def _ends_on_link(family: Family, plausible: Plausible) -> tuple[float, float]:
    """The plausible range on the scale of the link; a ``ValueError`` says if means cannot be there."""
    low, high = plausible.low, plausible.high
    if family.link == "logit" and not 0 < low < high < 1:
        raise ValueError(
            f"The plausible range of a {family.name} outcome is of a row's chance of a yes, between 0 and "
            f"1, such as 0.02 to 0.98, not {low:g} to {high:g}."
        )
    if family.link == "log" and not low > 0:
        raise ValueError(
            f"The plausible range of a {family.name} outcome is of a row's mean, so it begins above 0, "
            f"such as at {high / 100:g}, not at {low:g}."
        )
    if family.link == "identity":
        return low, high
    return tuple(round(float(family.to_link(end)), 6) for end in (low, high))


def find_mismatch(model: Model) -> str:
    """Say if the outcomes lie far outside of what the priors expect; "" if they do not.

    ``model`` is what ``terms.as_model`` returns. Mean and sd of the prior predictive distribution of
    each row are computed; more than one outcome in twenty beyond three of these sds is too many.
    """
    outcome = model.frame[model.columns.outcome].to_numpy(dtype=float)
    mean, sd = predict_prior(model)
    far = abs(outcome - mean) > FAR * sd
    if far.mean() <= MANY:
        return ""
    low, high = (np.median(mean + end * 2 * sd) for end in (-1, 1))
    return (
        f"{far.sum():,} of {len(outcome):,} values of {model.columns.outcome!r} lie far outside of what the "
        f"priors expect: they run from {outcome.min():.4g} to {outcome.max():.4g}, and 95 % of what the "
        f"priors simulate from about {low:.4g} to {high:.4g}. Are the priors in the outcome's unit?"
    )


def predict_prior(model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd (n,) of each row's outcome under the priors."""
    priors, columns = model.priors, model.columns
    pairs = [priors.intercept] + [priors.slope] * (columns.predictor is not None)
    means, sds = np.transpose(pairs + priors.of_covariates(len(columns.covariates)))
    x = model.frame[list(columns.predictors)].to_numpy(dtype=float)
    x = np.insert(x, 0, 1.0, axis=1)
    # The mean of a squared half-normal number is its squared scale.
    scales = {"pooled": (), "random_intercept": (priors.group_sd,)}
    if model.group_sds is None:
        of_groups = np.array(scales.get(model.name, (priors.group_sd, priors.slope_sd)))
        groups = x[:, : len(of_groups)] ** 2 @ of_groups**2
    else:
        groups = sum(scale**2 for scale in model.group_sds.values())
    return x @ means, np.sqrt(x**2 @ sds**2 + priors.sigma**2 + groups)


def _shrink(terms: Terms) -> float:
    """What each part's sd is multiplied with, so that all variances together have the right sum, in the
    mean over the rows: the reference level of a factor is without its coefficients."""
    slopes = sum(effect != "1" for effect, _ in terms.by_group.values())
    counts = {
        "level": 1,
        "term": len(_list_factors(terms)) + sum(_mean_shares(terms, name) for name in terms.common),
        "residual": len(terms.auxiliary),
        "intercepts": len(terms.by_group) - slopes,
        "slopes": slopes,
    }
    return 1 / np.sqrt(sum(SHARES[part] * count for part, count in counts.items()))


def _count_shares(terms: Terms, name: str) -> int:
    """Two for the difference of two levels of a factor, otherwise one."""
    return 2 if name in _list_factors(terms) and terms.population[name].kind == "categoric" else 1


def _mean_shares(terms: Terms, name: str) -> float:
    """The same in the mean over the rows of the table."""
    count = _count_shares(terms, name)
    return count if count == 1 else count * (terms.columns_of(name, terms.frame) ** 2).sum(1).mean()


def _write_priors(
    terms: Terms,
    plausible: Plausible,
    ends: tuple[float, float],
    sd: float,
    spreads: dict[str, float],
    reach: Mapping,
) -> dict[str, tuple]:
    """Prior, its text and its reason of each parameter; ``ends`` and ``sd`` are on the link's scale."""
    low, high, unit = plausible.low, plausible.high, plausible.unit
    middle = (ends[0] + ends[1]) / 2
    on_scale = "" if terms.family.link == "identity" else f" on the {terms.family.link} scale"
    rows = {}
    if terms.has_intercept:
        wide = sd * np.sqrt(SHARES["level"] + len(_list_factors(terms)) * SHARES["term"])
        range_ = f"the middle of {low:g} to {high:g} {unit}".rstrip()
        reason = range_ + on_scale + _reason_of_place(terms)
        rows[INTERCEPT] = _normal(middle, wide, reason)
    for name in terms.common:
        effect = sd * np.sqrt(SHARES["term"] * _count_shares(terms, name))
        reason = _reason_of_term(terms, name, effect, ends, unit, reach)
        rows[name] = _normal(0.0, effect / spreads[name], reason)
    for name in terms.auxiliary:
        rows[name] = _write_auxiliary(terms.family, sd * np.sqrt(SHARES["residual"]))
    for name, (effect, factor) in terms.by_group.items():
        if effect == "1":
            much = "as much as outcomes within one do"
            much = much if terms.auxiliary else "by less than a predictor explains"
            reason = f"levels of {factor} may differ {much}, or not at all"
            rows[name] = _half_normal(sd * np.sqrt(SHARES["intercepts"]), reason)
        else:
            scale = sd * np.sqrt(SHARES["slopes"]) / spreads[effect]
            reason = f"effects of {effect} differ less among {factor} than their own prior is wide"
            rows[name] = _half_normal(scale, reason)
    return rows


def _write_auxiliary(family: Family, spread: float) -> tuple:
    """Prior, its text and its reason of what tells how outcomes scatter around their mean.

    ``spread`` is the sd of outcomes with the same mean, or on the log scale nearly their sd over it.
    """
    if family.link == "identity":
        reason = (
            "outcomes of one group with the same predictors differ, by less than all outcomes do"
        )
        return _half_normal(spread, reason)
    scale = _round(TIMES[family.name] / spread**2)
    alpha = stats.halfnorm(scale=scale).ppf([0.975, 0.5, 0.025])
    least, typical, most = (f"{_round(100 / np.sqrt(a)):g}" for a in alpha)
    what = (
        "counts scatter beyond chance" if family.is_count else "outcomes with the same mean scatter"
    )
    reason = (
        f"{what} by about {typical} % of the mean, hardly by less than {least} or more than {most}"
    )
    return _half_normal(scale, reason)


def _list_factors(terms: Terms) -> list[str]:
    """Terms that consist of factors, if there is an intercept that is the mean at their first levels."""
    if not terms.has_intercept:
        return []
    kinds = {n: {part.kind for part in terms.population[n].components} for n in terms.common}
    return [name for name, found in kinds.items() if "numeric" not in found]


def _reason_of_place(terms: Terms) -> str:
    """Where the intercept is the mean: at which levels, and at which values of numeric predictors."""
    parts = {part.name: part for name in terms.common for part in terms.population[name].components}
    of_factors = {
        p.name for name in _list_factors(terms) for p in terms.population[name].components
    }
    numbers = [name for name, part in parts.items() if part.kind == "numeric"]
    places = [f"{name} {parts[name].levels[0]}" for name in parts if name in of_factors]
    if len(places) > MOST_NAMED:
        places = [f"the first levels of {len(places)} factors"]
    if numbers:
        at_mean = all(name.startswith("std_") for name in numbers)
        places.append("predictors' means" if at_mean else "predictors of 0")
    if not places:
        return "; where outcomes lie is known best"
    wider = ", wider since levels may differ" if of_factors else ""
    return f", for the mean at {' and '.join(places)}{wider}"


def _write_change(terms: Terms, change: float, unit: str) -> str:
    """A change of the linear predictor, in the outcome's unit or as a ratio."""
    if terms.family.link == "identity":
        return f"{_write_number(change)} {unit}"
    ratio = {"log": "a factor of", "logit": "an odds ratio of"}[terms.family.link]
    return f"{ratio} {_write_number(np.exp(change))}"


def _reason_of_term(
    terms: Terms,
    name: str,
    effect: float,
    ends: tuple[float, float],
    unit: str,
    reach: Mapping,
) -> str:
    term = terms.population[name]
    surprise = _write_change(terms, 2 * effect, unit)
    if term.kind == "interaction":
        return f"either direction; {_reason_of_interaction(terms, term)} by hardly more than {surprise}"
    if term.kind != "numeric":
        return f"either direction; a difference of more than {surprise} would be a surprise"
    change, whole = RANGE * effect, ends[1] - ends[0]
    what = "chance" if terms.family.link == "logit" else "mean"
    start = f"either direction; {_write_way(name, reach)} the {what} changes by"
    if 2 * change < whole:
        return f"{start} hardly more than {_write_change(terms, 2 * change, unit)}"
    chance = 2 * stats.norm.sf(whole / change)
    return f"{start} more than the whole range with a probability of {chance:.2f}"


def _write_way(name: str, reach: Mapping) -> str:
    """How far a numeric term goes: over its reach, or four times what is typical of it."""
    column = name.removeprefix("std_")
    if column in reach:
        return "from {:g} to {:g} of {},".format(*reach[column], column)
    if column != name:
        return f"from {RANGE // 2} sds of {column} below its mean to {RANGE // 2} above,"
    return f"over {RANGE} times a typical value of {column},"


def _reason_of_interaction(terms: Terms, term) -> str:
    """What differs with an interaction's coefficients, per typical distance of its numbers from 0."""
    numbers = [part.name for part in term.components if part.kind == "numeric"]
    factors = [part.name for part in term.components if part.kind != "numeric"]
    if not numbers:
        return f"differences by {factors[0]} differ between levels of {' and '.join(factors[1:])}"
    size = "sd" if all(name.startswith("std_") for name in numbers) else "typical value"
    per = f"per {size} of {' and '.join(name.removeprefix('std_') for name in numbers)}"
    if not factors:
        return f"{per}, the effect of each changes with the other"
    where = f"levels of {' and '.join(factors)}"
    if ":".join(numbers) not in terms.common:
        return f"{per}, the mean changes at {where}"
    return f"{per}, effects differ between {where}"


def _normal(mean: float, sd: float, reason: str) -> tuple:
    mean, sd = _round(mean, 3), _round(sd)
    return (mean, sd), f"Normal({mean:g}, {sd:g})", reason


def _half_normal(scale: float, reason: str) -> tuple:
    scale = _round(scale)
    return scale, f"HalfNormal({scale:g})", reason


def _write_number(value: float) -> str:
    """A rounded number, thousands with a comma."""
    value = _round(value)
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"


def _round(value: float, digits: int = 2) -> float:
    """With so many significant digits: more would claim more than is known."""
    return float(f"{value:.{digits}g}")


def _check_reach(terms: Terms, frame: pd.DataFrame, reach: Mapping) -> None:
    """Raise a ``ValueError`` unless every reach is two ends of a numeric column of the formula."""
    known = {original_column(frame, column): column for column in terms.used}
    for column, ends in reach.items():
        if column not in known:
            raise ValueError(f"There is a reach of {column!r}, but the formula does not use it.")
        if not pd.api.types.is_numeric_dtype(terms.used[known[column]]):
            raise ValueError(f"There is a reach of {column!r}, but it is not numeric.")
        if np.shape(ends) != (2,) or not ends[0] < ends[1]:
            raise ValueError(f"The reach of {column!r} is two numbers, the smaller one first.")


def _spreads(terms: Terms, frame: pd.DataFrame, reach: Mapping) -> dict[str, float]:
    """How far from 0 the columns of each term typically lie, in its own unit; of a factor 1, from one
    level to another."""
    _check_reach(terms, frame, reach)
    own = {effect: terms.effects[name].expr for name, (effect, _) in terms.by_group.items()}
    own = {name: term for name, term in own.items() if name != "1"}
    own |= {name: terms.population[name] for name in terms.common}
    return {
        name: float(np.prod([_spread(part, frame, reach) for part in term.components]))
        for name, term in own.items()
    }


def _spread(part, frame: pd.DataFrame, reach: Mapping) -> float:
    """The root mean square of one variable, or one function, of a term."""
    if part.kind != "numeric":
        return 1.0
    values = np.reshape(part.value, (len(part.value), -1)).astype(float)
    mean, sd = values.mean(axis=0), values.std(axis=0, ddof=1)
    original = original_column(frame, part.name)
    if original in reach:
        low, high = np.array(reach[original], dtype=float)
        if original != part.name:
            low, high = (scale_of(frame, original).standardize(end) for end in (low, high))
        mean, sd = np.array([(low + high) / 2]), np.array([(high - low) / RANGE])
    if (abs(mean) > FAR_FROM_0 * sd).any():
        raise ValueError(
            f"{part.name!r} lies far from 0, where the priors hold; write scale() within the formula, "
            "such as scale(np.log(x)) or I(scale(x)**2), or standardize it (terms.standardize)."
        )
    return float(np.sqrt((mean**2 + sd**2).sum()))
