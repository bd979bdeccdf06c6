"""A reader's table beyond the three models: further grouping factors, and outcomes of other families."""

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import special, stats

from helpers import diagnostics, elicitation, models
from helpers.own import (
    ask,
    averages,
    before,
    candidates,
    checks,
    choice,
    effects,
    predictive,
    sensitivity,
    words,
)
from helpers.own.candidates import POOLED, SLOPES, YOURS
from helpers.own.script import write_script
from helpers.priors import Plausible

POINTS = Plausible(-20, 40, "points")
CHANCE = Plausible(0.02, 0.98)
SAMPLER = {"draws": 300, "tune": 500, "chains": 2, "seed": 1}


def simulate(kind: str, seed: int = 1) -> pd.DataFrame:
    """40 groups g by 4 of h, two rows each, with a slope of 1 (of 0.8 on the link's scale)."""
    rng = np.random.default_rng(seed)
    g, h = np.repeat(np.arange(40), 8), np.tile(np.repeat(np.arange(4), 2), 40)
    x = rng.normal(5, 1, len(g))
    if kind == "gaussian":
        y = rng.normal(0, 2, 40)[g] + rng.normal(0, 2, 4)[h] + x + rng.normal(0, 1, len(g))
    else:
        eta = rng.normal(0, 1, 40)[g] + 0.8 * (x - 5)
        y = (
            rng.poisson(np.exp(1 + eta))
            if kind == "poisson"
            else rng.random(len(g)) < special.expit(eta)
        )
    labels = {"g": [f"g{n:02}" for n in g], "h": [f"h{n}" for n in h]}
    return pd.DataFrame({"y": np.asarray(y, dtype=float), "x": x, **labels})


FACTORS, YES, COUNTS = (simulate(kind) for kind in ("gaussian", "bernoulli", "poisson"))
COUNT = Plausible(0.1, 60, "ticks")


def prepare(formula, frame, plausible, **given):
    question = ask(formula, frame, plausible, **given)
    known = elicitation.elicit(
        question.formula, question.table, question.plausible, family=question.family
    )
    return question, *candidates.list_candidates(question, known.priors)


def fit(one) -> xr.DataTree:
    settings = {"draws": 500, "tune": 500, "seed": 1, "extend": ("log_likelihood",)}
    given = {"priors": one.priors, "backend": "bambi", "family": one.family}
    return models.fit(one.formula, one.table, **given, **settings)


@pytest.fixture(scope="module")
def crossed():
    question, found, _ = prepare("y ~ x + (1 | g) + (1 | h)", FACTORS, POINTS)
    return question, found, {n: fit(found[n]) for n in (YOURS, "without h")}


@pytest.fixture(scope="module")
def yes():
    question, found, _ = prepare("y ~ x + (1 | g)", YES, CHANCE, family="bernoulli")
    return question, found[YOURS], fit(found[YOURS])


@pytest.fixture(scope="module")
def counts():
    question, found, _ = prepare("y ~ x + (1 | g)", COUNTS, COUNT, family="poisson")
    return question, found[YOURS], fit(found[YOURS])


# What is asked


@pytest.mark.parametrize(
    ("frame", "plausible", "family", "said"),
    [
        (YES.assign(y=YES["y"] + 1), CHANCE, "bernoulli", "row"),
        (YES, Plausible(0, 1), "bernoulli", "such as 0.02 to 0.98"),
        (COUNTS, Plausible(0, 60, "ticks"), "poisson", "above 0"),
        (COUNTS, Plausible(500, 600, "ticks"), "poisson", "The mean of 'y'"),
        (COUNTS, COUNT, "gamma", "numbers above 0"),
    ],
)
def test_a_family_that_cannot_have_the_outcomes_is_refused_in_a_sentence(
    frame, plausible, family, said
):
    with pytest.raises(ValueError, match=said) as error:
        ask("y ~ x + (1 | g)", frame, plausible, family=family)
    assert "\n" not in str(error.value)


def test_truth_values_are_outcomes_of_yes_and_no():
    question = ask("y ~ x + (1 | g)", YES.assign(y=YES["y"] == 1), CHANCE, family="bernoulli")
    assert set(question.values) == {0, 1} and question.unit == "percentage points"


