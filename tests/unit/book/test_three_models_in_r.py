"""What "Three models in brms" says of Python and of lme4 is so: its dictionary, and REML."""

import inspect
import re

import arviz as az
import bambi as bmb
import nbformat
import pymc as pm
import pytest
from formulae.parser import ParseError

from chapters import ROOT
from helpers import frames
from helpers.book import in_r
from helpers.book.visits import load_bounce_times
from helpers.exercises.answers.r2_three_models import fit_by_reml

CHAPTER = nbformat.read(ROOT / "notebooks" / "r2_three_models.ipynb", as_version=4)
(WORDS,) = [cell.source for cell in CHAPTER.cells if cell.id == "the-dictionary"]
LINES = [re.split(r"(?<!\\)\|", line)[1:-1] for line in WORDS.splitlines() if line[:1] == "|"][2:]
TABLE = {line[0].strip(): [part.strip().replace("\\|", "|") for part in line[1:]] for line in LINES}
STEPS = "Smaller steps than `0.8`, the default"
MODULES = {"pm": pm, "az": az, "bmb": bmb, "model": bmb.Model}


def entry(question: str, language: str) -> str:
    return TABLE[question][["brms", "lme4", "PyMC", "Bambi"].index(language)]


@pytest.fixture(scope="module")
def visits():
    return frames.standardize(load_bounce_times(), "age").rename(
        columns={"bounce_time": "y", "std_age": "x", "county": "g"}
    )


def test_each_row_of_the_dictionary_has_four_languages():
    assert len(TABLE) == 33 and {len(row) for row in TABLE.values()} == {4}


def test_each_name_of_python_in_the_dictionary_is_there():
    found = set(re.findall(r"\b(pm|az|bmb|model)\.([\w.]+)\b", WORDS))
    for module, path in found:
        part = MODULES[module]
        for name in path.split("."):
            part = getattr(part, name)
    assert len(found) > 15


def test_options_of_the_samplers_are_those_that_python_knows():
    known = {*inspect.signature(pm.sample).parameters, "target_accept"}
    for question in ("Draws and warm-up", "Chains, at a time, seed", STEPS):
        assert set(re.findall(r"(\w+)=", entry(question, "PyMC"))) <= known
        # Bambi hands on to PyMC what it does not know itself.
        assert entry(question, "Bambi") == entry(question, "PyMC")
    assert "kwargs" in inspect.signature(bmb.Model.fit).parameters
    for question in ("The population's line", "A group never seen"):
        (option,) = re.findall(r"(\w+)=", entry(question, "Bambi"))
        assert option in inspect.signature(bmb.Model.predict).parameters


def test_bambi_builds_what_the_dictionary_says(visits):
    formula = f"y ~ x + {entry('Levels and slopes, independent', 'Bambi').strip('`')}"
    levels = eval(entry("Half-normal prior of an sd", "Bambi").strip("`"), {"bmb": bmb})
    half = levels["1|g"].args["sigma"]
    assert (half.name, half.args) == ("HalfNormal", {"sigma": 20})
    normal = eval(entry("Prior of a slope", "Bambi").strip("`"), {"bmb": bmb})
    centring = entry("Intercept where predictors are zero", "Bambi").strip("`").split("=")
    assert centring == ["center_predictors", "False"]
    priors = {"x": normal, **levels, "sigma": half}
    model = bmb.Model(formula, visits, priors=priors, center_predictors=False)
    model.build()
    names = set(model.backend.model.named_vars)
    said = [entry(q, "Bambi") for q in ("Intercept and slope", "Sds of groups", "Residual sd")]
    assert set(re.findall(r"`([^`]+)`", " ".join(said))) <= names and "1|g" in names
    free = {variable.name for variable in model.backend.model.free_RVs}
    assert free == {"Intercept", "x", "sigma"} | {
        f"{term}|g_{part}" for term in "1x" for part in ("sigma", "offset")
    }  # and no correlation


def test_bambi_cannot_read_two_strokes(visits):
    with pytest.raises(ParseError):
        bmb.Model("y ~ x + (x || g)", visits)


def test_the_parameters_of_brms_have_the_names_of_the_dictionary():
    text = " ".join(row[0] for row in TABLE.values()).replace("_g__", "_county__")
    for name in in_r.NAMES:
        assert name.replace("std_age", "x") in text, name


@pytest.mark.parametrize("model", ["random_intercept", "random_slope"])
def test_lme4_stands_where_the_restricted_likelihood_is_highest(model):
    reml = in_r.load_lme4().loc[model, "estimate"]
    found = fit_by_reml(slopes=model == "random_slope")
    for name, value in reml.items():
        if name in found:
            assert found[name] == pytest.approx(value, abs=0.01), name
