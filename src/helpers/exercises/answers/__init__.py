"""The right answers of the exercises, computed by another route than their solutions: a module a chapter.

They live among the helpers because readers and participants of a workshop import them: a check in a
notebook computes the answer anew and compares.
"""

import pkgutil
from importlib import import_module

from helpers.exercises import selfcheck

__all__ = ["ANSWERS", "check"]

ANSWERS = {}  # by the label of the exercise
for module in pkgutil.iter_modules(__path__):
    if module.name != "shared":
        ANSWERS |= import_module(f"{__name__}.{module.name}").ANSWERS


def check(label: str, given: object) -> str:
    """Judge the answer to an exercise of the book; see ``selfcheck.check``."""
    return selfcheck.check(ANSWERS, label, given)
