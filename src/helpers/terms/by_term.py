"""Priors by term of a formula, checked, and the book's kind of priors as such."""

from collections.abc import Mapping

from helpers.priors import Columns, Priors
from helpers.terms.design import Terms
from helpers.terms.language import INTERCEPT, RHO, SIGMA


def refuse_default(terms: Terms, priors: Mapping | Priors) -> None:
    """Raise a ``ValueError`` if the book's default priors would be used for another outcome."""
    if isinstance(priors, Priors) and priors == Priors() and terms.outcome != Columns.outcome:
        raise ValueError(
            f"{terms.formula!r} needs priors in the unit of {terms.outcome!r}: one for each of "
            f"{', '.join(terms.parameters)}; elicitation.elicit makes them of a plausible range."
        )


def priors_by_term(terms: Terms, priors: Mapping | Priors) -> dict:
    """Check that every parameter of a formula has a prior, and no other one.

    ``priors`` are normal ones (mean, sd) of "Intercept" and of the population's terms, half-normal
    ones (scale) of terms by group, such as "1|g", and of "sigma", or of what the family has in its
    place ("alpha", or nothing), and of "rho", if there is one, the LKJ concentration. Or they are the
    book's kind, for one of the three models.

    Returns a dict by name: of the population's terms a list with one pair a column, ``rho`` is
    ``None`` where intercepts and slopes are not correlated. Raises ``ValueError`` for what is missing,
    unknown or no prior.
    """
    if isinstance(priors, Priors):
        return from_book(terms, priors, terms.predictor)
    unknown = [name for name in priors if name not in (*terms.parameters, RHO)]
    if unknown:
        raise ValueError(
            f"There is a prior for {unknown[0]!r}, but {terms.formula!r} has no such parameter; it has "
            f"{', '.join(terms.parameters)}."
        )
    scales = (*terms.auxiliary, *terms.by_group)
    for name in terms.parameters:
        if name not in priors:
            example = 5.0 if name in scales else (0.0, 5.0)
            raise ValueError(
                f"There is no prior for {name!r}; add one to priors, such as "
                f"{ {name: example}!r}, {_scale_of(terms, name)}."
            )
    pairs = [name for name in terms.parameters if name not in scales]
    for name in (*pairs, *scales):
        _check_prior(name, priors[name], "sigma" if name in scales else "slope")
    columns = {name: [priors[name]] * len(labels) for name, labels in terms.common.items()}
    return {RHO: None} | dict(priors) | columns


def _scale_of(terms: Terms, name: str) -> str:
    """What a prior is about."""
    if terms.family.link == "identity":
        return "in the outcome's unit"
    return "without a unit" if name in terms.auxiliary else f"on the {terms.family.link} scale"


def _check_prior(name: str, given, like: str) -> None:
    """Raise a ``ValueError`` that has its name unless a prior is one such as the book's ``like``."""
    try:
        Priors(**{like: given})
    except ValueError as error:
        raise ValueError(str(error).replace(repr(like), repr(name))) from None


def from_book(terms: Terms, priors: Priors, predictor: str | None) -> dict:
    """The book's kind of priors, by term: ``slope`` is that of the model's predictor, if it has one."""
    others = [column for column in terms.columns if column != predictor]
    pairs = dict(zip(others, priors.of_covariates(len(others)), strict=True))
    pairs[predictor] = priors.slope
    given = {INTERCEPT: priors.intercept, SIGMA: priors.sigma}
    given |= {name: [pairs[label] for label in labels] for name, labels in terms.common.items()}
    for name, (effect, _) in terms.by_group.items():
        given[name] = priors.group_sd if effect == "1" else priors.slope_sd
    return given | {RHO: priors.lkj_eta}
