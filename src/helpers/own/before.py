"""What priors expect of a table where nothing is exact: parameters, and tables drawn from them, in numpy."""

from itertools import product

import numpy as np
import pandas as pd
import xarray as xr

from helpers import predictions
from helpers.own.candidates import Candidate
from helpers.own.question import BERNOULLI, Question
from helpers.priors import SEED
from helpers.terms import INTERCEPT, Terms, group_dim

DRAWS = 400
RARE = 0.01  # two-sided probability of an observed mean, or sd, among those that the priors expect


def draw_parameters(candidate: Candidate, draws: int = DRAWS, seed: int = SEED) -> xr.DataTree:
    """Draws of all parameters from the priors, as a fit has them from the posterior (one chain)."""
    terms, priors, rng = candidate.terms, candidate.priors, np.random.default_rng(seed)
    found = {INTERCEPT: (("chain", "draw"), rng.normal(*priors[INTERCEPT], (1, draws)))}
    for name, columns in terms.common.items():
        values = rng.normal(*priors[name], (1, draws, len(columns)))
        found[name] = ("chain", "draw", f"{name}_dim"), values
    for name in terms.auxiliary:
        found[name] = ("chain", "draw"), priors[name] * abs(rng.normal(size=(1, draws)))
    labels = {factor: _labels_of(terms, factor) for factor in terms.factors}
    for name, (_, factor) in terms.by_group.items():
        sd = priors[name] * abs(rng.normal(size=(1, draws)))
        z = rng.normal(size=(1, draws, len(labels[factor])))
        found[f"{name}_sigma"] = ("chain", "draw"), sd
        found[name] = ("chain", "draw", group_dim(factor)), sd[..., None] * z
    coords = {group_dim(factor): of for factor, of in labels.items()}
    return xr.DataTree.from_dict({"posterior": xr.Dataset(found, coords)})


def _labels_of(terms: Terms, factor: str) -> list[str]:
    """Labels of groups as Bambi writes them: of several columns all combinations."""
    levels = [terms.frame[column].astype("category").cat.categories for column in factor.split(":")]
    return [":".join(map(str, label)) for label in product(*levels)]


def simulate_tables(candidate: Candidate) -> xr.DataArray:
    """Outcomes (chain, draw, row) of tables like a candidate's, drawn from its priors."""
    tree, table = draw_parameters(candidate), candidate.table
    given = {"kind": "outcome", "seed": SEED, "family": candidate.family}
    return predictions.predict(tree, candidate.formula, table, table, **given)


def tabulate_expected(question: Question, positions: dict[str, Candidate]) -> pd.DataFrame:
    """What the priors expect, by their scale: the mean of a table, and its smallest and largest outcome,
    or how its groups' shares of yes differ; 95 % of the tables; and the observed number."""
    rows = {}
    code = question.table[question.group].cat.codes.to_numpy()

    def describe(y):
        numbers = {"mean": y.mean()}
        if question.family == BERNOULLI:
            shares = np.bincount(code, y) / np.bincount(code)
            return {"share of yes": y.mean(), "lowest share": shares.min(), "highest": shares.max()}
        return numbers | {"smallest": y.min(), "largest": y.max()}

    for label, one in positions.items():
        tables = simulate_tables(one).isel(chain=0).to_numpy()
        numbers = pd.DataFrame([describe(y) for y in tables])
        low, high = numbers.quantile(0.025), numbers.quantile(0.975)
        rows[label] = {n: f"{low[n]:.3g} to {high[n]:.3g}" for n in numbers}
    rows["the table"] = {n: f"{value:.3g}" for n, value in describe(question.values).items()}
    shown = pd.DataFrame(rows).T.replace("-", "\N{MINUS SIGN}", regex=True)
    return shown.rename_axis("95 % of tables that the priors expect")


def find_mismatch(candidate: Candidate) -> str:
    """Say if the table's mean or its sd would be a rare one of a table that the priors make; else ""."""
    tables = simulate_tables(candidate).isel(chain=0).to_numpy()
    observed = np.asarray(candidate.terms.design.response.design_matrix, dtype=float)
    numbers = {"mean": np.mean, "sd": np.std}
    for name, number in numbers.items():
        expected, found = number(tables, axis=1), number(observed)
        above = np.mean(expected > found) + np.mean(expected == found) / 2
        if 2 * min(above, 1 - above) < RARE:
            low, high = np.quantile(expected, [0.025, 0.975])
            return (
                f"The {name} of {candidate.terms.outcome!r}, {found:.4g}, lies far outside of what the priors expect: in "
                f"95 % of the tables that they simulate it is {low:.4g} to {high:.4g}. Is the range right?"
            )
    return ""
