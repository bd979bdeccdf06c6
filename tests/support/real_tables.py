"""The published tables of ``data/tables`` with a formula and priors for each, for both lanes.

Priors are what somebody of the field could have said before looking: of most outcomes the range that
``data/tables/README.md`` names.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
import xarray as xr

from chapters import ROOT
from helpers import diagnostics

TABLES = ROOT / "data" / "tables"
NUMBER = r"-?[\d.]+"


class Real(NamedTuple):
    """A formula with its priors by term; ``prepare`` adds columns that the formula needs.

    ``family`` is Bambi's name of it; priors of other families are on the scale of the link.
    """

    formula: str
    priors: dict
    prepare: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame
    family: str = "gaussian"


def with_price_per_citation(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(price_per_citation=frame["price"] / frame["citations"])


def with_years_as_labels(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(year=frame["year"].astype("category"))


# One grouping factor and a normal outcome: what all back ends fit.
REAL = {
    "sleepstudy": Real(
        "reaction ~ days + (days | subject)",
        {
            "Intercept": (300, 100),
            "days": (0, 20),
            "sigma": 50,
            "1|subject": 50,
            "days|subject": 15,
            "rho": 2,
        },
    ),
    "orthodont": Real(
        "distance ~ age * sex + (1 | subject)",
        {
            "Intercept": (20, 10),
            "age": (0, 2),
            "sex": (0, 5),
            "age:sex": (0, 1),
            "sigma": 3,
            "1|subject": 4,
        },
    ),
    "oxboys": Real(
        "height ~ age + (age | boy)",
        {
            "Intercept": (145, 20),
            "age": (5, 5),
            "sigma": 5,
            "1|boy": 15,
            "age|boy": 5,
            "rho": 2,
        },
    ),
    "ergostool": Real(
        "effort ~ stool + (1 | subject)",
        {"Intercept": (12, 5), "stool": (0, 4), "sigma": 3, "1|subject": 3},
    ),
    "machines": Real(
        "score ~ machine + (1 | worker)",
        {"Intercept": (60, 20), "machine": (0, 15), "sigma": 10, "1|worker": 10},
    ),
    "rail": Real(
        "travel ~ 1 + (1 | rail)",
        {"Intercept": (50, 50), "sigma": 20, "1|rail": 40},
    ),
    "cake": Real(
        "angle ~ recipe * temperature + (1 | batch)",
        {
            "Intercept": (0, 60),
            "recipe": (0, 60),
            "temperature": (0, 0.5),
            "recipe:temperature": (0, 0.3),
            "sigma": 10,
            "1|batch": 10,
        },
    ),
    "dyestuff": Real(
        "yield ~ 1 + (1 | batch)",
        {"Intercept": (1500, 200), "sigma": 100, "1|batch": 100},
    ),
    "dyestuff2": Real(
        "yield ~ 1 + (1 | batch)",
        {"Intercept": (5, 10), "sigma": 5, "1|batch": 5},
    ),
    "bodyweight": Real(
        "weight ~ time * diet + (time | rat)",
        {
            "Intercept": (300, 150),
            "time": (0, 3),
            "diet": (0, 200),
            "time:diet": (0, 3),
            "sigma": 20,
            "1|rat": 80,
            "time|rat": 1,
            "rho": 2,
        },
    ),
    "cabbages": Real(
        "vitamin_c ~ head_weight + cultivar + (1 | planted)",
        {
            "Intercept": (60, 30),
            "head_weight": (0, 10),
            "cultivar": (0, 20),
            "sigma": 15,
            "1|planted": 10,
        },
    ),
    "nlschools": Real(
        "language ~ iq + ses + (iq | class)",
        {
            "Intercept": (10, 20),
            "iq": (0, 4),
            "ses": (0, 0.5),
            "sigma": 10,
            "1|class": 10,
            "iq|class": 1,
            "rho": 2,
        },
    ),
    "fatalities": Real(
        "fatality_rate ~ beer_tax + (1 | state)",
        {"Intercept": (2, 1), "beer_tax": (0, 1), "sigma": 1, "1|state": 1},
    ),
    "grunfeld": Real(
        "investment ~ value + capital + (1 | firm)",
        {
            "Intercept": (0, 200),
            "value": (0, 0.5),
            "capital": (0, 1),
            "sigma": 150,
            "1|firm": 150,
        },
    ),
    "journals": Real(
        "np.log(subscriptions) ~ np.log(price_per_citation) + (1 | publisher)",
        {
            "Intercept": (4, 2),
            "np.log(price_per_citation)": (0, 1),
            "sigma": 1,
            "1|publisher": 1,
        },
        with_price_per_citation,
    ),
    "radon": Real(
        "log_radon ~ floor + log_uranium + (1 | county)",
        {
            "Intercept": (1, 1),
            "floor": (0, 1),
            "log_uranium": (0, 1),
            "sigma": 1,
            "1|county": 1,
        },
    ),
}

# Two grouping factors, each with intercepts, and a normal outcome.
TWO_FACTORS = {
    "wine": Real(
        "bitterness ~ temperature + contact + (1 | judge) + (1 | bottle)",
        {
            "Intercept": (50, 25),
            "temperature": (0, 25),
            "contact": (0, 25),
            "sigma": 25,
            "1|judge": 25,
            "1|bottle": 25,
        },
    ),
    "pastes": Real(
        "strength ~ 1 + (1 | batch/cask)",
        {"Intercept": (60, 10), "sigma": 5, "1|batch": 5, "1|batch:cask": 5},
    ),
    "penicillin": Real(
        "diameter ~ 1 + (1 | plate) + (1 | sample)",
        {"Intercept": (25, 10), "sigma": 3, "1|plate": 3, "1|sample": 3},
    ),
}
# Outcomes of other families.
OTHER_FAMILIES = {
    "contraception": Real(
        "uses ~ age + children + urban + (1 | district)",
        {
            "Intercept": (0, 1.5),
            "age": (0, 0.1),
            "children": (0, 1),
            "urban": (0, 1),
            "1|district": 1,
        },
        family="bernoulli",
    ),
    "grouseticks": Real(
        "ticks ~ height + year + (1 | location/brood)",
        {
            "Intercept": (0, 10),
            "height": (0, 0.03),
            "year": (0, 2),
            "alpha": 5,
            "1|location": 2,
            "1|location:brood": 2,
        },
        with_years_as_labels,
        family="negativebinomial",
    ),
}
ALL = REAL | TWO_FACTORS | OTHER_FAMILIES


def read_real(name: str) -> pd.DataFrame:
    """A table as it lies in the folder, with the columns that its formula needs."""
    return ALL[name].prepare(pd.read_csv(TABLES / f"{name}.csv"))


def scalars_of(tree: xr.DataTree, statistic: str) -> pd.Series:
    """A statistic of the exact answer, of every parameter that is none of a group, by term."""
    numbers = tree["exact"].to_dataset().sel(statistic=statistic, drop=True)
    own = [n for n in numbers if not any(str(d).endswith("__factor_dim") for d in numbers[n].dims)]
    return pd.Series(dict(diagnostics.label_entries(numbers[own])))


# What the folder's README says


def read_overview() -> pd.DataFrame:
    """By table: ``rows``, the range of an outcome (``low``, ``high``), the ``formula``, and ``groups``,
    a number for each grouping factor."""
    line = rf"\| `(\w+)` \| (\d+) \| ([\d, ]+) \| ({NUMBER}) to ({NUMBER})\b.*? \| `(.+)` \|"
    names = ["table", "rows", "groups", "low", "high", "formula"]
    found = pd.DataFrame(re.findall(line, _read_readme()), columns=names).set_index("table")
    found["groups"] = [tuple(map(int, numbers.split(", "))) for numbers in found["groups"]]
    return found.astype({"rows": int, "low": float, "high": float})


def read_reml() -> pd.DataFrame:
    """By table and term: ``estimate``, and ``se``, which is missing for sds and correlations.

    REML's; of other families those of maximum likelihood, on the scale of the link.
    """
    line = rf"\| (\w+) \| `(.+?)` \| ({NUMBER}) \| ({NUMBER})? ?\|"
    found = pd.DataFrame(
        re.findall(line, _read_readme()), columns=["table", "term", "estimate", "se"]
    )
    numbers = found[["estimate", "se"]].apply(pd.to_numeric)
    return found.assign(**numbers).set_index(["table", "term"])


def _read_readme() -> str:
    """Its text; in a table of Markdown a bar in a formula is written with a backslash."""
    return (TABLES / "README.md").read_text(encoding="utf-8").replace("\\|", "|")
