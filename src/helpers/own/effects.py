"""The answer in the table's units: slopes or contrasts of the population, by group, and of a new group."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from helpers import predictions
from helpers.families import GAUSSIAN
from helpers.frames import original_term, own_scale
from helpers.own import averages
from helpers.own import rows as at
from helpers.own.averages import NEW
from helpers.own.candidates import BOTH, Candidate
from helpers.own.draws import split_levels, thin
from helpers.own.question import FACTOR, NONE, NUMBER, Question
from helpers.priors import SEED
from helpers.terms import INTERCEPT

MOST_CELLS = 20_000_000  # draws times rows that are predicted at once


@dataclass(frozen=True)
class Answer:
    """Draws of what is asked: the ``population``'s effects by name, and of the one called ``name`` those
    ``by_group``, of a ``new`` group, and of one at each of the levels that it depends on.

    ``between`` is the share of what a slope is known by that comes from differences between groups.
    Where means are no sums of effects, the ``typical`` group is not the mean over groups, and there are
    ``ratios`` of means, or of odds.
    """

    name: str
    population: xr.Dataset
    by_group: xr.DataArray
    new: xr.DataArray
    new_by_level: dict[str, xr.DataArray] = field(default_factory=dict)
    between: float | None = None
    typical: xr.Dataset = field(default_factory=xr.Dataset)
    ratios: xr.Dataset = field(default_factory=xr.Dataset)

    @property
    def first(self) -> xr.DataArray:
        """Draws of the population's effect that is followed through."""
        return self.population[self.name]


def answer(question: Question, candidate: Candidate, tree: xr.DataTree, seed: int = SEED) -> Answer:
    """All that a fit of a candidate says of the question."""
    about = question, candidate, tree
    found = population(*about)
    name = choose_first(question, found)
    own = by_group(*about, name)
    if question.family != GAUSSIAN:
        new = averages.of_rows(*about, averages.NEW_GROUP, seed)[name]
        typical = averages.of_rows(*about, averages.TYPICAL)
        return Answer(name, found, own, new, typical=typical, ratios=averages.ratios(*about))
    by_level = {
        one.removeprefix(f"{name}, "): of_new_group(*about, one, seed)
        for one in at_levels(found, name)
    }
    of_slope = question.kind == NUMBER and candidate.name != BOTH and not question.is_sampled
    between = share_between(*about) if of_slope else None
    return Answer(name, found, own, of_new_group(*about, name, seed), by_level, between)


# Names


def overall(found: xr.Dataset) -> list[str]:
    """Names of the effects in the mean over the table's rows."""
    return [name for name in found if "," not in name]


def at_levels(found: xr.Dataset, name: str) -> list[str]:
    """Names of the effects that are ``name`` at the levels of other factors."""
    return [one for one in found if one.startswith(f"{name}, ")]


def choose_first(question: Question, found: xr.Dataset) -> str:
    """The effect that is followed through: the only one, or of a factor the largest in the mean."""
    if question.kind != FACTOR:
        return next(iter(found))
    return max(overall(found), key=lambda name: abs(float(found[name].mean())))


# Effects


def population(question: Question, candidate: Candidate, tree: xr.DataTree) -> xr.Dataset:
    """Draws of the effects that are asked about, in the mean over groups like these.

    Of a number, the slope for ``per`` units; of a factor, each level minus the reference; without
    predictors, the mean outcome. Where the effect depends on another factor, the mean over the table's
    rows comes first, and then one for each of its levels. Of another family than the gaussian, means over
    the table's rows and over groups like these (``averages``).
    """
    if question.family != GAUSSIAN:
        return averages.of_rows(question, candidate, tree)
    rows = at.typical_rows(question, candidate)
    found = {}
    for name, draws in _effects_at(question, candidate, tree, rows).items():
        found[name] = xr.dot(draws, xr.DataArray(rows[at.SHARE].to_numpy(), dims="row"), dim="row")
        if len(rows) > 1:
            for place, label in enumerate(at.describe_rows(question, rows)):
                found[f"{name}, {label}"] = draws.isel(row=place, drop=True)
    return xr.Dataset(found).drop_vars("row", errors="ignore")


def by_group(
    question: Question, candidate: Candidate, tree: xr.DataTree, name: str
) -> xr.DataArray:
    """Draws of the effect ``name`` of each group, at its own values of other columns."""
    rows = at.rows_by_group(candidate)
    if question.family != GAUSSIAN:
        moved = averages.move(question, rows)[name]
        draws = averages.compare(question, candidate, _thin(tree, rows), moved)
    else:
        draws = _effects_at(question, candidate, _thin(tree, rows), rows)[name]
    return draws.rename(row=question.group).assign_coords(
        {question.group: rows[candidate.group].tolist()}
    )


