"""What chapters say in words and no cell of theirs computes."""

import numpy as np

from helpers.exercises.answers.shared import firms


def test_two_firms_make_the_slopes_of_firms_differ_by_more_than_their_errors():
    """Cochran's Q from sums of squares; chapter 2 gets it from statsmodels."""
    slopes, errors = {}, {}
    for name, rows in firms().groupby("firm"):
        x, y = (rows[column] - rows[column].mean() for column in ("value", "invest"))
        slopes[name] = x @ y / (x @ x)
        errors[name] = (((y - slopes[name] * x) ** 2).sum() / (len(x) - 2) / (x @ x)) ** 0.5

    def q(*left_out: str) -> float:
        kept = [name for name in slopes if name not in left_out]
        b, se = (np.array([of[name] for name in kept]) for of in (slopes, errors))
        return float((((b - np.average(b, weights=se**-2)) / se) ** 2).sum())

    known = sorted(errors, key=errors.get)[:2]
    assert set(known) == {"IBM", "Atlantic Refining"}
    assert abs(q() - 21.96) < 0.01 and q(*known) < 11
    assert np.isclose(np.std(list(slopes.values()), ddof=1), 0.445, atol=0.001)
    assert errors["Diamond Match"] ** 2 > 0.45 * sum(error**2 for error in errors.values())
