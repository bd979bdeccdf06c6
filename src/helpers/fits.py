"""Fits that chapters share: computed once, kept on disk, judged wherever they are read."""

import ast
import contextlib
import hashlib
import inspect
import os
import shutil
import tempfile
import time
import zipfile
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import xarray as xr
from filelock import FileLock
from platformdirs import user_cache_path

from helpers import families, models, priors, rotated, terms
from helpers.exact import crossed, gaussian, posterior, problem, quadrature, statistics
from helpers.frames import group_labels
from helpers.priors import Columns, check_columns
from helpers.terms import is_formula, read_terms

VARIABLE = "BOOK_FIT_CACHE"  # of the environment: names another folder
MEMBER = "fit.nc"
FORMULA = "formula"  # how an entry begins whose model has no name
UNFINISHED = "unfinished-"  # how the folder of a writer begins
KEEP_DAYS = 30
SOURCES = (
    *(families, priors, rotated, statistics, gaussian, problem, quadrature, crossed, posterior),
    *(
        own
        for package in (terms, models)
        for own in vars(package).values()
        if inspect.ismodule(own)
    ),
)
PACKAGES = ("bambi", "numba", "numpy", "nutpie", "pymc", "pytensor", "xarray")


def fit_once(name: str, frame: pd.DataFrame, **settings) -> xr.DataTree:
    """Fit a model as ``models.fit`` does, or read the same fit from disk if it was computed before.

    The same fit is one with the same data, model, priors, settings, versions of packages and code
    of the models. An entry that cannot be read is computed again. Two processes may ask at once:
    the second waits for the first. Where the folder cannot be written to, every call computes.
    Arguments, result and errors are those of ``models.fit``; where there is an error nothing is
    kept.
    """
    folder = cache_folder()
    if not _is_writable(folder):
        return models.fit(name, frame, **settings)
    entry = _entry(name, frame, settings, folder)
    with FileLock(entry.with_suffix(".lock")):
        tree = read(entry)
        if tree is not None:
            for path in (entry, entry.with_suffix(".lock")):
                path.touch()  # both are forgotten when nobody has asked for them for long
            return tree
        tree = models.fit(name, frame, **settings)
        with contextlib.suppress(OSError):  # a full disk: the fit is there all the same
            write(tree, entry)
            _forget_unused(folder)
    if settings.get("extend"):
        _keep_plain(tree, name, frame, settings, folder)
    return tree


def _keep_plain(
    tree: xr.DataTree, name: str, frame: pd.DataFrame, settings: dict, folder: Path
) -> None:
    """Keep an extended fit as the fit without extensions too: its draws are the same."""
    plain = {key: value for key, value in settings.items() if key != "extend"}
    groups = {key: tree[key].to_dataset() for key in tree.children if key not in models.EXTENSIONS}
    entry = _entry(name, frame, plain, folder)
    with FileLock(entry.with_suffix(".lock")), contextlib.suppress(OSError):
        if not entry.exists():
            write(xr.DataTree.from_dict(groups), entry)


def _entry(name: str, frame: pd.DataFrame, settings: dict, folder: Path) -> Path:
    """The file of a fit."""
    kind = FORMULA if is_formula(name) else name
    return folder / f"{kind}-{fingerprint(name, frame, settings)}.zip"


def cache_folder() -> Path:
    """Where fits are kept: the folder that ``BOOK_FIT_CACHE`` names, else the user's cache."""
    return Path(os.environ.get(VARIABLE) or user_cache_path("bayesian-lmm-book")).expanduser()


def fingerprint(name: str, frame: pd.DataFrame, settings: dict) -> str:
    """Hash of all that a fit depends on: the data row by row, settings, versions, and models' code."""
    call = inspect.signature(models.fit).bind(name, frame, **settings)
    call.apply_defaults()
    columns = Columns(**{key: call.arguments[key] for key in vars(Columns())})
    if is_formula(name):
        read = read_terms(name, frame, drop_missing=call.arguments["drop_missing"]).used
        order = [list(read[c].cat.categories) for c in read.select_dtypes("category")]
    elif rotated.is_statistics(frame):
        read, order = frame, list(rotated.columns_of(frame, columns).names) + list(frame.index)
    else:
        check_columns(frame, columns)
        read = frame[list(columns.names)]
        order = list(group_labels(frame, columns.group).cat.categories)
    given = {key: value for key, value in call.arguments.items() if key != "frame"}
    digest = hashlib.sha256(repr([sorted(given.items()), order]).encode())
    digest.update(read.to_csv(index=False).encode())
    digest.update(repr([(package, version(package)) for package in PACKAGES]).encode())
    for module in SOURCES:
        # As Python reads it: another comment or line break is no other model.
        digest.update(ast.dump(ast.parse(inspect.getsource(module))).encode())
    return digest.hexdigest()[:24]


def _forget_unused(folder: Path) -> None:
    """Delete what nobody has read for a month, and what writers left that were stopped meanwhile.

    A reader may have named a folder that holds other files, so only names given here are looked at.
    """
    ours = [f"{name}-{'[0-9a-f]' * 24}.*" for name in (*models.MODELS, FORMULA)]
    for path in (path for pattern in (f"{UNFINISHED}*", *ours) for path in folder.glob(pattern)):
        if time.time() - path.stat().st_mtime > KEEP_DAYS * 24 * 3600:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def read(entry: Path) -> xr.DataTree | None:
    """The fit in an entry; ``None`` if there is none or its bytes are not those that were written."""
    if not entry.exists():
        return None
    # What damage makes of an archive is told by half a dozen kinds of error; the cure is the same.
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(Exception):
        with zipfile.ZipFile(entry) as archive:  # compares checksums
            file = archive.extract(MEMBER, folder)
        with xr.open_datatree(file, engine="netcdf4") as tree:
            return tree.load()
    return None


def write(tree: xr.DataTree, entry: Path) -> None:
    """Write beside the entry and move into place, so that no reader sees half a file."""
    with tempfile.TemporaryDirectory(dir=entry.parent, prefix=UNFINISHED) as folder:
        file, archive = Path(folder) / MEMBER, Path(folder) / entry.name
        tree.to_netcdf(file, engine="netcdf4")
        with zipfile.ZipFile(archive, "w") as whole:
            whole.write(file, MEMBER)
        archive.replace(entry)
