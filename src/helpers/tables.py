"""Tables of draws: posterior summaries, and numbers with the digits that their errors support.

Which digits: a digit stands if the Monte Carlo standard error is less than half a unit of it, and one
more is printed to guard it, so that rounding adds little to the error (``count_decimals``). The error of
a limit, two to three times that of the mean, may be a whole unit, so that most limits have the mean's
decimals. Numbers of one unit that stand below each other have the same decimals, those of the least
exact of them; the two limits share theirs. The smallest sd of such a column has two significant digits
at least, and means and limits reach its first digit. What has no error has three significant digits.
"""

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from helpers import convergence
from helpers.diagnostics import find_statistics, label_entries, monte_carlo_errors
from helpers.frames import Scale
from helpers.priors import INTERVAL, LOWER, UPPER

STATISTICS = ("mean", "sd", LOWER, UPPER)
BATCHES = 20
GUARD = 1  # digits beyond those that stand
LIMITS = [LOWER, UPPER]
MINUS = "\N{MINUS SIGN}"
# The unit of each parameter of the book; those of other predictors have one each.
UNITS = {
    **dict.fromkeys(("intercept", "sigma", "group_sd", "group_intercept"), "outcome"),
    **dict.fromkeys(("slope", "slope_sd", "group_slope"), "outcome per predictor"),
    "rho": "correlation",
}


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
    judged = convergence.judge(posterior)
    columns = {
        **find_statistics(posterior),
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

    ``draws`` are a fit, or computed from one, with the dimensions ``chain`` and ``draw``;
    ``var_names`` as in ``summarize``. Rows of one unit have the same decimals: heights and sds of the
    outcome, slopes, and in a data set all variables that are no parameters of the book, unless their
    ``attrs["units"]`` differ. Any other parameter of a fit has a unit of its own.

    Returns
    -------
    DataFrame of text indexed by the parameter's label: ``mean``, ``sd`` and the limits of the 95 %
    interval; for a fit also ``ess_bulk``, ``ess_tail`` and, unless the draws are independent,
    ``r_hat``.
    """
    table, errors = summarize(draws, var_names), monte_carlo_errors(draws)
    errors = pd.DataFrame({name: dict(label_entries(errors[name])) for name in STATISTICS})
    dataset = draws if isinstance(draws, xr.Dataset) else None
    units = table.index.map(lambda label: _unit_of(label, dataset))
    parts = [_write_rows(rows, errors.loc[rows.index]) for _, rows in table.groupby(units)]
    shown = pd.concat(parts).loc[table.index]
    if not isinstance(draws, xr.DataTree):
        return shown
    for column, digits in (("ess_bulk", 0), ("ess_tail", 0), ("r_hat", 3)):
        shown[column] = [f"{value:,.{digits}f}" for value in table[column]]
    return shown.drop(columns="r_hat") if "exact" in draws.children else shown


def _unit_of(label: str, dataset: xr.Dataset | None = None) -> str:
    """Name of the unit that a row of a fit's summary, or of a data set's, shares with others."""
    name = label.partition("[")[0]
    if name == "covariate_slope":
        return label
    return UNITS.get(name, name if dataset is None else dataset[name].attrs.get("units", ""))


def _write_rows(values: pd.DataFrame, errors: pd.DataFrame) -> pd.DataFrame:
    """Mean, sd and limits as text, for rows of one unit."""
    digit = _first_decimal(values["sd"])
    of_limits = _common_decimals(errors[LIMITS] / 2, digit)
    decimals = {
        "mean": _common_decimals(errors["mean"], digit),
        "sd": _common_decimals(errors["sd"], digit + 1),
        **dict.fromkeys(LIMITS, of_limits),
    }
    columns = {
        name: _round_all(values[name], errors[name], places) for name, places in decimals.items()
    }
    return pd.DataFrame(columns, index=values.index)


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
    return present_estimates({"": draws}, statistic).item()


def present_estimates(
    draws: Mapping[str, xr.DataArray], statistic: str | Callable[..., float] = "mean"
) -> pd.Series:
    """Write one statistic, as in ``format_estimate``, of several quantities of one unit.

    Series of text with the labels of the mapping, with the same decimals for all.
    """
    values, errors = zip(*(_estimate(one, statistic) for one in draws.values()), strict=True)
    least = _first_decimal(values) + 1 if statistic == "sd" else -np.inf
    decimals = _common_decimals(np.divide(errors, 2 if statistic in LIMITS else 1), least)
    return pd.Series(_round_all(values, errors, decimals), index=list(draws), dtype=object)


def _estimate(draws, statistic: str | Callable[..., float]) -> tuple[float, float]:
    """A statistic and its Monte Carlo standard error."""
    if callable(statistic):
        return float(statistic(draws)), _batch_error(draws, statistic)
    tail = (1 - INTERVAL) / 2
    prob = {LOWER: tail, "median": 0.5, UPPER: 1 - tail}.get(statistic)
    if prob is not None:
        value, error = draws.quantile(prob), az.mcse(draws, method="quantile", prob=prob)
    elif statistic == "sd":
        value, error = draws.std(ddof=1), az.mcse(draws, method="sd")
    else:
        value, error = draws.mean(), az.mcse(draws, method=statistic)
    return float(value), float(error)


def format_probability(event: xr.DataArray, whole: int = 1) -> str:
    """Write a probability with the digits that its Monte Carlo error supports, and never as 0 or 1.

    ``event`` says whether something holds, with the dimensions ``chain`` and ``draw``; over others,
    such as the simulated rows of a draw, the share is taken. ``whole`` is 1, or 100 for per cent.
    """
    return _write_shares([event], whole)[0]


def present_probabilities(events: Mapping[str, xr.DataArray], whole: int = 1) -> pd.Series:
    """Write several probabilities, as in ``format_probability``, with the same decimals for all.

    They have two decimals at least, and in per cent none; whoever reads down a column can compare.
    ``events`` are a mapping or a data set. Series of text with its labels.
    """
    least = 2 if whole == 1 else 0
    return pd.Series(_write_shares([*events.values()], whole, least), list(events), dtype=object)


def _write_shares(events: list[xr.DataArray], whole: int, least: float = -np.inf) -> list[str]:
    """Shares as text with the same decimals."""
    shares = [
        whole * event.mean([dim for dim in event.dims if dim not in ("chain", "draw")])
        for event in events
    ]
    # Draws that all agree leave room for one that does not; the second is NaN then.
    errors = [max(whole / share.size, float(az.mcse(share))) for share in shares]
    decimals = _common_decimals(errors, least)
    shown = []
    for share, error in zip(shares, errors, strict=True):
        text = round_off(float(share.mean()), error, decimals)
        # What no draw, or every draw, says is known to the digits that stand, without a guard.
        known = min(decimals, int(count_decimals(error)) - GUARD)
        if float(text) == 0:
            text = f"below {round_off(10.0**-known, error, known)}"
        elif float(text) == whole:
            text = f"above {round_off(whole - 10.0**-known, error, known)}"
        shown.append(text)
    return shown


def present_by_group(draws: xr.Dataset, statistic: str = "mean") -> pd.DataFrame:
    """Write one statistic, as in ``format_estimate``, of draws by group.

    The variables of ``draws`` have the dimensions ``chain``, ``draw`` and a third one. DataFrame of
    text, one column a variable, one row a label of the third dimension; each column has the same
    decimals.
    """
    (dim,) = set(draws.dims) - {"chain", "draw"}
    labels = draws[dim].values
    columns = {
        name: present_estimates(
            dict(zip(labels, array.transpose(dim, ...), strict=True)), statistic
        )
        for name, array in draws.data_vars.items()
    }
    return pd.DataFrame(columns, index=labels)


def count_decimals(error):
    """Decimals to print a number with, by its Monte Carlo standard error; negative: tens.

    One error or an array of them. The error is less than half a unit of the last digit but one; the
    last is the guard.
    """
    return np.floor(-np.log10(2 * error)).astype(int) + GUARD


def _common_decimals(errors, least: float = -np.inf) -> int | None:
    """Decimals of numbers below each other, at least ``least``; none if no error is known or all are 0."""
    errors = np.asarray(errors, dtype=float)
    known = errors[(errors > 0) & np.isfinite(errors)]
    return int(max(count_decimals(known.max()), least)) if known.size else None


def _first_decimal(sds) -> float:
    """Decimals that show one significant digit of the smallest of these sds."""
    sds = np.asarray(sds, dtype=float)
    sds = sds[(sds > 0) & np.isfinite(sds)]
    return -np.floor(np.log10(sds.min())) if sds.size else -np.inf


def round_off(value: float, error: float, decimals: int | None = None) -> str:
    """Print a number with the digits that its Monte Carlo error supports; three if it has none.

    ``decimals`` are those of the column that it stands in. A negative number has a true minus sign, so
    compute with the number, not with its text. "nan" where the error is not known: a draw is NaN, or
    a chain has fewer than eight draws.
    """
    if not 0 <= error < np.inf:
        return "nan"
    if decimals is None and error == 0:
        return f"{value:.3g}".replace("-", MINUS)
    decimals = int(count_decimals(error)) if decimals is None else decimals
    return f"{round(value, decimals) + 0.0:.{max(decimals, 0)}f}".replace("-", MINUS)


def _round_all(values: Iterable[float], errors: Iterable[float], decimals: int | None) -> list[str]:
    return [round_off(*pair, decimals) for pair in zip(values, errors, strict=True)]


def summarize_slope(
    tree: xr.DataTree, scale: Scale | None = None, per: float = 1, *, term: str = "slope"
) -> pd.Series:
    """One slope in the predictor's own units: mean, sd, 95 % interval, and P(slope < 0).

    Parameters
    ----------
    tree
        A fit; ``term`` is the slope's name in it, in a fit by formula that of the predictor.
    scale
        Mean and sd of a standardized predictor, as ``frames.scale_of`` returns them; ``None`` for one
        that was fitted in its own units.
    per
        For how many units: 10 turns a slope per year into one per decade. Nothing else multiplies.

    Returns
    -------
    Series whose name says for how much of what the slope is, such as "slope per 10 of Age (years)".
    """
    slope = _find_slope(tree, scale, per, term)
    lower, upper = slope.quantile([(1 - INTERVAL) / 2, (1 + INTERVAL) / 2]).values
    values = [float(slope.mean()), float(slope.std()), lower, upper, float((slope < 0).mean())]
    words = _name_slope(scale, per, term)
    return pd.Series(values, index=[*STATISTICS, "P(slope < 0)"], name=words)


def _find_slope(tree: xr.DataTree, scale: Scale | None, per: float, term: str) -> xr.DataArray:
    """Draws of a slope per so many units of the predictor."""
    posterior = tree["posterior"]
    if term not in posterior:
        raise ValueError(
            f"This fit has no {term!r}; name the slope by term=, one of "
            f"{', '.join(map(str, posterior.data_vars))}."
        )
    slope = posterior[term]
    return per * (slope if scale is None else scale.per_unit(slope))


def _name_slope(scale: Scale | None, per: float, term: str) -> str:
    """For how much of what a slope is."""
    plain = "the predictor" if term == "slope" else term
    return f"slope per {per:g} of {(scale.label if scale else '') or plain}"


def present_slope(
    tree: xr.DataTree, scale: Scale | None = None, per: float = 1, *, term: str = "slope"
) -> pd.Series:
    """What ``summarize_slope`` says, as text with the digits that Monte Carlo errors support."""
    shown = present_slopes({"": tree}, scale, per, term=term)
    return shown.iloc[0].rename(shown.attrs["unit"])


def present_slopes(
    trees: Mapping[str, xr.DataTree],
    scale: Scale | None = None,
    per: float = 1,
    *,
    term: str = "slope",
) -> pd.DataFrame:
    """What ``present_slope`` says of several fits, one row each, with the same decimals down a column.

    ``attrs["unit"]`` says for how much of what the slopes are.
    """
    slopes = {label: _find_slope(tree, scale, per, term) for label, tree in trees.items()}
    pairs = pd.DataFrame(
        {key: {k: _estimate(slope, key) for k, slope in slopes.items()} for key in STATISTICS}
    )
    values, errors = (pairs.map(itemgetter(place)) for place in (0, 1))
    falls = {label: slope < 0 for label, slope in slopes.items()}
    table = _write_rows(values, errors).assign(**{"P(slope < 0)": present_probabilities(falls)})
    table.attrs["unit"] = _name_slope(scale, per, term)
    return table


def present_comparison(compared: pd.DataFrame) -> pd.DataFrame:
    """What ``diagnostics.compare_with_exact`` returns, for a page.

    What was sampled has the digits that its Monte Carlo error supports, the exact number one more;
    those of a parameter have the same decimals.
    """
    units = compared.index.get_level_values("parameter").map(_unit_of)
    parts = []
    for _, rows in compared.groupby(units):
        sds = rows["sampled"][["sd" in key for key in rows.index]]
        decimals = _common_decimals(rows["mcse"], _first_decimal(sds) + 1)
        shown = {
            "sampled": _round_all(rows["sampled"], rows["mcse"], decimals),
            "exact": [round_off(value, 0, decimals + 1) for value in rows["exact"]],
            "mcse": rows["mcse"].map("{:.2g}".format),
            "difference / mcse": [
                f"{round(x, 1) + 0.0:.1f}".replace("-", MINUS) for x in rows["difference"]
            ],
        }
        parts.append(pd.DataFrame(shown, index=rows.index))
    return pd.concat(parts).loc[compared.index]


def _batch_error(draws: xr.DataArray | xr.Dataset | xr.DataTree, statistic: Callable) -> float:
    """Monte Carlo standard error of any statistic, from its scatter over stretches of the chains."""
    positions = np.array_split(np.arange(draws.sizes["draw"]), BATCHES)
    values = [float(statistic(draws.isel(draw=position))) for position in positions]
    return np.std(values, ddof=1) / np.sqrt(BATCHES)
