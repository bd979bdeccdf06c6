"""What the answer and the report claim of decision, value of knowledge and checks, found by other routes.

Losses are formulas here: given a draw, the gain in a county never seen is normal.
"""

from functools import cache

import nbformat
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from bs4 import BeautifulSoup
from scipy import stats

from chapters import list_chapters
from executed import read_executed
from helpers import frames
from helpers.book.visits import load_bounce_times
from helpers.exact import exact_posterior
from helpers.priors import Priors

ANSWER, REPORT = [path for path in list_chapters() if path.stem[:2] in ("15", "16")]
VISITS = frames.split_within_between(load_bounce_times(), "age", "county")
WITHIN = {"predictor": "age_within", "covariates": ("age_county_mean",)}
SHARES = (0.25, 0.5, 0.75)


def read_settings(chapter) -> dict:
    """The assumptions of the decision, from the first lines of the cell that states them."""
    cells = nbformat.read(chapter, as_version=4).cells
    (source,) = [
        c.source for c in cells if c.cell_type == "code" and "older, younger =" in c.source
    ]
    found = {}
    exec(source.partition("votes =")[0], found)
    names = ("k", "older", "younger", "shown_from", "closed", "penalty")
    return {name: found[name] for name in names}


PAGE = read_settings(ANSWER)


@cache
def draw(slope_sd: float = 5.0) -> xr.Dataset:
    priors = Priors(covariate_slope=(0.0, 20.0), slope_sd=slope_sd)
    tree = exact_posterior("random_slope", VISITS, **WITHIN, priors=priors, draws=20_000, seed=7)
    return tree["posterior"].to_dataset()


def gains(drawn: xr.Dataset, closed: float = PAGE["closed"]) -> dict[str, tuple]:
    """Mean and sd of the gain given each draw: these counties, by older visits, and a new one."""
    years = PAGE["older"] - PAGE["younger"]
    factor = -closed * years / frames.scale_of(VISITS, "age").sd
    older = VISITS.loc[VISITS["age"] >= PAGE["shown_from"], "county"]
    votes = older.value_counts(normalize=True).rename_axis("county").sort_index().to_xarray()
    own = drawn["slope"] + (drawn["group_slope"] * votes).sum("county")
    return {
        "these": (factor * own, 0 * own + 1e-9),
        "new": (factor * drawn["slope"], abs(factor) * drawn["slope_sd"]),
    }


def expected_losses(mean, sd) -> np.ndarray:
    """Of a new page and of keeping the old one."""
    above = mean - PAGE["k"]
    density, share = sd * stats.norm.pdf(above / sd), stats.norm.cdf(above / sd)
    missed = density + above * share
    return np.array([PAGE["penalty"] * float((missed - above).mean()), float(missed.mean())])


def test_the_report_decides_by_the_assumptions_of_the_answer():
    assert read_settings(REPORT) == PAGE


@pytest.mark.parametrize(("slope_sd", "of_new"), [(1.0, 0), (5.0, 1), (10.0, 1)])
def test_the_decision_for_a_new_county_turns_where_slopes_are_said_to_be_alike(slope_sd, of_new):
    """By a margin that no draws of a chapter miss; that for these counties does not turn."""
    found = gains(draw(slope_sd))
    for name, better in (("these", 0), ("new", of_new)):
        losses = expected_losses(*found[name])
        assert losses.argmin() == better
        assert losses.max() > 1.1 * losses.min()


def worth_of_knowing(name: str) -> list[float]:
    """All, with the share known and not known; and the share alone."""
    fixed = expected_losses(*gains(draw())[name]).min()
    each = np.array([expected_losses(*gains(draw(), share)[name]) for share in SHARES])
    return [fixed, each.mean(axis=0).min(), each.mean(axis=0).min() - each.min(axis=1).mean()]


def test_the_doubt_about_the_page_is_worth_more_than_that_about_the_slopes():
    fixed, unknown, share = worth_of_knowing("these")
    assert fixed == pytest.approx(0.11, abs=0.02) and unknown == pytest.approx(0.81, abs=0.04)
    assert fixed < share < unknown
    fixed, unknown, share = worth_of_knowing("new")
    assert fixed == pytest.approx(0.89, abs=0.04) and unknown == pytest.approx(1.08, abs=0.04)


