"""A formula means the same to every back end, and what it cannot mean is said in one sentence."""

import bambi as bmb
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from formulae import design_matrices

from helpers import fits, models, terms
from helpers.exact import exact_posterior
from helpers.priors import Priors
from small_table import BEYOND, PLAIN, make_priors, make_table

FEW = {"draws": 60, "tune": 100, "chains": 2}
FACTOR = "g__factor_dim"


@pytest.fixture(scope="module")
def table():
    return make_table()


def read(formula, table, **settings):
    found = terms.read_terms(formula, table, **settings)
    return found, make_priors(found)


def means(tree):
    return tree["posterior"].to_dataset().mean(["chain", "draw"])


def log_densities(model, number=5):
    rng, start = np.random.default_rng(1), model.initial_point()
    log_density = model.compile_logp(mode="FAST_COMPILE")
    shifts = [
        {n: v + 0.3 * rng.normal(size=np.shape(v)) for n, v in start.items()} for _ in range(5)
    ]
    return [log_density(point) for point in shifts]


# Names and formulas


@pytest.mark.parametrize("name", models.MODELS)
def test_a_name_and_its_formula_are_one_model(visits, name):
    formula = models.FORMULAS[name]
    by_name = exact_posterior(name, visits, draws=30)
    by_formula = exact_posterior(formula, visits, priors=Priors(), draws=30)
    ours = {"intercept": "Intercept", "slope": "std_age", "group_sd": "1|county_sigma"}
    ours |= {"slope_sd": "std_age|county_sigma", "group_intercept": "1|county"}
    ours |= {"group_slope": "std_age|county", "covariate_slope": None}
    for old, values in by_name["posterior"].data_vars.items():
        new = ours.get(old, old)
        np.testing.assert_allclose(values, by_formula["posterior"][new], rtol=1e-4, atol=1e-4)
    both = [models.build(m, visits, priors=Priors()) for m in (name, formula)]
    np.testing.assert_allclose(*map(log_densities, both))


def test_priors_by_term_are_the_books_priors(visits):
    given = {"Intercept": (200, 25), "std_age": (0, 10), "sigma": 20, "1|county": 20}
    given |= {"std_age|county": 5, "rho": 2}
    formula = models.FORMULAS["random_slope"]
    both = [models.build(formula, visits, priors=p) for p in (given, Priors())]
    np.testing.assert_allclose(*map(log_densities, both))
    without = {name: prior for name, prior in given.items() if name != "rho"}
    assert "rho" not in [
        v.name for v in models.build(formula, visits, priors=without).deterministics
    ]


# Names, dimensions and labels


@pytest.mark.parametrize(
    "formula",
    ["y ~ x * seg + z + x:z + (z | g)", "y ~ two + old + (two | g)", "y ~ wave + (1 | wave)"],
)
def test_all_back_ends_name_parameters_dimensions_and_labels_alike(table, formula):
    _, given = read(formula, table)
    fits_ = [
        models.fit(formula, table, priors=given, backend=backend, **FEW)["posterior"].to_dataset()
        for backend in models.BACKENDS
    ]
    for fit in fits_[1:]:
        assert list(fit.data_vars) == list(fits_[0].data_vars)
        for name, values in fit.data_vars.items():
            assert values.dims == fits_[0][name].dims
            for dim in values.dims[2:]:
                assert list(values[dim].values) == list(fits_[0][name][dim].values)
    exact = exact_posterior(formula, table, priors=given, draws=20)
    assert set(exact["exact"].data_vars) == set(fits_[0].data_vars)


LABELS = {
    "whole numbers": [10, 2, -1],
    "dates": list(pd.to_datetime(["2020-01-01", "2021-01-01", "2022-01-01"])),
    "odd text": ["a: b|c", "", "Zoë [x]/y"],
}


