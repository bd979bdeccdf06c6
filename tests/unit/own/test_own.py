"""A reader's own table: what is asked, which models may answer, effects, checks, sensitivity, words."""

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers import elicitation, reading, tables
from helpers.book.visits import data_file
from helpers.exact import exact_posterior
from helpers.own import ask, candidates, checks, choice, effects, script, sensitivity, words
from helpers.own.candidates import BOTH, INTERCEPTS, POOLED, SLOPES
from helpers.own.words import answer, pieces
from helpers.priors import Plausible

WIDE = Plausible(-20, 40, "points")


def simulate(groups=40, rows=8, *, bend=0.0, between=0.0, noise=None, seed=1) -> pd.DataFrame:
    """Rows of groups with a slope of 1 within them, 1 + ``between`` between their means."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), rows)
    middle = rng.normal(10, 2, groups)
    x = rng.normal(middle[group], 1)
    level = rng.normal(between * (middle - 10), 1)
    spread = np.ones(groups) if noise is None else noise
    y = level[group] + x + bend * (x - middle[group]) ** 2 + rng.normal(0, spread[group])
    labels = [f"g{number:02}" for number in group]
    side = np.where(group % 2, "left", "right")
    return pd.DataFrame({"y": y, "x": x, "z": rng.normal(size=len(x)), "side": side, "g": labels})


def prepare(formula, frame, plausible=WIDE, **given):
    """Question, its candidates, and what is missing among them."""
    question = ask(formula, frame, plausible, **given)
    priors = elicitation.elicit(question.formula, question.table, plausible).priors
    return question, *candidates.list_candidates(question, priors)


def fit_own(formula, frame, **given):
    """Question, the reader's own model, and its exact fit."""
    question, models, _ = prepare(formula, frame, **given)
    own = models[candidates.name_of_own(question)]
    return question, own, candidates.fit_exactly(own)


FRAME = simulate()


# What is asked


@pytest.mark.parametrize(
    ("formula", "main", "column", "kind"),
    [
        ("y ~ z + x + (x | g)", "std_x", "x", "number"),
        ("y ~ side + x + z + (1 | g)", "std_x", "x", "number"),
        ("y ~ side * x + (1 | g)", "std_x", "x", "number"),
        ("y ~ x:side + (1 | g)", "x", "x", "number"),
        ("y ~ side + (1 | g)", "side", "side", "factor"),
        ("y ~ np.exp(z) + (1 | g)", "np.exp(z)", "np.exp(z)", "number"),
        ("y ~ 1 + (1 | g)", None, None, "none"),
    ],
)
def test_the_main_term_has_slopes_by_group_or_is_a_number_or_a_factor(formula, main, column, kind):
    question = ask(formula, FRAME, WIDE)
    assert (question.main, question.column, question.kind) == (main, column, kind)


@pytest.mark.parametrize(
    ("formula", "given", "said"),
    [
        ("y ~ x", {}, "names no groups"),
        ("y ~ x + (x | g) + (x | side)", {}, "2 slopes by group"),
        ("y ~ x + (1 | g:side)", {}, "grouping factor of several columns"),
        ("y ~ x + (0 + x | g) + (1 | side)", {}, "slopes without intercepts"),
        ("y ~ x + (1 | g)", {"family": "t"}, "Unknown family"),
        ("y ~ x + (1 | g)", {"family": "poisson"}, "counts"),
        ("y ~ x + z + (x + z | g)", {}, "2 slopes by group"),
        ("y ~ age + (1 | g)", {}, "no column 'age'"),
        ("y ~ x + (1 | g)", {"per": 0}, "per is 0"),
        ("y ~ x + (1 | one)", {}, "one level only"),
        ("y ~ poly(x, 2) + (1 | g)", {}, "has several columns"),
    ],
)
def test_what_the_page_cannot_take_is_said_in_one_sentence(formula, given, said):
    with pytest.raises(ValueError, match=said) as error:
        ask(formula, FRAME.assign(one="a"), WIDE, **given)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("plausible", "said"),
    [
        (Plausible(1000, 2000, "u"), "lie outside of the plausible range: they run from"),
        (Plausible(-1e6, 1e6, "u"), "within a hundredth of the plausible range"),
    ],
)
def test_a_range_in_another_unit_is_refused_before_any_fit(plausible, said):
    with pytest.raises(ValueError, match=said):
        ask("y ~ x + (1 | g)", FRAME, plausible)


