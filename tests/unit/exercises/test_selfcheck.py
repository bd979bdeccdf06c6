"""Self-checks of exercises accept every right way to say it, and tell the kinds of wrong apart."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers.exercises import selfcheck
from helpers.exercises.selfcheck import Answer

SLOPE = Answer(
    -3.2,
    "seconds per decade of age",
    error=0.1,
    units={"seconds per year": 0.1},
    slips={"This is Kent's.": -5.0},
)
COUNTIES = Answer({"Kent": 190.0, "Devon": 215.0}, "seconds", error=1)
MADE = {
    "slope": lambda: SLOPE,
    "counties": lambda: COUNTIES,
    "sign": Answer("negative"),  # a constant needs no function
    "holds": lambda: Answer("no", slips={"Look again.": "yes"}),
}


@pytest.mark.parametrize(
    "given",
    [
        -3.2,
        np.float64(-3.15),
        "-3.2",
        "\N{MINUS SIGN}3.2 s",
        [-3.2],
        xr.DataArray(-3.25),
        pd.Series([-3.2], ["slope"]),
        pd.DataFrame([[-3.2]]),
        np.array("-3.2"),
        xr.Dataset({"slope": -3.2}),
        xr.DataTree(xr.Dataset({"slope": -3.2})),
        xr.DataTree.from_dict({"exact": xr.Dataset({"slope": ("x", [-3.2])})}),
        {"slope": -3.2},
    ],
    ids=lambda given: type(given).__name__,
)
def test_every_way_to_hold_the_number_is_right(given):
    assert selfcheck.check(MADE, "slope", given) == "Right."


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (3.2, "sign"),
        (-0.32, "seconds per year"),
        (0.32, "seconds per year"),
        (-5.0, "Kent"),
        (-2.5, "not the sign"),
        (..., "no answer yet"),
        (None, "no answer yet"),
        ("about three", "not a number"),
        (np.nan, "not a finite"),
        ([-3.2, -3.2], "this holds 2"),
        ([-3.2, [-3.2, 1]], "this holds 2"),
        (xr.Dataset({"slope": -3.2, "sd": 1.0}), "this holds 2"),
        ({}, "this holds 0"),
        (object(), "not a number"),
        (10**400, "not a number"),
        (pd.NA, "not a number"),
        ("-3,2", "decimal point"),
        ("-0.32%", "seconds per year"),
        ("", "not a number"),
    ],
)
def test_the_kind_of_wrong_is_said_and_the_answer_is_not(given, said):
    verdict = selfcheck.check(MADE, "slope", given)
    assert said in verdict
    assert "3.2" not in verdict


def test_numbers_by_label_may_come_in_any_order():
    right = {"Devon": 214.5, "Kent": 190.2}
    assert selfcheck.check(MADE, "counties", right) == "Right."
    assert selfcheck.check(MADE, "counties", pd.Series(right)) == "Right."
    assert "Kent" in selfcheck.check(MADE, "counties", {"Devon": 215})
    assert "Devon" in selfcheck.check(MADE, "counties", {"Kent": 190, "Devon": -215})
    assert "one number a label" in selfcheck.check(MADE, "counties", 190)


@pytest.mark.parametrize(
    "given",
    [
        pd.Series({"Devon": 214.5, "Kent": 190.2}).to_frame("mean"),
        pd.Series({"Devon": 214.5, "Kent": 190.2}).to_frame("mean").T,
        xr.DataArray([214.5, 190.2], {"county": ["Devon", "Kent"]}),
        xr.Dataset({"mean": ("county", [214.5, 190.2])}, {"county": ["Devon", "Kent"]}),
    ],
    ids=["column", "row", "array", "data set"],
)
def test_numbers_by_label_may_stand_in_a_table_or_an_array(given):
    assert selfcheck.check(MADE, "counties", given) == "Right."


@pytest.mark.parametrize("given", [pd.DataFrame(np.eye(2)), xr.DataArray(1.0), [190, 215]])
def test_numbers_without_labels_are_told_what_is_asked_for(given):
    verdict = selfcheck.check(MADE, "counties", given)
    assert "number a label" in verdict or "no number for Kent" in verdict


@pytest.mark.parametrize(
    "given",
    [
        " Negative ",
        "negative.",
        "'negative'",
        ["negative"],
        np.array(["Negative"]),
        pd.Series(["negative"]),
        pd.Series(["negative"], dtype="category"),
        xr.DataArray("negative"),
        {"sign": "negative"},
    ],
    ids=lambda given: type(given).__name__,
)
def test_every_way_to_hold_the_word_is_right(given):
    assert selfcheck.check(MADE, "sign", given) == "Right."


@pytest.mark.parametrize("given", ["positive", ["negative", "positive"], 1, np.nan])
def test_another_word_is_not(given):
    assert selfcheck.check(MADE, "sign", given) != "Right."


def test_a_truth_value_is_a_yes_or_a_no():
    for given in ("No", False, np.False_, np.array([False]), xr.DataArray(False)):
        assert selfcheck.check(MADE, "holds", given) == "Right."
    for given in ("yes", True, np.True_):
        assert selfcheck.check(MADE, "holds", given) == "Look again."


def test_the_nearest_of_the_known_wrong_answers_is_meant():
    units, slips = {"s per year": 0.1}, {"This is Kent's.": 0.4}
    given = {"slope": lambda: Answer(3.0, "s per decade", 1.0, units, slips)}
    assert "s per year" in selfcheck.check(given, "slope", 0.32)
    assert "Kent" in selfcheck.check(given, "slope", 0.38)


def test_units_are_ruled_out_only_where_they_were_looked_at():
    given = {"n": lambda: Answer(4.0, "counties")}
    assert "units" not in selfcheck.check(given, "n", 7)
    assert "units" in selfcheck.check(MADE, "slope", 7)


def test_an_exercise_without_a_check_is_named():
    with pytest.raises(ValueError, match="slope, counties, sign, holds"):
        selfcheck.check(MADE, "intercept", 1)
