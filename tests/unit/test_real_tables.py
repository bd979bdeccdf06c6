"""Published tables: what the folder says of them is so, and under wide priors the exact answer is REML's.

With flat priors the density of the sds is the restricted likelihood, so REML's sds are its mode, and given
these sds coefficients and their errors are REML's. The whole posterior adds what is not known of the sds.
"""

import functools
import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from statsmodels.tools.sm_exceptions import ConvergenceWarning

from helpers import exact, models
from helpers.exact.gaussian import condition_on
from helpers.terms import as_model, read_terms
from real_tables import (
    ALL,
    REAL,
    TABLES,
    TWO_FACTORS,
    read_overview,
    read_real,
    read_reml,
    scalars_of,
)

OVERVIEW, REML = read_overview(), read_reml()
# Of all groups equally many rows with the same predictors, or nearly so: then no estimate depends on the sds.
BALANCED = ("sleepstudy", "orthodont", "oxboys", "ergostool", "machines", "rail", "cake")
BALANCED += ("dyestuff", "dyestuff2", "bodyweight")
ONE_MEAN = ("machines", "rail", "dyestuff")  # balanced, with few groups that have intercepts only
UNSURE = ("dyestuff2", "cabbages", "journals")  # sds of groups that could be 0
# Told by differences within groups, all or nearly: as good as independent of how groups differ.
WITHIN = {
    "orthodont": ("age", "age:sex[male]"),
    "ergostool": ("stool[T2]", "stool[T3]", "stool[T4]"),
    "machines": ("machine[B]", "machine[C]"),
    "cake": ("temperature", "recipe:temperature[B]", "recipe:temperature[C]"),
    "cabbages": ("head_weight", "cultivar[c52]"),
    "grunfeld": ("value", "capital"),
    "radon": ("floor",),
}
WIDE = 30.0  # scales of half-normal priors, in sds of the outcome
SLOW = ("nlschools",)  # a grid that takes half a minute; the deep lane asks for it

each_table = pytest.mark.parametrize("name", REAL)


def wide_priors(name: str) -> dict:
    """Priors that say next to nothing: a thousand estimates and errors wide, LKJ(1)."""
    terms, known = read_terms(REAL[name].formula, read_real(name)), REML.loc[name]
    columns = terms.design.common.as_dataframe()
    spread = WIDE * float(np.std(terms.design.response.design_matrix))
    priors = {"rho": 1} if "rho" in known.index else {}
    for term in terms.parameters:
        if term == "sigma":
            priors[term] = spread
        elif term in terms.by_group:
            effect = terms.by_group[term][0]
            priors[term] = spread / (1.0 if effect == "1" else float(columns[effect].std()))
        else:
            own = known[known.index.str.split("[").str[0] == term]
            priors[term] = 0.0, 1000 * float((own["estimate"].abs() + own["se"]).max())
    return priors


# The folder


def test_every_table_has_a_line_and_a_section_that_explains_its_columns():
    files = {path.stem: path for path in TABLES.glob("*.csv")}
    assert set(files) == set(OVERVIEW.index) == set(ALL) == set(REML.index.get_level_values(0))
    text = (TABLES / "README.md").read_text(encoding="utf-8")
    for name, path in files.items():
        section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        told = section + ("`yield` `batch`" if name == "dyestuff2" else "")
        assert [c for c in pd.read_csv(path).columns if f"`{c}`" not in told] == []
    assert sum(path.stat().st_size for path in TABLES.iterdir()) < 200_000


@pytest.mark.parametrize("name", ALL)
def test_rows_groups_range_and_formula_are_as_told(name):
    told, frame = OVERVIEW.loc[name], read_real(name)
    terms = read_terms(ALL[name].formula, frame)
    assert told["formula"] == ALL[name].formula
    assert told["rows"] == len(frame)
    assert told["groups"] == tuple(map(terms.count_groups, terms.factors))
    outcome = frame["subscriptions"] if name == "journals" else frame[terms.outcome]
    assert outcome.between(told["low"], told["high"]).all()


# REML


def fit_by_statsmodels(name: str):
    """REML by another library and another reader of formulas; ``yield`` is a word of Python there.

    None of its optimizers finds all of these maxima: one is for intercepts alone.
    """
    population, _, by_group = REAL[name].formula.rpartition(" + (")
    effects, group = by_group.rstrip(")").split(" | ")
    frame = read_real(name).rename(columns={"yield": "grams"})
    population = population.replace("yield", "grams")
    model = smf.mixedlm(population, frame, groups=frame[group], re_formula=f"~ {effects}")
    return model.fit(reml=True, method=["powell" if effects == "1" else "cg"])


