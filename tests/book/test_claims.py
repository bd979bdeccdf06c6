"""What chapters say in words and no cell of theirs computes."""

import nbformat
import numpy as np
import pandas as pd
import pymc as pm
import pytest
import statsmodels.formula.api as smf
from pytensor.compile.mode import Mode
from scipy import special, stats
from statsmodels.datasets import grunfeld

from chapters import ROOT
from helpers import exact, frames
from helpers.book.visits import data_file
from helpers.exercises.answers.shared import firms


def test_two_firms_make_the_slopes_of_firms_differ_by_more_than_their_errors():
    """Cochran's Q from sums of squares; chapter 2 gets it from statsmodels."""
    slopes, errors = {}, {}
    for name, rows in firms().groupby("firm"):
        x, y = (rows[column] - rows[column].mean() for column in ("value", "invest"))
        slopes[name] = x @ y / (x @ x)
        errors[name] = (((y - slopes[name] * x) ** 2).sum() / (len(x) - 2) / (x @ x)) ** 0.5

    def q(*left_out: str) -> float:
        kept = [name for name in slopes if name not in left_out]
        b, se = (np.array([of[name] for name in kept]) for of in (slopes, errors))
        return float((((b - np.average(b, weights=se**-2)) / se) ** 2).sum())

    known = sorted(errors, key=errors.get)[:2]
    assert set(known) == {"IBM", "Atlantic Refining"}
    assert abs(q() - 21.96) < 0.01 and q(*known) < 11
    assert np.isclose(np.std(list(slopes.values()), ddof=1), 0.445, atol=0.001)
    assert errors["Diamond Match"] ** 2 > 0.45 * sum(error**2 for error in errors.values())


def test_the_years_move_the_elasticity_of_firms():
    """By restricted likelihood; chapter 19 gets the slopes from the exact posterior."""
    table = firms().assign(year=grunfeld.load_pandas().data["year"], all=1)
    effects = {name: f"0 + C({name})" for name in ("firm", "year")}
    both = smf.mixedlm("invest ~ value", table, groups="all", vc_formula=effects).fit()
    of_firms = smf.mixedlm("invest ~ value", table, groups="firm").fit()
    slopes = [float(fit.params["value"]) for fit in (of_firms, both)]
    assert slopes == pytest.approx([0.93, 0.60], abs=0.02)


def test_with_three_rows_a_group_a_random_intercept_can_be_sure_of_the_wrong_sign():
    """Groups whose levels rise with their mean ages, as those of the visits do; time falls within each."""
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(200), 3)
    mean_age = rng.normal(43, 9.5, 200)
    level = 200 + 1.05 * (mean_age - 43) + rng.normal(0, 3, 200)
    age = rng.normal(mean_age[group], 9)
    time = level[group] - 0.15 * (age - 43) + rng.normal(0, 8, len(age))
    county = pd.Categorical([f"c{number:03}" for number in group])
    frame = frames.standardize(
        pd.DataFrame({"bounce_time": time, "age": age, "county": county}), "age"
    )
    slope = exact.exact_posterior("random_intercept", frame)["exact"].to_dataset()["slope"]
    assert slope.sel(statistic="2.5 %") > 0.2
    within = frames.split_within_between(frame, "age", "county")
    own = frame.groupby("county")["bounce_time"]
    right = np.polyfit(within["age_within"], frame["bounce_time"] - own.transform("mean"), 1)[0]
    assert right < -1


ETA = 2


def correlate(r01: float, r02: float, r12: float) -> np.ndarray:
    """Cholesky factor of the correlations, from the first two and the partial one of the last two."""
    c01, c02, c12 = np.sqrt(1 - np.square([r01, r02, r12]))
    return np.array([[1, 0, 0], [r01, c01, 0], [r02, c02 * r12, c02 * c12]])


@pytest.fixture(scope="module")
def curved() -> pm.Model:
    """The chapter's model of three effects by group."""
    chapter = nbformat.read(ROOT / "notebooks" / "21_next_steps.ipynb", as_version=4)
    (code,) = [cell.source for cell in chapter.cells if cell.id == "three-effects-model"]
    sleep = pd.read_csv(data_file("tables/sleepstudy.csv"), dtype={"subject": "category"})
    names = {"np": np, "pm": pm, "sleep": frames.standardize(sleep, "days")}
    exec(code, names)
    return names["curved"]


def evaluate(model: pm.Model, names: list[str], point: dict) -> float:
    """Log density of some variables, on the scale on which they are sampled."""
    density = model.logp(vars=[model[name] for name in names], jacobian=False)
    slow = Mode(linker="py", optimizer=None)  # nothing to compile
    settings = {"mode": slow, "on_unused_input": "ignore"}
    return float(model.compile_fn(density, inputs=model.value_vars, **settings)(point))


def point_at(model: pm.Model, r01: float, r02: float, r12: float) -> dict:
    rng = np.random.default_rng(1)
    point = model.initial_point()
    units = {"r01_unit": r01, "r02_unit": r02, "r12_0_unit": r12}
    for name, r in units.items():
        point[f"{name}_logodds__"] = np.array(special.logit((r + 1) / 2))
    for name in ("level", "tilt", "bend"):
        point[name] = rng.normal(0, 30, len(point[name]))
    return point


def test_three_effects_that_depend_on_the_ones_before_are_one_normal_distribution(curved):
    partial = 0.6, -0.3, 0.5
    point = point_at(curved, *partial)
    sds = np.exp([point[f"tau{k}_log__"] for k in range(3)])
    factor = sds[:, None] * correlate(*partial)
    effects = np.column_stack([point[name] for name in ("level", "tilt", "bend")])
    center = [point[f"b{k}"] for k in range(3)]
    expected = stats.multivariate_normal(center, factor @ factor.T).logpdf(effects).sum()
    assert evaluate(curved, ["level", "tilt", "bend"], point) == pytest.approx(expected)


def test_partial_correlations_with_these_betas_are_an_lkj_prior(curved):
    """Its density is that of the determinant to the power eta - 1, times the change of coordinates."""
    names = ["r01_unit", "r02_unit", "r12_0_unit"]

    def difference(*partial: float) -> float:
        r01, r02, _ = partial
        correlation = correlate(*partial) @ correlate(*partial).T
        lkj = (ETA - 1) * np.log(np.linalg.det(correlation))
        lkj += np.log(1 - r01**2) / 2 + np.log(1 - r02**2) / 2  # d rho / d partial correlation
        return evaluate(curved, names, point_at(curved, *partial)) - lkj

    constants = [difference(*at) for at in ((0.1, 0.2, 0.3), (-0.8, 0.5, 0.7), (0.3, 0.9, -0.6))]
    assert np.ptp(constants) < 1e-8
