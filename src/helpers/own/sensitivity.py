"""Does the answer hang on a prior, on the correlation, on one group or on one row?"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from helpers import predictions
from helpers.exact import QuadratureFailed
from helpers.frames import name_row
from helpers.own import effects
from helpers.own.candidates import (
    Candidate,
    fit_exactly,
    limits_of,
    scale_priors,
    with_correlation,
    with_slopes,
)
from helpers.own.question import Question
from helpers.priors import LOWER, SEED, UPPER

AS_IS = "exact, as reported"
SLOPES_BY_GROUP = "slopes by group"
CELLS = 8_000_000  # draws times rows
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
    count = tree["posterior"].sizes["chain"] * tree["posterior"].sizes["draw"]
    step = max(1, -(-count // max(100, CELLS // len(candidate.table))))
    posterior = tree["posterior"].to_dataset().isel(draw=slice(None, None, step))
    thinned = xr.DataTree.from_dict({"posterior": posterior})
    given = thinned, candidate.formula, candidate.table
    effect = _flat(effects.population(question, candidate, thinned)[name])
    sigma = posterior["sigma"].values.ravel()
    y = question.values
    errors = y - _flat(predictions.predict(*given, candidate.table), "row")
    rows = -((errors / sigma[:, None]) ** 2) / 2 - np.log(sigma)[:, None]
    alone = candidate.table.drop(columns=candidate.group)
    errors = y - _flat(predictions.predict(*given, alone), "row")
    groups = _log_density_of_groups(candidate, posterior, errors, sigma)
    labels = candidate.table[candidate.group].cat.categories
    return {
        "row": pd.Series(-_covary(effect, rows), candidate.table.index),
        "group": pd.Series(-_covary(effect, groups), labels),
    }


def _flat(draws: xr.DataArray, *dims: str) -> np.ndarray:
    """Draws (S,) or (S, n)."""
    values = draws.transpose("chain", "draw", *dims).to_numpy()
    return values.reshape(-1, *values.shape[2:])


def _covary(first: np.ndarray, many: np.ndarray) -> np.ndarray:
    """Covariances (n,) over the draws of one number (S,) with many (S, n)."""
    return (first - first.mean()) @ (many - many.mean(axis=0)) / len(first)


def _log_density_of_groups(
    candidate: Candidate, posterior: xr.Dataset, errors: np.ndarray, sigma: np.ndarray
) -> np.ndarray:
    """Log densities (S, G) of the rows of each group around the population's line, from distances
    (S, n) to it, with the group's effects integrated out."""
    terms, code = candidate.terms, candidate.table[candidate.group].cat.codes.to_numpy()
    columns = [terms.columns_by_group(name, candidate.table)[:, 0] for name in terms.by_group]
    spread = [posterior[f"{name}_sigma"].values.ravel() for name in terms.by_group]
    size = np.bincount(code)

    def add(values):  # over the rows of each group
        return np.array([np.bincount(code, row, len(size)) for row in np.atleast_2d(values)])

    precision = 1 / sigma[:, None] ** 2
    # Effects counted in their sds, which have the covariance R with ones on its diagonal.
    pulls = np.stack(
        [s[:, None] * add(errors * z) for s, z in zip(spread, columns, strict=True)], -1
    )
    squares = np.stack(
        [
            np.stack(
                [(s * t)[:, None] * add(z * w) for t, w in zip(spread, columns, strict=True)], -1
            )
            for s, z in zip(spread, columns, strict=True)
        ],
        -2,
    )
    own = np.eye(len(spread))[None]
    if "rho" in posterior:
        rho = posterior["rho"].values.ravel()
        own = np.array([[np.ones_like(rho), rho], [rho, np.ones_like(rho)]]).transpose(2, 0, 1)
    inner = np.linalg.inv(own)[:, None] + precision[..., None, None] * squares
    fitted = np.einsum("sgk,sgk->sg", pulls, np.linalg.solve(inner, pulls[..., None])[..., 0])
    quadratic = precision * add(errors**2) - precision**2 * fitted
    log_det = np.linalg.slogdet(inner)[1] + np.linalg.slogdet(own)[1][:, None]
    return -(quadratic + log_det) / 2 - size * np.log(sigma)[:, None]


def list_changes(
    question: Question, candidate: Candidate, tree: xr.DataTree, name: str
) -> tuple[dict[str, Candidate], list[str]]:
    """What a sceptic would change, each as a candidate of its own; and what could not be changed."""
    priors = candidate.priors
    about = [term for term in candidate.terms.common if candidate.main in term.split(":")]
    asked = (about or ["Intercept"])[0]
    mean, sd = priors[asked]
    named = asked.replace(candidate.main, question.column) if about else "the mean"
    changes = {
        AS_IS: candidate,
        "scales of all priors halved": replace(candidate, priors=scale_priors(priors, 0.5)),
        "scales of all priors doubled": replace(candidate, priors=scale_priors(priors, 2)),
        f"prior of {named} one sd up": _with(candidate, asked, (mean + sd, sd)),
        f"prior of {named} one sd down": _with(candidate, asked, (mean - sd, sd)),
    }
    if len(candidate.terms.by_group) == 2:
        changes["intercepts and slopes correlated"] = with_correlation(candidate)
    if steep := with_slopes(question, candidate):
        changes[SLOPES_BY_GROUP] = steep
    without, skipped = _leave_out(question, candidate, tree, name)
    return changes | without, skipped


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


def _with(candidate: Candidate, name: str, prior) -> Candidate:
    return replace(candidate, priors=candidate.priors | {name: prior})


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
    question: Question, changes: Mapping[str, Candidate], name: str, seed: int = SEED
) -> tuple[pd.DataFrame, dict[str, xr.DataArray], list[str]]:
    """Fit each change exactly.

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
            tree = fit_exactly(one, seed)
            draws[label] = effects.population(question, one, tree)[name]
        except (QuadratureFailed, ValueError) as error:
            failed.append(f"{label}: {error}")
            continue
        limits = _exact_limits(one, tree, draws[label]) or limits_of(draws[label])
        found = dict(zip(("mean", LOWER, UPPER), limits, strict=True))
        numbers = tree["exact"].to_dataset().sel(statistic="mean")
        sds = [n for n in numbers if n.endswith("sigma")]
        rows[label] = found | {n: float(numbers[n].squeeze()) for n in sds}
    return pd.DataFrame(rows).T, draws, failed


def _exact_limits(
    candidate: Candidate, tree: xr.DataTree, effect: xr.DataArray
) -> tuple[float, float, float] | None:
    """Exact mean and 95 % limits of an effect whose draws are a multiple of one coefficient's."""
    for name in ("Intercept", *candidate.terms.common):
        draws = tree["posterior"][name]
        levels = [dim for dim in draws.dims if dim not in ("chain", "draw")]
        each = draws.stack(level=levels) if levels else draws.expand_dims("level")
        numbers = tree["exact"][name]
        numbers = numbers.stack(level=levels) if levels else numbers.expand_dims("level")
        for place in range(each.sizes["level"]):
            one = each.isel(level=place)
            factor = float((effect * one).sum() / (one**2).sum())
            if np.allclose(effect.values, factor * one.values, rtol=1e-6):
                told = [
                    factor * float(numbers.isel(level=place).sel(statistic=statistic))
                    for statistic in ("mean", LOWER, UPPER)
                ]
                return told[0], min(told[1:]), max(told[1:])
    return None
