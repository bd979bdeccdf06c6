"""A reader's own table, from a formula to a report: candidates, checks, answers, sensitivity, words.

``question`` reads what is asked, ``candidates`` are the models that may answer it, ``choice`` scores them
and says which one does. ``effects`` are the answers in the table's units, at the ``rows`` that they are
told at; ``checks`` and ``sensitivity`` say what they are worth, from ``residuals``. Where Bambi answers alone,
``before`` says what priors expect, ``averages`` averages differences over rows, and ``predictive`` checks. ``draws``
thins and splits draws for all of them. ``words`` has a module of sentences for each of these subjects, ``script``
the fit as plain code, and ``figures`` what no other figure of the book draws.
"""

from helpers.own.question import Question, ask

__all__ = ["Question", "ask"]
