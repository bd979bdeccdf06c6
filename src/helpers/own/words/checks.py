"""Sentences about checks: what failed, what that means, and what to do."""

from helpers.families import GAUSSIAN
from helpers.own.candidates import SLOPES
from helpers.own.checks import CANNOT, DOUBTFUL, FAILS, PASSES, Check
from helpers.own.question import NONE, NUMBER, Question
from helpers.own.sensitivity import SLOPES_BY_GROUP
from helpers.own.words import beyond
from helpers.own.words.pieces import code, count, join, listed, percent, plain, unit_of

BEYOND = 0.005  # a share of drawn outcomes that is worth a sentence


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


def describe_ends(question: Question, below: float, above: float) -> str:
    """That the model draws outcomes beyond the plausible range where the table has none; "" if it hardly
    does. ``below`` and ``above`` are the shares of ``checks.share_outside``."""
    (low, high), y = (question.plausible.low, question.plausible.high), question.values
    if question.family != GAUSSIAN or below + above < BEYOND or y.min() < low or y.max() > high:
        return ""
    where = f"most of them {'below' if below > above else 'above'} {plain(low if below > above else high)}"
    return (
        f"**A normal model knows no ends:** all outcomes of the table lie between {plain(low)} and "
        f"{plain(high)} {unit_of(question)}, and {percent(below + above)} of those that the model draws lie "
        f"outside, {where}. If {code(question.outcome)} cannot be there, what is said of single outcomes "
        "near that end is off."
    )


def advise(question: Question, check: Check) -> str:
    """What a failed check means, and what to do."""
    column, group, outcome = (code(n) for n in (question.column, question.group, question.outcome))
    more = check.is_more
    if question.is_sampled and (said := beyond.advise(question, check)):
        return said
    name, factor = (code(n) for n in (*check.names, "", "")[:2])
    if check.name == "shape in the predictor":
        return (
            f"{outcome} bends {'upwards' if more else 'downwards'} along {column}, so one slope is only "
            f"a summary of it. Add a term such as `I(scale({question.column})**2)`, or take a logarithm."
        )
    if check.name == "group means":
        return (
            f"groups with a higher mean of {column} lie {'higher' if more else 'lower'} than the model "
            "says, so its slope mixes what differs within groups with what differs between them. The "
            "within-between model keeps them apart."
        )
    if check.name.startswith("normal groups"):
        if not more:
            return f"the levels of {factor} lie closer together than a normal distribution's would."
        return (
            f"group {name} of {factor} lies farther out than a normal distribution of groups lets it. Look "
            "at its rows, and under sensitivity at the answer without the most influential group."
        )
    if check.name.startswith("spread by"):
        if not more:
            return f"outcomes scatter more alike in groups of {factor} than chance would make them."
        return (
            f"outcomes scatter more in some groups of {factor} than in others, most in group {name}, so "
            "intervals are too short for such groups, and too long for quiet ones."
            f"{_let_scatter(question, check.names[1])}{_or_effects(question)}"
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


def _let_scatter(question: Question, factor: str) -> str:
    """How a normal model lets groups have residual sds of their own."""
    if question.family != GAUSSIAN:
        return ""
    formula = f"`bmb.Formula(formula, 'sigma ~ (1 | {factor})')`"
    return f" In Bambi, {formula} gives each a residual sd of its own."


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
        tried = f"*{SLOPES}* among the models" if question.is_sampled else None
        tried = tried or f"*{SLOPES_BY_GROUP}* under sensitivity"
        return f"Try `({column} | {group})`, and see {tried}."
    return f"In Bambi, `(1 | {group}:{column})` besides `(1 | {group})` lets it differ."


MEANT = {
    "shape in the predictor": "one slope is only a summary of a bend",
    "group means": "the slope mixes what differs within groups with what differs between them",
    "normal groups": "one group pulls at the spread of all, and what is said of a new group may be off",
    "effects alike in all groups": "one effect for all hides that groups differ in it, and its interval "
    "is too narrow",
    "spread by": "intervals of single groups are too wide or too narrow",
    "spread along the mean": "single outcomes scatter more at one end, and less at the other, than is said",
    "leave-one-out": "a few rows weigh too much, and intervals may be too wide or too narrow",
    "priors": "a prior pulls against the table",
    "shares by": "groups are not as the model has them",
    "calibration": "predicted chances are off",
    "zeros": "the model does not know how often nothing happens",
    "dispersion": "intervals are too narrow, or too wide",
    "largest outcome": "what is said of single outcomes at the upper end may be off",
    "smallest outcome": "what is said of single outcomes at the lower end may be off",
}


def say_failed(checks: list[Check]) -> str:
    """What failed checks mean for the answer; "" if none failed."""
    failed = [
        f"*{check.name}* ({meant})"
        for check in checks
        for name, meant in MEANT.items()
        if check.verdict == FAILS and check.name.startswith(name)
    ]
    many = "s" * (len(failed) > 1)
    return f"**Read this with care:** the check{many} {join(failed)} failed." if failed else ""