@pytest.mark.parametrize("backend", models.BACKENDS)
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labels_of_groups_are_kept(table, labels, backend):
    frame = table.assign(g=[labels[k % 3] for k in range(len(table))])
    formula = "y ~ x + (1 | g)"
    tree = models.fit(formula, frame, priors=read(formula, frame)[1], backend=backend, **FEW)
    order = list(pd.Index(labels).sort_values())
    wanted = list(map(str, order)) if isinstance(order[0], pd.Timestamp) else order
    assert list(tree["posterior"][FACTOR].values) == wanted


def test_factors_have_one_kind_of_label(table):
    levels = [False, True]
    frames = {
        "bool": table["old"],
        "nullable": table["old"].astype("boolean"),
        "object": table["old"].astype(object),
        "category": pd.Categorical(table["old"], levels),
    }
    for old in frames.values():
        frame = terms.read_terms("y ~ old", table.assign(old=old)).frame
        assert list(frame["old"].cat.categories) == ["no", "yes"]
    some = pd.Categorical(table["seg"], ["r", "unused", "q", "p"], ordered=True)
    found = terms.read_terms("y ~ seg", table.assign(seg=some))
    assert found.common == {"seg": ["seg[q]", "seg[p]"]}


# Design


@pytest.mark.parametrize("formula", (*PLAIN, *BEYOND))
def test_the_columns_are_those_that_formulae_makes(table, formula):
    found = terms.read_terms(formula, table)
    theirs = design_matrices(formula, found.frame, extra_namespace={"np": np})
    np.testing.assert_array_equal(found.design.common.design_matrix, theirs.common.design_matrix)
    some = table.iloc[[5, 1, 40]].index
    rows = found.frame.loc[some]
    offsets = [n for n, term in found.population.items() if term.kind == "offset"]
    for name in found.population:
        ours = found.columns_of(name, rows)
        wanted = theirs.common[name].reshape(len(table), -1)[some]
        np.testing.assert_allclose(ours, wanted)
    width = theirs.common.design_matrix.shape[1] - len(offsets)
    assert found.columns_at(rows).shape == (3, width)
    for name in found.by_group:
        # Each row of formulae's matrix holds the columns at the place of its group, and else 0.
        dense = theirs.group[name].toarray()
        np.testing.assert_allclose(found.columns_by_group(name, found.frame).sum(1), dense.sum(1))


def test_a_posterior_by_formula_is_that_of_dummy_columns_made_by_hand(table):
    formula = "y ~ x + seg + (x | g)"
    given = {"Intercept": (20, 5), "x": (0, 1), "seg": (0, 3), "sigma": 2, "1|g": 2, "x|g": 0.1}
    by_formula = exact_posterior(formula, table, priors=given | {"rho": 2.0}, draws=50)
    dummies = table.assign(q=1.0 * (table["seg"] == "q"), r=1.0 * (table["seg"] == "r"))
    by_hand = exact_posterior(
        "random_slope",
        dummies,
        outcome="y",
        predictor="x",
        group="g",
        covariates=("q", "r"),
        draws=50,
        priors=Priors((20, 5), (0, 1), 2, 2, 0.1, 2.0, (0, 3)),
    )
    ours, theirs = by_formula["exact"], by_hand["exact"]
    np.testing.assert_allclose(ours["seg"].T, theirs["covariate_slope"], rtol=1e-6)
    for new, old in {
        "x": "slope",
        "x|g": "group_slope",
        "rho": "rho",
        "1|g": "group_intercept",
    }.items():
        np.testing.assert_allclose(ours[new], theirs[old], rtol=1e-6)


