"""Sentences of questions beyond the three models: further grouping factors, and other families."""

import re

import pandas as pd

from helpers import tables
from helpers.families import GAUSSIAN
from helpers.frames import original_term
from helpers.own import effects
from helpers.own.checks import Check
from helpers.own.choice import judge_score
from helpers.own.draws import limits_of, sign_of
from helpers.own.question import BERNOULLI, FACTOR, NONE, NUMBER, Question
from helpers.own.words.pieces import (
    code,
    count,
    estimate,
    estimates,
    join,
    plain,
    unit_of,
)

LOG = "log"


def describe_beyond(question: Question) -> str:
    """How the page goes beyond the three models; "" within them."""
    if not question.is_sampled:
        return ""
    why = []
    if question.family != GAUSSIAN:
        why.append(f"outcomes of the family {code(question.family)}")
    if question.further:
        why.append(f"the grouping factors {join([code(f) for f in question.terms.factors])}")
    said = f"**Sampled.** For {join(why)} Bambi samples every model that is compared. "
    if question.is_exact:
        said += (
            "The exact answer of your formula is computed as well, unless the table is too large for it: "
            "the gate compares Bambi's fit with it, and what a sceptic would change is computed exactly."
        )
    else:
        said += "No exact answer is computed: the gate judges a fit by its own draws alone."
    if question.further:
        said += (
            f" Figures and tables by group are of {code(question.group)} only: the factor with slopes, or "
            "else the first one of the formula."
        )
    return said


def describe_sizes(question: Question) -> str:
    """How many groups the further factors have, and how they lie to the first."""
    said = []
    for factor in question.further:
        columns = factor.split(":")
        sizes = question.table.groupby(columns, observed=True).size()
        each = (
            f"{sizes.min():,}"
            if sizes.min() == sizes.max()
            else f"{sizes.min():,} to {sizes.max():,}"
        )
        both = question.table.groupby(
            list(dict.fromkeys([question.group, *columns])), observed=True
        ).size()
        if len(both) == len(sizes):
            how = f"each lies within one group of {code(question.group)}"
        elif len(both) == len(question.sizes):
            how = f"each group of {code(question.group)} lies within one of them"
        elif len(both) == len(sizes) * len(question.sizes):
            how = f"each meets each group of {code(question.group)}"
        else:
            how = f"some of them meet several groups of {code(question.group)}"
        said.append(
            f"There are also {len(sizes):,} groups of {code(factor)}, with {each} rows each; {how}."
        )
    return " ".join(said)


# Choice


def describe_choice(question: Question, scores: pd.DataFrame, own: str) -> str:
    """That the reader's formula answers, and what scores of rows left out say to that."""
    parts = ["Your formula answers; scores do not choose."]
    for name, one in scores.drop(index=own).iterrows():
        parts.append(f"By *{name}*, single rows are {judge_score(one['rows'], one['rows_se'])}.")
    large = {n: int(number) for n, number in scores["unsure"].items() if number}
    rough = join([f"{count(number, 'row')} of *{n}*" for n, number in large.items()])
    parts.append(
        "The scores are PSIS-LOO: a row is left out by weighing the draws of the fit. A large Pareto k marks "
        f"rows for which that is not accurate: {rough + ', so the scores are rough' if large else 'none'}."
    )
    parts.append("Whole groups were not left out: that takes a new fit for each.")
    return " ".join(parts)


# The answer


def describe_compared(question: Question) -> str:
    """What is compared: rows of one group, or groups, by grouping factor."""
    if question.kind == NONE:
        return ""
    how = {
        f: (question.varies_within(f), question.varies_between(f)) for f in question.terms.factors
    }
    ways = {
        (True, False): "rows of one {}",
        (True, True): "rows within and between groups of {}",
        (False, True): "groups of {}",
    }
    found = {way: [code(f) for f, those in how.items() if those == way] for way in ways}
    return "comparing " + join([ways[way].format(join(f)) for way, f in found.items() if f])


def describe_average(question: Question) -> str:
    """Over what an effect of another family than the gaussian is averaged."""
    if question.kind == NONE:
        return "averaged over groups like these"
    return "on average over the rows of the table and over groups like these"


