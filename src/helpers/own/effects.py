"""The answer in the table's units: slopes or contrasts of the population, by group, and of a new group."""

import numpy as np
import pandas as pd
import xarray as xr

from helpers import predictions
from helpers.frames import Scale, scale_of
from helpers.own.candidates import BOTH, Candidate, between_column
from helpers.own.question import FACTOR, NONE, NUMBER, Question
from helpers.priors import SEED

NEW = "a group never seen"
SHARE = "share"
CELLS = 20_000_000  # draws times rows that are predicted at once


# Rows that effects are told at


def typical_rows(question: Question, candidate: Candidate) -> pd.DataFrame:
    """One row for each combination of levels that the main term's effect depends on.

    Numbers stand at their mean over the table (inside functions at their median), further factors at their most frequent level; the column
    ``share`` is the share of the table's rows that have the combination.
    """
    table, used = candidate.table, _used(candidate)
    by = modifiers(question)
    alone = {part for term in candidate.terms.common for part in term.split(":")}
    typical = {name: _typical(table[name], name in alone) for name in used if name not in by}
    if not by:
        return pd.DataFrame([typical | {SHARE: 1.0}])
    shares = table.groupby(by, observed=True).size().rename(SHARE) / len(table)
    return shares.reset_index().assign(**typical)


def rows_by_group(candidate: Candidate) -> pd.DataFrame:
    """One row for each group, in their order: numbers at the group's mean, factors at its most frequent
    level."""
    used, group = _used(candidate), candidate.group
    groups = candidate.table.groupby(group, observed=True)
    columns = {
        name: groups[name].mean()
        if pd.api.types.is_numeric_dtype(candidate.table[name])
        else groups[name].agg(lambda values: values.mode().iloc[0])
        for name in used
    }
    frame = pd.DataFrame(columns, index=groups.size().index)
    return frame.rename_axis(group).reset_index()


def _used(candidate: Candidate) -> list[str]:
    """Columns of the table that a candidate's formula uses, but for the outcome and the groups."""
    terms = candidate.terms
    outcome = terms.design.response.term.term.var_names
    return [name for name in terms.used if name not in outcome and name != candidate.group]


def modifiers(question: Question) -> list[str]:
    """Factors that stand in an interaction with the main term."""
    parts = [name.split(":") for name in question.terms.common if ":" in name]
    with_main = {part for found in parts if question.main in found for part in found}
    table = question.table
    return [
        name
        for name in question.terms.used
        if name in with_main - {question.main} and not pd.api.types.is_numeric_dtype(table[name])
    ]


def _typical(values: pd.Series, alone: bool):
    if pd.api.types.is_numeric_dtype(values):
        return float(values.mean() if alone else values.median())
    return values.mode().iloc[0]