# Priors


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"x": None},
            r"^There is no prior for 'x'; add one to priors, such as \{'x': \(0.0, 5.0\)\}, in",
        ),
        ({"1|g": None}, r"^There is no prior for '1\|g'; .*\{'1\|g': 5.0\}"),
        ({"w": (0, 1)}, r"^There is a prior for 'w', but .* it has Intercept, x, sigma, 1\|g\.$"),
        ({"x": 5.0}, r"^The prior of 'x' is a mean and an sd, not 5.0\.$"),
        ({"sigma": (0, 5)}, r"^The prior of 'sigma' needs an sd or scale above 0, not \(0, 5\)\.$"),
        ({"1|g": -1}, r"^The prior of '1\|g' needs an sd or scale above 0, not -1\.$"),
    ],
)
@pytest.mark.parametrize("backend", models.BACKENDS)
def test_a_wrong_prior_is_told_in_one_sentence(table, backend, change, message):
    formula = "y ~ x + (1 | g)"
    given = read(formula, table)[1] | change
    given = {name: prior for name, prior in given.items() if prior is not None}
    with pytest.raises(ValueError, match=message):
        models.fit(formula, table, priors=given, backend=backend)


@pytest.mark.parametrize("backend", models.BACKENDS)
def test_the_books_priors_are_not_used_for_another_outcome(table, backend):
    with pytest.raises(
        ValueError, match="needs priors in the unit of 'y': one for each of Intercept, x"
    ):
        models.fit("y ~ x + (1 | g)", table, backend=backend)


@pytest.mark.parametrize("formula", ["y ~ x * seg + (x | g)", *BEYOND])
def test_bambis_priors_are_those_that_were_given(table, formula):
    _, given = read(formula, table)
    model = models.build(formula, table, priors=given, backend="bambi")
    component = model.parameters[model.family.likelihood.parent]
    named = {"Intercept": component.intercept_term, **component.common_terms}
    named |= component.group_specific_terms
    for name, prior in given.items():
        if name == "sigma":
            found = model.marginal_parameters["sigma"].prior.args["sigma"]
        elif isinstance(prior, tuple):
            args = named[name].prior.args
            np.testing.assert_array_equal(args["mu"], prior[0])
            found, prior = args["sigma"], prior[1]
        else:
            assert named[name].prior.args["mu"] == 0
            found = named[name].prior.args["sigma"].args["sigma"]
        np.testing.assert_array_equal(found, prior)


# Beyond the three models


@pytest.mark.parametrize("formula", BEYOND)
def test_what_exceeds_the_three_models_is_said_and_bambi_fits_it(table, formula):
    found, given = read(formula, table)
    assert terms.find_beyond(found) == BEYOND[formula]
    two = "2 grouping factors" in BEYOND[formula]  # the exact back end takes these
    for backend in ("pymc",) if two else ("pymc", "exact"):
        with pytest.raises(
            ValueError, match=r"one slope; this formula has .*use backend='bambi'"
        ) as said:
            models.fit(formula, table, priors=given, backend=backend)
        assert BEYOND[formula] in str(said.value)
    tree = models.fit(formula, table, priors=given, backend="bambi", **FEW)
    variables = set(tree["posterior"].data_vars)
    assert variables == {*found.parameters, *(f"{name}_sigma" for name in found.by_group)}


@pytest.mark.parametrize("formula", PLAIN)
def test_the_three_models_exceed_nothing(table, formula):
    found, given = read(formula, table)
    assert terms.find_beyond(found) == ""
    assert set(exact_posterior(formula, table, priors=given, draws=5)["posterior"].data_vars) == {
        *found.parameters,
        *(f"{name}_sigma" for name in found.by_group),
    }


# Missing rows


