"""Priors from a plausible range simulate outcomes of that range, whatever the formula."""

import re
import warnings
from unittest.mock import Mock

import bambi as bmb
import numpy as np
import pandas as pd
import pymc as pm
import pytest

from helpers import elicitation, flipbook, models, terms
from helpers.families import FAMILIES
from helpers.models import fitting
from helpers.priors import Plausible
from small_table import BEYOND, PLAIN, make_outcomes, make_priors, make_table

LIKELY = Plausible(0.0, 40.0, "points")
SD = 10.0  # a quarter of the range
STANDARDIZED = {formula: terms.standardize(formula, make_table()) for formula in PLAIN}


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("correlated", [False, True])
def test_simulated_outcomes_have_the_plausible_range(name, correlated):
    formula, frame = STANDARDIZED[name]
    elicited = elicitation.elicit(formula, frame, LIKELY, correlated=correlated)
    simulated = flipbook.simulate(frame, formula, elicited.priors, draws=4000).values
    # Terms with functions, and interactions, have rows far out, where the spread is larger.
    assert simulated.mean() == pytest.approx(20, abs=1)
    assert simulated.std() == pytest.approx(SD, rel=0.12)
    inside = (simulated > LIKELY.low) & (simulated < LIKELY.high)
    assert inside.mean() == pytest.approx(0.95, abs=0.02)
    slopes = any(effect != "1" for effect, _ in terms.read_terms(formula, frame).by_group.values())
    assert ("rho" in elicited.priors) == (correlated and slopes)


def test_interactions_and_slopes_by_group_have_the_unit_of_their_columns(table):
    """A column in other units has slopes in other units, wherever it stands."""
    formula = "y ~ seg:x + (0 + x | g)"
    frames = [table.assign(x=unit * (table["x"] - 50)) for unit in (1, 100)]
    small, large = (elicitation.elicit(formula, frame, LIKELY).priors for frame in frames)
    assert small["seg:x"][1] == pytest.approx(100 * large["seg:x"][1])
    assert small["x|g"] == pytest.approx(100 * large["x|g"])
    with pytest.raises(ValueError, match="'x' lies far from 0"):
        elicitation.elicit(formula, table.assign(x=table["x"] + 50), LIKELY)


@pytest.mark.parametrize("name", [*PLAIN, *(f for f in BEYOND if "0 +" not in f)])
def test_every_parameter_has_a_prior_and_a_reason(table, name):
    formula, frame = terms.standardize(name, table)
    elicited = elicitation.elicit(formula, frame, LIKELY)
    found = terms.read_terms(formula, frame)
    assert list(elicited.priors) == found.parameters == list(elicited.reasons.index)
    terms.priors_by_term(found, elicited.priors)
    assert list(elicited.reasons.columns) == ["prior", "reason"]
    assert elicited.reasons["reason"].str.len().between(20, 140).all()
    first = elicited.priors["sigma"]
    assert elicited.reasons.loc["sigma", "prior"] == f"HalfNormal({first:g})"


def test_the_intercept_is_wider_by_what_its_levels_may_lie_off_the_middle(table):
    """It is the mean at the reference levels; a coefficient is the difference of two levels."""
    alone, one, two = (
        elicitation.elicit(f"y ~ {formula}", table, LIKELY)
        for formula in ("1", "seg", "seg + C(wave)")
    )
    ratios = [one.priors["Intercept"][1] / one.priors["seg"][1]]
    ratios.append(two.priors["Intercept"][1] / two.priors["seg"][1])
    assert ratios == pytest.approx([1, np.sqrt(3 / 2)], rel=0.03)
    first = sorted(table["seg"].unique())[0]
    assert f"the mean at seg {first}" in one.reasons.loc["Intercept", "reason"]
    assert "mean at" not in alone.reasons.loc["Intercept", "reason"]


