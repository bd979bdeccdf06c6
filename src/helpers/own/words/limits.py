"""Sentences about what the report cannot say."""

from helpers.families import GAUSSIAN
from helpers.own.candidates import BOTH
from helpers.own.question import NONE, NUMBER, Question
from helpers.own.words import beyond
from helpers.own.words.pieces import code, exact_number, join


def describe_limits(
    question: Question, chosen: str, tested: bool = False, compared: bool = True
) -> list[str]:
    """What the report cannot say, a sentence each; ``tested`` is whether the table chose the model,
    ``compared`` whether the fit was compared with an exact answer."""
    group, outcome = code(question.group), code(question.outcome)
    limits = []
    if question.kind != NONE:
        column = code(question.column)
        limits.append(
            f"It compares rows that differ in {column}; whether {outcome} would follow if {column} were "
            "changed depends on how the table came about, and no fit can tell."
        )
        if not question.own_slopes and question.differs_within:
            scale = (
                "" if question.family == GAUSSIAN else f" on the {question.terms.family.link} scale"
            )
            limits.append(
                f"The effect of {column}{scale} is taken to be the same in every {group}; where it is not, the "
                "interval is too narrow."
            )
    if question.kind == NUMBER:
        limits.append(_limit_reach(question, chosen))
    if question.is_sampled:
        limits += beyond.describe_limits(question, compared)
    if tested:
        limits.append(
            "This table chose the model, by the difference of slopes within and between groups; the interval "
            "does not know of that choice."
        )
    limits.append(
        f"What is said of a group never seen takes it for one like these {_count_groups(question)}, as if "
        "drawn from the same population; where these are all there are, it speaks of none."
    )
    if question.few_groups:
        limits.append(
            f"With {len(question.sizes)} groups, the interval of a group never seen is mostly prior."
        )
    own = f"Rows of one {group} count as independent once its own {'line' if question.own_slopes else 'level'} is known"
    if question.further:
        own = "Rows count as independent once the effects of their groups are known"
    limits.append(
        f"{own}; an order in time, or rows that share something else, can make intervals too narrow."
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


def _count_groups(question: Question) -> str:
    """The numbers of groups, such as "24" or "24 of `plate` and 6 of `sample`"."""
    if not question.further:
        return f"{len(question.sizes):,}"
    of = question.terms.count_groups
    return join([f"{of(factor):,} of {code(factor)}" for factor in question.terms.factors])


def _limit_reach(question: Question, chosen: str) -> str:
    """How far the predictor goes in the table; for a slope within groups, how far within them."""
    column, x, group = code(question.column), question.predictor(), code(question.group)
    bent = "" if question.family == GAUSSIAN else f" on the {question.terms.family.link} scale"
    if chosen != BOTH:
        return (
            f"It speaks of {column} from {exact_number(x.min())} to {exact_number(x.max())}; beyond, the "
            f"line{bent} is a guess."
        )
    ranges = question.ranges_within
    return (
        f"The slope is that within groups: it speaks of rows of one {group}, which lie at most "
        f"{exact_number(ranges.max())} of {column} apart (median {exact_number(ranges.median())}); where "
        f"{column} differs by more, it is a guess."
    )
