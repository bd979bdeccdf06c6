"""Answers of "Reporting the analysis", counted by hand."""

from .shared import Answer

ANSWERS = {
    "rp-missing": Answer(  # of eighteen rows the section has one, R-hat
        18 - 1,
        "rows of the checklist",
        slips={
            "One row is there: each section of the report has to hold the text.": 18,
            "Far more than the draws is missing; one is the number of rows that are there.": 1,
        },
    ),
    "rp-refuse": Answer(  # the Monte Carlo error falls with the root of the draws
        10.0**2,
        "a number of times",
        error=0.5,
        slips={
            "The error falls with the root of the draws, not with the draws.": 10.0,
            "This is the number of draws that there were.": 30.0,
            "This is the root of the step: the draws go with its square.": 10.0**0.5,
        },
    ),
    "rp-again": Answer(  # the variances of two independent halves' means add
        2**0.5,
        "Monte Carlo standard errors of one half",
        error=0.02,
        slips={
            "A seed repeats one run; these two drew different numbers.": 0.0,
            "Both runs have an error, and their variances add.": 1.0,
            "Variances add, not standard errors.": 2.0,
            "This is the error of the mean of both, not of their difference.": 0.5**0.5,
        },
    ),
}