def test_reasons_say_what_each_prior_lets_happen(table):
    formula, frame = terms.standardize("y ~ x * seg + (1 | g)", table)
    found = elicitation.elicit(formula, frame, LIKELY)
    reasons = found.reasons["reason"]
    assert "per sd of x, effects differ between levels of seg" in reasons["std_x:seg"]
    assert "predictors' means" in reasons["Intercept"]
    formula, frame = terms.standardize("y ~ x + (1 | g)", table)
    wide = elicitation.elicit(formula, frame, LIKELY)
    said = wide.reasons.loc["std_x", "reason"]
    chance = float(re.search(r"whole range with a probability of ([\d.]+)", said)[1])
    drawn = np.random.default_rng(1).normal(0, 4 * wide.priors["std_x"][1], 100_000)
    assert chance == pytest.approx((abs(drawn) > LIKELY.high - LIKELY.low).mean(), abs=0.01)


def test_outcomes_of_the_table_are_not_looked_at(table):
    formula, frame = terms.standardize("y ~ x + (x | g)", table)
    ours = elicitation.elicit(formula, frame, LIKELY)
    theirs = elicitation.elicit(formula, frame.assign(y=1000 * frame["y"]), LIKELY)
    assert ours.priors == theirs.priors


@pytest.mark.parametrize("formula", ["y ~ std_x + (std_x | g)", "y ~ x + (x | g)"])
def test_a_reach_makes_slopes_as_wide_as_it_is_short(table, formula):
    _, frame = terms.standardize("y ~ x + (x | g)", table.assign(x=table["x"] - 50))
    sd = frame["x"].std()
    plain = elicitation.elicit(formula, frame, LIKELY).priors
    twice = elicitation.elicit(formula, frame, LIKELY, reach={"x": (-4 * sd, 4 * sd)}).priors
    for name in plain:
        factor = 0.5 if "x" in name.split("|")[0] else 1.0
        scales = [np.atleast_1d(priors[name])[-1] for priors in (plain, twice)]
        assert scales[1] == pytest.approx(factor * scales[0], rel=0.06)  # two digits


@pytest.mark.parametrize(
    ("formula", "plausible", "reach", "message"),
    [
        (
            "y ~ std_x",
            Plausible(40, 0, "points"),
            {},
            "^The plausible range runs from 40 to 0; the first",
        ),
        (
            "y ~ std_x",
            LIKELY,
            {"z": (0, 1)},
            "^There is a reach of 'z', but the formula does not use it",
        ),
        (
            "y ~ std_x",
            LIKELY,
            {"x": (1, 0)},
            "^The reach of 'x' is two numbers, the smaller one first",
        ),
        ("y ~ std_x", LIKELY, {"x": (1, 2, 3)}, "^The reach of 'x' is two numbers"),
        ("y ~ std_x", LIKELY, {"x": 3}, "^The reach of 'x' is two numbers"),
        (
            "y ~ std_x + seg",
            LIKELY,
            {"seg": (0, 1)},
            "^There is a reach of 'seg', but it is not numeric",
        ),
        (
            "y ~ wave",
            LIKELY,
            {},
            "^'wave' lies far from 0, where the priors hold; write scale",
        ),
    ],
)
def test_what_no_prior_follows_from_is_said_in_one_sentence(
    table, formula, plausible, reach, message
):
    _, frame = terms.standardize("y ~ x", table)
    frame = frame.assign(seg=table["seg"])
    frame.attrs["scales"] = {"x": {"mean": table["x"].mean(), "sd": table["x"].std()}}
    with pytest.raises(ValueError, match=message):
        elicitation.elicit(formula, frame, plausible, reach=reach)


# Other families

MEANS = {
    "gamma": Plausible(0.5, 50, "s"),
    "bernoulli": Plausible(0.02, 0.98, ""),
    "poisson": Plausible(0.5, 50, "ticks"),
    "negativebinomial": Plausible(0.5, 50, "ticks"),
}


