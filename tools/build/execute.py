"""Execute every chapter that has no fresh outputs, two at a time, into the cache that Sphinx reads."""

import argparse
import os
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from nbclient.exceptions import DeadKernelError
from traitlets.config import Config

from chapters import CACHES, ROOT, cache_path, list_pages, read_executable

AT_A_TIME = 2
TIMEOUT = 300  # seconds a cell
# Without it every kernel warns that its messages go unencrypted from one process to the next.
KERNELS = Config({"KernelManager": {"transport_encryption": "auto"}})
FIRST = ("12_prior_sensitivity", "16_reporting")


def execute(page: Path):
    """Run one page in its own folder; return the notebook with outputs and how it went."""
    notebook = read_executable(page)
    start = time.perf_counter()
    try:
        result = single_nb_execution(
            notebook, cwd=str(page.parent), timeout=TIMEOUT, allow_errors=False, config=KERNELS
        )
    except DeadKernelError:
        said = (
            "Its kernel died, mostly for want of memory: close other programs and run this again."
        )
        return notebook, time.perf_counter() - start, said
    return notebook, result.time, result.exc_string if result.err else None


def execute_stale(folder: Path) -> dict[str, float]:
    """Fill the cache in ``folder``; return the seconds of each page that was executed.

    Raises
    ------
    SystemExit
        If a page failed; the others are executed and kept.
    """
    cache = get_cache(str(folder))
    stale = [page for page in list_pages() if needs_execution(cache, page)]
    seconds, failed = {}, []
    with ProcessPoolExecutor(AT_A_TIME) as pool:
        jobs = {pool.submit(execute, page): page for page in put_in_order(stale)}
        for number, job in enumerate(as_completed(jobs), start=1):
            page = jobs[job]
            notebook, seconds[page.stem], error = job.result()
            outcome = (
                f"failed after {seconds[page.stem]:.1f} s"
                if error
                else f"{seconds[page.stem]:.1f} s"
            )
            print(f"[{number}/{len(stale)}] {page.stem}: {outcome}", flush=True)
            if error:
                failed.append(page.stem)
                print(error, file=sys.stderr)
            else:
                bundle = CacheBundleIn(
                    notebook, str(page), data={"execution_seconds": seconds[page.stem]}
                )
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    if failed:
        sys.exit(f"These pages did not run to their end: {', '.join(failed)}.")
    return seconds


def put_in_order(pages: list[Path]) -> list[Path]:
    """First the two chapters that make the fits which others read, then the appendices, which take longest.

    So no page waits for another's fit, none runs alone at the end, and the appendices find compiled what
    all models share.
    """
    return sorted(pages, key=lambda page: (page.stem not in FIRST, page.stem[0] != "a"))


def needs_execution(cache, page: Path) -> bool:
    notebook = read_executable(page)
    if notebook is None:
        return False
    try:
        cache.match_cache_notebook(notebook)
    except KeyError:
        return True
    return False


def forget_other_caches(keep: Path) -> None:
    """Delete the outputs of earlier helpers, data and versions."""
    for folder in CACHES.glob("*"):
        if folder != keep:
            shutil.rmtree(folder)


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    os.chdir(ROOT)
    start = time.perf_counter()
    folder = cache_path()
    executed = execute_stale(folder)
    forget_other_caches(folder)
    print(
        f"Executed {len(executed)} pages in {time.perf_counter() - start:.0f} s; the others were fresh."
    )


if __name__ == "__main__":
    main()
