"""Sentences about a table, its models, checks and answers; each is built from computed values."""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from helpers import tables
from helpers.elicitation import Elicited
from helpers.own import effects
from helpers.own.candidates import (
    BOTH,
    INTERCEPTS,
    SLOPES,
    Candidate,
    between_column,
    limits_of,
    name_of_own,
)
from helpers.own.checks import CANNOT, DOUBTFUL, FAILS, PASSES, Check
from helpers.own.question import FACTOR, NONE, NUMBER, Question
from helpers.own.sensitivity import AS_IS, SLOPES_BY_GROUP
from helpers.priors import LOWER, UPPER

SHIFT = 0.2  # share by which a spread or a width changes noticeably
SLIGHT = 0.05  # share of the information that is not worth a word
FEW = 5  # groups, below which their spread is mostly prior
LISTED = 12  # groups or rows that a sentence or a table lists
CLEAR = 4  # elpd, below which a difference is small whatever its error (Sivula et al. 2020)
WIDER = 0.2  # share by which an interval is noticeably wider
LITTLE, MUCH = 0.5, 1.0  # posterior sds by which an answer moves


# Pieces


def code(name: object) -> str:
    """A name as Markdown shows code."""
    return f"`{name}`" if "`" not in str(name) else f"`` {name} ``"


def safe(text: object) -> str:
    """Text of a reader's in which no dollar sign begins a formula."""
    return str(text).replace("$", r"\$")


def _unit(question: Question) -> str:
    return safe(question.unit)


def as_markdown(table: pd.DataFrame) -> str:
    """A DataFrame as a Markdown table."""
    rows = [[table.index.name or "", *table.columns]]
    rows += [[label, *row] for label, row in zip(table.index, table.to_numpy(), strict=True)]
    rows = [[_as_cell(cell) for cell in row] for row in rows]
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _as_cell(cell: object) -> str:
    return re.sub(r"(?<!\\)\$", r"\\$", str(cell)).replace("|", "\\|")


