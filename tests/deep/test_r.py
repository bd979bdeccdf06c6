"""R itself gives again what is stored, up to Monte Carlo error."""

import json
import shutil
import subprocess
import sys

import pytest

import run_r
from conftest import ROOT, require
from helpers import diagnostics, exact, frames
from helpers.book import in_r
from helpers.book.visits import load_bounce_times
from helpers.priors import MODELS


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