def _thin(tree: xr.DataTree, rows: pd.DataFrame) -> xr.DataTree:
    """A fit with so few draws that as many predictions of rows fit into memory."""
    return thin(tree, MOST_CELLS // len(rows))


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
    shares = at.typical_rows(question, candidate)[at.SHARE].to_numpy()
    rng = np.random.default_rng([seed, 1])
    rows = found[name].copy(data=rng.choice(len(inner), size=found[name].shape, p=shares))
    each = xr.concat([found[one] for one in inner], "row")
    return each.isel(row=rows.astype(int)).drop_vars("row", errors="ignore")


def between_levels(question: Question, found: xr.Dataset) -> xr.Dataset:
    """Draws of how an effect differs between levels of the factors that it depends on.

    ``found`` is that of ``population``; each level minus the first. Without such factors it is empty.
    """
    apart, by = {}, at.modifiers(question)
    for name in overall(found):
        first, *others = at_levels(found, name) or [""]
        for other in others:
            low, high = (one.removeprefix(f"{name}, ") for one in (first, other))
            low = low.removeprefix(f"{by[0]} ") if len(by) == 1 else f"({low})"
            high = high if len(by) == 1 else f"({high})"
            apart[f"{name}, {high} minus {low}"] = found[other] - found[first]
    return xr.Dataset(apart)


def coefficients(candidate: Candidate, tree: xr.DataTree) -> xr.Dataset:
    """Draws of the population's coefficients, slopes per unit of their columns, by term and level.

    The intercept is the mean at the reference levels, standardized columns at their means.
    """
    posterior = tree["posterior"]
    found = {INTERCEPT: posterior[INTERCEPT]}
    for term in candidate.terms.common:
        sds = [own_scale(candidate.table, part).sd for part in term.split(":")]
        for level, draws in split_levels(posterior[term] / float(np.prod(sds))).items():
            found[f"{original_term(candidate.table, term)} {level}".rstrip()] = draws
    return xr.Dataset(found)


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


def share_of_groups(candidate: Candidate, tree: xr.DataTree) -> xr.DataArray | None:
    """Draws of the share of the groups' levels in the variance around the population's line (ICC); None
    where there are other parts of it, or none."""
    if len(candidate.terms.factors) > 1 or "sigma" not in tree["posterior"]:
        return None
    posterior = tree["posterior"]
    between = posterior[f"1|{candidate.group}_sigma"] ** 2
    return between / (between + posterior["sigma"] ** 2)


def _unit_of_main(question: Question, candidate: Candidate) -> float:
    """What a coefficient of the main term is multiplied with, to be told in the table's units."""
    if question.kind != NUMBER:
        return 1.0
    return question.per * own_scale(candidate.table, candidate.main).per_unit(1.0)


def _effects_at(
    question: Question, candidate: Candidate, tree: xr.DataTree, rows: pd.DataFrame
) -> dict[str, xr.DataArray]:
    """Draws (chain, draw, row) of the effects at some rows, by name."""
    fit, unit = (tree, candidate.formula, candidate.table), _unit_of_main(question, candidate)
    if question.kind == FACTOR:
        first, *others = question.levels
        pairs = {f"{level} minus {first}": (first, level) for level in others}
        column = question.column
        return {n: predictions.contrast(*fit, rows, {column: p}) for n, p in pairs.items()}
    if question.kind == NONE:
        draws = predictions.predict(*fit, rows)
    elif question.is_column:
        draws = predictions.slopes(*fit, rows, candidate.main, per=unit)
    else:
        slope = tree["posterior"][candidate.main] * unit
        draws = slope.expand_dims(row=len(rows)).transpose(..., "row")
    return {averages.name_effect(question): draws}


# What figures and tables show


def show_by_group(
    question: Question, candidate: Candidate, tree: xr.DataTree, name: str
) -> tuple[xr.DataArray, str]:
    """What a figure of groups shows, and its title: the effect where groups have their own, else where
    their outcomes lie, other things being equal."""
    if question.own_slopes:
        return by_group(question, candidate, tree, name), f"{name} ({question.unit})"
    row = at.typical_rows(question, candidate).loc[[0]]
    if question.kind == FACTOR:
        row = at.rows_on_grid(question, candidate, question.levels[:1])
    labels = candidate.table[candidate.group].cat.categories
    rows = pd.concat([row] * len(labels), ignore_index=True).assign(**{candidate.group: labels})
    draws = averages.expect(question, candidate, _thin(tree, rows), rows)
    draws = draws.rename(row=question.group).assign_coords({question.group: list(labels)})
    return draws, f"level of {question.outcome} ({question.unit_of_means})"


def predict_outcomes(
    question: Question, candidate: Candidate, tree: xr.DataTree, seed: int = SEED
) -> xr.Dataset:
    """Draws of the mean of the population, and of single outcomes in a group never seen, along the
    main term; of several factors also of the mean of a new group of each. The dimension ``row`` has its
    values."""
    values = at.grid(question, candidate)
    rows = at.rows_on_grid(question, candidate, values)
    if question.family != GAUSSIAN:
        found = averages.predict_rows(question, candidate, tree, rows, seed)
    else:
        new = rows.assign(**dict.fromkeys(candidate.grouping_columns, NEW))
        fit = tree, candidate.formula, candidate.table
        mean = predictions.predict(*fit, rows)
        single = predictions.predict(*fit, new, kind="outcome", seed=seed)
        found = xr.Dataset({"mean of groups": mean, f"one outcome, {NEW}": single})
    for factor in question.terms.factors if question.further else ():
        new = averages.expect_in_new(question, candidate, tree, rows, factor, seed)
        found[f"mean of a new group of {factor}"] = new
    found.attrs["held"] = at.held(question, candidate, rows)
    return found.assign_coords(row=values or ["all"])
