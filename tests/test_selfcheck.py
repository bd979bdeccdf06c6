"""Self-checks of exercises accept every right way to say it, and tell the kinds of wrong apart."""

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers import answers, selfcheck
from helpers.selfcheck import Answer

SLOPE = Answer(
    -3.2,
    "seconds per decade of age",
    error=0.1,
    units={"seconds per year": 0.1},
    slips={"This is Kent's.": -5.0},
)
COUNTIES = Answer({"Kent": 190.0, "Devon": 215.0}, "seconds", error=1)
MADE = {"slope": lambda: SLOPE, "counties": lambda: COUNTIES, "sign": lambda: Answer("negative")}
each_label = pytest.mark.parametrize("label", answers.ANSWERS)


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
        (object(), "not a number"),
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


def test_a_word_is_right_in_any_case():
    assert selfcheck.check(MADE, "sign", " Negative ") == "Right."
    assert selfcheck.check(MADE, "sign", "positive") != "Right."


def test_an_exercise_without_a_check_is_named():
    with pytest.raises(ValueError, match="slope, counties, sign"):
        selfcheck.check(MADE, "intercept", 1)


def test_an_open_exercise_says_what_to_do():
    with pytest.raises(selfcheck.NotYetAnswered, match="Two units") as stopped:
        selfcheck.ask("Two units")
    (sentence,) = stopped.value._render_traceback_()
    assert "Traceback" not in sentence


@each_label
def test_an_answer_of_the_book_is_told_from_its_slips(label):
    answer = answers.ANSWERS[label]()
    assert answers.check(label, answer.value) == "Right."
    by_label = isinstance(answer.value, dict)
    for sentence, value in answer.slips.items():
        given = dict.fromkeys(answer.value, value) if by_label else value
        assert sentence in answers.check(label, given)
    if isinstance(answer.value, float):
        for factor in answer.units.values():
            assert answer.unit in answers.check(label, factor * answer.value)
        said = " ".join(answers.check(label, wrong) for wrong in (1e9, -answer.value, "many"))
        assert not re.search(rf"(?<![\d.]){re.escape(f'{answer.value:.3g}')}(?![\d.])", said)
