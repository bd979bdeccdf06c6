"""Tables of draws: posterior summaries, and numbers with the digits that their errors support."""

from collections.abc import Callable

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from helpers import convergence
from helpers.diagnostics import label_entries, monte_carlo_errors
from helpers.frames import Scale
from helpers.priors import INTERVAL, LOWER, UPPER

STATISTICS = ("mean", "sd", LOWER, UPPER)
BATCHES = 20


def summarize(tree: xr.DataTree | xr.Dataset, var_names: list[str] | None = None) -> pd.DataFrame:
    """Summarize a posterior, one row a scalar.

    All numbers are those of ``az.summary``, which is slower for thousands of groups, and in ArviZ 1.3
    can put them beside wrong labels when variables share dimensions. ``var_names`` are shown in
    their order; by default all.

    Returns
    -------
    DataFrame indexed by the parameter's label, with ``mean`` and ``sd``, the limits of the 95 %
    equal-tailed interval, the Monte Carlo standard error of the mean, ``ess_bulk``, ``ess_tail``
    and ``r_hat``; not rounded.
    """
    posterior = tree["posterior"].to_dataset() if isinstance(tree, xr.DataTree) else tree
    names = [var_names] if isinstance(var_names, str) else var_names or list(posterior.data_vars)
    posterior = posterior[list(dict.fromkeys(names))]
    tail, dims = (1 - INTERVAL) / 2, ["chain", "draw"]
    limits = posterior.quantile([tail, 1 - tail], dims)
    judged = convergence.judge(posterior)
    columns = {
        "mean": posterior.mean(dims),
        "sd": posterior.std(dims, ddof=1),
        LOWER: limits.isel(quantile=0, drop=True),
        UPPER: limits.isel(quantile=1, drop=True),
        "mcse_mean": convergence.mcse_mean(posterior),
        "ess_bulk": judged["bulk ESS"],
        "ess_tail": judged["tail ESS"],
        "r_hat": judged["R-hat"],
    }
    table = pd.DataFrame({name: dict(label_entries(found)) for name, found in columns.items()})
    return table.astype(float).rename_axis("parameter")


def present_summary(
    draws: xr.DataTree | xr.Dataset, var_names: list[str] | None = None
) -> pd.DataFrame:
    """Summarize draws for a page, with the digits that their Monte Carlo errors support.

    A digit is printed if its Monte Carlo standard error is less than half a unit of it. ``draws``
    are a fit, or computed from one, with the dimensions ``chain`` and ``draw``; ``var_names`` as in
    ``summarize``.

    Returns
    -------
    DataFrame of text indexed by the parameter's label: ``mean``, ``sd`` and the limits of the 95 %
    interval; for a fit also ``ess_bulk``, ``ess_tail`` and, unless the draws are independent,
    ``r_hat``.
    """
    table = summarize(draws, var_names)
    errors = monte_carlo_errors(draws)
    shown = pd.DataFrame(index=table.index)
    for statistic in STATISTICS:
        error = pd.Series(dict(label_entries(errors[statistic])))[table.index]
        shown[statistic] = [*map(round_off, table[statistic], error)]
    if not isinstance(draws, xr.DataTree):
        return shown
    for column, digits in (("ess_bulk", 0), ("ess_tail", 0), ("r_hat", 3)):
        shown[column] = [f"{value:,.{digits}f}" for value in table[column]]
    return shown.drop(columns="r_hat") if "exact" in draws.children else shown


def format_estimate(
    draws: xr.DataArray | xr.Dataset | xr.DataTree, statistic: str | Callable[..., float] = "mean"
) -> str:
    """Write one number with the digits that its Monte Carlo error supports.

    Parameters
    ----------
    draws
        Draws of one scalar with the dimensions ``chain`` and ``draw``; for a function of yours
        whatever it takes, as long as ``.isel(draw=...)`` cuts it.
    statistic
        "mean", "sd", "median", a limit of the 95 % interval, or a function of ``draws`` that
        returns a number. The error of a function is found by batches: its sd over 20 successive
        stretches of the chains, divided by the square root of 20 (Geyer 1992).
    """
    if callable(statistic):
        return round_off(float(statistic(draws)), _batch_error(draws, statistic))
    tail = (1 - INTERVAL) / 2
    prob = {LOWER: tail, "median": 0.5, UPPER: 1 - tail}.get(statistic)
    if prob is not None:
        value, error = draws.quantile(prob), az.mcse(draws, method="quantile", prob=prob)
    elif statistic == "sd":
        value, error = draws.std(ddof=1), az.mcse(draws, method="sd")
    else:
        value, error = draws.mean(), az.mcse(draws, method=statistic)
    return round_off(float(value), float(error))


