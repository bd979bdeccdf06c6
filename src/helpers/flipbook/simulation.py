"""Data sets simulated from the prior of one of the three models, in plain numpy."""

import numpy as np
import pandas as pd
import xarray as xr

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
)


def simulate(
    frame: pd.DataFrame,
    name: str,
    priors: Priors | xr.Dataset | xr.DataTree,
    *,
    draws: int = 2000,
    seed: int = SEED,
    **columns: str,
) -> xr.DataArray:
    """Simulate data sets from the prior of one of the three models, in plain numpy.

    Parameters
    ----------
    frame, columns
        The design: predictor and groups. Its outcomes are not looked at.
    priors
        The book's kind of priors, or draws of the parameters from any other, such as PyMC's group
        "prior": ``intercept``, ``slope`` and ``sigma``, with groups ``group_sd``, with slopes by
        group ``slope_sd`` and, if correlated, ``rho``.
    draws, seed
        How many parameters to draw from ``Priors``, and the seed for that. Given draws are all used.

    Returns
    -------
    DataArray with the dimensions ``chain`` (one), ``draw`` and ``obs``. Two priors meet the same
    random numbers, so their data sets of one number can be compared.

    Raises
    ------
    ValueError
        If the model is unknown, or the draws lack one of its parameters.
    """
    parameters = draw_parameters(priors, draws, seed)
    design = Design(frame, Columns(**columns), len(parameters["sigma"]))
    return simulate_from(name, parameters, design)


class Design:
    """What simulations need of a table: predictor, groups and random numbers."""

    def __init__(self, frame: pd.DataFrame, columns: Columns, draws: int):
        check_numeric(frame, columns.predictor)
        check_group(frame, columns.group)
        labels = group_labels(frame, columns.group)
        self.x = frame[columns.predictor].to_numpy(dtype=float)
        self.codes = labels.cat.codes.to_numpy()
        self.labels = labels.cat.categories
        width = len(self.x) + 2 * len(self.labels)
        self.normals = draw_normals(np.arange(draws * width)).reshape(draws, width)


def draw_parameters(
    priors: Priors | xr.Dataset | xr.DataTree, draws: int, seed: int
) -> dict[str, np.ndarray]:
    """Draws of the scalar parameters by name; given ones are only put into one row."""
    if not isinstance(priors, Priors):
        names = sorted((set(PARAMETERS) - set(EFFECTS)) & set(priors.data_vars))
        return {name: priors[name].to_numpy().ravel() for name in names}
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(5, draws))
    eta = priors.lkj_eta
    return {
        "intercept": priors.intercept[0] + priors.intercept[1] * z[0],
        "slope": priors.slope[0] + priors.slope[1] * z[1],
        "sigma": priors.sigma * abs(z[2]),
        "group_sd": priors.group_sd * abs(z[3]),
        "slope_sd": priors.slope_sd * abs(z[4]),
        "rho": np.zeros(draws) if eta is None else 2 * rng.beta(eta, eta, draws) - 1,
    }


def simulate_from(name: str, drawn: dict[str, np.ndarray], design: Design) -> xr.DataArray:
    """One data set a draw, number by number what ``simulate`` in ``flipbook.html`` gives."""
    check_choice("model", name, MODELS)
    needed = [parameter for parameter in PARAMETERS_OF[name] if parameter not in (*EFFECTS, "rho")]
    missing = [parameter for parameter in needed if parameter not in drawn]
    if missing:
        raise ValueError(f"The model {name!r} needs draws of {missing[0]!r}; there are none.")
    draw = {parameter: values[:, None] for parameter, values in drawn.items()}
    groups = len(design.labels)
    normals = design.normals[: len(drawn["sigma"])]
    z, other, noise = np.split(normals, [groups, 2 * groups], axis=1)
    times = draw["intercept"] + draw["slope"] * design.x + draw["sigma"] * noise
    if name != "pooled":
        times += (draw["group_sd"] * z)[:, design.codes]
    if name == "random_slope":
        rho = draw.get("rho", 0.0)
        tilt = draw["slope_sd"] * (rho * z + np.sqrt(1 - rho**2) * other)
        times += tilt[:, design.codes] * design.x
    return xr.DataArray(times[None], dims=("chain", "draw", "obs"))