def test_rows_that_miss_a_value_are_named_or_left_out(table):
    holes = table.copy()
    holes.loc[3, "x"], holes.loc[7, "g"], holes.loc[9, "z"] = np.nan, None, np.nan
    formula = "y ~ x + (1 | g)"
    given = read(formula, table)[1]
    with pytest.raises(
        ValueError, match=r"2 of 72 rows miss a value: row 3 \('x'\), row 7 \('g'\)"
    ):
        models.fit(formula, holes, priors=given, backend="exact")
    found = terms.read_terms(formula, holes, drop_missing=True)
    assert len(found.frame) == 70
    assert "row 7 ('g')" in found.frame.attrs["left_out"]
    ours = models.fit(formula, holes, priors=given, backend="exact", drop_missing=True)
    theirs = models.fit(formula, table.drop([3, 7]), priors=given, backend="exact")
    xr.testing.assert_allclose(ours["exact"].to_dataset(), theirs["exact"].to_dataset())
    for backend in ("pymc", "bambi"):
        model = models.build(formula, holes, priors=given, backend=backend, drop_missing=True)
        model = model.backend.model if backend == "bambi" else model
        (observed,) = model.observed_RVs
        assert observed.eval().shape == (70,)


def test_a_fit_by_formula_is_kept_and_another_one_is_another_entry(table, tmp_path, monkeypatch):
    monkeypatch.setenv(fits.VARIABLE, str(tmp_path))
    formula = "y ~ x + (1 | g)"
    given = read(formula, table)[1]
    settings = {"priors": given, "backend": "exact", "draws": 10}
    tree = fits.fit_once(formula, table, **settings)
    (left,) = {path.stat().st_ino for path in tmp_path.glob("formula-*.zip")}
    for frame in (table, table.assign(z=0.0)):  # z is not in the formula
        assert fits.fit_once(formula, frame, **settings).identical(tree)
    assert [path.stat().st_ino for path in tmp_path.glob("formula-*.zip")] == [left]
    others = [
        ("y ~ x + z + (1 | g)", table, settings | {"priors": given | {"z": (0.0, 1.0)}}),
        (formula, table, settings | {"priors": given | {"x": (0.0, 1.0)}}),
        (formula, table.iloc[1:], settings),
        (formula, table.replace({"g": {"a": "A"}}), settings),
    ]
    entries = {fits.fingerprint(name, frame, kept) for name, frame, kept in others}
    assert len(entries | {fits.fingerprint(formula, table, settings)}) == 5


# Bambi


def test_bambi_predicts_and_interprets_what_it_fitted(table):
    formula = "y ~ x * old + (1 | g)"
    given = read(formula, table)[1]
    settings = {"priors": given, "backend": "bambi"}
    tree = models.fit(formula, table, **settings, **FEW)
    model = models.build(formula, table, **settings)
    posterior = tree["posterior"].to_dataset()
    rows = table.head(2).assign(old=["no", "yes"], x=[40.0, 60.0])
    found = model.predict(tree, data=rows, inplace=False)["posterior"]["mu"]
    own = posterior["1|g"].sel({FACTOR: list(rows["g"])}).drop_vars(FACTOR)
    first = posterior["Intercept"] + 40 * posterior["x"] + own[..., 0]
    np.testing.assert_allclose(found[..., 0], first)
    drawn = bmb.interpret.comparisons(
        model, tree, contrast={"x": [40, 41]}, conditional="old"
    ).summary
    slope = posterior["x"].mean()
    assert drawn["estimate"].iloc[0] == pytest.approx(float(slope), abs=1e-6)
    steep = bmb.interpret.slopes(model, tree, wrt={"x": 50}, conditional="old").summary
    bend = slope + posterior["x:old"].mean()
    assert steep["estimate"].tolist() == pytest.approx([float(slope), float(bend)], abs=1e-4)
    assert len(bmb.interpret.predictions(model, tree, conditional="old").summary) == 2


# Standardizing


