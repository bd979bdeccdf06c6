"""The models of the helpers are those on the pages, and both back ends speak alike."""

from unittest.mock import Mock

import bambi as bmb
import nbformat
import numpy as np
import pandas as pd
import pymc as pm
import pytest

from chapters import ROOT
from helpers import convergence, diagnostics, exact, frames, models, terms
from helpers.book import failures
from helpers.families import FAMILIES
from helpers.models import forms
from helpers.models.in_pymc import add_slopes
from helpers.priors import PARAMETERS, Priors
from simulated import simulate
from small_table import make_outcomes, make_priors

SAMPLERS = ("pymc", "bambi")
ON_THE_PAGES = [  # chapter, name there of the PyMC model, model
    *(("03_candidate_models", name, name) for name in models.MODELS),
    ("05_pooled_regression", "model", "pooled"),
    ("06_random_intercept", "model", "random_intercept"),
    ("07_random_slope", "model", "random_slope"),
]


def read_models(chapter, visits):
    """What the cells of a chapter that build its models give their names to."""
    names = {"visits": visits, "pm": pm, "bmb": bmb}
    for cell in nbformat.read(ROOT / "notebooks" / f"{chapter}.ipynb", as_version=4).cells:
        builds = any(call in cell.source for call in ("coords = {", "pm.Model(", "bmb.Model("))
        of_the_text = not {"solution", "self-check"} & set(cell.metadata.get("tags", []))
        if cell.cell_type == "code" and builds and of_the_text:
            exec(cell.source, names)
    return names


def as_pymc(model):
    if isinstance(model, bmb.Model):
        model.build()
        return model.backend.model
    return model


def log_densities(model, number=5):
    """Log densities at points around the initial one, which depend on names and shapes only."""
    rng, start = np.random.default_rng(1), model.initial_point()
    shapes = {name: np.shape(start[name]) for name in sorted(start)}
    log_density = model.compile_logp(mode="FAST_COMPILE")
    return shapes, [
        log_density({name: start[name] + 0.3 * rng.normal(size=shapes[name]) for name in shapes})
        for _ in range(number)
    ]


def test_the_gallerys_models_have_the_priors_of_the_book(visits):
    """They are written out, because their page shows them."""
    no_rho = models.build("random_slope", visits, priors=models.Priors(lkj_eta=None))
    pairs = [
        (failures.centred(visits), models.build("random_intercept", visits)),
        (failures.own_slopes(visits, "std_age"), no_rho),
    ]
    for shown, ours in pairs:
        (names, values), (own_names, own_values) = log_densities(shown), log_densities(ours)
        assert names == own_names
        np.testing.assert_allclose(values, own_values)


@pytest.mark.parametrize("backend", SAMPLERS)
@pytest.mark.parametrize(("chapter", "name", "model"), ON_THE_PAGES)
def test_the_model_on_the_page_is_the_model_in_the_helpers(visits, chapter, name, model, backend):
    shown = read_models(chapter, visits)[name if backend == "pymc" else f"bambi_{name}"]
    names, values = log_densities(as_pymc(shown))
    ours = log_densities(as_pymc(models.build(model, visits, backend=backend)))
    assert names == ours[0]
    np.testing.assert_allclose(values, ours[1], rtol=1e-9)


@pytest.mark.parametrize("backend", SAMPLERS)
def test_another_prior_is_another_model(visits, backend):
    ours, other = (
        log_densities(as_pymc(models.build("random_intercept", visits, priors=p, backend=backend)))
        for p in (Priors(), Priors(group_sd=2.0))
    )
    assert not np.allclose(ours[1], other[1])