def thin(tree: xr.DataTree, rows: int) -> xr.DataTree:
    """A fit with so few draws that as many predictions of rows fit into memory."""
    posterior = tree["posterior"].to_dataset()
    count = posterior.sizes["chain"] * posterior.sizes["draw"]
    step = max(1, -(-count * rows // CELLS))
    return xr.DataTree.from_dict({"posterior": posterior.isel(draw=slice(None, None, step))})


# Effects


def population(question: Question, candidate: Candidate, tree: xr.DataTree) -> xr.Dataset:
    """Draws of the effects that are asked about, in the mean over groups like these.

    Of a number, the slope for ``per`` units; of a factor, each level minus the reference; without
    predictors, the mean outcome. Where the effect depends on another factor, the mean over the table's
    rows comes first, and then one for each of its levels.
    """
    rows = typical_rows(question, candidate)
    found = {}
    for name, draws in _effects_at(question, candidate, tree, rows).items():
        found[name] = xr.dot(draws, xr.DataArray(rows[SHARE].to_numpy(), dims="row"), dim="row")
        if len(rows) > 1:
            for place, label in enumerate(describe_rows(question, rows)):
                found[f"{name}, {label}"] = draws.isel(row=place, drop=True)
    return xr.Dataset(found).drop_vars("row", errors="ignore")


def describe_rows(question: Question, rows: pd.DataFrame) -> list[str]:
    """The levels that tell typical rows apart."""
    by = modifiers(question)
    return [", ".join(f"{name} {row[name]}" for name in by) for _, row in rows.iterrows()]


def by_group(
    question: Question, candidate: Candidate, tree: xr.DataTree, name: str
) -> xr.DataArray:
    """Draws of the effect ``name`` of each group, at its own values of other columns."""
    rows = rows_by_group(candidate)
    draws = _effects_at(question, candidate, thin(tree, len(rows)), rows)[name]
    return draws.rename(row=question.group).assign_coords(
        {question.group: rows[candidate.group].tolist()}
    )


def of_new_group(
    question: Question, candidate: Candidate, tree: xr.DataTree, name: str, seed: int = SEED
) -> xr.DataArray:
    """Draws of the effect ``name`` of a group never seen, drawn from the population.

    Where the effect depends on another factor, each draw is of a group at the levels of one row of the
    table; the name of an effect at some levels (``population``) keeps it there.
    """
    posterior = tree["posterior"]
    found = population(question, candidate, tree)
    effect = _at_levels_of_one_row(question, candidate, found, name, seed)
    spread = f"{candidate.main}|{candidate.group}_sigma"
    if spread not in posterior:
        return effect
    sd = posterior[spread].squeeze(drop=True) * _unit_of_main(question, candidate)
    z = np.random.default_rng(seed).normal(size=effect.shape)
    return effect + sd * effect.copy(data=z)


def _at_levels_of_one_row(
    question: Question, candidate: Candidate, found: xr.Dataset, name: str, seed: int
) -> xr.DataArray:
    """Draws of an effect, each at the levels of one row of the table where it depends on them."""
    inner = at_levels(found, name)
    if not inner:
        return found[name]
    shares = typical_rows(question, candidate)[SHARE].to_numpy()
    rng = np.random.default_rng([seed, 1])
    rows = found[name].copy(data=rng.choice(len(inner), size=found[name].shape, p=shares))
    each = xr.concat([found[one] for one in inner], "row")
    return each.isel(row=rows.astype(int)).drop_vars("row", errors="ignore")


def at_levels(found: xr.Dataset, name: str) -> list[str]:
    """Names of the effects that are ``name`` at the levels of other factors."""
    return [one for one in found if one.startswith(f"{name}, ")]


def of_new_group_by_level(
    question: Question, candidate: Candidate, tree: xr.DataTree, name: str, seed: int = SEED
) -> dict[str, xr.DataArray]:
    """Draws of the effect ``name`` of a group never seen, by the levels that it depends on, if any."""
    inner = at_levels(population(question, candidate, tree), name)
    return {
        one.removeprefix(f"{name}, "): of_new_group(question, candidate, tree, one, seed)
        for one in inner
    }


def between_levels(question: Question, found: xr.Dataset) -> xr.Dataset:
    """Draws of how an effect differs between levels of the factors that it depends on.

    ``found`` is that of ``population``; each level minus the first. Without such factors it is empty.
    """
    apart, by = {}, modifiers(question)
    for name in [one for one in found if "," not in one]:
        first, *others = at_levels(found, name) or [""]
        for other in others:
            low, high = (one.removeprefix(f"{name}, ") for one in (first, other))
            low = low.removeprefix(f"{by[0]} ") if len(by) == 1 else f"({low})"
            high = high if len(by) == 1 else f"({high})"
            apart[f"{name}, {high} minus {low}"] = found[other] - found[first]
    return xr.Dataset(apart)


def coefficients(question: Question, candidate: Candidate, tree: xr.DataTree) -> xr.Dataset:
    """Draws of the population's coefficients, slopes per unit of their columns, by term and level.

    The intercept is the mean at the reference levels, standardized columns at their means.
    """
    posterior, found = tree["posterior"], {"Intercept": tree["posterior"]["Intercept"]}
    for term in candidate.terms.common:
        draws = posterior[term] / _sd_of_term(question, candidate, term)
        label = term.replace("std_", "")
        dims = [dim for dim in draws.dims if dim not in ("chain", "draw")]
        if not dims:
            found[label] = draws
            continue
        for place, level in enumerate(draws[dims[0]].values):
            found[f"{label} {level}"] = draws.isel({dims[0]: place}, drop=True)
    return xr.Dataset(found)


def _sd_of_term(question: Question, candidate: Candidate, term: str) -> float:
    """Product of the sds by which the columns of a term were divided."""
    own = {candidate.main, between_column(question)} if candidate.name == BOTH else set()
    sds = [
        scale_of(candidate.table, part.removeprefix("std_")).sd
        for part in term.split(":")
        if part in own or (part.startswith("std_") and part in candidate.table)
    ]
    return float(np.prod(sds))


def share_between(question: Question, candidate: Candidate, tree: xr.DataTree) -> float:
    """Share of what the slope is known by that comes from differences between groups.

    The weights (inverse variances) of slopes within each group and between the means of groups, at the
    posterior means of the sds; 1 and 0 are slopes of groups or of rows only.
    """
    posterior, main = tree["posterior"].mean(), f"{candidate.main}|{candidate.group}_sigma"
    x, unit = question.predictor(), _unit_of_main(question, candidate) / question.per
    groups = pd.Series(x).groupby(question.table[question.group].to_numpy())
    means, sizes = groups.mean(), groups.size()
    inside = ((x - groups.transform("mean")) ** 2).groupby(groups.ngroup().to_numpy()).sum()
    noise = float(posterior["sigma"]) ** 2
    level = float(posterior[f"1|{candidate.group}_sigma"]) ** 2
    slope = float(posterior[main]) ** 2 * unit**2 if main in posterior else 0.0
    within = float((inside / (noise + slope * inside)).sum())
    apart = (means - x.mean()) ** 2
    between = float((apart / (level + noise / sizes + slope * apart)).sum())
    return between / (between + within)


def _unit_of_main(question: Question, candidate: Candidate) -> float:
    """What a coefficient of the main term is multiplied with, to be told in the table's units."""
    if question.kind != NUMBER:
        return 1.0
    if not question.is_column:
        return question.per
    return question.per * _scale_of_main(question, candidate).per_unit(1.0)


def _scale_of_main(question: Question, candidate: Candidate) -> Scale:
    """Mean and sd by which the main column was standardized; 0 and 1 if it was not."""
    column = question.column if candidate.name != BOTH else candidate.main
    if candidate.main == question.column:
        return Scale(0.0, 1.0)
    return scale_of(candidate.table, column)


def name_effect(question: Question) -> str:
    """What the slope is called: "ms per 10 of days"."""
    if question.kind == NUMBER:
        return f"{question.per:g} more of {question.column}"
    return f"mean of {question.outcome}"


def _effects_at(
    question: Question, candidate: Candidate, tree: xr.DataTree, rows: pd.DataFrame
) -> dict[str, xr.DataArray]:
    """Draws (chain, draw, row) of the effects at some rows, by name."""
    fit = tree, candidate.formula, candidate.table
    if question.kind == NONE:
        return {name_effect(question): predictions.predict(*fit, rows)}
    if question.kind == FACTOR:
        first, *others = question.levels
        return {
            f"{level} minus {first}": predictions.contrast(
                *fit, rows, **{question.column: (first, level)}
            )
            for level in others
        }
    unit = _unit_of_main(question, candidate)
    if not question.is_column:
        slope = tree["posterior"][candidate.main] * unit
        return {name_effect(question): slope.expand_dims(row=len(rows)).transpose(..., "row")}
    slopes = predictions.slopes(*fit, rows, candidate.main, per=unit)
    return {name_effect(question): slopes}


def choose_first(question: Question, found: xr.Dataset) -> str:
    """The effect that is followed through: the only one, or of a factor the largest in the mean."""
    if question.kind != FACTOR:
        return next(iter(found))
    main = [name for name in found if "," not in name]
    return max(main, key=lambda name: abs(float(found[name].mean())))


def show_by_group(
    question: Question, candidate: Candidate, tree: xr.DataTree, name: str
) -> tuple[xr.DataArray, str]:
    """What a figure of groups shows, and its title: the effect where groups have their own, else where
    their outcomes lie, other things being equal."""
    if question.own_slopes:
        return by_group(question, candidate, tree, name), f"{name} ({question.unit})"
    row = rows_on_grid(question, candidate, grid(question, candidate)[:1])
    row = typical_rows(question, candidate).loc[[0]] if question.kind != FACTOR else row
    labels = candidate.table[candidate.group].cat.categories
    rows = pd.concat([row] * len(labels), ignore_index=True).assign(**{candidate.group: labels})
    draws = predictions.predict(thin(tree, len(rows)), candidate.formula, candidate.table, rows)
    draws = draws.rename(row=question.group).assign_coords({question.group: list(labels)})
    return draws, f"level of {question.outcome} ({question.unit})"


# Levels: where outcomes lie


def grid(question: Question, candidate: Candidate, number: int = 3) -> list:
    """Values of the main term to predict at: the ends and the middle of the table, or the levels.

    In the within-between model, of a group with an average mean: 90 % of the table's rows lie no
    farther from their group's mean.
    """
    if question.kind == FACTOR:
        return question.levels
    if question.scale_column is None:
        return []
    values = question.table[question.scale_column]
    if values.nunique() <= number:
        return [float(x) for x in np.sort(values.unique())]
    low, high = values.min(), values.max()
    if not question.is_column:
        return [float(f"{x:.4g}") for x in values.quantile([0.05, 0.5, 0.95])]
    if candidate.name == BOTH:
        own, means = (
            scale_of(candidate.table, c) for c in (candidate.main, between_column(question))
        )
        ends = candidate.table[candidate.main].quantile([0.05, 0.95])
        low, high = means.mean + own.sd * ends
    return [float(f"{x:.4g}") for x in np.linspace(low, high, number)]


def rows_on_grid(question: Question, candidate: Candidate, values: list) -> pd.DataFrame:
    """Rows of a typical combination of the other columns, one for each value of the main term."""
    rows = typical_rows(question, candidate)
    row = rows.loc[[rows[SHARE].idxmax()]]
    if not values:
        return row.reset_index(drop=True)
    rows = pd.concat([row] * len(values), ignore_index=True)
    if question.kind == FACTOR:
        return rows.assign(**{question.column: values})
    column = question.column
    if not question.is_column:
        return rows.assign(**{question.scale_column: values})
    if candidate.name != BOTH:
        return rows.assign(
            **{candidate.main: _scale_of_main(question, candidate).standardize(np.array(values))}
        )
    scale = scale_of(candidate.table, between_column(question))
    return rows.assign(
        **{
            between_column(question): 0.0,
            candidate.main: (np.array(values) - scale.mean) / scale_of(candidate.table, column).sd,
        }
    )


def predict_outcomes(
    question: Question, candidate: Candidate, tree: xr.DataTree, seed: int = SEED
) -> xr.Dataset:
    """Draws of the mean of the population, and of single outcomes in a group never seen, along the
    main term; the dimension ``row`` has its values."""
    values = grid(question, candidate)
    rows = rows_on_grid(question, candidate, values)
    new = rows.assign(**{candidate.group: NEW})
    fit = tree, candidate.formula, candidate.table
    mean = predictions.predict(*fit, rows)
    single = predictions.predict(*fit, new, kind="outcome", seed=seed)
    found = xr.Dataset({"mean of groups": mean, f"one outcome, {NEW}": single})
    found.attrs["held"] = held(question, candidate, rows)
    return found.assign_coords(row=values or ["all"])


def held(question: Question, candidate: Candidate, rows: pd.DataFrame) -> dict:
    """Columns that predictions hold at one value, with that value in the column's own unit."""
    scales, means = candidate.table.attrs.get("scales", {}), between_column(question)
    asked = {candidate.main, question.main, question.column, question.scale_column, SHARE}
    found = {}
    for name in rows.columns.difference(asked, sort=False):
        value, column = rows[name].iloc[0], name.removeprefix("std_")
        if column in scales and (name.startswith("std_") or name == means):
            scale = scale_of(candidate.table, column)
            value = scale.mean + value * scale.sd
        found[column] = value
    return found


def share_of_groups(candidate: Candidate, tree: xr.DataTree) -> xr.DataArray:
    """Draws of the share of the groups' levels in the variance around the population's line (ICC)."""
    posterior = tree["posterior"]
    between = posterior[f"1|{candidate.group}_sigma"] ** 2
    return between / (between + posterior["sigma"] ** 2)