def count(number: int, noun: str) -> str:
    """A number with its noun: "1 row", "2 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def join(parts: list[str], last: str = "and") -> str:
    parts = [str(part) for part in parts]
    return f" {last} ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def listed(names: list, most: int = LISTED) -> str:
    """Names in a sentence, and how many more there are."""
    more = [f"{len(names) - most:,} more"] if len(names) > most else []
    return join([*names[:most], *more])


def estimates(draws: Mapping[str, xr.DataArray] | xr.Dataset, unit: str = "") -> pd.Series:
    """Mean and 95 % interval of draws in words, by name, all with the same decimals."""
    shown = tables.present_summary(xr.Dataset(dict(draws)))
    unit = f" {unit}".rstrip()
    return pd.Series(
        {
            name: f"{row['mean']}{unit} (95 % interval {row[LOWER]} to {row[UPPER]}{unit})"
            for name, row in shown.iterrows()
        }
    )


def exact_number(value: float, digits: int = 3) -> str:
    """A number without Monte Carlo error, with so many significant digits."""
    text = f"{value:,.{digits}g}" if abs(value) < 10**digits else f"{value:,.0f}"
    return text.replace("-", tables.MINUS)


def plain(value: float) -> str:
    """A number as the reader gave it, with a true minus."""
    return f"{value:g}".replace("-", tables.MINUS)


def _sign(low: float, high: float) -> int:
    """1 or -1 where an interval excludes 0, else 0."""
    return int(low > 0) - int(high < 0)


# The table


def describe_table(question: Question, source: str, asked: pd.DataFrame) -> str:
    """Rows, groups and their sizes; what was left out; what groups cannot tell."""
    sizes, group = question.sizes, code(question.group)
    same = sizes.min() == sizes.max()
    each = (
        f"{sizes.min():,} each"
        if same
        else f"{sizes.min():,} to {sizes.max():,} each (median {sizes.median():g})"
    )
    y, unit = question.values, _unit(question)
    parts = [
        f"**{source}**: {count(len(question.table), 'row')} in {len(sizes):,} groups of {group}, "
        f"{each}. {code(question.outcome)} runs from {exact_number(y.min())} to "
        f"{exact_number(y.max())} {unit}, with a mean of {exact_number(y.mean())} {unit}."
    ]
    if "left_out" in question.table.attrs:
        parts.append(question.table.attrs["left_out"])
    elif len(asked) == len(question.table):
        parts.append("No row was left out.")
    single = int((sizes == 1).sum())
    if single:
        parts.append(
            f"{single:,} of the groups {'have' if single > 1 else 'has'} one row only: such a group "
            "tells nothing about scatter within groups, and borrows what is said of it from the others."
        )
    if len(sizes) < FEW:
        parts.append(
            f"{len(sizes)} groups hardly say how far groups lie apart: what is said of their spread "
            "comes mostly from its prior."
        )
    outside = int(((y < question.plausible.low) | (y > question.plausible.high)).sum())
    if outside:
        parts.append(
            f"{count(outside, 'outcome')} of {len(y):,} {'lies' if outside == 1 else 'lie'} outside of "
            f"{plain(question.plausible.low)} to {plain(question.plausible.high)} {unit}, which was said to be "
            "plausible."
        )
    return " ".join(parts)


def describe_slopes(question: Question) -> str:
    """Least-squares slopes within and between groups, and whether groups differ in the predictor."""
    if question.kind != NUMBER:
        means = pd.Series(question.values).groupby(question.table[question.group].to_numpy()).mean()
        return (
            f"The means of the {len(means):,} groups run from {exact_number(means.min())} "
            f"({safe(means.idxmin())}) to {exact_number(means.max())} {_unit(question)} ({safe(means.idxmax())}), each "
            "with the luck of its own rows in it."
        )
    x, y = question.predictor(), question.values
    both = pd.DataFrame({"x": x, "y": y}).groupby(question.table[question.group].to_numpy())
    means = both.transform("mean")
    own_x, own_y = x - means["x"], y - means["y"]
    column, per = code(question.column), question.per
    start = f"Least squares, for {per:g} more of {column}: "
    slopes = [
        f"{exact_number(per * np.polyfit(x, y, 1)[0])} {_unit(question)} by one line through all rows"
    ]
    if own_x @ own_x > 1e-9 * (x @ x):
        slope = per * (own_x @ own_y) / (own_x @ own_x)
        slopes.append(f"{exact_number(slope)} within groups")
    else:
        slopes.append("nothing within groups, where it does not vary")
    of_groups = both.mean()
    if of_groups["x"].std() > 1e-9 * x.std() and len(of_groups) > 1:
        slope = per * np.polyfit(of_groups["x"], of_groups["y"], 1)[0]
        slopes.append(f"{exact_number(slope)} between the means of groups")
        return f"{start}{join(slopes)}."
    return (
        f"{start}{join(slopes)}. All groups have the same mean of {column}, so nothing is compared "
        "between them."
    )


# Models


def tabulate_candidates(candidates: Mapping[str, Candidate]) -> pd.DataFrame:
    """Name, formula and idea of each candidate."""
    rows = {n: {"formula": c.formula, "idea": c.reason} for n, c in candidates.items()}
    return pd.DataFrame(rows).T.rename_axis("model")


def describe_missing(missing: list[str]) -> str:
    """Why a candidate is not there."""
    if not missing:
        return "All four are there."
    return (
        "Not among them: "
        + "; ".join(f"*{m.replace(': ', '*, because ', 1)}" for m in missing)
        + "."
    )


def write_model(question: Question, candidate: Candidate) -> str:
    """A model in words."""
    group, outcome = code(question.group), code(question.outcome)
    common = [code(n.replace("std_", "")) for n in candidate.terms.common]
    mean = f"a level and the effects of {join(common)}" if common else "a level"
    slopes = [e for e, _ in candidate.terms.by_group.values() if e != "1"]
    if slopes:
        own = f"a level and an effect of {code(slopes[0].replace('std_', ''))} of its own"
    else:
        own = "a level of its own"
    scaled, split = "", ""
    if any("std_" in name for name in candidate.terms.common):
        scaled = " Numeric predictors were standardized."
    if candidate.name == BOTH:
        split = (
            f" {code(candidate.main)} is the distance of {code(question.column)} from its group's mean, "
            f"{code(between_column(question))} is that mean."
        )
    return (
        f"Each {outcome} is normal around a mean, with one residual sd. The mean has {mean} in the "
        f"population; each group of {group} has {own}, normal around those of the population"
        f"{' and independent of each other' if slopes else ''}.{split}{scaled}"
    )


def tabulate_priors(question: Question, candidate: Candidate, elicited: Elicited) -> pd.DataFrame:
    """Each prior of a candidate with its reason; whoever set one by hand has the reason."""
    rows = {}
    between = between_column(question) if candidate.name == BOTH else None
    for name, prior in candidate.priors.items():
        pair = isinstance(prior, tuple)
        text = (
            f"Normal({plain(prior[0])}, {plain(prior[1])})"
            if pair
            else f"HalfNormal({plain(prior)})"
        )
        old = name if between is None else _replace_part(name, candidate.main, question.main)
        if name == between:
            reason = "all that groups differ may go with their means, in either direction"
        elif elicited.priors.get(old) == prior:
            reason = elicited.reasons.loc[old, "reason"].replace("std_", "")
            reason = re.sub(r"(?<![\w-])-(?=\d)", tables.MINUS, reason)
        else:
            reason = "set by hand"
        rows[name] = {"prior": text, "reason": reason}
    return pd.DataFrame(rows).T.rename_axis("parameter")


def _replace_part(term: str, old: str, new: str) -> str:
    effect, bar, group = term.partition("|")
    return ":".join(new if part == old else part for part in effect.split(":")) + bar + group


def tabulate_scores(scores: pd.DataFrame, groups: int) -> pd.DataFrame:
    """Differences of elpd from the reader's model, as text."""
    shown = {}
    for kind, title in (("rows", "a row left out"), ("groups", "a group left out")):
        with_error = kind == "rows" or groups >= FEW
        shown[title] = [
            "not computed"
            if np.isnan(value)
            else f"{value:+.1f}" + (f" (SE {error:.1f})" if with_error else "")
            for value, error in zip(scores[kind], scores[f"{kind}_se"], strict=True)
        ]
    table = pd.DataFrame(shown, index=scores.index).replace("-", tables.MINUS, regex=True)
    table.loc[(scores[["rows", "groups"]] == 0).all(axis=1)] = "your formula"
    return table.rename_axis("difference of elpd")