def test_a_formula_within_the_three_models_is_not_sampled():
    assert not ask("y ~ x + (x | g)", FACTORS, POINTS).is_sampled
    assert ask("y ~ x + (1 | g/h)", FACTORS, POINTS).is_sampled


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("y ~ x + (1 | g) + (1 | h)", [YOURS, "without h", SLOPES, POOLED]),
        ("y ~ x + (1 | h) + (x | g)", [YOURS, "without h", "without own slopes", POOLED]),
        ("y ~ 1 + (1 | g/h)", [YOURS, "without g:h", POOLED]),
    ],
)
def test_each_candidate_is_the_readers_formula_without_a_part_or_with_slopes(formula, names):
    question, found, _ = prepare(formula, FACTORS, POINTS)
    assert [*found] == names and question.group == "g"
    assert all(set(one.priors) == set(one.terms.parameters) for one in found.values())


# Effects


def test_an_averaged_difference_is_what_means_of_drawn_groups_say(yes):
    """The same by brute force: many groups drawn for a few draws of the parameters."""
    question, one, tree = yes
    found = float(effects.population(question, one, tree)["1 more of x"].mean())
    posterior = tree["posterior"]
    b0, b, tau = (posterior[n].values.ravel() for n in ("Intercept", "std_x", "1|g_sigma"))
    x, sd = one.table["std_x"].to_numpy(), YES["x"].std()
    u = stats.norm.ppf((np.arange(200) + 0.5) / 200)[:, None]
    drawn = [
        (
            special.expit(b0[k] + b[k] * (x + 1 / sd) + tau[k] * u)
            - special.expit(b0[k] + b[k] * x + tau[k] * u)
        ).mean()
        for k in range(0, len(b), 5)
    ]
    assert found == pytest.approx(100 * np.mean(drawn), abs=0.3)
    answer = effects.answer(question, one, tree)
    assert abs(float(answer.typical["1 more of x"].mean())) > found  # the curve is steepest there
    assert float(answer.ratios["1 more of x"].mean()) == pytest.approx(
        np.exp(b / sd).mean(), rel=0.02
    )


def test_a_ratio_of_means_is_the_same_in_every_group_and_the_difference_is_not(counts):
    question, one, tree = counts
    answer = effects.answer(question, one, tree)
    ratio = float(answer.ratios["1 more of x"].mean())
    assert ratio == pytest.approx(np.exp(0.8), rel=0.15)
    like, typical = float(answer.first.mean()), float(answer.typical["1 more of x"].mean())
    tau = float(tree["posterior"]["1|g_sigma"].mean())
    assert like / typical == pytest.approx(np.exp(tau**2 / 2), rel=0.1)


def test_a_factor_and_no_predictor_have_averages_too():
    frame = YES.assign(side=np.where(YES["x"] > 5, "left", "right"))
    question, found, _ = prepare("y ~ side + (1 | g)", frame, CHANCE, family="bernoulli")
    tree = before.draw_parameters(found[YOURS], 200)
    assert [*effects.population(question, found[YOURS], tree)] == ["right minus left"]
    question, found, _ = prepare("y ~ 1 + (1 | g)", frame, CHANCE, family="bernoulli")
    mean = effects.population(question, found[YOURS], before.draw_parameters(found[YOURS], 200))
    assert float(mean["mean of y"].min()) > 0 and float(mean["mean of y"].max()) < 100


def test_a_group_never_seen_is_new_by_every_factor(crossed):
    question, found, fits = crossed
    expected = effects.predict_outcomes(question, found[YOURS], fits[YOURS])
    posterior = fits[YOURS]["posterior"]
    parts = [posterior[n] ** 2 for n in ("sigma", "1|g_sigma", "1|h_sigma")]
    variance = float(expected["one outcome, a group never seen"].sel(row=expected["row"][1]).var())
    assert variance == pytest.approx(float(sum(parts).mean()), rel=0.4)


def test_a_new_group_of_one_factor_scatters_by_its_own_sd(crossed, yes):
    question, found, fits = crossed
    expected = effects.predict_outcomes(question, found[YOURS], fits[YOURS])
    posterior, mean = fits[YOURS]["posterior"], expected["mean of groups"]
    for factor in ("g", "h"):
        away = (expected[f"mean of a new group of {factor}"] - mean).isel(row=1)
        sd = float((posterior[f"1|{factor}_sigma"] ** 2).mean() ** 0.5)
        assert float(away.std()) == pytest.approx(sd, rel=0.2)
    assert "A new group of* one factor" in words.describe_held(question, YOURS, expected)
    assert not any("new group of" in name for name in effects.predict_outcomes(*yes))


# Checks, scores, sensitivity


