"""The tables that went wrong once, as far as they take time; the others are in the unit lane."""

import numpy as np
import pandas as pd
import pytest

from chapters import ROOT
from helpers import diagnostics, exact
from helpers.exact import loo
from helpers.priors import Priors


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / "tests" / "cases" / f"{name}.csv")


def test_two_rows_a_group_with_slopes_of_their_own_are_left_out():
    found = loo.leave_one_out(
        "random_slope",
        read("prepost"),
        priors=Priors((5.0, 5.0), (0.0, 5.0), 3.0, 3.0, 5.0),
        outcome="y",
        predictor="t",
        group="id",
    )
    assert found.loc[0, "elpd"] == pytest.approx(-0.9397, abs=1e-3)
    assert found.notna().all(axis=None)


RAW = {"priors": Priors((50.0, 600.0), (0.0, 3.0), 40.0, 40.0, 3.0)}
RAW |= {"outcome": "y", "predictor": "x", "group": "g"}


@pytest.mark.parametrize("number", [71, 77])
def test_an_answer_far_from_0_does_not_depend_on_the_draws(number):
    few, many = (
        exact.exact_posterior("random_slope", read(f"uncentred_{number}"), draws=n, **RAW)
        for n in (10, 3000)
    )
    for name in few["exact"].data_vars:
        np.testing.assert_array_equal(few["exact"][name], many["exact"][name])
    assert diagnostics.compare_with_exact(many, many)["difference"].abs().max() < 5
