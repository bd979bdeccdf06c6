"""Samplers against the exact answer: every mean, sd and 95 % limit within 4 Monte Carlo errors."""

from collections.abc import Callable
from functools import cache, partial

import pandas as pd
import pytest
import xarray as xr

from helpers import diagnostics, exact, frames, models
from helpers.book.visits import load_bounce_times
from simulated import simulate

LIMIT = 4
DRAWS = {"pymc": 4000, "bambi": 8000}  # of each chain
SHAPES = ("book", "forty groups", "unbalanced")
CASES = [(shape, name, backend) for shape in SHAPES for name in models.MODELS for backend in DRAWS]


@cache
def table_of(shape: str) -> pd.DataFrame:
    if shape == "forty groups":
        return simulate([8] * 40, slope_sd=6, sigma=6)
    if shape == "unbalanced":
        return simulate([1, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 9], slope_sd=6, sigma=6, seed=2)
    return frames.standardize(load_bounce_times(), "age")


@cache
def exact_answer(shape: str, name: str, backend: str = "pymc") -> xr.DataTree:
    """Bambi's random slopes have no correlation, so nor has their exact answer."""
    without_rho = (name, backend) == ("random_slope", "bambi")
    priors = models.Priors(lkj_eta=None) if without_rho else models.Priors()
    return exact.exact_posterior(name, table_of(shape), priors=priors, draws=10)


@cache
def fit_of(shape: str, name: str, backend: str, again: bool) -> xr.DataTree:
    return fit(name, table_of(shape), backend, again)


def fit(name: str, frame: pd.DataFrame, backend: str, again: bool, **settings) -> xr.DataTree:
    """A fit that passes the gate; ``again`` takes another seed and four times the draws."""
    draws, seed = DRAWS[backend] * (4 if again else 1), models.SEED + again
    tree = models.fit(name, frame, backend=backend, draws=draws, seed=seed, **settings)
    diagnostics.require_converged(tree)
    return tree


def disagreements(fit_with: Callable[[bool], xr.DataTree], answer: xr.DataTree) -> pd.DataFrame:
    """Rows of ``compare_with_exact`` beyond the limit.

    Chance puts one in 16,000 right numbers beyond 4 errors, however many draws there are, and more
    among the limits of intervals, whose errors are estimated from few draws; here are a thousand
    numbers. So an alarm is looked into: with another seed and four times the draws chance starts
    afresh, while a true difference doubles. What is beyond the limit both times is returned.
    """
    first = beyond_limit(fit_with(False), answer)
    if first.empty:
        return first
    second = beyond_limit(fit_with(True), answer)
    return second[second.index.isin(first.index)]


def beyond_limit(tree: xr.DataTree, answer: xr.DataTree) -> pd.DataFrame:
    compared = diagnostics.compare_with_exact(tree, answer)
    return compared[compared["difference"].abs() > LIMIT]


@pytest.mark.parametrize(("shape", "name", "backend"), CASES)
def test_a_sampler_agrees_with_the_exact_answer(shape, name, backend):
    answer = exact_answer(shape, name, backend)
    beyond = disagreements(partial(fit_of, shape, name, backend), answer)
    assert beyond.empty, beyond.to_string()


def test_pymc_without_a_correlation_agrees_too():
    """``lkj_eta=None`` is another model for PyMC; the samplers above have it from Bambi only."""
    priors, frame = models.Priors(lkj_eta=None), table_of("book")
    answer = exact.exact_posterior("random_slope", frame, priors=priors, draws=10)
    beyond = disagreements(partial(fit, "random_slope", frame, "pymc", priors=priors), answer)
    assert beyond.empty, beyond.to_string()


def test_a_flipped_sign_does_not_pass():
    wrong = table_of("book").assign(std_age=-table_of("book")["std_age"])
    wrong_fit = partial(fit, "random_intercept", wrong, "pymc")
    beyond = disagreements(wrong_fit, exact_answer("book", "random_intercept"))
    assert ("slope", "mean") in beyond.index


def test_two_exchanged_labels_do_not_pass():
    """The comparison does not know which side is wrong, so the exact answer may be."""
    swap = {"Cornwall": "Rutland", "Rutland": "Cornwall"}
    frame = table_of("book")
    frame = frame.assign(county=frame["county"].cat.rename_categories(swap))
    wrong = exact.exact_posterior("random_intercept", frame)
    beyond = disagreements(partial(fit_of, "book", "random_intercept", "pymc"), wrong)
    assert set(beyond.index.get_level_values("parameter")) == {
        "group_intercept[Cornwall]",
        "group_intercept[Rutland]",
    }


def test_another_prior_does_not_pass():
    """The subtlest of errors: one number in one prior."""
    priors = models.Priors(group_sd=25.0)
    wrong = exact.exact_posterior("random_intercept", table_of("book"), priors=priors)
    beyond = disagreements(partial(fit_of, "book", "random_intercept", "pymc"), wrong)
    assert ("group_sd", "mean") in beyond.index


def test_independent_draws_differ_from_the_exact_answer_by_what_the_errors_say():
    """The measure itself: differences of perfect draws have the spread of a standard normal."""
    tree = exact.exact_posterior("random_intercept", table_of("book"), draws=80_000)
    draws = tree["posterior"].to_dataset().isel(chain=0, drop=True).drop_vars("draw")
    draws = draws.coarsen(draw=1000).construct(draw=("chain", "draw"))
    differences = pd.concat(
        diagnostics.compare_with_exact(
            xr.DataTree.from_dict({"posterior": draws.isel(chain=slice(first, first + 4))}), tree
        )["difference"]
        for first in range(0, 80, 4)
    )
    spread = differences.groupby("statistic").std()
    assert spread.between(0.85, 1.2).all(), spread
