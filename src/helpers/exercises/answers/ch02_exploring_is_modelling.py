"""Answers of "Exploring is modelling"."""

from .shared import Answer, decade_slope, firms, fit_line, slopes_per_decade, visits


def error_of_slope(county: str) -> float:
    """Standard error of a county's own slope (s per sd of age), from sums of squares."""
    rows = visits().query("county == @county")
    x, y = (rows[name] - rows[name].mean() for name in ("std_age", "bounce_time"))
    residual_ss = (y**2).sum() - (x * y).sum() ** 2 / (x**2).sum()
    return float((residual_ss / (len(rows) - 2) / (x**2).sum()) ** 0.5)


def ratio_of_errors() -> Answer:
    """Standard error of Rutland's slope over that of Cornwall's."""
    ratio = error_of_slope("Rutland") / error_of_slope("Cornwall")
    by_number = "This would hold if only the number of visits mattered. What does the table say?"
    slips = {
        by_number: (22 / 7) ** 0.5,
        "This would hold if ages were spread equally in both.": (21 / 6) ** 0.5,
        "This is the ratio of the numbers of visits.": 22 / 7,
        "Divide Rutland's error by Cornwall's, not the other way round.": 1 / ratio,
    }
    return Answer(ratio, "a ratio of two standard errors", error=0.01, slips=slips)


def slope_of_means() -> Answer:
    """Slope of the line through the eight pairs of means."""
    slopes = slopes_per_decade()
    slips = {
        "This is the line through all visits.": slopes["visits"],
        "This line counts each visit; give each county one point.": slopes["between"],
        "This is the slope within counties.": slopes["within"],
    }
    return decade_slope(slopes["groups"], 0.05, slips, "seconds per decade")


def slope_with_own_levels() -> Answer:
    """Slope within counties: ages and times as distances from their county's mean."""
    slopes = slopes_per_decade()
    slips = {
        "This is the line through all visits: county is not in the formula.": slopes["visits"],
        "This is the truth; asked for is what the visits say.": -1.5,
    }
    return decade_slope(slopes["within"], 0.05, slips, "seconds per decade")


def slope_within_firms() -> Answer:
    """Elasticity of investment within firms, from distances to the firm's means."""
    logs = firms()[["value", "invest"]]
    groups = logs.groupby(firms()["firm"])
    within = logs - groups.transform("mean")
    pooled = fit_line(logs["value"], logs["invest"])
    own = groups.apply(lambda rows: fit_line(rows["value"], rows["invest"])).mean()
    slips = {
        "This is the pooled line: firm is not in the formula.": pooled,
        "This is the mean of the firms' own slopes; fit one slope for all.": float(own),
    }
    units = {"per cent of investment per ten per cent of value": 10}
    unit = "per cent of investment per one per cent of value"
    right = fit_line(within["value"], within["invest"])
    return Answer(right, unit, error=0.01, units=units, slips=slips)


ANSWERS = {
    "exploring-noise": ratio_of_errors,
    "exploring-means": slope_of_means,
    "exploring-fixed": slope_with_own_levels,
    "exploring-firms": slope_within_firms,
}
