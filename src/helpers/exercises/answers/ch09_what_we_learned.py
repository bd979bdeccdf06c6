"""Answers of "What we learned", by least squares; the sleep study's by columns in place of a formula."""

import pandas as pd

from helpers.book.visits import data_file
from helpers.exact import exact_posterior
from helpers.priors import Priors

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


def sd_of_the_mean_slope() -> Answer:
    """The posterior sd of the slope of days where people have lines of their own."""
    sleep = pd.read_csv(data_file("tables/sleepstudy.csv"))
    priors = Priors((300, 100), (0, 20), sigma=50, group_sd=50, slope_sd=15)
    columns = {"outcome": "reaction", "predictor": "days", "group": "subject"}
    found = {
        name: float(
            exact_posterior(name, sleep, priors=priors, **columns)["exact"]["slope"].sel(
                statistic="sd"
            )
        )
        for name in ("pooled", "random_intercept", "random_slope")
    }
    slips = {
        "This is the sd of one line for all.": found["pooled"],
        "Here people have levels of their own, and one slope: they need slopes, too.": found[
            "random_intercept"
        ],
    }
    return Answer(found["random_slope"], "ms per day", 0.1, slips=slips)


ANSWERS = {
    "wl-question": slope_of_any_two_visitors,
    "wl-within": slope_within_counties,
    "wl-sleep": sd_of_the_mean_slope,
}
