"""The right answers of the exercises that have one, computed by another route than their solutions."""

from functools import cache

from helpers import data, selfcheck
from helpers.exact import exact_posterior
from helpers.selfcheck import Answer, ask

__all__ = ["ANSWERS", "ask", "check"]


def check(label: str, given: object) -> str:
    """Judge the answer to an exercise of the book; see ``selfcheck.check``."""
    return selfcheck.check(ANSWERS, label, given)


@cache
def _visits():
    return data.standardize(data.load_bounce_times(), "age")


@cache
def _exact(name: str):
    """Means and quantiles of the exact posterior of a model of the book."""
    return exact_posterior(name, _visits())["exact"].to_dataset()


def weight_of_rutland() -> Answer:
    """Mean weight of seven visits if counties differ by 2 s."""
    variance = _exact("random_intercept")["sigma"].sel(statistic="mean") ** 2

    def weigh(n, tau):
        return float(n / (n + variance / tau**2))

    return Answer(
        weigh(7, 2.0),
        "a share between 0 and 1",
        error=0.005,
        units={"per cent": 100},
        slips={
            "This is the weight of the other counties' evidence.": 1 - weigh(7, 2.0),
            "The variance ratio takes squares: of sigma and of the group sd.": 7
            / (7 + float(variance**0.5) / 2),
            "This is Kent's weight: use the visits of Rutland.": weigh(150, 2.0),
        },
    )


ANSWERS = {
    "ri-weight": weight_of_rutland,
}
