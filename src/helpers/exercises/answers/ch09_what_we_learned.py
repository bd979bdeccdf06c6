"""Answers of "What we learned", by least squares."""

from .shared import (
    Answer,
    decade_slope,
    exact_mean,
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


ANSWERS = {
    "wl-question": slope_of_any_two_visitors,
    "wl-within": slope_within_counties,
}
