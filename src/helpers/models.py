"""The three candidate models, and any formula of Bambi's, in PyMC and in Bambi, with the same priors."""

import warnings
from collections.abc import Mapping
from itertools import product
from typing import NamedTuple

import bambi as bmb
import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr

from helpers.elicitation import find_mismatch
from helpers.exact import exact_posterior, sufficient_statistics
from helpers.frames import group_labels
from helpers.priors import (
    FORMULAS,
    MODELS,
    PARAMETERS,
    SEED,
    Columns,
    Priors,
    check_choice,
    check_columns,
    check_slope,
)
from helpers.rotated import columns_of, is_statistics, names_in, rotate, unpack
from helpers.terms import (
    FACTOR,
    INTERCEPT,
    SIGMA,
    Terms,
    as_model,
    find_beyond,
    from_book,
    is_formula,
    model_of,
    priors_by_term,
    read_terms,
    refuse_default,
)

__all__ = [
    "BACKENDS",
    "EXTENSIONS",
    "FORMULAS",
    "MODELS",
    "PARAMETERS",
    "Priors",
    "build",
    "expected_outcome",
    "fit",
    "rename_bambi",
]

BACKENDS = ("pymc", "bambi", "exact")
EXTENSIONS = ("prior", "prior_predictive", "posterior_predictive", "log_likelihood", "log_prior")
OUTCOME_DATA = "observed_outcome"
STRONG = 3  # variance of the groups' slopes over that of the error of one of them
KNOWN = 5  # the same of their intercepts
MANY = 20  # groups
LOW_RANK = 50  # groups, of more this adaptation takes minutes


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

    Returns
    -------
    A ``pymc.Model``, or a built ``bambi.Model``.

    Raises
    ------
    ValueError
        If the model or the back end is unknown, a column is missing or not numeric, the predictor
        is constant, or there is one group only; if slopes by group are asked for without a
        predictor; if a formula cannot be read, or a parameter of it has no prior.
    """
    check_choice("back end with a model to build", backend, ("pymc", "bambi"))
    columns = vars(Columns(outcome, predictor, group, covariates))
    if backend == "bambi":
        return _build_bambi(*_read(name, frame, columns, priors, drop_missing))
    model = as_model(name, frame, priors, columns, drop_missing=drop_missing)
    return _build_pymc(*_check(model.name, model.frame, model.columns, model.priors))


def _check(name: str, frame: pd.DataFrame, columns: Columns, priors: Priors) -> tuple:
    """The arguments, if one of the three models can be fitted to them; of sums with their columns."""
    check_choice("model", name, MODELS)
    check_slope(name, columns)
    if is_statistics(frame):
        columns = columns_of(frame, columns)
        check_slope(name, columns)
    else:
        check_columns(frame, columns)
    priors.of_covariates(len(columns.covariates))
    return name, frame, columns, priors


def _read(
    name: str, frame: pd.DataFrame, columns: dict, priors: Priors | Mapping, drop_missing: bool
) -> tuple[Terms, dict]:
    """Terms and priors by term of what Bambi shall fit; a model's name becomes a formula."""
    if is_statistics(frame):
        _refuse_for_statistics("bambi", ())
    if is_formula(name):
        terms = read_terms(name, frame, drop_missing=drop_missing)
        refuse_default(terms, priors)
        return terms, priors_by_term(terms, priors)
    named = as_model(name, frame, priors, columns).columns
    _check(name, frame, named, priors)
    _check_formula_names(named)
    terms = read_terms(_write_formula(name, named), frame)
    return terms, from_book(terms, priors, named.predictor)


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
) -> xr.DataTree:
    """Fit a model, with nutpie's NUTS or exactly, without judging the fit.

    Parameters
    ----------
    name, frame, outcome, predictor, group, covariates, priors, drop_missing
        As in ``build``; sufficient statistics for "pymc" and "exact".
    backend
        "pymc", "bambi", or "exact": no sampler but ``exact_posterior``, in seconds or less. It
        draws independently, ``draws`` times ``chains`` in one chain, and adds the group ``exact``.
        It takes the formulas that PyMC takes.
    draws, tune, chains, seed
        Kept draws and warm-up draws of each chain, and the number of chains; the seed of the
        sampler and of everything in ``extend``.
    target_accept
        Nearer to 1 for smaller steps, where draws diverged; by default 0.9, but 0.99 with own slopes,
        or where groups hardly know their intercepts.
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
    along the dimension ``segment_dim`` of their levels. What Bambi fitted can be given to
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
    _warn_of_priors(name, frame, priors, columns, drop_missing)
    if backend == "exact":
        if extend:
            raise ValueError(f"The exact back end has no group {extend[0]!r}; use pymc or bambi.")
        given = {"priors": priors, "draws": draws * chains, "seed": seed}
        return exact_posterior(name, frame, drop_missing=drop_missing, **given, **columns)
    sampler = {"draws": draws, "tune": tune, "chains": chains, "random_seed": seed}
    sampler |= {"progressbar": False, "quiet": True}
    if backend == "pymc":
        known = as_model(name, frame, priors, columns, drop_missing=drop_missing)
        model = _build_pymc(*_check(known.name, known.frame, known.columns, known.priors))
        groups = 0 if known.name == "pooled" else len(model.coords[known.columns.group])
        funnel = known.name == "random_slope" or "z_intercept" in model.named_vars
        given = {"target_accept": target_accept or _step_target(funnel), **sampler}
        weak = "z_slope" in model.named_vars  # slopes that few groups hardly know
        plain = weak or not _is_collinear(known.frame, known.columns)
        nuts = {"adaptation": "diag" if plain else _adaptation(groups)}
        tree = pm.sample(model=model, nuts_sampler="nutpie", nuts=nuts, **given)
        _extend(tree, model, extend, draws, seed)
        return known.rename(_with_book_names(tree, {}))
    terms, by_term = _read(name, frame, columns, priors, drop_missing)
    model = _build_bambi(terms, by_term)
    # PyMC needs all free parameters, offsets too, to predict.
    groups = max([0, *map(terms.count_groups, terms.factors)])
    nuts = {"adaptation": _adaptation(groups)}
    nuts["target_accept"] = target_accept or _step_target(_has_slopes(terms) or model.noncentered)
    tree = model.fit(inference_method="nutpie", omit_offsets=False, nuts=nuts, **sampler)
    _extend(tree, model.backend.model, extend, draws, seed)
    if is_formula(name):
        tree = _without_offsets(tree, terms)
    else:
        tree = _with_book_names(tree, _bambi_names(Columns(**columns)), covariates)
    return _with_own_labels(tree, terms)


class PriorWarning(UserWarning):
    """The priors do not suit the outcome."""


def _warn_of_priors(
    name: str, frame: pd.DataFrame, priors: Priors | Mapping, columns: dict, drop_missing: bool
) -> None:
    """Warn where the book's defaults would be used for another outcome, or priors are far from it."""
    if not is_formula(name) and priors == Priors() and columns["outcome"] != Columns.outcome:
        warnings.warn(
            f"No priors were given for {columns['outcome']!r}, so those of the book are used, which are for "
            "seconds on a page; give priors=priors.Priors(...) in the outcome's unit.",
            PriorWarning,
            stacklevel=3,
        )
    beyond = is_formula(name) and find_beyond(read_terms(name, frame, drop_missing=drop_missing))
    if is_statistics(frame) or beyond:
        return
    model = as_model(name, frame, priors, columns, drop_missing=drop_missing)
    _check(model.name, model.frame, model.columns, model.priors)
    if mismatch := find_mismatch(model):
        warnings.warn(mismatch, PriorWarning, stacklevel=3)


