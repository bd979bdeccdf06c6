"""Sentences and tables about spread, groups, coefficients, and what to expect."""

import numpy as np
import pandas as pd
import xarray as xr

from helpers import tables
from helpers.families import GAUSSIAN
from helpers.own.candidates import BOTH
from helpers.own.draws import limits_of
from helpers.own.question import FACTOR, FEW_GROUPS, NONE, NUMBER, Question
from helpers.own.words import beyond
from helpers.own.words.pieces import (
    LISTED,
    code,
    estimate,
    estimates,
    exact_number,
    join,
    safe,
    unit_of,
    with_minus,
)


def describe_spread(question: Question, tree: xr.DataTree, share: xr.DataArray | None) -> str:
    """How far groups of each factor lie apart, on the scale of the link, and whether they need differ at
    all; ``share`` is that of the variance which lies between groups, where one is told."""
    posterior, link = tree["posterior"], question.terms.family.link
    scale = {"identity": "", beyond.LOG: " on the log scale"}.get(link, " on the scale of log odds")
    levels = {f: posterior[f"1|{f}_sigma"] for f in question.terms.factors}
    residual = {"sigma": posterior["sigma"]} if "sigma" in posterior else {}
    told = estimates(levels | residual, unit_of(question) * (not scale))
    slopes = question.own_slopes and question.is_column
    where = f" at the mean of {code(question.column)}" if slopes else ""
    between = join([f"{told[f]} between groups of {code(f)}" for f in levels])
    text = f"The sd of the levels{where}{scale} is {between}"
    text += f"; that of single outcomes around them is {told['sigma']}." if residual else "."
    if share is not None:
        text += f" So a share of {estimate(share)} of the variance{_left(question)} lies between groups."
    if link == beyond.LOG:
        means = "; ".join(
            f"of {code(f)} by a factor of about {exact_number(float(np.exp(sd).mean()))}"
            for f, sd in levels.items()
        )
        text += f" So means of groups one sd apart differ, {means}."
    if "alpha" in posterior:
        text += f" {code('alpha')} is {estimate(posterior['alpha'])}."
    for factor, sd in levels.items():
        _, low, high = limits_of(sd)
        if low < 0.1 * high:
            text += (
                f" The sd of {code(factor)} can be close to 0: the table does not rule out that its groups do "
                "not differ at all."
            )
        if (number := question.terms.count_groups(factor)) < FEW_GROUPS:
            what = "its sd" if share is None else "its sd and that share"
            hang = "hangs" if share is None else "hang"
            text += f" With {number} groups of {code(factor)} {what} {hang} on the prior."
    return text


def _left(question: Question) -> str:
    """What variance is left to groups and rows."""
    return {
        NUMBER: " that the population's line leaves",
        FACTOR: f" that {code(question.column)} leaves",
        NONE: "",
    }[question.kind]


def tabulate_groups(question: Question, by_group: xr.DataArray, title: str) -> pd.DataFrame:
    """Mean and interval by group; of many groups the lowest and the highest, and how many lie between."""
    mean = by_group.mean(["chain", "draw"]).to_series().sort_values()
    labels = list(mean.index)
    between = max(len(labels) - LISTED, 0)
    if between:
        labels = labels[: LISTED // 2] + labels[-LISTED // 2 :]
    parts = {str(k): by_group.sel({question.group: k}, drop=True) for k in labels}
    shown = tables.present_summary(xr.Dataset(parts))
    shown.insert(0, "rows", [f"{question.sizes[k]:,}" for k in labels])
    if between:
        gap = pd.DataFrame("", [f"({between:,} more between)"], shown.columns)
        shown = pd.concat([shown[: LISTED // 2], gap, shown[LISTED // 2 :]])
    return shown.rename_axis(title)


def tabulate_outcomes(question: Question, expected: xr.Dataset) -> pd.DataFrame:
    """Means and 95 % intervals along the main term, one row a value of it; the levels of other factors
    that it holds for stand in the head."""
    columns = {}
    fixed = expected.attrs.get("held", {}).items()
    at = "".join(f", {name} {value}" for name, value in fixed if not _is_number(value))
    for name, draws in expected.data_vars.items():
        parts = {
            with_minus(str(row)): draws.isel(row=place, drop=True)
            for place, row in enumerate(draws["row"].values)
        }
        columns[f"{name}{at}"] = estimates(parts).str.replace("95 % interval ", "")
    head = question.scale_column or question.column or "all rows"
    return pd.DataFrame(columns).rename_axis(
        f"{head}; {question.outcome} ({safe(question.unit_of_means)})"
    )


def describe_held(question: Question, chosen: str, expected: xr.Dataset) -> str:
    """At which values of other columns the table of outcomes holds; "" if there are none."""
    parts = [
        f"{code(name)} at {exact_number(value) if _is_number(value) else safe(value)}"
        for name, value in expected.attrs.get("held", {}).items()
    ]
    new = beyond.describe_new(question)
    if not parts:
        return new
    text = f"What to expect, with {join(parts)}:"
    if chosen == BOTH:
        text += f" a {code(question.group)} with that mean, and rows no farther from it than 90 % of the table's are."
    return " ".join(filter(None, [new, text]))


def tabulate_coefficients(question: Question, found: xr.Dataset) -> pd.DataFrame:
    """Mean and interval of the coefficients, each with decimals of its own."""
    unit = unit_of(question)
    if question.family != GAUSSIAN:
        unit = beyond.describe_unit_of_priors(question)
    told = {name: estimate(draws) for name, draws in found.items()}
    return pd.DataFrame({f"{unit}, slopes per unit": told}).rename_axis("coefficient")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)
