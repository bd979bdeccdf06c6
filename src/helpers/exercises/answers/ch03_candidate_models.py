"""Answers of "Three candidate models"; values to sample are counted circle by circle."""

from .shared import Answer, visits


def count(groups: int, effects: int) -> int:
    """Intercept, slope and sigma; for each effect an sd, and a value a group."""
    return 3 + effects * (1 + groups)


def first_to_leave() -> Answer:
    """Of Kent and Rutland, the one whose visits say more about a slope."""
    std_age = visits().groupby("county", observed=True)["std_age"]
    information = std_age.var() * (std_age.size() - 1)
    slips = {"Its own slope lies far away, but how well is it known?": "Rutland"}
    return Answer(information[["Kent", "Rutland"]].idxmax(), slips=slips)


ANSWERS = {
    "cm-count": Answer(
        {"pooled": 3, "random_intercept": count(20, 1), "random_slope": count(20, 2) + 1},
        "values to sample",
        slips={
            "A circle on the plate of counties counts once a county.": 5,
            "Circles on the plate of counties count once a county.": 8,
            "This is the count for eight counties.": count(8, 1),
            "This is the count for eight counties, too.": count(8, 2) + 1,
            "One circle is missing: what ties a county's two effects together?": count(20, 2),
        },
    ),
    "cm-formula": Answer(
        {"(std_age|county)": count(8, 2), "(0 + std_age|county)": count(8, 1)},
        "values to sample",
        slips={
            "Bambi's formula has no correlation.": count(8, 2) + 1,
            "The baseline, the slope and the residual sd are still there.": count(8, 1) - 3,
            "The sd of the counties' slopes is a value, too.": count(8, 1) - 1,
        },
    ),
    "cm-rutland": first_to_leave,
}
