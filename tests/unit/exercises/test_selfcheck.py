"""Self-checks of exercises accept every right way to say it, and tell the kinds of wrong apart."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers.exercises import selfcheck
from helpers.exercises.selfcheck import Answer

YEAR = {"seconds per year": 0.1}
MADE = {
    "slope": lambda: Answer(-3.2, "s per decade", 0.1, YEAR, {"This is Kent's.": -5.0}),
    "near": lambda: Answer(3.0, "s per decade", 1.0, YEAR, {"This is Kent's.": 0.4}),
    "counties": lambda: Answer(
        {"Kent": 190.0, "Devon": 215.0},
        "seconds",
        error=1,
        slips={"This is a median.": {"Kent": 180.0, "Devon": 205.0}, "All alike.": 200.0},
    ),
    "ratio": lambda: Answer(1.2144, "a ratio", 0.01, slips={"The other way round.": 0.8235}),
    "share": lambda: Answer(0.2859, "a share between 0 and 1", 0.005, {"per cent": 100}),
    "per cent": lambda: Answer(30.8, "per cent of the visits", 5, {"a share": 0.01}),
    "n": lambda: Answer(4.0, "counties"),
    "sign": Answer("negative"),  # a constant needs no function
    "holds": lambda: Answer("no", slips={"Look again.": "yes"}),
}
BOTH = pd.Series({"Devon": 214.5, "Kent": 190.2}, name="mean").rename_axis("county")
RIGHT = {
    "slope": [
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
    "counties": [
        dict(BOTH),  # in another order
        BOTH,
        BOTH.to_frame(),
        BOTH.to_frame().T,
        BOTH.to_xarray(),
        BOTH.to_xarray().to_dataset(),
    ],
    "share": [0.29, "0.29", "29 %", "29%", "28.5 %", np.array("29 %")],
    "per cent": [30, "30 %", "30"],
    "sign": [
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
    "holds": ["No", False, np.False_, np.array([False]), xr.DataArray(False)],
}


@pytest.mark.parametrize(
    ("label", "given"),
    [(label, given) for label, ways in RIGHT.items() for given in ways],
    ids=lambda value: type(value).__name__,
)
def test_every_way_to_hold_what_is_right_is_right(label, given):
    assert selfcheck.check(MADE, label, given) == "Right."


@pytest.mark.parametrize(
    ("label", "given", "said"),
    [
        ("slope", 3.2, "sign"),
        ("slope", -0.32, "seconds per year"),
        ("slope", 0.32, "seconds per year"),
        ("slope", -5.0, "Kent"),
        ("slope", -2.5, "Not yet. Asked for: s per decade."),
        ("slope", -3, "Close: give more decimals."),
        ("slope", 3, "sign"),
        ("ratio", 1.2, "Close: give more decimals."),
        ("ratio", "1.2", "Close: give more decimals."),
        ("ratio", xr.DataArray(1.2), "Close: give more decimals."),
        ("ratio", 1, "Close"),
        ("ratio", 1.3, "Not yet."),
        ("ratio", 1.25, "Not yet."),
        ("ratio", 0.8, "other way round"),
        ("ratio", -1.2, "sign"),
        ("ratio", 0, "Not yet."),
        ("share", 0.3, "Close"),
        ("share", "30 %", "Not yet."),
        ("share", 30, "looks like per cent"),
        ("share", 29, "looks like per cent"),
        ("share", 35, "Not yet."),
        ("share", 0, "Not yet."),
        ("per cent", 0.3, "looks like a share"),
        ("slope", ..., "no answer yet"),
        ("slope", None, "no answer yet"),
        ("slope", "about three", "not a number"),
        ("slope", np.nan, "not a finite"),
        ("slope", [-3.2, -3.2], "this holds 2"),
        ("slope", [-3.2, [-3.2, 1]], "this holds 2"),
        ("slope", xr.Dataset({"slope": -3.2, "sd": 1.0}), "this holds 2"),
        ("slope", {}, "this holds 0"),
        ("slope", object(), "not a number"),
        ("slope", 10**400, "not a number"),
        ("slope", pd.NA, "not a number"),
        ("slope", "-3,2", "decimal point"),
        ("slope", "-0.32%", "seconds per year"),
        ("slope", "", "not a number"),
        ("n", 7, "Not yet. Asked for: counties."),
        ("near", 0.32, "per year"),  # the nearest of the known wrong answers is meant
        ("near", 0.38, "Kent"),
        ("counties", {"Devon": 215}, "no number for Kent"),
        ("counties", {"Kent": 190, "Devon": -215}, "Devon: The size is right"),
        ("counties", {"Kent": 190, "Devon": 205}, "Devon: This is a median."),
        ("counties", {"Kent": 205, "Devon": 205}, "Kent: Not yet."),
        ("counties", {"Kent": 190, "Devon": 200}, "Devon: All alike."),
        ("counties", 190, "one number a label"),
        ("counties", [190, 215], "one number a label"),
        ("counties", xr.DataArray(1.0), "one number a label"),
        ("counties", pd.DataFrame(np.eye(2)), "one number a label"),
        ("sign", "positive", "Not this one"),
        ("sign", 1, "Not this one"),
        ("sign", np.nan, "Not this one"),
        ("sign", ["negative", "positive"], "this holds 2"),
        ("holds", "yes", "Look again."),
        ("holds", True, "Look again."),
        ("holds", np.True_, "Look again."),
    ],
)
def test_the_kind_of_wrong_is_said_and_the_answer_is_not(label, given, said):
    verdict = selfcheck.check(MADE, label, given)
    assert said in verdict
    assert "3.2" not in verdict and "negative" not in verdict


def test_an_exercise_without_a_check_is_named():
    with pytest.raises(
        ValueError, match="slope, near, counties, ratio, share, per cent, n, sign, holds"
    ):
        selfcheck.check(MADE, "intercept", 1)
