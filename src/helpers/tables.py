"""The tables of the book: posterior summaries, slopes in seconds per decade, and the truth beside them."""

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from helpers.data import Scale, truth_on_scale
from helpers.diagnostics import label_entries, monte_carlo_errors
from helpers.specification import INTERVAL, LOWER, UPPER

# Decimals of a slope in seconds per decade that a few thousand effective draws support.
SLOPE_DIGITS = {"mean": 1, "sd": 2, LOWER: 1, UPPER: 1, "P(slope < 0)": 3}


def summarize(tree: xr.DataTree, var_names: list[str] | None = None) -> pd.DataFrame:
    """Summarize a posterior, one row a scalar.

    ``az.summary`` of ArviZ 1.3 can put numbers beside wrong labels when variables share dimensions, so
    it is asked for one variable at a time.

    Parameters
    ----------
    tree
        A fit with the group ``posterior``.
    var_names
        Variables to show, in this order; all of them by default.

    Returns
    -------
    DataFrame indexed by the parameter's label, with ``mean`` and ``sd``, the limits of the 95 %
    equal-tailed interval, the Monte Carlo standard error of the mean, ``ess_bulk``, ``ess_tail`` and
    ``r_hat``; not rounded.
    """
    posterior = tree["posterior"].to_dataset()
    names = list(posterior.data_vars) if var_names is None else var_names
    table = pd.concat(
        az.summary(posterior[[name]], ci_prob=INTERVAL, ci_kind="eti", round_to="none")
        for name in names
    )
    table = table.rename(columns={"eti95_lb": LOWER, "eti95_ub": UPPER})
    table = table[["mean", "sd", LOWER, UPPER, "mcse_mean", "ess_bulk", "ess_tail", "r_hat"]]
    return table.astype(float).rename_axis("parameter")


def present(tree: xr.DataTree, var_names: list[str] | None = None) -> pd.DataFrame:
    """Summarize a posterior for a page, with the digits that its Monte Carlo errors support.

    A digit is printed if its Monte Carlo standard error is less than half a unit of it.

    Parameters
    ----------
    tree, var_names
        As in ``summarize``.

    Returns
    -------
    DataFrame of text indexed by the parameter's label: ``mean``, ``sd`` and the limits of the 95 %
    interval, ``ess_bulk``, ``ess_tail`` and, unless the draws are independent, ``r_hat``.
    """
    table = summarize(tree, var_names)
    errors = monte_carlo_errors(tree)
    shown = pd.DataFrame(index=table.index)
    for statistic in ("mean", "sd", LOWER, UPPER):
        error = pd.Series(dict(label_entries(errors[statistic])))[table.index]
        shown[statistic] = [_print(*pair) for pair in zip(table[statistic], error, strict=True)]
    for column, digits in (("ess_bulk", 0), ("ess_tail", 0), ("r_hat", 3)):
        shown[column] = [f"{value:,.{digits}f}" for value in table[column]]
    return shown.drop(columns="r_hat") if "exact" in tree.children else shown


def count_decimals(error: float) -> int:
    """Decimals that a Monte Carlo error leaves standing; negative ones mean tens."""
    return int(np.floor(-np.log10(2 * error)))


def against_truth(tree: xr.DataTree, scale: Scale) -> pd.DataFrame:
    """Set a posterior beside the values that the data were simulated from.

    Parameters
    ----------
    tree
        A fit of one of the book's models to the book's data.
    scale
        Mean and sd of age (years).

    Returns
    -------
    DataFrame with ``truth``, ``mean``, the limits of the 95 % interval, and ``holds truth``: whether
    the truth lies between them; rows are the parameters that have a true value. Units are the model's.
    """
    truth = _flatten(truth_on_scale(scale))
    table = summarize(tree)[["mean", LOWER, UPPER]]
    table = table[table.index.isin(truth.index)]
    table.insert(0, "truth", truth[table.index])
    table["holds truth"] = table["truth"].between(table[LOWER], table[UPPER])
    return table


def slope_per_decade(tree: xr.DataTree, scale: Scale) -> pd.Series:
    """The slope in seconds per decade of age: mean, sd, 95 % interval, and P(slope < 0).

    Parameters
    ----------
    tree
        A fit whose predictor is the standardized age.
    scale
        Mean and sd of age (years).
    """
    slope = 10 * scale.per_unit(tree["posterior"]["slope"])
    lower, upper = slope.quantile([(1 - INTERVAL) / 2, (1 + INTERVAL) / 2]).values
    values = [float(slope.mean()), float(slope.std()), lower, upper, float((slope < 0).mean())]
    return pd.Series(values, index=["mean", "sd", LOWER, UPPER, "P(slope < 0)"])


def _flatten(parameters: dict) -> pd.Series:
    """Scalars and Series by county under the labels that ``summarize`` uses."""
    flat = {}
    for name, value in parameters.items():
        if isinstance(value, pd.Series):
            flat |= {f"{name}[{label}]": entry for label, entry in value.items()}
        else:
            flat[name] = value
    return pd.Series(flat)


def _print(value: float, error: float) -> str:
    decimals = count_decimals(error)
    return f"{round(value, decimals) + 0.0:.{max(decimals, 0)}f}"
