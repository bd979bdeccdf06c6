"""What the model that the book ends with says of counties that nobody has seen."""

import numpy as np
import pytest

from helpers import exact, frames
from helpers.book.visits import load_bounce_times
from helpers.exact import loo
from helpers.priors import Priors


@pytest.fixture(scope="module")
def scores():
    """Log density of each visit as the first of its county, by three models."""
    visits = frames.split_within_between(load_bounce_times(), "age", "county")
    within_between = {
        "predictor": "age_within",
        "covariates": ("age_county_mean",),
        "priors": Priors(covariate_slope=(0.0, 20.0)),
    }
    asked = {
        "pooled": ("pooled", {}),
        "random intercept": ("random_intercept", {}),
        "within-between": ("random_slope", within_between),
    }
    first = {
        label: loo.predict_new_group(name, visits, **columns)
        for label, (name, columns) in asked.items()
    }
    return visits, within_between, first


def test_with_slopes_that_differ_it_predicts_the_first_visit_best_in_every_county(scores):
    visits, _, first = scores
    assert first["within-between"].mean() == pytest.approx(-3.69, abs=0.01)
    by_county = {
        label: values.groupby(visits["county"], observed=True).mean()
        for label, values in first.items()
    }
    for label in ("pooled", "random intercept"):
        assert (by_county["within-between"] > by_county[label]).all()


def test_the_score_is_that_of_draws_from_a_fit_without_the_county(scores):
    """A visit's density under the other counties' posterior, by plain averaging over its draws."""
    visits, within_between, first = scores
    for county in ("Devon", "Rutland"):
        own = visits["county"] == county
        others = visits[~own].assign(county=visits["county"][~own].cat.remove_categories(county))
        tree = exact.exact_posterior("random_slope", others, draws=20_000, seed=1, **within_between)
        drawn = {
            name: values.to_numpy().ravel()
            for name, values in tree["posterior"].items()
            if name
            in ("intercept", "slope", "covariate_slope", "sigma", "group_sd", "slope_sd", "rho")
        }
        rows = visits[own]
        x = rows["age_within"].to_numpy()[:, None]
        mean = drawn["intercept"] + drawn["slope"] * x
        mean = mean + drawn["covariate_slope"] * rows["age_county_mean"].to_numpy()[:, None]
        both = drawn["rho"] * drawn["group_sd"] * drawn["slope_sd"]
        variance = drawn["group_sd"] ** 2 + 2 * both * x + (drawn["slope_sd"] * x) ** 2
        variance = variance + drawn["sigma"] ** 2
        error = rows["bounce_time"].to_numpy()[:, None] - mean
        density = np.exp(-(error**2) / variance / 2) / np.sqrt(2 * np.pi * variance)
        found = np.log(density.mean(axis=1)).mean()
        assert first["within-between"][own].mean() == pytest.approx(found, abs=0.01)