def describe_other_answers(question: Question, answer: effects.Answer) -> list[str]:
    """The effect in a typical group and in one never seen, and the ratio, of another family's answer."""
    unit, name = unit_of(question), answer.name
    several = question.kind == FACTOR and len(effects.overall(answer.population)) > 1
    of = f" ({name})" * several
    told = estimates({"typical": answer.typical[name], "new": answer.new}, unit)
    parts = [
        f"In a typical group, one whose own effects are 0, it is {told['typical']}{of}; in a group never "
        f"seen {told['new']}"
    ]
    if question.kind == NONE:
        return [f"{parts[0]}."]
    parts[0] += f", below 0 with probability {tables.format_probability(answer.new < 0)}."
    ratio = "odds ratio" if question.family == BERNOULLI else "ratio of means"
    typical = ", the geometric mean over the rows," * _interacts(question)
    for one in effects.overall(answer.ratios):
        _, low, high = limits_of(answer.ratios[one] - 1)
        word = "excludes" if sign_of(low, high) else "includes"
        parts.append(
            f"Within a group the {ratio} of {one}{typical} is {estimate(answer.ratios[one])}; the interval "
            f"{word} 1."
        )
    return parts


def describe_new(question: Question) -> str:
    """What a group never seen is, where there are several grouping factors."""
    if not question.further:
        return ""
    new = join([f"of {code(factor)}" for factor in question.terms.factors])
    return (
        f"*A group never seen* means new groups {new}. *A new group of* one factor is told as its mean, over "
        "groups of the others like these."
    )


# Checks


def advise(question: Question, check: Check) -> str:
    """What a failed check that only sampled fits have means, and what to do; "" of others."""
    outcome, more = code(question.outcome), check.is_more
    much, far = ("more", "larger") if more else ("less", "smaller")
    other = " Try the family `negativebinomial`." if question.family == "poisson" and more else ""
    said = {
        "shares by": f"shares of yes differ {much} between groups of {code(question.group)} than the model "
        "makes them.",
        "calibration": "shares of yes are not what the predicted chances say; a term is missing, or has "
        "another shape.",
        "zeros": f"{'more' if more else 'fewer'} outcomes are 0 than the model draws.{other}",
        "dispersion": f"{outcome} scatters {much} than the family lets it.{other}",
        "largest outcome": f"the largest {outcome} is {far} than the model draws.",
        "smallest outcome": f"the smallest {outcome} is {far} than the model draws.",
        "spread along the mean": f"outcomes scatter {much}, in the sds that the family gives them, where "
        f"{outcome} is expected to be high.",
    }
    if check.name == "spread along the mean" and question.family == GAUSSIAN:
        return ""
    return next((text for name, text in said.items() if check.name.startswith(name)), "")


def describe_limits(question: Question, compared: bool) -> list[str]:
    """What a report of a sampled fit cannot say besides; ``compared`` is whether with an exact answer."""
    limits = []
    if question.kind == NUMBER and question.differs_between and question.differs_within:
        limits.append(
            "Slopes within and between groups were not compared: one slope stands for both, and would mix "
            "them if they differ."
        )
    if question.family != GAUSSIAN and question.kind != NONE:
        limits.append(
            "A difference that is averaged over the rows of this table holds for rows like these; where "
            "predictors or levels lie otherwise, it is another one"
            + (", while the ratio within a group is the same." if not _interacts(question) else ".")
        )
    if not compared:
        limits.append(
            "No exact answer stands beside the sampler's: the gate judges the draws, and cannot see what "
            "all chains miss."
        )
    return limits


def _interacts(question: Question) -> bool:
    """Whether the effect on the link's scale differs between rows or groups."""
    column = question.scale_column or question.column
    table, common = question.table, question.terms.common
    own = [n for n in common if column in re.findall(r"\w+", original_term(table, n))]
    plain_one = own == [question.main] and "(" not in own[0].removeprefix("C(")
    return question.own_slopes or not plain_one


def describe_unit_of_priors(question: Question) -> str:
    """In what priors are told."""
    link = question.terms.family.link
    scale = {
        "identity": f"in {unit_of(question)}",
        LOG: f"on the scale of the log of {code(question.outcome)}",
    }
    return scale.get(link, "on the scale of log odds")


def describe_range(question: Question) -> str:
    """What the plausible range is of."""
    low, high = plain(question.plausible.low), plain(question.plausible.high)
    if question.family == GAUSSIAN:
        return f"a single outcome, {low} to {high} {unit_of(question)}"
    if question.family == BERNOULLI:
        return f"a row's chance, {low} to {high}"
    return f"a row's mean, {low} to {high} {unit_of(question)}"