def test_columns_whose_own_names_hold_std_keep_them():
    """In tables, sentences and the script only what the page itself put before a name is left out."""
    frame = FRAME.rename(columns={"x": "lag_std_dev", "side": "std_side"})
    frame.loc[3, "lag_std_dev"] = np.nan
    formula = "y ~ lag_std_dev + std_side + (lag_std_dev | g)"
    question, own, tree = fit_own(formula, frame, drop_missing=True)
    assert [*effects.coefficients(own, tree)] == ["Intercept", "lag_std_dev", "std_side right"]
    assert "effects of `lag_std_dev` and `std_side` in" in words.write_model(question, own)
    reasons = elicitation.elicit(question.formula, question.table, question.plausible)
    said = words.tabulate_priors(question, own, reasons)["reason"]
    assert "effects of lag_std_dev differ" in said["std_lag_std_dev|g"]
    code = script.write_script(question, own, "t.csv", draws=1, tune=1, chains=1, seed=1)
    assert "dropna(subset=['g', 'lag_std_dev', 'std_side', 'y'])" in code


def test_names_of_columns_may_have_spaces_and_parentheses():
    named = FRAME.rename(columns={"x": "school (years)"})
    _, models, _ = prepare("y ~ `school (years)` + (`school (years)` | g)", named)
    assert {"pooled", "random intercept", "random slope"} <= set(models)
    assert all(model.terms.common for model in models.values())


def test_rows_with_gaps_are_left_out_only_when_asked():
    frame = FRAME.copy()
    frame.loc[3, "x"] = np.nan
    with pytest.raises(ValueError, match="drop_missing"):
        ask("y ~ x + (1 | g)", frame, WIDE)
    question = ask("y ~ x + (1 | g)", frame, WIDE, drop_missing=True)
    assert len(question.table) == len(frame) - 1
    assert "1 of 320 rows" in words.describe_table(question, "a.csv", frame)


# Candidates


def test_four_models_may_answer_and_share_their_priors():
    question, models, missing = prepare("y ~ x + z + (x | g)", FRAME)
    assert [*models] == [POOLED, INTERCEPTS, SLOPES, BOTH] and not missing
    assert models[POOLED].formula == "y ~ 1 + std_x + std_z"
    assert models[BOTH].formula == "y ~ 1 + x_within + std_z + x_g_mean + (x_within | g)"
    own, both = models[SLOPES].priors, models[BOTH].priors
    assert both["x_within"] == own["std_x"] and both["x_within|g"] == own["std_x|g"]
    assert both["x_g_mean"] == (0.0, own["1|g"])
    for one in models.values():
        exact_posterior(one.formula, one.table, priors=one.priors, draws=10)
    assert candidates.name_of_own(question) == SLOPES


def test_slopes_that_are_tried_have_the_prior_of_slopes_that_are_asked_for():
    """But for what one more part takes from the range."""
    tried, asked = (
        prepare(f, FRAME)[1][SLOPES].priors for f in ("y ~ x + (1 | g)", "y ~ x + (x | g)")
    )
    assert abs(tried["std_x|g"] / asked["std_x|g"] - 1) < 0.1


@pytest.mark.parametrize(
    ("formula", "frame", "absent", "said"),
    [
        ("y ~ side + (1 | g)", FRAME, {SLOPES, BOTH}, "numeric predictor"),
        ("y ~ x * side + (1 | g)", FRAME, {BOTH}, "no one slope to split"),
        ("y ~ x + I(x**2) + (1 | g)", FRAME, {BOTH}, "no one slope to split"),
        ("y ~ np.exp(z) + (1 | g)", FRAME, {SLOPES, BOTH}, "a function"),
        (
            "y ~ x + (1 | g)",
            FRAME.assign(x=FRAME.groupby("g")["x"].transform("mean")),
            {SLOPES, BOTH},
            "does not vary within groups",
        ),
        (
            "y ~ x + (1 | g)",
            FRAME.assign(x=FRAME.groupby("g").cumcount().astype(float)),
            {BOTH},
            "same mean of x",
        ),
    ],
)
def test_a_model_that_is_no_candidate_has_a_reason(formula, frame, absent, said):
    _, models, missing = prepare(formula, frame)
    assert {POOLED, INTERCEPTS, SLOPES, BOTH} - set(models) == absent
    assert len(missing) == len(absent) and said in " ".join(missing)


