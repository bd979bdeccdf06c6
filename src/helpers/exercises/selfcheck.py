"""Self-checks of exercises: right, or which kind of wrong, without giving the answer away."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import pandas as pd
import xarray as xr

from helpers.priors import check_choice


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
        that each of them gives; by label where the answer is.
    """

    value: float | str | Mapping[str, float]
    unit: str = ""
    error: float = 0.0
    units: Mapping[str, float] = field(default_factory=dict)
    slips: Mapping[str, float | str | Mapping[str, float]] = field(default_factory=dict)


def check(answers: Mapping[str, Answer | Callable[[], Answer]], label: str, given: object) -> str:
    """Judge an answer to an exercise.

    Parameters
    ----------
    answers
        Right answers, or functions that compute them, by the label of the exercise.
    label
        The exercise.
    given
        The reader's answer: a number, text that holds one, or a word; also alone in an array, a table, a
        data set or a mapping. A yes or no may be a truth value. An answer by label is a mapping, a
        Series, a table with one column or an array with one dimension, in any order.

    Returns
    -------
    "Right.", or a sentence that says what kind of wrong: empty, not a number, too few decimals, sign,
    units, another group, another interval, or none of these. It never holds the right answer.

    Raises
    ------
    ValueError
        If there is no check for ``label``.
    """
    check_choice("exercise with a check", label, tuple(answers))
    if given is None or given is Ellipsis:
        return "There is no answer yet: put yours in the place of the dots."
    answer = answers[label]
    answer = answer() if callable(answer) else answer
    if isinstance(answer.value, str):
        return _judge_word(answer, given)
    if isinstance(answer.value, Mapping):
        return _judge_labelled(answer, given)
    return _judge_number(answer, given)


def _judge_word(answer: Answer, given: object) -> str:
    items = _list_items(given)
    if len(items) != 1:
        return f"One word is asked for, and this holds {len(items)}."
    word = _read_word(items[0])
    if word == answer.value.casefold():
        return "Right."
    slips = {str(value).casefold(): sentence for sentence, value in answer.slips.items()}
    return slips.get(word, "Not this one. Read the hint again.")


def _read_word(item: object) -> str:
    """A word without the marks around it; a truth value is "yes" or "no"."""
    if isinstance(item, bool | np.bool_):
        return "yes" if item else "no"
    return str(item).strip(" \t\n.!\"'").casefold()


def _judge_labelled(answer: Answer, given: object) -> str:
    numbers = _read_labelled(given)
    if numbers is None:
        return "The answer has one number a label: give a dict or a pandas Series."
    missing = [label for label in answer.value if label not in numbers]
    if missing:
        return f"There is no number for {missing[0]}."
    for label, value in answer.value.items():
        slips = {
            sentence: slip[label] if isinstance(slip, Mapping) else slip
            for sentence, slip in answer.slips.items()
        }
        part = Answer(value, answer.unit, answer.error, answer.units, slips)
        verdict = _judge_number(part, numbers[label])
        if verdict != "Right.":
            return f"{label}: {verdict}"
    return "Right."


def _read_labelled(given: object) -> dict | None:
    """Numbers by label, or nothing if the answer has no labels."""
    if isinstance(given, xr.Dataset) and len(given) == 1:
        (given,) = given.values()
    if isinstance(given, xr.DataArray) and given.squeeze(drop=True).ndim == 1:
        given = given.squeeze(drop=True).to_series()
    if isinstance(given, pd.DataFrame) and 1 in given.shape:
        given = given.squeeze()
    return dict(given.items()) if isinstance(given, Mapping | pd.Series) else None


def _judge_number(answer: Answer, given: object) -> str:
    read = _read_number(given, "per cent" in answer.units)
    if isinstance(read, str):
        return read
    number, half = read
    if abs(number - answer.value) <= answer.error:
        return "Right."
    # What it may be, rounded as it was written; of several the nearest is meant.
    near = [
        (abs(number - value), sentence)
        for sentence, value, error in _list_wrong(answer)
        if abs(number - value) <= max(error, min(half, abs(value) / 5))
    ]
    return min(near)[1] if near else f"Not yet. Asked for: {answer.unit}. Read the hint again."


def _list_wrong(answer: Answer) -> list[tuple[str, float, float]]:
    """Sentence, value and error of each known wrong answer, and of the right one if it is rounded."""
    right, error = answer.value, answer.error
    wrong = [
        ("Close: give more decimals.", right, error),
        ("The size is right, the sign is not.", -right, error),
        *((sentence, value, error) for sentence, value in answer.slips.items()),
    ]
    for unit, factor in answer.units.items():
        sentence = f"This looks like {unit}; asked for: {answer.unit}."
        # A factor that no other mistake makes needs no exact number.
        room = factor * (error if 0.2 < factor < 5 else max(error, abs(right) / 10))
        wrong += [(sentence, sign * factor * right, room) for sign in (1, -1)]
    return wrong


def _read_number(given: object, is_share: bool) -> tuple[float, float] | str:
    """The one number in an answer, and half a unit of its last decimal, or why there is none.

    Per cent of a share are read as what they are: "30 %" is 0.30.
    """
    items = _list_items(given)
    if len(items) != 1:
        return f"One number is asked for, and this holds {len(items)}: summarize the draws."
    (item,), per_cent = items, False
    if isinstance(item, str):
        per_cent = is_share and "%" in item
        item = item.replace("\N{MINUS SIGN}", "-").replace("%", " ").strip().partition(" ")[0]
        if "," in item:
            return "Write a decimal point, and no comma: this is read as Python reads numbers."
    try:
        number = float(item)
    except Exception:  # objects of any library fail in their own way, and none of them is a number
        return "This is not a number."
    if not np.isfinite(number):
        return "This is not a finite number."
    place = min(0, Decimal(repr(number)).normalize().as_tuple().exponent)
    part = 100 if per_cent else 1
    return number / part, 0.5 * 10.0**place / part


def _list_items(given: object) -> list:
    """What an answer holds: the elements of an array, also of the only one in a data set or mapping."""
    while isinstance(given, Mapping) and len(given) == 1:
        (given,) = given.values()
    if isinstance(given, Mapping):
        return list(given)
    try:
        return list(np.asarray(given, dtype=object).ravel())
    except Exception:  # nothing that numpy knows
        return [given]
