"""Answers of "Does it need more?"."""

import numpy as np
from scipy import special, stats

from .shared import Answer, decade_slope, fit_line, share, visits


def student_t_residuals():
    """Degrees of freedom, scale and weight of each point of a grid: Student-t residuals of fixed lines."""
    by_county = visits().groupby("county", observed=True)[["std_age", "bounce_time"]]
    x, y = by_county.transform(lambda values: values - values.mean()).to_numpy().T
    residual = (y - x * (x @ y) / (x @ x)) * np.sqrt(len(x) / (len(x) - 9))
    nu, sigma = np.meshgrid(np.geomspace(3, 150, 40), np.linspace(6.5, 9.5, 40))
    log_posterior = stats.t.logpdf(residual[:, None, None], nu, scale=sigma).sum(axis=0)
    log_posterior += stats.gamma.logpdf(nu, 2, scale=10) + np.log(nu)
    return nu, sigma, special.softmax(log_posterior)


def residual_sd_of_student_t() -> Answer:
    """Mean residual sd of the Student-t model, by a grid over its two last parameters."""
    nu, sigma, weight = student_t_residuals()
    sd = sigma * np.sqrt(nu / (nu - 2))
    scale = "This is the scale `sigma` of the Student-t, and not yet an sd."
    slips = {
        scale: float((weight * sigma).sum()),
        "This is a variance, in squared seconds: take its root.": float((weight * sd**2).sum()),
    }
    return Answer(float((weight * sd).sum()), "seconds", error=0.15, slips=slips)


def slope_within(frame) -> float:
    """Slope within counties (s per decade) by least squares."""
    own = frame.groupby("county", observed=True)[["age", "bounce_time"]]
    centred = frame[["age", "bounce_time"]] - own.transform("mean")
    return 10 * fit_line(centred["age"], centred["bounce_time"])


def slope_of_late_visitors() -> Answer:
    """Slope if the oldest twelve for their county stay a minute longer, by least squares within counties."""
    frame = visits()
    within = frame["age"] - frame.groupby("county", observed=True)["age"].transform("mean")
    oldest = frame.index.isin(within.nlargest(12).index)
    late = frame.assign(bounce_time=frame["bounce_time"] + 60 * oldest)
    slips = {"This is the slope without the open tabs.": slope_within(frame)}
    return decade_slope(slope_within(late), 0.06, slips)


def power_of_residual_check() -> Answer:
    """How often the check notices a county of 7 visits with an sd 1.5 times as large (chi-square)."""

    def notice(n, factor, prob=0.975):
        return float(stats.chi2.sf(stats.chi2.ppf(prob, n - 1) / factor**2, n - 1))

    ends = "The bar has two ends: its upper limit leaves 2.5 % above it, not 5 %."
    slips = {
        "This is how often the county goes unseen.": 1 - notice(7, 1.5),
        "This is Cornwall's share: take the county with the fewest visits.": notice(22, 1.5),
        "This is another factor: take the county whose sd is half as large again.": notice(7, 2),
        ends: notice(7, 1.5, 0.95),
    }
    return share(notice(7, 1.5), error=0.04, slips=slips)


ANSWERS = {
    "ex-sigma": residual_sd_of_student_t,
    "ex-old": slope_of_late_visitors,
    "ex-power": power_of_residual_check,
}
