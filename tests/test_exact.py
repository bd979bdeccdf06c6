"""The exact posterior is what it says: by other methods and in hard cases; test_agreement has samplers."""

import math

import arviz as az
import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from helpers import diagnostics, exact
from helpers.exact import gaussian, quadrature
from helpers.priors import MODELS, Priors

SDS = {
    "pooled": {"sigma": 7.0},
    "random_intercept": {"sigma": 7.0, "group_sd": 11.0},
    "random_slope": {"sigma": 7.0, "group_sd": 11.0, "slope_sd": 3.0, "rho": -0.6},
}


def simulate(counts, group_sd=10.0, slope_sd=1.0, rho=0.0, sigma=8.0, intercept=200.0, seed=1):
    """A table with ``counts`` rows in its groups, drawn from the random-slope model."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(counts)), counts)
    x = rng.normal(size=len(group))
    z = rng.normal(size=(2, len(counts)))
    own_intercept = intercept + group_sd * z[0]
    own_slope = -2 + slope_sd * (rho * z[0] + np.sqrt(1 - rho**2) * z[1])
    y = own_intercept[group] + own_slope[group] * x + sigma * rng.normal(size=len(group))
    return pd.DataFrame({"bounce_time": y, "std_age": x, "county": [f"c{j:03}" for j in group]})


def dense_posterior(frame, priors, sigma, group_sd=0.0, slope_sd=0.0, rho=0.0):
    """By n x n matrices, for sds of shape (K,): log density of all rows (K,), and conditional means
    (K, 2 + 2 J) and covariances of the line, the deviations in intercept, and those in slope."""
    sigma, group_sd, slope_sd, rho = np.broadcast_arrays(
        *(np.reshape(value, (-1, 1, 1)) for value in (sigma, group_sd, slope_sd, rho))
    )
    x, y = frame["std_age"].to_numpy(), frame["bounce_time"].to_numpy()
    member = pd.get_dummies(frame["county"]).to_numpy(float)
    design = np.column_stack([np.ones_like(x), x, member, member * x[:, None]])
    J, (n, p) = member.shape[1], design.shape
    first, second = np.diag(np.arange(p - 2) < J), np.diag(np.arange(p - 2) >= J)
    both = np.eye(p - 2, k=J) + np.eye(p - 2, k=-J)
    prior_cov = np.zeros((len(sigma), p, p))
    prior_cov[:, :2, :2] = np.diag([priors.intercept[1] ** 2, priors.slope[1] ** 2])
    prior_cov[:, 2:, 2:] = first * group_sd**2 + second * slope_sd**2
    prior_cov[:, 2:, 2:] += both * rho * group_sd * slope_sd
    prior_mean = np.append([priors.intercept[0], priors.slope[0]], np.zeros(p - 2))
    V = design @ prior_cov @ design.T + sigma**2 * np.eye(n)
    error = y - design @ prior_mean
    roots = np.linalg.cholesky(V)
    density = [
        stats.multivariate_normal.logpdf(error, cov=stats.Covariance.from_cholesky(root))
        for root in roots
    ]
    gain = np.swapaxes(np.linalg.solve(V, design @ prior_cov), 1, 2)
    return np.array(density), prior_mean + gain @ error, prior_cov - gain @ design @ prior_cov


def largest_difference(tree, other):
    """Between two ``exact`` groups, in posterior sds of the first."""
    one, two = tree["exact"].to_dataset(), other["exact"].to_dataset()
    difference = abs(one - two) / one.sel(statistic="sd")
    return max(float(array.max()) for array in difference.data_vars.values())


@pytest.fixture(scope="module")
def answers(visits):
    return {name: exact.exact_posterior(name, visits) for name in MODELS}


@pytest.fixture
def few():
    return simulate([4, 1, 3, 5], slope_sd=3.0)


# Closed forms


@pytest.mark.parametrize("name", MODELS)
def test_the_likelihood_given_the_sds_is_the_multivariate_normal_density(few, name):
    priors = Priors(intercept=(190.0, 12.0), slope=(1.0, 4.0))
    found = exact.log_marginal_likelihood(
        exact.sufficient_statistics(few), **SDS[name], priors=priors
    )
    assert found == pytest.approx(dense_posterior(few, priors, **SDS[name])[0], abs=1e-9)


def test_lines_and_deviations_given_the_sds_are_those_of_dense_matrices(few):
    given = SDS["random_slope"]
    _, (mean,), (covariance,) = dense_posterior(few, Priors(), **given)
    problem = quadrature.build_problem("random_slope", exact.sufficient_statistics(few), Priors())
    sds = gaussian.Sds(*(np.array([v]) for v in given.values()), np.sqrt([1 - given["rho"] ** 2]))
    _, line, line_covariance = gaussian.condition(sds, problem.data)
    assert line[:, 0] + problem.data.reference == pytest.approx(mean[:2])
    assert line_covariance[..., 0] == pytest.approx(covariance[:2, :2])
    for j in range(4):
        own = [2 + j, 6 + j]
        c, S, C = (array[..., 0] for array in gaussian.deviations(sds, problem.data, j))
        assert c - S @ line[:, 0] == pytest.approx(mean[own])
        spread = C + S @ line_covariance[..., 0] @ S.T
        assert spread == pytest.approx(covariance[np.ix_(own, own)])
        assert -S @ line_covariance[..., 0] == pytest.approx(covariance[np.ix_(own, [0, 1])])


def test_the_statistics_are_sums_around_group_means(few):
    table = exact.sufficient_statistics(few)
    for label, rows in few.groupby("county"):
        x, y = rows["std_age"], rows["bounce_time"]
        x0, y0 = x - x.mean(), y - y.mean()
        fitted = np.polyval(np.polyfit(x, y, 1), x) if len(rows) > 1 else y
        want = [len(rows), y.mean(), x.mean(), (y0**2).sum(), (x0**2).sum(), (x0 * y0).sum()]
        assert table.loc[label].tolist() == pytest.approx([*want, ((y - fitted) ** 2).sum()])


def test_the_statistics_keep_their_digits_next_to_a_billion():
    rng = np.random.default_rng(1)
    y = 1e9 + rng.normal(size=200_000)
    frame = pd.DataFrame({"bounce_time": y, "std_age": y - 1e9, "county": ["a", "b"] * 100_000})
    table = exact.sufficient_statistics(frame)
    mean = math.fsum(y[::2] - 1e9) / 100_000
    assert table.loc["a", "outcome_mean"] - 1e9 == pytest.approx(mean, abs=2e-7)
    assert table.loc["a", "outcome_ss"] == pytest.approx(np.sum((y[::2] - 1e9 - mean) ** 2))
    assert table.loc["a", "residual_ss"] == pytest.approx(0, abs=1e-9)


# The integral, by other methods


class OnThePlainScale:
    """Random intercept by Gauss-Legendre on a rectangle of (sigma, group_sd)."""

    def __init__(self, frame, priors, answer, nodes=160):
        sigma, tau = (answer["exact"][name].values for name in ("sigma", "group_sd"))
        self.ends = {
            "sigma": (max(0.0, sigma[0] - 12 * sigma[1]), sigma[0] + 12 * sigma[1]),
            "group_sd": (0.0, tau[0] + 40 * tau[1]),
        }
        self.u, w = np.polynomial.legendre.leggauss(nodes)
        self.values = {n: (b - a) * (self.u + 1) / 2 + a for n, (a, b) in self.ends.items()}
        s, t = (grid.ravel() for grid in np.meshgrid(*self.values.values(), indexing="ij"))
        log_density = exact.log_marginal_likelihood(
            exact.sufficient_statistics(frame), s, t, priors=priors
        )
        log_density += stats.halfnorm.logpdf(s, scale=priors.sigma)
        log_density += stats.halfnorm.logpdf(t, scale=priors.group_sd)
        area = np.prod([(b - a) / 2 for a, b in self.ends.values()])
        log_density += np.log(np.outer(w, w).ravel() * area)
        self.log_integral = special.logsumexp(log_density)
        joint = special.softmax(log_density).reshape(nodes, nodes)
        self.mass = {"sigma": joint.sum(axis=1), "group_sd": joint.sum(axis=0)}

    def below(self, name, value):
        """P(parameter < value), by integrating the Legendre series of its density."""
        order = np.arange(len(self.u))
        moments = np.polynomial.legendre.legvander(self.u, order[-1]).T @ self.mass[name]
        cdf = np.polynomial.legendre.legint((order + 0.5) * moments, lbnd=-1)
        a, b = self.ends[name]
        return np.polynomial.legendre.legval(2 * (value - a) / (b - a) - 1, cdf)


HARD = {
    "three groups": (simulate([20] * 3), Priors()),
    "a group of a single row": (simulate([1, 20, 20, 20, 5, 2]), Priors()),
    "single rows only": (simulate([1] * 30), Priors()),
    "500 groups": (simulate([5] * 500), Priors()),
    "groups that do not differ": (simulate([50] * 8, group_sd=0.0, slope_sd=0.0), Priors()),
    "hardly any residual": (simulate([20] * 8, slope_sd=0.0, sigma=1e-6), Priors()),
    "a prior for sigma far too narrow": (simulate([50] * 8), Priors(sigma=0.5)),
    "a prior for group_sd far too narrow": (simulate([50] * 8), Priors(group_sd=0.05)),
    "a prior for the line far away": (
        simulate([50] * 8),
        Priors(intercept=(0.0, 1.0), slope=(50.0, 0.1)),
    ),
    "a predictor far from 0": (
        simulate([50] * 8).eval("std_age = 40 + 13 * std_age"),
        Priors(intercept=(200.0, 30.0), slope=(0.0, 1.0), slope_sd=0.5),
    ),
}


@pytest.mark.parametrize("case", HARD)
def test_a_hard_random_intercept_agrees_with_quadrature_on_the_plain_scale(case):
    frame, priors = HARD[case]
    answer = exact.exact_posterior("random_intercept", frame, priors=priors)
    other = OnThePlainScale(frame, priors, answer)
    found = answer["exact"]
    assert found.attrs["log_marginal_likelihood"] == pytest.approx(other.log_integral, abs=1e-4)
    for name, values in other.values.items():
        mean, sd, *quantiles = found[name].values
        assert mean == pytest.approx(other.mass[name] @ values, abs=1e-3 * sd)
        assert sd == pytest.approx(np.sqrt(other.mass[name] @ (values - mean) ** 2), rel=1e-3)
        below = other.below(name, np.array(quantiles))
        assert below == pytest.approx(quadrature.PROBABILITIES, abs=4e-4)


HARD_SLOPES = (
    "three groups",
    "a group of a single row",
    "groups that do not differ",
    "hardly any residual",
    "a predictor far from 0",
)


@pytest.mark.parametrize("case", HARD_SLOPES)
def test_a_hard_random_slope_does_not_change_on_a_finer_grid(case, monkeypatch):
    frame, priors = HARD[case]
    answer = exact.exact_posterior("random_slope", frame, priors=priors, draws=10)
    monkeypatch.setattr(exact, "STEP", 0.5)
    monkeypatch.setattr(exact, "TOLERANCE", 5e-4)
    finer = exact.exact_posterior("random_slope", frame, priors=priors, draws=10)
    assert finer["exact"].attrs["nodes"] > 1.3 * answer["exact"].attrs["nodes"]
    assert largest_difference(finer, answer) < 1e-3


@pytest.mark.parametrize("lkj_eta", [2.0, None])
def test_a_random_slope_agrees_with_importance_sampling_from_the_prior(few, lkj_eta):
    priors = Priors(intercept=(200.0, 10.0), slope_sd=3.0, lkj_eta=lkj_eta)
    rng = np.random.default_rng(3)
    size = 10_000
    sigma, group_sd, slope_sd = np.abs(rng.normal(size=(3, size))) * [[20.0], [20.0], [3.0]]
    rho = np.zeros(size) if lkj_eta is None else 2 * rng.beta(lkj_eta, lkj_eta, size) - 1
    log_density, means, _ = dense_posterior(few, priors, sigma, group_sd, slope_sd, rho)
    weight = np.exp(log_density)
    answer = exact.exact_posterior("random_slope", few, priors=priors)["exact"].to_dataset()
    want = answer.sel(statistic="mean")
    error = weight.std() / weight.mean() / np.sqrt(size)
    log_marginal = answer.attrs["log_marginal_likelihood"]
    assert log_marginal == pytest.approx(np.log(weight.mean()), abs=4 * error)
    columns = {"sigma": sigma, "group_sd": group_sd, "slope_sd": slope_sd}
    columns |= {} if lkj_eta is None else {"rho": rho}
    columns |= {"intercept": means[:, 0], "slope": means[:, 1]}
    for name, values in columns.items():
        check_weighted_mean(weight, values, float(want[name]))
    for j in range(4):
        check_weighted_mean(weight, means[:, 2 + j], float(want["group_intercept"][j]))
        check_weighted_mean(weight, means[:, 6 + j], float(want["group_slope"][j]))


def check_weighted_mean(weight, values, want):
    mean = np.average(values, weights=weight)
    error = np.sqrt(np.sum((weight * (values - mean)) ** 2)) / weight.sum()
    assert abs(mean - want) < 4 * error


# Draws


@pytest.mark.parametrize("name", MODELS)
def test_the_draws_agree_with_the_exact_values(visits, name):
    tree = exact.exact_posterior(name, visits, draws=20_000)
    assert diagnostics.compare_with_exact(tree, tree)["difference"].abs().max() < 4
    assert min(az.ess(tree["posterior"].to_dataset())["sigma"].values.flat) > 15_000


def test_the_same_seed_gives_the_same_draws_and_another_does_not(visits):
    first, second, other = (
        exact.exact_posterior("random_intercept", visits, draws=50, seed=seed)["posterior"]
        for seed in (1, 1, 2)
    )
    first, second, other = first.to_dataset(), second.to_dataset(), other.to_dataset()
    assert first.identical(second)
    assert not (first == other).to_array().any()


# What must not matter, and what must


@pytest.mark.parametrize("name", MODELS)
def test_a_constant_of_a_billion_moves_the_intercept_only(visits, answers, name):
    far = visits.assign(bounce_time=visits["bounce_time"] + 1e9)
    shifted = exact.exact_posterior(name, far, priors=Priors(intercept=(1e9 + 200.0, 25.0)))
    shifted["exact"]["intercept"] -= np.where(shifted["exact"]["statistic"] == "sd", 0.0, 1e9)
    assert largest_difference(answers[name], shifted) < 1e-4
    near, far = (t["exact"].attrs["log_marginal_likelihood"] for t in (answers[name], shifted))
    assert near == pytest.approx(far, abs=1e-5)


def test_other_units_change_nothing_but_the_units(visits, answers):
    """Milliseconds, and a predictor in hundredths."""
    frame = visits.eval("bounce_time = 1000 * bounce_time\nstd_age = 100 * std_age")
    priors = Priors((2e5, 2.5e4), (0.0, 100.0), 2e4, 2e4, 50.0)
    other = exact.exact_posterior("random_slope", frame, priors=priors)
    for name in other["exact"].data_vars:
        per = {"rho": 1, "slope": 10, "slope_sd": 10, "group_slope": 10}.get(name, 1000)
        other["exact"][name] = other["exact"][name] / per
    assert largest_difference(answers["random_slope"], other) < 1e-4


def test_statistics_and_shuffled_rows_give_the_same_answer(visits, answers):
    table = exact.sufficient_statistics(visits.sample(frac=1, random_state=1))
    answer = exact.exact_posterior("random_slope", table)
    assert largest_difference(answers["random_slope"], answer) < 1e-4


def test_without_a_correlation_the_answer_is_the_limit_of_a_strong_lkj_prior(few):
    none = exact.exact_posterior("random_slope", few, priors=Priors(lkj_eta=None))
    strong = exact.exact_posterior("random_slope", few, priors=Priors(lkj_eta=1e5))
    assert "rho" not in none["posterior"] and "rho" not in none["exact"]
    strong["exact"] = strong["exact"].to_dataset().drop_vars("rho")
    assert largest_difference(none, strong) < 5e-3


# Refusals


@pytest.mark.parametrize("name", MODELS)
def test_rows_without_scatter_are_refused(few, name):
    with pytest.raises(exact.QuadratureFailed, match="without any scatter"):
        exact.exact_posterior(name, few.assign(bounce_time=200.0))


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [("ROUNDS", 1, "too rugged"), ("NODE_LIMIT", 1000, "more than 1,000 nodes")],
)
def test_a_grid_that_may_not_become_fine_enough_is_refused(
    visits, monkeypatch, limit, value, message
):
    monkeypatch.setattr(exact, limit, value)
    with pytest.raises(exact.QuadratureFailed, match=message):
        exact.exact_posterior("random_slope", visits)


def test_unknown_models_and_bad_tables_are_refused(visits):
    with pytest.raises(ValueError, match="Unknown model 'nested'"):
        exact.exact_posterior("nested", visits)
    with pytest.raises(ValueError, match="There is no column 'std_age'"):
        exact.exact_posterior("pooled", visits.drop(columns="std_age"))


def test_rounding_error_is_not_taken_for_scatter(visits):
    line = visits.assign(bounce_time=200 - 2 * visits["std_age"])
    with pytest.raises(exact.QuadratureFailed, match="without any scatter"):
        exact.exact_posterior("random_intercept", line)
