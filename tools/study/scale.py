"""Measure how seconds, memory and intervals go with rows and with groups; store the result in data/.

Each measurement has a process of its own and one core. Seconds are those that the process worked, so
that what else the machine does hardly counts. They begin after the imports, with a relation of
DuckDB that makes its rows when it is asked ("rows", "counties"), with a Parquet file ("file", which
takes 8 GB of disk for a while) or with a table in memory ("groups"), and end with the posterior.
The chapter "When the table is large" shows what is stored.
"""

import multiprocessing
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

# One core each; set before numpy is loaded, here and in the workers.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import duckdb
import numpy as np
import pandas as pd
import psutil
import xarray as xr

from helpers.book.large import simulate_visits
from helpers.exact import exact_posterior, sufficient_statistics
from helpers.priors import LOWER, SEED, UPPER
from record import list_differences, read_versions, store
from simulated import simulate

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("duckdb", "numpy", "nutpie", "pymc", "scipy")
EXACT, STATISTICS, ROWS = "exact", "NUTS on statistics", "NUTS on rows"
COUNTIES, VISITS = 100, 1_000_000  # held fixed while the other one grows
A_GROUP = 5  # rows
# What is measured: rows of visits in COUNTIES counties; VISITS visits in so many counties; a file of
# visits in COUNTIES counties; groups of A_GROUP rows each.
SIZES = {
    "rows": {
        (EXACT, "random_slope"): [10**k for k in range(3, 9)],
        (STATISTICS, "random_slope"): [10**k for k in range(3, 9)],
        (ROWS, "random_slope"): [10**k for k in range(3, 6)],
    },
    "counties": {(EXACT, "random_slope"): [10, 30, 100, 300, 1000, 3000, 10_000]},
    "file": {(EXACT, "random_slope"): [400_000_000]},
    "groups": {
        (EXACT, "random_intercept"): [10**k for k in range(1, 6)],
        (EXACT, "random_slope"): [10**k for k in range(1, 6)],
        (ROWS, "random_intercept"): [10**k for k in range(1, 4)],
        (ROWS, "random_slope"): [10**k for k in range(1, 4)],
    },
}


@dataclass(frozen=True)
class Job:
    """One measurement: of a study of ``SIZES``, by a route, of a model, on a table."""

    study: str
    route: str
    model: str
    rows: int
    groups: int


def list_jobs(study: str) -> list[Job]:
    """The measurements of a study, the largest tables of each route last."""
    tables = {
        "rows": lambda size: (size, COUNTIES),
        "counties": lambda size: (VISITS, size),
        "file": lambda size: (size, COUNTIES),
        "groups": lambda size: (A_GROUP * size, size),
    }
    return [
        Job(study, *key, *tables[study](size))
        for key, sizes in SIZES[study].items()
        for size in sizes
    ]


def run(job: Job) -> dict:
    """Measure in a process of its own, so that nobody's memory counts but the job's."""
    if job.study != "file":
        return run_alone(measure, job)
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/visits.parquet"
        run_alone(write_visits, job, file)
        return run_alone(measure, job, file)


def write_visits(job: Job, file: str) -> None:
    visits = simulate_visits(job.rows, job.groups)
    visits.select("county", "std_age", "bounce_time").write_parquet(file)