def test_columns_of_any_name_can_be_split():
    frame = FRAME.rename(columns={"x": "head weight", "g": "the group"})
    question, models, _ = prepare("y ~ `head weight` + (`head weight` | `the group`)", frame)
    one = models[BOTH]
    tree = candidates.fit_exactly(one)
    slope = effects.population(question, one, tree)["1 more of head weight"]
    assert abs(float(slope.mean()) - 1) < 0.2


@pytest.mark.parametrize(("between", "chosen"), [(2.0, BOTH), (0.0, INTERCEPTS)])
def test_the_within_between_model_answers_where_slopes_clearly_differ(between, chosen):
    question, models, _ = prepare("y ~ x + (1 | g)", simulate(between=between), per=2)
    found = choice.choose(question, models, {BOTH: candidates.fit_exactly(models[BOTH])})
    assert abs(float(found.difference.mean()) - 2 * between) < 3 * float(found.difference.std())
    assert found.name == chosen


def test_scores_are_differences_from_the_readers_model():
    question, models, _ = prepare("y ~ x + (1 | g)", FRAME)
    scores = choice.score(question, models)
    assert (scores.loc[INTERCEPTS] == 0).all()
    assert scores.loc[POOLED, "rows"] < -2 * scores.loc[POOLED, "rows_se"]


# Effects


def test_slopes_are_in_units_of_the_table():
    question, own, tree = fit_own("y ~ x + z + (x | g)", FRAME, per=3)
    slope = tree["posterior"]["std_x"] * 3 / FRAME["x"].std()
    found = effects.population(question, own, tree)
    assert [*found] == ["3 more of x"]
    np.testing.assert_allclose(found["3 more of x"], slope, rtol=1e-6)
    by_group = effects.by_group(question, own, tree, "3 more of x")
    effect = tree["posterior"]["std_x|g"].sel(g__factor_dim="g07", drop=True)
    np.testing.assert_allclose(
        by_group.sel(g="g07"), slope + effect * 3 / FRAME["x"].std(), rtol=1e-6
    )
    new = effects.of_new_group(question, own, tree, "3 more of x")
    spread = tree["posterior"]["std_x|g_sigma"] * 3 / FRAME["x"].std()
    assert np.isclose(new.var(), slope.var() + (spread**2).mean(), rtol=0.1)


def test_an_interaction_gives_the_mean_over_rows_and_each_level():
    question, own, tree = fit_own("y ~ x * side + (1 | g)", FRAME)
    found = effects.population(question, own, tree)
    name = "1 more of x"
    assert [*found] == [name, f"{name}, side left", f"{name}, side right"]
    share = (FRAME["side"] == "left").mean()
    mean = share * found[f"{name}, side left"] + (1 - share) * found[f"{name}, side right"]
    np.testing.assert_allclose(found[name], mean, rtol=1e-6)


def test_a_column_that_was_not_standardized_has_slopes_in_its_own_units():
    question, own, tree = fit_own("y ~ x:side + (1 | g)", FRAME)
    found = effects.population(question, own, tree)
    slope = tree["posterior"]["x:side"].isel({"x:side_dim": 0}, drop=True)
    np.testing.assert_allclose(found["1 more of x, side left"], slope, rtol=1e-6)
    assert effects.predict_outcomes(question, own, tree).sizes["row"] == 3


def test_a_factor_has_contrasts_with_its_first_level():
    frame = FRAME.assign(third=np.tile(["a", "b", "c", "c"], 80))
    question, own, tree = fit_own("y ~ third + (1 | g)", frame)
    found = effects.population(question, own, tree)
    assert [*found] == ["b minus a", "c minus a"]
    coefficient = tree["posterior"]["third"].sel(third_dim="c", drop=True)
    np.testing.assert_allclose(found["c minus a"], coefficient, rtol=1e-6)


def test_without_predictors_the_answer_is_the_mean():
    question, own, tree = fit_own("y ~ 1 + (1 | g)", FRAME)
    (mean,) = effects.population(question, own, tree).values()
    np.testing.assert_allclose(mean, tree["posterior"]["Intercept"])


