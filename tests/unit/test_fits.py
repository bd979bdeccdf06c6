"""A shared fit is computed once, belongs to what was asked for, and survives damage."""

import functools
import io
import os
import subprocess
import sys
import zipfile

import pytest
import xarray as xr

from helpers import fits, models

ASKED = {"draws": 20, "tune": 20, "chains": 2, "seed": 1}
EXACT = {"backend": "exact"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(fits.VARIABLE, str(tmp_path / "fits"))
    return tmp_path / "fits"


@pytest.fixture
def computed(monkeypatch):
    """Names of the models that were computed and not read."""
    names, original = [], models.fit

    @functools.wraps(original)
    def fit(name, frame, **settings):
        names.append(name)
        return original(name, frame, **settings)

    monkeypatch.setattr(models, "fit", fit)
    return names


def assert_same(first: xr.DataTree, second: xr.DataTree) -> None:
    assert set(first.children) == set(second.children)
    for group in first.children:
        xr.testing.assert_equal(first[group].to_dataset(), second[group].to_dataset())


def test_a_fit_is_computed_once_and_comes_back_whole_with_or_without_its_extensions(
    visits, computed
):
    asked = {**ASKED, "extend": ("log_prior",)}
    first, second = (fits.fit_once("pooled", visits, **asked) for _ in range(2))
    plain = fits.fit_once("pooled", visits, **ASKED)
    assert computed == ["pooled"]
    assert_same(first, second)
    assert set(plain.children) == {"posterior", "sample_stats", "observed_data"}
    assert plain["posterior"].to_dataset().equals(first["posterior"].to_dataset())


def test_an_exact_answer_comes_back_whole(visits, computed):
    first, second = (fits.fit_once("random_slope", visits, **EXACT) for _ in range(2))
    assert computed == ["random_slope"]
    assert_same(first, second)
    assert first["exact"].attrs == pytest.approx(second["exact"].attrs)


OTHER = {
    "model": lambda name, frame: ("random_intercept", frame, ASKED),
    "seed": lambda name, frame: (name, frame, ASKED | {"seed": 2}),
    "back end": lambda name, frame: (name, frame, ASKED | {"backend": "exact"}),
    "prior": lambda name, frame: (name, frame, ASKED | {"priors": models.Priors(sigma=21.0)}),
    "extension": lambda name, frame: (name, frame, ASKED | {"extend": ("log_prior",)}),
    "value": lambda name, frame: (name, frame.replace({"std_age": frame["std_age"][5]}, 0), ASKED),
    "order of rows": lambda name, frame: (name, frame[::-1], ASKED),
    "labels": lambda name, frame: (name, frame.assign(county=frame["county"].str.upper()), ASKED),
}


@pytest.mark.parametrize("change", OTHER)
def test_another_question_is_another_entry(visits, change):
    asked = fits.fingerprint("pooled", visits, ASKED)
    assert asked != fits.fingerprint(*OTHER[change]("pooled", visits))


def test_other_versions_and_other_code_are_another_question_and_other_comments_are_not(
    visits, monkeypatch
):
    asked = fits.fingerprint("pooled", visits, ASKED)
    read = fits.inspect.getsource
    monkeypatch.setattr(fits.inspect, "getsource", lambda module: f"# A word\n\n{read(module)}")
    assert fits.fingerprint("pooled", visits, ASKED) == asked
    monkeypatch.setattr(fits.inspect, "getsource", lambda module: f"{read(module)}\nTWO = 2")
    assert fits.fingerprint("pooled", visits, ASKED) != asked
    monkeypatch.undo()
    monkeypatch.setattr(fits, "version", lambda package: "0.0")
    assert fits.fingerprint("pooled", visits, ASKED) != asked


def test_a_default_that_is_written_out_is_the_same_question(visits):
    written = {**ASKED, "backend": "pymc", "priors": models.Priors()}
    assert fits.fingerprint("pooled", visits, ASKED) == fits.fingerprint("pooled", visits, written)


def flip(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


def put_in_archive(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(fits.MEMBER, content)
    return buffer.getvalue()


DAMAGE = {
    "half a file": lambda content: content[: len(content) // 2],
    "nothing": lambda content: b"",
    "another byte": lambda content: flip(content, len(content) // 2),
    # In the archive's directory: the bit that says "encrypted".
    "another flag": lambda content: flip(content, content.rindex(b"PK\1\2") + 8),
    "another file": lambda content: b"not an archive",
    "an archive of something else": lambda content: put_in_archive(b"not a fit"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_entry_is_computed_again(visits, computed, folder, damage):
    first = fits.fit_once("pooled", visits, **EXACT)
    (entry,) = folder.glob("*.zip")
    entry.write_bytes(DAMAGE[damage](entry.read_bytes()))
    assert_same(fits.fit_once("pooled", visits, **EXACT), first)
    fits.fit_once("pooled", visits, **EXACT)
    assert computed == ["pooled"] * 2


def test_a_fit_that_fails_leaves_no_entry(visits, folder):
    with pytest.raises(ValueError, match="county"):
        fits.fit_once("pooled", visits.drop(columns="county"), **EXACT)
    assert not list(folder.glob("*.zip"))


def test_a_folder_that_cannot_be_written_only_costs_time(visits, computed, folder):
    folder.write_text("a file stands where the folder should be")
    for _ in range(2):
        fits.fit_once("pooled", visits, **EXACT)
    assert computed == ["pooled"] * 2


def make_old(*paths):
    for path in paths:
        os.utime(path, (0, 0))


def test_what_nobody_read_for_a_month_is_forgotten(visits, folder):
    fits.fit_once("pooled", visits, **EXACT)
    make_old(*folder.glob("*.zip"))
    fits.fit_once("random_intercept", visits, **EXACT)
    assert [entry.name.split("-")[0] for entry in folder.glob("*.zip")] == ["random_intercept"]


def test_what_is_read_is_not_forgotten(visits, folder):
    fits.fit_once("pooled", visits, **EXACT)
    make_old(*folder.glob("*.zip"))
    fits.fit_once("pooled", visits, **EXACT)
    fits.fit_once("random_intercept", visits, **EXACT)
    assert len(list(folder.glob("*.zip"))) == 2


def test_what_a_stopped_writer_left_is_forgotten_and_what_a_reader_keeps_there_stays(
    visits, folder
):
    stopped, thesis, notes = (folder / name for name in (f"{fits.UNFINISHED}x", "thesis", "a.zip"))
    stopped.mkdir(parents=True)
    thesis.mkdir()
    notes.touch()
    make_old(stopped, thesis, notes)
    fits.fit_once("pooled", visits, **EXACT)
    assert not stopped.exists()
    assert thesis.exists() and notes.exists()


COUNTED = """
import functools
from helpers import fits, frames, models
from helpers.book.visits import load_bounce_times

fit = models.fit

@functools.wraps(fit)
def counted(*args, **kwargs):
    print("computed")
    return fit(*args, **kwargs)

models.fit = counted
visits = frames.standardize(load_bounce_times(), "age")
tree = fits.fit_once("pooled", visits, backend="exact")
print("mean", float(tree["posterior"]["slope"].mean()))
"""


def test_of_two_processes_one_computes(folder):
    command = [sys.executable, "-c", COUNTED]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [process.communicate(timeout=300)[0] for process in running]
    assert sum(text.count("computed") for text in printed) == 1
    first, second = (text.split("mean")[1] for text in printed)
    assert first == second
