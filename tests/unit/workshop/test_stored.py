"""Stored posteriors come back as they were sampled, or it is said in a sentence that they do not."""

import bambi as bmb
import numpy as np
import nutpie
import pymc as pm
import pytest
import xarray as xr

from helpers import frames, models
from helpers.workshop import stored

SHORT = {"draws": 20, "tune": 50, "chains": 2}
QUIET = {"random_seed": 1, "progressbar": False}


@pytest.fixture(scope="module")
def table(visits):
    return visits.groupby("county", observed=True).head(7)


@pytest.fixture(scope="module")
def fits(table):
    """What each library gives, with every group that a chapter adds to it."""
    bambi_model = bmb.Model("bounce_time ~ std_age + (1|county)", table)
    with models.build("random_intercept", table) as model:
        sampled = pm.sample(**SHORT, **QUIET, nuts_sampler="nutpie")
        sampled.update(pm.sample_prior_predictive(20, random_seed=1))
        sampled.update(pm.sample_posterior_predictive(sampled, **QUIET))
        pm.stats.compute_log_likelihood(sampled, progressbar=False)
        pm.stats.compute_log_prior(sampled, progressbar=False)
    compiled = nutpie.compile_pymc_model(model)
    return {
        "PyMC": sampled,
        "Bambi": bambi_model.fit(**SHORT, **QUIET, inference_method="nutpie"),
        "nutpie": nutpie.sample(compiled, **SHORT, seed=1, progress_bar=False),
        "exact": models.fit("random_intercept", table, backend="exact", **SHORT),
    }


def assert_same(stored_fit: xr.DataTree, fit: xr.DataTree) -> None:
    """The same groups, coordinates, attributes and numbers, in the same types."""
    kept = [path for path in fit.groups if path[1:] not in stored.LEFT_OUT]
    assert list(stored_fit.groups) == kept
    for path in kept:
        there, here = stored_fit[path].to_dataset(), fit[path].to_dataset()
        here = here.drop_vars(stored.UNREAD, errors="ignore")
        names = list(here.data_vars)
        assert list(there.data_vars) == names
        xr.testing.assert_identical(there.drop_vars(names), here.drop_vars(names))
        for name, values in here.data_vars.items():
            if values.dtype != object:  # the sampler's messages
                assert there[name].dtype == values.dtype
                xr.testing.assert_allclose(there[name], values, rtol=1e-5)  # six digits


@pytest.mark.parametrize("library", ["PyMC", "Bambi", "nutpie", "exact"])
def test_a_fit_comes_back_as_it_was_and_it_is_said(fits, tmp_path, library, capsys):
    before = fits[library].copy(deep=True)
    stored.save("cell", {"fit": fits[library]}, tmp_path / "fits")
    assert fits[library].identical(before)
    (loaded,) = stored.load("cell", tmp_path / "fits").values()
    assert_same(loaded, fits[library])
    assert capsys.readouterr().out == "Loaded fits/cell; nothing was sampled.\n"


def test_what_a_chapter_does_with_a_fit_it_does_with_a_stored_one(fits, table, tmp_path):
    """The exact answer in full precision, counties by name, and new predictions from old draws."""
    stored.save("cell", {"fit": fits["PyMC"], "exact": fits["exact"]}, tmp_path)
    loaded = stored.load("cell", tmp_path)
    xr.testing.assert_identical(loaded["exact"]["exact"], fits["exact"]["exact"])
    kent = loaded["fit"]["posterior"]["group_intercept"].sel(county="Kent")
    assert kent.shape == (2, 20)
    with models.build("random_intercept", table):
        again = pm.sample_posterior_predictive(loaded["fit"], **QUIET)
    predicted = fits["PyMC"]["posterior_predictive"]["bounce_time"]
    np.testing.assert_allclose(again["posterior_predictive"]["bounce_time"], predicted, rtol=1e-4)


WITHIN_BETWEEN = {"predictor": "age_within", "covariates": ("age_county_mean",)}


