"""NUTS on sufficient statistics has the likelihood of the rows."""

import numpy as np
import pandas as pd
import pytest

from helpers import diagnostics, models
from helpers.priors import Priors
from simulated import simulate

PRIORS = Priors(covariate_slope=((0.0, 5.0), (1.0, 3.0)))
COVARIATES = ("w", "dose_level")


@pytest.fixture(scope="module")
def table():
    """Groups of all sizes, one of them with a constant predictor."""
    frame = simulate([30, 20, 1, 2, 12, 4], slope_sd=3.0, seed=4)
    rng = np.random.default_rng(3)
    frame["w"], frame["dose_level"] = rng.normal(size=len(frame)), rng.integers(0, 3, len(frame))
    frame.loc[frame["county"] == "c005", "std_age"] = 0.5
    return frame


def summarize(frame, predictor="std_age", covariates=()):
    """What ``exact.sufficient_statistics`` gives, computed group by group as it is defined."""
    used = {} if predictor is None else {"predictor": predictor}
    used |= {name: name for name in covariates} | {"outcome": "bounce_time"}
    rows = {}
    for label, own in frame.groupby("county", observed=True):
        values = own[list(used.values())].set_axis(list(used), axis=1).astype(float)
        away = values - values.mean()
        row = {"n": len(own)} | {f"{name}_mean": values[name].mean() for name in used}
        for i, first in enumerate(used):
            for second in list(used)[i:]:
                name = f"{first}_ss" if first == second else f"{first}_{second}_ss"
                name = "product_ss" if name == "predictor_outcome_ss" else name
                row[name] = away[first] @ away[second]
        row["residual_ss"] = row["outcome_ss"]
        if row.get("predictor_ss", 0) > 0:
            left = away["outcome"] - row["product_ss"] / row["predictor_ss"] * away["predictor"]
            row["residual_ss"] = left @ left if len(own) > 2 else 0.0
        rows[label] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("county")


def log_densities(model, number=6):
    rng, start = np.random.default_rng(1), model.initial_point()
    log_density = model.compile_logp(mode="FAST_COMPILE")
    points = [
        {name: start[name] + 0.5 * rng.normal(size=np.shape(start[name])) for name in sorted(start)}
        for _ in range(number)
    ]
    return np.array([log_density(point) for point in points])


@pytest.mark.parametrize("covariates", [(), COVARIATES])
@pytest.mark.parametrize(
    ("name", "predictor"),
    [*((name, "std_age") for name in models.MODELS), ("pooled", None), ("random_intercept", None)],
)
def test_the_density_differs_from_that_of_the_rows_by_a_constant(
    table, name, predictor, covariates
):
    asked = {"predictor": predictor, "covariates": covariates}
    priors = PRIORS if covariates else Priors()
    rows = models.build(name, table, **asked, priors=priors)
    few = models.build(name, summarize(table, **asked), **asked, priors=priors)
    assert set(rows.initial_point()) == set(few.initial_point())
    values = log_densities(rows)
    assert np.ptp(values) > 1
    np.testing.assert_allclose(np.ptp(values - log_densities(few)), 0, atol=1e-8)


def test_covariates_that_repeat_each_other_make_no_row_of_their_own(table):
    frame = table.assign(again=2 * table["w"] + 1)
    asked = {"covariates": ("w", "again")}
    rows = models.build("random_intercept", frame, **asked, priors=PRIORS)
    few = models.build("random_intercept", summarize(frame, **asked), **asked, priors=PRIORS)
    np.testing.assert_allclose(np.ptp(log_densities(rows) - log_densities(few)), 0, atol=1e-8)


def test_a_fit_to_statistics_is_that_to_rows_within_its_error():
    frame = simulate([8] * 12, slope_sd=4.0)
    settings = {"draws": 2000, "chains": 2}
    fit = models.fit("random_slope", summarize(frame), **settings)
    exact = models.fit("random_slope", frame, backend="exact", draws=10)
    assert diagnostics.compare_with_exact(fit, exact)["difference"].abs().max() < 6
    assert list(fit["posterior"]["county"].values) == [f"c{number:03}" for number in range(12)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"backend": "bambi"}, "Bambi needs the rows"),
        ({"extend": ("log_likelihood",)}, "no group 'log_likelihood': it is about single rows"),
        ({"covariates": ("age",)}, "know no covariate 'age'"),
    ],
)
def test_what_needs_rows_is_refused(table, settings, message):
    with pytest.raises(ValueError, match=message):
        models.fit("random_intercept", summarize(table), **settings)


def test_statistics_without_a_predictor_have_no_slopes_and_those_without_scatter_no_sigma(table):
    with pytest.raises(ValueError, match="'random_slope' needs a predictor"):
        models.build("random_slope", summarize(table, predictor=None))
    straight = table.assign(bounce_time=3 * table["std_age"])
    with pytest.raises(ValueError, match="without any scatter"):
        models.build("random_intercept", summarize(straight))