def describe_choice(
    question: Question,
    scores: pd.DataFrame,
    difference: xr.DataArray | None,
    chosen: str,
    within: xr.DataArray | None = None,
) -> str:
    """Which model answers, why, and what scores say to that.

    ``within`` are draws of the slope within groups, next to which the ``difference`` is large or not.
    """
    own = name_of_own(question)
    parts = [
        f"Your formula is the *{own}* model" + (", and it answers." if difference is None else ".")
    ]
    if difference is not None:
        said = estimates({"": difference}, _unit(question)).iloc[0]
        parts.append(
            f"For {plain(question.per)} more of {code(question.column)}, the slope between groups minus that "
            f"within is {said}."
        )
        if chosen == BOTH:
            parts.append(
                "The interval excludes 0, so one slope would mix two different ones: the "
                "*within-between* model answers, with the slope within groups."
            )
        else:
            parts.append(
                "The interval includes 0, so your formula answers; that does not show that both slopes are "
                f"alike{_say_if_wide(difference, within)}."
            )
    parts += _describe_scores(scores, own, len(question.sizes))
    if SLOPES in scores.index and own == INTERCEPTS:
        gain, error = scores.loc[SLOPES, ["groups", "groups_se"]]
        if gain > max(2 * error, CLEAR) and len(question.sizes) >= FEW:
            parts.append(
                f"Slopes that differ by group predict groups clearly better: think of "
                f"`({question.column} | {question.group})` in your formula. With one slope for all, its "
                "interval may be too narrow."
            )
    return " ".join(parts)


def _say_if_wide(difference: xr.DataArray, within: xr.DataArray | None) -> str:
    _, low, high = limits_of(difference)
    if within is None or high - low <= 2 * abs(float(within.mean())):
        return ""
    return ": the interval is more than twice as wide as the slope within groups is large, so the table cannot tell"


def _describe_scores(scores: pd.DataFrame, own: str, groups: int) -> list[str]:
    """What leave-one-out and leave-group-out say about the reader's model."""
    others, found = scores.drop(index=own), {}
    whats = {"rows": "single rows", "groups": "whole groups"}
    for kind in whats if groups >= FEW else ("rows",):
        for name, one in others[kind].items():
            verdict = _judge_score(one, others.loc[name, f"{kind}_se"])
            found.setdefault(name, {}).setdefault(verdict, []).append(whats[kind])
    alike = {}  # models with the same verdicts share a sentence
    for name, verdicts in found.items():
        clauses = [f"{join(what)} are {verdict}" for verdict, what in verdicts.items()]
        alike.setdefault("; ".join(clauses), []).append(f"*{name}*")
    said = [f"By {join(names)}, {clause}." for clause, names in alike.items()]
    if groups < FEW:
        said.append(f"{groups} groups are too few to compare predictions of groups left out.")
    return said


def _judge_score(difference: float, error: float) -> str:
    """How a model predicts, by its difference of elpd from the reader's and that one's standard error."""
    if np.isnan(difference):
        return "not compared: quadrature does not reach its accuracy"
    if abs(difference) <= CLEAR:
        return "not told apart: the difference is small"
    worse = "worse" if difference < 0 else "better"
    if abs(difference) > 2 * error:
        return f"predicted clearly {worse}"
    return f"predicted {worse}, but not surely ({abs(difference) / error:.1f} SE)"


# Checks


def describe_checks(question: Question, checks: list[Check]) -> str:
    """What failed, first, each with what to do; then what passed, and what could not be looked at."""
    failed = [check for check in checks if check.verdict == FAILS]
    doubtful = [check for check in checks if check.verdict == DOUBTFUL]
    passed = [f"*{check.name}*" for check in checks if check.verdict == PASSES]
    cannot = [f"*{check.name}*" for check in checks if check.verdict == CANNOT]
    parts = [f"**The check *{check.name}* fails:** {advise(question, check)}" for check in failed]
    parts += [f"**Doubtful is *{check.name}*:** {advise(question, check)}" for check in doubtful]
    if passed:
        parts.append(f"Passed: {join(passed)}.")
    if cannot:
        parts.append(f"Cannot be made here: {join(cannot)}.")
    return "\n\n".join(parts)


def advise(question: Question, check: Check) -> str:
    """What a failed check means, and what to do."""
    column, group, outcome = (code(n) for n in (question.column, question.group, question.outcome))
    more = check.observed > (check.low + check.high) / 2
    name = code(check.names[0]) if check.names else ""
    if check.name == "shape in the predictor":
        return (
            f"{outcome} bends {'upwards' if more else 'downwards'} along {column}, so one slope is only "
            f"a summary of it. Add a term such as `I({question.column}**2)`, or take a logarithm."
        )
    if check.name == "group means":
        return (
            f"groups with a higher mean of {column} lie {'higher' if more else 'lower'} than the model "
            "says, so its slope mixes what differs within groups with what differs between them. The "
            "within-between model keeps them apart."
        )
    if check.name == "normal groups":
        if not more:
            return f"the levels of {group} lie closer together than a normal distribution's would."
        return (
            f"group {name} of {group} lies farther out than a normal distribution of groups lets it. Look at its "
            "rows, and at the answer without it under sensitivity."
        )
    if check.name == "spread by group":
        if not more:
            return f"residual sds of {group} are more alike than chance would make them."
        return (
            f"outcomes scatter more in some groups than in others, most in group {name}. One residual "
            "sd makes the intervals of such groups too short, and those of quiet groups too long. In "
            f"Bambi, `bmb.Formula(formula, 'sigma ~ (1 | {question.group})')` gives each its own."
            f"{_or_effects(question)}"
        )
    if check.name == "effects alike in all groups":
        if not more:
            return f"effects of {column} are more alike between groups than chance would make them."
        return (
            f"the effect of {column} differs between groups of {group}, and the model has one for all, so "
            f"its interval is too narrow. {_let_differ(question)}"
        )
    if check.name == "priors":
        return (
            f"the table puts {name} {check.observed:.1f} sds from the middle of its prior, which therefore "
            "pulls at it. Was the plausible range too narrow? State a wider one, or give this parameter "
            "a prior of its own."
        )
    if check.name == "spread along the mean":
        what = (
            f"outcomes scatter {'more' if more else 'less'} where {outcome} is expected to be high."
        )
        if more and "(" not in question.outcome and question.values.min() > 0:
            return f"{what} All are positive: try `np.log({question.outcome})`."
        return (
            f"{what} One residual sd is a mean of several; in Bambi, a formula of `sigma` lets it go with "
            "a predictor."
        )
    return (
        f"{count(len(check.names), 'row')} of {len(question.table):,} would be a one-in-a-thousand "
        f"surprise to a model that has seen all others: {listed([f'row {n}' for n in check.names])}. "
        'Look at them for slips; `family="t"` in Bambi keeps such rows from pulling at the answer.'
    )