@pytest.mark.parametrize("backend", SAMPLERS)
def test_a_fit_to_other_columns_has_the_books_names_and_each_groups_own_numbers(backend):
    frame = simulate([30, 20, 40], slope_sd=3.0)
    columns = {"outcome": "wage", "predictor": "skill", "group": "firm"}
    frame.columns = list(columns.values())
    frame["firm"] = frame["firm"].map({"c000": 10, "c001": 2, "c002": -1}).astype(int)
    few = {"draws": 200, "tune": 300, "chains": 2, "extend": models.EXTENSIONS}
    tree = models.fit("random_slope", frame, backend=backend, **columns, **few)

    without_rho = {"rho"} if backend == "bambi" else set()
    for group in ("posterior", "prior"):
        assert set(tree[group].data_vars) == set(PARAMETERS) - {"covariate_slope"} - without_rho
        assert tree[group]["group_slope"].dims == ("chain", "draw", "firm")
        assert tree[group]["firm"].values.tolist() == [-1, 2, 10]
    assert set(models.EXTENSIONS) <= set(tree.children)
    assert list(tree["observed_data"].data_vars) == ["wage"]
    top = {"intercept", "slope", "sigma", "group_sd", "slope_sd"}
    assert set(tree["log_prior"].data_vars) - {"rho_unit"} == top
    for group in ("posterior_predictive", "log_likelihood"):
        assert tree[group]["wage"].dims == ("chain", "draw", "obs")

    answer = models.fit("random_slope", frame, backend="exact", **columns)
    found = tree["posterior"]["group_intercept"].mean(["chain", "draw"])
    wanted = answer["exact"]["group_intercept"].sel(statistic="mean")
    assert abs(found - wanted).max() < 0.3 * wanted.std()
    assert set(answer["posterior"].data_vars) == set(PARAMETERS) - {"covariate_slope"}
    assert answer["posterior"]["group_slope"].sizes == {"chain": 1, "draw": 4000, "firm": 3}

    # Were group effects drawn anew from the prior, means by group would not follow the data.
    simulated = tree["posterior_predictive"]["wage"].mean(["chain", "draw"]).values
    means = frame.assign(simulated=simulated).groupby("firm")[["wage", "simulated"]].mean()
    assert (means["wage"] - means["simulated"]).abs().max() < 3


def test_expected_outcome_is_intercept_plus_slope_times_predictor(visits):
    tree = exact.exact_posterior("random_slope", visits, draws=20)
    lines = models.expected_outcome(tree, [-1.0, 2.0])
    draw = tree["posterior"].isel(chain=0, draw=7).sel(county="Kent")
    line = draw["intercept"] + draw["group_intercept"]
    line = line + 2 * (draw["slope"] + draw["group_slope"])
    found = lines.isel(chain=0, draw=7, predictor=1).sel(county="Kent")
    assert float(found) == pytest.approx(float(line))
    pooled = exact.exact_posterior("pooled", visits, draws=20)
    assert "county" not in models.expected_outcome(pooled, [0]).dims


@pytest.mark.parametrize(
    ("sizes", "group_sd", "known"),
    [([20] * 8, 10.0, True), ([20] * 8, 0.5, False), ([1] * 30, 10.0, False)],
)
def test_intercepts_are_centred_where_groups_know_them(sizes, group_sd, known):
    frame = simulate(sizes, group_sd=group_sd, slope_sd=0.0)
    for table in (frame, exact.sufficient_statistics(frame)):
        model = models.build("random_intercept", table)
        assert ("own_intercept" in model.named_vars) == known
        assert "group_intercept" in model.named_vars
    assert models.build("random_intercept", frame, backend="bambi").noncentered != known


def test_intercepts_that_are_not_centred_have_the_same_distribution(visits, monkeypatch):
    """Densities differ by what the change from own_intercept to z_intercept stretches."""
    at = {}
    for known in (-np.inf, np.inf):
        monkeypatch.setattr(forms, "KNOWN_INTERCEPTS", known)
        model = models.build("random_intercept", visits)
        at[known] = model.compile_logp(mode="FAST_COMPILE")
    z, log_sd = np.random.default_rng(1).normal(size=8), 2.0
    point = {"intercept": 203.0, "slope": -2.0, "sigma_log__": 2.1, "group_sd_log__": log_sd}
    centred = at[-np.inf](point | {"own_intercept": 203.0 + np.exp(log_sd) * z})
    offset = at[np.inf](point | {"z_intercept": z})
    assert centred + len(z) * log_sd == pytest.approx(offset)


def test_smaller_steps_can_be_asked_for(visits, monkeypatch):
    sample = Mock(side_effect=InterruptedError)
    monkeypatch.setattr(pm, "sample", sample)
    for given, used in ((None, 0.9), (0.97, 0.97)):
        with pytest.raises(InterruptedError):
            models.fit("pooled", visits, target_accept=given)
        assert sample.call_args.kwargs["nuts"]["target_accept"] == used


