import numpy as np
import pytest
import xarray as xr

from helpers import diagnostics, models


def fake_fit(draws: np.ndarray, diverging: int = 0) -> xr.DataTree:
    """A fit with one parameter by group, ``draws`` of shape (chain, draw, county)."""
    chains, length, counties = draws.shape
    dims = ("chain", "draw")
    coords = {"county": [f"c{number}" for number in range(counties)]}
    divergent = np.zeros((chains, length), dtype=bool)
    divergent[0, :diverging] = True
    posterior = xr.Dataset({"group_intercept": ((*dims, "county"), draws)}, coords)
    return xr.DataTree.from_dict(
        {"posterior": posterior, "sample_stats": xr.Dataset({"diverging": (dims, divergent)})}
    )


@pytest.fixture
def independent():
    return np.random.default_rng(1).normal(size=(4, 1000, 3))


def test_independent_draws_pass(independent):
    assert diagnostics.find_failures(fake_fit(independent)).empty
    verdict = diagnostics.require_converged(fake_fit(independent))
    assert verdict.startswith("Fit passed: R-hat <= 1.00")


def test_a_chain_that_sits_elsewhere_is_named(independent):
    independent[0, :, 1] += 1
    failures = diagnostics.find_failures(fake_fit(independent))
    assert "R-hat" in set(failures["diagnostic"])
    assert set(failures["parameter"]) == {"group_intercept[c1]"}


def test_the_worst_of_each_kind_comes_first(independent):
    independent[0] += [0, 1, 3]
    failures = diagnostics.find_failures(fake_fit(independent))
    for diagnostic, values in failures.groupby("diagnostic", sort=False)["value"]:
        assert len(values) == 2
        assert values.is_monotonic_decreasing == (diagnostic == "R-hat")
    assert set(failures.groupby("diagnostic").head(1)["parameter"]) == {"group_intercept[c2]"}


def test_draws_that_hardly_move_fail_on_ess(independent):
    walk = independent.copy()
    for step in range(1, walk.shape[1]):
        walk[:, step, 2] = 0.95 * walk[:, step - 1, 2] + 0.3 * independent[:, step, 2]
    failures = diagnostics.find_failures(fake_fit(walk))
    assert "bulk ESS" in set(failures["diagnostic"])
    assert set(failures["parameter"]) == {"group_intercept[c2]"}


def test_one_divergence_is_one_too_many(independent):
    failures = diagnostics.find_failures(fake_fit(independent, diverging=1))
    assert failures[["diagnostic", "value"]].to_numpy().tolist() == [["divergences", 1]]


def test_a_chain_that_cannot_change_its_energy_fails(independent):
    tree = fake_fit(independent)
    walk = np.random.default_rng(2).normal(size=(4, 1000)).cumsum(axis=1)
    tree["sample_stats"] = (
        tree["sample_stats"].to_dataset().assign(energy=(("chain", "draw"), walk))
    )
    assert set(diagnostics.find_failures(tree)["diagnostic"]) == {"E-BFMI"}


@pytest.mark.parametrize("name", ["maxdepth_reached", "reached_max_treedepth"])
def test_a_draw_that_stopped_at_the_maximal_tree_depth_fails(independent, name):
    tree = fake_fit(independent)
    stopped = tree["sample_stats"]["diverging"].copy(data=np.eye(4, 1000, dtype=bool))
    tree["sample_stats"] = tree["sample_stats"].to_dataset().assign({name: stopped})
    failures = diagnostics.find_failures(tree)
    assert failures[["diagnostic", "value"]].to_numpy().tolist() == [
        ["draws at maximal tree depth", 4]
    ]


def test_a_parameter_that_never_moves_fails(independent):
    independent[:, :, 0] = 2.0
    failures = diagnostics.find_failures(fake_fit(independent))
    assert "group_intercept[c0]" in set(failures["parameter"])


def test_a_bad_fit_stops_with_its_table(independent):
    independent[0] += 1
    with pytest.raises(diagnostics.FitRejected, match="R-hat") as rejection:
        diagnostics.require_converged(fake_fit(independent))
    assert len(rejection.value.failures) >= 3
    assert "Draw more" in str(rejection.value)


@pytest.fixture(scope="module")
def exact(visits):
    return models.fit("random_intercept", visits, backend="exact")


def pretend_sampled(exact: xr.DataTree) -> xr.DataTree:
    """The exact draws as if four chains of a sampler had made them."""
    draws = exact["posterior"].to_dataset().isel(chain=0, drop=True)
    length = draws.sizes["draw"] // 4
    chains = [draws.isel(draw=slice(k * length, (k + 1) * length)) for k in range(4)]
    chains = [chain.assign_coords(draw=np.arange(length)) for chain in chains]
    posterior = xr.concat(chains, "chain").transpose("chain", "draw", ...)
    calm = xr.Dataset({"diverging": (("chain", "draw"), np.zeros((4, length), dtype=bool))})
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": calm})


def test_exact_answers_pass(exact):
    assert diagnostics.require_converged(exact).startswith("Exact answer")


def test_a_fit_near_the_exact_answer_passes_and_says_how_near(exact):
    verdict = diagnostics.require_converged(pretend_sampled(exact), exact)
    assert "Monte Carlo errors from the exact answer" in verdict


@pytest.mark.parametrize("wrong", ["sign", "groups"])
def test_a_converged_fit_of_a_wrong_model_is_stopped(exact, wrong):
    tree = pretend_sampled(exact)
    posterior = tree["posterior"].to_dataset()
    if wrong == "sign":
        posterior["slope"] = -posterior["slope"]
    else:
        posterior["group_intercept"] = posterior["group_intercept"].roll(county=1)
    tree["posterior"] = posterior
    assert diagnostics.find_failures(tree).empty
    with pytest.raises(diagnostics.FitRejected, match="distance from exact"):
        diagnostics.require_converged(tree, exact)


def test_a_comparison_of_different_models_or_groups_is_refused(exact, visits):
    tree = pretend_sampled(exact)
    without = tree.copy()
    without["posterior"] = tree["posterior"].to_dataset().drop_vars("group_sd")
    with pytest.raises(ValueError, match="parameter 'group_sd'"):
        diagnostics.compare_with_exact(without, exact)
    fewer = visits[visits["county"] != "Rutland"]
    other = models.fit("random_intercept", fewer, backend="exact")
    with pytest.raises(ValueError, match=r"parameter 'group_intercept\[Rutland\]'"):
        diagnostics.compare_with_exact(tree, other)
