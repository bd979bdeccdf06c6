"""The stored study of calibration says what the book says of it, and a short live run agrees."""

import hashlib

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import calibrate
import calibrate_yes_no
import forget_factor
from helpers.book import calibration
from helpers.book.truth import load_truth
from helpers.book.visits import data_file

L = calibrate.DRAWS


@pytest.fixture(scope="module")
def study():
    return calibration.load_study()


@pytest.fixture(scope="module")
def p_values(study):
    """How well each quantity's ranks agree with uniform ones."""
    groups = study[0].groupby(["study", "model", "quantity"])["rank"]
    return groups.apply(lambda ranks: calibration.uniformity_p_value(ranks, L))


def test_tables_and_record_were_stored_together(study):
    for name, checksum in study[2]["sha256"].items():
        content = data_file(name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == checksum, name
        assert len(content) < 300 * 1024


def test_the_stored_tables_are_complete(study):
    ranks, coverage, record = study
    assert record["failed"] == {}
    assert ranks["rank"].between(0, L).all()
    assert not ranks.duplicated(["study", "model", "quantity", "data_set"]).any()
    counts = ranks.groupby(["study", "model"])["data_set"].nunique().to_dict()
    covered = coverage["model"].value_counts()
    counts |= {
        (part, model): covered[model] for part, model in calibrate.STUDIES if part == "coverage"
    }
    assert counts == calibrate.STUDIES


def test_ranks_are_uniform_for_the_right_prior(p_values):
    """99 % joint level over all quantities: dozens of looks raise no alarm by chance."""
    right = p_values.drop("wrong prior")
    assert len(right) == 4 + 13 + 23 + 13 + 23
    assert right.min() > 0.01 / len(right), right.nsmallest(3)


def test_ranks_expose_the_wrong_prior(p_values):
    wrong = p_values["wrong prior"].droplevel("model")
    assert wrong["group_sd"] < 0.001 < wrong["slope"]


def test_the_sampler_was_fit_to_be_ranked(study):
    """The centred form diverges where counties hardly differ; those worlds stay in, and are few."""
    for verdict in study[2]["sampler"].values():
        assert verdict["data_sets_with_ess_below_ranks"] <= 0.02 * verdict["data_sets"]
        assert verdict["data_sets_with_divergences"] <= 0.2 * verdict["data_sets"]


def test_nuts_and_the_exact_back_end_rank_the_same_truths_alike(study):
    """Paired, world by world: sharper than any band."""
    index = ["model", "quantity", "data_set"]
    ranks = study[0].pivot_table(index=index, columns="study", values="rank")
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


@pytest.mark.parametrize(("part", "number"), [("exact", 20), ("NUTS", 10)])
def test_a_live_run_gives_the_stored_ranks_again(study, part, number):
    """Unrelated ranks of the same truths are 33 apart in the mean, those among two sets of 99
    independent draws from one posterior less than 5. NUTS is compiled once."""
    result = calibrate.work(part, "random_intercept", range(1, number + 1))
    assert not result["failed"]
    live = pd.DataFrame(result["rows"]).set_index(["number", "quantity"])["rank"]
    assert set(live.index.levels[0]) == set(range(1, number + 1))
    assert live.between(0, L).all()
    for other in {part, "exact"}:
        stored = study[0].query(f"study == {other!r} and model == 'random_intercept'")
        stored = stored.set_index(["data_set", "quantity"])["rank"]
        assert (live - stored.reindex(live.index)).abs().mean() < 8


def test_what_is_done_is_not_done_again_and_what_is_unfinished_is_not_written(
    tmp_path, monkeypatch
):
    with pytest.raises(SystemExit, match="pieces are still to do"):
        calibrate.write(tmp_path, tmp_path, {})
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(calibrate, "STUDIES", {("exact", "pooled"): 2})
    (piece,) = calibrate.list_pieces(["exact"])
    calibrate.piece_path(tmp_path, *piece).write_text("{}", encoding="utf-8")
    calibrate.run(tmp_path, ["exact"])
    assert calibrate.piece_path(tmp_path, *piece).read_text(encoding="utf-8") == "{}"


def test_thinned_draws_come_from_all_chains_at_even_distances():
    draws = np.arange(4000.0).reshape(4, 1000)
    thinned = calibrate.thin(xr.Dataset({"slope": (("chain", "draw"), draws)}))["slope"]
    assert thinned.shape == (1, L)
    assert thinned.values[0, [0, -1]].tolist() == [0, 3999]
    assert set(np.diff(thinned.values[0])) <= {40, 41}


def test_ranks_of_a_yes_no_model_are_uniform_and_a_wrong_prior_shows():
    ranks, record = calibration.load_yes_no()
    (name, checksum), *_ = record["sha256"].items()
    assert hashlib.sha256(data_file(name).read_bytes()).hexdigest() == checksum
    assert ranks["rank"].between(0, L).all()
    groups = ranks.groupby(["study", "quantity"])["rank"]
    assert groups.ngroups == 2 * 12 and set(groups.size()) == {calibrate_yes_no.DATA_SETS}
    p_values = groups.apply(lambda of: calibration.uniformity_p_value(of, L))
    assert p_values["NUTS"].min() > 0.01 / 12, p_values["NUTS"].nsmallest(3)
    assert p_values["wrong prior"]["group_sd"] < 0.001
    verdict = record["sampler"]
    assert verdict["data_sets_with_ess_below_ranks"] <= 0.02 * verdict["data_sets"]
    assert verdict["data_sets_with_divergences"] <= 0.05 * verdict["data_sets"]


def test_a_live_run_gives_the_stored_ranks_of_a_yes_no_model_again():
    rows = [row for number in range(1, 9) for row in calibrate_yes_no.rank(number)[0]]
    index = ["study", "data_set", "quantity"]
    live = pd.DataFrame(rows).set_index(index)["rank"]
    stored = calibration.load_yes_no()[0].set_index(index)["rank"]
    assert (live - stored.reindex(live.index)).abs().mean() < 8


def test_with_both_factors_intervals_hold_the_truth_and_with_one_they_do_not():
    table, record = calibration.load_forgotten_factor()
    (name, checksum), *_ = record["sha256"].items()
    assert hashlib.sha256(data_file(name).read_bytes()).hexdigest() == checksum
    assert not table.duplicated(["model", "data_set"]).any()
    assert set(table["model"].value_counts()) == {forget_factor.DATA_SETS}
    holds = table["truth"].between(table["lower"], table["upper"]).groupby(table["model"]).mean()
    assert holds["judges and bottles"] > 0.93
    assert holds["judges only"] < 0.90
    # The prior around 0 pulls a little.
    assert table.groupby("model")["mean"].mean().between(18, 20).all()