FEW = {"draws": 300, "tune": 300, "chains": 2}


@pytest.fixture(scope="module")
def doses():
    """A factor with an effect of 6 and a covariate with one of -3 per unit, and awkward names."""
    frame = simulate([30, 20, 25], group_sd=3.0, sigma=2.0).rename(columns={"county": "ward no"})
    rng = np.random.default_rng(1)
    frame["arm"], frame["my w"] = rng.choice(["a", "b"], len(frame)), rng.normal(size=len(frame))
    frame["mg/dL"] = frame["bounce_time"] + 6 * (frame["arm"] == "b") - 3 * frame["my w"]
    frame["arm[b]"] = 1.0 * (frame["arm"] == "b")
    return frame, ("arm[b]", "my w")


@pytest.mark.parametrize("backend", SAMPLERS)
@pytest.mark.parametrize("predictor", ["std_age", None])
def test_covariates_with_or_without_a_predictor_have_slopes_of_their_own(doses, backend, predictor):
    frame, covariates = doses
    columns = {"outcome": "bounce", "predictor": predictor, "group": "ward no"}
    frame = frame.rename(columns={"mg/dL": "bounce"})
    tree = models.fit(
        "random_intercept",
        frame,
        backend=backend,
        covariates=covariates,
        priors=Priors(covariate_slope=((0.0, 10.0), (0.0, 5.0))),
        extend=("prior", "posterior_predictive", "log_prior"),
        **columns,
        **FEW,
    )
    for group in ("posterior", "prior"):
        slopes = tree[group]["covariate_slope"]
        assert slopes.dims == ("chain", "draw", "covariate")
        assert list(slopes["covariate"].values) == ["arm[b]", "my w"]
        assert ("slope" in tree[group]) == (predictor is not None)
    sds = tree["prior"]["covariate_slope"].std(["chain", "draw"]).values
    assert sds == pytest.approx([10, 5], rel=0.2)
    found = tree["posterior"]["covariate_slope"].mean(["chain", "draw"]).values
    assert found == pytest.approx([6, -3], abs=1.5)
    assert "ward no" in tree["posterior"]["group_intercept"].dims
    lines = models.expected_outcome(tree, [0.0, 1.0])
    assert bool((lines[..., 0] == lines[..., 1]).all()) == (predictor is None)


def test_what_groups_differ_in_is_drawn_as_easily_as_their_own_intercepts(visits):
    """In the rows instead, one draw in fifteen would count, and at some seeds the gate would stop it."""
    split = frames.split_within_between(visits, "age", "county")
    columns = {"predictor": "age_within", "covariates": ("age_county_mean",)}
    columns |= {"priors": Priors(covariate_slope=(0.0, 20.0))}
    tree = models.fit("random_slope", split, **columns, draws=500, tune=500, chains=4)
    compared = diagnostics.compare_with_exact(
        tree, exact.exact_posterior("random_slope", split, **columns, draws=1)
    )
    assert compared["difference"].abs().max() < diagnostics.DISTANCE_LIMIT
    assert convergence.judge(tree["posterior"])["bulk ESS"]["covariate_slope"].min() > 500


def test_a_predictor_that_is_constant_within_groups_is_fitted(visits):
    frame = visits.assign(mean_age=visits.groupby("county")["std_age"].transform("mean"))
    for name in ("random_intercept", "random_slope"):
        model = models.build(name, frame, predictor="mean_age")
        assert all(np.isfinite(log_densities(model)[1]))


@pytest.mark.parametrize("outcome", ["mg/dL", "obs", 0, "outcome", "z_slope"])
def test_an_outcome_whose_name_no_variable_can_have_is_called_outcome(doses, outcome):
    frame = doses[0].rename(columns={"mg/dL": outcome})
    asked = {"outcome": outcome, "group": "ward no"}
    tree = models.fit("pooled", frame, **asked, **FEW, extend=("posterior_predictive",))
    for group in ("observed_data", "posterior_predictive"):
        assert list(tree[group].data_vars) == ["outcome"]
    np.testing.assert_array_equal(tree["observed_data"]["outcome"], frame[outcome])


