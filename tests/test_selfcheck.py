"""Self-checks of exercises accept every right way to say it, and tell the kinds of wrong apart."""

import functools
import re

import nbformat
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from chapters import list_chapters
from helpers.exercises import answers, selfcheck
from helpers.exercises.selfcheck import Answer
from plain_markdown import Directive, list_exercises, read_markdown, split_directives

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
    "sign": lambda: Answer("negative"),
    "holds": lambda: Answer("no", slips={"Look again.": "yes"}),
}
EXERCISES = {
    exercise.label: exercise
    for page in list_chapters()
    for exercise in list_exercises(read_markdown(page))
}
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


def test_an_open_exercise_says_what_to_do():
    with pytest.raises(selfcheck.NotYetAnswered, match="Two units") as stopped:
        selfcheck.ask("Two units")
    (sentence,) = stopped.value._render_traceback_()
    assert "Traceback" not in sentence


@functools.cache
def find_answer(label: str) -> Answer:
    return answers.ANSWERS[label]()


def judge(label: str, given: object) -> str:
    """The verdict on an answer; a number for an exercise that asks for many stands under every label."""
    answer = find_answer(label)
    if isinstance(answer.value, dict) and not isinstance(given, dict):
        given = dict.fromkeys(answer.value, given)
    return selfcheck.check({label: lambda: answer}, label, given)


def list_numbers(label: str) -> list[float]:
    """What is right, as numbers; nothing for a word."""
    value = find_answer(label).value
    return (
        list(value.values())
        if isinstance(value, dict)
        else []
        if isinstance(value, str)
        else [value]
    )


@each_label
def test_an_answer_of_the_book_is_told_from_its_slips(label):
    answer = find_answer(label)
    assert judge(label, answer.value) == "Right."
    for sentence, value in answer.slips.items():
        assert sentence in judge(label, value)
    if not isinstance(answer.value, dict):
        for factor in answer.units.values():
            assert answer.unit in judge(label, factor * answer.value)


@each_label
def test_a_slip_is_wrong_when_it_is_rounded_too(label):
    slips = find_answer(label).slips.values() if list_numbers(label) else ()
    for slip in slips:
        for decimals in (1, 2):
            assert judge(label, round(slip, decimals)) != "Right.", slip


@each_label
def test_an_answer_is_right_when_it_is_rounded_as_its_exercise_asks(label):
    """To two decimals, if it does not ask for anything else."""
    text = EXERCISES[label].body
    decimals = 0 if "whole number" in text else 1 if "to one decimal" in text else 2
    given = [round(value, decimals) for value in list_numbers(label)]
    if isinstance(find_answer(label).value, dict):
        assert judge(label, dict(zip(find_answer(label).value, given, strict=True))) == "Right."
    elif given:
        assert judge(label, given) == "Right."


@each_label
def test_no_sentence_gives_the_answer_away(label):
    answer, right = find_answer(label), list_numbers(label)
    units = [factor * value for factor in answer.units.values() for value in right]
    wrong = [1e9, "many", *(-value for value in right), *units, *answer.slips.values()]
    for given in wrong if right else ():
        said = judge(label, given)
        for number in re.findall(r"-?\d+(?:\.\d+)?", said.replace(",", "")):
            assert all(abs(float(number) - value) > answer.error for value in right), said


def test_a_check_has_the_label_of_its_exercise():
    found = []
    for page in list_chapters():
        label = None
        for cell in nbformat.read(page, as_version=4).cells:
            if "self-check" in cell.metadata.get("tags", []):
                assert f'answers.check("{label}", ' in cell.source, page.stem
                found.append(label)
            if cell.cell_type != "markdown":
                continue
            for piece in split_directives(cell.source):
                if isinstance(piece, Directive) and piece.name == "solution-start":
                    label = piece.argument
    assert sorted(found) == sorted(answers.ANSWERS)


def test_nearly_every_exercise_has_a_check():
    """But for the one that asks for a function that writes a sentence."""
    assert set(EXERCISES) - set(answers.ANSWERS) == {"wl-sentence"}
