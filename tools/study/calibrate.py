"""Check by simulation that the book's intervals can be believed, and store the result in data/.

Each finished piece is kept in _build/calibration, so that an interrupted run goes on where it
stopped. The appendix "How do we know?" shows what is stored.
"""

import argparse
import gzip
import hashlib
import json
import multiprocessing
import os
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from functools import cache
from pathlib import Path

# Two processes share two cores; set before numpy is loaded, here and in the workers.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import arviz as az
import numpy as np
import nutpie
import pandas as pd
import xarray as xr

from helpers import exact, frames, models
from helpers.book import calibration
from helpers.book.visits import load_bounce_times, simulate_bounce_times
from helpers.exact import problem, quadrature
from helpers.exact.posterior import draw_posterior
from helpers.priors import LOWER, SEED, UPPER
from record import find_changes, read_versions, store

ROOT = Path(__file__).resolve().parents[2]
PIECES = ROOT / "_build" / "calibration"
PROCESSES = 2
PIECE = 50  # data sets

DRAWS = 99  # L: each truth is ranked among so many draws
TOLERANCE = 0.01  # of a posterior sd, where only draws are used: they are exact whatever the grid
WRONG_PRIORS = models.Priors(group_sd=10.0)
TARGET_ACCEPT = {"random_intercept": 0.9, "random_slope": 0.99}
NUTS_DRAWS = (1000, 4000)  # a chain; the second where the first leaves the sampler unsure
NUTS_CHAINS, NUTS_TUNE, NUTS_ESS = 4, 1000, 400
STUDIES = {
    ("exact", "pooled"): 1000,
    ("exact", "random_intercept"): 1000,
    ("wrong prior", "random_intercept"): 1000,
    ("coverage", "pooled"): 500,
    ("coverage", "random_intercept"): 500,
    ("coverage", "MixedLM"): 500,
    ("NUTS", "random_intercept"): 200,
    ("NUTS", "random_slope"): 200,
    ("coverage", "random_slope"): 500,
    ("exact", "random_slope"): 1000,
}
PACKAGES = ("pymc", "nutpie", "numpy", "scipy", "statsmodels")


# One data set


def simulate(model: str, number: int) -> tuple[xr.Dataset, pd.DataFrame]:
    """Draw parameters from the prior and bounce times for the book's 613 visits from them."""
    rng = np.random.default_rng([SEED, models.MODELS.index(model), number])
    visits = design()
    truth = calibration.draw_from_prior(model, list(visits["county"].cat.categories), rng)
    return truth, visits.assign(bounce_time=calibration.simulate_outcome(truth, visits, rng))


def rank_exact(model: str, number: int, priors: models.Priors = models.Priors()) -> list[dict]:
    """Rank a truth among independent draws from the exact posterior."""
    truth, visits = simulate(model, number)
    # Not exact_posterior: its means and quantiles, half of the time, are not looked at.
    sums = exact.sufficient_statistics(visits)
    nodes, _ = quadrature.integrate(problem.build_problem(model, sums, priors), TOLERANCE)
    drawn = draw_posterior(nodes, DRAWS, number)
    return as_rows(calibration.rank_truth(truth, drawn, visits))


def rank_nuts(model: str, number: int) -> tuple[list[dict], dict]:
    """Rank a truth among thinned draws of NUTS, and say how the sampler did.

    Where draws diverged or an ESS is below ``NUTS_ESS`` the data set is sampled once more with more
    draws and smaller steps, as a reader would do.
    """
    truth, visits = simulate(model, number)
    outcome = {models.OUTCOME_DATA: visits["bounce_time"].to_numpy()}
    posterior, note = sample_nuts(
        compiled(model).with_data(**outcome), number, TARGET_ACCEPT[model]
    )
    return as_rows(calibration.rank_truth(truth, thin(posterior), visits)), note


def sample_nuts(model, seed: int, target_accept: float) -> tuple[xr.Dataset, dict]:
    """Draws of the book's parameters from a compiled model, and a note on the sampler."""
    for draws in NUTS_DRAWS:
        target = target_accept if draws == NUTS_DRAWS[0] else 0.995
        tree = nutpie.sample(
            model,
            draws=draws,
            tune=NUTS_TUNE,
            chains=NUTS_CHAINS,
            cores=1,
            seed=seed,
            target_accept=target,
            progress_bar=False,
        )
        posterior = models.rename_bambi(tree)["posterior"].to_dataset()
        posterior = posterior[[name for name in models.PARAMETERS if name in posterior]]
        ess = min(float(value.min()) for value in az.ess(posterior).data_vars.values())
        divergences = int(tree["sample_stats"]["diverging"].sum())
        if divergences == 0 and ess >= NUTS_ESS:
            break
    return posterior, {"draws": draws, "divergences": divergences, "ess": round(ess, 1)}


def thin(posterior: xr.Dataset) -> xr.Dataset:
    """``DRAWS`` draws at even distances along all chains, as one chain."""
    joined = posterior.stack(place=["chain", "draw"], create_index=False)
    places = np.linspace(0, joined.sizes["place"] - 1, DRAWS).round().astype(int)
    picked = joined.isel(place=places).drop_vars(["chain", "draw"], errors="ignore")
    return picked.rename(place="draw").expand_dims("chain")