def format_probability(event: xr.DataArray, whole: int = 1) -> str:
    """Write a probability with the digits that its Monte Carlo error supports, and never as 0 or 1.

    ``event`` says whether something holds, with the dimensions ``chain`` and ``draw``; over others,
    such as the simulated rows of a draw, the share is taken. ``whole`` is 1, or 100 for per cent.
    """
    share = whole * event.mean([dim for dim in event.dims if dim not in ("chain", "draw")])
    # Draws that all agree leave room for one that does not.
    error = max(whole / share.size, float(az.mcse(share)))  # the first if the other is NaN
    text = round_off(float(share.mean()), error)
    decimals = count_decimals(error)
    if float(text) == 0:
        return f"below {round_off(10.0**-decimals, error)}"
    return f"above {round_off(whole - 10.0**-decimals, error)}" if float(text) == whole else text


def present_by_group(draws: xr.Dataset, statistic: str = "mean") -> pd.DataFrame:
    """Write one statistic, as in ``format_estimate``, of draws by group.

    The variables of ``draws`` have the dimensions ``chain``, ``draw`` and a third one. DataFrame of
    text, one column a variable, one row a label of the third dimension.
    """
    (dim,) = set(draws.dims) - {"chain", "draw"}
    columns = {
        name: [format_estimate(one, statistic) for one in array.transpose(dim, ...)]
        for name, array in draws.data_vars.items()
    }
    return pd.DataFrame(columns, index=draws[dim].values)


def count_decimals(error):
    """Decimals that each Monte Carlo error, one or an array, leaves standing; negative: tens."""
    return np.floor(-np.log10(2 * error)).astype(int)


def round_off(value: float, error: float) -> str:
    """Print a number with the digits that its Monte Carlo error supports; three if it has none.

    "nan" where the error is not known: a draw is NaN, or a chain has fewer than eight draws.
    """
    if not 0 <= error < np.inf:
        return "nan"
    if error == 0:
        return f"{value:.3g}"
    decimals = int(count_decimals(error))
    return f"{round(value, decimals) + 0.0:.{max(decimals, 0)}f}"


def summarize_slope(tree: xr.DataTree, scale: Scale, per: float = 1) -> pd.Series:
    """The slope in the predictor's own units: mean, sd, 95 % interval, and P(slope < 0).

    The predictor of the fit is standardized, with its mean and sd in ``scale``, as
    ``frames.scale_of`` returns them. ``per`` is how many units: 10 turns a slope per year into one
    per decade.
    """
    slope = per * scale.per_unit(tree["posterior"]["slope"])
    lower, upper = slope.quantile([(1 - INTERVAL) / 2, (1 + INTERVAL) / 2]).values
    values = [float(slope.mean()), float(slope.std()), lower, upper, float((slope < 0).mean())]
    return pd.Series(values, index=[*STATISTICS, "P(slope < 0)"])


def present_slope(tree: xr.DataTree, scale: Scale, per: float = 1) -> pd.Series:
    """What ``summarize_slope`` says, as text with the digits that Monte Carlo errors support."""
    slope = per * scale.per_unit(tree["posterior"]["slope"])
    shown = {statistic: format_estimate(slope, statistic) for statistic in STATISTICS}
    return pd.Series(shown | {"P(slope < 0)": format_probability(slope < 0)})


def present_comparison(compared: pd.DataFrame) -> pd.DataFrame:
    """What ``diagnostics.compare_with_exact`` returns, for a page.

    What was sampled has the digits that its Monte Carlo error supports, the exact number two more.
    """
    shown = {
        "sampled": [*map(round_off, compared["sampled"], compared["mcse"])],
        "exact": [*map(round_off, compared["exact"], compared["mcse"] / 100)],
        "mcse": compared["mcse"].map("{:.2g}".format),
        "difference / mcse": compared["difference"].map("{:.1f}".format),
    }
    return pd.DataFrame(shown, index=compared.index)


def _batch_error(draws: xr.DataArray | xr.Dataset | xr.DataTree, statistic: Callable) -> float:
    """Monte Carlo standard error of any statistic, from its scatter over stretches of the chains."""
    positions = np.array_split(np.arange(draws.sizes["draw"]), BATCHES)
    values = [float(statistic(draws.isel(draw=position))) for position in positions]
    return np.std(values, ddof=1) / np.sqrt(BATCHES)
