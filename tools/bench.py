"""Time the book: every chapter from cold, the rendering, a build with nothing changed, every model."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from chapters import ROOT


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        # Cold: no compiled models from earlier runs, no executed chapters.
        cold = {
            "PYTENSOR_FLAGS": f"base_compiledir={folder}/pytensor",
            "NUMBA_CACHE_DIR": f"{folder}/numba",
        }
        os.environ.update(cold)
        time_models()
        time_chapters(Path(folder))
    os.environ.pop("PYTENSOR_FLAGS")
    os.environ.pop("NUMBA_CACHE_DIR")
    time_builds()


def time_models() -> None:
    from helpers import data, models

    visits = data.standardize(data.load_bounce_times(), "age")
    print("\nFit of 4 x (1,000 + 1,000) draws, compilation included, in this order from cold (s)")
    for name in models.MODELS:
        for backend in models.BACKENDS:
            start = time.perf_counter()
            models.fit(name, visits, backend=backend)
            print(f"  {name:<20}{backend:<10}{time.perf_counter() - start:8.1f}", flush=True)


def time_chapters(folder: Path) -> None:
    from execute import execute_stale

    print("\nChapters from cold, two at a time (s)")
    os.environ["PYTENSOR_FLAGS"] = f"base_compiledir={folder}/pytensor-chapters"
    os.environ["NUMBA_CACHE_DIR"] = f"{folder}/numba-chapters"
    start = time.perf_counter()
    seconds = execute_stale(folder / "cache")
    total = time.perf_counter() - start
    for name, value in sorted(seconds.items()):
        print(f"  {name:<30}{value:8.1f}")
    print(f"  {'longest (target 60)':<30}{max(seconds.values()):8.1f}")
    print(f"  {'all (target 240)':<30}{total:8.1f}")


def time_builds() -> None:
    print("\nmake book (s)")
    for label in ("what is stale, and rendering", "again, nothing changed (target 15)"):
        start = time.perf_counter()
        subprocess.run(["make", "book"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        print(f"  {label:<36}{time.perf_counter() - start:8.1f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