@pytest.mark.parametrize(
    ("formula", "written", "added"),
    [
        ("y ~ x", "y ~ std_x", "x"),
        ("y ~ 1", "y ~ 1", ""),
        ("y ~ x*z + (x | g)", "y ~ std_x + std_z + std_x:std_z + (std_x | g)", "x, z"),
        ("y ~ x*seg + (1 | g)", "y ~ std_x + seg + std_x:seg + (1 | g)", "x"),
        ("y ~ np.log(z) + x", "y ~ np.log(z) + std_x", "x"),
        ("y ~ z + np.log(`my x`)", "y ~ std_z + np.log(`my x`)", "z"),
        ("y ~ `my x` + (`my x` | g)", "y ~ `std_my x` + (`std_my x` | g)", "my x"),
        ("y ~ x + (1 | g) + (1 | h)", "y ~ std_x + (1 | g) + (1 | h)", "x"),
        ("y ~ x + (1 | g/h)", "y ~ std_x + (1 | g) + (1 | g:h)", "x"),
        ("np.log(y) ~ x", "np.log(y) ~ std_x", "x"),
        ("y ~ 0 + seg + seg:x", "y ~ 0 + seg + seg:std_x", "x"),
        ("y ~ wave + (1 | wave)", "y ~ std_wave + (1 | wave)", "wave"),
        ("y ~ x + offset(z)", "y ~ std_x + offset(z)", "x"),
        # Another 0 would be another model.
        ("y ~ 0 + x + (1 | g)", "y ~ 0 + x + (1 | g)", ""),
        ("y ~ x + (0 + x | g)", "y ~ x + (0 + x | g)", ""),
        ("y ~ x:z + (1 | g)", "y ~ x:z + (1 | g)", ""),
        ("y ~ x/z", "y ~ x + x:std_z", "z"),
    ],
)
def test_columns_that_stand_by_themselves_are_standardized(table, formula, written, added):
    found, frame = terms.standardize(formula, table)
    assert found == written
    new = [f"std_{column}" for column in table if column in added.split(", ")]
    assert sorted(set(frame) - set(table)) == sorted(new)
    for column in new:
        assert frame[column].mean() == pytest.approx(0)
        assert frame[column].std() == pytest.approx(1)
    before, after = terms.read_terms(formula, table), terms.read_terms(found, frame)
    assert list(before.by_group) == [name.replace("std_", "") for name in after.by_group]
    # The same lines can be drawn before and after: both sets of columns span one space.
    both = [t.design.common.design_matrix.astype(float) for t in (before, after)]
    ranks = [np.linalg.matrix_rank(m / np.linalg.norm(m, axis=0)) for m in (*both, np.hstack(both))]
    assert len(set(ranks)) == 1


def test_a_standardized_model_has_the_same_likelihood(table):
    """Under flat priors a slope is the same once it is given per unit."""
    flat = {"Intercept": (0.0, 1e4), "x": (0.0, 1e4), "sigma": 1e3, "1|g": 1e3}
    before = exact_posterior("y ~ x + (1 | g)", table, priors=flat, draws=10)
    formula, frame = terms.standardize("y ~ x + (1 | g)", table)
    renamed = {name.replace("x", "std_x"): prior for name, prior in flat.items()}
    after = exact_posterior(formula, frame, priors=renamed, draws=10)
    per_unit = after["exact"]["std_x"] / table["x"].std()
    np.testing.assert_allclose(before["exact"]["x"], per_unit, rtol=1e-3)


