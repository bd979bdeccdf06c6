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
from helpers.own.question import Question, label_groups
from helpers.own.residuals import Residuals
from helpers.priors import LOWER, SEED, UPPER
from helpers.terms import INTERCEPT

AS_IS, AS_REPORTED = "exact, as reported", "as reported"
HALVED, DOUBLED = "scales of all priors halved", "scales of all priors doubled"
SLOPES_BY_GROUP = "slopes by group"
FEW_DRAWS = 300  # of densities whose groups' effects are integrated out on a grid
TRIED_GROUPS, TRIED_ROWS = 3, 5  # that are left out one by one, in exact fits


def find_influential(
    question: Question, candidate: Candidate, tree: xr.DataTree, name: str
) -> dict[str | None, pd.Series]:
    """How far the effect ``name`` would move, about, without each row and without each group.

    What a part of the likelihood weighs less moves a posterior mean by minus its covariance with the
    part's log density, over the draws (Giordano & Broderick 2023). A group's density has its effects
    integrated out, since without it they would not be known.

    Returns
    -------
    dict of Series in units of the effect: by grouping factor one by label, and for None that of single
    rows, by the table's index.
    """
    if question.is_sampled:
        left = Drawn(question, candidate, tree, SEED, most=FEW_DRAWS)
        groups = {factor: left.log_density_of_groups(factor) for factor in left.terms.factors}
        rows = left.log_density(left.mean)
    else:
        left = Residuals(question, candidate, tree)
        groups = {candidate.group: pd.DataFrame(left.log_density_of_groups(), columns=left.groups)}
        rows = -(left.residuals**2) / 2 - np.log(left.sigma)
    effect = flatten(effects.population(question, candidate, left.tree)[name])
    densities = groups | {None: pd.DataFrame(rows, columns=candidate.table.index)}
    return {
        of: pd.Series(-_covary(effect, each.to_numpy()), each.columns)
        for of, each in densities.items()
    }


def _covary(first: np.ndarray, many: np.ndarray) -> np.ndarray:
    """Covariances (n,) over the draws of one number (S,) with many (S, n)."""
    return (first - first.mean()) @ (many - many.mean(axis=0)) / len(first)


def list_changes(
    question: Question,
    candidate: Candidate,
    tree: xr.DataTree,
    name: str,
    *,
    exactly: bool = True,
) -> tuple[dict[str, Candidate], list[str]]:
    """What a sceptic would change, each as a candidate of its own, the fit that answers first; and what
    could not be changed. If not ``exactly``, Bambi has to sample each, so they are few."""
    priors = candidate.priors
    changes = {
        AS_IS if exactly else AS_REPORTED: candidate,
        HALVED: replace(candidate, priors=scale_priors(priors, 0.5)),
        DOUBLED: replace(candidate, priors=scale_priors(priors, 2)),
    }
    if exactly:
        changes |= _move_prior(question, candidate)
        if candidate.terms.own_slopes:
            changes["intercepts and slopes correlated"] = with_correlation(candidate)
        if not question.is_sampled and (steep := with_slopes(question, candidate)):
            changes[SLOPES_BY_GROUP] = steep
    without, skipped = _leave_out(question, candidate, tree, name, exactly)
    changes |= without
    if not exactly:  # fits are known by the names of their candidates
        changes = {
            n: one if n == AS_REPORTED else replace(one, name=n) for n, one in changes.items()
        }
    return changes, skipped


def _move_prior(question: Question, candidate: Candidate) -> dict[str, Candidate]:
    """The prior of the term that is asked about one of its sds up, and down."""
    about = [term for term in candidate.terms.common if candidate.main in term.split(":")]
    asked = (about or [INTERCEPT])[0]
    mean, sd = candidate.priors[asked]
    named = asked.replace(candidate.main, question.column) if about else "the mean"
    moved = {"up": (mean + sd, sd), "down": (mean - sd, sd)}
    return {
        f"prior of {named} one sd {way}": replace(
            candidate, priors=candidate.priors | {asked: pair}
        )
        for way, pair in moved.items()
    }


def _leave_out(
    question: Question, candidate: Candidate, tree: xr.DataTree, name: str, exactly: bool
) -> tuple[dict[str, Candidate], list[str]]:
    """The table without the group of each factor, and without the row, that moves the effect ``name``
    most: of those that seem to, each is left out in an exact fit; where that cannot be, the group that
    seems to move it most stands for all. And what could not be left out."""
    found, skipped = {}, []
    for factor, moves in find_influential(question, candidate, tree, name).items():
        if factor is None and not exactly:
            continue
        most = 1 if not exactly else TRIED_ROWS if factor is None else TRIED_GROUPS
        order, tried = np.argsort(-moves.abs().to_numpy())[:most], {}
        for place in order:
            label, kept = _name_without(candidate, factor, moves.index, place)
            if reason := _why_not_without(candidate, kept):
                skipped += [f"{label}: {reason}"] * int(place == order[0])
            else:
                tried[label] = _without(candidate, kept)
        if not exactly:
            found |= {f"{label} (which seems to move it most)": one for label, one in tried.items()}
            continue
        table, _, failed = refit(question, {AS_IS: candidate} | tried, name)
        skipped += failed
        fitted = table.drop(index=AS_IS, errors="ignore")
        if len(fitted) and AS_IS in table.index:
            label = (fitted["mean"] - table.loc[AS_IS, "mean"]).abs().idxmax()
            of = f" (the most influential of {len(fitted)} candidates)" if len(fitted) > 1 else ""
            found[label + of] = tried[label]
    return found, skipped


def _name_without(
    candidate: Candidate, factor: str | None, labels: pd.Index, place: int
) -> tuple[str, np.ndarray]:
    """What the change is called, and which rows (n,) it keeps."""
    if factor is None:
        kept = np.arange(len(candidate.table)) != place
        return f"without row {name_row(candidate.table, place)}", kept
    kept = label_groups(candidate.table, factor) != str(labels[place])
    return f"without {factor} {labels[place]}", kept


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
    for factor in candidate.terms.factors:
        if len(set(label_groups(left, factor))) < 2:
            return f"one group of {factor} would be left"
    used = [name for name in candidate.terms.used if name in left]
    for name in (name for name in used if name not in candidate.grouping_columns):
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
