"""Posteriors of other families: Bambi's centred, PyMC's in another form, and sums over nodes agree."""

import bambi as bmb
import numpy as np
import pymc as pm
import pytest
import xarray as xr

from helpers import convergence, diagnostics, frames
from helpers.book import outcomes
from helpers.exercises.answers import ch20_other_outcomes as by_nodes

SAMPLER = {"draws": 2000, "tune": 1000, "chains": 4, "progressbar": False}
SCALES = {  # prior of the intercept and slope, scale of the counties' sd and of alpha
    "bounce_time": ((np.log(200), 25 / 200), (0, 10 / 200), 20 / 200, 1000),
    "returned": ((0, 1.5), (0, 0.5), 1, None),
    "pages": ((1, 1), (0, 0.5), 0.5, 5),
}
FAMILIES = {"bounce_time": "gamma", "returned": "bernoulli", "pages": "negativebinomial"}
LINKS = {"gamma": {"link": "log"}}


@pytest.fixture(scope="module")
def next_visits():
    return frames.standardize(outcomes.load_next_visits(), "age")


def fit_in_bambi(outcome: str, frame, seed: int) -> xr.DataTree:
    """The chapter's model: centred."""
    intercept, slope, group_sd, alpha = SCALES[outcome]
    sd = bmb.Prior("HalfNormal", sigma=group_sd)
    priors = {
        "Intercept": bmb.Prior("Normal", mu=intercept[0], sigma=intercept[1]),
        "std_age": bmb.Prior("Normal", mu=slope[0], sigma=slope[1]),
        "1|county": bmb.Prior("Normal", mu=0, sigma=sd),
        **({"alpha": bmb.Prior("HalfNormal", sigma=alpha)} if alpha else {}),
    }
    family = FAMILIES[outcome]
    model = bmb.Model(
        f"{outcome} ~ std_age + (1|county)",
        frame,
        family=family,
        priors=priors,
        noncentered=False,
        **LINKS.get(family, {}),
    )
    nuts = {"adaptation": "low_rank", "target_accept": 0.9}
    return model.fit(inference_method="nutpie", nuts=nuts, random_seed=seed, **SAMPLER)


def fit_in_pymc(outcome: str, frame, seed: int) -> xr.DataTree:
    """Not centred, the sd of the counties as its logarithm, counts by n and p, chances by log odds."""
    (m, s), (_, slope_sd), group_scale, alpha_scale = SCALES[outcome]
    county, x = frame["county"].cat.codes.to_numpy(), frame["std_age"].to_numpy()
    y = frame[outcome].to_numpy()
    labels = list(frame["county"].cat.categories)
    with pm.Model(coords={"county__factor_dim": labels}):
        intercept = pm.Deterministic("Intercept", m + s * pm.Normal("z_intercept"))
        slope = pm.Deterministic("std_age", slope_sd * pm.Normal("z_slope"))
        log_sd = pm.Flat("log_sd")
        sd = pm.Deterministic("1|county_sigma", pm.math.exp(log_sd))
        pm.Potential("prior_of_sd", -((sd / group_scale) ** 2) / 2 + log_sd)
        z = pm.Normal("z", dims="county__factor_dim")
        pm.Deterministic("1|county", sd * z, dims="county__factor_dim")
        eta = intercept + slope * x + sd * z[county]
        if alpha_scale:
            alpha = pm.HalfNormal("alpha", alpha_scale)
        if outcome == "bounce_time":
            mean = pm.math.exp(eta)
            pm.Gamma(outcome, mu=mean, sigma=mean / pm.math.sqrt(alpha), observed=y)
        elif outcome == "returned":
            pm.Binomial(outcome, n=1, p=pm.math.invlogit(eta), observed=y)
        else:
            chance = alpha / (alpha + pm.math.exp(eta))
            pm.NegativeBinomial(outcome, n=alpha, p=chance, observed=y)
        return pm.sample(
            nuts_sampler="nutpie",
            nuts={"adaptation": "low_rank", "target_accept": 0.99},
            random_seed=seed,
            **SAMPLER,
        )


def list_distances(one: xr.DataTree, other: xr.DataTree) -> dict[str, float]:
    """Differences of means and of sds of all that both have, in Monte Carlo standard errors."""
    first, second = (tree["posterior"].to_dataset() for tree in (one, other))
    names = [name for name in first.data_vars if name in second]
    found = {}
    for kind, error in (("mean", convergence.mcse_mean), ("sd", convergence.mcse_sd)):
        values = [getattr(draws[names], "std" if kind == "sd" else kind)(["chain", "draw"])
                  for draws in (first, second)]  # fmt: skip
        errors = [error(draws[names]) for draws in (first, second)]
        distance = (values[0] - values[1]) / np.sqrt(errors[0] ** 2 + errors[1] ** 2)
        found |= {f"{kind} of {label}": d for label, d in diagnostics.label_entries(distance)}
    return found


@pytest.mark.parametrize("outcome", FAMILIES)
def test_two_libraries_and_two_forms_give_one_posterior(outcome, next_visits):
    one, other = fit_in_bambi(outcome, next_visits, 1), fit_in_pymc(outcome, next_visits, 2)
    for tree in (one, other):
        failures = diagnostics.find_failures(tree)
        assert failures.empty, failures
    distances = list_distances(one, other)
    names = {"mean of Intercept", "sd of std_age", "sd of 1|county_sigma", "mean of 1|county[Kent]"}
    assert names <= set(distances) and len(distances) >= 22
    assert max(map(abs, distances.values())) < 5, distances
    if outcome != "bounce_time":
        scale = frames.scale_of(next_visits, "age")
        marks = outcomes.compare_with_truth(one, outcome, scale)
        assert marks.loc["slope per decade", "holds truth"]
        assert marks["holds truth"].mean() > 0.85


def test_sums_over_nodes_give_the_sampled_slope_of_pages(next_visits):
    """The exercises' answers come from there."""
    draws, weight = by_nodes.log_ratio_of_pages()
    mean = weight @ draws
    sd = np.sqrt(weight @ (draws - mean) ** 2)
    effective = 1 / (weight**2).sum()
    slope = fit_in_bambi("pages", next_visits, 3)["posterior"]["std_age"]
    assert effective > 500
    assert abs(mean - float(slope.mean())) < 5 * sd / effective**0.5
    assert sd == pytest.approx(float(slope.std()), rel=0.12)


def test_another_posterior_would_be_told_apart(next_visits):
    """The Poisson's, whose slope has half the sd."""
    priors = {"pages": (*SCALES["pages"][:3], None)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SCALES, "pages", priors["pages"])
        patch.setitem(FAMILIES, "pages", "poisson")
        wrong = fit_in_bambi("pages", next_visits, 1)
    right = fit_in_bambi("pages", next_visits, 2)
    assert abs(list_distances(wrong, right)["sd of std_age"]) > 20
