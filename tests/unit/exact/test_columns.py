"""Covariates, tables without a predictor, and predictors of groups: the answers of dense matrices."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dense_posterior import largest_difference
from helpers import exact
from helpers.exact import loo
from helpers.exact.gaussian import condition_on
from helpers.priors import Priors

NAMES = {"outcome": "y", "group": "g"}


@pytest.fixture
def wide():
    """Twenty columns, two of them of groups, in six groups of unequal size."""
    rng = np.random.default_rng(7)
    g = np.repeat(np.arange(6), [1, 2, 9, 12, 15, 20])
    x = rng.normal(size=(len(g), 19)) * np.geomspace(0.01, 100, 19) + np.linspace(-50, 50, 19)
    x[:, :2] = x[:, :2][g]
    y = 5 + x @ rng.normal(size=19) / x.std(axis=0).max() + rng.normal(size=6)[g]
    frame = pd.DataFrame(x, columns=[f"c{k:02}" for k in range(19)])
    return frame.assign(g=g, x=rng.normal(size=len(g)), y=y + rng.normal(size=len(g)))


def dense(frame, columns, priors, sigma, group_sd, slope_sd, rho):
    """Log density of all outcomes, and mean and covariance of the coefficients, n by n."""
    X = np.column_stack([np.ones(len(frame)), frame[columns]])
    mean = np.array([priors.intercept, priors.slope, *priors.of_covariates(len(columns) - 1)])
    same = frame["g"].to_numpy()[:, None] == frame["g"].to_numpy()
    Z = X[:, :2]
    D = np.array(
        [[group_sd**2, rho * group_sd * slope_sd], [rho * group_sd * slope_sd, slope_sd**2]]
    )
    V = same * (Z @ D @ Z.T) + sigma**2 * np.eye(len(frame))
    precision = X.T @ np.linalg.solve(V, X) + np.diag(1 / mean[:, 1] ** 2)
    toward = X.T @ np.linalg.solve(V, frame["y"]) + mean[:, 0] / mean[:, 1] ** 2
    whole = V + X @ np.diag(mean[:, 1] ** 2) @ X.T
    density = stats.multivariate_normal(X @ mean[:, 0], whole).logpdf(frame["y"])
    return density, np.linalg.solve(precision, toward), np.linalg.inv(precision)


def test_twenty_columns_given_the_sds_are_those_of_dense_matrices(wide):
    covariates = tuple(f"c{k:02}" for k in range(19))
    priors = Priors((0.0, 10.0), (0.5, 2.0), 2.0, 2.0, 1.0, covariate_slope=(0.0, 3.0))
    sums = exact.sufficient_statistics(wide, predictor="x", covariates=covariates, **NAMES)
    given = {"sigma": 0.8, "group_sd": 1.2, "slope_sd": 0.7, "rho": 0.4}
    density, mean, covariance = condition_on(sums, **given, priors=priors)
    want = dense(wide, ["x", *covariates], priors, **given)
    assert density[0] == pytest.approx(want[0], abs=1e-7)
    assert mean[0] == pytest.approx(want[1], rel=1e-6, abs=1e-8)
    assert covariance[0] == pytest.approx(want[2], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", ["pooled", "random_intercept", "random_slope"])
def test_a_covariate_is_what_the_predictor_is_where_slopes_are_shared(wide, name):
    """Exchanging two columns changes nothing in models without slopes by group; in the other, the
    covariate's evidence is that of leaving a row out by two tables."""
    priors = Priors((0.0, 10.0), (0.0, 3.0), 2.0, 2.0, 1.0, None, covariate_slope=(0.0, 3.0))
    one = {"predictor": "x", "covariates": ("c05",), "priors": priors, **NAMES}
    first = exact.exact_posterior(name, wide, draws=10, **one)
    assert list(first["posterior"]["covariate"].values) == ["c05"]
    if name != "random_slope":
        other = exact.exact_posterior(
            name, wide, draws=10, **one | {"predictor": "c05", "covariates": ("x",)}
        )["exact"]
        slope = other["covariate_slope"].sel(covariate="x").values
        assert slope == pytest.approx(first["exact"]["slope"].values, abs=1e-4)
    whole = first["exact"].attrs["log_marginal_likelihood"]
    rows = loo.leave_one_out(name, wide, **one)["elpd"]
    for row in (0, 30):
        without = exact.exact_posterior(name, wide.drop(row), draws=1, **one)["exact"]
        expected = whole - without.attrs["log_marginal_likelihood"]
        assert rows[row] == pytest.approx(expected, abs=1e-4)


def test_a_table_without_a_predictor_has_an_intercept_and_the_groups(wide):
    priors = Priors((0.0, 10.0), (0.0, 1e-6), 5.0, 5.0)
    none = exact.exact_posterior("random_intercept", wide, predictor=None, priors=priors, **NAMES)
    fixed = exact.exact_posterior("random_intercept", wide, predictor="x", priors=priors, **NAMES)
    assert "slope" not in none["exact"] and "slope" not in none["posterior"]
    fixed["exact"] = fixed["exact"].to_dataset().drop_vars("slope")
    assert largest_difference(none, fixed) < 1e-3
    with pytest.raises(ValueError, match="needs a predictor"):
        exact.exact_posterior("random_slope", wide, predictor=None, priors=priors, **NAMES)


@pytest.mark.parametrize(("origin", "unit"), [(1e4, 1.0), (0.0, 1e6), (-1e4, 1e-3)])
def test_the_origin_and_the_unit_of_a_predictor_change_nothing_but_the_unit(visits, origin, unit):
    """Where all groups share the slope, and the intercept's prior is too wide to matter."""
    near = exact.exact_posterior("random_intercept", visits, priors=Priors((200.0, 1e6)))["exact"]
    moved = visits.assign(std_age=origin + unit * visits["std_age"])
    priors = Priors((200.0, 1e6 + 1e2 * abs(origin) / unit), (0.0, 10.0 / unit))
    far = exact.exact_posterior("random_intercept", moved, priors=priors)["exact"]
    for name in ("slope", "sigma", "group_sd", "group_intercept"):
        scaled = far[name] * (unit if name == "slope" else 1.0)
        sd = near[name].sel(statistic="sd")
        assert float((abs(scaled - near[name]) / sd).max()) < 2e-3