def cover(model: str, world: int) -> list[dict]:
    """The 95 % interval of the within-county slope (s per decade) in another world of the book."""
    visits = frames.standardize(simulate_bounce_times(world), "age")
    per_decade = 10 / frames.scale_of(visits, "age").sd
    if model == "MixedLM":
        intervals = {model: wald_interval(visits)}
    else:
        tree = exact.exact_posterior(model, visits, draws=4000, seed=world)
        intervals = {model: tree["exact"]["slope"].sel(statistic=["mean", LOWER, UPPER]).values}
    if model == "random_slope":
        own = tree["posterior"]["slope"] + tree["posterior"]["group_slope"].mean("county")
        limits = own.quantile([0.025, 0.975]).values
        intervals["random_slope, these counties"] = [float(own.mean()), *limits]
    table = pd.DataFrame(intervals, index=["mean", "lower", "upper"]).T * per_decade
    return table.round(4).rename_axis("model").reset_index().to_dict("records")


def wald_interval(visits: pd.DataFrame) -> list[float]:
    """Estimate and 95 % Wald interval of statsmodels' random-intercept model, by REML."""
    from statsmodels.formula.api import mixedlm
    from statsmodels.tools.sm_exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # A fit that did not converge must not pass for one.
        warnings.simplefilter("error", ConvergenceWarning)
        result = mixedlm("bounce_time ~ std_age", visits, groups="county").fit(reml=True)
    return [result.params["std_age"], *result.conf_int().loc["std_age"]]


def as_rows(ranks: pd.Series) -> list[dict]:
    return ranks.rename("rank").reset_index().to_dict("records")


@cache
def design() -> pd.DataFrame:
    """The book's visits: their standardized ages and counties are kept in every data set."""
    return frames.standardize(load_bounce_times(), "age")


@cache
def compiled(model: str):
    """A model compiled once for each process; its outcome is exchanged."""
    return nutpie.compile_pymc_model(models.build(model, design()))


# Many data sets, in pieces


def work(study: str, model: str, numbers: range) -> dict:
    """Do one piece; return its rows, notes on the sampler, data sets that failed, and seconds."""
    start, rows, notes, failed = time.perf_counter(), [], [], []
    for number in numbers:
        try:
            if study == "coverage":
                new = cover(model, number)
            elif study == "NUTS":
                new, note = rank_nuts(model, number)
                notes.append({"number": number, **note})
            else:
                priors = WRONG_PRIORS if study == "wrong prior" else models.Priors()
                new = rank_exact(model, number, priors)
            rows += [{"number": number, **row} for row in new]
        except (exact.QuadratureFailed, Warning) as error:
            failed.append({"number": number, "message": str(error)})
    return {"rows": rows, "notes": notes, "failed": failed, "seconds": time.perf_counter() - start}


def list_pieces(studies: list[str]) -> list[tuple[str, str, range]]:
    return [
        (study, model, range(first, min(first + PIECE, count + 1)))
        for (study, model), count in STUDIES.items()
        if study in studies
        for first in range(1, count + 1, PIECE)
    ]


def piece_path(folder: Path, study: str, model: str, numbers: range) -> Path:
    return folder / f"{study} {model} {numbers[0]}-{numbers[-1]}.json"


