"""Build one of the three models, or any formula of Bambi's, and fit it by any back end."""

import warnings
from collections.abc import Mapping
from dataclasses import replace

import bambi as bmb
import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr

from helpers.elicitation import find_mismatch
from helpers.exact import exact_posterior
from helpers.families import GAUSSIAN
from helpers.models.forms import is_collinear, nuts_settings
from helpers.models.groups import EXTENSIONS, KEPT, extend_fit, keep_parameters
from helpers.models.in_bambi import (
    build_bambi,
    check_formula_names,
    rename_bambi,
    with_own_labels,
    write_formula,
)
from helpers.models.in_pymc import build_pymc
from helpers.priors import (
    MODELS,
    PARAMETERS,
    SEED,
    Columns,
    Priors,
    check_choice,
    check_columns,
    check_slope,
)
from helpers.rotated import columns_of, is_statistics
from helpers.terms import (
    Model,
    Terms,
    as_exact,
    as_model,
    as_two_factors,
    is_formula,
    priors_by_term,
    read_terms,
)
from helpers.terms.by_term import from_book, refuse_default
from helpers.terms.model import refuse_family

BACKENDS = ("pymc", "bambi", "exact")


def build(
    name: str,
    frame: pd.DataFrame,
    *,
    outcome: str = Columns.outcome,
    predictor: str | None = Columns.predictor,
    group: str = Columns.group,
    covariates: tuple[str, ...] = (),
    priors: Priors | Mapping = Priors(),
    backend: str = "pymc",
    drop_missing: bool = False,
    family: str = GAUSSIAN,
) -> pm.Model | bmb.Model:
    """Build a model without sampling.

    Parameters
    ----------
    name
        A formula of Bambi's language, such as "y ~ x + segment + (x | g)", or one of ``MODELS``,
        which stand for those in ``FORMULAS``. PyMC takes formulas with one grouping factor that has
        intercepts, or intercepts and one slope; Bambi takes any.
    frame
        A table with one row an observation; for PyMC and a name also a result of
        ``exact.sufficient_statistics``, which gives the same posterior at a cost that grows with
        the groups and not with the rows.
    priors
        In units of the outcome, per unit of the predictor. With a formula by term, such as
        ``{"Intercept": (0, 5), "x": (0, 2), "sigma": 3, "1|g": 3, "x|g": 1}``: mean and sd of a
        normal prior, scale of a half-normal one; ``"rho"``, if there is one, the LKJ concentration of
        the correlation of intercepts and slopes by group (without, they are independent).
    backend
        "pymc" or "bambi". Bambi has no correlation of intercepts and slopes, so no ``rho``.
    outcome, predictor, group, covariates
        With a name: columns of ``frame``, numeric ones, and the groups' labels; by default the book's.
        Only the predictor can have slopes by group. It may be ``None``; ``covariates`` are further
        columns whose slopes all groups share.
    drop_missing
        With a formula: leave out the rows that miss a value in a column that it uses.
    family
        Of outcomes, one of ``families.FAMILIES``; another than "gaussian" with a formula and "bambi"
        only. Priors are on the scale of its link then, with "alpha" (gamma, negativebinomial) or
        nothing (bernoulli, poisson) in the place of "sigma".

    Returns
    -------
    A ``pymc.Model``, or a built ``bambi.Model``.

    Raises
    ------
    ValueError
        If the model or the back end is unknown, a column is missing or not numeric, the predictor
        is constant, or there is one group only; if slopes by group are asked for without a
        predictor; if a formula cannot be read, or a parameter of it has no prior; if the family is
        unknown or takes another back end, or an outcome is none of its.
    """
    check_choice("back end with a model to build", backend, ("pymc", "bambi"))
    columns = vars(Columns(outcome, predictor, group, covariates))
    given = name, frame, priors, columns, drop_missing
    if backend == "bambi":
        return build_bambi(*_read_terms(*given, family))
    refuse_family(family)
    return build_pymc(_read(*given))


def _read(
    name: str, frame: pd.DataFrame, priors: Priors | Mapping, columns: dict, drop_missing: bool
) -> Model:
    """One of the three models, if it can be fitted to the table; of sums with their columns."""
    model = as_model(name, frame, priors, columns, drop_missing=drop_missing)
    check_choice("model", model.name, MODELS)
    check_slope(model.name, model.columns)
    if is_statistics(frame):
        model = replace(model, columns=columns_of(frame, model.columns))
        check_slope(model.name, model.columns)
    else:
        check_columns(model.frame, model.columns)
    model.priors.of_covariates(len(model.columns.covariates))
    return model


