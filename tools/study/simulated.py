"""Tables for tests and benchmarks, drawn from the random-slope model, and fits made of given draws."""

import numpy as np
import pandas as pd
import xarray as xr

DIMS = ("chain", "draw")


def simulate(
    counts: list[int], group_sd=10.0, slope_sd=1.0, rho=0.0, sigma=8.0, slope=-2.0, seed=1
) -> pd.DataFrame:
    """A table with ``counts`` rows in its groups, which are called c000, c001, ..."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(counts)), counts)
    x = rng.normal(size=len(group))
    z = rng.normal(size=(2, len(counts)))
    own_slope = slope + slope_sd * (rho * z[0] + np.sqrt(1 - rho**2) * z[1])
    y = 200 + group_sd * z[0][group] + own_slope[group] * x + sigma * rng.normal(size=len(group))
    labels = pd.Categorical([f"c{number:03}" for number in group])
    return pd.DataFrame({"bounce_time": y, "std_age": x, "county": labels})


def make_fit(draws: np.ndarray, **stats: np.ndarray) -> xr.DataTree:
    """A fit with one parameter by group, ``draws`` of shape (chain, draw, county)."""
    coords = {"county": [f"c{number}" for number in range(draws.shape[2])]}
    stats = {"diverging": np.zeros(draws.shape[:2], dtype=bool)} | stats
    posterior = xr.Dataset({"group_intercept": ((*DIMS, "county"), draws)}, coords)
    sample_stats = xr.Dataset({name: (DIMS, values) for name, values in stats.items()})
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": sample_stats})