@pytest.mark.parametrize("family", MEANS)
def test_of_another_family_the_range_is_shared_out_on_the_scale_of_its_link(family):
    formula, frame = terms.standardize("y ~ x + (1 | g)", make_outcomes(family))
    plausible, of = MEANS[family], FAMILIES[family]
    found = elicitation.elicit(formula, frame, plausible, family=family)
    low, high = of.to_link(plausible.low), of.to_link(plausible.high)
    residual = {"alpha": 0.25} if of.auxiliary else {}
    shares = {"Intercept": 1, "std_x": 1, "1|g": 0.25} | residual
    variance = ((high - low) / 4) ** 2
    for name in ("Intercept", "std_x", "1|g"):
        scale = np.atleast_1d(found.priors[name])[-1]
        expected = np.sqrt(variance * shares[name] / sum(shares.values()))
        assert scale == pytest.approx(expected, rel=0.06)  # two digits
    assert found.priors["Intercept"][0] == pytest.approx((low + high) / 2, abs=0.01)
    for name in residual:
        alone = elicitation.TIMES[family] / (variance * 0.25 / sum(shares.values()))
        assert found.priors[name] == pytest.approx(alone, rel=0.06)
    read = terms.read_terms(formula, frame, family=family)
    assert list(found.priors) == read.parameters == list(found.reasons.index)


@pytest.mark.parametrize("family", MEANS)
@pytest.mark.parametrize("name", PLAIN)
def test_reasons_of_another_family_are_sentences_about_factors_or_odds(family, name):
    formula, frame = terms.standardize(name, make_outcomes(family))
    reasons = elicitation.elicit(formula, frame, MEANS[family], family=family).reasons["reason"]
    assert reasons.str.len().between(20, 140).all()
    link = FAMILIES[family].link
    assert f"on the {link} scale" in reasons["Intercept"]
    said = " ".join(reasons)
    assert ("a factor of" in said) <= (link == "log")
    assert ("an odds ratio of" in said) <= (link == "logit")
    if "seg" in name:
        assert ("a factor of" in said) != ("an odds ratio of" in said)


@pytest.mark.parametrize("family", MEANS)
def test_a_surprising_difference_is_a_ratio_of_two_sds(family):
    found = elicitation.elicit("y ~ seg", make_outcomes(family), MEANS[family], family=family)
    ratio = float(re.search(r"of ([\d.]+) would", found.reasons.loc["seg", "reason"])[1])
    assert ratio == pytest.approx(np.exp(2 * found.priors["seg"][1]), rel=0.12)


@pytest.mark.parametrize("family", ["gamma", "negativebinomial"])
def test_the_reason_of_alpha_says_how_outcomes_scatter(family):
    found = elicitation.elicit("y ~ 1", make_outcomes(family), MEANS[family], family=family)
    said = re.findall(r"[\d.]+", found.reasons.loc["alpha", "reason"])
    drawn = abs(np.random.default_rng(1).normal(0, found.priors["alpha"], 100_000))
    scatter = 100 / np.sqrt(drawn)
    expected = np.quantile(scatter, [0.5, 0.025, 0.975])
    np.testing.assert_allclose([float(number) for number in said], expected, rtol=0.06)


@pytest.mark.parametrize(
    ("family", "plausible", "message"),
    [
        (
            "bernoulli",
            Plausible(0, 0.9),
            "of a row's chance of a yes, between 0 and 1, .* not 0 to 0.9",
        ),
        ("bernoulli", Plausible(0.1, 60), "between 0 and 1, such as 0.02 to 0.98, not 0.1 to 60"),
        (
            "poisson",
            Plausible(0, 50),
            "of a row's mean, so it begins above 0, such as at 0.5, not at 0",
        ),
        ("gamma", Plausible(-1, 50), "begins above 0"),
        ("t", LIKELY, "Unknown family 't'"),
        ("binomial", LIKELY, "one row a trial, .* choose 'bernoulli'"),
    ],
)
def test_a_range_that_no_mean_can_have_is_refused(family, plausible, message):
    frame = (
        make_outcomes("bernoulli")
        if family == "bernoulli"
        else make_outcomes("poisson").assign(y=1.0)
    )
    with pytest.raises(ValueError, match=message):
        elicitation.elicit("y ~ 1", frame, plausible, family=family)