def _or_effects(question: Question) -> str:
    """What else looks like groups that scatter differently."""
    if question.own_slopes or question.kind == NONE:
        return ""
    column = code(question.column)
    return f" But effects of {column} that differ by group look the same: look at those first."


def _let_differ(question: Question) -> str:
    """How a formula lets the effect of the main term differ by group."""
    column, group = question.column, question.group
    if question.kind == NUMBER:
        return f"Try `({column} | {group})`, and see *{SLOPES_BY_GROUP}* under sensitivity."
    return f"In Bambi, `(1 | {group}:{column})` besides `(1 | {group})` lets it differ."


# The computation


def describe_question(question: Question) -> str:
    """What is asked, in one sentence."""
    outcome, group = code(question.outcome), code(question.group)
    if question.kind == NUMBER:
        asked = f"By how much does {outcome} differ, in {_unit(question)}, for {question.per:g} more of {code(question.column)}"
    elif question.kind == FACTOR:
        asked = f"By how much does {outcome} differ, in {_unit(question)}, between levels of {code(question.column)}"
    else:
        return f"Where does {outcome} lie, in {_unit(question)}, and how far do groups of {group} differ?"
    if not question.own_slopes:
        return f"{asked}, in groups of {group} like these?"
    return f"{asked}, in the mean over groups of {group} like these, and by group?"


def describe_convergence(
    tree: xr.DataTree, summary: pd.DataFrame, draws: int, tune: int, chains: int, seed: int
) -> str:
    """Settings of the sampler, and the worst of what the gate looks at."""
    ess = summary[["ess_bulk", "ess_tail"]].min(axis=1)
    divergent = int(tree["sample_stats"]["diverging"].sum())
    return (
        f"NUTS of nutpie through Bambi: {chains} chains, {draws:,} draws each after {tune:,} of warm-up, "
        f"seed {seed}. Over {len(summary):,} parameters R-hat is at most {summary['r_hat'].max():.3f} "
        f"({code(summary['r_hat'].idxmax())}), the effective sample size at least {ess.min():,.0f} "
        f"({code(ess.idxmin())}); {count(divergent, 'divergence')}. The fit passed the gate: it agrees with "
        "the exact posterior, computed by quadrature, within Monte Carlo errors. All intervals are 95 % and "
        "equal-tailed."
    )


def compare_correlated(
    failures: pd.DataFrame, tree: xr.DataTree, exact: xr.DataTree, candidate: Candidate
) -> str:
    """What PyMC and the exact answer say of the correlation, if PyMC's fit may be read."""
    numbers = exact["exact"]["rho"].to_series()
    said = (
        f"The exact answer for the correlation is {exact_number(numbers['mean'])} (95 % interval "
        f"{exact_number(numbers[LOWER])} to {exact_number(numbers[UPPER])})."
        f" {warn_of_correlation(candidate, exact)}".rstrip()
    )
    if len(failures):
        kinds = join(list(dict.fromkeys(failures["diagnostic"])))
        return (
            f"The gate refuses PyMC's fit ({kinds}), so it is not read; with this table, try the other form "
            f"of the slopes. {said}"
        )
    own = estimates({"": tree["posterior"]["rho"]}).iloc[0]
    return f"PyMC puts the correlation of levels and slopes at {own}. {said}"


def warn_of_correlation(candidate: Candidate, exact: xr.DataTree) -> str:
    """A warning on predictions where the interval of the correlation excludes 0, else ""; ``exact`` is
    the exact fit with a correlation."""
    rho = exact["exact"]["rho"].to_series()
    sign = _sign(rho[LOWER], rho[UPPER])
    if not sign:
        return ""
    (slope, *_) = [effect for effect, _ in candidate.terms.by_group.values() if effect != "1"]
    column = code(slope.replace("std_", ""))
    low, high = ("wide", "narrow") if sign > 0 else ("narrow", "wide")
    at_ends = (
        f": at the low end of {column} too {low}, at its high end too {high}"
        if pd.api.types.is_numeric_dtype(candidate.table.get(slope))
        else ""
    )
    return (
        "**Levels and slopes are correlated**, and the model that answers takes them as independent. "
        f"Its predictions for a group never seen are off{at_ends}."
    )


# The answer


def describe_scope(question: Question, chosen: str, share: float | None = None) -> str:
    """What is compared: rows of one group, groups, or both; ``share`` is that of groups, if known."""
    group = code(question.group)
    if question.kind == NONE:
        return ""
    if chosen == BOTH or not _means_differ(question):
        return f"comparing rows of one {group}"
    if not _differs_within(question):
        return f"comparing groups of {group}"
    if share is not None and share < SLIGHT:
        return f"comparing almost only rows of one {group}"
    if share is not None and share > 1 - SLIGHT:
        return f"comparing almost only groups of {group}"
    return f"comparing rows within and between groups of {group}"


def _means_differ(question: Question) -> bool:
    """Whether groups differ in their means of the main term."""
    x, means = _codes(question), _means_of_groups(question)
    return bool(np.abs(means - x.mean(axis=0)).max() > 1e-9 * np.abs(x).max())