def test_predictions_along_the_predictor_go_through_the_means():
    question, models, _ = prepare("y ~ x + (1 | g)", FRAME)
    for name in (INTERCEPTS, BOTH):
        tree = candidates.fit_exactly(models[name])
        found = effects.predict_outcomes(question, models[name], tree)
        low, _, high = found["mean of groups"].mean(["chain", "draw"]).to_numpy()
        ends = found["row"].values
        slope = float(effects.population(question, models[name], tree)["1 more of x"].mean())
        assert np.isclose((high - low) / (ends[2] - ends[0]), slope, rtol=1e-3)
        single = found["one outcome, a group never seen"].std(["chain", "draw"])
        assert (single > found["mean of groups"].std(["chain", "draw"])).all()


# Checks


def verdicts(formula, frame) -> dict[str, str]:
    question, own, tree = fit_own(formula, frame)
    return {check.name: check.verdict for check in checks.check_fit(question, own, tree)}


def test_a_table_that_the_model_made_passes_all_checks():
    found = [verdicts("y ~ x + (1 | g)", simulate(seed=seed)) for seed in range(5)]
    failed = [name for one in found for name, verdict in one.items() if verdict == "fails"]
    assert len(failed) <= 1


DIFFERENT = FRAME.assign(y=FRAME["y"] + (FRAME["g"] > "g20") * 1.5 * (FRAME["x"] - 10))
NOISE = np.where(np.arange(40) % 4, 0.5, 3.0)