FORMS = {
    "z_slope": ([30] * 8, 0.5),  # slopes first: few groups, weak slopes
    "z_rest": ([10] * 40, 0.5),  # intercepts first: many groups, weak slopes
    "own_slope": ([30] * 8, 12.0),  # centred: strong slopes
}


@pytest.mark.parametrize("name", FORMS)
def test_slopes_take_the_form_that_suits_the_table_and_stay_the_same_model(name):
    counts, slope_sd = FORMS[name]
    frame = simulate(counts, slope_sd=slope_sd)
    model = models.build("random_slope", frame)
    forms = set(FORMS) & {variable.name for variable in model.free_RVs}
    assert forms == {name}


@pytest.mark.parametrize("form", ["slopes first", "intercepts first", "centred"])
def test_every_form_draws_the_same_lines_from_the_prior(form):
    rho = 0.7
    with pm.Model(coords={"g": [0, 1]}) as model:
        sds = {"group_sd": 3.0, "slope_sd": 2.0, "rho": rho}
        level, tilt = add_slopes(form, intercept=10.0, slope=-1.0, dims="g", **sds)
    level, tilt = pm.draw([level[0], tilt[0]], 4000, random_seed=1)
    assert [level.mean(), tilt.mean()] == pytest.approx([10, -1], abs=0.2)
    assert [level.std(), tilt.std()] == pytest.approx([3, 2], rel=0.05)
    assert np.corrcoef(level, tilt)[0, 1] == pytest.approx(rho, abs=0.04)
    assert {variable.name for variable in model.deterministics} == {
        "group_intercept",
        "group_slope",
    }


def test_growth_curves_pass_the_gate_at_the_defaults():
    """Slopes of their own that the rows know well, which a non-centred form could not explore."""
    rng, x = np.random.default_rng(2), np.tile(np.linspace(-1, 1, 9), 26)
    boy = np.repeat(np.arange(26), 9)
    line = 150 + 8 * rng.normal(size=26)[boy] + (6.5 + 1.6 * rng.normal(size=26)[boy]) * x
    frame = pd.DataFrame({"height": line + 0.7 * rng.normal(size=len(x)), "age": x, "boy": boy})
    columns = {"outcome": "height", "predictor": "age", "group": "boy"}
    priors = Priors((150, 25), (0, 20), sigma=20, group_sd=20, slope_sd=15)
    tree = models.fit("random_slope", frame, **columns, priors=priors)
    assert diagnostics.find_failures(tree).empty
    assert diagnostics.convergence.judge(tree["posterior"].to_dataset())["bulk ESS"]["sigma"] > 1000


OTHERS = [name for name in FAMILIES if name != "gaussian"]


@pytest.mark.parametrize("family", OTHERS)
def test_bambi_builds_another_family_with_the_priors_given_on_the_scale_of_its_link(family):
    frame, formula = make_outcomes(family), "y ~ x + (1 | g)"
    priors = make_priors(terms.read_terms(formula, frame, family=family))
    model = models.build(formula, frame, priors=priors, backend="bambi", family=family)
    assert (model.family.name, model.family.link[model.family.likelihood.parent].name) == (
        family,
        FAMILIES[family].link,
    )
    own = {rv.name for rv in model.backend.model.free_RVs} - {"1|g", "1|g_offset"}
    alpha = {"alpha"} & {*priors}
    assert own == {"Intercept", "x", "1|g_sigma"} | alpha
    assert model.parameters[model.family.likelihood.parent].intercept_term.prior.args == {
        "mu": 0.0,
        "sigma": 5.0,
    }
    for name in alpha:
        prior = model.marginal_parameters[name].prior
        assert (prior.name, prior.args["sigma"]) == ("HalfNormal", priors[name])


