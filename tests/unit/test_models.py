import nbformat
import numpy as np
import pandas as pd
import pymc as pm
import pytest

from conftest import ROOT
from helpers import diagnostics, models, tables
from helpers.book.truth import compare_with_truth

CHAPTERS = {
    "pooled": "05_pooled_regression",
    "random_intercept": "06_random_intercept",
    "random_slope": "07_random_slope",
}
GROUP_PARAMETERS = {
    "pooled": set(),
    "random_intercept": {"group_sd", "group_intercept"},
    "random_slope": {"group_sd", "group_intercept", "slope_sd", "group_slope", "rho"},
}
SAMPLERS = ("pymc", "bambi")
TITLES = [(name, backend) for name in models.MODELS for backend in SAMPLERS]


@pytest.fixture(scope="module")
def fits(visits):
    """Every model from every back end, with draws enough for the slow one to pass the gate."""
    draws = {("random_slope", "bambi"): 4000}
    return {
        (name, backend): models.fit(
            name, visits, backend=backend, draws=draws.get((name, backend), 2000)
        )
        for name, backend in TITLES
    }


def code_until(chapter: str, tag: str) -> str:
    """The code of a chapter down to the cell with a tag."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{chapter}.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    tags = [cell.metadata.get("tags", []) for cell in cells]
    last = next(number for number, found in enumerate(tags) if tag in found)
    return "\n".join(cell.source for cell in cells[: last + 1])


def log_densities(model: pm.Model, points: list[dict]) -> list[float]:
    log_density = model.compile_logp()
    return [float(log_density(point)) for point in points]


def random_points(model: pm.Model, number: int) -> list[dict]:
    rng = np.random.default_rng(1)
    start = model.initial_point()
    return [
        {name: value + 0.3 * rng.normal(size=np.shape(value)) for name, value in start.items()}
        for _ in range(number)
    ]


@pytest.mark.parametrize("backend", SAMPLERS)
@pytest.mark.parametrize("name", models.MODELS)
def test_the_model_on_the_page_is_the_model_in_the_helpers(name, backend, visits):
    page = {}
    exec(code_until(CHAPTERS[name], f"{backend}-model"), page)
    if backend == "bambi":
        page["bambi_model"].build()
        shown = page["bambi_model"].backend.model
        ours = models.build(name, visits, backend="bambi").backend.model
    else:
        shown, ours = page["model"], models.build(name, visits)
    points = random_points(ours, 5)
    assert set(points[0]) == set(shown.initial_point())
    np.testing.assert_allclose(log_densities(shown, points), log_densities(ours, points), rtol=1e-9)


def test_priors_as_scipy_writes_them_are_those_of_the_model(visits):
    priors = models.Priors((150.0, 30.0), (1.0, 4.0), 11.0, 12.0, 3.0, 1.5)
    model = models.build("random_slope", visits, priors=priors)
    written = priors.distributions()
    unit = written.pop("rho")  # the model has it as 2 Beta - 1
    for name, prior in written.items():
        assert float(pm.logp(model[name], 7.0).eval()) == pytest.approx(prior.logpdf(7.0))
    assert float(pm.logp(model["rho_unit"], 0.7).eval()) == pytest.approx(
        unit.logpdf(0.4) + np.log(2)
    )
    assert "rho" not in models.Priors(lkj_eta=None).distributions()


def test_another_prior_is_another_model(visits):
    ours = models.build("random_intercept", visits)
    other = models.build("random_intercept", visits, priors=models.Priors(group_sd=2.0))
    points = random_points(ours, 3)
    assert not np.allclose(log_densities(ours, points), log_densities(other, points))


@pytest.mark.parametrize(("name", "backend"), TITLES)
def test_both_back_ends_use_the_books_names_and_labels(fits, name, backend, visits):
    posterior = fits[name, backend]["posterior"]
    expected = {"intercept", "slope", "sigma"} | GROUP_PARAMETERS[name]
    assert set(posterior.data_vars) == expected - ({"rho"} if backend == "bambi" else set())
    for effect in expected & {"group_intercept", "group_slope"}:
        assert posterior[effect].dims == ("chain", "draw", "county")
        assert list(posterior["county"].values) == list(visits["county"].cat.categories)
    assert {"posterior", "sample_stats", "observed_data"} <= set(fits[name, backend].children)


@pytest.mark.parametrize(("name", "backend"), TITLES)
def test_every_label_of_a_table_stands_beside_its_own_numbers(fits, name, backend):
    posterior = fits[name, backend]["posterior"].to_dataset()
    table = tables.summarize(fits[name, backend])
    for effect, draws in posterior.data_vars.items():
        labels = draws["county"].values if "county" in draws.dims else [None]
        for label in labels:
            row, own = (
                (effect, draws)
                if label is None
                else (f"{effect}[{label}]", draws.sel(county=label))
            )
            assert table.loc[row, "mean"] == pytest.approx(float(own.mean()))
            assert table.loc[row, "sd"] == pytest.approx(float(own.std(ddof=1)))


@pytest.mark.parametrize(("name", "backend"), TITLES)
def test_every_fit_of_the_books_models_passes_the_gate(fits, name, backend):
    assert diagnostics.require_converged(fits[name, backend]).startswith("Fit passed")


def test_pooled_regression_is_wrong_with_confidence(fits, scale):
    slope = compare_with_truth(fits["pooled", "pymc"], scale).loc["slope"]
    assert slope[tables.LOWER] > 0 > slope["truth"]


@pytest.mark.parametrize("name", ["random_intercept", "random_slope"])
def test_the_mixed_models_recover_the_sign(fits, name, scale):
    for backend in SAMPLERS:
        slope = compare_with_truth(fits[name, backend], scale).loc["slope"]
        assert slope["holds truth"]
        assert slope[tables.UPPER] < 0


@pytest.mark.parametrize("backend", SAMPLERS)
def test_further_groups_come_on_demand_and_under_the_books_names(small, backend):
    tree = models.fit(
        "random_intercept",
        small,
        backend=backend,
        draws=50,
        tune=100,
        chains=2,
        extend=models.EXTENSIONS,
    )
    assert set(models.EXTENSIONS) <= set(tree.children)
    assert set(tree["prior"].data_vars) == set(tree["posterior"].data_vars)
    assert set(tree["log_prior"].data_vars) == {"intercept", "slope", "sigma", "group_sd"}
    for group in ("posterior_predictive", "log_likelihood"):
        assert tree[group]["bounce_time"].dims == ("chain", "draw", "obs")


def test_posterior_predictive_draws_come_from_the_fitted_counties(visits):
    """Were group effects drawn anew from the prior, county means would not follow the data."""
    for backend in SAMPLERS:
        tree = models.fit(
            "random_intercept",
            visits,
            backend=backend,
            draws=200,
            tune=500,
            chains=2,
            extend=("posterior_predictive",),
        )
        simulated = tree["posterior_predictive"]["bounce_time"].mean(["chain", "draw"])
        means = pd.DataFrame(
            {"county": visits["county"], "s": simulated, "o": visits["bounce_time"]}
        )
        means = means.groupby("county", observed=True).mean()
        assert (means["s"] - means["o"]).abs().max() < 2


def test_other_peoples_columns_work_too(small):
    frame = small.rename(columns={"bounce_time": "wage", "std_age": "skill", "county": "firm"})
    tree = models.fit(
        "random_slope", frame, outcome="wage", predictor="skill", group="firm", draws=50, tune=50
    )
    assert tree["posterior"]["group_slope"].dims == ("chain", "draw", "firm")
    assert list(tree["observed_data"].data_vars) == ["wage"]


def test_expected_outcome_is_intercept_plus_slope_times_predictor(fits):
    tree = fits["random_slope", "pymc"]
    lines = models.expected_outcome(tree, [-1.0, 2.0])
    draw = tree["posterior"].isel(chain=1, draw=7).sel(county="Kent")
    expected = float(
        draw["intercept"] + draw["group_intercept"] + 2 * (draw["slope"] + draw["group_slope"])
    )
    assert float(lines.isel(chain=1, draw=7, predictor=1).sel(county="Kent")) == pytest.approx(
        expected
    )
    assert "county" not in models.expected_outcome(fits["pooled", "pymc"], [0]).dims


@pytest.mark.parametrize("name", models.MODELS)
def test_the_exact_back_end_speaks_as_the_others_do(fits, name, visits):
    tree = models.fit(name, visits, backend="exact", draws=100, chains=4)
    sampled = fits[name, "pymc"]["posterior"].to_dataset()
    exact = tree["posterior"].to_dataset()
    assert set(exact.data_vars) == set(sampled.data_vars)
    assert all(exact[name].dims == sampled[name].dims for name in exact.data_vars)
    assert dict(exact.sizes) == dict(sampled.sizes) | {"chain": 1, "draw": 400}
    assert name == "pooled" or exact["county"].equals(sampled["county"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "nested"}, "Unknown model 'nested'; choose one of pooled"),
        ({"backend": "stan"}, "Unknown back end 'stan'; choose one of pymc"),
        ({"outcome": "time"}, "no column 'time'"),
        ({"predictor": "years"}, "no column 'years'"),
        ({"group": "town"}, "no column 'town'"),
        ({"predictor": "constant"}, "'constant' is constant"),
        ({"group": "constant"}, "'constant' has one level only"),
        ({"outcome": "county"}, "'county' is not numeric"),
        ({"outcome": "holes"}, "'holes' is missing or not finite in row 3"),
        ({"outcome": "slope"}, "'slope' has the name of a parameter"),
        ({"backend": "exact", "extend": ("prior",)}, "exact back end has no group 'prior'"),
        ({"extend": ("everything",)}, "Unknown group in extend 'everything'"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_one_sentence(small, change, message):
    small = small.reset_index(drop=True).assign(
        constant=1.0, holes=0.0, slope=lambda frame: frame["age"]
    )
    small.loc[3, "holes"] = np.nan
    with pytest.raises(ValueError, match=message) as refusal:
        models.fit(**{"name": "random_intercept", "frame": small, **change})
    assert "\n" not in str(refusal.value)


def test_bambi_refuses_a_column_that_its_formula_cannot_name(small):
    frame = small.rename(columns={"bounce_time": "bounce time"})
    with pytest.raises(ValueError, match="cannot name column 'bounce time'"):
        models.build("pooled", frame, outcome="bounce time", backend="bambi")
