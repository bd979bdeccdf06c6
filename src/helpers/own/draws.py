"""Draws of a fit: as many as memory bears, as arrays, their 95 % limits, and each level's own."""

import numpy as np
import xarray as xr


def thin(tree: xr.DataTree, most: int) -> xr.DataTree:
    """A fit with at most so many draws, evenly chosen from each chain (one of each at least)."""
    posterior = tree["posterior"].to_dataset()
    count = posterior.sizes["chain"] * posterior.sizes["draw"]
    step = max(1, -(-count // max(most, 1)))
    return xr.DataTree.from_dict({"posterior": posterior.isel(draw=slice(None, None, step))})


def flatten(draws: xr.DataArray, *dims: str) -> np.ndarray:
    """Draws (S,), or with one more dimension (S, n), over all chains."""
    values = draws.transpose("chain", "draw", *dims).to_numpy()
    return values.reshape(-1, *values.shape[2:])


def limits_of(draws: xr.DataArray) -> tuple[float, float, float]:
    """Mean and 95 % limits of draws."""
    low, high = draws.quantile([0.025, 0.975]).values
    return float(draws.mean()), float(low), float(high)


def sign_of(low: float, high: float) -> int:
    """1 or -1 where an interval excludes 0, else 0."""
    return int(low > 0) - int(high < 0)


def split_levels(numbers: xr.DataArray) -> dict[str, xr.DataArray]:
    """Draws, or exact statistics, of a coefficient by level; of a number's the label is ""."""
    levels = [dim for dim in numbers.dims if dim not in ("chain", "draw", "statistic")]
    if not levels:
        return {"": numbers}
    each = numbers.stack(level=levels)
    labels = [", ".join(map(str, np.atleast_1d(label))) for label in each["level"].values]
    return {label: each.isel(level=place, drop=True) for place, label in enumerate(labels)}
