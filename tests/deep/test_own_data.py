"""A reader's own table through the samplers."""

import numpy as np
import pandas as pd

from helpers import exact, models
from helpers.priors import Priors

NAMES = {"outcome": "y", "predictor": "x", "group": "g"}
PRIORS = Priors(intercept=(0, 5), slope=(0, 1), sigma=1.5, group_sd=1, slope_sd=0.5)
CODE = np.arange(24) % 3
RNG = np.random.default_rng(5)
TABLE = pd.DataFrame(
    {
        "y": RNG.normal(size=24) + 2 * CODE,
        "x": RNG.normal(size=24),
        "g": np.array([10, 2, -1])[CODE],
    }
)


def test_bambi_gives_numbers_back_as_numbers():
    few = NAMES | {"priors": PRIORS, "draws": 500, "tune": 500}
    tree = models.fit("random_intercept", TABLE, backend="bambi", target_accept=0.99, **few)
    answer = exact.exact_posterior("random_intercept", TABLE, **NAMES, priors=PRIORS)
    assert tree["posterior"]["g"].values.tolist() == [-1, 2, 10]
    difference = tree["posterior"]["group_intercept"].mean(["chain", "draw"]) - answer["exact"][
        "group_intercept"
    ].sel(statistic="mean")
    assert difference.size == 3 and abs(difference).max() < 0.3
