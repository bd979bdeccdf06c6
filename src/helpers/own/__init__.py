"""A reader's own table, from a formula to a report: candidates, checks, answers, sensitivity, words.

``question`` reads what is asked, ``candidates`` are the models that may answer it, ``effects`` are the
answers in the table's units, ``checks`` and ``sensitivity`` say what they are worth, ``words`` puts all of
it into sentences, each from computed values, and ``figures`` draws what no other figure of the book does.
"""

from helpers.own.question import Question, ask

__all__ = ["Question", "ask"]
