"""Answers of "What we learned", by least squares and (restricted) likelihood."""

import statsmodels.formula.api as smf
from statsmodels.datasets import grunfeld

from .shared import (
    Answer,
    decade_slope,
    exact_mean,
    firms,
    fit_line,
    per_decade,
    slopes_per_decade,
    visits,
)


def slope_of_any_two_visitors() -> Answer:
    """The line through all visits, by least squares."""
    slopes = slopes_per_decade()
    one_county = "This compares two visitors of one county; here nothing is known of counties."
    slips = {
        one_county: slopes["within"],
        "This compares the means of counties, not two visitors.": slopes["groups"],
    }
    return decade_slope(slopes["visits"], 0.1, slips, "seconds for ten years of age")


def slope_within_counties() -> Answer:
    """The line through all visits when each age counts from its county's mean, by least squares."""
    slopes, age = slopes_per_decade(), visits()["age"]
    within = age - age.groupby(visits()["county"], observed=True).transform("mean")
    raw = "This is the slope on the ages as they are: subtract the county's mean first."
    mixed = per_decade(exact_mean("random_intercept", "slope"))
    slips = {
        raw: slopes["visits"],
        "This is the slope of the random intercept.": mixed,
        "This is the truth; asked for is what the visits say.": -1.5,
    }
    more = {"seconds per sd of the age within counties": within.std() / 10}
    return decade_slope(slopes["within"], 0.06, slips, more=more)


def elasticity_beside_the_years() -> Answer:
    """Slope of log investment on log value with firms and years crossed, by restricted likelihood."""
    table = firms().assign(year=grunfeld.load_pandas().data["year"], all=1)
    effects = {name: f"0 + C({name})" for name in ("firm", "year")}
    both = smf.mixedlm("invest ~ value", table, groups="all", vc_formula=effects).fit()
    of_firms = smf.mixedlm("invest ~ value", table, groups="firm").fit()
    columns = smf.ols("invest ~ value + C(firm) + C(year)", table).fit()
    fixed = "This is least squares with a column for each firm and year; let their effects vary instead."
    slips = {
        "This is the slope with firms alone: the years are missing.": of_firms.params["value"],
        "This is the slope of the pooled regression.": fit_line(table["value"], table["invest"]),
        fixed: columns.params["value"],
    }
    slips = {sentence: float(value) for sentence, value in slips.items()}
    units = {"log units per sd of the log of value": float(table["value"].std())}
    unit = "per cent of investment per one per cent of value"
    return Answer(float(both.params["value"]), unit, error=0.02, units=units, slips=slips)


ANSWERS = {
    "wl-question": slope_of_any_two_visitors,
    "wl-within": slope_within_counties,
    "wl-firms": elasticity_beside_the_years,
}
