"""What is stored of R is of today's scripts, data and priors, and right."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from helpers import diagnostics, exact
from helpers.book import in_r
from helpers.book.visits import data_file
from helpers.priors import MODELS, PARAMETERS_OF, Priors

LIMIT = 1_000_000  # bytes of what is stored
REML = {"random_intercept": None, "random_slope": "~std_age"}


def find_moved(record: dict) -> set[str]:
    """Files that are not as they were when R ran; ``make r`` runs it again."""
    then, now = record["fingerprint"], in_r.fingerprint()
    return {name for name in then.keys() | now.keys() if then.get(name) != now.get(name)}


def find_missing(record: dict) -> set[tuple[str, str]]:
    """Sections that are in a script or in the record, and not in both."""
    scripts = [name for name in in_r.SCRIPTS if name != "setup"]
    written = {(name, section) for name in scripts for section in in_r.read_sections(name)}
    stored = {(name, part) for name, parts in record["sections"].items() for part in parts}
    return written ^ stored


def estimate_by_reml(visits: pd.DataFrame, model: str) -> pd.Series:
    """What statsmodels says where lme4 is asked, by parameter."""
    mixed = smf.mixedlm("bounce_time ~ std_age", visits, groups="county", re_formula=REML[model])
    found = mixed.fit(reml=True)
    sds = np.sqrt(np.diag(found.cov_re))
    values = {"intercept": found.params["Intercept"], "slope": found.params["std_age"]}
    values |= {"group_sd": sds[0], "sigma": found.scale**0.5}
    if len(sds) == 2:
        values |= {"slope_sd": sds[1], "rho": found.cov_re.iloc[0, 1] / sds.prod()}
    return pd.Series(values)


def test_what_is_stored_is_of_todays_scripts_data_and_priors():
    assert not find_moved(in_r.load_record()), "run `make r`"


@pytest.mark.parametrize("moved", ["07_random_slope.R", "setup.R", "priors.csv"])
def test_a_script_or_a_prior_that_moved_would_be_seen(tmp_path, monkeypatch, moved):
    folder = {".R": "script_file", ".csv": "data_file"}["." + moved.rpartition(".")[2]]
    find = getattr(in_r, folder)
    stem = moved.removesuffix(".R")
    text = find(stem).read_text(encoding="utf-8").replace("2", "3", 1) + "# moved"
    (tmp_path / moved).write_text(text, encoding="utf-8")
    monkeypatch.setattr(in_r, folder, lambda name: tmp_path / moved if name == stem else find(name))
    (found,) = find_moved(in_r.load_record())
    assert found.endswith("/" + moved)


def test_every_section_is_stored_and_a_missing_one_would_be_seen():
    record = in_r.load_record()
    assert not find_missing(record)
    less = record["sections"] | {"15_answers": {}}
    assert ("15_answers", "by-county") in find_missing({"sections": less})


def test_every_figure_is_there_and_none_is_left_over():
    parts = [part for script in in_r.load_record()["sections"].values() for part in script.values()]
    named = [figure for part in parts for figure in part["figures"]]
    assert named
    assert sorted(named) == sorted(path.name for path in data_file("r").glob("*.webp"))


def test_what_is_stored_is_small():
    assert sum(path.stat().st_size for path in data_file("r").iterdir()) < LIMIT


def test_a_section_is_shown_with_code_output_and_figures(monkeypatch):
    shown = []
    monkeypatch.setattr(in_r, "display", shown.append)
    in_r.show("10_checks", "ask-the-counties")
    assert "ask_counties(pooled)" in shown[0].data
    assert [image.data[:4] for image in shown[1:]] == 2 * [b"\x89PNG"]
    with pytest.raises(KeyError, match="no-such-section"):
        in_r.show("10_checks", "no-such-section")


@pytest.mark.parametrize("model", MODELS)
def test_the_summary_that_brms_printed_is_that_of_the_stored_draws(model):
    (name,) = [script for script in in_r.SCRIPTS if script[3:] == model]
    printed, fit = in_r.read_summary(name), in_r.load_fit(model)["posterior"]
    assert printed.keys() == {
        name for name in fit if not name.startswith("group_") or name == "group_sd"
    }
    for parameter, (estimate, error) in printed.items():
        draws, error = fit[parameter].to_numpy(), float(error)
        assert float(estimate) == pytest.approx(draws.mean(), abs=0.2 * error)
        assert error == pytest.approx(draws.std(), rel=0.1)


@pytest.mark.parametrize("model", MODELS)
def test_brms_agrees_with_the_exact_answer_in_every_number(visits, model):
    fit, answer = in_r.load_fit(model), exact.exact_posterior(model, visits)
    assert {*PARAMETERS_OF[model]} - {"covariate_slope"} <= {*fit["posterior"].data_vars}
    compared = diagnostics.compare_with_exact(fit, answer)
    assert compared["difference"].abs().max() < diagnostics.DISTANCE_LIMIT
    assert (compared["difference"].abs() < 2).mean() > 0.8


@pytest.mark.parametrize(
    ("model", "priors"),
    [
        ("pooled", Priors(intercept=(200, 2.5))),
        ("random_intercept", Priors(group_sd=10)),
        ("random_slope", Priors(slope_sd=1)),
        ("random_slope", Priors(lkj_eta=1)),
    ],
)
def test_another_prior_than_the_books_would_be_seen(visits, model, priors):
    other = exact.exact_posterior(model, visits, priors=priors)
    compared = diagnostics.compare_with_exact(in_r.load_fit(model), other)
    assert compared["difference"].abs().max() > diagnostics.DISTANCE_LIMIT


def test_counties_keep_their_names(visits):
    names = list(in_r.load_fit("random_slope")["posterior"]["county"].values)
    assert names == list(visits["county"].cat.categories)


@pytest.mark.parametrize("model", REML)
def test_lme4_and_statsmodels_give_the_same_reml(visits, model):
    by_lme4 = in_r.load_lme4().loc[model, "estimate"]
    found = estimate_by_reml(visits, model)
    assert sorted(found.index) == sorted(by_lme4.index)
    np.testing.assert_allclose(by_lme4[found.index], found, rtol=1e-3)
