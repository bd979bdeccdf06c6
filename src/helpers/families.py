"""Five families of outcomes: what a mean can be, how outcomes scatter around it, what they cannot be.

A linear predictor is on the scale of the family's link, a mean is on the outcome's. Names are Bambi's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import special

from helpers.frames import name_row

GAUSSIAN = "gaussian"
LARGEST = 27.0  # linear predictor on the log scale: a mean of half a trillion is as large as any
MOST = 1e15  # mean of a single count, as large as numpy draws counts


def _same(values):
    return values


def _exponential(eta):
    return np.exp(np.minimum(eta, LARGEST))


# By name: the link, and its inverse.
LINKS: dict[str, tuple[Callable, Callable]] = {
    "identity": (_same, _same),
    "log": (np.log, _exponential),
    "logit": (special.logit, special.expit),
}


@dataclass(frozen=True)
class Family:
    """How outcomes scatter around their mean.

    ``link`` is "identity", "log" or "logit". ``auxiliary`` is the parameter besides the mean, if there
    is one: ``sigma``, the residual sd; ``alpha`` of gamma, the shape, with which outcomes have the sd
    mean / sqrt(alpha); ``alpha`` of negativebinomial, whose variance is mean + mean^2 / alpha.
    ``outcomes`` says in words what outcomes can be. ``parent`` is what Bambi calls the mean.
    """

    name: str
    link: str
    auxiliary: str | None
    outcomes: str
    _allows: Callable = field(repr=False)
    _draw: Callable = field(repr=False)
    parent: str = "mu"

    @property
    def is_count(self) -> bool:
        return self.link == "log" and self.name != "gamma"

    def to_link(self, mean):
        """The linear predictor of means, of any shape."""
        return LINKS[self.link][0](mean)

    def mean(self, eta):
        """The means, in the outcome's unit, of linear predictors: arrays of any shape, or xarray's."""
        return LINKS[self.link][1](eta)

    def draw(self, rng: np.random.Generator, mean, auxiliary=None) -> np.ndarray:
        """An outcome of each mean; ``auxiliary`` broadcasts with the means, without one it is ignored."""
        return self._draw(rng, np.asarray(mean), auxiliary)

    def check(self, outcome: pd.Series, column: str) -> None:
        """Raise a ``ValueError`` that names the row if an outcome is none that the family has."""
        values = outcome.to_numpy(dtype=float)
        wrong = ~self._allows(values)
        if wrong.any():
            first = int(wrong.argmax())
            raise ValueError(
                f"Column {column!r} has {values[first]:g} in row {name_row(outcome, first)}, but outcomes "
                f"of the family {self.name!r} are {self.outcomes}; recode the column, repair or drop the "
                "row, or choose another family."
            )


def _is_count(values: np.ndarray) -> np.ndarray:
    return (values >= 0) & (values == np.round(values))


def _draw_yes_or_no(rng: np.random.Generator, mean: np.ndarray, _) -> np.ndarray:
    return (rng.random(mean.shape) < mean).astype(float)


def _draw_gamma(rng: np.random.Generator, mean: np.ndarray, alpha) -> np.ndarray:
    """Above 0, also where alpha is so small that no number of Python is small enough."""
    return np.maximum(rng.gamma(alpha, mean / alpha), np.finfo(float).tiny)


def _draw_counts(rng: np.random.Generator, mean: np.ndarray, _) -> np.ndarray:
    return rng.poisson(np.minimum(mean, MOST)).astype(float)


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            GAUSSIAN, "identity", "sigma", "numbers", np.isfinite,
            lambda rng, mean, sigma: mean + sigma * rng.normal(size=mean.shape),
        ),
        Family("gamma", "log", "alpha", "numbers above 0", lambda values: values > 0, _draw_gamma),
        Family(
            "bernoulli", "logit", None, "0 (no) and 1 (yes)",
            lambda values: np.isin(values, (0, 1)), _draw_yes_or_no, "p",
        ),
        Family("poisson", "log", None, "counts (0, 1, 2, ...)", _is_count, _draw_counts),
        # Counts whose own means scatter as gamma does.
        Family(
            "negativebinomial", "log", "alpha", "counts (0, 1, 2, ...)", _is_count,
            lambda rng, mean, alpha: _draw_counts(rng, _draw_gamma(rng, mean, alpha), None),
        ),
    )
}  # fmt: skip


def find_family(name: str) -> Family:
    """The family of a name; a ``ValueError`` lists those that there are."""
    if name == "binomial":
        raise ValueError(
            "The family 'binomial' counts the yeses of several trials; write one row a trial, with 1 for "
            "yes and 0 for no, and choose 'bernoulli'."
        )
    if name not in FAMILIES:
        raise ValueError(f"Unknown family {name!r}; choose one of {', '.join(FAMILIES)}.")
    return FAMILIES[name]
