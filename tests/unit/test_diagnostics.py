import numpy as np
import pytest
import xarray as xr
from scipy import signal

from helpers import diagnostics, models

DIMS = ("chain", "draw")


def make_fit(draws: np.ndarray, **stats: np.ndarray) -> xr.DataTree:
    """A fit with one parameter by group, ``draws`` of shape (chain, draw, county)."""
    coords = {"county": [f"c{number}" for number in range(draws.shape[2])]}
    stats = {"diverging": np.zeros(draws.shape[:2], dtype=bool)} | stats
    posterior = xr.Dataset({"group_intercept": ((*DIMS, "county"), draws)}, coords)
    sample_stats = xr.Dataset({name: (DIMS, values) for name, values in stats.items()})
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": sample_stats})


@pytest.fixture
def independent():
    return np.random.default_rng(1).normal(size=(4, 1000, 3))


def test_independent_draws_pass(independent):
    assert diagnostics.find_failures(make_fit(independent)).empty
    verdict = diagnostics.require_converged(make_fit(independent))
    assert verdict.startswith("Fit passed: R-hat <= 1.00")


def shift_a_chain(draws):
    draws[0] += 1


def hardly_move(draws):
    for step in range(1, draws.shape[1]):
        draws[:, step] = 0.95 * draws[:, step - 1] + 0.3 * draws[:, step]


def stand_still(draws):
    draws[:] = 2.0


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize(
    ("spoil", "diagnostic"),
    [(shift_a_chain, "R-hat"), (hardly_move, "bulk ESS"), (stand_still, "R-hat")],
)
def test_a_parameter_that_has_not_converged_is_named(independent, spoil, diagnostic):
    spoil(independent[..., 1])
    failures = diagnostics.find_failures(make_fit(independent))
    assert diagnostic in set(failures["diagnostic"])
    assert set(failures["parameter"]) == {"group_intercept[c1]"}


def test_the_worst_of_each_kind_comes_first_and_the_fit_stops_with_the_table(independent):
    independent[0] += [0, 1, 3]
    with pytest.raises(
        diagnostics.FitRejected,
        match=r"R-hat[\s\S]*standardize[\s\S]*draw more[\s\S]*target_accept[\s\S]*exact",
    ) as rejection:
        diagnostics.require_converged(make_fit(independent))
    failures = rejection.value.failures
    for diagnostic, values in failures.groupby("diagnostic", sort=False)["value"]:
        assert len(values) == 2
        assert values.is_monotonic_decreasing == (diagnostic == "R-hat")
    assert set(failures.groupby("diagnostic").head(1)["parameter"]) == {"group_intercept[c2]"}


ONE_A_CHAIN = np.eye(4, 1000, dtype=bool)
WALK = np.random.default_rng(2).normal(size=(4, 1000)).cumsum(axis=1)


@pytest.mark.parametrize(
    ("stat", "values", "diagnostic"),
    [
        ("diverging", np.arange(4000).reshape(4, 1000) == 7, "divergences"),
        ("maxdepth_reached", ONE_A_CHAIN, "draws at maximal tree depth"),
        ("reached_max_treedepth", ONE_A_CHAIN, "draws at maximal tree depth"),
        ("energy", WALK, "E-BFMI"),
    ],
)
def test_what_the_sampler_says_of_itself_is_heard(independent, stat, values, diagnostic):
    failures = diagnostics.find_failures(make_fit(independent, **{stat: values}))
    assert set(failures["diagnostic"]) == {diagnostic}
    if stat != "energy":
        assert failures["value"].tolist() == [values.sum()]


@pytest.fixture(scope="module")
def exact(visits):
    return models.fit("random_intercept", visits, backend="exact")


@pytest.fixture
def sampled(exact):
    """The exact draws as if four chains of a sampler had made them."""
    draws = exact["posterior"].to_dataset().isel(chain=0, drop=True).drop_vars("draw")
    length = draws.sizes["draw"] // 4
    posterior = draws.coarsen(draw=length).construct(draw=DIMS).transpose(*DIMS, ...)
    calm = xr.Dataset({"diverging": (DIMS, np.zeros((4, length), dtype=bool))})
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": calm})


def test_exact_answers_and_fits_near_them_pass(exact, sampled):
    assert diagnostics.require_converged(exact).startswith("Exact answer")
    verdict = diagnostics.require_converged(sampled, exact)
    assert "Monte Carlo errors from the exact answer" in verdict


@pytest.mark.parametrize(
    "change",
    [
        lambda posterior: {"slope": -posterior["slope"]},
        lambda posterior: {"group_intercept": posterior["group_intercept"].roll(county=1)},
    ],
    ids=["sign", "groups"],
)
def test_a_converged_fit_of_a_wrong_model_is_stopped(exact, sampled, change):
    posterior = sampled["posterior"].to_dataset()
    sampled["posterior"] = posterior.assign(change(posterior))
    assert diagnostics.find_failures(sampled).empty
    with pytest.raises(diagnostics.FitRejected, match="distance from exact"):
        diagnostics.require_converged(sampled, exact)


def test_a_comparison_of_different_models_or_groups_is_refused(exact, sampled):
    posterior = sampled["posterior"].to_dataset()
    without = posterior.drop_vars("group_sd")
    with pytest.raises(ValueError, match="parameter 'group_sd'"):
        diagnostics.compare_with_exact(xr.DataTree.from_dict({"posterior": without}), exact)
    fewer = xr.DataTree.from_dict({"posterior": posterior.drop_sel(county="Rutland")})
    with pytest.raises(ValueError, match=r"parameter 'group_intercept\[Rutland\]'"):
        diagnostics.compare_with_exact(fewer, exact)


# Three thousand groups: what chance does to good chains, and errors among them that it does not do.
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


def test_limits_are_the_known_ones_for_few_and_grow_slowly():
    assert diagnostics.r_hat_limit(99) == diagnostics.R_HAT_LIMIT
    assert diagnostics.distance_limit(99) == diagnostics.DISTANCE_LIMIT
    assert 1.01 < diagnostics.r_hat_limit(3000) < diagnostics.r_hat_limit(100_000) < 1.025
    assert 6 < diagnostics.distance_limit(3000) < diagnostics.distance_limit(100_000) < 10
