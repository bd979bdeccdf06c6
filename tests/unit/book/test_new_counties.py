"""What the within-between model says of counties that nobody has seen, and the earlier ones do not."""

import numpy as np
import pandas as pd
import pytest

from helpers import exact, frames
from helpers.book.visits import load_bounce_times
from helpers.exact import loo
from helpers.priors import Priors

WITHIN_BETWEEN = {
    "predictor": "age_within",
    "covariates": ("age_county_mean",),
    "priors": Priors(covariate_slope=(0.0, 20.0)),
}


@pytest.fixture(scope="module")
def split() -> pd.DataFrame:
    return frames.split_within_between(load_bounce_times(), "age", "county")


def score_first_visits(name: str, visits: pd.DataFrame, **columns) -> pd.Series:
    """Log density of the first visit of a county not seen, its mean by county and over all visits."""
    first = loo.predict_new_group(name, visits, **columns)
    score = first.groupby(visits["county"].astype(str)).mean()
    return pd.concat([score, pd.Series({"all": first.mean()})])


def test_a_county_s_mean_age_tells_of_its_first_visit_in_every_county(split):
    scores = {
        "pooled": score_first_visits("pooled", split),
        "random intercept": score_first_visits("random_intercept", split),
        "within-between": score_first_visits("random_intercept", split, **WITHIN_BETWEEN),
    }
    expected = {"pooled": -4.00, "random intercept": -4.21, "within-between": -3.69}
    for label, value in expected.items():
        assert scores[label]["all"] == pytest.approx(value, abs=0.01)
    for label in ("pooled", "random intercept"):
        assert (scores["within-between"] > scores[label]).all()


def test_counties_drawn_anew_line_up_by_age_only_if_the_model_knows_their_mean_ages(split):
    """Mean times of visits drawn one by one, and not by the chapter's formula."""
    code = split["county"].cat.codes.to_numpy()
    in_county = (code[:, None] == np.arange(code.max() + 1)) / np.bincount(code)
    ages, observed = (split[name].to_numpy() @ in_county for name in ("std_age", "bounce_time"))
    shares = {}
    for label, columns in {"blind": {}, "knows": WITHIN_BETWEEN}.items():
        tree = exact.exact_posterior("random_intercept", split, draws=1000, seed=1, **columns)
        names = ("intercept", "slope", "covariate_slope", "sigma", "group_sd")
        drawn = tree["posterior"].to_dataset()
        at = {name: drawn[name].to_numpy().reshape(-1, 1) for name in names if name in drawn}
        rng = np.random.default_rng(1)
        height = at["group_sd"] * rng.normal(size=(1000, len(ages)))
        x = split[columns.get("predictor", "std_age")].to_numpy()
        mean = at["intercept"] + height[:, code] + at["slope"] * x
        if columns:
            mean += at["covariate_slope"] * split["age_county_mean"].to_numpy()
        times = rng.normal(mean, at["sigma"]) @ in_county
        found = np.corrcoef(np.vstack([ages, times]))[0, 1:]
        shares[label] = (found >= np.corrcoef(ages, observed)[0, 1]).mean()
    assert shares["blind"] < 0.01
    assert 0.3 < shares["knows"] < 0.5
