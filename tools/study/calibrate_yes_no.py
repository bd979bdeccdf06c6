"""Check by simulation that NUTS gives the truth of a yes/no model back, and store the ranks in data/.

The model is the Bernoulli model of the chapter "Outcomes that are not normal", in Bambi as
``models.fit`` builds it, compiled once. Each finished data set is kept in _build/calibration, so that an
interrupted run goes on where it stopped. The appendix "How do we know?" shows what is stored.
"""

import json
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import nutpie
import pandas as pd
import pymc as pm
import xarray as xr
from pymc.model.transform.conditioning import observe
from scipy import stats

import calibrate
from helpers import frames, models
from helpers.book import calibration
from helpers.book.outcomes import load_next_visits
from helpers.priors import SEED
from record import list_differences, read_versions, store

FORMULA, OUTCOME = "returned ~ std_age + (1 | county)", "returned"
PRIORS = models.Priors(intercept=(0.0, 1.5), slope=(0.0, 0.5), group_sd=1.0)
WRONG_PRIORS = replace(PRIORS, group_sd=0.5)
BY_TERM = {"Intercept": PRIORS.intercept, "std_age": PRIORS.slope, "1|county": PRIORS.group_sd}
MODEL = "bernoulli"
DATA_SETS = 200
STREAM = 20  # of random numbers, apart from those of the three models
TARGET_ACCEPT = 0.99
PACKAGES = ("pymc", "bambi", "nutpie", "numpy", "scipy")
TABLE, RECORD = "calibration_families.csv.gz", "calibration_families.json"


@cache
def design() -> pd.DataFrame:
    return frames.standardize(load_next_visits(), "age")


def build() -> pm.Model:
    """The model with data in place of its outcome, so that nutpie can exchange them."""
    built = models.build(FORMULA, design(), family=MODEL, backend="bambi", priors=BY_TERM)
    model = built.backend.model
    with model:
        data = pm.Data(models.OUTCOME_DATA, design()[OUTCOME].to_numpy())
    return observe(model, {model[OUTCOME]: data.astype(model[OUTCOME].dtype)})


@cache
def compiled():
    return nutpie.compile_pymc_model(build())


def simulate(number: int) -> tuple[xr.Dataset, pd.DataFrame]:
    """Draw parameters from the prior, and a yes or no for each visit from them, in plain numpy."""
    rng, visits = np.random.default_rng([SEED, STREAM, number]), design()
    labels = list(visits["county"].cat.categories)
    truth = calibration.draw_from_prior("random_intercept", labels, rng, PRIORS).drop_vars("sigma")
    return truth, visits.assign(returned=calibration.simulate_outcome(truth, visits, rng))


def rank(number: int) -> tuple[list[dict], dict]:
    """Rank a truth among thinned draws, and among draws as another prior would have them.

    The wrong prior needs no fit of its own: with weights in the ratio of the two priors, draws of one
    posterior are draws of the other.
    """
    truth, visits = simulate(number)
    outcome = {models.OUTCOME_DATA: visits[OUTCOME].to_numpy()}
    drawn, note = calibrate.sample_nuts(compiled().with_data(**outcome), number, TARGET_ACCEPT)
    picked = {"NUTS": calibrate.thin(drawn), "wrong prior": calibrate.thin(reweigh(drawn, number))}
    rows = [
        {"study": study, "data_set": number, **row}
        for study, draws in picked.items()
        for row in calibrate.as_rows(calibration.rank_truth(truth, draws, visits, OUTCOME))
    ]
    return rows, {"model": MODEL, "number": number, **note}


def rank_once(number: int, folder: Path) -> tuple[list[dict], dict]:
    """``rank``, or what an interrupted run has kept of it in ``folder``."""
    path = folder / f"yes or no {number}.json"
    if not path.exists():
        unfinished = path.with_suffix(".part")
        unfinished.write_text(json.dumps(rank(number)), encoding="utf-8")
        unfinished.replace(path)
    return json.loads(path.read_text(encoding="utf-8"))


def reweigh(drawn: xr.Dataset, seed: int) -> xr.Dataset:
    """Draws under ``WRONG_PRIORS``, picked from those under ``PRIORS``."""
    group_sd = drawn["group_sd"].values.ravel()
    wrong, right = (
        stats.halfnorm.pdf(group_sd, scale=priors.group_sd) for priors in (WRONG_PRIORS, PRIORS)
    )
    weights = wrong / right
    rng = np.random.default_rng([SEED, STREAM, seed, 1])
    places = rng.choice(len(weights), len(weights), p=weights / weights.sum())
    joined = drawn.stack(place=["chain", "draw"], create_index=False)
    picked = joined.isel(place=places).drop_vars(["chain", "draw"], errors="ignore")
    return picked.rename(place="draw").expand_dims("chain")


def settings() -> dict:
    given = {
        "formula": FORMULA,
        "family": MODEL,
        "priors": BY_TERM,
        "wrong_group_sd": WRONG_PRIORS.group_sd,
        "draws": calibrate.DRAWS,
        "data_sets": DATA_SETS,
        "seed": [SEED, STREAM],
        "nuts": {
            "chains": calibrate.NUTS_CHAINS,
            "tune": calibrate.NUTS_TUNE,
            "draws": calibrate.NUTS_DRAWS,
            "target_accept": TARGET_ACCEPT,
        },
    }
    return json.loads(json.dumps(given))


def fingerprint() -> list[float]:
    """The model's log density at two points, with the book's visits."""
    model = build()
    log_density, start = model.compile_logp(mode="FAST_COMPILE"), model.initial_point()
    return [
        round(float(log_density({key: start[key] + shift for key in start})), 4)
        for shift in (0.0, 0.3)
    ]


def find_differences(record: dict) -> list[str]:
    """List what makes the stored study one of another model, one phrase each."""
    return list_differences(record, settings(), fingerprint(), 0.001, "the numbers of the model")


def main() -> None:
    belongs_to = {
        "settings": settings(),
        "versions": read_versions(PACKAGES),
        "fingerprint": fingerprint(),
    }
    folder = calibrate.PIECES / calibrate.key_of(belongs_to)
    folder.mkdir(parents=True, exist_ok=True)
    start, results = time.perf_counter(), []
    with ProcessPoolExecutor(calibrate.PROCESSES, mp_context=get_context("spawn")) as pool:
        found = pool.map(partial(rank_once, folder=folder), range(1, DATA_SETS + 1))
        for done, result in enumerate(found, start=1):
            results.append(result)
            if done % 20 == 0:
                minutes = (time.perf_counter() - start) / 60
                print(f"[{done}/{DATA_SETS}] {minutes:.1f} min", flush=True)
    rows, notes = zip(*results, strict=True)
    keys = ["study", "model", "quantity", "data_set"]
    ranks = pd.DataFrame(row for of in rows for row in of).assign(model=MODEL)
    content = calibrate.compress(ranks[[*keys, "rank"]].sort_values(keys))
    record = belongs_to | {"sampler": calibrate.judge(pd.DataFrame(notes))}
    store(calibrate.ROOT / "data", {TABLE: content}, RECORD, record)


if __name__ == "__main__":
    main()
