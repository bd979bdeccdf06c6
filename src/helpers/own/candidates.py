"""The models that may answer a question, each with its formula, its priors and the reason for it."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd
import xarray as xr

from helpers import elicitation, models
from helpers.diagnostics import FitRejected
from helpers.exact import QuadratureFailed, exact_posterior
from helpers.families import GAUSSIAN
from helpers.frames import original_term, split_within_between
from helpers.own.question import NUMBER, Question, list_grouping_columns
from helpers.priors import SEED
from helpers.terms import RHO, Terms, as_model, find_beyond, read_terms

POOLED, INTERCEPTS, SLOPES, BOTH = (
    "pooled",
    "random intercept",
    "random slope",
    "within-between",
)
YOURS = "your formula"  # beyond the three models
BOTH_NEEDS = "it takes normal outcomes and one grouping factor"
TRIED = (0.9, 0.99)  # target_accept of the first tries
MOST = 4  # that Bambi samples, in minutes and not in seconds
EXACT_DRAWS = 4000
EXACT_NUMBERS = 8_000_000  # effects by group, of all draws together, that memory bears
ALIKE = 0.05  # sds of the predictor by which means of groups differ at least


@dataclass(frozen=True)
class Candidate:
    """A model that may answer: ``formula`` and ``priors`` go with the question's ``table``, or with its
    own one that has further columns; ``main`` is the column that carries the question."""

    name: str
    formula: str
    priors: dict
    table: pd.DataFrame
    main: str | None
    group: str
    reason: str
    family: str = GAUSSIAN

    @property
    def grouping_columns(self) -> list[str]:
        return list_grouping_columns(self.terms)

    @cached_property
    def terms(self) -> Terms:
        return read_terms(self.formula, self.table, family=self.family)

    @property
    def link(self) -> str:
        return self.terms.family.link


def name_of_own(question: Question) -> str:
    """Which candidate the reader's formula is."""
    if question.is_sampled:
        return YOURS
    return SLOPES if question.own_slopes else INTERCEPTS


def between_column(question: Question) -> str:
    """The column of the groups' means in the within-between model."""
    return f"{question.column}_{question.group}_mean"


def list_candidates(question: Question, priors: Mapping) -> tuple[dict[str, Candidate], list[str]]:
    """The models that may answer, by name, and why others are not among them.

    ``priors`` are those of the question's formula, by term; models that share a parameter share its
    prior. ``name_of_own`` says which of them the reader's formula is.
    """
    if question.is_sampled:
        return _list_sampled(question, priors)
    terms, group = question.terms, question.group
    given = {name: priors[name] for name in terms.parameters}
    line = {name: prior for name, prior in given.items() if name not in terms.by_group}
    levels = line | {f"1|{group}": given[f"1|{group}"]}
    about = question.table, question.main, group
    pooled = write_formula(terms, {})
    found = {
        POOLED: Candidate(POOLED, pooled, line, *about, "one line for all: groups do not count"),
        INTERCEPTS: Candidate(
            INTERCEPTS,
            write_formula(terms, {group: "1"}),
            levels,
            *about,
            f"each {group} has a level of its own",
        ),
    }
    missing = {SLOPES: "" if question.own_slopes else _why_no_slopes(question)}
    missing[BOTH] = _why_not_split(question)
    if not missing[SLOPES]:
        steep = Candidate(SLOPES, question.formula, given, *about, "")
        steep = steep if question.own_slopes else with_slopes(question, found[INTERCEPTS])
        reason = f"each {group} has a level and an effect of {question.column} of its own"
        found[SLOPES] = replace(steep, name=SLOPES, reason=reason)
    if not missing[BOTH]:
        found[BOTH] = _split(question, given)
    return found, [f"{name}: {reason}" for name, reason in missing.items() if reason]


