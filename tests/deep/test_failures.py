"""The gallery of failures: what the page names catches each failure, and lets its cure pass."""

import numpy as np
import nutpie
import pandas as pd
import pytest

from helpers import diagnostics, exact, frames, models, tables
from helpers.book import failures
from helpers.book.truth import load_truth

POPULATION = ["intercept", "slope", "sigma", "group_sd"]
COUNTIES_OUTSIDE = 3  # as many of eight counties are no accident


@pytest.fixture(scope="module")
def few():
    return failures.simulate_counties(rows=4, group_sd=1)


@pytest.fixture(scope="module")
def centred(few):
    return nutpie.compile_pymc_model(failures.centred(few))


@pytest.fixture(scope="module")
def non_centred(few):
    return nutpie.compile_pymc_model(failures.non_centred(few))


@pytest.fixture(scope="module")
def right(visits, centred):
    return failures.sample(failures.centred(visits), centred, target_accept=0.9)


@pytest.fixture(scope="module")
def answer(visits):
    return exact.exact_posterior("random_intercept", visits)


def diagnosed(tree, *exact_answer) -> set:
    return set(diagnostics.find_failures(tree, *exact_answer)["diagnostic"])


def lower_limit(tree) -> float:
    return float(tree["posterior"]["group_sd"].quantile(0.025))


def exact_limit(tree) -> float:
    return float(tree["exact"]["group_sd"].sel(statistic=tables.LOWER))


def is_far_from(tree, exact_answer) -> bool:
    distance = diagnostics.compare_with_exact(tree, exact_answer)["difference"].abs()
    return bool(distance.max() > diagnostics.DISTANCE_LIMIT)


def test_a_funnel_of_few_rows_is_stopped_and_the_non_centred_form_passes(few, centred, non_centred):
    wrong = failures.sample(failures.centred(few), centred)
    cured = failures.sample(failures.non_centred(few), non_centred, target_accept=0.99)
    assert "divergences" in diagnosed(wrong)
    diagnostics.require_converged(cured, exact.exact_posterior("random_intercept", few))


def test_the_ridge_of_many_rows_is_stopped_and_the_centred_form_passes(centred, non_centred):
    many = failures.simulate_counties(rows=150, group_sd=10)
    wrong = failures.sample(failures.non_centred(many), non_centred, draws=1000)
    cured = failures.sample(failures.centred(many), centred, target_accept=0.9)
    assert diagnosed(wrong) & {"bulk ESS", "tail ESS", "R-hat"}
    diagnostics.require_converged(cured, exact.exact_posterior("random_intercept", many))


def test_a_group_sd_at_zero_is_stopped_in_the_centred_form_and_found_in_the_other(
    centred, non_centred
):
    alike = failures.simulate_counties(rows=40, group_sd=0)
    exact_alike = exact.exact_posterior("random_intercept", alike)
    wrong = failures.sample(failures.centred(alike), centred)
    cured = failures.sample(failures.non_centred(alike), non_centred, target_accept=0.99)
    assert "divergences" in diagnosed(wrong)
    diagnostics.require_converged(cured, exact_alike)
    assert lower_limit(cured) < 2 * exact_limit(exact_alike)


def test_a_raw_predictor_is_stopped_and_its_prior_gives_a_wrong_answer_even_if_computed_exactly(
    visits,
):
    born = frames.standardize(visits.assign(year_of_birth=2020 - visits["age"]), "year_of_birth")
    compiled = nutpie.compile_pymc_model(failures.own_slopes(born, "year_of_birth"))
    wrong = failures.sample(failures.own_slopes(born, "year_of_birth"), compiled, draws=1000)
    assert diagnosed(wrong) & {"bulk ESS", "tail ESS", "R-hat"}

    truth = -load_truth()["slope_per_decade"] / 10
    given = {"priors": models.Priors(lkj_eta=None)}
    by_year, by_sd = (
        exact.exact_posterior("random_slope", born, predictor=predictor, **given)
        for predictor in ("year_of_birth", "std_year_of_birth")
    )
    assert float(by_year["exact"]["slope"].sel(statistic=tables.UPPER)) < truth / 2

    cured = failures.sample(
        failures.own_slopes(born, "std_year_of_birth"), compiled, target_accept=0.99
    )
    diagnostics.require_converged(cured, by_sd)
    years = frames.scale_of(born, "year_of_birth")
    low, high = years.per_unit(cured["posterior"]["slope"].quantile([0.025, 0.975])).values
    assert low < truth < high


def test_a_mixture_without_an_order_is_stopped_and_the_ordered_one_passes(visits):
    times = visits.loc[visits["county"].isin(["Kent", "Devon"]), "bounce_time"].to_numpy()
    settings = {"chains": 12, "draws": 500, "tune": 500}
    wrong = failures.sample(failures.two_kinds(times), **settings)
    cured = failures.order_kinds(wrong)
    summary = tables.summarize(wrong, ["mean"])
    assert (summary["r_hat"] > 1.1).all()
    assert not wrong["sample_stats"]["diverging"].any()
    diagnostics.require_converged(cured)
    observed = visits.groupby("county", observed=True)["bounce_time"].mean()
    found = cured["posterior"]["mean"].mean(["chain", "draw"]).values
    assert found == pytest.approx(observed[["Kent", "Devon"]].to_numpy(), abs=2)


