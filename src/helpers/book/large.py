"""As many visits as wanted, made by the engine that will sum them (DuckDB or Spark); a stored study."""

import json

import numpy as np
import pandas as pd

from helpers.book.truth import true_parameters
from helpers.book.visits import AGE_RANGE, COUNTIES, REFERENCE_AGE, data_file
from helpers.frames import Scale
from helpers.priors import SEED

AGE_SD_BETWEEN = 7.0  # of the counties' mean ages, in years
# Standardized with these, and not with the sample's own, a row does not depend on the others.
SCALE = Scale(mean=REFERENCE_AGE, sd=float(np.hypot(AGE_SD_BETWEEN, true_parameters()["age_sd"])))

# Two normal numbers from two uniform ones (Box & Muller 1958).
QUERY = """
WITH counties AS (
    SELECT j AS county, {group_sd} * r1 * cos(a1) AS intercept,
        {slope_sd} * r1 * ({rho} * cos(a1) + {rho_rest} * sin(a1)) AS slope,
        {age_sd_between} * r1 * {age_rho} * cos(a1)
            + {age_sd_between} * {age_rest} * r2 * cos(a2) AS mean_age
    FROM (SELECT j, sqrt(-2 * ln({u0})) AS r1, 2 * pi() * {u1} AS a1,
            sqrt(-2 * ln({u2})) AS r2, 2 * pi() * {u3} AS a2
        FROM (SELECT CAST({index} AS BIGINT) AS j FROM range({counties})) AS numbers) AS uniform
), visits AS (
    SELECT CAST(floor({counties} * {v2} * {v2}) AS BIGINT) AS county,
        sqrt(-2 * ln({v0})) AS r, 2 * pi() * {v1} AS a
    FROM (SELECT CAST({index} AS BIGINT) AS i FROM range({rows})) AS numbers
), aged AS (
    SELECT county, intercept, slope,
        least(greatest(mean_age + {age_sd} * r * cos(a), {youngest}), {oldest}) AS years,
        {sigma} * r * sin(a) AS error
    FROM visits JOIN counties USING (county)
)
SELECT county, {mean} + years AS age, years / {sd} AS std_age,
    {intercept} + intercept + ({slope_per_decade} + slope) * years / 10 + error AS bounce_time
FROM aged
"""


def simulate_visits(rows: int, counties: int, seed: int = SEED, engine=None):
    """Simulate visits in ``counties`` counties of unequal size, without holding them in memory.

    The truth is that of the book's 613 visits (``data/truth.json``), for counties drawn from it: a
    county's intercept and slope are normal around the population's with ``group_sd``, ``slope_sd``
    and ``rho``, the older a county, the higher its intercept, and ages are normal within a county
    (who is younger than 16 or older than 90 has that age).
    A row is a function of its number and the seed alone (hashes in place of a random generator), so
    threads do not matter. DuckDB and Spark hash differently: one truth, other rows.

    Parameters
    ----------
    engine
        A connection of DuckDB (default: DuckDB's own) or a session of Spark.

    Returns
    -------
    Relation of DuckDB, or DataFrame of Spark, that makes the rows when it is asked: ``county``
    (whole number from 0), ``age`` (years), ``std_age`` (sds, of ``SCALE``), ``bounce_time`` (s).
    """
    if engine is None:
        import duckdb as engine
    spark = type(engine).__module__.startswith("pyspark")
    hashed = "shiftrightunsigned(xxhash64({}), 11)" if spark else "(hash({}) >> 11)"
    start = np.random.default_rng(seed).integers(2**61, size=2)

    def uniform(number: str, place: int, stream: int) -> str:
        integer = f"{start[place]} + 4 * {number} + {stream}"
        return f"((CAST({hashed.format(integer)} AS DOUBLE) + 0.5e0) / {2.0**53:.0f}.0e0)"

    truth = true_parameters()
    age_rho = COUNTIES["mean_age"].corr(COUNTIES["baseline"])
    values = {name: truth[name] for name in ("intercept", "slope_per_decade", "sigma", "age_sd")}
    values |= {name: truth[name] for name in ("group_sd", "slope_sd", "rho")}
    values |= dict(zip(("youngest", "oldest"), np.array(AGE_RANGE) - REFERENCE_AGE, strict=True))
    values |= {"rho_rest": np.sqrt(1 - truth["rho"] ** 2), "age_sd_between": AGE_SD_BETWEEN}
    values |= {"age_rho": age_rho, "age_rest": np.sqrt(1 - age_rho**2)}
    values |= {"mean": SCALE.mean, "sd": SCALE.sd}
    values = {name: f"({float(value)!r}e0)" for name, value in values.items()}
    values |= {f"u{stream}": uniform("j", 0, stream) for stream in range(4)}
    values |= {f"v{stream}": uniform("i", 1, stream) for stream in range(3)}
    values |= {"index": "id" if spark else "range", "rows": rows, "counties": counties}
    return engine.sql(QUERY.format(**values))


def true_values() -> dict[str, float]:
    """The parameters that ``simulate_visits`` draws from, named and scaled as a fit to ``std_age``."""
    truth, decades = true_parameters(), SCALE.sd / 10
    return {
        "intercept": truth["intercept"],
        "slope": truth["slope_per_decade"] * decades,
        "sigma": truth["sigma"],
        "group_sd": truth["group_sd"],
        "slope_sd": truth["slope_sd"] * decades,
        "rho": truth["rho"],
    }


def load_study() -> tuple[pd.DataFrame, dict]:
    """Read the stored study that ``make scale`` wrote: what large tables cost, and what they tell.

    The table has one row a posterior: ``study`` ("rows", "counties" or "groups": what grows; or a
    "file"), ``route`` ("exact", "NUTS on statistics" or "NUTS on rows"), ``model``, ``rows``,
    ``groups``; ``sum_seconds`` of one core until the sums were there, ``seconds`` in all,
    ``memory_mb`` at the most, ``file_mb`` of the file; of the population's slope ``slope`` (mean),
    ``sd``, ``lower`` and ``upper``, of the mean of these groups' slopes ``own`` and ``own_sd``, and
    the posterior mean of ``slope_sd`` (s per unit of the predictor). The record, of ``data/scale.json``, says what the study was run with.
    """
    record = json.loads(data_file("scale.json").read_text(encoding="utf-8"))
    return pd.read_csv(data_file("scale.csv")), record