@pytest.mark.parametrize("made", ["crossed", "yes", "counts"])
def test_a_table_that_the_model_made_fails_no_check(made, request):
    question, one, tree = request.getfixturevalue(made)
    if made == "crossed":
        one, tree = one[YOURS], tree[YOURS]
    verdicts = {c.name: c.verdict for c in predictive.check_fit(question, one, tree)}
    assert checks.FAILS not in verdicts.values() and checks.PASSES in verdicts.values()


def test_counts_that_scatter_more_than_poisson_fail_where_they_should():
    rng = np.random.default_rng(2)
    noisy = COUNTS.assign(y=rng.poisson(COUNTS["y"] * rng.gamma(0.5, 2, len(COUNTS))).astype(float))
    question, found, _ = prepare("y ~ x + (1 | g)", noisy, COUNT, family="poisson")
    found_checks = predictive.check_fit(question, found[YOURS], fit(found[YOURS]))
    verdicts = {check.name: check.verdict for check in found_checks}
    assert verdicts["dispersion"] == checks.FAILS and verdicts["zeros"] == checks.FAILS
    assert "negativebinomial" in words.describe_checks(question, found_checks)


def test_scores_of_rows_prefer_the_factor_that_made_the_table(crossed):
    question, found, fits = crossed
    scores = choice.score(question, found, fits)
    assert scores.loc["without h", "rows"] < -2 * scores.loc["without h", "rows_se"]
    said = words.describe_choice(question, scores, choice.choose(question, found, {}))
    assert "predicted clearly worse" in said and "Pareto k" in said


def test_two_factors_are_compared_with_their_exact_answer_which_sees_a_wrong_prior(crossed):
    question, found, fits = crossed
    exact = candidates.fit_all_exactly(question, found)
    assert question.is_sampled and question.is_exact and {YOURS, "without h", POOLED} == {*exact}
    compared = diagnostics.compare_with_exact(fits[YOURS], exact[YOURS])["difference"]
    assert compared.abs().max() < diagnostics.DISTANCE_LIMIT
    wrong = found[YOURS].priors | {"sigma": 0.05}
    other = candidates.with_priors(found[YOURS], {YOURS: wrong})
    other = candidates.fit_all_exactly(question, other)[YOURS]
    compared = diagnostics.compare_with_exact(fits[YOURS], other)["difference"]
    assert compared.abs().max() > diagnostics.DISTANCE_LIMIT


@pytest.mark.parametrize(
    ("formula", "frame", "plausible", "given"),
    [
        ("y ~ x + (1 | h) + (x | g)", FACTORS, POINTS, {}),
        ("y ~ x + (1 | g)", YES, CHANCE, {"family": "bernoulli"}),
    ],
)
def test_where_nothing_is_exact_nothing_is_said_to_be(formula, frame, plausible, given):
    question, found, _ = prepare(formula, frame, plausible, **given)
    assert candidates.fit_all_exactly(question, found) == {}
    assert "No exact answer is computed" in words.describe_beyond(question)
    limits = words.describe_limits(question, YOURS, compared=False)
    assert any("No exact answer stands beside" in limit for limit in limits)


def test_of_two_factors_changes_are_exact_and_a_group_of_each_is_left_out(crossed):
    question, found, fits = crossed
    about = question, found[YOURS], fits[YOURS], "1 more of x"
    changes, skipped = sensitivity.list_changes(*about)
    without = " ".join(n for n in changes if n.startswith("without"))
    assert all(f"without {what}" in without for what in ("g ", "h ", "row "))
    assert not skipped and "prior of x one sd up" in changes
    table, _, failed = sensitivity.refit(question, changes, "1 more of x")
    assert not failed and table.index[0] == sensitivity.AS_IS
    said = words.describe_sensitivity(question, table, 0.1, [], "1 more of x")
    assert "levels of `h` is" in said and "(" not in said.partition("**")[0].replace(
        " (the most", ""
    )


def test_changes_are_sampled_and_the_answer_is_not_sampled_again(crossed):
    question, found, fits = crossed
    own, asked = found[YOURS], []
    about = question, own, fits[YOURS], "1 more of x"
    changes, _ = sensitivity.list_changes(*about, exactly=False)

    def sample(one):
        asked.append(one.name)
        return fits[YOURS]

    table, _, failed = sensitivity.refit(
        question, changes, "1 more of x", sample=sample, known=fits
    )
    assert len(asked) == 4 and not failed
    assert [name[:9] for name in asked[2:]] == ["without g", "without h"]
    assert table.index[0] == sensitivity.AS_REPORTED
    said = words.describe_sensitivity(question, table, 0.1, [], "1 more of x")
    assert "under every change" in said