def test_the_chapter_prints_what_formulas_say_that_knowledge_is_worth():
    cells = {cell.id: cell for cell in read_executed(ANSWER).cells}
    (output,) = cells["what-a-trial-would-be-worth"].outputs
    rows = BeautifulSoup(output.data["text/html"], "html.parser").select("tbody tr")
    printed = [[float(cell.text) for cell in row.find_all("td")] for row in rows]
    for name, row in zip(("these", "new"), printed, strict=True):
        assert row == pytest.approx(worth_of_knowing(name), abs=0.08)


# The checks of the report


def share_beyond(drawn: xr.Dataset, expected, x) -> float:
    """How often new counties with these mean ages line up by age as well as ours do.

    ``expected`` are their heights but for the deviations, ``x`` their mean ages where slopes matter.
    """
    counties = VISITS.groupby("county", observed=True)
    ages, ours = counties["age"].mean(), counties["bounce_time"].mean()
    tau, tau_v = drawn["group_sd"], drawn["slope_sd"]
    variance = tau**2 + 2 * x * drawn["rho"] * tau * tau_v + x**2 * tau_v**2
    variance = variance + drawn["sigma"] ** 2 / counties.size().to_xarray()
    z = np.random.default_rng(3).normal(size=variance.shape)
    times = expected.broadcast_like(variance) + np.sqrt(variance) * z
    return float((xr.corr(ages.to_xarray(), times, "county") >= ages.corr(ours)).mean())


def test_new_counties_line_up_by_age_in_the_model_that_knows_it_and_not_without():
    counties, drawn = VISITS.groupby("county", observed=True), draw()
    m, x = (counties[name].mean().to_xarray() for name in ("age_county_mean", "std_age"))
    expected = drawn["intercept"] + drawn["covariate_slope"][..., 0] * m
    assert 0.2 < share_beyond(drawn, expected, 0 * m) < 0.7
    other = exact_posterior("random_slope", VISITS, draws=20_000)["posterior"].to_dataset()
    assert share_beyond(other, other["intercept"] + other["slope"] * x, x) < 0.002


def judge_curve(frame: pd.DataFrame) -> float:
    """Share of replicated tables whose coefficient of squared age is above the observed one.

    Beside a line for each county the coefficient knows nothing of their heights and slopes; what is
    replicated is noise around 0, with a variance that least squares knows.
    """
    priors = Priors(covariate_slope=(0.0, 20.0))
    tree = exact_posterior("random_slope", frame, **WITHIN, priors=priors, draws=4000)
    precision, product = 0.0, 0.0
    for _, rows in frame.groupby("county", observed=True):
        age, time = rows["std_age"], rows["bounce_time"]
        bent = age**2 - np.polyval(np.polyfit(age, age**2, 1), age)
        precision, product = precision + bent @ bent, product + bent @ time
    sd = tree["posterior"]["sigma"] / np.sqrt(precision)
    return float((1 - stats.norm.cdf(product / precision / sd)).mean())


def test_the_check_for_a_curve_passes_here_and_would_see_one():
    assert 0.3 < judge_curve(VISITS) < 0.9
    curved = VISITS.assign(bounce_time=VISITS["bounce_time"] + 2 * VISITS["std_age"] ** 2)
    curved.attrs = VISITS.attrs
    assert judge_curve(curved) < 0.01


def test_three_parts_of_the_variance_of_the_visits_add_up():
    """Height of the county, age within it, and scatter: the first two are uncorrelated over the visits."""
    drawn, county = draw().isel(draw=slice(50)), VISITS["county"].to_numpy(dtype=str)
    at = {"county": xr.DataArray(county, dims="obs")}
    height, x = (
        xr.DataArray(VISITS[c].to_numpy(), dims="obs")
        for c in WITHIN["covariates"] + ("age_within",)
    )
    height = drawn["covariate_slope"][..., 0] * height + drawn["group_intercept"].sel(at)
    line = (drawn["slope"] + drawn["group_slope"]).sel(at) * x
    np.testing.assert_allclose((height + line).var("obs"), height.var("obs") + line.var("obs"))
    total = (height.var("obs") + line.var("obs") + drawn["sigma"] ** 2).mean()
    assert float(total) == pytest.approx(VISITS["bounce_time"].var(), rel=0.05)
