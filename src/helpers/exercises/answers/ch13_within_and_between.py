"""Answers of "Why did the sign flip?"."""

from functools import cache

import xarray as xr

from helpers.exact import exact_posterior
from helpers.frames import Scale
from helpers.priors import Priors

from .shared import (
    Answer,
    age_scale,
    exact_mean,
    firms,
    fit_line,
    per_decade,
    slopes_per_decade,
    visits,
    yes_or_no,
)


@cache
def between_counties() -> tuple[xr.Dataset, Scale]:
    """Exact line through the counties' times, without what age does within them: Mundlak's second."""
    by_county = visits().groupby("county", observed=True)
    ages = by_county["age"].mean()
    within = visits()["std_age"] - by_county["std_age"].transform("mean")
    slope = (within * visits()["bounce_time"]).sum() / (within**2).sum()
    scale = Scale(ages.mean(), ages.std())
    frame = visits().assign(
        rest=visits()["bounce_time"] - slope * within,
        county_age=visits()["county"].map(scale.standardize(ages)).astype(float),
    )
    columns = {"outcome": "rest", "predictor": "county_age"}
    found = exact_posterior("random_intercept", frame, priors=Priors(slope=(0.0, 20.0)), **columns)
    return found["exact"].to_dataset().sel(statistic="mean"), scale


def change_in_kent() -> Answer:
    """The least-squares slope within counties, which the wide prior hardly moves."""
    line, scale = between_counties()
    within, between = slopes_per_decade()["within"], 10 * float(line["slope"]) / scale.sd
    mixed = per_decade(exact_mean("random_intercept", "slope"))
    slips = {
        "This slope compares Kent with another county, but Kent stays Kent.": between,
        "This compares visitors of one age in two counties.": between - within,
        "This slope mixes two comparisons: take the one within counties.": mixed,
    }
    units = {"the change for one year": 0.1, "seconds per sd of age": age_scale().sd / 10}
    return Answer(within, "seconds", error=0.04, units=units, slips=slips)


def median_of_a_ninth_county() -> Answer:
    """The line between counties at a mean age of 55; a deviation has the median 0."""
    line, scale = between_counties()
    intercept, slope = (exact_mean("random_intercept", name) for name in ("intercept", "slope"))
    other = "This comes of the other model, the slope within counties, or another mean age."
    slips = {other: intercept + slope * age_scale().standardize(55)}
    right = float(line["intercept"] + line["slope"] * scale.standardize(55))
    return Answer(right, "seconds", error=1.0, slips=slips)


def contextual_slope_of_firms() -> Answer:
    """Least squares on the firms' means minus least squares on the distances from them."""
    logs = firms().set_index("firm")
    means = logs.groupby("firm").mean()
    distances = logs - logs.groupby("firm").transform("mean")
    within, between = (fit_line(part["value"], part["invest"]) for part in (distances, means))
    slips = {
        "This is the slope within firms: subtract it from the other.": within,
        "This is the slope between firms: subtract the one within.": between,
        "This is a ratio: take the difference.": between / within,
    }
    unit = "a difference of two slopes without a unit"
    return Answer(between - within, unit, error=0.03, slips=slips)


ANSWERS = {
    "wb-which": change_in_kent,
    "wb-counties": yes_or_no(  # the number of counties cancels: the interval shrinks around a bias
        "no", "Counties add to both precisions alike: look at the interval of the last row."
    ),
    "wb-ninth": median_of_a_ninth_county,
    "wb-firms": contextual_slope_of_firms,
}
