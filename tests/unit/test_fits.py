"""A shared fit is computed once, belongs to what was asked for, and survives damage."""

import io
import os
import pkgutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import create_autospec

import pytest
import xarray as xr

from helpers import exact, fits, models, terms

ASKED = {"draws": 20, "tune": 20, "chains": 2, "seed": 1}
EXACT = {"backend": "exact"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(fits.VARIABLE, str(tmp_path / "fits"))
    return tmp_path / "fits"


@pytest.fixture
def fit(monkeypatch):
    """``models.fit``, which counts its calls."""
    spy = create_autospec(models.fit, side_effect=models.fit)
    monkeypatch.setattr(models, "fit", spy)
    return spy


def test_a_fit_is_computed_once_and_comes_back_whole_with_or_without_its_extensions(visits, fit):
    asked = {**ASKED, "extend": ("log_prior",)}
    first, second = (fits.fit_once("pooled", visits, **asked) for _ in range(2))
    plain = fits.fit_once("pooled", visits, **ASKED)
    assert fit.call_count == 1
    xr.testing.assert_equal(first, second)
    assert set(plain.children) == {"posterior", "sample_stats", "observed_data"}
    xr.testing.assert_equal(plain["posterior"], first["posterior"])


def test_of_two_who_ask_at_once_one_computes(visits, fit):
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(fits.fit_once, "pooled", visits, **EXACT) for _ in range(2)]
    xr.testing.assert_identical(*(answer.result() for answer in asked))
    assert fit.call_count == 1


def test_another_question_is_another_entry(visits, monkeypatch):
    another_value = visits.replace({"std_age": visits["std_age"][5]}, 0)
    other_labels = visits.assign(county=visits["county"].str.upper())
    settings = {"seed": 2}, EXACT, {"priors": models.Priors(sigma=21.0)}, {"extend": ("log_prior",)}
    asked = [fits.fingerprint("pooled", visits, ASKED)]
    asked += [fits.fingerprint("random_intercept", visits, ASKED)]
    asked += [fits.fingerprint("pooled", visits, ASKED | other) for other in settings]
    tables = (another_value, visits[::-1], other_labels)
    asked += [fits.fingerprint("pooled", table, ASKED) for table in tables]
    read = fits.inspect.getsource
    monkeypatch.setattr(fits.inspect, "getsource", lambda module: f"{read(module)}\nTWO = 2")
    asked += [fits.fingerprint("pooled", visits, ASKED)]
    monkeypatch.undo()
    monkeypatch.setattr(fits, "version", lambda package: "0.0")
    asked += [fits.fingerprint("pooled", visits, ASKED)]
    assert len(set(asked)) == len(asked) == 11


def test_a_default_that_is_written_out_and_another_comment_are_the_same_question(
    visits, monkeypatch
):
    asked = fits.fingerprint("pooled", visits, ASKED)
    read = fits.inspect.getsource
    monkeypatch.setattr(fits.inspect, "getsource", lambda module: f"# A word\n\n{read(module)}")
    written = {**ASKED, "backend": "pymc", "priors": models.Priors()}
    assert fits.fingerprint("pooled", visits, written) == asked


def test_code_of_all_that_says_what_a_fit_is_counts():
    """Of the three packages all modules, but for leaving out, which reads fits."""
    packages = exact, models, terms
    found = {m for p in packages for m in pkgutil.iter_modules(p.__path__, f"{p.__name__}.")}
    assert {m.name for m in found} - {m.__name__ for m in fits.SOURCES} == {"helpers.exact.loo"}


def flip(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


def hold_something_else(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(fits.MEMBER, b"not a fit")
    return buffer.getvalue()


DAMAGE = {
    "half a file": lambda content: content[: len(content) // 2],
    "another byte": lambda content: flip(content, len(content) // 2),
    # In the archive's directory: the bit that says "encrypted".
    "another flag": lambda content: flip(content, content.rindex(b"PK\1\2") + 8),
    "something else": hold_something_else,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_entry_is_computed_again(visits, fit, folder, damage):
    first = fits.fit_once("pooled", visits, **EXACT)
    (entry,) = folder.glob("*.zip")
    entry.write_bytes(DAMAGE[damage](entry.read_bytes()))
    for _ in range(2):
        xr.testing.assert_identical(fits.fit_once("pooled", visits, **EXACT), first)
    assert fit.call_count == 2


def test_a_folder_that_cannot_be_written_only_costs_time(visits, fit, folder):
    folder.write_text("a file stands where the folder should be")
    for _ in range(2):
        fits.fit_once("pooled", visits, **EXACT)
    assert fit.call_count == 2


def test_what_nobody_read_for_a_month_is_forgotten_but_not_what_a_reader_keeps_there(
    visits, folder
):
    """What a stopped writer left is forgotten too."""
    for name in ("pooled", "random_intercept"):
        fits.fit_once(name, visits, **EXACT)
    stopped, thesis, notes = (folder / name for name in (f"{fits.UNFINISHED}x", "thesis", "a.zip"))
    stopped.mkdir()
    thesis.mkdir()
    notes.touch()
    for path in folder.iterdir():
        os.utime(path, (0, 0))
    fits.fit_once("random_intercept", visits, **EXACT)  # reads it
    fits.fit_once("random_slope", visits, **EXACT)
    left = {path.name.split("-")[0] for path in folder.iterdir()}
    assert left == {"random_intercept", "random_slope", "thesis", "a.zip"}


def test_covariates_a_missing_predictor_and_statistics_are_other_questions(visits):
    frame = visits.assign(w=range(len(visits)))
    statistics = exact.sufficient_statistics(visits)
    changed = statistics.assign(residual_ss=statistics["residual_ss"] * 1.01)
    asked = [
        fits.fingerprint("pooled", frame, ASKED),
        fits.fingerprint("pooled", frame, ASKED | {"covariates": ("w",)}),
        fits.fingerprint("pooled", frame, ASKED | {"predictor": None}),
        fits.fingerprint("pooled", statistics, ASKED),
        fits.fingerprint("pooled", changed, ASKED),
    ]
    assert len(set(asked)) == len(asked)