def _differs_within(question: Question) -> bool:
    """Whether the main term differs between rows of one group."""
    x = _codes(question)
    return bool(np.abs(x - _means_of_groups(question)).max() > 1e-9 * np.abs(x).max())


def _means_of_groups(question: Question) -> np.ndarray:
    """Means of the main term's columns (n, K) over the rows of each row's group."""
    by = question.table[question.group].to_numpy()
    return pd.DataFrame(_codes(question)).groupby(by).transform("mean").to_numpy()


def _codes(question: Question) -> np.ndarray:
    """The main term as columns (n, K) of numbers."""
    if question.kind == NUMBER:
        return question.predictor()[:, None]
    values = question.table[question.column].to_numpy()
    return np.column_stack([values == level for level in question.levels]).astype(float)


def say_effects(question: Question, said: Mapping[str, str]) -> str:
    """The effects of the population, without a full stop."""
    outcome, column = code(question.outcome), code(question.column)
    if question.kind == FACTOR:
        parts = "; ".join(f"{name} **{text}**" for name, text in said.items())
        return f"{outcome} by {column}: {parts}"
    (text,) = said.values()
    if question.kind == NONE:
        return f"The mean of {outcome} is **{text}**"
    verb = "goes" if question.per == 1 else "go"
    return f"{plain(question.per)} more of {column} {verb} with **{text}** of {outcome}"


MEANT = {
    "shape in the predictor": "one slope is only a summary of a bend",
    "group means": "the slope mixes what differs within groups with what differs between them",
    "normal groups": "one group pulls at the spread of all, and what is said of a new group may be off",
    "effects alike in all groups": "one effect for all hides that groups differ in it, and its interval "
    "is too narrow",
    "spread by group": "intervals of single groups are too wide or too narrow",
    "spread along the mean": "single outcomes scatter more at one end, and less at the other, than is said",
    "leave-one-out": "a few rows weigh too much, and intervals may be too wide or too narrow",
    "priors": "a prior pulls against the table",
}


def say_failed(checks: list[Check]) -> str:
    """What failed checks mean for the answer; "" if none failed."""
    failed = [f"*{c.name}* ({MEANT[c.name]})" for c in checks if c.verdict == FAILS]
    many = "s" * (len(failed) > 1)
    return f"**Read this with care:** the check{many} {join(failed)} failed." if failed else ""


def describe_answer(
    question: Question,
    chosen: str,
    found: xr.Dataset,
    name: str,
    by_group: xr.DataArray,
    new: xr.DataArray,
    checks: list[Check],
    *,
    new_by_level: Mapping[str, xr.DataArray] | None = None,
    between: float | None = None,
) -> str:
    """The answer in sentences; a failed check is said first.

    ``found`` are the population's effects, ``name`` the one told first, ``by_group`` and ``new`` its
    draws by group and for a group never seen, ``new_by_level`` the latter by the levels that it depends
    on. ``between`` is the share of groups in it (``effects.share_between``).
    """
    unit, group = _unit(question), code(question.group)
    parts = [say_failed(checks)]
    said = estimates(found, unit)
    main = [n for n in found if "," not in n]
    scope = describe_scope(question, chosen, between)
    sentence = say_effects(question, {n: said[n] for n in main})
    others = [code(n.replace("std_", "")) for n in question.terms.used if n not in _asked(question)]
    held = f", {join(others)} being equal" if others and question.kind != NONE else ""
    tail = f"{held}, {scope}" if scope else ""
    parts.append(f"{sentence}{tail}.{_say_sameness(question)}")
    if question.kind == NUMBER:
        parts.append(_warn_of_reach(question, chosen))
    if question.kind != NONE:
        parts.append(_say_direction(found, main))
    inner = [n for n in found if "," in n]
    if inner:
        by = "; ".join(f"{n.partition(', ')[2]}: {said[n]}" for n in inner)
        parts.append(f"It depends on {_list_modifiers(question)}: {by}.")
        parts.append(_say_apart(question, found))
    if question.own_slopes:
        # Apart, since of many groups fewer draws are kept.
        own = {"these": by_group.mean(question.group), "new": new}
        told = {name: estimates({name: draws}, unit)[name] for name, draws in own.items()}
        parts.append(
            f"In the mean over these {len(question.sizes):,} groups of {group} it is {told['these']}; for "
            f"a group never seen {told['new']}, below 0 with probability "
            f"{tables.format_probability(new < 0)}."
        )
        parts += _say_new_by_level(new_by_level or {}, unit)
        parts.append(_say_groups(question, by_group))
    return " ".join(part for part in parts if part)


def _say_sameness(question: Question) -> str:
    """Whether the effect is a mean over groups, or one that the model has for all."""
    if question.kind == NONE or question.own_slopes:
        return " This is the mean over groups like these."
    if not _differs_within(question):
        return ""
    return f" The model takes that to be the same in every {code(question.group)}."


def _list_modifiers(question: Question) -> str:
    return join([code(name) for name in effects.modifiers(question)])


def _say_apart(question: Question, found: xr.Dataset) -> str:
    """How far the effect differs between levels, and whether the sign of that is settled."""
    apart = effects.between_levels(question, found)
    if not apart:
        return ""
    said = estimates(apart, _unit(question))
    many = len([n for n in found if "," not in n]) > 1
    labels = {n: n if many else n.partition(", ")[2] for n in apart}
    told = "; ".join(f"{labels[n]} **{said[n]}**" for n in apart)
    short = apart.rename({n: f"the difference {labels[n]}" for n in apart})
    sign = _say_direction(short, list(short))
    sign = sign.replace("The interval ", "The interval of that difference ")
    return f"Difference of these effects: {told}. {sign}"