def run_alone(function, *given):
    """What a function of a module returns, called in a new process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *given).result()


def measure(job: Job, file: str | None = None) -> dict:
    """Seconds of one core, peak memory and what the posterior says of the slope (s per unit of the predictor)."""
    take_one_core()
    fit = exact_posterior
    if job.route != EXACT:
        from helpers.models import fit
    table = file or make_table(job)
    start = time.process_time()
    if job.route == ROWS:
        frame = table if isinstance(table, pd.DataFrame) else table.df()
        summed, tree = np.nan, fit(job.model, frame)
    else:
        statistics = sufficient_statistics(table)
        summed = time.process_time() - start
        tree = fit(job.model, statistics)
    seconds = time.process_time() - start
    costs = {"sum_seconds": summed, "seconds": seconds, "memory_mb": peak_memory()}
    costs |= {"file_mb": os.path.getsize(file) / 1e6 if file else np.nan}
    return asdict(job) | costs | describe_slope(tree)


def take_one_core() -> None:
    process = psutil.Process()
    if hasattr(process, "cpu_affinity"):  # macOS has none
        process.cpu_affinity(process.cpu_affinity()[:1])
    for setting in ("threads = 1", "enable_progress_bar = false"):
        duckdb.sql(f"SET {setting}")


def peak_memory() -> float:
    """Most memory that this process has held so far (MB), Python and its packages included."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def make_table(job: Job):
    """Visits that DuckDB makes when it is asked, or a table in memory."""
    if job.study == "groups":
        return simulate([A_GROUP] * job.groups)
    return simulate_visits(job.rows, job.groups)


def describe_slope(tree: xr.DataTree) -> dict[str, float]:
    """The slope of the population, the mean of these groups' slopes, and the sd between groups."""
    posterior = tree["posterior"].to_dataset()
    own = posterior["slope"]
    if "group_slope" in posterior:
        own = own + posterior["group_slope"].mean(posterior["group_slope"].dims[-1])
    draws = posterior["slope"]
    found = [draws.mean(), draws.std(), *draws.quantile([0.025, 0.975])]
    if "exact" in tree.children:
        found = tree["exact"]["slope"].sel(statistic=["mean", "sd", LOWER, UPPER])
    names = ("slope", "sd", "lower", "upper")
    spread = float(posterior["slope_sd"].mean()) if "slope_sd" in posterior else np.nan
    own = {"own": float(own.mean()), "own_sd": float(own.std())}
    return dict(zip(names, map(float, found), strict=True)) | own | {"slope_sd": spread}


# What is stored


def settings() -> dict:
    """What the study is run with, besides helpers and versions."""
    sizes = {
        study: {f"{route}, {model}": sizes for (route, model), sizes in of_study.items()}
        for study, of_study in SIZES.items()
    }
    fixed = {"counties": COUNTIES, "visits": VISITS, "rows_a_group": A_GROUP, "seed": SEED}
    return fixed | {"sizes": sizes}


def fingerprint() -> list[float]:
    """Today's visits and their exact posterior in numbers: means and sds of the parameters."""
    exact = exact_posterior("random_slope", simulate_visits(20_000, 20), draws=1)["exact"]
    exact = exact.to_dataset().sel(statistic=["mean", "sd"])
    names = ("intercept", "slope", "sigma", "group_sd", "slope_sd", "rho")
    return [round(float(value), 4) for name in names for value in exact[name]]


def find_differences(record: dict) -> list[str]:
    """List what makes the stored study one of other visits or another posterior."""
    # Means are good to 0.001 posterior sds, and these are below 3.
    return list_differences(
        record, settings(), fingerprint(), 0.003, "the visits or their posterior"
    )


def main() -> None:
    start, found = time.perf_counter(), []
    jobs = [job for study in SIZES for job in list_jobs(study)]
    for number, job in enumerate(jobs, start=1):
        found.append(run(job))
        cost = "{seconds:.1f} s, {memory_mb:,.0f} MB".format(**found[-1])
        size = f"{job.rows:,} rows, {job.groups:,} groups"
        print(f"[{number}/{len(jobs)}] {job.route}, {job.model}, {size}: {cost}", flush=True)
    table = pd.DataFrame(found)
    content = table.to_csv(index=False, lineterminator="\n", float_format="%.5g").encode()
    record = {
        "settings": settings(),
        "versions": read_versions(PACKAGES),
        "fingerprint": fingerprint(),
        "minutes": round((time.perf_counter() - start) / 60, 1),
    }
    store(ROOT / "data", {"scale.csv": content}, "scale.json", record)


if __name__ == "__main__":
    main()
