"""Answers of "The data and the question"."""

from helpers.book.visits import COUNTIES

from .shared import Answer, age_scale, visits


def slope_of_colleague() -> Answer:
    """A slope of -2 s per sd of age in seconds per decade."""
    sd = age_scale().sd
    slips = {
        "This is the slope per sd, as reported.": -2.0,
        "Divide by the sd of age, do not multiply.": -2.0 * sd / 10,
        "This is the truth, not what the colleague found.": -1.5,
    }
    units = {"seconds per year": 0.1}
    return Answer(-2.0 / (sd / 10), "seconds per decade", error=0.01, units=units, slips=slips)


def slope_of_a_visit() -> Answer:
    """The true slope averaged over the rows of the table."""
    slopes = COUNTIES["slope_per_decade"]
    slips = {"This still gives each county one vote.": float(slopes.mean())}
    units = {"seconds per year": 0.1}
    right = float(visits()["county"].astype(str).map(slopes).mean())
    return Answer(right, "seconds per decade", error=0.005, units=units, slips=slips)


ANSWERS = {
    "data-units": slope_of_colleague,
    "data-break": Answer(  # the second row below the header
        1 + 2,
        "a row, as a spreadsheet numbers it",
        slips={
            "A spreadsheet counts the header, too.": 2,
            "Python counts from zero; a reader with a spreadsheet does not.": 1,
        },
    ),
    "data-vote": slope_of_a_visit,
}
