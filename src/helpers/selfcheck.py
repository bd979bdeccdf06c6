"""Self-checks of exercises: right, or which kind of wrong, without giving the answer away."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from helpers.specification import check_choice


class NotYetAnswered(Exception):
    """An exercise is still open; notebooks show its one sentence and no traceback."""

    def _render_traceback_(self) -> list[str]:  # what IPython prints in place of a traceback
        return [str(self)]


@dataclass(frozen=True)
class Answer:
    """A right answer, and the wrong ones that deserve a word.

    Parameters
    ----------
    value
        A number; a word; or numbers by label, such as one for each county.
    unit
        What is asked for, in words: "seconds per decade of age".
    error
        A number is right if it lies no farther from ``value``: room for rounding and Monte Carlo error.
    units
        Other units and the factor that turns ``value`` into them: ``{"seconds per year": 0.1}``.
    slips
        Sentences for known wrong answers, such as another group's or another interval's, and the value
        that each of them gives.
    """

    value: float | str | Mapping[str, float]
    unit: str = ""
    error: float = 0.0
    units: Mapping[str, float] = field(default_factory=dict)
    slips: Mapping[str, float | str] = field(default_factory=dict)


def check(answers: Mapping[str, Callable[[], Answer]], label: str, given: object) -> str:
    """Judge an answer to an exercise.

    Parameters
    ----------
    answers
        Functions that compute the right answer, by the label of the exercise.
    label
        The exercise.
    given
        The reader's answer: any number, a 0-dimensional array, text that holds a number, a word; for an
        answer by label a mapping or a Series, in any order.

    Returns
    -------
    "Right.", or a sentence that says what kind of wrong: empty, not a number, sign, units, another
    group, another interval, or none of these. It never holds the right answer.

    Raises
    ------
    ValueError
        If there is no check for ``label``.
    """
    check_choice("exercise with a check", label, tuple(answers))
    if given is None or given is Ellipsis:
        return "There is no answer yet: put yours in the place of the dots."
    answer = answers[label]()
    if isinstance(answer.value, str):
        return _judge_word(answer, given)
    if isinstance(answer.value, Mapping):
        return _judge_labelled(answer, given)
    return _judge_number(answer, given)


def _judge_word(answer: Answer, given: object) -> str:
    word = str(given).strip().casefold()
    if word == answer.value.casefold():
        return "Right."
    slips = {str(value).casefold(): sentence for sentence, value in answer.slips.items()}
    return slips.get(word, "Not this one. Read the hint again.")


def _judge_labelled(answer: Answer, given: object) -> str:
    try:
        given = dict(given.items())
    except AttributeError:
        return "The answer has one number a label: give a dict or a pandas Series."
    missing = [label for label in answer.value if label not in given]
    if missing:
        return f"There is no number for {missing[0]}."
    for label, value in answer.value.items():
        part = Answer(value, answer.unit, answer.error, answer.units, answer.slips)
        verdict = _judge_number(part, given[label])
        if verdict != "Right.":
            return f"{label}: {verdict}"
    return "Right."


def _judge_number(answer: Answer, given: object) -> str:
    number = _read_number(given)
    if isinstance(number, str):
        return number

    def is_near(value, error=answer.error):
        return abs(number - value) <= error

    if is_near(answer.value):
        return "Right."
    if is_near(-answer.value):
        return "The size is right, the sign is not."
    for unit, factor in answer.units.items():
        if any(is_near(sign * factor * answer.value, factor * answer.error) for sign in (1, -1)):
            return f"This looks like {unit}; asked for: {answer.unit}."
    for sentence, value in answer.slips.items():
        if is_near(value):
            return sentence
    return f"Not yet, and it is not the sign or the units ({answer.unit}). Read the hint again."


def _read_number(given: object) -> float | str:
    """The one number in an answer, or a sentence that says why there is none."""
    if isinstance(given, str):
        given = given.replace("\N{MINUS SIGN}", "-").split()[0] if given.strip() else "nothing"
    values = np.asarray(given).ravel()
    if values.size != 1:
        return f"One number is asked for, and this holds {values.size}: summarize the draws."
    try:
        number = float(values[0])
    except (TypeError, ValueError):
        return "This is not a number."
    return number if np.isfinite(number) else "This is not a finite number."


def ask(title: str) -> None:
    """Stop at an exercise that is still open.

    Raises
    ------
    NotYetAnswered
        Always: it stands where the reader's own code belongs.
    """
    raise NotYetAnswered(
        f"The exercise '{title}' is open. Write your code in the place of the line that begins with "
        "`ask`, run the cell, and go on from there."
    )
