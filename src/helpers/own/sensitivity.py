"""Does the answer hang on a prior, on the correlation, on one group or on one row?"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from helpers.diagnostics import FitRejected
from helpers.exact import QuadratureFailed
from helpers.frames import name_row
from helpers.own import effects
from helpers.own.candidates import (
    Candidate,
    fit_exactly,
    scale_priors,
    with_correlation,
    with_slopes,
)
from helpers.own.draws import flatten, limits_of, split_levels
from helpers.own.predictive import Drawn
from helpers.own.question import Question
from helpers.own.residuals import Residuals
from helpers.priors import LOWER, SEED, UPPER
from helpers.terms import INTERCEPT

AS_IS, AS_REPORTED = "exact, as reported", "as reported"
HALVED, DOUBLED = "scales of all priors halved", "scales of all priors doubled"
SLOPES_BY_GROUP = "slopes by group"
FEW_DRAWS = 300  # of densities whose groups' effects are integrated out on a grid
TRIED = {"group": 3, "row": 5}  # that are left out one by one, in exact fits


def find_influential(
    question: Question, candidate: Candidate, tree: xr.DataTree, name: str
) -> dict[str, pd.Series]:
    """How far the effect ``name`` would move, about, without each row and without each group.

    What a part of the likelihood weighs less moves a posterior mean by minus its covariance with the
    part's log density, over the draws (Giordano & Broderick 2023). A group's density has its effects
    integrated out, since without it they would not be known.

    Returns
    -------
    dict of Series in units of the effect: "row" by the table's index, "group" by label.
    """
    left = Residuals(question, candidate, tree)
    effect = flatten(effects.population(question, candidate, left.tree)[name])
    rows = -(left.residuals**2) / 2 - np.log(left.sigma)
    groups = left.log_density_of_groups()
    return {
        "row": pd.Series(-_covary(effect, rows), candidate.table.index),
        "group": pd.Series(-_covary(effect, groups), left.groups),
    }


def _covary(first: np.ndarray, many: np.ndarray) -> np.ndarray:
    """Covariances (n,) over the draws of one number (S,) with many (S, n)."""
    return (first - first.mean()) @ (many - many.mean(axis=0)) / len(first)


def list_changes(
    question: Question, candidate: Candidate, tree: xr.DataTree, name: str
) -> tuple[dict[str, Candidate], list[str]]:
    """What a sceptic would change, each as a candidate of its own, the fit that answers first; and what
    could not be changed."""
    if question.is_sampled:
        return _list_sampled(question, candidate, tree, name)
    priors = candidate.priors
    about = [term for term in candidate.terms.common if candidate.main in term.split(":")]
    asked = (about or [INTERCEPT])[0]
    mean, sd = priors[asked]
    named = asked.replace(candidate.main, question.column) if about else "the mean"

    def with_prior(pair):
        return replace(candidate, priors=priors | {asked: pair})

    changes = {
        AS_IS: candidate,
        HALVED: replace(candidate, priors=scale_priors(priors, 0.5)),
        DOUBLED: replace(candidate, priors=scale_priors(priors, 2)),
        f"prior of {named} one sd up": with_prior((mean + sd, sd)),
        f"prior of {named} one sd down": with_prior((mean - sd, sd)),
    }
    if len(candidate.terms.by_group) == 2:
        changes["intercepts and slopes correlated"] = with_correlation(candidate)
    if steep := with_slopes(question, candidate):
        changes[SLOPES_BY_GROUP] = steep
    without, skipped = _leave_out(question, candidate, tree, name)
    return changes | without, skipped


def _list_sampled(
    question: Question, candidate: Candidate, tree: xr.DataTree, name: str
) -> tuple[dict[str, Candidate], list[str]]:
    """The few changes that Bambi has to sample: other scales of the priors, and the table without the
    group that seems to move the effect most."""
    priors, skipped = candidate.priors, []
    changes = {
        AS_REPORTED: candidate,
        HALVED: replace(candidate, priors=scale_priors(priors, 0.5)),
        DOUBLED: replace(candidate, priors=scale_priors(priors, 2)),
    }
    moves = find_influential_groups(question, candidate, tree, name)
    place = int(np.abs(moves).argmax())
    label, kept = _name_without(candidate, "group", moves.index, place)
    if reason := _why_not_without(candidate, kept):
        skipped.append(f"{label}: {reason}")
    else:
        changes[f"{label} (which seems to move it most)"] = _without(candidate, kept)
    return {
        label: one if label == AS_REPORTED else replace(one, name=label)
        for label, one in changes.items()
    }, skipped


def find_influential_groups(
    question: Question, candidate: Candidate, tree: xr.DataTree, name: str
) -> pd.Series:
    """How far the effect ``name`` would move, about, without each group, as ``find_influential`` says,
    of any family and beside further grouping factors; in units of the effect, by label."""
    drawn = Drawn(question, candidate, tree, SEED, most=FEW_DRAWS)
    effect = flatten(effects.population(question, candidate, drawn.tree)[name])
    return pd.Series(-_covary(effect, drawn.log_density_of_groups()), drawn.groups)


def _leave_out(
    question: Question, candidate: Candidate, tree: xr.DataTree, name: str
) -> tuple[dict[str, Candidate], list[str]]:
    """The table without the group, and without the row, that moves the effect ``name`` most: of those
    that seem to, each is left out in an exact fit. And what could not be left out."""
    found, skipped = {}, []
    moves = find_influential(question, candidate, tree, name)
    for kind, most in TRIED.items():
        order = np.argsort(-moves[kind].abs().to_numpy())[:most]
        tried = {}
        for place in order:
            label, kept = _name_without(candidate, kind, moves[kind].index, place)
            if reason := _why_not_without(candidate, kept):
                skipped += [f"{label}: {reason}"] * int(place == order[0])
            else:
                tried[label] = _without(candidate, kept)
        table, _, failed = refit(question, {AS_IS: candidate} | tried, name)
        skipped += failed
        fitted = table.drop(index=AS_IS, errors="ignore")
        if len(fitted) and AS_IS in table.index:
            label = (fitted["mean"] - table.loc[AS_IS, "mean"]).abs().idxmax()
            of = f" (the most influential of {len(fitted)} candidates)" if len(fitted) > 1 else ""
            found[label + of] = tried[label]
    return found, skipped


def _name_without(
    candidate: Candidate, kind: str, labels: pd.Index, place: int
) -> tuple[str, np.ndarray]:
    """What the change is called, and which rows (n,) it keeps."""
    if kind == "group":
        kept = candidate.table[candidate.group].to_numpy() != labels[place]
        return f"without {candidate.group} {labels[place]}", kept
    kept = np.arange(len(candidate.table)) != place
    return f"without row {name_row(candidate.table, place)}", kept


def _without(candidate: Candidate, kept: np.ndarray) -> Candidate:
    """A candidate with some of the rows, on the scales of all."""
    table = candidate.table[kept].copy()
    table.attrs = dict(candidate.table.attrs)
    for name in table.select_dtypes("category"):
        table[name] = table[name].cat.remove_unused_categories()
    return replace(candidate, table=table)


def _why_not_without(candidate: Candidate, kept: np.ndarray) -> str:
    """Why the model cannot do without some of the rows, if there is a reason."""
    left = candidate.table[kept]
    if left[candidate.group].nunique() < 2:
        return "one group would be left"
    used = [name for name in candidate.terms.used if name in left]
    for name in (name for name in used if name != candidate.group):
        before, after = candidate.table[name].nunique(), left[name].nunique()
        lost = isinstance(left[name].dtype, pd.CategoricalDtype) and after < before
        if lost or after < 2:
            return f"{name} would lose a level" if lost else f"{name} would be constant"
    return ""


def refit(
    question: Question,
    changes: Mapping[str, Candidate],
    name: str,
    seed: int = SEED,
    *,
    sample: Callable[[Candidate], xr.DataTree] | None = None,
    known: Mapping[str, xr.DataTree] | None = None,
) -> tuple[pd.DataFrame, dict[str, xr.DataArray], list[str]]:
    """Fit each change exactly, or by ``sample`` unless its candidate is among those ``known``.

    Returns
    -------
    A DataFrame by change: mean and 95 % limits of the effect ``name``, without Monte Carlo error where it
    is a multiple of one coefficient, and means of ``sigma`` and of the sds of effects by group, in the
    outcome's unit; the draws of the effect by change; and sentences on
    changes that could not be fitted.
    """
    rows, draws, failed = {}, {}, []
    for label, one in changes.items():
        try:
            if sample is None:
                tree = fit_exactly(one, seed)
            else:
                tree = (known or {}).get(one.name) or sample(one)
            draws[label] = effects.population(question, one, tree)[name]
        except (QuadratureFailed, ValueError) as error:
            failed.append(f"{label}: {error}")
            continue
        except FitRejected:
            failed.append(f"{label}: the gate refuses its fit")
            continue
        limits = limits_of(draws[label])
        if "exact" in tree.children:
            limits = _exact_limits(one, tree, draws[label]) or limits
            numbers = tree["exact"].to_dataset().sel(statistic="mean")
        else:
            numbers = tree["posterior"].to_dataset().mean()
        found = dict(zip(("mean", LOWER, UPPER), limits, strict=True))
        sds = [n for n in numbers if n.endswith("sigma")]
        rows[label] = found | {n: float(numbers[n].squeeze()) for n in sds}
    return pd.DataFrame(rows).T, draws, failed


def _exact_limits(
    candidate: Candidate, tree: xr.DataTree, effect: xr.DataArray
) -> tuple[float, float, float] | None:
    """Exact mean and 95 % limits of an effect whose draws are a multiple of one coefficient's."""
    for name in (INTERCEPT, *candidate.terms.common):
        numbers = split_levels(tree["exact"][name])
        for level, draws in split_levels(tree["posterior"][name]).items():
            factor = float((effect * draws).sum() / (draws**2).sum())
            if np.allclose(effect.values, factor * draws.values, rtol=1e-6):
                told = factor * numbers[level].sel(statistic=["mean", LOWER, UPPER]).values
                return told[0], min(told[1:]), max(told[1:])
    return None
