"""The statistic by which a chapter looks at the shape in age sees curves, and nothing but curves."""

from collections.abc import Callable

import nbformat
import numpy as np
import pandas as pd
import pytest

from chapters import list_chapters
from helpers import exact


def read_curvature(visits: pd.DataFrame) -> Callable[[np.ndarray], np.ndarray]:
    """The function as the chapter defines it, for a table of visits."""
    (chapter,) = [path for path in list_chapters() if "posterior_predictive" in path.stem]
    cells = nbformat.read(chapter, as_version=4).cells
    (cell,) = [
        cell for cell in cells if cell.cell_type == "code" and "def curvature" in cell.source
    ]
    rows = visits.groupby("county", observed=True).indices
    there = {"np": np, "visits": visits, "rows": rows, "aimed": {}, "replicated": {}}
    there["tail_table"] = lambda *_: None
    exec(cell.source, there)
    return there["curvature"]


def replicate(visits: pd.DataFrame, draws: int = 1000) -> np.ndarray:
    """Times (draw, visit) that a random-slope model fitted to these visits makes."""
    tree = exact.exact_posterior("random_slope", visits, draws=draws, seed=1)
    drawn = tree["posterior"].to_dataset().squeeze("chain")
    code = visits["county"].cat.codes.to_numpy()
    level = drawn["intercept"] + drawn["group_intercept"]
    slope = drawn["slope"] + drawn["group_slope"]
    level, slope = (part.transpose("draw", "county").values[:, code] for part in (level, slope))
    sigma = drawn["sigma"].values[:, None]
    return np.random.default_rng(1).normal(level + slope * visits["std_age"].values, sigma)


def test_it_is_the_coefficient_of_squared_age_whatever_the_lines_of_the_counties(visits):
    curvature = read_curvature(visits)
    code, age = visits["county"].cat.codes.to_numpy(int), visits["std_age"].to_numpy()
    lines = 200 - 9 * code + (code - 4) * age
    assert curvature(lines) == pytest.approx(0, abs=1e-10)
    assert curvature(np.stack([lines, lines + 3 * age**2])) == pytest.approx([0, 3], abs=1e-10)
    columns = [(code == one) * part for one in range(8) for part in (np.ones(len(age)), age)]
    times = visits["bounce_time"].to_numpy()
    fitted = np.linalg.lstsq(np.column_stack([*columns, age**2]), times)[0]
    assert curvature(times) == pytest.approx(fitted[-1])


def test_it_passes_the_visits_and_catches_one_curve_for_all_that_random_slopes_follow(visits):
    """The planted visits keep ages and counties; all counties share one curve and one slope."""
    times, age = visits["bounce_time"].to_numpy(), visits["std_age"].to_numpy()
    curvature = read_curvature(visits)
    share = (curvature(replicate(visits)) >= curvature(times)).mean()
    assert 0.2 < share < 0.5
    height = visits.groupby("county", observed=True)["bounce_time"].transform("mean")
    noise = np.random.default_rng(1).normal(0, 8, len(visits))
    bent = visits.assign(bounce_time=height - 2 * age + 1.2 * age**2 + noise)
    bent_times = bent["bounce_time"].to_numpy()
    made = replicate(bent)
    assert (curvature(made) >= curvature(bent_times)).mean() < 0.01
    by_sd = (made.std(axis=1) >= bent_times.std()).mean()
    assert 0.1 < by_sd < 0.9  # what nobody aims finds nothing
