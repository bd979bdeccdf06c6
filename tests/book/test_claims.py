"""What chapters say in words and no cell of theirs computes."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from statsmodels.datasets import grunfeld

from helpers import exact, frames
from helpers.exercises.answers.shared import firms


def test_two_firms_make_the_slopes_of_firms_differ_by_more_than_their_errors():
    """Cochran's Q from sums of squares; chapter 2 gets it from statsmodels."""
    slopes, errors = {}, {}
    for name, rows in firms().groupby("firm"):
        x, y = (rows[column] - rows[column].mean() for column in ("value", "invest"))
        slopes[name] = x @ y / (x @ x)
        errors[name] = (((y - slopes[name] * x) ** 2).sum() / (len(x) - 2) / (x @ x)) ** 0.5

    def q(*left_out: str) -> float:
        kept = [name for name in slopes if name not in left_out]
        b, se = (np.array([of[name] for name in kept]) for of in (slopes, errors))
        return float((((b - np.average(b, weights=se**-2)) / se) ** 2).sum())

    known = sorted(errors, key=errors.get)[:2]
    assert set(known) == {"IBM", "Atlantic Refining"}
    assert abs(q() - 21.96) < 0.01 and q(*known) < 11
    assert np.isclose(np.std(list(slopes.values()), ddof=1), 0.445, atol=0.001)
    assert errors["Diamond Match"] ** 2 > 0.45 * sum(error**2 for error in errors.values())


def test_the_years_move_the_elasticity_of_firms():
    """By restricted likelihood; chapter 19 gets the slopes from the exact posterior."""
    table = firms().assign(year=grunfeld.load_pandas().data["year"], all=1)
    effects = {name: f"0 + C({name})" for name in ("firm", "year")}
    both = smf.mixedlm("invest ~ value", table, groups="all", vc_formula=effects).fit()
    of_firms = smf.mixedlm("invest ~ value", table, groups="firm").fit()
    slopes = [float(fit.params["value"]) for fit in (of_firms, both)]
    assert slopes == pytest.approx([0.93, 0.60], abs=0.02)


def test_with_three_rows_a_group_a_random_intercept_can_be_sure_of_the_wrong_sign():
    """Groups whose levels rise with their mean ages, as those of the visits do; time falls within each."""
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(200), 3)
    mean_age = rng.normal(43, 9.5, 200)
    level = 200 + 1.05 * (mean_age - 43) + rng.normal(0, 3, 200)
    age = rng.normal(mean_age[group], 9)
    time = level[group] - 0.15 * (age - 43) + rng.normal(0, 8, len(age))
    county = pd.Categorical([f"c{number:03}" for number in group])
    frame = frames.standardize(
        pd.DataFrame({"bounce_time": time, "age": age, "county": county}), "age"
    )
    slope = exact.exact_posterior("random_intercept", frame)["exact"].to_dataset()["slope"]
    assert slope.sel(statistic="2.5 %") > 0.2
    within = frames.split_within_between(frame, "age", "county")
    own = frame.groupby("county")["bounce_time"]
    right = np.polyfit(within["age_within"], frame["bounce_time"] - own.transform("mean"), 1)[0]
    assert right < -1
