"""Two grouping factors: beside matrices of all rows, the answer for one factor, and published REML."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from helpers import models
from helpers.exact import crossed, exact_posterior
from helpers.exact.problem import QuadratureFailed, condition, sds_at
from helpers.terms import as_two_factors
from real_tables import TABLES

PRIORS = {"Intercept": (1.0, 2.0), "x": (0.0, 1.5), "sigma": 1.5, "1|g": 1.0, "1|h": 2.0}
FORMULA = "y ~ x + (1|g) + (1|h)"
NESTED = "y ~ x + (1|h/g)"


@pytest.fixture(scope="module")
def tiny():
    """Twelve rows of four and three groups; one pair of groups has no row."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {"g": list("abcdabcdabca"), "h": list("uuvvwwvuvuww"), "x": rng.normal(size=12)}
    )
    own = (
        rng.normal(size=4)[frame["g"].factorize()[0]]
        + rng.normal(size=3)[frame["h"].factorize()[0]]
    )
    return frame.assign(y=1 + frame["x"] + own + rng.normal(size=12))


def by_all_rows(frame: pd.DataFrame, priors: dict, factors: dict, points: int = 58) -> tuple:
    """Log marginal likelihood, and means and sds of all parameters, by n x n matrices at ``points``
    values of the log of each sd."""
    logs = np.linspace(-12, 2.5, points)
    first, second, sigma = np.exp(np.array(list(product(logs, repeat=3)))).T
    scales = priors["sigma"], *(priors[name] for name in factors)
    log_prior = 3 * np.log(logs[1] - logs[0])
    for sd, scale in zip((sigma, first, second), scales, strict=True):
        log_prior = (
            log_prior + np.log(2 / np.pi) / 2 - np.log(scale) - (sd / scale) ** 2 / 2 + np.log(sd)
        )
    X = np.column_stack([np.ones(len(frame)), frame["x"]])
    Z = [
        X,
        *(pd.get_dummies(frame[c].agg("".join, axis=1)).to_numpy(float) for c in factors.values()),
    ]
    sizes = [part.shape[1] for part in Z]
    Z, kind = np.hstack(Z), np.repeat([0, 1, 2], sizes)
    mean, sd = np.array([priors["Intercept"], priors["x"]]).T
    prior_mean = np.append(mean, np.zeros(sum(sizes[1:])))
    variance = np.where(kind == 1, first[:, None] ** 2, second[:, None] ** 2)
    variance[:, :2] = sd**2
    V = np.einsum("ip,kp,jp->kij", Z, variance, Z) + sigma[:, None, None] ** 2 * np.eye(len(Z))
    error = frame["y"].to_numpy() - Z @ prior_mean
    gain = variance[:, :, None] * np.swapaxes(np.linalg.solve(V, Z[None]), 1, 2)
    solved = np.linalg.solve(V, np.broadcast_to(error[:, None], (len(V), len(Z), 1)))[..., 0]
    density = (
        log_prior - (solved @ error + np.linalg.slogdet(V)[1] + len(Z) * np.log(2 * np.pi)) / 2
    )
    weight = np.exp(density - density.max())
    total = weight.sum()
    values = np.hstack([np.column_stack([sigma, first, second]), prior_mean + gain @ error])
    own = variance - np.einsum("kpi,ip,kp->kp", gain, Z, variance)
    means = weight @ values / total
    squares = weight @ ((values - means) ** 2 + np.pad(own, [(0, 0), (3, 0)])) / total
    return density.max() + np.log(total), means, np.sqrt(squares)


@pytest.mark.parametrize(
    ("formula", "first", "second"),
    [(FORMULA, "g", "h"), (NESTED, "h", "h:g"), ("y ~ x + (1|g:h) + (1|g)", "g:h", "g")],
)
def test_it_is_what_matrices_of_all_rows_give(tiny, formula, first, second):
    priors = {k: v for k, v in PRIORS.items() if "|" not in k}
    priors |= {f"1|{first}": 1.0, f"1|{second}": 2.0}
    factors = {f"1|{factor}": factor.split(":") for factor in (first, second)}
    log_density, means, sds = by_all_rows(tiny, priors, factors)
    tree = exact_posterior(formula, tiny, priors=priors, draws=10)
    answer = tree["exact"].to_dataset()
    assert tree["exact"].attrs["log_marginal_likelihood"] == pytest.approx(log_density, abs=1e-4)
    scalars = ["sigma", f"1|{first}_sigma", f"1|{second}_sigma", "Intercept", "x"]
    found = [answer[name].values[:, None] for name in scalars]
    for name, columns in factors.items():
        dim = f"{name[2:]}__factor_dim"
        there = sorted({":".join(row) for row in tiny[columns].itertuples(index=False)})
        found.append(answer[name].sel({dim: there}).transpose("statistic", dim).values)
    found = np.hstack(found)
    assert np.abs((found[0] - means) / sds).max() < 2e-3
    assert np.abs(found[1] / sds - 1).max() < 2e-3