def _say_new_by_level(new: Mapping[str, xr.DataArray], unit: str) -> list[str]:
    """The effect of a group never seen, a sentence a level."""
    said = estimates(new, unit) if new else {}
    return [
        f"For one with {label} {said[label]}, below 0 with probability "
        f"{tables.format_probability(draws < 0)}."
        for label, draws in new.items()
    ]


def _warn_of_reach(question: Question, chosen: str) -> str:
    """Say if slopes within groups are told for more than any group differs in the predictor."""
    if chosen != BOTH and _means_differ(question):
        return ""
    largest = _ranges_within(question).max()
    if not 0 < largest < question.per:
        return ""
    return (
        f"**{plain(question.per)} more of {code(question.column)} is more than the table has:** rows of one "
        f"{code(question.group)} lie at most {exact_number(largest)} apart. Tell it per "
        f"{plain(10 ** np.floor(np.log10(largest)))} (`per`)."
    )


def _ranges_within(question: Question) -> pd.Series:
    """How far the rows of each group lie apart in the predictor."""
    groups = pd.Series(question.predictor()).groupby(question.table[question.group].to_numpy())
    return groups.max() - groups.min()


def _asked(question: Question) -> set[str]:
    """Columns of the outcome, of the main term, and of the groups."""
    outcome = question.terms.design.response.term.term.var_names
    main = {question.main, question.column} | set(re.findall(r"\w+", question.main or ""))
    return {*outcome, *main, question.group}


def _say_direction(found: xr.Dataset, main: list[str]) -> str:
    """Whether the signs are settled."""
    open_ones, settled = [], []
    for name in main:
        _, low, high = limits_of(found[name])
        sign = _sign(low, high)
        chance = tables.format_probability(found[name] > 0)
        what = f" of {name}" if len(main) > 1 else ""
        if sign:
            settled.append(name)
        else:
            open_ones.append(
                f"the sign{what} is not settled: the interval includes 0, and the probability that it is "
                f"above 0 is {chance}"
            )
    if not open_ones:
        return "The interval excludes 0." if len(main) == 1 else "All of these intervals exclude 0."
    text = "; ".join(open_ones)
    return text[0].upper() + text[1:] + "."


def _say_groups(question: Question, by_group: xr.DataArray) -> str:
    """Where the effects of the groups lie, and how many have a settled sign."""
    mean = by_group.mean(["chain", "draw"]).to_series()
    low, high = by_group.quantile([0.025, 0.975], ["chain", "draw"]).values
    above, below = int((low > 0).sum()), int((high < 0).sum())
    unit = _unit(question)
    return (
        f"By group its mean runs from {exact_number(mean.min())} ({safe(mean.idxmin())}) to "
        f"{exact_number(mean.max())} {unit} ({safe(mean.idxmax())}); of {len(mean):,} intervals {above:,} lie "
        f"above 0 and {below:,} below."
    )


def describe_spread(question: Question, tree: xr.DataTree, share: xr.DataArray) -> str:
    """How far groups lie apart, and whether they need differ at all."""
    posterior, group = tree["posterior"], question.group
    level = posterior[f"1|{group}_sigma"]
    sd = {"levels": level, "residual": posterior["sigma"]}
    said, part = estimates(sd, _unit(question)), estimates({"": share}).iloc[0]
    where = (
        f" at the mean of {code(question.column)}"
        if question.own_slopes and question.is_column
        else ""
    )
    text = (
        f"The levels of {code(group)}{where} have an sd of {said['levels']}, single outcomes around "
        f"them one of {said['residual']}. So a share of {part} of the variance{_left(question)} "
        "lies between groups."
    )
    _, low, _ = limits_of(level)
    if low < 0.1 * float(posterior["sigma"].mean()):
        text += " That sd can be close to 0: the table does not rule out that groups do not differ at all."
    if len(question.sizes) < FEW:
        text += f" With {len(question.sizes)} groups the sd of the levels and that share hang on the prior."
    return text


def _left(question: Question) -> str:
    """What variance is left to groups and rows."""
    return {
        NUMBER: " that the population's line leaves",
        FACTOR: f" that {code(question.column)} leaves",
        NONE: "",
    }[question.kind]


def tabulate_groups(question: Question, by_group: xr.DataArray, title: str) -> pd.DataFrame:
    """Mean and interval by group; of many groups the lowest and the highest."""
    mean = by_group.mean(["chain", "draw"]).to_series().sort_values()
    labels = list(mean.index)
    if len(labels) > LISTED:
        labels = labels[: LISTED // 2] + labels[-LISTED // 2 :]
    parts = {str(k): by_group.sel({question.group: k}, drop=True) for k in labels}
    shown = tables.present_summary(xr.Dataset(parts))
    shown.insert(0, "rows", [f"{question.sizes[k]:,}" for k in labels])
    return shown.rename_axis(title)


def tabulate_outcomes(question: Question, expected: xr.Dataset) -> pd.DataFrame:
    """Means and 95 % intervals along the main term, one row a value of it; the levels of other factors
    that it holds for stand in the head."""
    columns = {}
    fixed = expected.attrs.get("held", {}).items()
    at = "".join(f", {name} {value}" for name, value in fixed if not _is_number(value))
    for name, draws in expected.data_vars.items():
        parts = {
            str(row): draws.isel(row=place, drop=True)
            for place, row in enumerate(draws["row"].values)
        }
        columns[f"{name}{at}"] = estimates(parts).str.replace("95 % interval ", "")
    head = question.scale_column or question.column or "all rows"
    return pd.DataFrame(columns).rename_axis(f"{head}; {question.outcome} ({_unit(question)})")


def describe_held(question: Question, chosen: str, expected: xr.Dataset) -> str:
    """At which values of other columns the table of outcomes holds; "" if there are none."""
    parts = [
        f"{code(name)} at {exact_number(value) if _is_number(value) else safe(value)}"
        for name, value in expected.attrs.get("held", {}).items()
    ]
    if not parts:
        return ""
    text = f"What to expect, with {join(parts)}:"
    if chosen == BOTH:
        text += f" a {code(question.group)} with that mean, and rows no farther from it than 90 % of the table's are."
    return text


def tabulate_coefficients(question: Question, found: xr.Dataset) -> pd.DataFrame:
    """Mean and interval of the coefficients, each with decimals of its own."""
    unit = _unit(question)
    told = {name: estimates({"": draws}).iloc[0] for name, draws in found.items()}
    return pd.DataFrame({f"{unit}, slopes per unit": told}).rename_axis("coefficient")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)