def _step_target(funnel: bool) -> float:
    """Smaller steps where the sd of slopes, or of intercepts, comes close to 0."""
    return 0.99 if funnel else 0.9


def _is_collinear(frame: pd.DataFrame, columns: Columns) -> bool:
    """Whether coefficients are nearly collinear: with covariates, or a predictor far from 0."""
    if columns.covariates or columns.predictor is None:
        return bool(columns.covariates)
    x = frame["predictor_mean" if is_statistics(frame) else columns.predictor]
    return bool(abs(x.mean()) > x.std())


def _adaptation(groups: int) -> str:
    """What nutpie learns of the posterior while it warms up. Coefficients of predictors far from 0 are
    nearly collinear, and so are Bambi's intercept and deviations, which "diag" cannot see."""
    return "diag" if groups > LOW_RANK else "low_rank"


def _has_slopes(terms: Terms) -> bool:
    return any(effect != "1" for effect, _ in terms.by_group.values())


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
    columns = Columns(predictor=predictor, group=group, covariates=covariates)
    return _with_book_names(tree, _bambi_names(columns), columns.covariates)


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


def _build_pymc(name: str, frame: pd.DataFrame, columns: Columns, priors: Priors) -> pm.Model:
    """Each model adds to the one before. Intercepts are centred where groups know theirs, for which a
    few rows are often enough (``_knows_intercepts``); of a slope they know little or much
    (``_add_slopes``). For the same reason groups' means of covariates stand in what is expected of a
    group, and not in its rows.
    """
    rows = _read_rows(frame, columns)
    ones, x, group = rows.ones, rows.x, rows.group
    with pm.Model(coords=rows.coords) as model:
        intercept = pm.Normal("intercept", *priors.intercept)
        slope = 0.0 if columns.predictor is None else pm.Normal("slope", *priors.slope)
        shared, expected = 0.0, intercept
        if columns.covariates:
            mean, sd = np.transpose(priors.of_covariates(len(columns.covariates)))
            slopes = pm.Normal("covariate_slope", mean, sd, dims="covariate")
            z, means = rows.z, _group_means(rows)
            if name != "pooled":
                z = z - np.atleast_1d(ones)[:, None] * means[group]
                expected = intercept + sum(m * slopes[k] for k, m in enumerate(means.T))
            shared = sum(column * slopes[k] for k, column in enumerate(z.T))
        sigma = pm.HalfNormal("sigma", priors.sigma)
        level, tilt = intercept, slope
        if name != "pooled":
            group_sd = pm.HalfNormal("group_sd", priors.group_sd)
        if name == "random_intercept":
            add = _add_intercepts if _knows_intercepts(frame, columns) else _add_offsets
            level = add(expected, expected, group_sd, columns.group)[group]
        if name == "random_slope":
            slope_sd = pm.HalfNormal("slope_sd", priors.slope_sd)
            rho = _correlation(priors.lkj_eta)
            lines = {"intercept": expected, "slope": slope, "group_sd": group_sd}
            lines |= {"slope_sd": slope_sd, "rho": rho, "dims": columns.group}
            level, own_slope = _add_slopes(_choose_form(frame, columns), **lines)
            level, tilt = level[group], own_slope[group]
        # Data, so that nutpie can exchange the outcome without compiling the model again.
        observed = pm.Data(OUTCOME_DATA, rows.y, dims=rows.dim)
        mean = level * ones + tilt * x + shared
        pm.Normal(columns.outcome_variable, mean, sigma, observed=observed, dims=rows.dim)
        if rows.spare:
            left = {"alpha": rows.spare / 2, "beta": 1 / (2 * sigma**2)}
            pm.Gamma("residual_ss", **left, observed=rows.residual_ss)
    return model


