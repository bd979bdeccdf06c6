"""Answers of "When the table is large", from the rows themselves."""

import numpy as np

from helpers.book.large import SCALE, simulate_visits
from helpers.book.truth import true_parameters

from .shared import Answer, age_scale, visits


def counties_for_an_sd() -> Answer:
    """Counties of which the mean slope has an sd of 0.01 s per sd of age, by counting them up."""
    decades = true_parameters()["slope_sd"]
    spread = decades * SCALE.sd / 10
    counts = np.arange(1, 10_000)
    needed = int(counts[spread / np.sqrt(counts) <= 0.01][0])
    slips = {
        "The sd falls with the root of the number of counties.": spread / 0.01,
        "This is from the sd per decade: the slope is per sd of age.": (decades / 0.01) ** 2,
        "This is from an sd of 0.1.": (spread / 0.1) ** 2,
    }
    return Answer(needed, "a number of counties", error=5, slips=slips)


def squares_of_devon() -> Answer:
    """Squares of age around Devon's mean, from its visits."""
    frame = visits()
    frame = frame[frame["county"] == "Devon"]
    age = frame["std_age"]
    parts = [part for _, part in age.groupby(frame["age"] < 45)]
    slips = {
        "The parts differ in their means, and that is scatter too.": sum(
            part.var(ddof=0) * len(part) for part in parts
        ),
        "This is a variance: the sum of squares is wanted.": age.var(),
    }
    units = {"squared years": age_scale().sd ** 2}
    value = age.var(ddof=0) * len(age)
    return Answer(value, "squared sds of age", error=0.05, units=units, slips=slips)


def times_the_median_scatter() -> Answer:
    """Residual sd of the county with the wrong row beside the median county's, by least squares."""
    frame = simulate_visits(100_000, 100).df()
    residual_sds = {}
    for county, own in frame.groupby("county"):
        x, y = own["std_age"].to_numpy(), own["bounce_time"].to_numpy()
        if county == 99:
            x, y = np.append(x, 0.0), np.append(y, 200_000.0)
        columns = np.column_stack([np.ones_like(x), x])
        residual = y - columns @ np.linalg.lstsq(columns, y)[0]
        residual_sds[county] = np.sqrt(residual @ residual / (len(x) - 2))
    median = np.median(list(residual_sds.values()))
    times = residual_sds[99] / median
    slips = {
        "These are variances: compare sds.": times**2,
        "This is an sd in seconds: how many times the median is it?": residual_sds[99],
        "This is the median county's sd.": median,
        "One row does matter here: look at the largest sd.": 1.0,
    }
    return Answer(times, "a number of times", error=0.01 * times, slips=slips)


ANSWERS = {
    "lt-counties": counties_for_an_sd,
    "lt-merge": squares_of_devon,
    "lt-wrong": times_the_median_scatter,
}
