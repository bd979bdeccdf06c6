"""Which candidate answers, by a rule stated beforehand, and what scores of predictions say of all."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from helpers.exact import QuadratureFailed, loo
from helpers.frames import own_scale
from helpers.own.candidates import BOTH, POOLED, Candidate, between_column, name_of_own
from helpers.own.draws import limits_of, sign_of
from helpers.own.question import Question

DIFFERENCE = "difference of elpd (above 0: predicts better than your formula)"
CLEAR = 4  # elpd, below which a difference is small whatever its error (Sivula et al. 2020)
LEAVE_OUT = {"rows": loo.leave_one_out, "groups": loo.leave_group_out}


@dataclass(frozen=True)
class Choice:
    """``name`` of the candidate that answers; draws of the slope ``within`` groups, and of the
    ``difference``, the slope between groups minus that, if the table has both."""

    name: str
    difference: xr.DataArray | None = None
    within: xr.DataArray | None = None


def choose(
    question: Question, candidates: Mapping[str, Candidate], exact: Mapping[str, xr.DataTree]
) -> Choice:
    """Choose the candidate that answers, by the ``exact`` fit of the within-between one.

    It is the reader's own one, unless the 95 % interval of the difference between slopes between and
    within groups excludes 0: then it is the within-between one, whose slope is that within groups.
    Slopes are told for ``per`` units of the predictor.
    """
    own = name_of_own(question)
    if BOTH not in candidates:
        return Choice(own)
    both, posterior = candidates[BOTH], exact[BOTH]["posterior"]
    within, between = (
        question.per * own_scale(both.table, column).per_unit(posterior[column])
        for column in (both.main, between_column(question))
    )
    _, low, high = limits_of(between - within)
    return Choice(BOTH if sign_of(low, high) else own, between - within, within)


def score(
    question: Question,
    candidates: Mapping[str, Candidate],
    fits: Mapping[str, xr.DataTree] | None = None,
) -> pd.DataFrame:
    """Exact scores of predictions of rows and of groups left out, and how they differ from the reader's.

    Returns
    -------
    DataFrame by candidate: ``rows`` and ``groups``, the differences of elpd (leave one row, or one
    group out) from the candidate that the reader's formula is, positive where it predicts better;
    ``rows_se`` and ``groups_se``, their standard errors. What quadrature cannot compute is NaN. Where
    nothing is exact, PSIS-LOO of the ``fits``, with their log likelihoods: ``rows`` and ``rows_se``, and
    ``unsure``, the number of rows whose Pareto k is too large for it.
    """
    if question.is_sampled:
        return _score_by_psis(name_of_own(question), fits)
    own, found = name_of_own(question), {}
    for kind, leave_out in LEAVE_OUT.items():
        elpd = {name: _score_each(leave_out, one) for name, one in candidates.items()}
        apart = pd.DataFrame({name: one - elpd[own] for name, one in elpd.items()})
        found[kind] = apart.sum(skipna=False)
        found[f"{kind}_se"] = np.sqrt(len(apart)) * apart.std()
    return pd.DataFrame(found).loc[list(candidates)]


def _score_by_psis(own: str, fits: Mapping[str, xr.DataTree]) -> pd.DataFrame:
    """Differences of elpd, rows left out by Pareto-smoothed importance sampling (Vehtari et al. 2017)."""
    with warnings.catch_warnings(record=True):  # of Pareto k, which the page tells
        left_out = {name: az.loo(tree, pointwise=True) for name, tree in fits.items()}
    elpd = pd.DataFrame({name: one.elpd_i.values.ravel() for name, one in left_out.items()})
    apart = elpd.sub(elpd[own], axis=0)
    unsure = {n: int((one.pareto_k > one.good_k).sum()) for n, one in left_out.items()}
    return pd.DataFrame(
        {"rows": apart.sum(), "rows_se": np.sqrt(len(apart)) * apart.std(), "unsure": unsure}
    ).loc[list(fits)]


def _score_each(leave_out: Callable, one: Candidate) -> pd.Series:
    """The elpd of each row or group left out, NaN where quadrature fails."""
    given = {"group": one.group} if one.name == POOLED else {}
    try:
        found = leave_out(one.formula, one.table, priors=one.priors, **given)
    except QuadratureFailed:
        is_row = leave_out is loo.leave_one_out
        return pd.Series(np.nan, one.table.index if is_row else one.table[one.group].unique())
    return found["elpd"] if found.ndim == 2 else found


def judge_score(difference: float, error: float) -> str:
    """How a model predicts, by its difference of elpd from the reader's and that one's standard error."""
    if np.isnan(difference):
        return "not compared: quadrature does not reach its accuracy"
    if abs(difference) <= CLEAR:
        return "predicted about as well as by your formula: the difference is small"
    worse = "worse" if difference < 0 else "better"
    if abs(difference) > 2 * error:
        return f"predicted clearly {worse} than by your formula"
    return (
        f"predicted {worse} than by your formula, but not surely ({abs(difference) / error:.1f} SE)"
    )
