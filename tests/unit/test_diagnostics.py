import numpy as np
import pytest
import xarray as xr

from helpers import diagnostics, models
from simulated import DIMS, make_fit


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
    assert "in agreement with the exact answer" in verdict


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


def test_limits_are_the_known_ones_for_few_and_grow_slowly():
    assert diagnostics.r_hat_limit(99) == diagnostics.R_HAT_LIMIT
    assert diagnostics.distance_limit(99) == diagnostics.DISTANCE_LIMIT
    assert 1.01 < diagnostics.r_hat_limit(3000) < diagnostics.r_hat_limit(100_000) < 1.025
    assert 6 < diagnostics.distance_limit(3000) < diagnostics.distance_limit(100_000) < 10