def _group_means(rows: "_Rows") -> np.ndarray:
    """Means (J, K) of the covariates by group; of rotated rows too, where ``ones`` is a column."""
    ones = np.broadcast_to(rows.ones, len(rows.z)).astype(float)
    squares = np.bincount(rows.group, ones**2)
    return np.transpose([np.bincount(rows.group, ones * z) / squares for z in rows.z.T])


def _add_intercepts(intercept, center, spread, dims: str):
    """Intercepts of the groups, centred, and their deviations from what is expected of them."""
    own_intercept = pm.Normal("own_intercept", center, spread, dims=dims)
    pm.Deterministic("group_intercept", own_intercept - intercept, dims=dims)
    return own_intercept


def _add_offsets(intercept, center, spread, dims: str):
    """The same, not centred: groups that hardly know their intercepts leave no funnel."""
    z = pm.Normal("z_intercept", 0, 1, dims=dims)
    own_intercept = center + spread * z
    pm.Deterministic("group_intercept", own_intercept - intercept, dims=dims)
    return own_intercept


def _knows_intercepts(frame: pd.DataFrame, columns: Columns) -> bool:
    """Whether groups know their intercepts so well that a sampler gets along with centred ones.

    The variance of the intercepts is estimated by moments (DerSimonian & Laird 1986), from what one
    least-squares line through all rows leaves of the groups' means.
    """
    table = frame if is_statistics(frame) else sufficient_statistics(frame, **vars(columns))
    n, means, within = unpack(table, names_in(table))
    centred, within = means - n @ means / n.sum(), within.sum(axis=0)
    total = within + (n * centred.T) @ centred
    line = np.append(-np.linalg.lstsq(total[:-1, :-1], total[:-1, -1])[0], 1.0)
    spare = n.sum() - len(n) - len(line) + 1
    variance = line @ within @ line / max(spare, 1)
    if spare < 1 or variance <= 0:
        return spare >= 1
    weight = n / variance
    excess = weight @ (centred @ line) ** 2 - (len(n) - 1)
    spread = excess / (weight.sum() - weight @ weight / weight.sum())
    return spread * np.median(weight) > KNOWN


