"""The fit of a page as a script that needs pandas, Bambi and ArviZ only, with the page's numbers in it."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from helpers.families import GAUSSIAN
from helpers.frames import original_column
from helpers.own.candidates import Candidate, list_forms
from helpers.own.question import NUMBER, Question

HEAD = """import arviz as az
import bambi as bmb
import pandas as pd


def normal(mean, sd):
    return bmb.Prior("Normal", mu=mean, sigma=sd)


def half_normal(scale):
    return bmb.Prior("HalfNormal", sigma=scale)


def by_group(scale):
    return bmb.Prior("Normal", mu=0, sigma=half_normal(scale))

"""
FIT = """model = bmb.Model(
    {formula!r},  # change
    table,
    priors=priors,
    center_predictors=False,  # priors hold where the columns above are 0
    noncentered={noncentered},  # change: the other one, if draws diverge{family}
)
fit = model.fit(
    inference_method="nutpie",
    draws={draws},
    tune={tune},
    chains={chains},
    random_seed={seed},
    nuts={{"target_accept": 0.99}},  # change: nearer to 1 for smaller steps
)
names = [
{names}
]
print(az.summary(fit, var_names=names, round_to=3))
# change: your own check
az.plot_ppc_dist(model.predict(fit, kind="response", inplace=False))
"""


def write_script(
    question: Question, candidate: Candidate, source: str | Path, **sampler: int
) -> str:
    """Python code that fits a candidate to the file ``source`` as the page does.

    ``sampler`` are ``draws``, ``tune``, ``chains`` and ``seed``. The numbers by which columns are
    standardized and the priors are written out, and with them how ``reading.read_table`` read the file.
    """
    lines = _read(question.table.attrs.get("read_csv", {}), source)
    lines += _prepare(question, candidate)
    priors = [f"    {name!r}: {_write(name, prior)}," for name, prior in candidate.priors.items()]
    lines += ["priors = {  # change", *priors, "}"]
    names = [name for name in candidate.priors if "|" not in name]
    names += [f"{name}_sigma" for name in candidate.priors if "|" in name]
    form = {"formula": candidate.formula, "noncentered": list_forms(candidate)[0]}
    of_family = f'\n    family="{candidate.family}",\n    link="{candidate.link}",'
    form["family"] = of_family if candidate.family != GAUSSIAN else ""
    form["names"] = "\n".join(f"    {name!r}," for name in names)
    code = HEAD + "\n" + "\n".join(lines) + "\n" + FIT.format(**form, **sampler)
    return code + _answer(question, candidate)


def _read(arguments: Mapping, source: str | Path) -> list[str]:
    """Lines that read the file, with what ``pandas.read_csv`` has to be told of it."""
    if not arguments:
        return [f"table = pd.read_csv({str(source)!r})  # change"]
    told = [f"    {name}={value!r}," for name, value in arguments.items()]
    return ["table = pd.read_csv(  # change", f"    {str(source)!r},", *told, ")"]


def _prepare(question: Question, candidate: Candidate) -> list[str]:
    """Lines that make the columns of the formula: rows that are used, standardized columns, factors."""
    used, scales = candidate.terms.used, candidate.table.attrs.get("scales", {})
    lines = []
    if "left_out" in question.table.attrs:
        needed = [original_column(question.table, name) for name in question.terms.used]
        lines.append(f"table = table.dropna(subset={needed!r})")
    for column in used:
        original = column.removeprefix("std_")
        mean = f"table.groupby({question.group!r})[{{!r}}].transform('mean')"
        if column.endswith("_within") and column in scales:
            original = column.removesuffix("_within")
            lines.append(
                f"table[{column!r}] = (table[{original!r}] - {mean.format(original)}) / {scales[column]['sd']!r}"
            )
        elif column.endswith(f"_{question.group}_mean") and column in scales:
            original, scale = column.removesuffix(f"_{question.group}_mean"), scales[column]
            lines.append(
                f"table[{column!r}] = ({mean.format(original)} - {scale['mean']!r}) / {scale['sd']!r}"
            )
        elif column != original and original in scales:
            scale = scales[original]
            lines.append(
                f"table[{column!r}] = (table[{original!r}] - {scale['mean']!r}) / {scale['sd']!r}"
            )
        elif isinstance(used[column].dtype, pd.CategoricalDtype):
            lines.append(f"table[{column!r}] = table[{column!r}].astype('category')")
    return lines


def _write(name: str, prior: tuple[float, float] | float) -> str:
    if isinstance(prior, tuple):
        return f"normal({prior[0]!r}, {prior[1]!r})"
    return f"by_group({prior!r})" if "|" in name else f"half_normal({prior!r})"


def _answer(question: Question, candidate: Candidate) -> str:
    """Lines that turn the slope of a standardized column back into the table's units."""
    scales = candidate.table.attrs.get("scales", {})
    main = candidate.main
    if question.kind != NUMBER or main is None:
        return ""
    scale = scales.get(main) or scales.get(main.removeprefix("std_"))
    sd = 1.0 if scale is None else scale["sd"]
    if candidate.link != "identity":
        ratio = "odds ratio" if candidate.link == "logit" else "ratio of means"
        return (
            "import numpy as np\n"
            f"# {ratio[0].upper()}{ratio[1:]} of {question.per:g} more of {question.column}, within a group\n"
            f"ratio = np.exp({question.per!r} / {sd!r} * fit.posterior[{main!r}])\n"
            "print(float(ratio.mean()), ratio.quantile([0.025, 0.975]).values)\n"
        )
    return (
        f"# {question.unit} per {question.per:g} of {question.column}\n"
        f"slope = {question.per!r} / {sd!r} * fit.posterior[{main!r}]\n"
        "print(float(slope.mean()), slope.quantile([0.025, 0.975]).values)\n"
    )
