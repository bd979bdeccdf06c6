"""A table of no particular subject, formulas for it, and priors of any formula."""

import numpy as np
import pandas as pd

from helpers.families import FAMILIES

# What the three models can be.
PLAIN = (
    "y ~ 1",
    "y ~ x",
    "y ~ 1 + (1 | g)",
    "y ~ x + (1 | g)",
    "y ~ x * seg + (x | g)",
    "y ~ x + z + x:z + (1 | g)",
    "y ~ two * x + (two | g)",
    "y ~ `my x` + old + (`my x` | g)",
    "y ~ poly(x, 2) + np.log(z) + (np.log(z) | g)",
    "y ~ scale(x) + I(z**2) + C(wave) + (scale(x) | g)",
    "y ~ wave + (1 | wave)",
)
# What exceeds them, and the words that say so.
BEYOND = {
    "y ~ x + (1 | g) + (1 | h)": "2 grouping factors (g, h)",
    "y ~ x + (1 | g/h)": "2 grouping factors (g, g:h)",
    "y ~ x + (1 | g:h)": "a grouping factor of several columns (g:h)",
    "y ~ 0 + x + (1 | g)": "no intercept",
    "y ~ x + offset(z) + (1 | g)": "an offset",
    "y ~ x + (0 + x | g)": "slopes without intercepts by group",
    "y ~ x + z + (x + z | g)": "2 slopes by group (x, z)",
    "y ~ 1 + (x | g)": "slopes of 'x' by group, but none of the population",
    "y ~ seg + (seg | g)": "2 slopes by group, of the levels of 'seg'",
}


def make_table(rows: int = 72) -> pd.DataFrame:
    """Outcomes around 20 of six groups, with two numeric predictors far from 0, factors and waves."""
    rng, code = np.random.default_rng(3), np.arange(rows) % 6
    frame = pd.DataFrame({"x": rng.normal(50, 10, rows), "z": rng.gamma(4, size=rows)})
    frame["my x"] = frame["x"] / 10
    frame["g"] = np.array(list("fedcba"))[code]
    frame["h"] = np.array(["u", "v"])[np.arange(rows) // 6 % 2]
    frame["seg"] = rng.permutation(np.resize(["p", "q", "r"], rows))
    frame["two"] = rng.permutation(np.resize(["k", "m"], rows))
    frame["old"] = rng.permutation(np.resize([False, True], rows))
    frame["wave"] = 2020 + code % 4
    own = rng.normal(0, 2, 6)[code]
    frame["y"] = 20 + own + 0.1 * (frame["x"] - 50) + 2 * frame["old"] + rng.normal(size=rows)
    return frame


def make_priors(terms, mean: float = 0.0, rho: float | None = None) -> dict:
    """Wide priors of all parameters of a formula, no two alike."""
    priors = {}
    for number, name in enumerate(terms.parameters):
        scale = 5.0 + number / 10
        scales = (*terms.auxiliary, *terms.by_group)
        priors[name] = scale if name in scales else (mean, scale)
    return priors if rho is None else priors | {"rho": rho}


def make_outcomes(family: str, rows: int = 72) -> pd.DataFrame:
    """The same table with outcomes of another family, whose linear predictor is near 1."""
    frame, of = make_table(rows), FAMILIES[family]
    eta = 1 + 0.3 * (frame["x"] - 50) / 10 + 0.2 * (frame["y"] - frame["y"].mean())
    return frame.assign(y=of.draw(np.random.default_rng(5), of.mean(eta.to_numpy()), 3.0))
