"""Stored posteriors for slow machines: made when the book is built, loaded in place of sampling.

A participant's notebook asks for them in so many words::

    if precomputed:
        fit_pymc = stored.load("pymc-fit")["fit_pymc"]
    else:
        fit_pymc = pm.sample(...)
"""

import ast
from pathlib import Path

import xarray as xr

from helpers import fits

FOLDER = Path("../fits")  # beside the folder of a workshop's notebooks
Posteriors = dict[str, xr.DataTree | dict[str, xr.DataTree]]


def save(name: str, posteriors: Posteriors, folder: Path) -> None:
    """Store what a cell assigned: draws in single precision, far below Monte Carlo error, packed.

    Parameters
    ----------
    name
        Of the cell; the file is ``<name>.zip``.
    posteriors
        Fits, or dicts of fits, by the variable that holds them.
    folder
        Where to store them; it is made if need be.

    Raises
    ------
    ValueError
        If there is nothing to store.
    """
    found = {
        (variable, label): fit
        for variable, given in posteriors.items()
        for label, fit in (given if isinstance(given, dict) else {None: given}).items()
    }
    if not found:
        raise ValueError(f"The cell {name!r} holds no posterior to store.")
    packed = {str(n): fit.map_over_datasets(_pack) for n, fit in enumerate(found.values())}
    whole = xr.DataTree(xr.Dataset(attrs={"found": repr(list(found))}), packed)
    folder.mkdir(parents=True, exist_ok=True)
    fits.write(whole, folder / f"{name}.zip")


def load(name: str, folder: Path = FOLDER) -> Posteriors:
    """Load what ``save`` stored under a name, in the precision that the sampler gives, and say so.

    Returns
    -------
    dict as it was given to ``save``.

    Raises
    ------
    FileNotFoundError
        If it is not there, or its bytes are not those that were written.
    """
    entry = folder / f"{name}.zip"
    whole = fits.read(entry)
    if whole is None:
        raise FileNotFoundError(
            f"{folder.name}/{entry.name} is not stored here, or it is damaged: set precomputed = False."
        )
    posteriors: Posteriors = {}
    for n, (variable, label) in enumerate(ast.literal_eval(whole.attrs["found"])):
        fit = whole[str(n)].map_over_datasets(_unpack)
        fit.name = None
        if label is None:
            posteriors[variable] = fit
        else:
            posteriors.setdefault(variable, {})[label] = fit
    print(f"Loaded {folder.name}/{entry.name}; nothing was sampled.")
    return posteriors


def _pack(group: xr.Dataset) -> xr.Dataset:
    """Tell how each variable is written; messages of the sampler, where there are any, are text."""
    messages = [name for name, values in group.data_vars.items() if values.dtype == object]
    group = group.assign({name: group[name].fillna("").astype(str) for name in messages})
    for variable in group.data_vars.values():
        draws = "draw" in variable.dims and variable.dtype == "float64"
        variable.encoding = {"zlib": True, "shuffle": True} if variable.dtype.kind != "U" else {}
        variable.encoding |= {"dtype": "float32"} if draws else {}
    return group


def _unpack(group: xr.Dataset) -> xr.Dataset:
    """Single precision was for the file alone."""
    single = [name for name, values in group.data_vars.items() if values.dtype == "float32"]
    return group.assign(group[single].astype("float64"))
