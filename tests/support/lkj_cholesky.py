"""The random-slope model with ``pm.LKJCholeskyCov``, built by the folded cell of its chapter."""

import functools

import pymc as pm

from chapters import ROOT
from helpers import frames
from helpers.book.visits import load_bounce_times
from source_text import cells_of


@functools.cache
def build_with_cholesky() -> pm.Model:
    cells = {cell.id: cell.source for cell in cells_of(ROOT / "notebooks/07_random_slope.ipynb")}
    names = {"pm": pm, "visits": frames.standardize(load_bounce_times(), "age")}
    for cell in ("10", "three-effects-or-more"):
        exec(cells[cell], names)
    return names["cholesky_model"]
