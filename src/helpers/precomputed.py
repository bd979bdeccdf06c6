"""Stored posteriors for slow machines: where ``precomputed`` is true, load what would be sampled.

``%load_ext helpers.precomputed`` stands in the notebooks of the workshop, the switch in their cell of
parameters. It works on ``pm.sample``, which Bambi and ``models.fit`` call too, so that no other cell
changes. A stored posterior belongs to one model, its data and the sampler's settings: whoever changes
one of these samples.
"""

import functools
import hashlib
import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pymc as pm
import xarray as xr
from filelock import FileLock

from helpers import fits

SWITCH = "precomputed"  # variable of the notebook
RECORD = "record"  # its value where stored posteriors are made
FOLDER = Path("../fits")
SAMPLE = pm.sample
GROUPS = ("posterior", "sample_stats")  # stored in single precision, far below Monte Carlo error
# Settings that no draw depends on.
IGNORED = ("model", "cores", "blas_cores", "progressbar", "progressbar_theme", "quiet", "callback")


def load_ipython_extension(shell) -> None:
    """From here on ``pm.sample`` heeds the notebook's switch."""
    pm.sample = load_or_sample(lambda: shell.user_ns.get(SWITCH, False))


def unload_ipython_extension(shell) -> None:
    pm.sample = SAMPLE


def load_or_sample(switch: Callable[[], object], folder: Path = FOLDER) -> Callable:
    """A ``pm.sample`` that looks for a stored posterior first.

    Parameters
    ----------
    switch
        Called before each fit. False: sample. True: load; sample what is not stored or cannot be read.
        ``RECORD``: store what is not stored, then load it, so that what is judged is what was stored.
    folder
        Where posteriors are stored.
    """

    @functools.wraps(SAMPLE)
    def sample(*arguments, **settings):
        wanted = switch()
        if not wanted:
            return SAMPLE(*arguments, **settings)
        model = pm.modelcontext(settings.get("model"))
        entry = folder / f"{identify(model, arguments, settings)}.zip"
        if wanted == RECORD:
            with FileLock(entry.with_suffix(".lock")):
                if fits.read(entry) is None:
                    fits.write(_shorten(SAMPLE(*arguments, **settings)), entry)
        stored = _load(entry)
        if stored is None:
            print("Not stored: sampling.")
            return SAMPLE(*arguments, **settings)
        return stored

    return sample


def identify(model: pm.Model, arguments: tuple, settings: dict) -> str:
    """Hash of a model, its data and the sampler's settings, the same on every machine."""
    call = inspect.signature(SAMPLE).bind(*arguments, **settings).arguments
    call |= call.pop("kwargs", {})
    chosen = sorted((name, repr(value)) for name, value in call.items() if name not in IGNORED)
    coords = {name: [str(value) for value in values or ()] for name, values in model.coords.items()}
    dims = {name: model.named_vars_to_dims.get(name) for name in sorted(model.named_vars)}
    names = repr([chosen, sorted(coords.items()), sorted(dims.items())])
    digest = hashlib.sha256(names.encode())
    for values in _evaluate(model):
        # Rounded: the last digits of a sum differ from one processor to the next.
        digest.update((np.round(np.asarray(values, dtype=float), 6) + 0.0).tobytes())
    return digest.hexdigest()[:16]


def _evaluate(model: pm.Model) -> list[np.ndarray]:
    """The log posterior density, up to a constant, and all deterministics at two points."""
    outputs = [model.logp(), *model.replace_rvs_by_values(model.deterministics)]
    # Without compiling: a tenth of a second.
    function = model.compile_fn(
        outputs, inputs=model.value_vars, mode="FAST_COMPILE", on_unused_input="ignore"
    )
    start = model.initial_point(random_seed=0)
    shifted = {
        name: value + 0.1 * np.cos(np.arange(value.size) + number).reshape(value.shape)
        for number, (name, value) in enumerate(start.items())
        if value.dtype.kind == "f"
    }
    return [value for point in (start, start | shifted) for value in function(point)]


def _shorten(tree: xr.DataTree) -> xr.DataTree:
    """A fit as it is stored: numbers in single precision, packed, without the sampler's messages."""
    groups = {name: tree[name].to_dataset() for name in tree.children}
    for name in GROUPS:
        messages = [key for key, value in groups[name].items() if value.dtype.kind == "O"]
        groups[name] = groups[name].drop_vars(messages)
        for variable in groups[name].data_vars.values():
            kind = {"dtype": "float32"} if variable.dtype == "float64" else {}
            variable.encoding = {"zlib": True, "shuffle": True, **kind}
    return xr.DataTree.from_dict(groups)


def _load(entry: Path) -> xr.DataTree | None:
    """A stored fit in the precision that the sampler gives; nothing if it cannot be read."""
    tree = fits.read(entry)
    if tree is None:
        return None
    groups = {name: node.to_dataset() for name, node in tree.children.items()}
    for name in GROUPS:
        single = [key for key, value in groups[name].items() if value.dtype == "float32"]
        groups[name] = groups[name].assign(groups[name][single].astype("float64"))
    print(f"Loaded {entry.parent.name}/{entry.name}; nothing was sampled.")
    return xr.DataTree.from_dict(groups)