def _add_slopes(form: str, *, intercept, slope, group_sd, slope_sd, rho, dims: str):
    """Intercepts and slopes of the groups, correlated: three forms of one distribution.

    "slopes first": slopes not centred, intercepts given them, which suits few groups with weak
    slopes. "intercepts first": slopes not centred, given the intercepts, so that with many groups
    none is squeezed where rho comes near 1 or -1. "centred": both, where each group knows its slope.
    """
    rest = pm.math.sqrt(1 - rho**2)
    if form == "intercepts first":
        own_intercept = _add_intercepts(intercept, intercept, group_sd, dims)
        z = pm.Normal("z_rest", 0, 1, dims=dims)
        z_slope = rho * (own_intercept - intercept) / group_sd + rest * z
    elif form == "centred":
        z_slope = (pm.Normal("own_slope", slope, slope_sd, dims=dims) - slope) / slope_sd
    else:
        z_slope = pm.Normal("z_slope", 0, 1, dims=dims)
    group_slope = pm.Deterministic("group_slope", slope_sd * z_slope, dims=dims)
    if form != "intercepts first":
        center = intercept + group_sd * rho * z_slope
        own_intercept = _add_intercepts(intercept, center, group_sd * rest, dims)
    return own_intercept, slope + group_slope


def _choose_form(frame: pd.DataFrame, columns: Columns) -> str:
    """The form in which a sampler gets along with groups that know their slopes as these do.

    The variance of the slopes is estimated by moments (DerSimonian & Laird 1986), from
    least-squares lines of the groups that share one residual variance.
    """
    given = {"outcome": columns.outcome, "predictor": columns.predictor, "group": columns.group}
    table = frame if is_statistics(frame) else sufficient_statistics(frame, **given)
    otherwise = "slopes first" if len(table) < MANY else "intercepts first"
    spare = (table["n"] - 1 - (table["predictor_ss"] > 0)).sum()
    table = table[table["predictor_ss"] > 0]
    variance = table["residual_ss"].sum() / max(spare, 1)
    if spare < 1 or len(table) < 2 or variance <= 0:
        return otherwise
    weight = (table["predictor_ss"] / variance).to_numpy()
    own = (table["product_ss"] / table["predictor_ss"]).to_numpy()
    excess = weight @ (own - np.average(own, weights=weight)) ** 2 - (len(own) - 1)
    spread = excess / (weight.sum() - weight @ weight / weight.sum())
    return "centred" if spread * np.median(weight) > STRONG else otherwise


