"""What chapters 5 to 9 sampled is the posterior: each fit that the book's run stored beside its exact answer.

On the page the gate judges a fit as readers can judge theirs, by its chains alone. Here it is judged by the
answer too.
"""

import functools

import numpy as np
import pymc as pm
import pytest
from pytensor.compile.mode import Mode

from chapters import stored_path
from executed import require
from helpers import diagnostics, exact, frames
from helpers.book.visits import load_bounce_times
from helpers.exercises.answers.shared import firms
from helpers.priors import MODELS, Priors
from helpers.workshop import stored
from lkj_cholesky import build_with_cholesky

NO_RHO = Priors(lkj_eta=None)  # Bambi's
OF_FIRMS = {"outcome": "invest", "predictor": "std_value", "group": "firm"}
LOG_SCALE = Priors(intercept=(4, 2), slope=(0, 2), sigma=1, group_sd=1)
LABELS = ("Pooled regression", "Random intercept", "Random intercept and slope")
# Model and priors of each fit, by its chapter and where the chapter keeps it.
FITS = {
    ("05_pooled_regression", "fit_pymc"): ("pooled", Priors()),
    ("05_pooled_regression", "fit_bambi"): ("pooled", Priors()),
    ("06_random_intercept", "fit_pymc"): ("random_intercept", Priors()),
    ("06_random_intercept", "fit_bambi"): ("random_intercept", Priors()),
    ("06_random_intercept", "fit_firms"): ("random_intercept", LOG_SCALE),
    ("07_random_slope", "fit_intercept"): ("random_intercept", Priors()),
    ("07_random_slope", "fit_pymc"): ("random_slope", Priors()),
    ("07_random_slope", "fit_bambi"): ("random_slope", NO_RHO),
    **{
        ("09_what_we_learned", "three", label): (name, Priors())
        for name, label in zip(MODELS, LABELS, strict=True)
    },
}
CHAPTERS = sorted({place[0] for place in FITS})


def list_stored() -> dict[tuple, str]:
    """The file of each fit of these chapters, by chapter and place."""
    found = {}
    for chapter in CHAPTERS:
        folder = stored_path() / chapter
        require(folder.exists(), f"{chapter} has not been run: run `make book` first")
        for cell in folder.glob("*.txt"):
            files = stored.list_files(cell.stem, folder).items()
            found |= {(chapter, *place): (cell.stem, place) for place, _ in files}
    return found


def load(place: tuple):
    cell, names = list_stored()[place]
    posteriors = stored.load(cell, stored_path() / place[0])
    return functools.reduce(lambda inner, name: inner[name], names, posteriors)


@functools.cache
def answer(model: str, priors: Priors):
    """The exact posterior; the priors on the log scale belong to the firms."""
    if priors is LOG_SCALE:
        table = frames.standardize(firms(), "value")
        return exact.exact_posterior(model, table, priors=priors, draws=100, **OF_FIRMS)
    visits = frames.standardize(load_bounce_times(), "age")
    return exact.exact_posterior(model, visits, priors=priors, draws=100)


def test_every_fit_of_these_chapters_is_judged_here():
    assert {*list_stored()} == {*FITS}


@pytest.mark.parametrize("place", FITS, ids=" ".join)
def test_what_a_chapter_sampled_agrees_with_the_exact_answer(place):
    verdict = diagnostics.require_converged(load(place), answer(*FITS[place]))
    assert "in agreement with the exact answer" in verdict


def test_a_fit_with_another_prior_would_be_seen():
    fit = load(("05_pooled_regression", "fit_pymc"))
    with pytest.raises(diagnostics.FitRejected, match="slope"):
        diagnostics.require_converged(fit, answer("pooled", Priors(slope=(0, 5))))


# The same model in another form


@pytest.mark.parametrize(("group_sd", "slope_sd", "rho"), [(12.0, 1.0, -0.3), (3.0, 6.0, 0.8)])
def test_the_cholesky_form_has_the_priors_of_the_form_for_two_effects(group_sd, slope_sd, rho):
    """Its posterior is sampled in the deep lane, since it takes two minutes to compile."""
    model, rest = build_with_cholesky(), np.sqrt(1 - rho**2)
    entries = np.array([group_sd, slope_sd * rho, slope_sd * rest])  # of the factor, row by row
    python = Mode(linker="py", optimizer=None)  # nothing to compile
    density = float(pm.logp(model["factor"], entries).sum().eval(mode=python))
    priors = Priors().distributions()
    written = {"group_sd": group_sd, "slope_sd": slope_sd, "rho": rho}
    expected = sum(priors[name].logpdf(value) for name, value in written.items())
    # The entries are other coordinates than sds and correlation.
    assert density == pytest.approx(expected + np.log(rest / slope_sd))


def test_the_cholesky_form_keeps_one_named_dimension_for_each_effect():
    dims = build_with_cholesky().named_vars_to_dims
    assert dims["group_intercept"] == dims["group_slope"] == ("county",)
