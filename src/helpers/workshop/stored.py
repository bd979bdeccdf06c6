"""Stored posteriors for slow machines: made when the book is built, loaded in place of sampling.

A participant's notebook asks for them in so many words::

    if precomputed:
        fit_pymc = stored.load("05_pooled_regression/9")["fit_pymc"]
    else:
        fit_pymc = pm.sample(...)

A cell's file lists its fits; the fits lie beside each other, equal ones once: chapters share many.
"""

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr

from helpers import fits, models
from helpers.priors import SEED, Columns

FOLDER = Path("../fits")  # beside the folder of a workshop's notebooks
# Of a draw: far more than its Monte Carlo error, and the archive is a fifth smaller.
SIX_DIGITS = {"dtype": "float32", "significant_digits": 6, "quantize_mode": "GranularBitRound"}
# What a model computes from the draws in seconds, and a disk would keep in 27 MB a fit.
LEFT_OUT = ("posterior_predictive", "log_likelihood", "log_prior")
# What nutpie tells of each step and no page reads: a fifth of a file.
UNREAD = ("energy_error", "fisher_distance", "index_in_trajectory", "logp", "max_energy_error")
UNREAD += ("mean_tree_accept_sym", "step_size_bar", "transformation_index")
UNREAD += ("transformation_update_id", "divergence_energy_error", "divergence_draw")
UNREAD += (
    "divergence_message",
)  # text, or not numbers where a fit was kept: the same fit in two files


def save(name: str, posteriors: dict, folder: Path) -> None:
    """Store what a cell assigned: draws in single precision, far below Monte Carlo error, packed.

    Parameters
    ----------
    name
        Of the chapter and the cell; the list is ``<name>.txt``.
    posteriors
        Fits (DataTree), or dicts of fits at any depth, by the variable that holds them. Whatever else
        a dict holds stays out, and so do the groups ``LEFT_OUT``: ``extend`` adds those.
    folder
        Where to store list and fits; it is made if need be.

    Raises
    ------
    ValueError
        If there is nothing to store.
    """
    found = dict(_list_fits(posteriors))
    if not found:
        raise ValueError(f"The cell {name!r} holds no posterior to store.")
    listed = folder / f"{name}.txt"
    listed.parent.mkdir(parents=True, exist_ok=True)
    files = {place: f"{_identify(fit)}.zip" for place, fit in found.items()}
    for place, file in files.items():
        fits.write(_pack(found[place]), folder / file)
    listed.write_text(repr(files), encoding="utf-8")


def list_files(name: str, folder: Path = FOLDER) -> dict[tuple, str]:
    """The file of each fit that a cell stored, by the variable and the labels that lead to it."""
    listed = folder / f"{name}.txt"
    return ast.literal_eval(listed.read_text("utf-8")) if listed.exists() else {}


def load(name: str, folder: Path = FOLDER) -> dict:
    """Load what ``save`` stored under a name, in the precision that the sampler gives, and say so.

    Returns
    -------
    dict of fits, or of dicts of fits, as it was given to ``save``.

    Raises
    ------
    FileNotFoundError
        If it is not there, or its bytes are not those that were written.
    """
    found = {place: fits.read(folder / file) for place, file in list_files(name, folder).items()}
    if not found or any(fit is None for fit in found.values()):
        raise FileNotFoundError(
            f"{folder.name}/{name} is not stored here, or it is damaged: set precomputed = False."
        )
    posteriors = {}
    for (*places, last), fit in found.items():
        inner = posteriors
        for place in places:
            inner = inner.setdefault(place, {})
        inner[last] = fit.map_over_datasets(_unpack)
    print(f"Loaded {folder.name}/{name}; nothing was sampled.")
    return posteriors