# The decision


def describe_decision(
    question: Question,
    found: Mapping[str, xr.DataArray],
    gain: float | None,
    cost: float | None,
) -> str:
    """Whether the change pays, for whom, and what more knowledge would be worth."""
    if gain is None or cost is None:
        return (
            "No decision was made: it takes what one unit of the outcome is worth (`gain`) and what the "
            "change costs (`cost`)."
        )
    if question.kind == NONE:
        return "The formula has no predictor, so there is no change to decide about."
    change = (
        f"{question.per:g} more of {code(question.column)}"
        if question.kind == NUMBER
        else f"to another level of {code(question.column)}"
    )
    parts = [
        f"Assumed: one unit ({_unit(question)}) more of {code(question.outcome)} is worth {plain(gain)}, the change "
        f"({change}) costs {plain(cost)}, and **the change does what the comparison says**, which no table "
        "of comparisons can show. Then it pays where the worth of the effect exceeds the cost in the mean:"
    ]
    for who, draws in found.items():
        worth = gain * draws
        net = float(worth.mean()) - cost
        regret = float(np.maximum(worth - cost, 0).mean()) - max(net, 0.0)
        said = estimates({"": worth}).iloc[0]
        parts.append(
            f"{who}: worth {said}, against a cost of {plain(cost)}; it pays with probability "
            f"{tables.format_probability(worth > cost)}: **{'do it' if net > 0 else 'leave it'}**. To "
            f"know the effect exactly first would be worth {_say_regret(regret, worth)} at most."
        )
    return "\n- ".join([f"{parts[0]}\n", *parts[1:]])


def _say_regret(regret: float, worth: xr.DataArray) -> str:
    """What perfect knowledge is worth, unless it is less than a hundredth of the effect's sd."""
    return exact_number(regret, 2) if regret > 0.01 * float(worth.std()) else "next to nothing"


def describe_turned(
    question: Question,
    draws: Mapping[str, xr.DataArray],
    gain: float | None,
    cost: float | None,
    effect: str = "",
) -> str:
    """Under which changes the decision for the population turns; ``effect`` names what was followed."""
    of = f" on {safe(effect)}" if effect else ""
    if gain is None or cost is None or question.kind == NONE:
        return ""
    pays = {label: bool(gain * one.mean() > cost) for label, one in draws.items()}
    other = [label for label, one in pays.items() if one != pays[AS_IS]]
    if not other:
        return f"The decision{of} is the same under every change."
    return f"The decision{of} turns under: {safe(join(other))}."


# Sensitivity


def tabulate_changes(table: pd.DataFrame, effect: str = "") -> pd.DataFrame:
    """The answer under each change as text; ``effect`` names it and its unit."""
    digits = max(0, 2 - int(np.floor(np.log10(table["mean"].sub(table[LOWER]).iloc[0]))))
    shown = table.map(lambda value: "" if pd.isna(value) else f"{value:.{min(digits, 6)}f}")
    return shown.replace("-", tables.MINUS, regex=True).rename_axis(
        f"change; {effect}" if effect else "change"
    )


def describe_sensitivity(
    question: Question, table: pd.DataFrame, sd: float, skipped: list[str], effect: str = ""
) -> str:
    """How far the answer moves, in posterior sds, and whether its sign is settled throughout.

    ``table`` is that of ``sensitivity.refit``, ``sd`` the posterior sd of the answer, ``effect`` its name.
    """
    moves = (table["mean"] - table.loc[AS_IS, "mean"]).drop(AS_IS) / sd
    most = moves.abs().idxmax()
    size = abs(moves[most])
    of = f" of {safe(effect)}" if effect else ""
    how = "little" if size < LITTLE else "noticeably" if size < MUCH else "strongly"
    parts = [
        f"The answer{f', {safe(effect)},' if effect else ''} moves {how}: by at most {size:.1f} of its posterior sd ({safe(most)})."
    ]
    prior, far = _find_prior(table, sd)
    if far >= LITTLE:
        parts.append(
            f"**It hangs on the prior** ({prior}: {far:.1f} posterior sds). Say why "
            "this prior and no wider one, or state a wider plausible range."
        )
    signs = [_sign(low, high) for low, high in zip(table[LOWER], table[UPPER], strict=True)]
    if question.kind != NONE:
        other = table.index[[sign != signs[0] for sign in signs]]
        if len(other):
            was = "excludes" if signs[0] else "includes"
            now = "includes" if signs[0] else "excludes"
            parts.append(f"The interval{of} {was} 0; it {now} 0 under: {safe(join(list(other)))}.")
        else:
            word = "excludes" if signs[0] else "includes"
            parts.append(f"The interval{of} {word} 0 under every change.")
    if SLOPES_BY_GROUP in table.index:
        parts.append(_say_wider(table))
    parts += [_say_widths(table), _say_spread_changes(question, table)]
    parts += [f"Not tried: {safe(one)}." for one in skipped]
    return " ".join(part for part in parts if part)