# Priors that do not suit the outcome


def mismatch(formula, table, priors):
    return elicitation.find_mismatch(terms.as_model(formula, table, priors, {}))


def test_the_prior_predictive_distribution_is_that_of_simulated_outcomes():
    formula, frame = STANDARDIZED["y ~ x * seg + (x | g)"]
    given = make_priors(terms.read_terms(formula, frame), mean=3.0, rho=2.0)
    mean, sd = elicitation.predict_prior(terms.as_model(formula, frame, given, {}))
    simulated = flipbook.simulate(frame, formula, given, draws=20_000).values[0]
    np.testing.assert_allclose(simulated.mean(0), mean, atol=5 * sd.max() / np.sqrt(20_000))
    np.testing.assert_allclose(simulated.std(0), sd, rtol=0.05)


@pytest.mark.parametrize("name", PLAIN)
def test_priors_in_the_outcomes_unit_are_no_mismatch_and_others_are(name):
    formula, frame = STANDARDIZED[name]
    priors = elicitation.elicit(formula, frame, LIKELY).priors
    assert mismatch(formula, frame, priors) == ""
    seconds = elicitation.elicit(formula, frame, Plausible(0, 0.04, "thousands")).priors
    said = mismatch(formula, frame, seconds)
    assert said.startswith("72 of 72 values of 'y' lie far outside of what the priors expect")
    assert said.endswith("Are the priors in the outcome's unit?")


@pytest.mark.parametrize(
    ("backend", "factors"),
    [
        *((backend, ["g"]) for backend in models.BACKENDS),
        ("bambi", ["g", "h"]),
        ("exact", ["g", "h"]),
    ],
)
@pytest.mark.parametrize("predictor", ["1", "x"])
def test_a_fit_warns_before_it_samples(table, backend, factors, predictor, monkeypatch):
    formula = f"y ~ {predictor} + " + " + ".join(f"(1 | {factor})" for factor in factors)
    table = table.assign(h=np.where(np.arange(len(table)) % 3, "a", "b"))
    priors = {"Intercept": (0, 0.01), "sigma": 0.01} | (
        {"x": (0, 0.01)} if predictor == "x" else {}
    )
    priors |= {f"1|{factor}": 0.01 for factor in factors}
    for module, name in (
        (pm, "sample"),
        (bmb.Model, "fit"),
        (fitting, "exact_posterior"),
    ):
        monkeypatch.setattr(module, name, Mock(side_effect=InterruptedError))
    warned = pytest.warns(models.PriorWarning, match="of 'y' lie far outside")
    with warned, pytest.raises(InterruptedError):
        models.fit(formula, table, priors=priors, backend=backend)


def test_the_books_own_table_warns_of_nothing(visits):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in models.MODELS:
            models.fit(name, visits, backend="exact", draws=5)
            models.fit(models.FORMULAS[name], visits, backend="exact", draws=5)


def test_the_books_priors_for_another_outcome_are_warned_of(table):
    columns = {"outcome": "y", "predictor": "x", "group": "g"}
    with pytest.warns(models.PriorWarning, match="No priors were given for 'y'"):
        models.fit("random_intercept", table, backend="exact", draws=5, **columns)


def test_rows_left_out_are_not_elicited_from(table):
    formula, frame = terms.standardize("y ~ x", table)
    holes = pd.concat([frame, frame.tail(1).assign(std_x=np.nan)], ignore_index=True)
    holes.attrs = frame.attrs
    ours = elicitation.elicit(formula, holes, LIKELY).priors
    assert ours == elicitation.elicit(formula, frame, LIKELY).priors