def extend(
    fit: xr.DataTree,
    name: str,
    frame: pd.DataFrame,
    *,
    extend: tuple[str, ...],
    draws: int = 1000,
    seed: int = SEED,
    **settings,
) -> xr.DataTree:
    """Add the groups to a stored fit that ``models.fit`` gave it in PyMC, from its draws.

    Parameters
    ----------
    fit
        A fit as ``load`` returns it.
    name, frame, extend, draws, seed, **settings
        As they were given to ``models.fit``; those of the sampler do not matter.

    Returns
    -------
    DataTree with the groups of ``fit`` and those of ``extend``.
    """
    columns = Columns(**{key: settings[key] for key in vars(Columns()) if key in settings})
    given = {key: settings[key] for key in {"priors"} & settings.keys()}
    model = models.build(name, frame, **vars(columns), **given)
    drawn = fit["posterior"].to_dataset()
    posterior = _with_free_variables(drawn, model, _expected_intercepts(drawn, frame, columns))
    more = xr.DataTree.from_dict({"posterior": posterior})
    models.extend_fit(more, model, extend, draws, seed)
    return fit.assign({group: more[group] for group in extend})


def _list_fits(given: dict, place: tuple = ()) -> Iterator[tuple[tuple, xr.DataTree]]:
    """Each fit in a dict of fits or of dicts, with the keys that lead to it."""
    for key, value in given.items():
        if isinstance(value, xr.DataTree):
            yield (*place, key), value
        elif isinstance(value, dict):
            yield from _list_fits(value, (*place, key))


def _identify(fit: xr.DataTree) -> str:
    """Hash of a fit's numbers, but for those that are not stored."""
    digest = hashlib.sha256()
    for node in fit.subtree:
        for name, values in node.data_vars.items():
            stored = node.name not in LEFT_OUT and name not in UNREAD
            if stored and values.dtype.kind in "bifu":
                digest.update(f"{node.path} {name}".encode())
                digest.update(values.values.tobytes())
    return digest.hexdigest()[:16]


def _pack(fit: xr.DataTree) -> xr.DataTree:
    kept = fit.filter(lambda node: node.name not in LEFT_OUT)
    return kept.map_over_datasets(_describe_file)


def _describe_file(group: xr.Dataset) -> xr.Dataset:
    """Tell how each variable is written."""
    group = group.drop_vars(UNREAD, errors="ignore")
    for variable in group.data_vars.values():
        draws = "draw" in variable.dims and variable.dtype == "float64"
        variable.encoding = {"zlib": True, "shuffle": True}
        variable.encoding |= SIX_DIGITS if draws else {}
    return group


def _unpack(group: xr.Dataset) -> xr.Dataset:
    """Single precision was for the file alone."""
    single = [name for name, values in group.data_vars.items() if values.dtype == "float32"]
    return group.assign(group[single].astype("float64"))


def _expected_intercepts(
    posterior: xr.Dataset, frame: pd.DataFrame, columns: Columns
) -> xr.DataArray:
    """What is expected of each group's intercept: more than the population's where covariates differ."""
    groups, expected = frame.groupby(columns.group, observed=True), posterior["intercept"]
    for name in columns.covariates:
        mean = xr.DataArray(groups[name].mean().rename_axis(columns.group))
        expected = expected + posterior["covariate_slope"].sel(covariate=name, drop=True) * mean
    return expected


def _with_free_variables(
    posterior: xr.Dataset, model: pm.Model, expected: xr.DataArray
) -> xr.Dataset:
    """What the sampler moved and ``models.fit`` does not hand out; PyMC would draw it from the prior."""
    free, moved = {}, {variable.name for variable in model.free_RVs}
    if "group_intercept" in posterior:
        free["own_intercept"] = (expected + posterior["group_intercept"]).transpose(
            *posterior["group_intercept"].dims
        )
    if "group_slope" in posterior:
        z_slope = posterior["group_slope"] / posterior["slope_sd"]
        rho = posterior.get("rho", 0.0)
        z_intercept = posterior["group_intercept"] / posterior["group_sd"]
        forms = {
            "z_slope": z_slope,
            "z_rest": (z_slope - rho * z_intercept) / np.sqrt(1 - rho**2),
            "own_slope": posterior["slope"] + posterior["group_slope"],
        }
        free |= {name: values for name, values in forms.items() if name in moved}
    if "rho" in posterior:
        free["rho_unit"] = (posterior["rho"] + 1) / 2
    return posterior.assign(free)