# What cannot be


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y ~ x | g", r"cannot be read from '\|' on: effects by group stand in parentheses"),
        ("y ~ x > 0", "cannot be read from '>' on"),
        ("y ~ x + (x || g)", r"write \(x \| g\) for \(x \|\| g\); .* independent unless 'rho'"),
        ("y ~ .", "name the columns in place of '.'"),
        ("y ~ ", "write 1 for an intercept only"),
        ("~ x", "it has no outcome"),
        ("y + z ~ x", r"one outcome stands to the left"),
        ("y ~ x^2", r"calculations stand in I\(...\)"),
        ("y ~ 3*x", r"3 is no term: multiply within I\(...\)"),
        ("y ~ 0", "The formula has no terms"),
        ("y ~ log(x)", r"uses 'log', .* begin with 'np.'"),
        ("y ~ nothing", "There is no column 'nothing'; the table has x, z"),
        ("y ~ y + x", "outcome 'y' cannot be a predictor of itself"),
        ("seg ~ x", "Column 'seg' is not numeric"),
        ("old ~ x", "'old' has truth values"),
        ("y ~ np.log(x - 50)", r"'np.log\(x - 50\)' is not finite in row \d+"),
        ("np.log(y - 20) ~ x", r"'np.log\(y - 20\)' is not finite in row \d+"),
        ("y ~ x + (1 | C(wave))", r"'C\(wave\)' is no column"),
        ("y ~ seg/x", r"write interactions out, such as segment \+ segment:x"),
        ("y ~ I(x/2)", "because of its '/'"),
        ("y ~ hsgp(x, m=5, c=2)", "Gaussian process"),
        ("y ~ x + one", "'one' of the formula is constant"),
        ("y ~ x + (1 | one)", "'one' has one level only"),
        ("y ~ id", r"72 levels in 72 rows, .* would be '\(1 \| id\)'"),
        ("y ~ day", r"'day' is not numeric but datetime64.*\.dt\.days"),
        ("y ~ text", "'text' is not numeric"),
        ("y ~ mixed", "two levels that read '1'"),
        ("y ~ sigma", "'sigma' has the name of a parameter; rename the column"),
        ("y ~ rho + (1 | g)", "'rho' has the name of a parameter"),
        ("y ~ Intercept", "'Intercept' has the name of a parameter"),
        ("y ~ mu", "'mu' has the name of a parameter"),
        ("y ~ draw", "'draw' has the name of a parameter"),
        ("y ~ x + (1 | `a:b`)", "Rename column 'a:b'"),
        ("y ~ x + (1 | `a|b`)", r"Rename column 'a\|b'"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*encountered in log:RuntimeWarning")
def test_what_cannot_be_is_said_in_one_sentence(table, formula, message):
    odd = dict.fromkeys(("sigma", "rho", "Intercept", "mu", "draw", "a:b"), table["x"])
    odd |= {"a|b": table["g"], "one": 1.0, "id": [f"i{k}" for k in range(72)]}
    odd |= {"day": pd.date_range("2020", periods=72), "text": table["x"].map("{:.1f}".format)}
    odd |= {"mixed": [1, "1"] * 36}
    with pytest.raises(ValueError, match=message) as said:
        terms.read_terms(formula, table.assign(**odd))
    assert "\n" not in str(said.value)


def test_a_row_a_group_and_an_index_with_repetitions_are_fitted(table):
    frame = table.assign(g=[f"i{k}" for k in range(72)], index=0).set_index("index")
    formula = "y ~ x + seg + (1 | g)"
    twice = exact_posterior(formula, frame, priors=read(formula, frame)[1], draws=5)
    once = exact_posterior(formula, frame.reset_index(), priors=read(formula, frame)[1], draws=5)
    xr.testing.assert_allclose(twice["exact"].to_dataset(), once["exact"].to_dataset())


def test_a_predictor_called_rows_is_no_group(table):
    frame = table.rename(columns={"x": "rows"})
    ours = exact_posterior("y ~ rows", frame, priors=read("y ~ rows", frame)[1], draws=5)
    theirs = exact_posterior("y ~ x", table, priors=read("y ~ x", table)[1], draws=5)
    np.testing.assert_allclose(ours["exact"]["rows"], theirs["exact"]["x"])


def test_a_large_table_is_read_in_seconds():
    """formulae's matrix of rows by groups would have needed 24 GB."""
    rng, rows = np.random.default_rng(0), 1_000_000
    frame = pd.DataFrame({"y": rng.normal(size=rows), "x": rng.normal(size=rows)})
    frame["g"] = rng.integers(0, 3000, rows)
    found = terms.read_terms("y ~ x + (x | g)", frame)
    assert found.count_groups("g") == 3000
    assert found.columns_by_group("x|g", frame.head(2)).shape == (2, 1)
