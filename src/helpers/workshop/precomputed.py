"""Stored posteriors for slow machines: where ``precomputed`` is true, load what would be sampled.

``%load_ext helpers.precomputed`` stands in the notebooks of the workshop, the switch in their cell of
parameters. It works on nutpie, which ``pm.sample``, Bambi and ``models.fit`` call too, so that no other
cell changes. A stored posterior belongs to one model, its data and the sampler's settings: whoever
changes one of these samples. Only then is a model compiled.
"""

import functools
import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import nutpie
import pymc as pm
import xarray as xr
from filelock import FileLock
from pytensor import tensor as pt
from pytensor.graph.replace import graph_replace

from helpers import fits

SWITCH = "precomputed"  # variable of the notebook
RECORD = "record"  # its value where stored posteriors are made
FOLDER = Path("../fits")
COMPILE, SAMPLE = nutpie.compile_pymc_model, nutpie.sample
GROUPS = ("posterior", "sample_stats")  # stored in single precision, far below Monte Carlo error
# Settings that no draw depends on.
IGNORED = ("compiled_model", "cores", "progress_bar", "progress_callback", "progress_rate")


def load_ipython_extension(shell) -> None:
    """From here on nutpie heeds the notebook's switch."""
    nutpie.compile_pymc_model = compile_later
    nutpie.sample = load_or_sample(lambda: shell.user_ns.get(SWITCH, False))


def unload_ipython_extension(shell) -> None:
    nutpie.compile_pymc_model, nutpie.sample = COMPILE, SAMPLE


@dataclass(frozen=True)
class Uncompiled:
    """What stands for a compiled model until a posterior of it is not stored."""

    model: pm.Model
    settings: dict  # of the compilation
    compile_once: Callable[[], object]
    data: dict[str, np.ndarray] = field(default_factory=dict)

    def with_data(self, **data: np.ndarray) -> "Uncompiled":
        """The same model for other data, as a compiled model has it."""
        return replace(self, data=self.data | data)

    def compile(self):
        return self.compile_once().with_data(**self.data)

    def __getattr__(self, name: str):
        return getattr(self.compile(), name)


def compile_later(model: pm.Model, **settings) -> Uncompiled:
    """A ``nutpie.compile_pymc_model`` that compiles when a model is first sampled."""
    data = {shared.name: shared.get_value() for shared in model.data_vars}
    return Uncompiled(
        model, settings, functools.cache(functools.partial(COMPILE, model, **settings)), data
    )


def load_or_sample(switch: Callable[[], object], folder: Path = FOLDER) -> Callable:
    """A ``nutpie.sample`` for uncompiled models that looks for a stored posterior first.

    Parameters
    ----------
    switch
        Called before each fit. False: sample. True: load; sample what is not stored or cannot be read.
        ``RECORD``: store what is not stored, then load it, so that what is judged is what was stored.
    folder
        Where posteriors are stored.
    """

    @functools.wraps(SAMPLE)
    def sample(compiled_model: Uncompiled, **settings):
        if not isinstance(compiled_model, Uncompiled):
            return SAMPLE(compiled_model, **settings)
        wanted = switch()
        if not wanted:
            return SAMPLE(compiled_model.compile(), **settings)
        entry = folder / f"{identify(compiled_model, settings)}.zip"
        if wanted == RECORD:
            with FileLock(entry.with_suffix(".lock")):
                if fits.read(entry) is None:
                    fits.write(_shorten(SAMPLE(compiled_model.compile(), **settings)), entry)
        stored = _load(entry)
        if stored is None:
            print("Not stored: sampling.")
            return SAMPLE(compiled_model.compile(), **settings)
        return stored

    return sample


def identify(waiting: Uncompiled, settings: dict) -> str:
    """Hash of a model, its data and the sampler's settings, the same on every machine."""
    model = waiting.model
    call = inspect.signature(SAMPLE).bind(waiting, **settings).arguments
    call |= call.pop("kwargs", {}) | waiting.settings
    chosen = sorted((name, repr(value)) for name, value in call.items() if name not in IGNORED)
    coords = {name: [str(value) for value in values or ()] for name, values in model.coords.items()}
    dims = {name: model.named_vars_to_dims.get(name) for name in sorted(model.named_vars)}
    names = repr([chosen, sorted(coords.items()), sorted(dims.items())])
    digest = hashlib.sha256(names.encode())
    for values in _evaluate(model, waiting.data):
        # Rounded: the last digits of a sum differ from one processor to the next.
        digest.update((np.round(np.asarray(values, dtype=float), 6) + 0.0).tobytes())
    return digest.hexdigest()[:16]


def _evaluate(model: pm.Model, data: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The log posterior density, up to a constant, and all deterministics at two points."""
    outputs = [model.logp(), *model.replace_rvs_by_values(model.deterministics)]
    given = {
        model[name]: pt.constant(values, dtype=model[name].dtype) for name, values in data.items()
    }
    # Without compiling: a tenth of a second.
    function = model.compile_fn(
        graph_replace(outputs, given, strict=False),
        inputs=model.value_vars,
        mode="FAST_COMPILE",
        on_unused_input="ignore",
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
