"""Time the book, all of it or the sections that are named: ``python tools/study/bench.py rows``.

Sections: ``rows`` (tables by engine), ``groups`` (posteriors by number of groups), ``models`` and
``chapters`` from cold, ``builds`` (rendering, and with nothing changed).
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

from chapters import ROOT

GIVEN = dict(os.environ)  # what a build sees: sections change what models and chapters see
ROWS, COUNTIES, TIMES = 10_000_000, 10_000, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("sections", nargs="*", default=list(SECTIONS), metavar="section")
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of the table of that section")
    options = parser.parse_args()
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"no section {sorted(unknown)[0]!r}; there are {', '.join(SECTIONS)}")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.sections:
            os.environ.update(
                PYTENSOR_FLAGS=f"base_compiledir={folder}/pytensor-{name}",
                NUMBA_CACHE_DIR=f"{folder}/numba-{name}",
            )
            SECTIONS[name](Path(folder), options)


def time_rows(folder: Path, options: argparse.Namespace) -> None:
    """The sums of every group by each engine, beside its own scans of the same table."""
    from helpers.book.large import simulate_visits
    from helpers.exact import sufficient_statistics
    from spark_session import find_missing

    file = str(folder / "visits.parquet")
    visits = simulate_visits(options.rows, COUNTIES).select("county, std_age, bounce_time")
    visits.write_parquet(file)
    print(f"\n{options.rows:,} rows in {COUNTIES:,} groups: the best of {TIMES} (s)")
    print("  scan: two columns summed by group; ratio (target 2): sufficient_statistics to it")
    print(f"  {'engine':<22}{'sum':>8}{'scan':>8}{'statistics':>12}{'ratio':>8}")
    for name, engine in ENGINES.items():
        if engine is use_spark and (lacking := find_missing()):
            print(f"  {name:<22}{lacking}")
            continue
        with engine(file) as (table, total, scan):
            routes = total, scan, lambda table=table: sufficient_statistics(table)
            whole, bare, ours = (best_of(call) for call in routes)
        print(f"  {name:<22}{whole:8.2f}{bare:8.2f}{ours:12.2f}{ours / bare:8.1f}", flush=True)
    (folder / "visits.parquet").unlink()


def best_of(call: Callable) -> float:
    seconds = []
    for _ in range(TIMES):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


# Each gives its table of a Parquet file, and two scans: the sums of all columns, and by group.


@contextmanager
def use_duckdb(file: str):
    import duckdb

    sums = f"count(*), sum(std_age), sum(bounce_time) FROM '{file}'"
    total = f"SELECT sum(county), {sums}"
    scan = f"SELECT county, {sums} GROUP BY county"
    yield file, lambda: duckdb.sql(total).fetchall(), lambda: duckdb.sql(scan).fetchall()


@contextmanager
def use_polars(file: str):
    import polars as pl

    table = pl.scan_parquet(file)
    sums = [pl.len(), pl.col("std_age", "bounce_time").sum()]
    total = table.select(pl.col("county").sum().alias("all"), *sums)
    scan = table.group_by("county").agg(sums)
    yield table, *((lambda q=q: q.collect(engine="streaming")) for q in (total, scan))


@contextmanager
def use_pyarrow(file: str):
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(file)
    sums = [("county", "count"), ("std_age", "sum"), ("bounce_time", "sum")]
    total = lambda: [pc.sum(table[name]) for name in table.column_names]  # noqa: E731
    yield table, total, lambda: table.group_by("county").aggregate(sums)


@contextmanager
def use_pandas(file: str):
    import pandas as pd

    table = pd.read_parquet(file)
    groups = {"std_age": ["sum", "count"], "bounce_time": "sum"}
    yield table, table.sum, lambda: table.groupby("county").agg(groups)


@contextmanager
def use_spark(file: str):
    from spark_session import open_spark

    session = open_spark()
    session.sparkContext.setLogLevel("ERROR")
    table = session.read.parquet(file)
    table.createOrReplaceTempView("visits")
    sums = "count(*), sum(std_age), sum(bounce_time) FROM visits"
    total, scan = f"SELECT sum(county), {sums}", f"SELECT county, {sums} GROUP BY county"
    yield table, *((lambda q=q: session.sql(q).toArrow()) for q in (total, scan))
    session.stop()


ENGINES = {
    "DuckDB, from Parquet": use_duckdb,
    "Polars, from Parquet": use_polars,
    "PyArrow, in memory": use_pyarrow,
    "pandas, in memory": use_pandas,
    "Spark, from Parquet": use_spark,
}


def time_groups(folder: Path, options: argparse.Namespace) -> None:
    """Posteriors by the number of groups, each in a process of its own, and what leaving out takes."""
    import scale

    print(f"\n{scale.A_GROUP} rows a group, seconds of one core, from the table to the posterior")
    print("  memory: most that the process held, Python and packages included")
    print(f"  {'model':<18}{'route':<16}{'groups':>8}{'seconds':>9}{'target':>8}{'MB':>8}")
    for job in scale.list_jobs("groups"):
        found = scale.run(job)
        target = TARGETS.get((job.route, job.model, job.groups), "")
        line = f"{job.groups:8,}{found['seconds']:9.1f}{target:>8}{found['memory_mb']:8,.0f}"
        print(f"  {job.model:<18}{job.route:<16}{line}", flush=True)
    print(f"\nEach of {LEFT_OUT[0]} groups of {LEFT_OUT[1]} rows left out (target 10)")
    for model in ("random_intercept", "random_slope"):
        seconds = scale.run_alone(leave_groups_out, model)
        print(f"  {model:<18}{seconds:8.1f} s", flush=True)


LEFT_OUT = (160, 45)  # schools and pupils
TARGETS = {  # seconds, of the exact posterior
    ("exact", "random_intercept", 10_000): 2,
    ("exact", "random_intercept", 100_000): 15,
    ("exact", "random_slope", 10_000): 10,
    ("exact", "random_slope", 100_000): 60,
}


def leave_groups_out(model: str) -> float:
    """Seconds in which every group of a table is predicted from the others."""
    from helpers.exact.loo import leave_group_out
    from scale import take_one_core
    from simulated import simulate

    take_one_core()
    groups, rows = LEFT_OUT
    table = simulate([rows] * groups)
    start = time.process_time()
    leave_group_out(model, table)
    return time.process_time() - start


def time_models(folder: Path, options: argparse.Namespace) -> None:
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
        rates |= time_brms(name)
        slowest = min(rate for *_, rate in rates.values())
        for route, (seconds, ess, rate) in rates.items():
            line = f"{seconds:8.1f}{ess:8.0f}{rate:9.0f}{rate / slowest:8.0f}"
            print(f"  {name:<18}{route:<14}{line}", flush=True)


def time_brms(name: str) -> dict[str, tuple[float, float, float]]:
    """The same of brms, from the call to the answer and of its sampling alone; nothing without R."""
    if not shutil.which("Rscript"):
        print(f"  {name:<18}brms: there is no R")
        return {}
    command = ["Rscript", "--vanilla", str(Path(__file__).with_name("time_brms.R")), name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        print(f"  {name:<18}brms: {done.stderr.strip().splitlines()[-1]}")
        return {}
    whole, alone, ess = map(float, done.stdout.split()[-3:])
    return {"brms": (whole, ess, ess / whole), "brms, sampling": (alone, ess, ess / alone)}


def time_chapters(folder: Path, options: argparse.Namespace) -> None:
    from execute import execute_stale

    print("\nChapters from cold, two at a time (s)")
    os.environ["BOOK_FIT_CACHE"] = f"{folder}/fits"
    start = time.perf_counter()
    seconds = execute_stale(folder / "cache", folder / "stored")
    total = time.perf_counter() - start
    for name, value in sorted(seconds.items()):
        print(f"  {name:<30}{value:8.1f}")
    print(f"  {'longest (target 60)':<30}{max(seconds.values()):8.1f}")
    print(f"  {'all (target 240)':<30}{total:8.1f}")


def time_builds(folder: Path, options: argparse.Namespace) -> None:
    print("\nmake book (s)")
    for label in ("what is stale, and rendering", "again, nothing changed (target 15)"):
        start = time.perf_counter()
        command = ["make", "book"]
        subprocess.run(command, cwd=ROOT, env=GIVEN, check=True, stdout=subprocess.DEVNULL)
        print(f"  {label:<36}{time.perf_counter() - start:8.1f}", flush=True)


SECTIONS = {
    "rows": time_rows,
    "groups": time_groups,
    "models": time_models,
    "chapters": time_chapters,
    "builds": time_builds,
}


if __name__ == "__main__":
    sys.exit(main())
