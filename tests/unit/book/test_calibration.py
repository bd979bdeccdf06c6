"""The calibration study: its tools, a short live run, and whether the stored result is today's."""

import copy
import hashlib

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import calibrate
from conftest import ROOT
from helpers import models
from helpers.book import calibration
from helpers.book.truth import load_truth

L = calibrate.DRAWS
AGAIN = "The stored study in data/ is not of this book: {}. Run `make calibrate`."


@pytest.fixture(scope="module")
def study():
    return calibration.load_study()


@pytest.fixture(scope="module")
def p_values(study):
    """How well each quantity's ranks agree with uniform ones."""
    groups = study[0].groupby(["study", "model", "quantity"])["rank"]
    return groups.apply(lambda ranks: calibration.uniformity_p_value(ranks, L))


def mean_distance(live: list[dict], stored: pd.DataFrame) -> float:
    """Mean distance of ranks of the same truths: unrelated ranks are 33 apart, those among two sets of
    99 independent draws from one posterior less than 5."""
    live = pd.DataFrame(live).set_index(["number", "quantity"])["rank"]
    stored = stored.set_index(["data_set", "quantity"])["rank"]
    return (live - stored.reindex(live.index)).abs().mean()


# The stored study


def test_the_stored_study_is_of_todays_models_priors_and_versions(study):
    differences = calibrate.find_differences(study[2])
    assert not differences, AGAIN.format("; ".join(differences))


def test_a_study_of_other_models_priors_or_versions_is_found_out(study, monkeypatch):
    fingerprint = study[2]["fingerprint"]
    monkeypatch.setattr(calibrate, "fingerprint", lambda: fingerprint)
    old = copy.deepcopy(study[2])
    old["fingerprint"]["random_slope, log density"][1] += 0.1
    old["settings"]["priors"]["slope"] = [0.0, 1.0]
    old["versions"]["pymc"] = "5.0"
    differences = "; ".join(calibrate.find_differences(old))
    for phrase in ("random_slope, log density", "priors was", "pymc was 5.0 and is"):
        assert phrase in differences


def test_the_fingerprint_notices_another_prior(monkeypatch):
    monkeypatch.setattr(models, "MODELS", ("pooled",))
    record = {
        "settings": calibrate.settings(),
        "versions": calibrate.versions(),
        "fingerprint": calibrate.fingerprint(),
    }
    assert calibrate.find_differences(record) == []
    build, changed = models._build_pooled, models.Priors(slope=(0.0, 11.0))
    monkeypatch.setitem(
        models._PYMC_MODELS, "pooled", lambda frame, columns, priors: build(frame, columns, changed)
    )
    assert calibrate.find_differences(record) == [
        "the numbers of 'pooled, log density' have changed"
    ]