def test_a_second_factor_without_spread_is_none(tiny):
    one = exact_posterior(
        "y ~ x + (1|g)", tiny, priors={k: v for k, v in PRIORS.items() if k != "1|h"}, draws=10
    )
    for scale, close in [(1e-4, 1e-6), (1e-9, 1e-6)]:
        both = exact_posterior(FORMULA, tiny, priors=PRIORS | {"1|h": scale}, draws=10)
        wanted = one["exact"].attrs["log_marginal_likelihood"]
        assert both["exact"].attrs["log_marginal_likelihood"] == pytest.approx(wanted, abs=close)
        names = ["Intercept", "x", "sigma", "1|g_sigma", "1|g"]
        difference = (both["exact"].to_dataset() - one["exact"].to_dataset())[names]
        difference = difference.sel(statistic=["mean", "sd"])
        assert max(float(abs(values).max()) for values in difference.values()) < 2e-3


# lme4's REML estimates: sds of both factors and sigma, and the mean with its standard error.
REML = {
    "penicillin": (
        "diameter ~ 1 + (1|plate) + (1|sample)",
        [0.8467, 1.9316, 0.5499],
        22.9722,
        0.8086,
    ),
    "pastes": ("strength ~ 1 + (1|batch/cask)", [2.9041, 1.2874, 0.8234], 60.0533, 0.6769),
}


@pytest.mark.parametrize("table", REML)
def test_its_density_given_the_sds_is_highest_where_lme4s_reml_is(table):
    """With a flat prior of the mean, the likelihood of the sds is that of REML."""
    formula, sds, mean, error = REML[table]
    frame = pd.read_csv(TABLES / f"{table}.csv")
    names = [
        name for name in ("1|plate", "1|sample", "1|batch", "1|batch:cask") if name[2:5] in formula
    ]
    priors = {"Intercept": (0.0, 1e5), "sigma": 10.0} | dict.fromkeys(names, 10.0)
    model = as_two_factors(formula, frame, priors)
    problem = crossed.build_crossed(model)

    def deviance(t):
        return -condition(problem, sds_at(problem, t[None])[0])[0][0]

    settings = {"xatol": 1e-7, "fatol": 1e-10, "maxiter": 2000}
    t = optimize.minimize(deviance, np.ones(3), method="Nelder-Mead", options=settings).x
    found, _ = sds_at(problem, t[None])
    np.testing.assert_allclose([getattr(found, name)[0] for name in problem.names], sds, atol=6e-5)
    _, line, covariance = condition(problem, found)
    assert line[0, 0] + problem.data.units.reference[0] == pytest.approx(mean, abs=6e-5)
    assert np.sqrt(covariance[0, 0, 0]) == pytest.approx(error, abs=2e-4)


def test_the_draws_are_those_of_the_posterior(tiny):
    tree = exact_posterior(FORMULA, tiny, priors=PRIORS, draws=40_000)
    drawn, answer = tree["posterior"].to_dataset(), tree["exact"].to_dataset()
    assert dict(drawn.sizes) == {"chain": 1, "draw": 40_000, "g__factor_dim": 4, "h__factor_dim": 3}
    for name, of in answer.items():
        mean, sd = of.sel(statistic="mean"), of.sel(statistic="sd")
        assert float(abs((drawn[name].mean(["chain", "draw"]) - mean) / sd).max()) < 0.022
        assert float(abs(drawn[name].std(["chain", "draw"]) / sd - 1).max()) < 0.06
        for label in ("2.5 %", "50 %", "97.5 %"):
            below = (drawn[name] < of.sel(statistic=label)).mean(["chain", "draw"])
            assert float(abs(below - float(label.split()[0]) / 100).max()) < 0.011
    # Effects, coefficients and the outcome hang together as the model says.
    both = (
        drawn["Intercept"]
        + drawn["1|g"].sel(g__factor_dim="a")
        + drawn["1|h"].sel(h__factor_dim="u")
    )
    apart = sum(float(drawn[n].var()) for n in ("Intercept", "1|g", "1|h"))
    assert float(both.var()) < apart / 2


def test_a_fit_is_named_as_bambi_names_it():
    """Dimensions, labels and order, of factors among the predictors and of whole numbers as groups."""
    frame = pd.read_csv(TABLES / "wine.csv").iloc[:-3]
    formula = "bitterness ~ temperature + contact + (1|judge) + (1|temperature:bottle)"
    priors = {"Intercept": (50, 30), "temperature": (0, 30), "contact": (0, 30), "sigma": 20}
    priors |= {"1|judge": 20, "1|temperature:bottle": 20}
    few = {"priors": priors, "draws": 20, "chains": 1}
    theirs = models.fit(formula, frame, backend="bambi", tune=50, **few)["posterior"].to_dataset()
    ours = models.fit(formula, frame, backend="exact", **few)["posterior"].to_dataset()
    assert list(ours) == list(theirs)
    assert dict(ours.sizes) == dict(theirs.sizes)
    for name in ours:
        assert ours[name].dims == theirs[name].dims
    for name in ours.dims:
        assert list(ours[name].values) == list(theirs[name].values)


