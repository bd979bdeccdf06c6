"""The script of the own-table page needs nothing of the book, and gives the page's answer."""

import os
import subprocess
import sys

import pandas as pd
import pytest

from chapters import ROOT
from helpers import elicitation, reading
from helpers.own import ask, candidates
from helpers.own.script import write_script
from helpers.priors import Plausible

TABLES = ROOT / "data" / "tables"
SAMPLER = {"draws": 1000, "tune": 1000, "chains": 4, "seed": 1}


@pytest.mark.parametrize(
    ("table", "formula", "plausible", "name", "written"),
    [
        (
            "sleepstudy",
            "reaction ~ days + (days | subject)",
            Plausible(100, 700, "ms"),
            "random slope",
            {"sep": ";", "decimal": ",", "encoding": "cp1252"},
        ),
        (
            "fatalities",
            "fatality_rate ~ beer_tax + (1 | state)",
            Plausible(0, 5, "deaths"),
            "within-between",
            {},
        ),
    ],
)
def test_the_script_runs_without_the_book_and_answers_as_the_exact_fit(
    tmp_path, table, formula, plausible, name, written
):
    path = tmp_path / "a table.csv"
    pd.read_csv(TABLES / f"{table}.csv").to_csv(path, index=False, **written)
    question = ask(formula, reading.read_table(path), plausible)
    priors = elicitation.elicit(question.formula, question.table, plausible).priors
    model = candidates.list_candidates(question, priors)[0][name]
    code = write_script(question, model, path, **SAMPLER)
    assert "helpers" not in code
    assert code.count("# change") >= 5
    own = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    (tmp_path / "fit.py").write_text(code, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-W", "error::SyntaxWarning", "fit.py"],
        cwd=tmp_path,
        env=own | {"MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = float(ran.stdout.splitlines()[-1].split()[0])
    exact = candidates.fit_exactly(model)["posterior"][model.main]
    scales = model.table.attrs["scales"]
    sd = scales.get(model.main, scales.get(model.main.removeprefix("std_")))["sd"]
    assert found == pytest.approx(float(exact.mean()) / sd, abs=0.1 * float(exact.std()) / sd)
