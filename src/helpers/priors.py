"""What a model is before any library fits it: its name, columns, parameters and priors."""

from collections import Counter
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd
from scipy import stats
from scipy.stats.distributions import rv_frozen

from helpers.frames import check_group, check_numeric

SDS = ("sigma", "group_sd", "slope_sd", "rho")  # given these, all else is Gaussian
EFFECTS = ("group_intercept", "group_slope")
# What each model can have, in the order of every table: ``slope`` only with a predictor,
# ``covariate_slope`` only with covariates, ``rho`` only where there is a correlation.
LINE = ("intercept", "slope", "covariate_slope")
PARAMETERS_OF = {
    "pooled": (*LINE, "sigma"),
    "random_intercept": (*LINE, "sigma", "group_sd", "group_intercept"),
    "random_slope": (*LINE, *SDS, *EFFECTS),
}
MODELS = tuple(PARAMETERS_OF)
# What the three names stand for, with the book's columns.
FORMULAS = {
    "pooled": "bounce_time ~ std_age",
    "random_intercept": "bounce_time ~ std_age + (1 | county)",
    "random_slope": "bounce_time ~ std_age + (std_age | county)",
}
PARAMETERS = PARAMETERS_OF["random_slope"]
# Dimensions and variables that a fit has besides, after which groups cannot be named.
RESERVED = ("chain", "draw", "obs", "statistic", "predictor", "covariate", "observed_outcome")
RESERVED += ("own_intercept", "own_slope", "z_intercept", "z_slope", "z_rest", "rho_unit")
RESERVED += ("outcome", "rotated", "residual_ss")
INTERVAL = 0.95  # the book's one interval, equal-tailed
LOWER, UPPER = "2.5 %", "97.5 %"
SEED = 2020


@dataclass(frozen=True)
class Priors:
    """Priors in seconds, for a standardized predictor. The defaults are the book's choice.

    ``intercept`` and ``slope`` have a normal prior, given by its mean and sd; ``sigma``, the
    residual sd, and ``group_sd`` and ``slope_sd``, the sds of the group-level intercepts and
    slopes, a half-normal one, given by its scale. ``lkj_eta`` is the LKJ concentration of the
    correlation between group-level intercepts and slopes; ``None`` for no correlation (Bambi has
    none whatever is said here). ``covariate_slope`` is the normal prior of the slope of every
    covariate, or a tuple of such priors, one a covariate in their order.
    """

    intercept: tuple[float, float] = (200.0, 25.0)
    slope: tuple[float, float] = (0.0, 10.0)
    sigma: float = 20.0
    group_sd: float = 20.0
    slope_sd: float = 5.0
    lkj_eta: float | None = 2.0
    covariate_slope: tuple[float, float] | tuple[tuple[float, float], ...] = (0.0, 10.0)

    def __post_init__(self) -> None:
        scales = {name: getattr(self, name) for name in ("sigma", "group_sd", "slope_sd")}
        for name in ("intercept", "slope"):
            scales[name] = _sd_of(name, getattr(self, name))
        own = self.covariate_slope if self._one_a_covariate else (self.covariate_slope,)
        for number, given in enumerate(own):
            name = f"covariate_slope[{number}]" if self._one_a_covariate else "covariate_slope"
            scales[name] = _sd_of(name, given)
        if self.lkj_eta is not None:
            scales["lkj_eta"] = self.lkj_eta
        for name, scale in scales.items():
            if not (isinstance(scale, Real) and 0 < scale < np.inf):
                raise ValueError(
                    f"The prior of {name!r} needs an sd or scale above 0, not {scale!r}."
                )

    @property
    def _one_a_covariate(self) -> bool:
        given = self.covariate_slope
        return isinstance(given, tuple) and not any(isinstance(entry, Real) for entry in given)

    def of_covariates(self, count: int) -> list[tuple[float, float]]:
        """Mean and sd of the prior of each of ``count`` covariates' slopes.

        A ``ValueError`` says if priors are given one by one and not as many.
        """
        if not self._one_a_covariate:
            return [self.covariate_slope] * count
        if len(self.covariate_slope) != count:
            raise ValueError(
                f"The prior of 'covariate_slope' is given for {len(self.covariate_slope)} covariates, "
                f"but there are {count}; give one for each in their order, or one for all."
            )
        return list(self.covariate_slope)

    def distributions(self) -> dict[str, rv_frozen]:
        """Every top-level prior as scipy writes it, by parameter; ``rho`` only if there is one.

        Those of covariates are ``of_covariates``.

        For a 2 x 2 correlation matrix LKJ(eta) is Beta(eta, eta), stretched to -1 to 1
        (Lewandowski, Kurowicka & Joe 2009).
        """
        priors = {name: stats.norm(*getattr(self, name)) for name in ("intercept", "slope")}
        for name in ("sigma", "group_sd", "slope_sd"):
            priors[name] = stats.halfnorm(scale=getattr(self, name))
        if self.lkj_eta is not None:
            priors["rho"] = stats.beta(self.lkj_eta, self.lkj_eta, loc=-1, scale=2)
        return priors