def test_groups_without_rows_have_their_prior(tiny):
    priors = {k: v for k, v in PRIORS.items() if k != "1|g"} | {"1|h:g": 1.0}
    answer = exact_posterior(NESTED, tiny, priors=priors, draws=10)["exact"].to_dataset()
    alone = answer["1|h:g"].sel({"h:g__factor_dim": "v:b"})
    sd = answer["1|h:g_sigma"].sel(statistic=["mean", "sd"])
    assert float(alone.sel(statistic="mean")) == pytest.approx(0, abs=1e-12)
    assert float(alone.sel(statistic="sd")) == pytest.approx(float((sd**2).sum() ** 0.5), rel=1e-3)


def test_units_and_origin_do_not_matter(tiny):
    """A thousandth of the unit, far from 0: the same posterior in other words."""
    other = tiny.assign(y=1e6 + 1000 * tiny["y"], x=500 + 10 * tiny["x"])
    priors = {
        "Intercept": (1e6, 1e9),
        "x": (0, 150.0),
        "sigma": 1500.0,
        "1|g": 1000.0,
        "1|h": 2000.0,
    }
    near = exact_posterior(FORMULA, tiny, priors=PRIORS | {"Intercept": (0, 1e6)}, draws=10)
    far = exact_posterior(FORMULA, other, priors=priors, draws=10)
    near, far = near["exact"].to_dataset(), far["exact"].to_dataset()
    for name, per in {"x": 100, "sigma": 1000, "1|g_sigma": 1000, "1|g": 1000, "1|h": 1000}.items():
        sd = near[name].sel(statistic="sd")
        assert float(abs((far[name] / per - near[name]) / sd).max()) < 5e-3, name


# What it cannot


REFUSED = {
    "y ~ x + (x|g) + (1|h)": r"takes two, with intercepts only; this formula has slopes by group \(x\)",
    "y ~ x + (1|g) + (1|h) + (1|g:h)": r"this formula has 3 grouping factors \(g, h, g:h\), so use",
    "y ~ 0 + x + (1|g) + (1|h)": "this formula has no intercept, so use backend='bambi'",
    "y ~ offset(x) + (1|g) + (1|h)": "this formula has an offset, so use backend='bambi'",
}


@pytest.mark.parametrize("formula", REFUSED)
def test_what_has_no_exact_answer_is_said(tiny, formula):
    for backend in ("exact", "pymc"):
        message = (
            REFUSED[formula] if backend == "exact" else "2|3 grouping factors .* backend='bambi'"
        )
        with pytest.raises(ValueError, match=message):
            models.fit(formula, tiny, priors=PRIORS, backend=backend)


def test_pymc_says_who_can(tiny):
    with pytest.raises(ValueError, match=r"PyMC takes one .* use backend='bambi' or 'exact'"):
        models.fit(FORMULA, tiny, priors=PRIORS, backend="pymc")


def test_a_table_that_is_too_large_is_refused():
    code = np.arange(1400)
    frame = pd.DataFrame({"y": code % 7.0, "x": code % 11.0, "g": code % 601, "h": code % 599})
    with pytest.raises(ValueError, match=r"up to 500 groups of the smaller .*'1\|h' has 599; use"):
        exact_posterior(FORMULA, frame, priors=PRIORS)
    priors = {k: v for k, v in PRIORS.items() if k != "1|h"} | {"1|g:h": 1.0}
    with pytest.raises(
        ValueError, match=r"up to 20,000 groups, but 'g:h' has 359,999, combinations"
    ):
        exact_posterior("y ~ x + (1|g) + (1|g:h)", frame, priors=priors)


def test_rows_without_scatter_are_refused(tiny):
    own = tiny["g"].factorize()[0] + 3.0 * tiny["h"].factorize()[0]
    with pytest.raises(QuadratureFailed, match="without any scatter"):
        exact_posterior(FORMULA, tiny.assign(y=own + tiny["x"]), priors=PRIORS)


def test_nearly_as_many_groups_as_rows_are_answered(tiny):
    """Then sigma and a factor's sd are hardly told apart, and the grid spans them both."""
    frame = tiny.assign(g=[*"abcdefghijka"])
    factors = {"1|g": ["g"], "1|h": ["h"]}
    log_density, means, sds = by_all_rows(frame, PRIORS, factors)
    tree = exact_posterior(FORMULA, frame, priors=PRIORS, draws=10)
    assert tree["exact"].attrs["log_marginal_likelihood"] == pytest.approx(log_density, abs=1e-3)
    for place, name in enumerate(["sigma", "1|g_sigma", "1|h_sigma"]):
        found = tree["exact"][name].sel(statistic=["mean", "sd"]).values
        np.testing.assert_allclose(found, [means[place], sds[place]], atol=4e-3 * sds[place])
