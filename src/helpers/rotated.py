"""Rows rotated within their groups: a few that carry all that the likelihood needs, and what is left.

A rotation of a group's rows changes no squares, so the likelihood of a linear model with normal
residuals is the same for the rotated rows. QR makes two rows of a group carry all that concerns its
line, and the rest one row a covariate for all groups together. All rows that remain are pure noise,
of which the sum of squares is enough.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.priors import Columns, check_names

NO_LENGTH = 1e-12  # of a column's squares: what is left of them by rounding


@dataclass(frozen=True)
class Rotated:
    """Rotated rows of a table of sufficient statistics.

    ``ones``, ``x`` and ``y`` of shape (R,) are what became of the column of ones, the predictor and
    the outcome, ``z`` (R, K) of the covariates; ``group`` (R,) is the number of each row's group,
    and for rows of all groups, where ``ones`` and ``x`` are 0, any number. ``residual_ss`` is the
    sum of the squares of the ``spare`` outcomes that are noise only.
    """

    ones: np.ndarray
    x: np.ndarray
    z: np.ndarray
    y: np.ndarray
    group: np.ndarray
    residual_ss: float
    spare: int


def is_statistics(table: object) -> bool:
    """Whether a table is a result of ``exact.sufficient_statistics``, and not one of rows."""
    columns = set(getattr(table, "columns", ()))
    return isinstance(table, pd.DataFrame) and {"n", "outcome_mean", "residual_ss"} <= columns


def columns_of(statistics: pd.DataFrame, columns: Columns) -> Columns:
    """The columns of a model of sufficient statistics, which know predictor and covariates.

    Covariates are those that are asked for, or all; the groups are called as the index is. A
    ``ValueError`` says if the statistics lack something.
    """
    known = names_in(statistics)
    predictor = columns.predictor if "predictor" in known else None
    covariates = tuple(name for name in known if name not in ("predictor", "outcome"))
    group = statistics.index.name or columns.group
    for column in columns.covariates:
        if column not in covariates:
            raise ValueError(
                f"The sufficient statistics know no covariate {column!r}; make them with "
                f"covariates=({column!r},)."
            )
    named = Columns(columns.outcome, predictor, group, columns.covariates or covariates)
    check_names(named)
    if len(statistics) < 2:
        raise ValueError(
            f"Column {group!r} has one level only; group-level effects need at least two."
        )
    return named


def rotate(statistics: pd.DataFrame, columns: Columns) -> Rotated:
    """Rotate the rows that a table of sufficient statistics stands for.

    ``columns`` are those of ``columns_of``. A ``ValueError`` says where a predictor is constant, or
    no scatter is left that could tell sigma.
    """
    named = ["predictor"] if columns.predictor else []
    names = [*named, *columns.covariates, "outcome"]
    n, means, within = unpack(statistics, names)
    x_mean, x_ss = np.zeros(len(n)), np.zeros(len(n))
    products = np.zeros((len(n), len(names)))
    if "predictor" in names:
        x_mean, x_ss, products = means[:, 0], within[:, 0, 0], within[:, 0, 1:]
        means, within = means[:, 1:], within[:, 1:, 1:]
    tilted = x_ss > 0
    tilt = products[tilted] / np.sqrt(x_ss[tilted, None])
    # Of all groups together, what their own lines in the predictor leave.
    left = within.sum(axis=0) - tilt.T @ tilt
    left[-1, -1] = statistics["residual_ss"].sum()  # has digits that the difference lacks
    shared, residual_ss = _reduce_rest(left, np.einsum("jkk->k", within))
    upright = np.sqrt(n)
    number = np.arange(len(n))
    none = np.zeros(len(shared))
    rows = np.concatenate([upright[:, None] * means, tilt, shared])
    spare = int(n.sum()) - len(rows)
    if spare > 0 and residual_ss <= NO_LENGTH**2 * within[:, -1, -1].sum():
        raise ValueError(
            "The outcome lies on straight lines without any scatter, so sigma has no lower limit."
        )
    return Rotated(
        ones=np.concatenate([upright, np.zeros(tilted.sum()), none]),
        x=np.concatenate([upright * x_mean, np.sqrt(x_ss[tilted]), none]),
        z=rows[:, :-1],
        y=rows[:, -1],
        group=np.concatenate([number, number[tilted], np.zeros(len(shared), dtype=int)]),
        residual_ss=float(residual_ss),
        spare=spare,
    )


def names_in(statistics: pd.DataFrame) -> list[str]:
    """What sufficient statistics are of: "predictor" if there is one, covariates, "outcome"."""
    return [name.removesuffix("_mean") for name in statistics if str(name).endswith("_mean")]


def unpack(statistics: pd.DataFrame, names: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows (J,), means (J, C) of the columns with these names, and squares and products around
    them (J, C, C)."""
    means = statistics[[f"{name}_mean" for name in names]].to_numpy(float)
    products = np.empty((len(means), len(names), len(names)))
    for a, b in zip(*np.triu_indices(len(names)), strict=True):
        values = statistics[name_product(names[a], names[b])].to_numpy(float)
        products[:, a, b] = products[:, b, a] = values
    return statistics["n"].to_numpy(float), means, products


def name_product(first: str, second: str) -> str:
    """Column of sufficient statistics with the products of two columns, in their order."""
    if (first, second) == ("predictor", "outcome"):
        return "product_ss"
    return f"{first}_ss" if first == second else f"{first}_{second}_ss"


def _reduce_rest(left: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, float]:
    """One row (K + 1,) for each direction in which covariates still vary, and the squares left.

    ``left`` are squares and products (K + 1, K + 1), the outcome last; ``scale`` (K + 1,) are what
    the squares were at first, beside which rounding is seen.
    """
    unit = np.sqrt(np.where(scale[:-1] > 0, scale[:-1], 1.0))
    lengths, directions = np.linalg.eigh(left[:-1, :-1] / np.outer(unit, unit))
    there = lengths > NO_LENGTH * len(unit)
    length, directions = np.sqrt(lengths[there]), directions[:, there]
    rows = (length * directions).T * unit
    outcome = directions.T @ (left[:-1, -1] / unit) / length
    rest = left[-1, -1] - (outcome**2).sum()
    return np.column_stack([rows, outcome]), max(rest, 0.0)