def test_tables_and_record_were_stored_together(study):
    for name, checksum in study[2]["sha256"].items():
        content = (ROOT / "data" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == checksum, AGAIN.format(f"{name} was changed")
        assert len(content) < 300 * 1024


def test_the_stored_tables_are_complete(study):
    ranks, coverage, record = study
    assert record["failed"] == {}
    assert ranks["rank"].between(0, L).all()
    counts = ranks.groupby(["study", "model"])["data_set"].nunique()
    for (part, model), count in calibrate.STUDIES.items():
        if part == "coverage":
            assert coverage["model"].eq(model).sum() == count
        else:
            assert counts[part, model] == count
    assert not ranks.duplicated(["study", "model", "quantity", "data_set"]).any()


def test_ranks_are_uniform_for_the_right_prior(p_values):
    """99 % joint level over all quantities, so that dozens of looks do not raise an alarm by chance."""
    right = p_values.drop("wrong prior")
    assert len(right) == 4 + 13 + 23 + 13 + 23
    assert right.min() > 0.01 / len(right), right.nsmallest(3)


def test_ranks_expose_the_wrong_prior(p_values):
    wrong = p_values["wrong prior"].droplevel("model")
    assert wrong["group_sd"] < 0.001
    assert wrong["slope"] > 0.001


def test_the_sampler_was_fit_to_be_ranked(study):
    """The centred form diverges in worlds whose counties hardly differ; those stay in, and stay few."""
    for verdict in study[2]["sampler"].values():
        assert verdict["data_sets_with_ess_below_ranks"] <= 0.02 * verdict["data_sets"]
        assert verdict["data_sets_with_divergences"] <= 0.2 * verdict["data_sets"]


def test_nuts_and_the_exact_back_end_rank_the_same_truths_alike(study):
    """Paired, world by world: sharper than any band."""
    ranks = study[0].pivot_table(
        index=["model", "quantity", "data_set"], columns="study", values="rank"
    )
    difference = (ranks["NUTS"] - ranks["exact"]).dropna().groupby(["model", "quantity"])
    assert difference.ngroups == 13 + 23
    z = difference.mean() / difference.sem()
    assert z.abs().max() < 4, z.abs().nlargest(3)
    assert difference.mean().abs().max() < 3


def test_pooled_regression_is_wrong_with_confidence_in_every_world(study):
    coverage = study[1].set_index("model")
    assert (coverage.loc["pooled", "lower"] > 0).all()
    truth = load_truth()["slope_per_decade"]
    holds = (coverage["lower"] <= truth) & (truth <= coverage["upper"])
    for model in ("random_intercept", "random_slope", "MixedLM"):
        assert holds.loc[model].mean() > 0.9
        assert (coverage.loc[model, "mean"] < 0).mean() > 0.98


# A short live run


def test_the_exact_back_end_gives_the_stored_ranks_again(study):
    result = calibrate.work("exact", "random_intercept", range(1, 21))
    assert not result["failed"]
    assert {row["number"] for row in result["rows"]} == set(range(1, 21))
    assert all(0 <= row["rank"] <= L for row in result["rows"])
    stored = study[0].query("study == 'exact' and model == 'random_intercept'")
    assert mean_distance(result["rows"], stored) < 8


def test_a_model_compiled_once_ranks_many_data_sets_as_the_exact_one_does(study):
    result = calibrate.work("NUTS", "random_intercept", range(1, 11))
    assert len(result["notes"]) == 10
    assert all(0 <= row["rank"] <= L for row in result["rows"])
    for part in ("NUTS", "exact"):
        stored = study[0].query(f"study == {part!r} and model == 'random_intercept'")
        assert mean_distance(result["rows"], stored) < 8


def test_the_wrong_prior_is_used(monkeypatch):
    used = []
    monkeypatch.setattr(
        calibrate.quadrature, "build_problem", lambda *given: used.append(given[-1]) or 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        calibrate.work("wrong prior", "random_intercept", range(1, 2))
    assert used == [calibrate.WRONG_PRIORS]


def test_what_is_unfinished_is_not_written(tmp_path):
    with pytest.raises(SystemExit, match="pieces are still to do"):
        calibrate.write(tmp_path, tmp_path, {})
    assert not list(tmp_path.iterdir())


def test_what_is_done_is_not_done_again(tmp_path, monkeypatch):
    monkeypatch.setattr(calibrate, "STUDIES", {("exact", "pooled"): 2})
    (piece,) = calibrate.list_pieces(["exact"])
    calibrate.piece_path(tmp_path, *piece).write_text("{}", encoding="utf-8")
    calibrate.run(tmp_path, ["exact"])
    assert calibrate.piece_path(tmp_path, *piece).read_text(encoding="utf-8") == "{}"


def test_a_table_is_always_stored_in_the_same_bytes():
    table = pd.DataFrame({"rank": [3, 1]})
    assert calibrate.compress(table) == calibrate.compress(table)
    assert calibrate.compress(table)[4:8] == b"\0\0\0\0"


def test_thinned_draws_come_from_all_chains():
    chain, draw = np.meshgrid(range(4), range(1000), indexing="ij")
    posterior = xr.Dataset({"slope": (("chain", "draw"), chain * 1000.0 + draw)})
    thinned = calibrate.thin(posterior)["slope"]
    assert thinned.shape == (1, L)
    distances = np.diff(thinned.values[0])
    assert thinned.values[0, [0, -1]].tolist() == [0, 3999]
    assert 40 <= distances.min() <= distances.max() <= 41


# Priors, simulation, ranks, bands


@pytest.fixture(scope="module")
def prior_draws():
    rng = np.random.default_rng(3)
    draws = [calibration.draw_from_prior("random_slope", list("abc"), rng) for _ in range(1000)]
    return xr.concat(draws, "draw")


def test_parameters_are_drawn_from_the_books_priors(prior_draws):
    priors = models.Priors()
    half_normal = {
        name: stats.halfnorm(scale=getattr(priors, name)) for name in ("sigma", "group_sd")
    }
    expected = {
        "intercept": stats.norm(*priors.intercept),
        "slope": stats.norm(*priors.slope),
        "slope_sd": stats.halfnorm(scale=priors.slope_sd),
        "rho": stats.beta(priors.lkj_eta, priors.lkj_eta, loc=-1, scale=2),
        **half_normal,
    }
    for name, distribution in expected.items():
        assert stats.kstest(prior_draws[name], distribution.cdf).pvalue > 0.001, name


def test_deviations_have_the_sds_and_the_correlation_that_were_drawn(prior_draws):
    first = prior_draws["group_intercept"] / prior_draws["group_sd"]
    second = prior_draws["group_slope"] / prior_draws["slope_sd"]
    rho = prior_draws["rho"]
    rest = (second - rho * first) / np.sqrt(1 - rho**2)
    for z in (first, rest):
        assert stats.kstest(z.values.ravel(), stats.norm.cdf).pvalue > 0.001
    assert abs(np.corrcoef(first.values.ravel(), rest.values.ravel())[0, 1]) < 0.05


def test_an_unknown_model_has_no_prior():
    with pytest.raises(ValueError, match="Unknown model 'nested'"):
        calibration.draw_from_prior("nested", ["a"], np.random.default_rng(1))


def test_every_visit_gets_its_countys_line(visits):
    truth = xr.Dataset(
        {
            "intercept": 200.0,
            "slope": -2.0,
            "sigma": 1e-9,
            "group_intercept": ("county", np.arange(8.0)),
            "group_slope": ("county", np.arange(8.0) / 10),
        },
        coords={"county": list(visits["county"].cat.categories)},
    )
    outcome = calibration.simulate_outcome(truth, visits, np.random.default_rng(1))
    number = visits["county"].cat.codes
    expected = 200.0 + number + (-2.0 + number / 10) * visits["std_age"]
    np.testing.assert_allclose(outcome, expected, atol=1e-6)
    wider = truth.assign(sigma=5.0)
    frame = visits.assign(bounce_time=expected + 3.0)
    assert float(calibration.log_likelihood(wider, frame)) == pytest.approx(
        stats.norm.logpdf(3.0, scale=5.0) * len(visits)
    )


def test_a_rank_counts_the_draws_below_the_truth(visits):
    draws = np.array([[1.0, 2.0, 3.0, 4.0]])
    dims = ("chain", "draw")
    own = np.stack([draws, -draws], axis=-1)
    posterior = xr.Dataset(
        {
            "intercept": (dims, draws),
            "slope": (dims, draws),
            "sigma": (dims, draws),
            "group_intercept": ((*dims, "county"), own),
        },
        coords={"county": ["Devon", "Kent"]},
    )
    truth = xr.Dataset(
        {
            "intercept": 0.5,
            "slope": 2.5,
            "sigma": 9.0,
            "group_sd": 1.0,
            "group_intercept": ("county", [3.5, -3.5]),
        },
        coords={"county": ["Devon", "Kent"]},
    )
    frame = visits[visits["county"].isin(["Devon", "Kent"])]
    ranks = calibration.rank_truth(truth, posterior, frame)
    del ranks["log_likelihood"]
    assert ranks.to_dict() == {
        "intercept": 0,
        "slope": 2,
        "sigma": 4,
        "group_intercept[Devon]": 3,
        "group_intercept[Kent]": 1,
    }


def test_the_ecdf_difference_of_known_ranks():
    np.testing.assert_allclose(
        calibration.ecdf_difference([0, 0, 3, 1], 3), [0.5 - 0.25, 0.75 - 0.5, 0.75 - 0.75]
    )


@pytest.mark.parametrize("number", [60, 1000])
def test_uniform_ranks_stay_within_the_band_as_often_as_they_should(number):
    rng = np.random.default_rng(8)
    lower, upper = calibration.ecdf_band(number, L)
    sets = rng.integers(0, L + 1, size=(1000, number))
    curves = np.array([calibration.ecdf_difference(ranks, L) for ranks in sets])
    inside = ((lower - 1e-12 <= curves) & (curves <= upper + 1e-12)).all(axis=1)
    assert 0.92 < inside.mean() < 0.98
    p_values = [calibration.uniformity_p_value(ranks, L) for ranks in sets[:200]]
    np.testing.assert_array_equal(inside[:200], np.array(p_values) > 0.05)


@pytest.mark.parametrize("shape", [(0.7, 0.7), (1.4, 1.4), (1.3, 1.0)])
def test_ranks_of_a_posterior_too_narrow_too_wide_or_shifted_leave_the_band(shape):
    ranks = np.floor(np.random.default_rng(9).beta(*shape, size=1000) * (L + 1))
    assert calibration.uniformity_p_value(ranks, L) < 0.01


def test_only_the_likelihood_notices_a_posterior_that_has_not_looked(visits):
    """Draws from the prior instead of the posterior: ranks of parameters are uniform all the same."""
    rng = np.random.default_rng(10)
    labels = list(visits["county"].cat.categories)
    found = []
    for _ in range(60):
        truth, *blind = (calibration.draw_from_prior("pooled", labels, rng) for _ in range(20))
        frame = visits.assign(bounce_time=calibration.simulate_outcome(truth, visits, rng))
        blind = xr.concat(blind, "draw").expand_dims("chain")
        found.append(calibration.rank_truth(truth, blind, frame))
    ranks = pd.DataFrame(found)
    assert calibration.uniformity_p_value(ranks["slope"], 19) > 0.01
    assert calibration.uniformity_p_value(ranks["log_likelihood"], 19) < 0.001
