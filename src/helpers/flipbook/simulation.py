"""Data sets simulated from the prior of one of the three models, in plain numpy."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from helpers.families import FAMILIES, GAUSSIAN, Family
from helpers.flipbook.widget import draw_normals
from helpers.frames import check_group, check_numeric, group_labels
from helpers.priors import (
    EFFECTS,
    MODELS,
    PARAMETERS,
    PARAMETERS_OF,
    SEED,
    Columns,
    Priors,
    check_choice,
    check_slope,
)
from helpers.rotated import is_statistics
from helpers.terms import as_model, is_formula
from helpers.terms.model import refuse_family

SHARED = "covariate_slope"
CELLS = 10_000_000  # random numbers held at a time: 80 MB


def simulate(
    frame: pd.DataFrame,
    name: str,
    priors: Priors | Mapping | xr.Dataset | xr.DataTree,
    *,
    draws: int = 2000,
    seed: int = SEED,
    family: str = GAUSSIAN,
    **columns: str,
) -> xr.DataArray:
    """Simulate data sets from the prior of one of the three models, in plain numpy.

    Parameters
    ----------
    frame, columns
        The design: predictors and groups. Its outcomes are not looked at.
    name
        One of the three models, or a formula that is one of them.
    priors
        As in ``models.fit``, with a formula by term; or, with a name, draws of the parameters from any other, such as PyMC's group
        "prior": ``intercept``, ``slope`` and ``sigma``, with groups ``group_sd``, with slopes by
        group ``slope_sd`` and, if correlated, ``rho``; with covariates ``covariate_slope``.
    draws, seed
        How many parameters to draw from ``Priors``, and the seed for that. Given draws are all used.
    family
        Of outcomes, with a formula, as in ``models.fit``.

    Returns
    -------
    DataArray with the dimensions ``chain`` (one), ``draw`` and ``obs``. Two priors meet the same
    random numbers, so their data sets of one number can be compared. Memory is that of the result,
    eight bytes a row and draw, and up to 500 MB.

    Raises
    ------
    ValueError
        If the model is unknown, or the draws lack one of its parameters; if the family is unknown, or
        has no formula.
    """
    if is_formula(name) or isinstance(priors, Priors):
        model = as_model(name, frame, priors, columns, family=family)
        name, frame, named, priors = model.name, model.frame, model.columns, model.priors
    else:
        refuse_family(family)
        named = Columns(**columns)
    parameters = draw_parameters(priors, draws, seed, len(named.covariates))
    design = Design(frame, named)
    chunks = simulate_in_chunks(name, parameters, design, FAMILIES[family], seed)
    times = np.empty((len(parameters["sigma"]), len(design.x)))
    for start, values in chunks:
        times[start : start + len(values)] = values
    return xr.DataArray(times[None], dims=("chain", "draw", "obs"))


class Design:
    """What simulations need of a table: predictors, groups and random numbers."""

    def __init__(self, frame: pd.DataFrame, columns: Columns):
        if is_statistics(frame):
            raise ValueError(
                "Sufficient statistics have no rows to simulate; give the table of rows."
            )
        for column in columns.predictors:
            check_numeric(frame, column)
        check_group(frame, columns.group)
        labels = group_labels(frame, columns.group)
        self.columns = columns
        self.codes = labels.cat.codes.to_numpy()
        self.labels = labels.cat.categories
        self.x = np.zeros(len(frame))
        if columns.predictor is not None:
            self.x = frame[columns.predictor].to_numpy(dtype=float)
        self.z = frame[list(columns.covariates)].to_numpy(dtype=float)
        self._drawn: tuple[tuple[int, int], np.ndarray] | None = None

    @property
    def width(self) -> int:
        """Random numbers of one data set: two a group, one a row."""
        return len(self.x) + 2 * len(self.labels)

    def normals(self, start: int, stop: int) -> np.ndarray:
        """Standard normal numbers (stop - start, width) of these data sets; the last ones are kept."""
        if self._drawn is None or self._drawn[0] != (start, stop):
            counters = np.arange(start * self.width, stop * self.width)
            self._drawn = (start, stop), draw_normals(counters).reshape(-1, self.width)
        return self._drawn[1]


def draw_parameters(
    priors: Priors | xr.Dataset | xr.DataTree, draws: int, seed: int, covariates: int = 0
) -> dict[str, np.ndarray]:
    """Draws of the parameters of the population by name; given ones are only put into one row.

    One value a draw; of ``covariate_slope`` one a draw and covariate, if there are covariates.
    """
    if not isinstance(priors, Priors):
        names = sorted((set(PARAMETERS) - set(EFFECTS)) & set(priors.data_vars))
        drawn = {}
        for name in names:
            values = priors[name].transpose("chain", "draw", ..., missing_dims="ignore").to_numpy()
            drawn[name] = values.reshape(-1, covariates) if name == SHARED else values.ravel()
        return drawn
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(5, draws))
    eta = priors.lkj_eta
    drawn = {
        "intercept": priors.intercept[0] + priors.intercept[1] * z[0],
        "slope": priors.slope[0] + priors.slope[1] * z[1],
        "sigma": priors.sigma * abs(z[2]),
        "group_sd": priors.group_sd * abs(z[3]),
        "slope_sd": priors.slope_sd * abs(z[4]),
        "rho": np.zeros(draws) if eta is None else 2 * rng.beta(eta, eta, draws) - 1,
    }
    if covariates:
        mean, sd = np.transpose(priors.of_covariates(covariates))
        drawn[SHARED] = mean + sd * rng.normal(size=(draws, covariates))
    return drawn


def simulate_in_chunks(
    name: str,
    drawn: dict[str, np.ndarray],
    design: Design,
    family: Family = FAMILIES[GAUSSIAN],
    seed: int = SEED,
) -> Iterator[tuple[int, np.ndarray]]:
    """Simulate data sets (S, rows) with as many draws of the parameters at a time as fit ``CELLS``.

    Each piece comes with the number of its first draw. Of another family than the gaussian one ``sigma``
    has the draws of its auxiliary parameter, and ``seed`` is that of the outcomes.
    """
    check_choice("model", name, MODELS)
    check_slope(name, design.columns)
    absent = {"slope"} if design.columns.predictor is None else set()
    absent |= set() if design.columns.covariates else {SHARED}
    needed = [p for p in PARAMETERS_OF[name] if p not in (*EFFECTS, "rho", *absent)]
    missing = [parameter for parameter in needed if parameter not in drawn]
    if missing:
        raise ValueError(f"The model {name!r} needs draws of {missing[0]!r}; there are none.")
    return _draw_chunks(name, drawn, design, family, np.random.default_rng(seed))


def _draw_chunks(
    name: str,
    drawn: dict[str, np.ndarray],
    design: Design,
    family: Family,
    rng: np.random.Generator,
) -> Iterator[tuple[int, np.ndarray]]:
    draws, length = len(drawn["sigma"]), max(1, CELLS // design.width)
    gaussian = family.name == GAUSSIAN
    for start in range(0, draws, length):
        stop = min(start + length, draws)
        values = _simulate_chunk(name, drawn, design, start, stop, residual=gaussian)
        if not gaussian:
            values = family.draw(rng, family.mean(values), drawn["sigma"][start:stop, None])
        yield start, values


def _simulate_chunk(
    name: str,
    drawn: dict[str, np.ndarray],
    design: Design,
    start: int,
    stop: int,
    residual: bool = True,
) -> np.ndarray:
    """Data sets (stop - start, rows), one a draw of the parameters, or their lines without a residual."""
    draw = {p: values[start:stop, None] for p, values in drawn.items() if p != SHARED}
    groups = len(design.labels)
    z, other, noise = np.split(design.normals(start, stop), [groups, 2 * groups], axis=1)
    times = draw["intercept"] + (draw["sigma"] if residual else 0.0) * noise
    if design.columns.predictor is not None:
        times += draw["slope"] * design.x
    if design.columns.covariates:
        times += drawn[SHARED][start:stop] @ design.z.T
    if name != "pooled":
        times += (draw["group_sd"] * z)[:, design.codes]
    if name == "random_slope":
        rho = draw.get("rho", 0.0)
        tilt = draw["slope_sd"] * (rho * z + np.sqrt(1 - rho**2) * other)
        times += tilt[:, design.codes] * design.x
    return times
