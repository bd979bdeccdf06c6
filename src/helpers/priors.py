"""What a model is before any library fits it: its name, columns, parameters and priors."""

from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd
from scipy import stats
from scipy.stats.distributions import rv_frozen

from helpers.frames import check_group, check_numeric

SDS = ("sigma", "group_sd", "slope_sd", "rho")  # given these, all else is Gaussian
EFFECTS = ("group_intercept", "group_slope")
# The parameters of each model, in the order of every table; ``rho`` only where there is a correlation.
PARAMETERS_OF = {
    "pooled": ("intercept", "slope", "sigma"),
    "random_intercept": ("intercept", "slope", "sigma", "group_sd", "group_intercept"),
    "random_slope": ("intercept", "slope", *SDS, *EFFECTS),
}
MODELS = tuple(PARAMETERS_OF)
PARAMETERS = PARAMETERS_OF["random_slope"]
# Dimensions and variables that a fit has besides, after which groups cannot be named.
RESERVED = ("chain", "draw", "obs", "statistic", "predictor", "observed_outcome")
RESERVED += ("own_intercept", "z_slope", "rho_unit")
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
    none whatever is said here).
    """

    intercept: tuple[float, float] = (200.0, 25.0)
    slope: tuple[float, float] = (0.0, 10.0)
    sigma: float = 20.0
    group_sd: float = 20.0
    slope_sd: float = 5.0
    lkj_eta: float | None = 2.0
    covariate_slope: tuple = (0.0, 10.0)

    def of_covariates(self, count):
        many = np.ndim(self.covariate_slope) == 2
        return list(self.covariate_slope) if many else [self.covariate_slope] * count

    def __post_init__(self) -> None:
        scales = {name: getattr(self, name) for name in ("sigma", "group_sd", "slope_sd")}
        for name in ("intercept", "slope"):
            given = getattr(self, name)
            pair = np.shape(given) == (2,) and isinstance(given[0], Real)
            if not pair or not np.isfinite(given[0]):
                raise ValueError(f"The prior of {name!r} is a mean and an sd, not {given!r}.")
            scales[name] = given[1]
        if self.lkj_eta is not None:
            scales["lkj_eta"] = self.lkj_eta
        for name, scale in scales.items():
            if not (isinstance(scale, Real) and 0 < scale < np.inf):
                raise ValueError(
                    f"The prior of {name!r} needs an sd or scale above 0, not {scale!r}."
                )

    def distributions(self) -> dict[str, rv_frozen]:
        """Every top-level prior as scipy writes it, by parameter; ``rho`` only if there is one.

        For a 2 x 2 correlation matrix LKJ(eta) is Beta(eta, eta), stretched to -1 to 1
        (Lewandowski, Kurowicka & Joe 2009).
        """
        priors = {name: stats.norm(*getattr(self, name)) for name in ("intercept", "slope")}
        for name in ("sigma", "group_sd", "slope_sd"):
            priors[name] = stats.halfnorm(scale=getattr(self, name))
        if self.lkj_eta is not None:
            priors["rho"] = stats.beta(self.lkj_eta, self.lkj_eta, loc=-1, scale=2)
        return priors


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
    """Which columns of a table are the outcome, the predictor and the group; by default the book's."""

    outcome: str = "bounce_time"
    predictor: str | None = "std_age"
    group: str = "county"
    covariates: tuple[str, ...] = ()


def check_choice(what: str, given: str, known: tuple[str, ...]) -> None:
    """Raise a ``ValueError`` that lists what is known unless ``given`` is among it."""
    if given not in known:
        raise ValueError(f"Unknown {what} {given!r}; choose one of {', '.join(known)}.")


def check_columns(frame: pd.DataFrame, columns: Columns) -> None:
    """Raise a ``ValueError`` unless the columns are there and a model can be fitted to them."""
    check_numeric(frame, columns.outcome)
    for column in (columns.predictor, *columns.covariates):
        if column is not None:
            check_numeric(frame, column)
    check_group(frame, columns.group)
    if frame[columns.group].nunique() < 2:
        raise ValueError(
            f"Column {columns.group!r} has one level only; group-level effects need at least two."
        )
    taken = [column for column in (columns.outcome, columns.predictor, columns.group) if column in PARAMETERS]
    if taken:
        raise ValueError(f"Column {taken[0]!r} has the name of a parameter; rename the column.")
    group = columns.group
    if not isinstance(group, str) or "/" in group or group in RESERVED:
        raise ValueError(
            f"{group!r} cannot name the groups of a fit; rename the column, to text without '/' that is "
            f"none of {', '.join(RESERVED)}."
        )
    if columns.predictor is not None and frame[columns.predictor].nunique() == 1:
        raise ValueError(f"The predictor {columns.predictor!r} is constant, so it has no slope.")