def _read_terms(
    name: str,
    frame: pd.DataFrame,
    priors: Priors | Mapping,
    columns: dict,
    drop_missing: bool,
    family: str,
) -> tuple[Terms, dict]:
    """Terms and priors by term of what Bambi shall fit; a model's name becomes a formula."""
    if is_statistics(frame):
        _refuse_for_statistics("bambi", ())
    if is_formula(name):
        terms = read_terms(name, frame, drop_missing=drop_missing, family=family)
        refuse_default(terms, priors)
        return terms, priors_by_term(terms, priors)
    refuse_family(family)
    model = _read(name, frame, priors, columns, drop_missing)
    check_formula_names(model.columns)
    terms = read_terms(write_formula(name, model.columns), frame)
    return terms, from_book(terms, priors, model.columns.predictor)


def fit(
    name: str,
    frame: pd.DataFrame,
    *,
    outcome: str = Columns.outcome,
    predictor: str | None = Columns.predictor,
    group: str = Columns.group,
    covariates: tuple[str, ...] = (),
    priors: Priors | Mapping = Priors(),
    backend: str = "pymc",
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = SEED,
    target_accept: float | None = None,
    extend: tuple[str, ...] = (),
    drop_missing: bool = False,
    family: str = GAUSSIAN,
) -> xr.DataTree:
    """Fit a model, with nutpie's NUTS or exactly, without judging the fit.

    Parameters
    ----------
    name, frame, outcome, predictor, group, covariates, priors, drop_missing, family
        As in ``build``; sufficient statistics for "pymc" and "exact".
    backend
        "pymc", "bambi", or "exact": no sampler but ``exact_posterior``, in seconds or less. It
        draws independently, ``draws`` times ``chains`` in one chain, and adds the group ``exact``.
        It takes the formulas that PyMC takes, and two grouping factors with intercepts only, such as
        "y ~ x + (1|g) + (1|h)", "y ~ x + (1|g/h)"; the smaller one with up to 500 groups.
    draws, tune, chains, seed
        Kept draws and warm-up draws of each chain, and the number of chains; the seed of the
        sampler and of everything in ``extend``.
    target_accept
        Nearer to 1 for smaller steps, where draws diverged; by default 0.9, but 0.99 with own slopes,
        or where groups hardly know their intercepts, and 0.998 where they are fewer than five.
    extend
        Further groups, each of which costs seconds of compilation: any of ``EXTENSIONS``.
        ``log_prior`` holds the top-level priors only, those that power-scaling may touch.

    Returns
    -------
    DataTree with the groups ``posterior``, ``sample_stats``, ``observed_data`` and those of
    ``extend``. All back ends name the parameters alike.

    With a name: ``intercept`` (in units of the outcome, where the predictors are 0), ``slope`` (per
    unit of the predictor), ``covariate_slope`` along the dimension ``covariate`` (if there are any),
    ``sigma``; with groups ``group_sd`` and the deviations ``group_intercept``, in the random-slope
    model also ``slope_sd``, ``group_slope`` and (PyMC only) ``rho``. Deviations have one dimension,
    named after the group column, whose coordinates are the groups' labels. The outcome has the name
    of its column, or "outcome" where no variable can have it, such as "mg/dL".

    With a formula, after its terms, as Bambi does: ``Intercept``, ``x``, ``sigma``, ``1|g_sigma``,
    ``x|g_sigma``, ``1|g`` and ``x|g`` along the dimension ``g__factor_dim``, and ``rho``; factors
    along the dimension ``segment_dim`` of their levels; of other families ``alpha`` or nothing in the
    place of ``sigma``. What Bambi fitted can be given to
    ``predict`` and ``interpret`` of the ``bambi.Model`` that ``build`` makes of the same formula.

    Raises
    ------
    ValueError
        As ``build``; also for an unknown name in ``extend``.
    QuadratureFailed
        With ``backend="exact"``, as ``exact_posterior``.
    """
    check_choice("back end", backend, BACKENDS)
    for group_name in extend:
        check_choice("group in extend", group_name, EXTENSIONS)
    columns = vars(Columns(outcome, predictor, group, covariates))
    if is_statistics(frame):
        _refuse_for_statistics(backend, extend)
    given = name, frame, priors, columns, drop_missing
    sampler = {"draws": draws, "tune": tune, "chains": chains, "random_seed": seed}
    sampler |= {"progressbar": False, "quiet": True}
    if backend == "bambi":
        terms, by_term = _read_terms(*given, family)
        known = as_exact(terms, by_term)
    else:
        refuse_family(family)
        known = None
        if backend == "exact":
            known = as_two_factors(name, frame, priors, drop_missing=drop_missing)
        known = known or _read(*given)
    _warn_of_priors(name, priors, outcome, known)
    if backend == "exact":
        if extend:
            raise ValueError(f"The exact back end has no group {extend[0]!r}; use pymc or bambi.")
        own = {"priors": priors, "draws": draws * chains, "seed": seed}
        return exact_posterior(name, frame, drop_missing=drop_missing, **own, **columns)
    if backend == "pymc":
        return known.rename(_sample_pymc(known, sampler, target_accept, extend))
    tree = _sample_bambi(terms, by_term, sampler, target_accept, extend)
    if is_formula(name):
        tree = keep_parameters(tree, terms.variables, (*KEPT, "constant_data"))
    else:
        tree = rename_bambi(tree, predictor=predictor, group=group, covariates=covariates)
    return with_own_labels(tree, terms)