def _sd_of(name: str, given: tuple[float, float]) -> float:
    """The sd of a normal prior, if it is one."""
    pair = isinstance(given, (tuple, list, np.ndarray)) and len(given) == 2
    if not pair or not all(isinstance(one, Real) for one in given) or not np.isfinite(given[0]):
        raise ValueError(f"The prior of {name!r} is a mean and an sd, not {given!r}.")
    return given[1]


@dataclass(frozen=True)
class Plausible:
    """Outcomes below ``low`` are impossible, above ``high`` implausible; both in ``unit``.

    The default is for bounce times: nobody stays ten minutes on a page that people leave after
    three.
    """

    low: float = 0.0
    high: float = 600.0
    unit: str = "s"


@dataclass(frozen=True)
class Columns:
    """Which columns of a table a model reads; by default the book's.

    ``predictor`` may have slopes by group, or be ``None``: intercepts only. ``covariates`` are
    further numeric columns, whose slopes all groups share.
    """

    outcome: str = "bounce_time"
    predictor: str | None = "std_age"
    group: str = "county"
    covariates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.covariates, str):
            raise ValueError(
                f"covariates is a tuple of columns, not the text {self.covariates!r}; write "
                f"({self.covariates!r},)."
            )
        object.__setattr__(self, "covariates", tuple(self.covariates))

    @property
    def predictors(self) -> tuple[str, ...]:
        """The predictor, if there is one, and the covariates."""
        own = () if self.predictor is None else (self.predictor,)
        return (*own, *self.covariates)

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, in the order outcome, predictor, covariates, group."""
        return (self.outcome, *self.predictors, self.group)

    @property
    def outcome_variable(self) -> str:
        """What a fit calls the outcome: its column, or "outcome" if no variable can have its name."""
        column = self.outcome
        free = isinstance(column, str) and column and "/" not in column
        return column if free and column not in (*RESERVED, self.group) else "outcome"


def check_choice(what: str, given: str, known: tuple[str, ...]) -> None:
    """Raise a ``ValueError`` that lists what is known unless ``given`` is among it."""
    if given not in known:
        raise ValueError(f"Unknown {what} {given!r}; choose one of {', '.join(known)}.")


def check_columns(frame: pd.DataFrame, columns: Columns) -> None:
    """Raise a ``ValueError`` unless the columns are there and a model can be fitted to them."""
    for column in (columns.outcome, *columns.predictors):
        check_numeric(frame, column)
    check_group(frame, columns.group)
    if frame[columns.group].nunique() < 2:
        raise ValueError(
            f"Column {columns.group!r} has one level only; group-level effects need at least two."
        )
    check_names(columns)
    for column in columns.predictors:
        if frame[column].nunique() == 1:
            what = "predictor" if column == columns.predictor else "covariate"
            raise ValueError(f"The {what} {column!r} is constant, so it has no slope.")


def check_names(columns: Columns) -> None:
    """Raise a ``ValueError`` unless the names of the columns can name parts of a fit."""
    taken = [column for column in columns.names if column in PARAMETERS]
    if taken:
        raise ValueError(f"Column {taken[0]!r} has the name of a parameter; rename the column.")
    group = columns.group
    if not isinstance(group, str) or "/" in group or group in RESERVED:
        raise ValueError(
            f"{group!r} cannot name the groups of a fit; rename the column, to text without '/' that is "
            f"none of {', '.join(RESERVED)}."
        )
    first, times = (
        Counter(map(str, columns.predictors)).most_common(1)[0] if columns.predictors else ("", 1)
    )
    if times > 1:
        raise ValueError(f"Column {first!r} is given twice among predictor and covariates.")
    if columns.outcome in columns.predictors:
        raise ValueError(f"The outcome {columns.outcome!r} cannot be a predictor of itself.")


def check_slope(name: str, columns: Columns) -> None:
    """Raise a ``ValueError`` if slopes by group are asked for without a predictor."""
    if name == "random_slope" and columns.predictor is None:
        raise ValueError(
            "The model 'random_slope' needs a predictor; without one, use 'random_intercept'."
        )
