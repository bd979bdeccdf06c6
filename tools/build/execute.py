"""Execute every chapter that has no fresh outputs, two at a time, into the cache that Sphinx reads.

After each cell with the tag ``fit`` its posteriors are stored, for participants of a workshop to load.
"""

import ast
import os
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path

import nbformat
import papermill
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets.config import Config

from chapters import ROOT, cache_path, list_pages, read_executable, read_tags, stored_path

AT_A_TIME = 2
TIMEOUT = 300  # seconds a cell
# Without it every kernel warns that its messages go unencrypted from one process to the next.
KERNELS = Config({"KernelManager": {"transport_encryption": "auto"}})
FIRST = ("12_prior_sensitivity", "16_reporting")
DIED = "Its kernel died, mostly for want of memory: close other programs and run this again."
INJECTED = "injected"
STORE = """
def _store(found):
    from pathlib import Path
    from xarray import DataTree
    from helpers.workshop import stored
    def is_fit(value):
        many = isinstance(value, dict) and value
        return all(map(is_fit, value.values())) if many else isinstance(value, DataTree)
    fits = {{name: value for name, value in found.items() if is_fit(value) and "exact" not in value}}
    stored.save({cell!r}, fits, Path({folder!r}))
_store({{name: value for name, value in globals().items() if name in {names!r}}})
del _store
"""


def execute(page: Path, stored: Path) -> tuple[NotebookNode, float, str | None]:
    """Run one page in its own folder and put the posteriors of its ``fit`` cells into ``stored``.

    Returns
    -------
    The page with its outputs, the seconds that it took, and what went wrong if it did not run to its end.
    """
    notebook, error, start = read_executable(page), None, time.perf_counter()
    shutil.rmtree(stored, ignore_errors=True)
    settings = {"execution_timeout": TIMEOUT, "config": KERNELS, "shutdown_kernel": "immediate"}
    try:
        run = papermill.execute_notebook(
            add_storing(notebook, stored), None, cwd=page.parent, progress_bar=False, **settings
        )
        take_outputs(notebook, run)
    except DeadKernelError:
        error = DIED
    except (papermill.PapermillExecutionError, CellTimeoutError) as problem:
        error = str(problem)
    return notebook, time.perf_counter() - start, error


def add_storing(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """The notebook with a cell after each ``fit`` cell that stores the posteriors which that one named."""
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        if is_fit(cell):
            code = STORE.format(cell=cell.id, names=assigned(cell.source), folder=str(folder))
            cells.append(nbformat.v4.new_code_cell(code, metadata={"tags": [INJECTED]}))
    return nbformat.from_dict({**notebook, "cells": cells})


def assigned(code: str) -> list[str]:
    """The names that a cell assigns, wholly or an entry of."""
    nodes = [node for node in ast.walk(ast.parse(code)) if hasattr(node, "ctx")]
    targets = [node for node in nodes if isinstance(node.ctx, ast.Store)]
    return sorted({ast.unparse(target).partition("[")[0] for target in targets})


def is_fit(cell: NotebookNode) -> bool:
    return "fit" in read_tags(cell)


def take_outputs(notebook: NotebookNode, run: NotebookNode) -> None:
    """Give the cells of ``notebook`` the outputs of ``run``, numbered as if nothing had been injected."""
    own = [cell for cell in run.cells if INJECTED not in read_tags(cell)]
    number = 0
    for cell, done in zip(notebook.cells, own, strict=True):
        if cell.cell_type == "code":
            number += 1
            cell.outputs, cell.execution_count = done.outputs, number
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = number
    notebook.metadata["language_info"] = run.metadata["language_info"]


def execute_stale(folder: Path, stored: Path) -> dict[str, float]:
    """Fill the cache in ``folder``; return the seconds of each page that was executed.

    Raises
    ------
    SystemExit
        If a page failed; the others are executed and kept.
    """
    cache = get_cache(str(folder))
    stale = [page for page in list_pages() if needs_execution(cache, page, stored / page.stem)]
    seconds, failed = {}, []
    with ProcessPoolExecutor(AT_A_TIME) as pool:
        jobs = {pool.submit(execute, page, stored / page.stem): page for page in in_order(stale)}
        for number, job in enumerate(as_completed(jobs), start=1):
            page = jobs[job]
            notebook, seconds[page.stem], error = job.result()
            outcome = f"{'failed after ' if error else ''}{seconds[page.stem]:.1f} s"
            print(f"[{number}/{len(stale)}] {page.stem}: {outcome}", flush=True)
            if error:
                failed.append(page.stem)
                print(error, file=sys.stderr)
            else:
                keep(cache, page, notebook, seconds[page.stem])
    if failed:
        sys.exit(f"These pages did not run to their end: {', '.join(failed)}.")
    return seconds


def in_order(pages: list[Path]) -> list[Path]:
    """First the two chapters that make the fits which others read, then the appendices, which take longest.

    So no page waits for another's fit, none runs alone at the end, and the appendices find compiled what
    all models share.
    """
    return sorted(pages, key=lambda page: (page.stem not in FIRST, page.stem[0] != "a"))


def needs_execution(cache, page: Path, stored: Path) -> bool:
    """Whether outputs for this page's code are missing, or a posterior of one of its ``fit`` cells is."""
    notebook = read_executable(page)
    if notebook is None:
        return False
    with suppress(KeyError):
        cache.match_cache_notebook(notebook)
        fits = filter(is_fit, notebook.cells)
        return not all((stored / f"{cell.id}.txt").exists() for cell in fits)
    return True


def keep(cache, page: Path, notebook: NotebookNode, seconds: float) -> None:
    bundle = CacheBundleIn(notebook, str(page), data={"execution_seconds": seconds})
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def forget_others(keep: Path) -> None:
    """Delete what belongs to earlier helpers, data and versions."""
    for folder in keep.parent.glob("*"):
        if folder != keep:
            shutil.rmtree(folder)


def main() -> None:
    os.chdir(ROOT)
    start = time.perf_counter()
    folders = cache_path(), stored_path()  # asked once: a helper may be saved meanwhile
    executed = execute_stale(*folders)
    for folder in folders:
        forget_others(folder)
    seconds = time.perf_counter() - start
    print(f"Executed {len(executed)} pages in {seconds:.0f} s; the others were fresh.")


if __name__ == "__main__":
    main()