def _correlation(eta: float | None):
    """No correlation, or LKJ(eta): for a 2 x 2 matrix rho = 2 Beta(eta, eta) - 1 (Lewandowski,
    Kurowicka & Joe 2009)."""
    if eta is None:
        return 0.0
    return pm.Deterministic("rho", 2 * pm.Beta("rho_unit", eta, eta) - 1)


def _write_formula(name: str, columns: Columns) -> str:
    """One of the three models as a formula."""
    terms = [*map(_quote, columns.predictors)]
    if name != "pooled":
        effect = _quote(columns.predictor) if name == "random_slope" else 1
        terms.append(f"({effect} | {_quote(columns.group)})")
    return f"{_quote(columns.outcome)} ~ {' + '.join(terms) or '1'}"


def _build_bambi(terms: Terms, priors: dict) -> bmb.Model:
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
            SIGMA: bmb.Prior("HalfNormal", sigma=priors[SIGMA]),
            **{name: _bambi_effect(priors[name]) for name in terms.by_group},
        },
        # The prior of the intercept holds where the predictors are 0, as in PyMC.
        center_predictors=False,
        noncentered=not _knows_effects(terms, priors),
    )
    model.build()
    return model


def is_noncentered(formula: str, frame: pd.DataFrame, priors: Mapping) -> bool:
    """Whether Bambi samples a formula better with ``noncentered=True``: where groups do not know their
    own effects well, because they hardly differ or have few rows. Arguments and errors are those of
    ``build``."""
    terms = read_terms(formula, frame, drop_missing=True)
    return not _knows_effects(terms, priors_by_term(terms, priors))


def _knows_effects(terms: Terms, priors: dict) -> bool:
    """Whether groups know their slopes, or else their intercepts, so well that a sampler gets along with
    centred ones."""
    if find_beyond(terms):
        return not _has_slopes(terms)
    model = model_of(terms, priors)
    if _has_slopes(terms):
        return _choose_form(model.frame, model.columns) == "centred"
    return _knows_intercepts(model.frame, model.columns)


def _bambi_effect(scale: float) -> bmb.Prior:
    """Group-level effects around 0, whose sd has a half-normal prior."""
    return bmb.Prior("Normal", mu=0, sigma=bmb.Prior("HalfNormal", sigma=scale))


def _quote(column: str) -> str:
    """A column as a formula writes it: in backticks unless it is a plain word."""
    return column if column.isidentifier() else f"`{column}`"


def _check_formula_names(columns: Columns) -> None:
    """Raise a ``ValueError`` if Bambi would take a column for something else, or could not name it."""
    words = ("Intercept", "mu", "True", "False", "None", "__obs__")
    for column in columns.names:
        plain = isinstance(column, str) and column and not set(column) & set("/|`")
        if not plain or column in words or (column.isidentifier() and column.startswith("_")):
            raise ValueError(
                f"Bambi's formula cannot name column {column!r}; rename it to letters without any of "
                f"'/', '|' and '`' and without '_' in front, and to none of {', '.join(words)}."
            )


class _Rows(NamedTuple):
    """What a model reads of its data: rows as they are, or rotated; arrays as in ``Rotated``."""

    ones: np.ndarray | float
    x: np.ndarray | float
    z: np.ndarray
    y: np.ndarray
    group: np.ndarray
    dim: str
    coords: dict
    residual_ss: float = 0.0
    spare: int = 0


def _read_rows(frame: pd.DataFrame, columns: Columns) -> _Rows:
    """The rows of a table, or those that stand for them in one of sufficient statistics."""
    covariates = [str(column) for column in columns.covariates]
    coords = {"covariate": covariates} if covariates else {}
    if is_statistics(frame):
        coords |= {columns.group: list(frame.index)}
        rotated = rotate(frame, columns)
        coords["rotated"] = np.arange(len(rotated.y))
        return _Rows(**vars(rotated), dim="rotated", coords=coords)
    labels = group_labels(frame, columns.group)
    coords |= {columns.group: list(labels.cat.categories), "obs": np.arange(len(frame))}
    x = 0.0 if columns.predictor is None else frame[columns.predictor].to_numpy(dtype=float)
    z = frame[list(columns.covariates)].to_numpy(dtype=float)
    y = frame[columns.outcome].to_numpy(dtype=float)
    return _Rows(1.0, x, z, y, labels.cat.codes.to_numpy(), "obs", coords)


