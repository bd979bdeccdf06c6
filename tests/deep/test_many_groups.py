"""The gate where thousands of numbers are judged: sound fits pass, and one error is found."""

import numpy as np
import pytest
import xarray as xr
from scipy import signal

from helpers import diagnostics
from simulated import make_fit

GROUPS = 3000


@pytest.fixture(scope="module")
def crowd():
    """Good chains with an ESS of 1,000, of 3,000 groups whose answers are known."""
    rng, phi = np.random.default_rng(3), 0.6
    noise = np.sqrt(1 - phi**2) * rng.normal(size=(4, 1100, GROUPS))
    draws = signal.lfilter([1], [1, -phi], noise, axis=1)[:, 100:]
    return draws + rng.normal(scale=2, size=GROUPS)[None, None], rng


@pytest.fixture(scope="module")
def answers(crowd):
    """The exact answer to ``crowd``, as exact_posterior gives it."""
    centre = np.random.default_rng(3)
    centre.normal(size=(4, 1100, GROUPS))
    means = centre.normal(scale=2, size=GROUPS)
    values = [means, np.ones(GROUPS), means - 1.959964, means, means + 1.959964]
    names = ["mean", "sd", diagnostics.LOWER, "50 %", diagnostics.UPPER]
    coords = {"statistic": names, "county": [f"c{number}" for number in range(GROUPS)]}
    answer = xr.Dataset({"group_intercept": (("statistic", "county"), np.array(values))}, coords)
    return xr.DataTree.from_dict({"exact": answer})


def test_good_chains_of_thousands_of_groups_pass(crowd, answers):
    """Of so many numbers one is above the limits for a few."""
    fit = make_fit(crowd[0])
    found = diagnostics.convergence.judge(fit["posterior"].to_dataset())["R-hat"]
    compared = diagnostics.compare_with_exact(fit, answers)["difference"].abs()
    assert float(found["group_intercept"].max()) > diagnostics.R_HAT_LIMIT
    assert compared.max() > 4.5
    assert diagnostics.find_failures(fit, answers).empty
    assert diagnostics.require_converged(fit, answers).startswith("Fit passed")


def shift_one_chain_of_one(draws):
    draws[0, :, 7] += 1


def walk_in_one(draws):
    draws[:, :, 9] = np.random.default_rng(1).normal(size=(4, 1000)).cumsum(axis=1)


def stand_still_in_one(draws):
    draws[:, :, 5] = 1.0


def shift_a_chain_a_little_in_all(draws):
    draws[0] += 0.3


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize(
    ("spoil", "parameters"),
    [
        (shift_one_chain_of_one, {"group_intercept[c7]"}),
        (walk_in_one, {"group_intercept[c9]"}),
        (stand_still_in_one, {"group_intercept[c5]"}),
        (shift_a_chain_a_little_in_all, None),
    ],
)
def test_an_error_among_thousands_is_found(crowd, spoil, parameters):
    draws = crowd[0].copy()
    spoil(draws)
    failures = diagnostics.find_failures(make_fit(draws))
    assert len(failures)
    if parameters:
        assert set(failures["parameter"]) == parameters
    with pytest.raises(diagnostics.FitRejected) as rejection:
        diagnostics.require_converged(make_fit(draws))
    assert len(str(rejection.value).splitlines()) < 30
    assert ("more, all in" in str(rejection.value)) == (len(failures) > 20)


def swap_two(draws):
    draws[:, :, [3, 4]] = draws[:, :, [4, 3]]


def move_all_a_little(draws):
    draws += 0.1


@pytest.mark.parametrize("spoil", [swap_two, move_all_a_little])
def test_a_wrong_answer_among_thousands_is_found_beside_the_exact_one(crowd, answers, spoil):
    draws = crowd[0].copy()
    spoil(draws)
    assert diagnostics.find_failures(make_fit(draws)).empty
    failures = diagnostics.find_failures(make_fit(draws), answers)
    assert failures["diagnostic"].str.contains("distance").all() and len(failures)
    if spoil is swap_two:
        found = set(failures["parameter"])
        assert found == {"group_intercept[c3]", "group_intercept[c4]"}