def _sample_pymc(
    known: Model, sampler: dict, target_accept: float | None, extend: tuple[str, ...]
) -> xr.DataTree:
    """A fit of one of the three models in PyMC, by the book's names."""
    model = build_pymc(known)
    groups = 0 if known.name == "pooled" else len(model.coords[known.columns.group])
    funnel = known.name == "random_slope" or "z_intercept" in model.named_vars
    # Slopes that few groups hardly know get along with "diag".
    collinear = "z_slope" not in model.named_vars and is_collinear(known)
    nuts = nuts_settings(groups, funnel=funnel, collinear=collinear, target_accept=target_accept)
    tree = pm.sample(model=model, nuts_sampler="nutpie", nuts=nuts, **sampler)
    extend_fit(tree, model, extend, sampler["draws"], sampler["random_seed"])
    return keep_parameters(tree, PARAMETERS)


def _sample_bambi(
    terms: Terms,
    priors: dict,
    sampler: dict,
    target_accept: float | None,
    extend: tuple[str, ...],
) -> xr.DataTree:
    """A fit of a formula in Bambi, with all that it samples: to predict, PyMC needs offsets too."""
    model = build_bambi(terms, priors)
    groups = max([0, *map(terms.count_groups, terms.factors)])
    funnel = bool(terms.own_slopes) or model.noncentered
    nuts = nuts_settings(groups, funnel=funnel, target_accept=target_accept)
    tree = model.fit(inference_method="nutpie", omit_offsets=False, nuts=nuts, **sampler)
    extend_fit(tree, model.backend.model, extend, sampler["draws"], sampler["random_seed"])
    return tree


class PriorWarning(UserWarning):
    """The priors do not suit the outcome."""


def _warn_of_priors(name: str, priors: Priors | Mapping, outcome: str, known: Model | None) -> None:
    """Warn where the book's defaults would be used for another outcome, or priors are far from it."""
    if not is_formula(name) and priors == Priors() and outcome != Columns.outcome:
        warnings.warn(
            f"No priors were given for {outcome!r}, so those of the book are used, which are for "
            "seconds on a page; give priors=priors.Priors(...) in the outcome's unit.",
            PriorWarning,
            stacklevel=3,
        )
    if known is None or is_statistics(known.frame):
        return
    if mismatch := find_mismatch(known):
        warnings.warn(mismatch, PriorWarning, stacklevel=3)


def _refuse_for_statistics(backend: str, extend: tuple[str, ...]) -> None:
    """Raise a ``ValueError`` if something needs the rows themselves."""
    if backend == "bambi":
        raise ValueError(
            "Bambi needs the rows and not their sufficient statistics; use pymc or exact."
        )
    of_rows = [group for group in extend if group not in ("prior", "log_prior")]
    if of_rows:
        raise ValueError(
            f"Sufficient statistics have no group {of_rows[0]!r}: it is about single rows, so give them."
        )


def expected_outcome(tree: xr.DataTree, predictor: np.ndarray) -> xr.DataArray:
    """Posterior draws of the expected outcome along the predictor, for each group if there are any.

    ``tree`` is a result of ``fit``; the predictor's values are in the units in which it was fitted.
    DataArray in units of the outcome, with the dimensions ``chain``, ``draw``, the group's (not in
    the pooled model) and ``predictor``. The residual is not in it: these are lines, not
    observations. Covariates are held at 0; without a predictor the lines are level.
    """
    posterior = tree["posterior"].to_dataset()
    x = xr.DataArray(np.asarray(predictor, dtype=float), dims="predictor")
    x = x.assign_coords(predictor=x.values)
    intercept = posterior["intercept"] + posterior.get("group_intercept", 0)
    slope = posterior.get("slope", 0) + posterior.get("group_slope", 0)
    return (intercept + slope * x).transpose("chain", "draw", ..., "predictor")
