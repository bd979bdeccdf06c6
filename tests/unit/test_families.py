"""Outcomes of every family scatter as its library's distribution does, and others are refused."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.families import FAMILIES, find_family

MEAN = {"gaussian": -3.0, "gamma": 7.0, "bernoulli": 0.2, "poisson": 2.5, "negativebinomial": 2.5}
AUXILIARY = 1.7
DISTRIBUTION = {
    "gaussian": stats.norm(-3, 1.7),
    "gamma": stats.gamma(1.7, scale=7 / 1.7),
    "bernoulli": stats.bernoulli(0.2),
    "poisson": stats.poisson(2.5),
    "negativebinomial": stats.nbinom(1.7, 1.7 / (1.7 + 2.5)),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_outcomes_have_the_distribution_of_their_family(name):
    family, rng = FAMILIES[name], np.random.default_rng(1)
    drawn = family.draw(rng, np.full((100, 200), MEAN[name]), np.full((100, 1), AUXILIARY))
    assert drawn.shape == (100, 200)
    expected = DISTRIBUTION[name]
    assert drawn.mean() == pytest.approx(expected.mean(), abs=5 * expected.std() / 141)
    assert drawn.std() == pytest.approx(expected.std(), rel=0.05)
    at = expected.ppf([0.1, 0.5, 0.9])
    below = [(drawn <= value).mean() for value in at]
    np.testing.assert_allclose(below, expected.cdf(at), atol=0.02)
    family.check(pd.Series(drawn.ravel()), "y")


@pytest.mark.parametrize("name", FAMILIES)
def test_the_link_and_its_inverse_belong_together(name):
    family = FAMILIES[name]
    eta = np.array([-4.0, 0.0, 3.0])
    np.testing.assert_allclose(family.to_link(family.mean(eta)), eta, atol=1e-12)
    at_zero = {"identity": 0.0, "log": 1.0, "logit": 0.5}[family.link]
    assert family.mean(0.0) == at_zero


@pytest.mark.parametrize("name", FAMILIES)
def test_the_wildest_prior_can_be_simulated(name, recwarn):
    family, rng = FAMILIES[name], np.random.default_rng(1)
    eta = np.array([-1e4, 1e4])
    if family.link == "identity":
        eta = eta * 1e100
    drawn = family.draw(rng, family.mean(np.repeat(eta, 1000)), np.full(2000, 0.01))
    assert np.isfinite(drawn).all()
    family.check(pd.Series(drawn), "y")
    assert not recwarn.list


@pytest.mark.parametrize(
    ("name", "wrong", "words"),
    [
        ("gamma", 0.0, "numbers above 0"),
        ("gamma", -1.0, "numbers above 0"),
        ("bernoulli", 2.0, r"0 \(no\) and 1 \(yes\)"),
        ("bernoulli", 0.5, r"0 \(no\) and 1 \(yes\)"),
        ("poisson", -1.0, r"counts \(0, 1, 2, ...\)"),
        ("poisson", 1.5, r"counts \(0, 1, 2, ...\)"),
        ("negativebinomial", 1.5, r"counts \(0, 1, 2, ...\)"),
    ],
)
def test_an_outcome_that_the_family_cannot_have_is_told_with_column_row_and_way_out(
    name, wrong, words
):
    outcome = pd.Series([1.0, wrong, wrong], index=["a", "b", "c"])
    message = f"^Column 'y' has {wrong:g} in row 'b', but .* {name!r} are {words}; recode the column, repair or drop"
    with pytest.raises(ValueError, match=message):
        FAMILIES[name].check(outcome, "y")
    FAMILIES[name].check(outcome[:1], "y")


def test_auxiliary_parameters_are_those_of_bambi_and_an_unknown_family_is_refused():
    own = {name: family.auxiliary for name, family in FAMILIES.items() if family.auxiliary}
    assert own == {"gaussian": "sigma", "gamma": "alpha", "negativebinomial": "alpha"}
    with pytest.raises(ValueError, match="Unknown family 't'; choose one of gaussian, gamma"):
        find_family("t")
    with pytest.raises(ValueError, match=r"one row a trial, .* choose 'bernoulli'"):
        find_family("binomial")