def _list_sampled(question: Question, priors: Mapping) -> tuple[dict[str, Candidate], list[str]]:
    """The reader's formula, and it without each further grouping factor, with or without slopes by group,
    and without any groups: the first few of these."""
    terms, group = question.terms, question.group
    mine = dict.fromkeys(terms.factors, "1")
    if question.own_slopes:
        mine[group] = question.main

    def make(name: str, by: dict[str, str], reason: str) -> Candidate:
        own = {f"{effect}|{f}" for f, effect in by.items()} | {f"1|{f}" for f in by}
        given = {n: p for n, p in priors.items() if n not in terms.by_group or n in own}
        about = question.table, question.main, group, reason, question.family
        return Candidate(name, write_formula(terms, by), given, *about)

    yours = replace(make(YOURS, mine, "what you asked"), formula=question.formula)
    found, missing = [yours], {BOTH: BOTH_NEEDS}
    for factor in question.further:
        rest = {f: effect for f, effect in mine.items() if f != factor}
        found.append(make(f"without {factor}", rest, f"groups of {factor} do not count"))
    if question.own_slopes:
        reason = (
            f"each {group} has a level of its own, and one effect of {question.column} is for all"
        )
        found.append(make("without own slopes", mine | {group: "1"}, reason))
    elif steep := with_slopes(question, yours):
        reason = f"each {group} has an effect of {question.column} of its own, too"
        found.append(replace(steep, name=SLOPES, reason=reason))
    else:
        missing[SLOPES] = _why_no_slopes(question)
    found.append(make(POOLED, {}, "groups do not count"))
    found, left = found[:MOST], found[MOST:]
    missing |= {one.name: f"{MOST} models are enough to wait for" for one in left}
    return {one.name: one for one in found}, [f"{n}: {why}" for n, why in missing.items()]


def write_formula(
    terms: Terms,
    by: Mapping[str, str],
    *,
    renamed: Mapping[str, str] | None = None,
    further: Iterable[str] = (),
) -> str:
    """The formula of terms with other effects by group, with renamed and with further columns.

    ``by`` has for each grouping factor the term with slopes by group besides levels, or "1". A renamed
    column is one that stands by itself in a term.
    """

    def write(term):
        return ":".join(map(_quote, rename_term(term, renamed or {}).split(":")))

    parts = ["1", *map(write, terms.common), *map(_quote, further)]
    for factor, effect in by.items():
        effect = effect if effect == "1" else write(effect)
        parts.append(f"({effect} | {':'.join(map(_quote, factor.split(':')))})")
    return f"{_quote(terms.outcome)} ~ {' + '.join(parts)}"


def rename_term(term: str, renamed: Mapping[str, str]) -> str:
    """A term of the population or by group, such as "x:z|g", with other names of columns."""
    effect, bar, group = term.partition("|")
    return ":".join(renamed.get(part, part) for part in effect.split(":")) + bar + group


def _quote(name: str) -> str:
    call = re.match(r"[\w.]+\(", name)  # and not a column such as "school (years)"
    return name if name.isidentifier() or call else f"`{name}`"


def _why_no_slopes(question: Question) -> str:
    """Why a formula without slopes by group is not tried with them, if there is a reason."""
    if question.kind != NUMBER:
        return "there is no numeric predictor whose slope could differ by group"
    if question.main not in question.terms.common:
        return f"{question.column} stands in the formula only together with other terms"
    if not question.is_column:
        return f"{question.column} is a function; make it a column of the table to give groups own slopes of it"
    varying = question.table.groupby(question.group, observed=True)[question.main].nunique() > 1
    if varying.sum() < 2:
        return f"{question.column} does not vary within groups, so groups have no slopes of it"
    return ""


def _why_not_split(question: Question) -> str:
    """Why the main term has no slopes within and between groups, if there is a reason."""
    if question.kind != NUMBER:
        return "it takes a numeric predictor"
    if not question.is_column or question.main not in question.terms.common:
        return f"{question.column} is a function, or stands in the formula only with other terms"
    name = question.column
    others = [original_term(question.table, n) for n in question.terms.common if n != question.main]
    elsewhere = [term for term in others if name in re.findall(r"\w+", term)]
    if elsewhere:
        return f"{name} stands in {elsewhere[0]} too, so it has no one slope to split"
    by_group = question.table.groupby(question.group, observed=True)[name]
    if not (by_group.nunique() > 1).any():
        return f"{name} does not vary within groups, so its slope compares groups only"
    means = by_group.mean()
    if not means.std() > 1e-9 * question.table[name].std():
        return (
            f"all groups have the same mean of {name}, so its slope compares rows of one group only"
        )
    if means.std() < ALIKE * question.table[name].std():
        return f"groups hardly differ in their means of {name}, which tells no slope between them"
    if len(means) < 3:
        return f"a slope between groups needs three of them at least, and there are {len(means)}"
    return ""


def _split(question: Question, given: dict) -> Candidate:
    """The question's model with the main predictor's distance from its group's mean, and that mean."""
    main, group, name = question.main, question.group, question.column
    within, between = f"{name}_within", between_column(question)
    renamed = {main: within}
    formula = write_formula(
        question.terms,
        {group: main if question.own_slopes else "1"},
        renamed=renamed,
        further=[between],
    )
    priors = {rename_term(term, renamed): prior for term, prior in given.items()}
    priors[between] = (0.0, given[f"1|{group}"])
    table = split_within_between(question.table, name, group)
    reason = f"rows of one {group} and groups with other means of {name} are compared apart"
    return Candidate(BOTH, formula, priors, table, within, group, reason)


