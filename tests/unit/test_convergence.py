"""Thousands of numbers at once are judged as ArviZ judges one."""

import arviz as az
import numpy as np
import pytest
import xarray as xr

from helpers import convergence

RNG = np.random.default_rng(1)


def autocorrelated() -> np.ndarray:
    draws = RNG.normal(size=(4, 501, 5))
    for step in range(1, 501):
        draws[:, step] = 0.9 * draws[:, step - 1] + 0.4 * draws[:, step]
    return draws


def with_entry(value: float) -> np.ndarray:
    draws = RNG.normal(size=(4, 100, 3))
    draws[0, 3, 1] = value
    return draws


SHAPES = {
    "independent": RNG.normal(size=(4, 1000, 3)),
    "autocorrelated, odd length": autocorrelated(),
    "ties": np.round(RNG.normal(size=(4, 1000, 3)), 1),
    "a constant": np.stack([np.full((4, 100), 2.0), RNG.normal(size=(4, 100))], axis=2),
    "a NaN": with_entry(np.nan),
    "heavy tails": RNG.standard_cauchy(size=(3, 300, 2)),
    "a chain apart": RNG.normal(size=(4, 500, 2)) + np.array([1, 0, 0, 0])[:, None, None],
    "one chain": RNG.normal(size=(1, 400, 2)),
    "eight draws": RNG.normal(size=(2, 8, 4)),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", SHAPES)
def test_numbers_are_those_of_arviz(name, monkeypatch):
    monkeypatch.setattr(convergence, "CHUNK", 2 * SHAPES[name][..., 0].size)  # in several pieces
    draws = xr.Dataset(
        {
            "by_group": (("chain", "draw", "kind"), SHAPES[name]),
            "alone": (("chain", "draw"), SHAPES[name][..., 0]),
        },
        {"kind": list("abcde"[: SHAPES[name].shape[2]])},
    )
    judged = convergence.judge(draws)
    pairs = [
        (judged["R-hat"], az.rhat(draws)),
        (judged["bulk ESS"], az.ess(draws, method="bulk")),
        (judged["tail ESS"], az.ess(draws, method="tail", prob=(0.05, 0.95))),
        (convergence.mcse_mean(draws), az.mcse(draws, method="mean")),
        (convergence.mcse_sd(draws), az.mcse(draws, method="sd")),
        *(
            (convergence.mcse_quantile(draws, prob), az.mcse(draws, method="quantile", prob=prob))
            for prob in (0.025, 0.975)
        ),
    ]
    for ours, theirs in pairs:
        xr.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_too_few_draws_have_no_diagnostics():
    draws = xr.Dataset({"u": (("chain", "draw"), RNG.normal(size=(4, 7)))})
    assert all(np.isnan(values["u"]) for values in convergence.judge(draws).values())
    assert np.isnan(convergence.mcse_quantile(draws, 0.5)["u"])