def test_only_smaller_steps_tell_a_harmless_divergence_from_a_bias(few, centred, non_centred):
    exact_few = exact.exact_posterior("random_intercept", few)
    forms = {failures.non_centred: non_centred, failures.centred: centred}
    fits = {
        (form, accept): [
            failures.sample(form(few), like, draws=4000, target_accept=accept, seed=seed)
            for seed in (1, 2, 3)
        ]
        for form, like in forms.items()
        for accept in (0.8, 0.99)
    }
    assert all("divergences" in diagnosed(fit) for fit in fits[failures.non_centred, 0.8])
    assert all("divergences" in diagnosed(fit) for fit in fits[failures.centred, 0.8])
    limits = {
        key: np.median([lower_limit(fit) for fit in trees]) / exact_limit(exact_few)
        for key, trees in fits.items()
    }
    harmless, biased = failures.non_centred, failures.centred
    assert limits[harmless, 0.8] == pytest.approx(1, abs=0.35)
    assert limits[harmless, 0.99] == pytest.approx(1, abs=0.35)
    assert limits[biased, 0.8] > 2.5
    assert limits[biased, 0.99] < 0.75 * limits[biased, 0.8]


def test_wrong_names_pass_the_gate_and_are_seen_by_name_and_by_the_exact_answer(
    visits, centred, right, answer
):
    model = failures.wrong_names(visits)
    wrong = failures.sample(model, centred, target_accept=0.9)
    diagnostics.require_converged(wrong)
    assert not failures.check_counties(wrong, model, visits)["outside"].any()
    assert failures.check_names(wrong, visits)["outside"].sum() >= COUNTIES_OUTSIDE
    assert is_far_from(wrong, answer)

    diagnostics.require_converged(right, answer)
    assert not failures.check_names(right, visits)["outside"].any()
    for name in POPULATION:
        assert np.array_equal(wrong["posterior"][name], right["posterior"][name])


def test_wrong_rows_pass_the_gate_and_are_seen_by_county_and_by_the_exact_answer(
    visits, non_centred, right, answer
):
    model = failures.wrong_rows(visits)
    wrong = failures.sample(model, non_centred, target_accept=0.99)
    diagnostics.require_converged(wrong)
    assert failures.check_counties(wrong, model, visits)["outside"].sum() >= COUNTIES_OUTSIDE
    assert is_far_from(wrong, answer)
    cured = failures.check_counties(right, failures.centred(visits), visits)
    assert not cured["outside"].any()


def test_wrong_rows_in_the_centred_form_are_stopped_by_luck(visits, centred):
    by_age = visits.sort_values("std_age")["county"].cat.codes.to_numpy()
    wrong = failures.sample(failures.centred(visits, county=by_age), centred)
    assert "divergences" in diagnosed(wrong)


def test_a_forgotten_county_passes_the_gate_and_is_seen_by_county_by_prior_and_by_the_exact_answer(
    visits, answer
):
    model = failures.forgotten_county(visits)
    wrong = failures.sample(model, target_accept=0.99)
    diagnostics.require_converged(wrong)
    assert failures.check_counties(wrong, model, visits)["outside"].sum() >= COUNTIES_OUTSIDE
    assert is_far_from(wrong, answer)
    prior = np.quantile(abs(np.random.default_rng(0).normal(0, 20, 100_000)), [0.25, 0.5, 0.75])
    posterior = wrong["posterior"]["group_sd"].quantile([0.25, 0.5, 0.75]).values
    assert posterior == pytest.approx(prior, rel=0.15)


def test_digits_beyond_the_monte_carlo_error_pass_the_gate_and_change_with_the_seed(
    visits, centred
):
    twenty = visits.groupby("county", observed=True).head(20)
    reruns = [
        failures.sample(
            failures.centred(twenty), centred, draws=1000, tune=500, target_accept=0.9, seed=seed
        )
        for seed in range(8)
    ]
    for rerun in reruns:
        diagnostics.require_converged(rerun)
    rows = pd.DataFrame([tables.summarize(rerun, ["intercept"]).iloc[0] for rerun in reruns])
    supported = rows["mcse_mean"].map(tables.count_decimals).min()
    assert supported < 2
    assert rows["mean"].round(2).nunique() > 3
    assert np.ptp(rows["mean"].round(supported)) <= 10.0**-supported


def test_a_fit_bears_the_labels_of_its_own_model(visits, centred):
    few_draws = {"draws": 10, "tune": 10, "chains": 1}
    model = failures.wrong_names(visits)
    tree = failures.sample(model, centred, **few_draws)
    assert list(tree["posterior"]["county"].values) == list(visits["county"].unique())