def in_our_names(term: str) -> str:
    """ "recipe[T.B]:temperature" as "recipe:temperature[B]"."""
    levels = re.findall(r"\[T\.(.+?)\]", term)
    return re.sub(r"\[.+?\]", "", term) + (f"[{', '.join(levels)}]" if levels else "")


def sds_of(name: str) -> list[float]:
    """REML's sigma, sds of groups, and correlation, in this order."""
    known = REML.loc[name, "estimate"]
    return [known[term] for term in known.index if term.endswith("sigma") or term == "rho"]


def check_estimates(name: str, found) -> None:
    """Estimates of statsmodels against those that the folder names."""
    known = REML.loc[name]
    coefficients = known.dropna()
    estimates = found.fe_params.rename(index=in_our_names)[coefficients.index]
    assert (((estimates - coefficients["estimate"]) / coefficients["se"]).abs() < 0.01).all()
    sigma, *of_groups = sds_of(name)
    sds = np.sqrt(np.diag(found.cov_re))
    assert np.sqrt(found.scale) == pytest.approx(sigma, rel=0.002)
    assert sds == pytest.approx(of_groups[: len(sds)], rel=0.005, abs=1e-3)


@pytest.mark.parametrize("name", [name for name in REAL if name != "dyestuff2"])
def test_statsmodels_finds_the_estimates_that_the_folder_names(name):
    check_estimates(name, fit_by_statsmodels(name))


def test_statsmodels_finds_no_differences_between_batches_that_were_made_without():
    with pytest.warns(ConvergenceWarning, match="on the boundary"):
        check_estimates("dyestuff2", fit_by_statsmodels("dyestuff2"))


@pytest.mark.parametrize("name", TWO_FACTORS)
def test_statsmodels_finds_the_estimates_of_two_grouping_factors(name):
    """There all rows are one group, and the factors are components of its variance."""
    frame, known = read_real(name), REML.loc[name]
    terms = read_terms(TWO_FACTORS[name].formula, frame)
    components = {
        factor: "0 + " + ":".join(f"C({column})" for column in factor.split(":"))
        for factor in terms.factors
    }
    population = TWO_FACTORS[name].formula.partition(" + (")[0]
    model = smf.mixedlm(population, frame.assign(all=1), groups="all", vc_formula=components)
    if (known["estimate"] == 0).any():  # where only one of the optimizers is no worse off
        with pytest.warns(ConvergenceWarning, match="on the boundary"):
            found = model.fit(reml=True, method=["powell"])
    else:
        found = model.fit(reml=True)
    coefficients = known.dropna()
    estimates = found.fe_params.rename(index=in_our_names)[coefficients.index]
    assert (((estimates - coefficients["estimate"]) / coefficients["se"]).abs() < 0.01).all()
    sds = dict(zip(model.exog_vc.names, np.sqrt(found.vcomp), strict=True))
    for factor in terms.factors:
        assert sds[factor] == pytest.approx(known.loc[f"1|{factor}_sigma", "estimate"], abs=0.01)
    assert np.sqrt(found.scale) == pytest.approx(known.loc["sigma", "estimate"], rel=0.002)


@each_table
def test_given_the_sds_of_reml_coefficients_and_errors_are_reml_s(name):
    """They are printed to six digits. REML's sds are the mode: no other sd near them is likelier."""
    frame, known = read_real(name), REML.loc[name].dropna()
    model = as_model(REAL[name].formula, frame, wide_priors(name), {})
    sums = exact.sufficient_statistics(model.frame, **vars(model.columns))
    sds = sds_of(name)
    log_density, line, covariance = condition_on(sums, *sds, priors=model.priors)
    labels = ["Intercept", *columns_of(model)]
    found = pd.DataFrame({"estimate": line[0], "se": np.sqrt(np.diag(covariance[0]))}, labels)
    found = found.rename(index=with_level_last).loc[known.index]
    assert found["se"].to_numpy() == pytest.approx(known["se"].to_numpy(), rel=1e-4)
    assert (((found - known)["estimate"] / known["se"]).abs() < 1e-3).all()
    for place, sd in enumerate(sds):
        for other in (0.98 * sd, 1.02 * sd) if sd else (0.1,):
            moved = [*sds[:place], other, *sds[place + 1 :]]
            assert condition_on(sums, *moved, priors=model.priors)[0] < log_density