def _bambi_names(columns: Columns) -> dict[str, str]:
    x, g = columns.predictor, columns.group
    names = {
        "Intercept": "intercept",
        f"1|{g}": "group_intercept",
        f"1|{g}_sigma": "group_sd",
        f"{g}__factor_dim": g,
        "__obs__": "obs",
    }
    if x is None:
        return names
    return names | {x: "slope", f"{x}|{g}": "group_slope", f"{x}|{g}_sigma": "slope_sd"}


def _extend(
    tree: xr.DataTree, model: pm.Model, extend: tuple[str, ...], draws: int, seed: int
) -> None:
    """Add the groups named in ``extend`` to a fit, in place."""
    with model:
        if "prior" in extend or "prior_predictive" in extend:
            prior = pm.sample_prior_predictive(draws=draws, random_seed=seed)
            tree.update(
                {name: prior[name] for name in ("prior", "prior_predictive") if name in extend}
            )
        if "posterior_predictive" in extend:
            tree.update(pm.sample_posterior_predictive(tree, random_seed=seed, progressbar=False))
        if "log_likelihood" in extend:
            pm.stats.compute_log_likelihood(tree, progressbar=False)
        if "log_prior" in extend:
            top = [rv.name for rv in model.free_RVs if rv.ndim == 0]
            pm.stats.compute_log_prior(tree, var_names=top, progressbar=False)


def _with_own_labels(tree: xr.DataTree, terms: Terms) -> xr.DataTree:
    """Give groups the labels of the table, which Bambi turns into text."""
    groups = {path: node.to_dataset() for path, node in tree.children.items()}
    for factor in (factor for factor in terms.factors if factor in terms.frame):
        own = {str(label): label for label in group_labels(terms.frame, factor).cat.categories}
        for path, dim in product({"posterior", "prior"} & set(groups), _dims_of(factor)):
            if dim in groups[path].dims:
                found = [own[text] for text in groups[path][dim].values]
                groups[path] = groups[path].assign_coords({dim: found})
    return xr.DataTree.from_dict(groups)


def _dims_of(factor: str) -> tuple[str, str]:
    """What a grouping factor's dimension is called in a fit."""
    return factor, f"{factor}{FACTOR}"


def _without_offsets(tree: xr.DataTree, terms: Terms) -> xr.DataTree:
    """Drop what Bambi samples in place of the effects by group, and order what is left."""
    groups = {path: node.to_dataset() for path, node in tree.children.items()}
    for path in {"posterior", "prior"} & set(groups):
        groups[path] = groups[path][[name for name in terms.variables if name in groups[path]]]
    return xr.DataTree.from_dict(groups)


def _with_book_names(
    tree: xr.DataTree, names: dict[str, str], covariates: tuple[str, ...] = ()
) -> xr.DataTree:
    """Rename variables and dimensions; keep the parameters and drop the sampler's coordinates.

    ``covariates`` are variables whose slopes become one.
    """
    groups = {}
    for path, node in tree.children.items():
        data = node.to_dataset()
        if path in ("posterior", "prior") and covariates:
            slopes = xr.concat([data[name] for name in covariates], "covariate", coords="minimal")
            slopes = slopes.assign_coords(covariate=[*covariates]).transpose("chain", "draw", ...)
            data = data.drop_vars(covariates).assign(covariate_slope=slopes)
        there = {*data.variables, *data.dims}
        data = data.rename({old: new for old, new in names.items() if old in there})
        if path in ("posterior", "prior"):
            data = data[[name for name in PARAMETERS if name in data]]
        if path in ("posterior", "sample_stats", "observed_data", *EXTENSIONS):
            groups[path] = data
    return xr.DataTree.from_dict(groups)
