"""What each group says alone, by least squares."""

import numpy as np
import pandas as pd

from helpers.exact import sufficient_statistics
from helpers.frames import original_column
from helpers.plots.subject import need_predictor, read_table


def fit_lines(frame: pd.DataFrame, *, formula: str | None = None, **columns) -> pd.DataFrame:
    """Fit a least-squares line to each group, alone, against the predictor in its own units.

    ``columns`` are as in ``models.fit``, or a ``formula`` names them; covariates are left out. A ``ValueError`` says what is wrong
    with the table.

    Returns
    -------
    What ``exact.sufficient_statistics`` returns, with two columns more: ``slope`` and its standard
    ``error``, with one residual sd for all lines. Both are missing where the predictor does not vary
    within a group.
    """
    frame, named = read_table(frame, formula, **columns)
    need_predictor(named)
    shown = original_column(frame, named.predictor)
    table = sufficient_statistics(frame, outcome=named.outcome, predictor=shown, group=named.group)
    squares = table["predictor_ss"].where(table["predictor_ss"] > 0)
    spare = table["n"].sum() - len(table) - squares.count()
    variance = table["residual_ss"].sum() / spare if spare > 0 else np.nan
    return table.assign(slope=table["product_ss"] / squares, error=np.sqrt(variance / squares))


def no_pooling_intercepts(
    frame: pd.DataFrame, *, formula: str | None = None, **columns
) -> pd.Series:
    """Least-squares intercept of each group where predictors are 0, all groups sharing the slopes.

    This is the random-intercept model without its group-level distribution: every group's intercept
    is its own (an analysis of covariance). ``columns`` are as in ``models.fit``, or a ``formula``
    names them.
    """
    frame, named = read_table(frame, formula, **columns)
    predictors = list(named.predictors)
    means = frame.groupby(named.group, observed=True)[[named.outcome, *predictors]].mean()
    rows = means.loc[frame[named.group]].to_numpy()
    y, *x = (frame[[named.outcome, *predictors]].to_numpy(dtype=float) - rows).T
    slopes = np.linalg.lstsq(np.stack(x, axis=1), y)[0] if x else np.zeros(0)
    return means[named.outcome] - means[predictors] @ slopes