def columns_of(model) -> list[str]:
    """Columns of the population's design matrix, the one with slopes by group first."""
    return list(model.columns.predictors)


def with_level_last(column: str) -> str:
    """ "recipe[B]:temperature" as "recipe:temperature[B]"."""
    return re.sub(r"^(.+?)(\[.+?\]):(.+)$", r"\1:\3\2", column)


# The whole posterior


@pytest.fixture(scope="module")
def wide_answers():
    """The exact answer of a table under wide priors, beside REML's; each is asked for once."""

    @functools.cache
    def answer(name: str) -> pd.DataFrame:
        asked = {"priors": wide_priors(name), "backend": "exact", "draws": 10}
        tree = models.fit(REAL[name].formula, read_real(name), **asked)
        found = {s: scalars_of(tree, s) for s in ("mean", "sd", "2.5 %", "50 %", "97.5 %")}
        return REML.loc[name].join(pd.DataFrame(found))

    return answer


@pytest.mark.parametrize("name", [name for name in REAL if name not in SLOW])
def test_coefficients_are_those_of_reml_and_less_certain(wide_answers, name):
    """REML's errors are those of known sds. In a balanced table no estimate depends on the sds."""
    found = wide_answers(name).dropna()
    off = ((found["mean"] - found["estimate"]) / found["se"]).abs()
    assert (off < (1e-3 if name in BALANCED else 0.3)).all()
    assert (found["sd"] / found["se"] > 1).all()
    within = found.loc[list(WITHIN.get(name, ()))]
    assert (within["sd"] / within["se"] < 1.1).all()


@pytest.mark.parametrize("name", ONE_MEAN)
def test_a_mean_of_few_groups_has_the_tails_of_student(wide_answers, name):
    """With a flat prior of group_sd it is t with J - 2 degrees of freedom, as the squares between J
    groups follow an inverse chi-squared (Box & Tiao 1973)."""
    found, groups = wide_answers(name).loc["Intercept"], OVERVIEW.loc[name, "groups"][0]
    expected = np.sqrt((groups - 1) / (groups - 4))
    assert found["sd"] / found["se"] == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("name", [n for n in REAL if n not in (*SLOW, *UNSURE)])
def test_sds_of_groups_lie_around_reml_s_and_rather_above(wide_answers, name):
    """REML's is the mode of a density with a long tail to the right, the longer the fewer groups."""
    found = wide_answers(name)
    ratio = found["50 %"] / found["estimate"]
    assert 1 < ratio["sigma"] < 1.1
    of_groups = ratio[ratio.index.str.endswith("_sigma")]
    few = OVERVIEW.loc[name, "groups"][0] < 12
    assert of_groups.between(1, 1.3 if few else 1.15).all()
    inside = found["estimate"].between(found["2.5 %"], found["97.5 %"])
    assert inside.all()


def test_no_differences_between_groups_are_an_interval_and_not_0(wide_answers):
    """REML says 0 for batches that were made without differences, and cannot say how sure that is."""
    batches = wide_answers("dyestuff2").loc["1|batch_sigma"]
    assert batches["estimate"] == 0
    assert 0 < batches["2.5 %"] < 0.1 and batches["50 %"] > 0.5 and batches["97.5 %"] > 3


def test_three_groups_leave_their_sd_to_the_prior(wide_answers):
    dates = wide_answers("cabbages").loc["1|planted_sigma"]
    assert dates["97.5 %"] > 10 * dates["estimate"]
    formula, priors = REAL["cabbages"].formula, REAL["cabbages"].priors
    asked = {"priors": priors, "backend": "exact", "draws": 10}
    ours = models.fit(formula, read_real("cabbages"), **asked)
    upper = scalars_of(ours, "97.5 %")["1|planted_sigma"]
    assert upper < dates["97.5 %"] / 3


def test_a_tax_goes_with_more_deaths_between_states_and_with_fewer_within():
    """Slopes by least squares, as printed by Stock & Watson (2007); one slope for both lies between."""
    frame = read_real("fatalities")
    through_all = np.polyfit(frame["beer_tax"], frame["fatality_rate"], 1)[0]
    own = frame[["beer_tax", "fatality_rate"]]
    own = own - own.groupby(frame["state"]).transform("mean")
    within = np.polyfit(own["beer_tax"], own["fatality_rate"], 1)[0]
    assert (round(through_all, 2), round(within, 2)) == (0.36, -0.66)
    assert within < REML.loc[("fatalities", "beer_tax"), "estimate"] < through_all