def test_priors_that_cannot_make_the_table_are_told():
    _, found, _ = prepare("y ~ x + (1 | g)", COUNTS, Plausible(3, 60, "ticks"), family="poisson")
    own = found[YOURS]
    assert before.find_mismatch(own) == ""
    low = candidates.with_priors(own, {"low": own.priors | {"Intercept": (-9, 0.1)}})["low"]
    assert "far outside of what the priors expect" in before.find_mismatch(low)


# Words


def test_the_prior_that_pulls_is_named_with_its_scale_and_the_posterior(crossed):
    question, found, fits = crossed
    assert words.describe_pull(question, found[YOURS], fits[YOURS]) == ""
    narrow = found[YOURS].priors | {"1|g": 0.5}
    one = candidates.with_priors(found[YOURS], {YOURS: narrow})[YOURS]
    tree = candidates.fit_exactly(one)
    said = words.describe_pull(question, one, tree)
    assert "prior of `1|g` pulls most" in said and "HalfNormal(0.5) gives so large a value" in said
    told = float(said.partition("the posterior is ")[2].split(" ")[0])
    assert told == pytest.approx(float(tree["posterior"]["1|g_sigma"].mean()), abs=0.06)
    assert "1|g" in checks.check_priors(one, tree["posterior"].to_dataset()).names


@pytest.mark.parametrize(
    ("ends", "said"),
    [((-7.5, 30), "most of them below \N{MINUS SIGN}7.5"), ((-60, 80), ""), ((0, 30), "")],
)
def test_a_normal_model_that_draws_beyond_a_range_that_the_table_keeps_to_is_told(ends, said):
    rng = np.random.default_rng(3)
    frame = FACTORS.assign(y=rng.exponential(5, len(FACTORS)) - 7)
    question, found, _ = prepare("y ~ x + (1 | g)", frame, Plausible(*ends, "points"))
    one = found["random intercept"]
    outside = checks.share_outside(question, one, candidates.fit_exactly(one))
    told = words.describe_ends(question, *outside)
    assert bool(told) == bool(said) and said in told
    if said:
        share = float(re.search(r"and ([\d.]+) % of those", told)[1])
        normal = stats.norm(frame["y"].mean(), frame["y"].std())
        assert share == pytest.approx(100 * (normal.cdf(-7.5) + normal.sf(30)), rel=0.3)


def test_a_model_and_its_scores_are_told_without_repeating_themselves(crossed):
    question, found, _ = crossed
    told = words.write_model(question, found[YOURS])
    assert "each group of `g` and each group of `h` has a level of its own" in told
    assert words.tabulate_scores(
        question, pd.DataFrame({"rows": [0.0], "rows_se": [0.0], "unsure": [0]}, index=[YOURS])
    ).index.name.endswith("(above 0: predicts better than your formula)")


def test_shares_are_written_as_the_book_writes_them():
    question = ask("y ~ x + (1 | g)", YES, CHANCE, family="bernoulli")
    said = words.describe_table(question, "a.csv", YES)
    assert re.search(r"[\d.]+ % of them", said) and not re.search(r"\d%", said)


def test_the_answer_of_yes_and_no_names_its_average_and_the_odds_ratio(yes):
    question, one, tree = yes
    said = words.describe_answer(question, YOURS, effects.answer(question, one, tree), [])
    assert "percentage points" in said and "on average over the rows" in said
    assert "odds ratio of 1 more of x" in said and "excludes 1" in said


def test_crossed_and_nested_factors_are_told_apart():
    crossed = ask("y ~ x + (1 | g) + (1 | h)", FACTORS, POINTS)
    assert "each meets each group of `g`" in words.describe_table(crossed, "a.csv", FACTORS)
    nested = ask("y ~ x + (1 | g/h)", FACTORS, POINTS)
    assert "each lies within one group of `g`" in words.describe_table(nested, "a.csv", FACTORS)


def test_the_script_has_the_family_and_its_ratio():
    question, found, _ = prepare("y ~ x + (1 | g)", YES, CHANCE, family="bernoulli")
    code = write_script(question, found[YOURS], "a.csv", **SAMPLER)
    assert 'family="bernoulli"' in code and "Odds ratio" in code
    compile(code, "script", "exec")
    assert max(map(len, code.splitlines())) <= 84


def test_averages_are_of_groups_like_these_unless_asked_otherwise(counts):
    question, one, tree = counts
    new = averages.of_rows(question, one, tree, averages.NEW_GROUP)["1 more of x"]
    like = averages.of_rows(question, one, tree)["1 more of x"]
    assert float(new.std()) > 2 * float(like.std())
