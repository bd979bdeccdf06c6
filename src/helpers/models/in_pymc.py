"""One of the three models in PyMC."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pymc as pm

from helpers.frames import group_labels
from helpers.models.forms import choose_form, knows_intercepts
from helpers.priors import Columns
from helpers.rotated import is_statistics, rotate
from helpers.terms import Model

OUTCOME_DATA = "observed_outcome"


def build_pymc(model: Model) -> pm.Model:
    """Each model adds to the one before. Intercepts are centred where groups know theirs, for which a
    few rows are often enough (``knows_intercepts``); of a slope they know little or much
    (``add_slopes``). For the same reason groups' means of covariates stand in what is expected of a
    group, and not in its rows.
    """
    name, columns, priors = model.name, model.columns, model.priors
    rows = _read_rows(model.frame, columns)
    ones, x, group = rows.ones, rows.x, rows.group
    with pm.Model(coords=rows.coords) as built:
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
            own = {"dims": columns.group, "centred": knows_intercepts(model)}
            level = _add_intercepts(expected, expected, group_sd, **own)[group]
        if name == "random_slope":
            slope_sd = pm.HalfNormal("slope_sd", priors.slope_sd)
            rho = _correlation(priors.lkj_eta)
            lines = {"intercept": expected, "slope": slope, "group_sd": group_sd}
            lines |= {"slope_sd": slope_sd, "rho": rho, "dims": columns.group}
            level, own_slope = add_slopes(choose_form(model), **lines)
            level, tilt = level[group], own_slope[group]
        # Data, so that nutpie can exchange the outcome without compiling the model again.
        observed = pm.Data(OUTCOME_DATA, rows.y, dims=rows.dim)
        mean = level * ones + tilt * x + shared
        pm.Normal(columns.outcome_variable, mean, sigma, observed=observed, dims=rows.dim)
        if rows.spare:
            left = {"alpha": rows.spare / 2, "beta": 1 / (2 * sigma**2)}
            pm.Gamma("residual_ss", **left, observed=rows.residual_ss)
    return built


def _group_means(rows: "_Rows") -> np.ndarray:
    """Means (J, K) of the covariates by group; of rotated rows too, where ``ones`` is a column."""
    ones = np.broadcast_to(rows.ones, len(rows.z)).astype(float)
    squares = np.bincount(rows.group, ones**2)
    return np.transpose([np.bincount(rows.group, ones * z) / squares for z in rows.z.T])


def _add_intercepts(intercept, center, spread, dims: str, centred: bool = True):
    """Intercepts of the groups, and their deviations; those that rows hardly tell are not centred, which
    leaves no funnel."""
    if centred:
        own_intercept = pm.Normal("own_intercept", center, spread, dims=dims)
    else:
        own_intercept = center + spread * pm.Normal("z_intercept", 0, 1, dims=dims)
    pm.Deterministic("group_intercept", own_intercept - intercept, dims=dims)
    return own_intercept


def add_slopes(form: str, *, intercept, slope, group_sd, slope_sd, rho, dims: str):
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


def _correlation(eta: float | None):
    """No correlation, or LKJ(eta): for a 2 x 2 matrix rho = 2 Beta(eta, eta) - 1 (Lewandowski,
    Kurowicka & Joe 2009)."""
    if eta is None:
        return 0.0
    return pm.Deterministic("rho", 2 * pm.Beta("rho_unit", eta, eta) - 1)


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