# The same model with a change


def with_correlation(candidate: Candidate, eta: float = 2.0) -> Candidate:
    """The same model with correlated intercepts and slopes by group."""
    return replace(candidate, priors=candidate.priors | {RHO: eta})


def with_slopes(question: Question, candidate: Candidate) -> Candidate | None:
    """The same model with slopes by group besides levels; None where there can be none, or are some."""
    terms, group, main = candidate.terms, candidate.group, candidate.main
    if group not in terms.factors or terms.own_slopes or _why_no_slopes(question):
        return None
    formula = write_formula(terms, {f: main if f == group else "1" for f in terms.factors})
    scale = float(candidate.priors[main][1] * elicitation.OF_SLOPES)
    priors = candidate.priors | {f"{main}|{candidate.group}": scale}
    return replace(candidate, formula=formula, priors=priors)


def with_priors(candidate: Candidate, given: Mapping[str, Mapping]) -> dict[str, Candidate]:
    """The same model with other priors, by label."""
    return {label: replace(candidate, priors=dict(priors)) for label, priors in given.items()}


def scale_priors(priors: Mapping, factor: float) -> dict:
    """Priors with the sd or scale of each multiplied; that of ``rho`` stays."""
    return {
        name: prior
        if name == RHO
        else (prior[0], factor * prior[1])
        if isinstance(prior, tuple)
        else factor * prior
        for name, prior in priors.items()
    }


# How to fit


def fit_exactly(candidate: Candidate, seed: int = SEED) -> xr.DataTree:
    """The exact posterior of a candidate, with as many draws as memory bears."""
    groups = candidate.table[candidate.group].nunique() if "|" in candidate.formula else 0
    draws = max(500, min(EXACT_DRAWS, EXACT_NUMBERS // max(2 * groups, 1)))
    given = {"priors": candidate.priors, "draws": draws, "seed": seed}
    return exact_posterior(candidate.formula, candidate.table, **given)


def fit_all_exactly(
    question: Question, found: Mapping[str, Candidate], seed: int = SEED
) -> dict[str, xr.DataTree]:
    """The exact posteriors of the candidates; beyond the three models of those that have one, with
    intercepts by two grouping factors at most, unless the table is too large."""
    fits = {}
    for name, one in found.items() if question.is_exact else ():
        try:
            fits[name] = fit_exactly(one, seed)
        except (QuadratureFailed, ValueError):
            if not question.is_sampled:
                raise
    return fits


def fit_others(
    found: Mapping[str, Candidate], own: str, sample: Callable[[Candidate], xr.DataTree]
) -> dict[str, xr.DataTree]:
    """Fits of the candidates besides the reader's own, but for those that the gate rejects."""
    fits = {}
    for name, one in found.items():
        if name != own:
            try:
                fits[name] = sample(one)
            except FitRejected:
                print(f"The gate refuses the fit of {name}, so it is not compared.")
    return fits


def find_mismatch(candidate: Candidate) -> str:
    """Say if the outcomes lie far outside of what a candidate's priors expect; "" if they do not."""
    return elicitation.find_mismatch(
        as_model(candidate.formula, candidate.table, candidate.priors, {})
    )


def list_forms(candidate: Candidate) -> tuple[bool, bool]:
    """What to give Bambi's ``noncentered``, and what to try where the gate refuses the first."""
    about = candidate.formula, candidate.table, candidate.priors
    if candidate.family != GAUSSIAN or find_beyond(candidate.terms):
        return True, False
    first = models.is_noncentered(*about)
    return first, not first


def list_ways(candidate: Candidate) -> list[tuple[bool, dict]]:
    """Forms and steps to try in turn until the gate lets a fit pass: Bambi's ``noncentered``, and what
    nutpie is told. Where no exact fit tells what groups know, large steps come first."""
    small = steps(candidate)
    if candidate.family == GAUSSIAN and not find_beyond(candidate.terms):
        return [(form, small) for form in list_forms(candidate)]
    ways = [(True, {"target_accept": target, "adaptation": "diag"}) for target in TRIED]
    return [*ways, (False, small)]


def steps(candidate: Candidate) -> dict:
    """What nutpie is told: small steps, and a mass matrix of low rank where groups are few."""
    groups = max([0, *map(candidate.terms.count_groups, candidate.terms.factors)])
    given = models.nuts_settings(groups, funnel=True)
    many = given["adaptation"] == "diag"
    return given | {"target_accept": 0.95} if many and len(candidate.terms.by_group) < 2 else given
