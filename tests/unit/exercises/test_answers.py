"""The answers of the book are right where they should be, and give nothing away."""

import functools
import re

import nbformat
import pytest

from chapters import ROOT
from helpers.exercises import answers, selfcheck
from helpers.exercises.selfcheck import Answer

CHAPTERS = {page.stem: nbformat.read(page, as_version=4) for page in ROOT.glob("notebooks/*.ipynb")}
EXERCISES = {
    cell.id: cell.source
    for chapter in CHAPTERS.values()
    for cell in chapter.cells
    if "exercise" in cell.metadata.get("tags", [])
}
each_label = pytest.mark.parametrize("label", answers.ANSWERS)


@functools.cache
def find_answer(label: str) -> Answer:
    answer = answers.ANSWERS[label]
    return answer() if callable(answer) else answer


def judge(label: str, given: object) -> str:
    """The verdict on an answer; a number for an exercise that asks for many stands under every label."""
    answer = find_answer(label)
    if isinstance(answer.value, dict) and not isinstance(given, dict):
        given = dict.fromkeys(answer.value, given)
    return selfcheck.check({label: answer}, label, given)


def list_numbers(label: str) -> list[float]:
    """What is right, as numbers; nothing for a word."""
    value = find_answer(label).value
    numbers = value.values() if isinstance(value, dict) else [value]
    return [number for number in numbers if not isinstance(number, str)]


def decimals_of(label: str) -> int:
    """How many decimals an exercise asks for: two, if it does not say anything else."""
    text = EXERCISES[label]
    return 0 if "whole number" in text else 1 if "to one decimal" in text else 2


def round_to(
    value: float | str | dict[str, float], decimals: int
) -> float | str | dict[str, float]:
    """An answer as a reader writes it; a word stays as it is."""
    if isinstance(value, dict):
        return {key: round(number, decimals) for key, number in value.items()}
    return value if isinstance(value, str) else round(value, decimals)


@each_label
def test_an_answer_of_the_book_is_told_from_its_slips_rounded_or_not(label):
    answer = find_answer(label)
    assert judge(label, answer.value) == "Right."
    for sentence, value in answer.slips.items():
        assert sentence in judge(label, value)
        for decimals in (1, 2) if list_numbers(label) else ():
            assert "Right." not in judge(label, round_to(value, decimals)), sentence
    if not isinstance(answer.value, dict):
        for factor in answer.units.values():
            assert answer.unit in judge(label, factor * answer.value)


@each_label
def test_an_answer_is_right_when_it_is_rounded_as_its_exercise_asks(label):
    value = round_to(find_answer(label).value, decimals_of(label))
    assert judge(label, value) == "Right."


@each_label
def test_each_wrong_answer_that_people_give_gets_a_sentence_of_its_own(label):
    """In full and rounded as asked, without another mistake's sentence."""
    answer = find_answer(label)
    assert answer.slips or answer.units
    for sentence, value in answer.slips.items():
        for given in (value, round_to(value, decimals_of(label))):
            said = judge(label, given)
            assert said == sentence or re.fullmatch(rf"\S+: {re.escape(sentence)}", said), given


@each_label
def test_an_answer_rounded_too_coarsely_is_no_other_mistake(label):
    """To one decimal, if that is near: right, close, or the same as a slip, but never just wrong."""
    value = find_answer(label).value
    if isinstance(value, float) and abs(round(value, 1) - value) < abs(value) / 5:
        said = judge(label, round(value, 1))
        assert "Not yet" not in said and "sign" not in said


@each_label
def test_no_sentence_gives_the_answer_away(label):
    answer, right = find_answer(label), list_numbers(label)
    units = [factor * value for factor in answer.units.values() for value in right]
    wrong = [1e9, "many", *(-value for value in right), *units, *answer.slips.values()]
    for given in wrong if right else ():
        said = judge(label, given)
        for number in re.findall(r"-?\d+(?:\.\d+)?", said.replace(",", "")):
            assert all(abs(float(number) - value) > answer.error for value in right), said


@pytest.mark.parametrize("stem", CHAPTERS)
def test_each_chapter_checks_its_exercises_open_and_solved(stem):
    """The label of a check is that of the exercise above it, and its answer is in the chapter's module."""
    label, found = None, []
    for cell in CHAPTERS[stem].cells:
        label = cell.id if cell.id in EXERCISES else label
        if "self-check" in cell.metadata.get("tags", []):
            assert f'print(answers.check("{label}", ' in cell.source
            found.append((label, "solution" in cell.metadata.tags))
    module = getattr(answers, f"ch{stem}" if stem[0].isdigit() else stem)
    assert sorted(found) == [
        (key, done) for key in sorted(module.ANSWERS) for done in (False, True)
    ]


def test_nearly_every_exercise_has_a_check():
    """But for the one that asks for a function that writes a sentence."""
    assert set(EXERCISES) - set(answers.ANSWERS) == {"wl-sentence"}
