"""Answers of "Next steps"."""

import numpy as np
import pandas as pd
from scipy import special

from helpers.book.visits import data_file

from .shared import Answer, decade_slope, per_decade, share, visits


def sd_of_slope(groups: int, rows: int, slope_sd: float = 1, sigma: float = 8) -> float:
    """Sd of the population's slope when all sds are known, from the whole covariance of one group's rows."""
    x = np.resize([-1.0, 1.0], rows)
    design = np.column_stack([np.ones(rows), x])
    covariance = 12**2 + slope_sd**2 * np.outer(x, x) + sigma**2 * np.eye(rows)
    precision = groups * design.T @ np.linalg.solve(covariance, design)
    return float(np.sqrt(np.linalg.inv(precision)[1, 1]))


def ratio_of_plans() -> Answer:
    """Sd of the slope with 16 groups of 40 rows over that with 64 groups of 10."""
    ratio = sd_of_slope(16, 40) / sd_of_slope(64, 10)
    slips = {
        "This is the other way round: few counties over many.": 1 / ratio,
        "This is a ratio of variances: take its root.": ratio**2,
        "This counts the counties only, as if each were known as well in both plans.": 2.0,
        "This would hold if all counties had one slope; theirs differ.": 1.0,
        "This is for the slopes of single counties; the question is about the population's.": 0.5,
    }
    return Answer(ratio, "a ratio of two sds", error=0.012, slips=slips)


def icc_of_batches() -> Answer:
    """Posterior mean of the ICC by sums over a grid of both sds, the mean of the yields integrated."""
    table = pd.read_csv(data_file("tables/dyestuff.csv")).groupby("batch")["yield"]
    means, rows = table.mean().to_numpy(), int(table.size().iloc[0])
    squares = float(((table.obj - table.transform("mean")) ** 2).sum())
    sigma, tau = np.meshgrid(np.linspace(20, 150, 300), np.linspace(0.25, 300, 600))
    of_mean = tau**2 + sigma**2 / rows  # variance of a batch's mean
    count = len(means)
    log_density = -count * (rows - 1) * np.log(sigma) - squares / (2 * sigma**2)
    # Means given the sds: equal variances, and a shared part from the prior of the intercept.
    shared = of_mean + count * 250**2
    apart = float(((means - means.mean()) ** 2).sum())
    log_density -= (count - 1) / 2 * np.log(of_mean) + np.log(shared) / 2
    log_density -= apart / (2 * of_mean) + count * (means.mean() - 1500) ** 2 / (2 * shared)
    log_density -= (sigma**2 + tau**2) / (2 * 100**2)
    weight = special.softmax(log_density)
    icc = float((weight * tau**2 / (tau**2 + sigma**2)).sum())
    return share(icc, error=0.012, slips={"This is the share *within* batches.": 1 - icc})


def slope_of_younger() -> Answer:
    """Slope of visitors up to 55 in a random intercept with known sds: generalized least squares."""
    frame = visits()

    def slope(rows: pd.DataFrame) -> float:
        own = pd.get_dummies(rows["county"], dtype=float).to_numpy()
        design = np.column_stack([np.ones(len(rows)), rows["std_age"]])
        covariance = 8.3**2 * np.eye(len(rows)) + 12.5**2 * own @ own.T
        solved = np.linalg.solve(covariance, design)
        precision = design.T @ solved + np.diag([1 / 25**2, 1 / 10**2])
        target = solved.T @ rows["bounce_time"] + np.array([200 / 25**2, 0])
        return float(np.linalg.solve(precision, target)[1])

    younger = slope(frame[frame["age"] <= 55])
    slips = {"This is the slope of all visitors.": per_decade(slope(frame))}
    return decade_slope(per_decade(younger), 0.07, slips)


ANSWERS = {
    "ns-plan": ratio_of_plans,
    "ns-icc": icc_of_batches,
    "ns-old": slope_of_younger,
}