@pytest.mark.parametrize(
    ("frame", "failing"),
    [
        (simulate(bend=0.5), "shape in the predictor"),
        (simulate(between=2.0), "group means"),
        (DIFFERENT, "effects alike in all groups"),
        (simulate(noise=NOISE), "spread by group"),
        (FRAME.assign(y=FRAME["y"] + 15 * (FRAME["g"] == "g03")), "normal groups"),
        (FRAME.assign(y=FRAME["y"] * np.exp(FRAME["x"] / 4) / 15), "spread along the mean"),
        (FRAME.assign(y=FRAME["y"] + 9 * (FRAME.index % 100 == 5)), "leave-one-out"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_check_fails_where_its_assumption_does(frame, failing):
    assert verdicts("y ~ x + (1 | g)", frame)[failing] == "fails"


def test_the_term_that_the_advice_names_can_be_added_and_mends_the_check():
    question, own, tree = fit_own("y ~ x + (1 | g)", simulate(bend=0.5))
    said = words.describe_checks(question, checks.check_fit(question, own, tree))
    term = re.search(r"Add a term such as `(.+?)`", said)[1]
    question, own, tree = fit_own(f"y ~ x + {term} + (1 | g)", simulate(bend=0.5))
    (added,) = [name for name in own.terms.common if name != "std_x"]
    assert added.replace(" ", "") == term == "I(scale(x)**2)"
    assert float(tree["posterior"][added].mean() / tree["posterior"][added].std()) > 2


@pytest.mark.parametrize(("high", "verdict"), [(40, "passes"), (10.5, "fails")])
def test_a_prior_that_the_table_contradicts_is_told(high, verdict):
    """Outcomes lie near 10; a range as narrow as 9 to 10.5 makes priors that do not reach them."""
    question, own, tree = fit_own(
        "y ~ x + (1 | g)", FRAME, plausible=Plausible(0.2 if high == 40 else 9, high, "points")
    )
    found = {check.name: check for check in checks.check_fit(question, own, tree)}["priors"]
    assert found.verdict == verdict
    told = words.describe_checks(question, [found])
    assert ("State a wider one" in told) == (verdict == "fails")


def test_a_check_that_cannot_be_made_says_why():
    frame = FRAME.assign(x=(FRAME.index % 2).astype(float))
    question, own, tree = fit_own("y ~ x + (1 | g)", frame)
    shape, means, *_ = checks.check_fit(question, own, tree)
    assert shape.verdict == means.verdict == checks.CANNOT
    assert "too few distinct values" in shape.why_not and "same mean" in means.why_not
    told = words.describe_checks(question, [shape, means])
    assert "Cannot be made here" in told and "fails" not in told


def test_effects_of_a_factor_that_differ_by_group_are_told():
    group = FRAME["g"].str[1:].astype(int)
    up = FRAME.assign(side=np.where(FRAME.index % 2, "left", "right"))
    frame = up.assign(y=up["y"] + 3 * (group % 2) * (up["side"] == "left"))
    assert verdicts("y ~ x + (1 | g)", up)["effects alike in all groups"] == "passes"
    question, own, tree = fit_own("y ~ side + (1 | g)", frame)
    found = {check.name: check for check in checks.check_fit(question, own, tree)}
    check = found["effects alike in all groups"]
    assert check.verdict == "fails" and "(1 | g:side)" in words.advise(question, check)
    single = up.groupby(["g", "side"], as_index=False).first()
    assert verdicts("y ~ side + (1 | g)", single)["effects alike in all groups"] == checks.CANNOT


def test_few_groups_and_slopes_between_them_leave_nothing_to_check_in_group_means():
    question, models, _ = prepare("y ~ x + (1 | g)", FRAME)
    both = models[BOTH]
    found = checks.check_fit(question, both, candidates.fit_exactly(both))[1]
    assert "has a slope for it" in found.why_not
    few = FRAME[FRAME["g"] < "g04"]
    assert verdicts("y ~ x + (1 | g)", few)["group means"] == checks.CANNOT


# Sensitivity


def test_influence_foretells_what_a_fit_without_the_group_or_the_row_finds():
    frame = pd.read_csv(data_file("tables/sleepstudy.csv"))
    given = {"plausible": Plausible(100, 700, "ms")}
    question, own, tree = fit_own("reaction ~ days + (days | subject)", frame, **given)
    found = sensitivity.find_influential(question, own, tree, "1 more of days")
    assert found["subject"].abs().idxmax() == 335
    changes, skipped = sensitivity.list_changes(question, own, tree, "1 more of days")
    table, _, failed = sensitivity.refit(question, changes, "1 more of days")
    assert not skipped and not failed
    moved = table["mean"] - table.loc[sensitivity.AS_IS, "mean"]
    assert np.isclose(
        moved["without subject 335 (the most influential of 3 candidates)"],
        found["subject"][335],
        atol=0.2,
    )
    (row,) = [label for label in moved.index if label.startswith("without row")]
    assert row == "without row 59 (the most influential of 5 candidates)"
    assert np.isclose(moved[row], found[None][59], atol=0.15)


def test_a_square_of_the_predictor_bends_what_to_expect_and_is_told_beside_its_coefficient():
    frame = FRAME.assign(y=FRAME["y"] + (FRAME["x"] - FRAME["x"].mean()) ** 2)
    question, own, tree = fit_own(
        "y ~ x + I(scale(x)**2) + (1 | g)", frame, plausible=Plausible(-20, 80, "points")
    )
    expected = effects.predict_outcomes(question, own, tree)["mean of groups"].mean(
        ["chain", "draw"]
    )
    low, middle, high = expected.values
    assert low > middle + 5 and high > middle + 5
    said = words.describe_answer(question, INTERCEPTS, effects.answer(question, own, tree), [])
    assert "the coefficient of `x` alone; with `I(scale(x) ** 2)`" in said


def test_an_effect_that_is_one_coefficient_is_told_without_monte_carlo_error():
    question, own, _ = fit_own("y ~ x + side + (1 | g)", FRAME)
    one, two = (
        sensitivity.refit(question, {sensitivity.AS_IS: own}, "1 more of x", seed)[0]
        for seed in (1, 2)
    )
    assert np.allclose(one, two, rtol=1e-9)


def test_one_slope_for_all_is_tried_with_slopes_by_group():
    group = FRAME["g"].str[1:].astype(int)
    frame = FRAME.assign(y=FRAME["y"] + np.where(group % 3, -1.0, 2.0) * (FRAME["x"] - 10))
    question, own, tree = fit_own("y ~ x + (1 | g)", frame)
    changes, _ = sensitivity.list_changes(question, own, tree, "1 more of x")
    table, *_ = sensitivity.refit(question, changes, "1 more of x")
    assert "wider**" in words.describe_sensitivity(question, table, 0.1, [])
    question, own, tree = fit_own("y ~ side + (1 | g)", FRAME)
    changes, _ = sensitivity.list_changes(question, own, tree, "right minus left")
    assert sensitivity.SLOPES_BY_GROUP not in changes


def test_what_cannot_be_left_out_is_said():
    frame = FRAME[FRAME["g"].isin(["g00", "g01"])]
    question, own, tree = fit_own("y ~ x + (1 | g)", frame)
    _, skipped = sensitivity.list_changes(question, own, tree, "1 more of x")
    assert "one group of g would be left" in " ".join(skipped)
    question, own, tree = fit_own("y ~ side + (1 | g)", frame)
    _, skipped = sensitivity.list_changes(question, own, tree, "right minus left")
    assert skipped


def test_scaled_priors_keep_their_means_and_the_correlation():
    given = {"Intercept": (5.0, 2.0), "sigma": 3.0, "rho": 2.0}
    doubled = {"Intercept": (5.0, 4.0), "sigma": 6.0, "rho": 2.0}
    assert candidates.scale_priors(given, 2) == doubled


# Words


def draws_of(mean: float, sd: float) -> xr.DataArray:
    values = np.random.default_rng(2).normal(mean, sd, (4, 1000))
    return xr.DataArray(values, dims=("chain", "draw"))


@pytest.mark.parametrize(
    ("mean", "said", "unsaid"),
    [(1.0, "excludes 0", "not settled"), (0.05, "sign is not settled", "excludes")],
)
def test_the_sign_is_settled_only_where_the_interval_excludes_0(mean, said, unsaid):
    question = ask("y ~ x + (1 | g)", FRAME, WIDE)
    found = xr.Dataset({"1 more of x": draws_of(mean, 0.2)})
    by_group = found["1 more of x"].expand_dims(g=["a", "b"])
    answer = effects.Answer("1 more of x", found, by_group, found["1 more of x"])
    told = words.describe_answer(question, INTERCEPTS, answer, [])
    assert said in told and unsaid not in told


def test_a_failed_check_is_said_before_the_answer():
    question, own, tree = fit_own("y ~ x + (1 | g)", simulate(bend=0.5))
    checked = checks.check_fit(question, own, tree)
    answer = effects.answer(question, own, tree)
    told = words.describe_answer(question, own.name, answer, checked)
    assert told.startswith("**Read this with care:**") and "*shape in the predictor*" in told


@pytest.mark.parametrize(
    ("frame", "chosen", "said"),
    [
        (FRAME, INTERCEPTS, "within and between groups"),
        (FRAME, BOTH, "rows of one `g`"),
        (FRAME.assign(x=FRAME.groupby("g").cumcount() + 0.0), INTERCEPTS, "rows of one `g`"),
        (FRAME.assign(x=FRAME["g"].str[1:].astype(float)), INTERCEPTS, "comparing groups of"),
    ],
)
def test_the_answer_says_what_is_compared(frame, chosen, said):
    assert said in words.describe_scope(ask("y ~ x + (1 | g)", frame, WIDE), chosen)


@pytest.mark.parametrize(("cost", "word"), [(1.5, "do it"), (2.5, "leave it")])
def test_a_decision_compares_the_mean_worth_with_the_cost(cost, word):
    question = ask("y ~ x + (1 | g)", FRAME, WIDE)
    who = {"Groups like these": draws_of(1.0, 0.3)}
    told = words.describe_decision(question, who, 2.0, cost)
    assert f"**{word}**" in told and "with probability" in told
    assert "No decision" in words.describe_decision(question, who, None, cost)


def test_an_answer_that_moves_with_the_prior_says_so():
    question = ask("y ~ x + (1 | g)", FRAME, WIDE)
    labels = [sensitivity.AS_IS, "scales of all priors halved", "scales of all priors doubled"]
    table = pd.DataFrame(
        {"mean": [1.0, 0.4, 1.2], tables.LOWER: [0.2, -0.2, 0.3], tables.UPPER: [1.8, 1.0, 2.1]},
        index=labels,
    )
    told = words.describe_sensitivity(question, table, 0.4, ["without g a: one group"])
    assert "moves strongly" in told and "hangs on the prior" in told
    assert "includes 0 in the row *scales of all priors halved*" in told and "Not tried" in told
    warned = words.warn_of_prior(question, "1 more of x", table, 0.4)
    assert warned.startswith("**Read this with care:** 1 more of x hangs on the prior")
    assert "doubled it is 1.2" in warned
    assert not words.warn_of_prior(question, "1 more of x", table, 4.0)


def test_few_groups_and_groups_of_one_row_are_told():
    few = ask("y ~ x + (1 | g)", FRAME[FRAME["g"].isin(["g00", "g01", "g02"])], WIDE)
    assert "3 groups hardly say" in words.describe_table(few, "a.csv", few.table)
    single = FRAME.drop(FRAME.index[1:8])
    told = words.describe_table(ask("y ~ x + (1 | g)", single, WIDE), "a.csv", single)
    assert "1 of the groups has one row only" in told


def test_numbers_from_one_end_to_the_other_have_the_same_decimals():
    told = pieces.from_to(pd.Series({"a": -0.357, "b": 19.67, "c": 3.0}), "ms")
    assert told == "\N{MINUS SIGN}0.4 (a) to 19.7 ms (b)"
    assert pieces.from_to(pd.Series({"a": -0.001, "b": 12.0}), "s") == "0.0 (a) to 12.0 s (b)"


def test_a_table_of_many_groups_says_how_many_it_leaves_out():
    question, own, tree = fit_own("y ~ x + (x | g)", FRAME)
    by_group, title = effects.show_by_group(question, own, tree, "1 more of x")
    shown = words.tabulate_groups(question, by_group, title)
    number = len(question.sizes)
    assert len(shown) == 13 and shown.index[6] == f"({number - 12} more between)"
    assert (shown.iloc[6] == "").all() and shown.index.name == title


def test_a_table_in_markdown_keeps_bars_within_its_cells():
    table = pd.DataFrame({"a|b": ["1|g"]}, index=pd.Index(["x"], name="n"))
    assert words.as_markdown(table) == "| n | a\\|b |\n| --- | --- |\n| x | 1\\|g |"


def test_effects_differ_between_levels_and_a_new_group_is_at_those_of_a_row():
    question, own, tree = fit_own("y ~ x * side + (x | g)", FRAME)
    name, found = "1 more of x", effects.population(question, own, tree)
    apart = effects.between_levels(question, found)[f"{name}, side right minus left"]
    right, left = found[f"{name}, side right"], found[f"{name}, side left"]
    np.testing.assert_allclose(apart, right - left)
    answer = effects.answer(question, own, tree)
    by_level = answer.new_by_level
    assert [*by_level] == ["side left", "side right"]
    new = effects.of_new_group(question, own, tree, name)
    share = (FRAME["side"] == "left").mean()
    mean = share * by_level["side left"].mean() + (1 - share) * by_level["side right"].mean()
    assert np.isclose(new.mean(), mean, atol=0.05)
    told = words.describe_answer(question, own.name, answer, [])
    assert "It depends on `side`" in told and "side right minus left" in told
    assert "For one with side left" in told


def test_all_coefficients_are_in_units_of_the_table():
    question, own, tree = fit_own("y ~ x * side + z + (1 | g)", FRAME)
    found = effects.coefficients(own, tree)
    assert [*found] == ["Intercept", "x", "side right", "x:side right", "z"]
    slope = tree["posterior"]["std_z"] / FRAME["z"].std()
    np.testing.assert_allclose(found["z"], slope, rtol=1e-6)
    apart = effects.between_levels(question, effects.population(question, own, tree))
    (difference,) = apart.values()
    np.testing.assert_allclose(found["x:side right"], difference, rtol=1e-6)


def test_what_to_expect_names_what_it_holds():
    question, own, tree = fit_own("y ~ x + z + side + (1 | g)", FRAME)
    expected = effects.predict_outcomes(question, own, tree)
    level = FRAME["side"].mode()[0]
    assert expected.attrs["held"]["side"] == level
    assert np.isclose(expected.attrs["held"]["z"], FRAME["z"].mean())
    assert f"mean of groups, side {level}" in words.tabulate_outcomes(question, expected)
    assert f"`side` at {level}" in words.describe_held(question, own.name, expected)


def test_the_share_of_groups_in_a_slope_is_that_of_the_weights():
    """Between groups the slope has the variance of a regression of means."""
    question, own, tree = fit_own("y ~ x + (1 | g)", FRAME)
    share = effects.share_between(question, own, tree)
    sd = tree["posterior"].mean()
    groups = FRAME.groupby("g")["x"]
    inside = ((FRAME["x"] - groups.transform("mean")) ** 2).sum() / sd["sigma"] ** 2
    apart = ((groups.mean() - FRAME["x"].mean()) ** 2).sum()
    apart = apart / (sd["1|g_sigma"] ** 2 + sd["sigma"] ** 2 / 8)
    assert np.isclose(share, float(apart / (apart + inside)))
    assert "almost only rows" in words.describe_scope(question, own.name, 0.01)


def test_one_slope_for_all_is_told_as_an_assumption():
    question = ask("y ~ x + (1 | g)", FRAME, WIDE)
    assert "by group" not in words.describe_question(question)
    assert "the same in every `g`" in " ".join(words.describe_limits(question, INTERCEPTS))
    own = ask("y ~ x + (x | g)", FRAME, WIDE)
    assert "by group" in words.describe_question(own)
    assert "the same in every `g`" not in " ".join(words.describe_limits(own, SLOPES))


def test_a_slope_within_groups_for_more_than_they_have_is_told():
    wide = ask("y ~ x + (1 | g)", FRAME, WIDE, per=100)
    name, draws = "100 more of x", draws_of(1.0, 0.2)
    by_group = draws.expand_dims(g=["a", "b"])
    found = xr.Dataset({name: draws})
    told = words.describe_answer(wide, BOTH, effects.Answer(name, found, by_group, draws), [])
    assert "is more than the table has" in told
    assert "apart (median" in " ".join(words.describe_limits(wide, BOTH))


@pytest.mark.parametrize(
    ("difference", "error", "said"),
    [
        (-22.0, 11.6, "worse than by your formula, but not surely (1.9 SE)"),
        (-22.0, 5.0, "clearly worse"),
        (2.0, 0.1, "small"),
    ],
)
def test_scores_that_are_large_but_not_sure_are_told_as_such(difference, error, said):
    question = ask("y ~ x + (x | g)", FRAME, WIDE)
    columns = ["rows", "rows_se", "groups", "groups_se"]
    values = [[difference, error] * 2, [0.0] * 4]
    scores = pd.DataFrame(values, index=[INTERCEPTS, SLOPES], columns=columns)
    assert said in words.describe_choice(question, scores, choice.Choice(SLOPES))


@pytest.mark.parametrize(
    ("limits", "said"),
    [((0.2, 0.9), "low end of `x` too wide"), ((-0.9, -0.2), "low end of `x` too narrow")],
)
def test_a_correlation_is_a_warning_on_predictions_where_it_excludes_0(limits, said):
    _, models, _ = prepare("y ~ x + (x | g)", FRAME)
    low, high = limits
    told = {"mean": (low + high) / 2, tables.LOWER: low, tables.UPPER: high}
    rho = xr.DataArray([*told.values()], {"rho_stat": [*told]}, name="rho")
    tree = xr.DataTree.from_dict({"exact": xr.Dataset({"rho": rho})})
    assert said in words.warn_of_correlation(models[SLOPES], tree)
    unsure = xr.DataTree.from_dict({"exact": xr.Dataset({"rho": rho * 0})})
    assert words.warn_of_correlation(models[SLOPES], unsure) == ""


def test_the_script_reads_the_file_as_the_page_did(tmp_path):
    path = tmp_path / "t.csv"
    FRAME.to_csv(path, sep=";", decimal=",", index=False)
    question, models, _ = prepare("y ~ x + (x | g)", reading.read_table(path))
    one, sampler = models[SLOPES], {"draws": 1, "tune": 1, "chains": 1, "seed": 1}
    code = script.write_script(question, one, path, **sampler)
    known = {}
    exec(code[code.index("table = pd") : code.index("priors = {")], {"pd": pd}, known)
    assert "sep=';'" in code and "decimal=','" in code
    assert np.allclose(known["table"]["std_x"], one.table["std_x"])


def test_an_outcome_that_no_fit_can_name_is_refused_before_any_fit():
    named = FRAME.rename(columns={"y": "y t/ha"})
    with pytest.raises(ValueError, match=r"'y t/ha' .* its '/'; rename the column"):
        ask("'y t/ha' ~ x + (1 | g)", named, WIDE)


@pytest.mark.parametrize(
    ("means", "said"),
    [
        ([5, 6, 7], "all 3 intervals lie above 0"),
        ([0, 0, 0], "all 3 intervals include 0"),
        ([5, -6, 0], "of 3 intervals 1 lies above 0, 1 lies below 0 and 1 includes 0"),
        ([5, 5, 0], "of 3 intervals 2 lie above 0 and 1 includes 0"),
    ],
)
def test_intervals_of_groups_are_counted_in_words(means, said):
    numbers = [sum(sign * mean > 0 for mean in means) for sign in (1, -1)]
    assert answer._count_signs(len(means), *numbers) == said