def run(folder: Path, studies: list[str]) -> None:
    """Do every piece that is not in ``folder`` yet, two at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = [piece for piece in list_pieces(studies) if not piece_path(folder, *piece).exists()]
    context = multiprocessing.get_context("spawn")
    start = time.perf_counter()
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        jobs = {pool.submit(work, *piece): piece for piece in pieces}
        for done, job in enumerate(as_completed(jobs), start=1):
            path, result = piece_path(folder, *jobs[job]), job.result()
            unfinished = path.with_suffix(".part")
            unfinished.write_text(json.dumps(result), encoding="utf-8")
            unfinished.replace(path)
            minutes = (time.perf_counter() - start) / 60
            print(
                f"[{done}/{len(pieces)}] {path.stem}: {result['seconds']:.0f} s, "
                f"{len(result['failed'])} failed ({minutes:.1f} min)",
                flush=True,
            )


# What is stored


def _describe(priors: models.Priors) -> dict:
    """The priors of the three models, which have no covariates here."""
    return {name: prior for name, prior in asdict(priors).items() if name != "covariate_slope"}


def settings() -> dict:
    """What a study is run with, besides models and versions."""
    nuts = {"chains": NUTS_CHAINS, "tune": NUTS_TUNE, "draws": NUTS_DRAWS}
    given = {
        "draws": DRAWS,
        "seed": SEED,
        "tolerance": TOLERANCE,
        "priors": _describe(models.Priors()),
        "wrong_priors": _describe(WRONG_PRIORS),
        "data_sets": {f"{study}, {model}": count for (study, model), count in STUDIES.items()},
        "nuts": nuts | {"target_accept": TARGET_ACCEPT},
    }
    return json.loads(json.dumps(given))  # as the record has them: lists, not tuples


def fingerprint() -> dict[str, list[float]]:
    """What today's models say in numbers, which survive another wording of the code, not another model.

    Each PyMC model's log density at two fixed points, and of each exact posterior of the book's data the
    log marginal likelihood, means and sds.
    """
    found = {}
    for name in models.MODELS:
        model = models.build(name, design())
        log_density, start = model.compile_logp(mode="FAST_COMPILE"), model.initial_point()
        found[f"{name}, log density"] = [
            float(log_density({key: start[key] + shift for key in start})) for shift in (0.0, 0.3)
        ]
        result = exact.exact_posterior(name, design(), draws=1)["exact"].to_dataset()
        moments = result.sel(statistic=["mean", "sd"])
        numbers = np.concatenate([moments[key].values.ravel() for key in sorted(moments)])
        found[f"{name}, exact"] = [result.attrs["log_marginal_likelihood"], *numbers.tolist()]
    return {name: [round(number, 4) for number in numbers] for name, numbers in found.items()}


def find_differences(record: dict) -> list[str]:
    """List what makes the stored study one of other models: settings or numbers, one phrase each."""
    found = find_changes(record["settings"], settings())
    for name, numbers in fingerprint().items():
        stored = record["fingerprint"].get(name, [])
        # Means are good to 0.001 posterior sds, and these are below 10; densities to all digits.
        tolerance = 0.001 if name.endswith("log density") else 0.01
        if len(stored) != len(numbers) or not np.allclose(stored, numbers, rtol=0, atol=tolerance):
            found.append(f"the numbers of '{name}' have changed")
    return found


def key_of(belongs_to: dict) -> str:
    """Name of the folder for pieces; more data sets of the same kind may join those that are there."""
    kind = {name: value for name, value in belongs_to["settings"].items() if name != "data_sets"}
    text = json.dumps({**belongs_to, "settings": kind}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write(folder: Path, target: Path, belongs_to: dict) -> None:
    """Gather the pieces into two tables and a record; ``SystemExit`` if one is not there yet."""
    pieces = list_pieces([study for study, _ in STUDIES])
    missing = [piece for piece in pieces if not piece_path(folder, *piece).exists()]
    if missing:
        raise SystemExit(f"Not written: {len(missing)} of {len(pieces)} pieces are still to do.")
    found = {piece: json.loads(piece_path(folder, *piece).read_text("utf-8")) for piece in pieces}
    rows, notes = gather(found, "rows"), gather(found, "notes")
    of_ranks, keys = rows["study"] != "coverage", ["study", "model", "quantity", "data_set"]
    ranks = rows[of_ranks].rename(columns={"number": "data_set"}).astype({"rank": int})
    coverage = rows[~of_ranks].rename(columns={"number": "world"})
    coverage = coverage[["model", "world", "mean", "lower", "upper"]]
    files = {
        "calibration.csv.gz": compress(ranks[[*keys, "rank"]].sort_values(keys)),
        "coverage.csv.gz": compress(coverage.sort_values(["model", "world"])),
    }
    failed = {}
    for (study, model, _), piece in found.items():
        if piece["failed"]:
            failed.setdefault(f"{study}, {model}", []).extend(piece["failed"])
    record = {
        **belongs_to,
        "sampler": {model: judge(own) for model, own in notes.groupby("model", sort=False)},
        "failed": failed,
        "minutes": round(sum(p["seconds"] for p in found.values()) / 60 / PROCESSES, 1),
    }
    store(target, files, "calibration.json", record)


def gather(found: dict, key: str) -> pd.DataFrame:
    """Entries of all pieces with study and model, unless an entry names a model of its own."""
    return pd.DataFrame(
        {"study": study, "model": model, **entry}
        for (study, model, _), piece in found.items()
        for entry in piece[key]
    )


def judge(notes: pd.DataFrame) -> dict:
    """How the sampler did over all data sets."""
    return {
        "data_sets": len(notes),
        "sampled_again": int((notes["draws"] > NUTS_DRAWS[0]).sum()),
        "data_sets_with_divergences": int((notes["divergences"] > 0).sum()),
        "divergences": int(notes["divergences"].sum()),
        "smallest_ess": float(notes["ess"].min()),
        "data_sets_with_ess_below_ranks": int((notes["ess"] < DRAWS).sum()),
    }


def compress(table: pd.DataFrame) -> bytes:
    """A table as gzipped CSV, the same bytes on every run."""
    text = table.to_csv(index=False, lineterminator="\n")
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    names = list(dict.fromkeys(study for study, _ in STUDIES))
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="parts to run")
    chosen = parser.parse_args().only
    belongs_to = {
        "settings": settings(),
        "versions": read_versions(PACKAGES),
        "fingerprint": fingerprint(),
    }
    folder = PIECES / key_of(belongs_to)
    print(f"Pieces are kept in {folder}.", flush=True)
    run(folder, chosen)
    write(folder, ROOT / "data", belongs_to)


if __name__ == "__main__":
    main()
