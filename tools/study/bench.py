"""Time the book: every chapter from cold, the rendering, a build with nothing changed, every model."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from chapters import ROOT

GIVEN = dict(os.environ)  # main changes what the models and chapters see


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
    time_builds()


def time_models() -> None:
    """Smallest bulk ESS of any parameter, per second from the call to the answer."""
    import arviz as az
    import pymc as pm

    from helpers import frames, models
    from helpers.book.visits import load_bounce_times
    from helpers.priors import MODELS, PARAMETERS

    visits = frames.standardize(load_bounce_times(), "age")

    def own_nuts(name):
        settings = {"nuts_sampler": "pymc", "progressbar": False, "quiet": True, "random_seed": 1}
        return pm.sample(model=models.build(name, visits), chains=4, target_accept=0.95, **settings)

    routes = {
        "exact": lambda name: models.fit(name, visits, backend="exact"),
        "nutpie": lambda name: models.fit(name, visits),
        "Bambi": lambda name: models.fit(name, visits, backend="bambi"),
        "PyMC's NUTS": own_nuts,
    }
    print("\n4 x (1,000 + 1,000) draws, compilation included, from cold")
    print(f"  {'model':<18}{'route':<14}{'seconds':>8}{'ESS':>8}{'ESS/s':>9}{'ratio':>8}")
    for name in MODELS:
        rates = {}
        for route, call in routes.items():
            start = time.perf_counter()
            posterior = call(name)["posterior"].to_dataset()
            seconds = time.perf_counter() - start
            known = [parameter for parameter in PARAMETERS if parameter in posterior]
            ess = min(float(value.min()) for value in az.ess(posterior[known]).data_vars.values())
            rates[route] = seconds, ess, ess / seconds
        slowest = min(rate for *_, rate in rates.values())
        for route, (seconds, ess, rate) in rates.items():
            line = f"{seconds:8.1f}{ess:8.0f}{rate:9.0f}{rate / slowest:8.0f}"
            print(f"  {name:<18}{route:<14}{line}", flush=True)


def time_chapters(folder: Path) -> None:
    from execute import execute_stale

    print("\nChapters from cold, two at a time (s)")
    os.environ["PYTENSOR_FLAGS"] = f"base_compiledir={folder}/pytensor-chapters"
    os.environ["NUMBA_CACHE_DIR"] = f"{folder}/numba-chapters"
    os.environ["BOOK_FIT_CACHE"] = f"{folder}/fits"
    start = time.perf_counter()
    seconds = execute_stale(folder / "cache", folder / "stored")
    total = time.perf_counter() - start
    for name, value in sorted(seconds.items()):
        print(f"  {name:<30}{value:8.1f}")
    print(f"  {'longest (target 60)':<30}{max(seconds.values()):8.1f}")
    print(f"  {'all (target 240)':<30}{total:8.1f}")


def time_builds() -> None:
    print("\nmake book (s)")
    for label in ("what is stale, and rendering", "again, nothing changed (target 15)"):
        start = time.perf_counter()
        command = ["make", "book"]
        subprocess.run(command, cwd=ROOT, env=GIVEN, check=True, stdout=subprocess.DEVNULL)
        print(f"  {label:<36}{time.perf_counter() - start:8.1f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