@pytest.mark.parametrize(
    ("name", "columns"),
    [("pooled", {}), ("random_slope", {}), ("random_slope", WITHIN_BETWEEN)],
    ids=["pooled", "random_slope", "within_between"],
)
def test_what_is_left_out_is_computed_again_from_the_draws(table, tmp_path, name, columns):
    """And not with effects of counties drawn anew from their prior."""
    table = frames.split_within_between(table, "age", "county")
    settings = {**SHORT, "seed": 1, "extend": stored.LEFT_OUT, "priors": models.Priors(sigma=15)}
    settings |= columns
    fit = models.fit(name, table, **settings)
    stored.save("cell", {"fit": fit}, tmp_path)
    loaded = stored.load("cell", tmp_path)["fit"]
    extended = stored.extend(loaded, name, table, **settings)
    assert not set(loaded.children) & set(stored.LEFT_OUT)
    assert set(extended.children) == set(fit.children)
    for group in stored.LEFT_OUT:
        there, here = (tree[group].to_dataset() for tree in (extended, fit))
        xr.testing.assert_allclose(there, here, rtol=1e-4)


def test_a_fit_from_the_sampler_and_the_same_from_a_disk_share_a_file(tmp_path):
    told = np.array([[None, "too large an energy error"]], dtype=object)
    for name, messages in {"sampled": told, "kept": np.full((1, 2), np.nan)}.items():
        stats = xr.Dataset({"diverging": (("chain", "draw"), [[False, True]])})
        stats["divergence_message"] = (("chain", "draw"), messages)
        stored.save(name, {"fit": xr.DataTree.from_dict({"sample_stats": stats})}, tmp_path)
    assert stored.list_files("sampled", tmp_path) == stored.list_files("kept", tmp_path)
    (loaded,) = stored.load("kept", tmp_path).values()
    assert [*loaded["sample_stats"].data_vars] == ["diverging"]


def test_many_fits_stay_under_their_variables_and_labels(fits, tmp_path):
    given = {
        "three": {"Pooled": {1: fits["exact"]}, ("random/slope", "Bambi"): fits["Bambi"]},
        "fit": fits["PyMC"],
        "draws": {"number": 20},
    }
    stored.save("07_random_slope/cell", given, tmp_path)
    loaded = stored.load("07_random_slope/cell", tmp_path)
    assert list(loaded) == ["three", "fit"]
    assert list(loaded["three"]) == ["Pooled", ("random/slope", "Bambi")]
    assert_same(loaded["three"]["Pooled"][1], fits["exact"])
    assert_same(loaded["fit"], fits["PyMC"])


def test_draws_are_small_on_disk(tmp_path):
    draws = np.random.default_rng(1).normal(size=(4, 5000))
    fit = xr.DataTree.from_dict({"posterior": xr.Dataset({"mean": (("chain", "draw"), draws)})})
    stored.save("cell", {"fit": fit}, tmp_path)
    (file,) = tmp_path.glob("*.zip")
    assert file.stat().st_size < 0.7 * draws.nbytes


def test_equal_fits_are_stored_once(fits, tmp_path):
    stored.save("07_slope/4", {"fit": fits["PyMC"]}, tmp_path)
    stored.save("08_more/4", {"both": {"a": fits["PyMC"].copy(), "b": fits["exact"]}}, tmp_path)
    assert len(list(tmp_path.glob("*.zip"))) == 2
    assert_same(stored.load("08_more/4", tmp_path)["both"]["a"], fits["PyMC"])


@pytest.mark.parametrize("damage", ["missing", "cut", "overwritten"])
def test_a_posterior_that_cannot_be_loaded_is_told_with_what_to_do(fits, tmp_path, damage):
    folder = tmp_path / "fits"
    stored.save("cell", {"fit": fits["exact"]}, folder)
    (entry,) = folder.glob("*.zip")
    content = entry.read_bytes()
    if damage == "missing":
        entry.unlink()
    elif damage == "cut":
        entry.write_bytes(content[: len(content) // 2])
    else:
        entry.write_bytes(content[:200] + b"x" * 200 + content[400:])
    with pytest.raises(FileNotFoundError, match=r"^fits/cell is not .* precomputed = False\.$"):
        stored.load("cell", folder)


@pytest.mark.parametrize("given", [{}, {"fits": {}}, {"draws": 20}])
def test_a_cell_without_a_posterior_is_refused(tmp_path, given):
    with pytest.raises(ValueError, match="'cell' holds no posterior"):
        stored.save("cell", given, tmp_path)
