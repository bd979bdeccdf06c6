"""R itself gives again what is stored, up to Monte Carlo error."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import run_r
from chapters import ROOT
from executed import require
from helpers import diagnostics, exact, frames, models
from helpers.book import in_r
from helpers.book.outcomes import load_next_visits
from helpers.book.visits import data_file, load_bounce_times
from helpers.priors import MODELS

# The priors of r/19_two_factors.R and r/20_outcomes.R, and of the chapters beside them.
WINE = {"Intercept": (50, 25), "temperature": (0, 20), "contact": (0, 20), "sigma": 20}
WINE |= {"1|judge": 20, "1|bottle": 10}
OUTCOMES = {
    "returned": ("bernoulli", {"Intercept": (0, 1.5), "std_age": (0, 0.5), "1|county": 1}),
    "pages": (
        "negativebinomial",
        {"Intercept": (1, 1), "std_age": (0, 0.5), "1|county": 0.5, "alpha": 5},
    ),
}


def distance_of_wine(priors: dict) -> float:
    """How far brms's stored draws are from the exact posterior under these priors, in Monte Carlo
    errors, where they are farthest."""
    wine = pd.read_csv(data_file("tables/wine.csv")).astype({"judge": str, "bottle": str})
    formula = "bitterness ~ temperature + contact + (1|judge) + (1|bottle)"
    answer = models.fit(formula, wine, priors=priors, backend="exact")
    compared = diagnostics.compare_with_exact(in_r.load_two_factors(), answer)
    return compared["difference"].abs().max()


def distance_of_outcome(outcome: str, changed: dict) -> float:
    """How far means of brms's stored draws and of Bambi's are apart, in errors of their difference,
    where they are farthest; ``changed`` are priors other than R's."""
    visits, (family, priors) = frames.standardize(load_next_visits(), "age"), OUTCOMES[outcome]
    fit = models.fit(
        f"{outcome} ~ std_age + (1 | county)",
        visits,
        family=family,
        backend="bambi",
        priors=priors | changed,
        draws=2000,
    )
    here = models.rename_bambi(fit)["posterior"].to_dataset()
    if "alpha" in fit["posterior"]:
        here = here.assign(alpha=fit["posterior"]["alpha"])
    there = in_r.load_fit(outcome)["posterior"].to_dataset()
    assert {*here} == {*there}
    errors = [diagnostics.monte_carlo_errors(draws)["mean"] for draws in (here, there)]
    apart = here.mean(["chain", "draw"]) - there.mean(["chain", "draw"])
    return max(
        float(abs(apart[name] / np.hypot(*(error[name] for error in errors))).max())
        for name in here
    )


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    """All scripts, run once more, every model compiled anew."""
    require(bool(shutil.which("Rscript")), "there is no R: r/README.md says what to install")
    folder = tmp_path_factory.mktemp("r")
    command = [sys.executable, run_r.__file__, "--to", str(folder / "r")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "r"


def test_the_scripts_print_and_draw_what_is_stored(again):
    now = json.loads((again / "record.json").read_text(encoding="utf-8"))
    stored = in_r.load_record()
    assert now["fingerprint"] == stored["fingerprint"]
    for name, sections in stored["sections"].items():
        for title, section in sections.items():
            found = now["sections"][name][title]
            assert found["figures"] == section["figures"], (name, title)
            assert bool(found["text"].strip()) == bool(section["text"].strip()), (name, title)


@pytest.mark.parametrize("model", MODELS)
def test_brms_agrees_with_the_exact_posterior_again(again, model, monkeypatch):
    monkeypatch.setattr(in_r, "data_file", lambda name: again if name == "r" else None)
    visits = frames.standardize(load_bounce_times(), "age")
    posterior = exact.exact_posterior(model, visits)
    # Each script has judged its chains; here are the numbers.
    compared = diagnostics.compare_with_exact(in_r.load_fit(model), posterior)
    assert compared["difference"].abs().max() < diagnostics.DISTANCE_LIMIT


def test_lme4_gives_the_stored_estimates_again(again, monkeypatch):
    stored = in_r.load_lme4()
    monkeypatch.setattr(in_r, "data_file", lambda name: again)
    assert in_r.load_lme4()["estimate"].to_numpy() == pytest.approx(stored["estimate"], rel=1e-3)


def test_brms_agrees_with_the_exact_posterior_of_two_factors_and_sees_another_prior():
    assert distance_of_wine(WINE) < 4
    assert distance_of_wine(WINE | {"1|judge": 10}) > diagnostics.DISTANCE_LIMIT


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_brms_agrees_with_bambi_on_yes_or_no_and_on_counts(outcome):
    assert distance_of_outcome(outcome, {}) < 4
    assert distance_of_outcome(outcome, {"std_age": (0, 0.1)}) > 6
