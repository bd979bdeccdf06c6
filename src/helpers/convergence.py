"""R-hat, effective sample sizes and Monte Carlo errors of thousands of numbers at once.

ArviZ prepares the draws of one number after the other: cuts chains in two, turns draws into ranks,
marks tails. Here all numbers of a variable are prepared together, and ArviZ computes what it always
does from the result. The definitions are those of Vehtari et al. (2021); chains of fewer than eight
draws give NaN.
"""

from collections.abc import Callable

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats
from scipy import special, stats

CHUNK = 2_000_000  # draws worked on at once, so that memory does not grow with the numbers
TAILS = (0.05, 0.95)
KINDS = ("R-hat", "bulk ESS", "tail ESS")
OWN = "_diagnostic"  # a dimension that no posterior has
LEAST = 4  # draws of half a chain


def judge(draws: xr.Dataset) -> dict[str, xr.Dataset]:
    """R-hat (the larger one of draws and folded draws), bulk and tail ESS of every number.

    The dict has the keys "R-hat", "bulk ESS" and "tail ESS"; the tails are those beyond the 5 % and
    the 95 % quantile.
    """
    found = _by_number(draws, _judge)
    return {name: found.isel({OWN: number}, drop=True) for number, name in enumerate(KINDS)}


def mcse_mean(draws: xr.Dataset) -> xr.Dataset:
    """Monte Carlo standard error of the mean."""
    return _by_number(draws, lambda x: x.std(axis=(1, 2), ddof=1) / np.sqrt(_ess(_split(x))))


def mcse_sd(draws: xr.Dataset) -> xr.Dataset:
    """Monte Carlo standard error of the sd."""
    return _by_number(draws, _mcse_sd)


def mcse_quantile(draws: xr.Dataset, prob: float) -> xr.Dataset:
    """Monte Carlo standard error of a quantile."""
    return _by_number(draws, lambda x: _mcse_quantile(x, prob))


def _by_number(draws: xr.Dataset, compute: Callable[[np.ndarray], np.ndarray]) -> xr.Dataset:
    """Apply a function of arrays (numbers, chain, draw) to all variables, some numbers at a time.

    The function returns an array (..., numbers); what stands before becomes the dimension ``OWN``.
    """
    results = {}
    for name, array in draws.data_vars.items():
        array = array.transpose(..., "chain", "draw")
        values = np.asarray(array.values, dtype=float)
        shape = values.shape[:-2]
        values = values.reshape(-1, *values.shape[-2:])
        length = max(1, CHUNK // values[0].size) if values.size else 1
        parts = [compute(values[i : i + length]) for i in range(0, len(values), length)]
        found = np.concatenate(parts, axis=-1)
        dims = [*([OWN] if found.ndim == 2 else []), *array.dims[:-2]]
        coords = {dim: array[dim] for dim in array.dims[:-2] if dim in array.coords}
        results[name] = xr.DataArray(found.reshape((*found.shape[:-1], *shape)), coords, dims)
    return xr.Dataset(results)


def _judge(values: np.ndarray) -> np.ndarray:
    """R-hat, bulk and tail ESS, (3, numbers), of draws (numbers, chain, draw)."""
    halves = _split(values)
    ranks = _z_scale(halves)
    folded = _z_scale(abs(halves - np.median(halves, axis=(1, 2), keepdims=True)))
    both = np.maximum(_r_hat(ranks), _r_hat(folded))
    if values.shape[1] < 2:
        both[:] = np.nan
    quantiles = np.quantile(values.reshape(len(values), -1), TAILS, axis=1)
    tails = np.minimum(*(_ess_below(values, limits) for limits in quantiles))
    return np.stack([both, _ess(ranks), tails])


def _r_hat(values: np.ndarray) -> np.ndarray:
    """R-hat (numbers,) of chains (numbers, chain, draw) that are cut in two."""
    if values.shape[2] < LEAST:
        return np.full(len(values), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):  # draws that are all the same
        return array_stats.rhat(values, method="identity")


def _split(values: np.ndarray) -> np.ndarray:
    """Chains (numbers, chain, draw) cut in two, without the draw in the middle."""
    half = values.shape[-1] // 2
    return np.concatenate([values[..., :half], values[..., values.shape[-1] - half :]], axis=1)


def _z_scale(values: np.ndarray) -> np.ndarray:
    """Normal quantiles of the ranks among all draws of a number; ties share the mean of theirs."""
    flat = values.reshape(len(values), -1)
    size = flat.shape[1]
    order = np.argsort(flat, axis=1)
    ordered = np.take_along_axis(flat, order, axis=1)
    quantiles = special.ndtri((np.arange(1, size + 1) - 3 / 8) / (size + 1 / 4))
    z = np.empty_like(flat)
    np.put_along_axis(z, order, np.broadcast_to(quantiles, flat.shape), axis=1)
    for row in np.flatnonzero((ordered[:, 1:] <= ordered[:, :-1]).any(axis=1)):
        z[row] = special.ndtri((stats.rankdata(flat[row]) - 3 / 8) / (size + 1 / 4))
    z[np.isnan(flat).any(axis=1)] = np.nan
    return z.reshape(values.shape)


def _ess(values: np.ndarray) -> np.ndarray:
    """Effective sample size (numbers,) of chains (numbers, chain, draw) that are cut in two."""
    found = np.full(len(values), np.nan)
    there = ~np.isnan(values).any(axis=(1, 2))
    if values.shape[2] >= LEAST and there.any():
        found[there] = array_stats.ess(np.asarray(values[there], float), method="identity")
    return found


def _ess_below(values: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Effective sample size of whether draws lie below a limit, one a number."""
    return _ess(np.where(_known(values), _split(values <= limits[:, None, None]), np.nan))


def _known(values: np.ndarray) -> np.ndarray:
    """Whether no draw of a number is NaN, (numbers, 1, 1)."""
    return ~np.isnan(values).any(axis=(1, 2), keepdims=True)


def _mcse_sd(values: np.ndarray) -> np.ndarray:
    """By the delta method from the variance of the squares."""
    squares = (values - values.mean(axis=(1, 2), keepdims=True)) ** 2
    variance, fourth = squares.mean(axis=(1, 2)), (squares**2).mean(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):  # draws that are all the same
        return np.sqrt((fourth - variance**2) / _ess(_split(squares)) / variance / 4)


def _mcse_quantile(values: np.ndarray, prob: float) -> np.ndarray:
    """Half the distance of the draws between which the quantile lies with the odds of one sd."""
    ordered = np.sort(values.reshape(len(values), -1), axis=1)
    size = ordered.shape[1]
    ess = _ess_below(values, np.quantile(ordered, prob, axis=1))
    with np.errstate(invalid="ignore"):
        ends = stats.beta.ppf([[0.1586553], [0.8413447]], ess * prob + 1, ess * (1 - prob) + 1)
    places = np.nan_to_num(ends * size - 1)
    low = np.floor(np.maximum(places[0], 0)).astype(int)
    high = np.ceil(np.minimum(places[1], size - 1)).astype(int)
    rows = np.arange(len(ordered))
    return np.where(np.isnan(ess), np.nan, (ordered[rows, high] - ordered[rows, low]) / 2)
