"""Predictions of new rows are what the draws of a fit say, written out in numpy."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from formulae import design_matrices

from helpers import frames, models, predictions, terms
from helpers.exact import exact_posterior
from helpers.families import FAMILIES
from small_table import BEYOND, PLAIN, make_priors, make_table

FORMULA = "y ~ x * seg + (x | g)"
G = "g__factor_dim"


@pytest.fixture(scope="module")
def table():
    return make_table()


@pytest.fixture(scope="module")
def tree(table):
    priors = make_priors(terms.read_terms(FORMULA, table), rho=2.0)
    return exact_posterior(FORMULA, table, priors=priors, draws=300)


@pytest.fixture(scope="module")
def draws(tree):
    return {name: values.values[0] for name, values in tree["posterior"].data_vars.items()}


def fit(formula, table, draws=40, **settings):
    priors = make_priors(terms.read_terms(formula, table))
    return exact_posterior(formula, table, priors=priors, draws=draws, **settings)


def say(draws, x, seg, number=None):
    """The mean of one row, by hand; ``number`` is that of its group among a to f."""
    k = {"p": None, "q": 0, "r": 1}[seg]
    mean = draws["Intercept"] + x * draws["x"]
    if k is not None:
        mean = mean + draws["seg"][:, k] + x * draws["x:seg"][:, k]
    if number is not None:
        mean = mean + draws["1|g"][:, number] + x * draws["x|g"][:, number]
    return mean


# Known groups, new groups, no group


def test_rows_of_known_groups_have_their_effects(table, tree, draws):
    rows = pd.DataFrame({"x": [40, 60], "seg": ["r", "p"], "g": ["b", "f"]}, index=["one", "two"])
    found = predictions.predict(tree, FORMULA, table, rows)
    assert found.dims == ("chain", "draw", "row")
    assert list(found["row"].values) == ["one", "two"]
    assert found.name == "y"
    np.testing.assert_allclose(found[0, :, 0], say(draws, 40, "r", 1))
    np.testing.assert_allclose(found[0, :, 1], say(draws, 60, "p", 5))


def test_without_a_group_a_row_is_what_the_population_says(table, tree, draws):
    rows = pd.DataFrame({"x": [40.0, 60.0, 45.0], "seg": ["q", "p", "r"], "g": [None, "f", np.nan]})
    found = predictions.predict(tree, FORMULA, table, rows)[0]
    np.testing.assert_allclose(found[:, 0], say(draws, 40, "q"))
    np.testing.assert_allclose(found[:, 1], say(draws, 60, "p", 5))
    np.testing.assert_allclose(found[:, 2], say(draws, 45, "r"))
    without = predictions.predict(tree, FORMULA, table, rows.drop(columns="g"))[0]
    np.testing.assert_allclose(without[:, 1], say(draws, 60, "p"))


def test_new_groups_are_drawn_from_the_population(table, tree, draws):
    names = [f"new {k}" for k in range(2000)]
    rows = pd.concat(pd.DataFrame({"x": x, "seg": "p", "g": names}) for x in (0.0, 1.0))
    found = predictions.predict(tree, FORMULA, table, rows).values[0]
    level, end = found[:, :2000], found[:, 2000:]
    level = level - draws["Intercept"][:, None]
    tilt = end - found[:, :2000] - draws["x"][:, None]
    sd, slope_sd, rho = draws["1|g_sigma"], draws["x|g_sigma"], draws["rho"]
    error = 5 / np.sqrt(2000)
    assert abs(level.mean(1) / sd).max() < error
    np.testing.assert_allclose(level.std(1), sd, rtol=error)
    np.testing.assert_allclose(tilt.std(1), slope_sd, rtol=error)
    correlation = [np.corrcoef(a, b)[0, 1] for a, b in zip(level, tilt, strict=True)]
    np.testing.assert_allclose(correlation, rho, atol=error)


def test_without_rho_effects_of_new_groups_are_independent(table):
    tree = fit("y ~ x + (x | g)", table)
    names = [f"new {k}" for k in range(2000)]
    rows = pd.concat(pd.DataFrame({"x": x, "g": names}) for x in (0.0, 1.0))
    found = predictions.predict(tree, "y ~ x + (x | g)", table, rows).values[0]
    level, tilt = found[:, :2000], found[:, 2000:] - found[:, :2000]
    correlation = [np.corrcoef(a, b)[0, 1] for a, b in zip(level, tilt, strict=True)]
    np.testing.assert_allclose(correlation, 0, atol=5 / np.sqrt(2000))


def test_one_new_group_has_one_effect_and_a_seed_gives_it_again(table, tree):
    rows = pd.DataFrame({"x": 50, "seg": "p", "g": ["new", "other", "new"]})
    found = predictions.predict(tree, FORMULA, table, rows)
    np.testing.assert_array_equal(found[..., 0], found[..., 2])
    assert not np.allclose(found[..., 0], found[..., 1])
    xr.testing.assert_identical(found, predictions.predict(tree, FORMULA, table, rows))
    other = predictions.predict(tree, FORMULA, table, rows, seed=1)
    assert not np.allclose(found, other)


def test_outcomes_have_the_residual_besides(table, tree, draws):
    rows = pd.DataFrame({"x": [50] * 3000, "seg": "p", "g": "a"})
    found = predictions.predict(tree, FORMULA, table, rows, kind="outcome").values[0]
    mean = say(draws, 50, "p", 0)
    np.testing.assert_allclose(found.std(1), draws["sigma"], rtol=5 / np.sqrt(6000))
    assert abs((found.mean(1) - mean) / draws["sigma"]).max() < 5 / np.sqrt(3000)


# Any formula


@pytest.mark.parametrize("formula", (*PLAIN, *BEYOND))
def test_the_rows_of_the_fit_and_some_of_them_are_predicted_from_the_design_matrices(
    table, formula
):
    found = terms.read_terms(formula, table)
    model = models.build(formula, table, priors=make_priors(found), backend="bambi")
    tree, posterior = invent_draws(model.backend.model, found)
    theirs = design_matrices(formula, found.frame, extra_namespace={"np": np})
    mean = np.zeros((5, len(table)))
    for name, term in theirs.common.terms.items():
        columns = theirs.common[name].reshape(len(table), -1)
        slopes = np.ones((5, 1)) if term.kind == "offset" else posterior[name].reshape(5, -1)
        mean += slopes @ columns.T
    for name in found.by_group:
        # A column for each group and, in it, each effect.
        mean += posterior[name].reshape(5, -1) @ theirs.group[name].toarray().T
    np.testing.assert_allclose(predictions.predict(tree, formula, table, table)[0], mean)
    part = predictions.predict(tree, formula, table, table.iloc[[40, 3, 7]])
    np.testing.assert_allclose(part[0], mean[:, [40, 3, 7]])
    assert list(part["row"].values) == [40, 3, 7]


def invent_draws(model, found):
    """Five draws of all parameters, random numbers, under the names and dimensions of a PyMC model."""
    rng, arrays, data = np.random.default_rng(2), {}, {}
    for name in found.variables:
        if name not in model.named_vars:
            continue
        dims = model.named_vars_to_dims.get(name) or ()
        arrays[name] = abs(rng.normal(size=(5, *(len(model.coords[dim]) for dim in dims))))
        data[name] = (("chain", "draw", *dims), arrays[name][None])
    coords = {dim: list(model.coords[dim]) for _, (of, _) in data.items() for dim in of[2:]}
    return xr.DataTree.from_dict({"posterior": xr.Dataset(data, coords=coords)}), arrays


@pytest.mark.parametrize("asked", [[2, 1], [2.0, 1.0], ["2", "1"], [2, None]])
@pytest.mark.parametrize("kind", [int, float])
def test_groups_that_are_numbers_are_known_however_they_are_written(table, kind, asked):
    frame = table.assign(g=np.resize([1, 2, 3], 72).astype(kind))
    tree = fit("y ~ x + (1 | g)", frame)
    rows = pd.DataFrame({"x": [50.0, 50.0], "g": pd.Series(asked)})
    found = predictions.predict(tree, "y ~ x + (1 | g)", frame, rows)[0, :, 0]
    own = tree["posterior"]
    wanted = own["Intercept"] + 50 * own["x"] + own["1|g"].sel({G: 2})
    np.testing.assert_allclose(found, wanted[0])


def test_a_year_can_be_a_predictor_and_a_group(table):
    formula = "y ~ wave + (1 | wave)"
    tree = fit(formula, table)
    assert [type(label) for label in tree["posterior"]["wave__factor_dim"].values.tolist()] == [
        int
    ] * 4
    found = predictions.predict(tree, formula, table, pd.DataFrame({"wave": [2021]}))[..., 0]
    own = tree["posterior"]
    wanted = own["Intercept"] + 2021 * own["wave"] + own["1|wave"].sel(wave__factor_dim=2021)
    np.testing.assert_allclose(found, wanted)


def test_new_rows_may_have_the_column_before_it_was_standardized(table):
    formula, frame = terms.standardize("y ~ x + old + (x | g)", table)
    tree = fit(formula, frame)
    rows = pd.DataFrame({"x": [40, 60], "old": [True, False], "g": ["a", "new"]})
    scale = frames.scale_of(frame, "x")
    by_hand = rows.assign(std_x=scale.standardize(rows["x"]), old=["yes", "no"]).drop(columns="x")
    ours, theirs = (predictions.predict(tree, formula, frame, r) for r in (rows, by_hand))
    np.testing.assert_allclose(ours, theirs)


# Contrasts and slopes


def test_a_contrast_is_a_difference_of_means(table, tree, draws):
    rows = pd.DataFrame({"x": [40.0, 60.0], "seg": "p", "g": ["a", "new"]})
    found = predictions.contrast(tree, FORMULA, table, rows, seg=("p", "r"))[0]
    for row, x in enumerate((40, 60)):
        np.testing.assert_allclose(found[:, row], draws["seg"][:, 1] + x * draws["x:seg"][:, 1])
    steps = predictions.contrast(tree, FORMULA, table, rows, x=(40, 45))[0, :, 0]
    np.testing.assert_allclose(steps, 5 * (draws["x"] + draws["x|g"][:, 0]))
    places = predictions.contrast(tree, FORMULA, table, rows, g=("a", "b"))[0, :, 0]
    np.testing.assert_allclose(places, say(draws, 40, "p", 1) - say(draws, 40, "p", 0))


@pytest.mark.parametrize("columns", [["x", "g"], ["x", "std_x", "g"]])
def test_contrasts_and_slopes_are_in_the_unit_of_the_column(table, columns):
    formula, frame = terms.standardize("y ~ x + (1 | g)", table)
    tree, rows = fit(formula, frame), frame[columns].head(3)
    per_unit = frames.scale_of(frame, "x").per_unit(tree["posterior"]["std_x"])
    found = predictions.contrast(tree, formula, frame, rows, x=(40, 60))
    np.testing.assert_allclose(found[..., 0], 20 * per_unit, rtol=1e-6)
    steep = predictions.slopes(tree, formula, frame, rows, "x", per=10)
    np.testing.assert_allclose(steep[..., 2], 10 * per_unit, rtol=1e-6)


def test_a_slope_is_that_of_the_tangent_where_a_formula_bends(table):
    formula = "y ~ x + I(z**2)"
    tree = fit(formula, table)
    rows = pd.DataFrame({"x": [50.0, 50.0], "z": [1, 3]})
    found = predictions.slopes(tree, formula, table, rows, "z")
    bend = tree["posterior"]["I(z ** 2)"]
    np.testing.assert_allclose(found[..., 1], 6 * bend, rtol=1e-5)


# Other families

OF_LINK = {"log": np.exp, "logit": lambda eta: 1 / (1 + np.exp(-eta))}
OTHERS = [name for name in FAMILIES if name != "gaussian"]


@pytest.fixture
def invented(table):
    """Draws of a fit of another family, and a row: 0.2 + 0.01 x, alpha 3."""
    values = {"Intercept": 0.2, "x": 0.01, "alpha": 3.0}
    data = {name: (("chain", "draw"), np.full((2, 5000), value)) for name, value in values.items()}
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(data)})
    return tree, "y ~ x", table, pd.DataFrame({"x": [50.0]})


@pytest.mark.parametrize("family", OTHERS)
def test_a_mean_is_on_the_scale_of_the_outcome_and_outcomes_scatter_around_it(invented, family):
    inverse = OF_LINK[FAMILIES[family].link]
    linear, mean, outcome = (
        predictions.predict(*invented, kind=kind, family=family)
        for kind in ("linear", "mean", "outcome")
    )
    np.testing.assert_allclose(linear, 0.7)
    np.testing.assert_allclose(mean, inverse(0.7))
    m = inverse(0.7)
    variance = {"gamma": m**2 / 3, "bernoulli": m * (1 - m), "poisson": m}
    sd = np.sqrt(variance.get(family, m + m**2 / 3))
    assert outcome.dims == ("chain", "draw", "row")
    assert float(outcome.mean()) == pytest.approx(m, abs=5 * sd / 100)
    assert float(outcome.std()) == pytest.approx(sd, rel=0.1)


@pytest.mark.parametrize("family", OTHERS)
def test_contrasts_and_slopes_are_of_means_or_of_linear_predictors(invented, family):
    inverse = OF_LINK[FAMILIES[family].link]
    asked = {"family": family}
    found = predictions.contrast(*invented, x=(50, 60), **asked)
    np.testing.assert_allclose(found, inverse(0.8) - inverse(0.7))
    ratio = predictions.contrast(*invented, {"x": (50, 60)}, kind="linear", **asked)
    np.testing.assert_allclose(ratio, 0.1)
    steep = predictions.slopes(*invented, "x", per=10, **asked)
    np.testing.assert_allclose(steep, (inverse(0.7001) - inverse(0.6999)) / 0.0002 / 10, rtol=1e-4)
    steep = predictions.slopes(*invented, "x", per=10, kind="linear", **asked)
    np.testing.assert_allclose(steep, 0.1, rtol=1e-6)


def test_a_column_that_a_contrast_has_an_argument_for_is_given_in_a_dict(table):
    frame = table.rename(columns={"x": "family"})
    rows = pd.DataFrame({"family": [50.0]})
    tree = fit("y ~ family", frame)
    found = predictions.contrast(tree, "y ~ family", frame, rows, {"family": (50, 60)})
    np.testing.assert_allclose(found[..., 0], 10 * tree["posterior"]["family"])


def test_a_family_that_is_not_that_of_the_fit_is_told(invented):
    with pytest.raises(ValueError, match=r"The fit has no 'sigma'.*give family= as it was fitted"):
        predictions.predict(*invented, kind="outcome")
    with pytest.raises(ValueError, match="Unknown family 'normal'"):
        predictions.predict(*invented, family="normal")
    with pytest.raises(ValueError, match="Unknown kind of contrast 'outcome'"):
        predictions.contrast(*invented, x=(1, 2), kind="outcome", family="poisson")


# What cannot be


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"seg": "other"},
            "^Column 'seg' has 'other' in the new rows, but the fit knows only p, q, r",
        ),
        ({"seg": None}, "^Column 'seg' has .* in the new rows, but"),
        ({"x": np.nan}, "^Column 'x' is missing or not finite in row 0"),
        ({"x": "50"}, "^Column 'x' is not numeric"),
    ],
)
def test_what_new_rows_cannot_have_is_said_in_one_sentence(table, tree, change, message):
    rows = pd.DataFrame({"x": [50.0], "seg": ["p"], "g": ["a"]}).assign(**change)
    with pytest.raises(ValueError, match=message):
        predictions.predict(tree, FORMULA, table, rows)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda f, r: f(r[["x", "g"]]), "There is no column 'seg'; the table has x, g"),
        (lambda f, r: f(r.iloc[:0]), "The table has no rows"),
        (lambda f, r: f(r.to_dict()), "no pandas DataFrame but a dict"),
        (lambda f, r: f(r, kind="median"), "Unknown kind 'median'; choose one of mean, outcome"),
    ],
)
def test_tables_that_cannot_be_predicted_are_refused(table, tree, ask, message):
    rows = pd.DataFrame({"x": [50.0], "seg": ["p"], "g": ["a"]})
    with pytest.raises(ValueError, match=message):
        ask(lambda rows, **s: predictions.predict(tree, FORMULA, table, rows, **s), rows)


def test_contrasts_and_slopes_of_other_columns_are_refused(table, tree):
    rows = pd.DataFrame({"x": [50.0], "seg": ["p"], "g": ["a"]})
    for values in ({}, {"x": 1}, {"x": (1, 2, 3)}, {"x": (1, 2), "seg": ("p", "q")}):
        with pytest.raises(ValueError, match="A contrast is of one column and two of its values"):
            predictions.contrast(tree, FORMULA, table, rows, **values)
    with pytest.raises(ValueError, match="does not use 'z'"):
        predictions.contrast(tree, FORMULA, table, rows, z=(1, 2))
    with pytest.raises(ValueError, match="Column 'seg' is not numeric"):
        predictions.slopes(tree, FORMULA, table, rows, "seg")