def _say_widths(table: pd.DataFrame) -> str:
    """Which change makes the interval noticeably wider or narrower, if one does."""
    widths = table[UPPER] - table[LOWER]
    ratio = (widths / widths[AS_IS]).drop(AS_IS)
    most = np.abs(np.log(ratio)).idxmax()
    if abs(ratio[most] - 1) <= SHIFT:
        return "Its width changes little."
    return f"Its width changes: {ratio[most]:.2f} times as wide ({safe(most)})."


def _say_spread_changes(question: Question, table: pd.DataFrame) -> str:
    """How the sd of the levels goes with the scales of priors, where it does or was asked for."""
    spread = f"1|{question.group}_sigma"
    if spread not in table:
        return ""
    half, double = table.filter(like="scales of all", axis=0)[spread]
    moves = abs(double - half) > SHIFT * table.loc[AS_IS, spread]
    if not moves and question.kind != NONE:
        return ""
    groups = f"{len(question.sizes):,} groups {'do not settle' if moves else 'settle'} it"
    return (
        f"The sd of the levels goes from {exact_number(half)} to {exact_number(double)} "
        f"{_unit(question)} as scales go from half to double: {groups}."
    )


def _say_wider(table: pd.DataFrame) -> str:
    """How much wider the interval is where slopes may differ by group; "" if hardly."""
    width = table[UPPER] - table[LOWER]
    more = width[SLOPES_BY_GROUP] / width[AS_IS] - 1
    if more < WIDER:
        return ""
    return f"**With slopes by group its interval is {more:.0%} wider**: one slope for all is a strong assumption."


def _find_prior(table: pd.DataFrame, sd: float) -> tuple[str, float]:
    """The change of a prior that moves the answer most, and by how many posterior sds."""
    moves = (table["mean"] - table.loc[AS_IS, "mean"]).abs() / sd
    moves = moves[[label for label in moves.index if "prior" in label]]
    return moves.idxmax(), float(moves.max())


def warn_of_prior(question: Question, name: str, table: pd.DataFrame, sd: float) -> str:
    """Say before the answer that the effect ``name`` hangs on the prior; "" where it does not.

    ``table`` and ``sd`` are those of ``describe_sensitivity``.
    """
    prior, far = _find_prior(table, sd)
    if far < LITTLE:
        return ""
    what = "the mean" if question.kind == NONE else name
    wide = tabulate_changes(table).filter(like="scales of all priors doubled", axis=0)
    instead = "".join(
        f" With the scales of all priors doubled it is {row['mean']} {_unit(question)} (95 % interval "
        f"{row[LOWER]} to {row[UPPER]} {_unit(question)})."
        for _, row in wide.iterrows()
    )
    return (
        f"**Read this with care:** {safe(what)} hangs on the prior ({safe(prior)}: it moves by {far:.1f} "
        f"posterior sds).{instead}"
    )


# Limits


def describe_limits(question: Question, chosen: str, tested: bool = False) -> list[str]:
    """What the report cannot say, a sentence each; ``tested`` is whether the table chose the model."""
    group, outcome = code(question.group), code(question.outcome)
    limits = []
    if question.kind != NONE:
        column = code(question.column)
        limits.append(
            f"It compares rows that differ in {column}; whether {outcome} would follow if {column} were "
            "changed depends on how the table came about, and no fit can tell."
        )
        if not question.own_slopes and _differs_within(question):
            limits.append(
                f"The effect of {column} is taken to be the same in every {group}; where it is not, the "
                "interval is too narrow."
            )
    if question.kind == NUMBER:
        limits.append(_limit_reach(question, chosen))
    if tested:
        limits.append(
            "This table chose the model, by the difference of slopes within and between groups; the interval "
            "does not know of that choice."
        )
    limits.append(
        f"What is said of a group never seen takes it for one like these {len(question.sizes):,}, as if "
        "drawn from the same population; where these are all there are, it speaks of none."
    )
    if len(question.sizes) < FEW:
        limits.append(
            f"With {len(question.sizes)} groups, the interval of a group never seen is mostly prior."
        )
    limits.append(
        f"Rows of one {group} count as independent once its own "
        f"{'line' if question.own_slopes else 'level'} is known; an order in time, or rows that share something else, can make intervals too narrow."
    )
    if chosen == BOTH:
        limits.append(
            "The slope between groups compares groups with all else in which they differ."
        )
    if "left_out" in question.table.attrs:
        limits.append(
            "Rows that miss a value were left out, which is harmless only if they miss it by chance."
        )
    return limits


def _limit_reach(question: Question, chosen: str) -> str:
    """How far the predictor goes in the table; for a slope within groups, how far within them."""
    column, x, group = code(question.column), question.predictor(), code(question.group)
    if chosen != BOTH:
        return (
            f"It speaks of {column} from {exact_number(x.min())} to {exact_number(x.max())}; beyond, the "
            "straight line is a guess."
        )
    ranges = _ranges_within(question)
    return (
        f"The slope is that within groups: it speaks of rows of one {group}, which lie at most "
        f"{exact_number(ranges.max())} of {column} apart (median {exact_number(ranges.median())}); where "
        f"{column} differs by more, it is a guess."
    )
