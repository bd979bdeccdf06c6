"""How often does an interval hold the truth if a grouping factor is forgotten? Store the answer in data/.

Wines as in data/tables/wine.csv are simulated with a known effect of warmth, and fitted exactly with
judges only, and with judges and bottles. The chapter "Two grouping factors" shows what is stored.
"""

import json
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

import numpy as np
import pandas as pd

import calibrate
from helpers import models
from helpers.book.visits import data_file
from helpers.priors import LOWER, SEED, UPPER
from record import list_differences, read_versions, store

TRUTH = {"Intercept": 35.0, "temperature": 20.0, "contact": 10.0}  # marks
SDS = {"judge": 8.0, "bottle": 4.0, "sigma": 12.0}
PRIORS = {"Intercept": (50, 25), "temperature": (0, 20), "contact": (0, 20), "sigma": 20}
PRIORS |= {"1|judge": 20}
LINE = "bitterness ~ temperature + contact + (1|judge)"
FITS = {
    "judges only": (LINE, PRIORS),
    "judges and bottles": (f"{LINE} + (1|bottle)", PRIORS | {"1|bottle": 10}),
}
DATA_SETS = 400
STREAM = 19  # of random numbers, apart from those of the other studies
PACKAGES = ("numpy", "scipy")
TABLE, RECORD = "forgotten_factor.csv", "forgotten_factor.json"


@cache
def design() -> pd.DataFrame:
    """Who tasted which bottle, and of which kind it is."""
    wine = pd.read_csv(data_file("tables/wine.csv"))
    return wine.astype({"judge": str, "bottle": str}).drop(columns="bitterness")


def simulate(number: int) -> pd.DataFrame:
    """A table with new judges and new bottles; marks beyond 0 and 100 stay as they are."""
    rng, wine = np.random.default_rng([SEED, STREAM, number]), design()
    marks = TRUTH["Intercept"] + TRUTH["temperature"] * (wine["temperature"] == "warm")
    marks += TRUTH["contact"] * (wine["contact"] == "yes")
    for factor in ("judge", "bottle"):
        code, labels = pd.factorize(wine[factor])
        marks += rng.normal(0, SDS[factor], len(labels))[code]
    return wine.assign(bitterness=marks + rng.normal(0, SDS["sigma"], len(wine)))


def cover(number: int) -> list[dict]:
    """Posterior mean and 95 % interval of the effect of warmth (marks), by each model."""
    wine, rows = simulate(number), []
    for model, (formula, priors) in FITS.items():
        fit = models.fit(formula, wine, priors=priors, backend="exact", draws=1, chains=1)
        warmth = fit["exact"]["temperature"].sel(statistic=["mean", LOWER, UPPER]).values.ravel()
        row = dict(zip(("mean", "lower", "upper"), warmth.round(4).tolist(), strict=True))
        rows.append({"model": model, "data_set": number, **row, "truth": TRUTH["temperature"]})
    return rows


def settings() -> dict:
    priors = {model: priors for model, (_, priors) in FITS.items()}
    given = {"truth": TRUTH, "sds": SDS, "formulas": {m: f for m, (f, _) in FITS.items()}}
    given |= {"priors": priors, "data_sets": DATA_SETS, "seed": [SEED, STREAM]}
    return json.loads(json.dumps(given))


def fingerprint() -> list[list[float]]:
    """What both models say of the first data set today: mean and ends of the interval."""
    return [[row[key] for key in ("mean", "lower", "upper")] for row in cover(1)]


def find_differences(record: dict) -> list[str]:
    """List what makes the stored study one of other models, one phrase each."""
    return list_differences(
        record, settings(), fingerprint(), 0.01, "the numbers of the two models"
    )


def main() -> None:
    start, rows = time.perf_counter(), []
    with ProcessPoolExecutor(calibrate.PROCESSES, mp_context=get_context("spawn")) as pool:
        for done, new in enumerate(pool.map(cover, range(1, DATA_SETS + 1)), start=1):
            rows += new
            if done % 50 == 0:
                minutes = (time.perf_counter() - start) / 60
                print(f"[{done}/{DATA_SETS}] {minutes:.1f} min", flush=True)
    table = pd.DataFrame(rows).sort_values(["model", "data_set"], ascending=[False, True])
    content = table.to_csv(index=False, lineterminator="\n").encode()
    record = {
        "settings": settings(),
        "versions": read_versions(PACKAGES),
        "fingerprint": fingerprint(),
        "minutes": round((time.perf_counter() - start) / 60, 1),
    }
    store(calibrate.ROOT / "data", {TABLE: content}, RECORD, record)


if __name__ == "__main__":
    main()