@pytest.mark.parametrize("family", ["bernoulli", "negativebinomial"])
def test_a_fit_of_another_family_has_its_parameters_and_groups(family):
    frame, formula = make_outcomes(family), "y ~ std_x + (1 | g)"
    frame = frames.standardize(frame, "x")
    priors = {"Intercept": (0, 2), "std_x": (0, 1), "1|g": 1.0}
    priors |= {"alpha": 20.0} if FAMILIES[family].auxiliary else {}
    short = {"draws": 60, "tune": 200, "chains": 2, "extend": ("posterior_predictive",)}
    tree = models.fit(formula, frame, priors=priors, backend="bambi", family=family, **short)
    variables = terms.read_terms(formula, frame, family=family).variables
    assert list(tree["posterior"].data_vars) == [name for name in variables if name != "rho"]
    assert list(tree["posterior"]["g__factor_dim"].values) == list("abcdef")
    FAMILIES[family].check(pd.Series(tree["posterior_predictive"]["y"].values.ravel()), "y")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "^The family 'poisson' takes a formula, .* backend='bambi'"),
        ({"backend": "exact"}, "^The family 'poisson' takes a formula, .* backend='bambi'"),
        ({"backend": "bambi", "family": "binomial"}, "^The family 'binomial' counts"),
        (
            {"backend": "bambi", "family": "bernoulli"},
            "^Column 'y' has .* in row 0, but outcomes of the family 'bernoulli' are 0",
        ),
        (
            {"backend": "bambi", "priors": {"Intercept": (0, 1), "x": (0, 1), "sigma": 1.0}},
            "^There is a prior for 'sigma', but 'y ~ x' has no such parameter",
        ),
        (
            {"backend": "bambi", "priors": {"Intercept": (0, 1)}},
            "^There is no prior for 'x'; .* on the log scale",
        ),
        (
            {"backend": "bambi", "family": "negativebinomial"},
            "^There is no prior for 'alpha'; .* without a unit",
        ),
    ],
)
def test_a_family_that_cannot_be_fitted_so_is_told_in_one_sentence(settings, message):
    given = {"priors": {"Intercept": (0, 1), "x": (0, 1)}, "family": "poisson"} | settings
    frame = make_outcomes("poisson").iloc[::-1].reset_index(drop=True)
    frame["y"] += 2
    with pytest.raises(ValueError, match=message):
        models.fit("y ~ x", frame, **given)


def test_another_family_needs_a_formula_and_free_names(visits):
    for backend in ("pymc", "bambi"):
        with pytest.raises(ValueError, match="The family 'gamma' takes a formula"):
            models.build("pooled", visits, backend=backend, family="gamma")
    frame = make_outcomes("gamma").rename(columns={"x": "alpha", "z": "p"})
    with pytest.raises(ValueError, match="Column 'alpha' has the name of a parameter"):
        terms.read_terms("y ~ alpha", frame, family="gamma")
    assert terms.read_terms("y ~ p", frame, family="gamma").common == {"p": ["p"]}
    with pytest.raises(ValueError, match="Column 'p' has the name of a parameter"):
        terms.read_terms(
            "y ~ p", make_outcomes("bernoulli").assign(p=1.0 * frame.index), family="bernoulli"
        )


@pytest.mark.parametrize("family", OTHERS)
@pytest.mark.parametrize("spread", [0.1, 3.0])
def test_groups_whose_counts_or_times_differ_much_have_centred_intercepts(family, spread):
    frame, of, formula = make_outcomes(family, 300), FAMILIES[family], "y ~ x + (1 | g)"
    effects = spread * np.linspace(-1, 1, 6)[frame["g"].astype("category").cat.codes]
    frame["y"] = of.draw(np.random.default_rng(1), of.mean(1 + effects), 3.0)
    priors = make_priors(terms.read_terms(formula, frame, family=family))
    known = spread > 1 and family != "bernoulli"
    assert models.is_noncentered(formula, frame, priors, family) != known
    beyond = "y ~ x + (1 | g) + (1 | h)"
    priors = make_priors(terms.read_terms(beyond, frame, family=family))
    assert models.is_noncentered(beyond, frame, priors, family)


def test_what_groups_know_is_told_on_the_log_scale_where_few_large_times_rule_the_plain_one():
    frame, of, formula = make_outcomes("gamma", 24), FAMILIES["gamma"], "y ~ x + (1 | g)"
    effects = 1.5 * np.linspace(-1, 1, 6)[frame["g"].astype("category").cat.codes]
    frame["y"] = of.draw(np.random.default_rng(1), of.mean(1 + effects), 2.0)
    for family, noncentered in (("gamma", False), ("gaussian", True)):
        priors = make_priors(terms.read_terms(formula, frame, family=family))
        assert models.is_noncentered(formula, frame, priors, family) == noncentered
