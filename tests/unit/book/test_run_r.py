"""R's results are stored whole or not at all, and whoever runs ``make r`` hears what is missing."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import run_r
from chapters import ROOT

SAID = {
    "no package": (
        "Error: R misses brms: install them as r/README.md says.\nExecution halted",
        "R misses brms: install them as r/README.md says",
    ),
    "no compiler": (
        "Error: brms needs a C++ compiler, and R finds none: install one as r/README.md says.",
        "C\\+\\+ compiler.*install one",
    ),
    "no Boost": ("Error: R's package BH has no Boost headers, as on Debian", "no Boost headers"),
    "no compilation": (
        "Error in compileCode(f, code): Compilation ERROR, function(s)/method(s) not created!",
        "does not compile",
    ),
    "divergences": (
        "Error: This fit must not be read (32 divergences, R-hat at most 1.2): raise adapt_delta",
        "must not be read.*adapt_delta",
    ),
}


def write_rscript(folder: Path, said: str) -> None:
    """An Rscript that says something and stops."""
    folder.mkdir()
    file = folder / "Rscript"
    file.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}\nEND\nexit 1\n", encoding="utf-8")
    file.chmod(0o755)


def run(target: Path, path: str) -> subprocess.CompletedProcess:
    command = [sys.executable, run_r.__file__, "--to", str(target)]
    own = {"PATH": path, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(command, env=os.environ | own, capture_output=True, text=True)


@pytest.fixture
def stored(tmp_path):
    target = tmp_path / "stored"
    target.mkdir()
    (target / "record.json").write_text("as it was", encoding="utf-8")
    return target


def stays(target: Path) -> bool:
    kept = [file.name for file in target.iterdir()] == ["record.json"]
    return kept and (target / "record.json").read_text(encoding="utf-8") == "as it was"


def test_without_r_one_sentence_says_what_to_install(stored, tmp_path):
    done = run(stored, str(tmp_path))
    assert done.returncode == 1 and stays(stored)
    assert done.stderr.strip() == (
        "There is no R: install it as r/README.md says; the pages show what is stored."
    )


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for R is a shell script")
@pytest.mark.parametrize(("said", "told"), SAID.values(), ids=SAID)
def test_a_script_that_stops_is_told_in_one_sentence(said, told, stored, tmp_path):
    write_rscript(tmp_path / "bin", said)
    done = run(stored, f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert done.returncode == 1 and stays(stored)
    (sentence,) = done.stderr.strip().splitlines()
    assert re.search(told, sentence) and "nothing was stored" in sentence


def test_what_a_run_gave_is_put_in_place_whole(stored, tmp_path):
    given = tmp_path / "given"
    (given / "05_pooled").mkdir(parents=True)
    (given / "05_pooled" / "what-it-says.txt").write_text("b 1.5 ± 0.2\n", encoding="utf-8")
    (given / "versions.json").write_text('{"R": "4.2.2"}', encoding="utf-8")
    (given / "lme4.csv").write_text("model\n", encoding="utf-8")
    run_r.store(given, stored, 1.25)
    record = json.loads((stored / "record.json").read_text(encoding="utf-8"))
    assert record["sections"]["05_pooled"]["what-it-says"]["text"] == "b 1.5 ± 0.2\n"
    assert (record["versions"], record["minutes"]) == ({"R": "4.2.2"}, 1.2)
