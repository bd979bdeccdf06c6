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

ASKED = {"draws": 50, "tune": 50, "chains": 2, "seed": 1}
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


def test_a_fit_is_computed_once_and_comes_back_whole(visits, computed):
    asked = {**ASKED, "extend": ("log_likelihood", "log_prior")}
    first = fits.fit_once("random_intercept", visits, **asked)
    second = fits.fit_once("random_intercept", visits, **asked)
    assert computed == ["random_intercept"]
    assert_same(first, second)


def test_an_exact_answer_comes_back_whole(visits, computed):
    first, second = (fits.fit_once("random_slope", visits, backend="exact") for _ in range(2))
    assert computed == ["random_slope"]
    assert_same(first, second)
    assert first["exact"].attrs == pytest.approx(second["exact"].attrs)


def test_an_extended_fit_serves_whoever_asks_for_the_draws_only(visits, computed):
    fits.fit_once("random_intercept", visits, **ASKED, extend=("log_prior",))
    plain = fits.fit_once("random_intercept", visits, **ASKED)
    assert computed == ["random_intercept"]
    assert_same(plain, models.fit("random_intercept", visits, **ASKED))


OTHER = {
    "model": lambda name, frame, asked: ("random_intercept", frame, asked),
    "seed": lambda name, frame, asked: (name, frame, {**asked, "seed": 2}),
    "draws": lambda name, frame, asked: (name, frame, {**asked, "draws": 51}),
    "back end": lambda name, frame, asked: (name, frame, {**asked, "backend": "exact"}),
    "prior": lambda name, frame, asked: (
        name,
        frame,
        {**asked, "priors": models.Priors(sigma=21.0)},
    ),
    "extension": lambda name, frame, asked: (name, frame, {**asked, "extend": ("log_prior",)}),
    "value": lambda name, frame, asked: (
        name,
        frame.assign(bounce_time=frame["bounce_time"] + 1e-9 * (frame.index == 5)),
        asked,
    ),
    "order of rows": lambda name, frame, asked: (name, frame[::-1], asked),
    "labels": lambda name, frame, asked: (
        name,
        frame.assign(county=frame["county"].str.upper()),
        asked,
    ),
}


@pytest.mark.parametrize("change", OTHER)
def test_another_question_is_another_entry(visits, change):
    asked = "pooled", visits, ASKED
    name, frame, settings = OTHER[change](*asked)
    assert fits.fingerprint(*asked) != fits.fingerprint(name, frame, settings)


def test_a_default_that_is_written_out_is_the_same_question(visits):
    written = {**ASKED, "backend": "pymc", "priors": models.Priors()}
    assert fits.fingerprint("pooled", visits, ASKED) == fits.fingerprint("pooled", visits, written)


def test_other_versions_are_another_question(visits, monkeypatch):
    before = fits.fingerprint("pooled", visits, ASKED)
    monkeypatch.setattr(fits, "version", lambda package: "0.0")
    assert fits.fingerprint("pooled", visits, ASKED) != before


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


def test_what_nobody_read_for_a_month_is_forgotten(visits, folder):
    fits.fit_once("pooled", visits, **EXACT)
    (old,) = folder.glob("*.zip")
    os.utime(old, (0, 0))
    fits.fit_once("random_intercept", visits, **EXACT)
    assert [entry.name.split("-")[0] for entry in folder.glob("*.zip")] == ["random_intercept"]


def test_what_a_writer_left_that_was_stopped_is_forgotten_too(visits, folder):
    stopped = folder / f"{fits.UNFINISHED}x"
    stopped.mkdir(parents=True)
    (stopped / fits.MEMBER).write_bytes(b"half")
    os.utime(stopped, (0, 0))
    assert fits.fit_once("pooled", visits, **EXACT)
    assert not stopped.exists()


def test_what_a_reader_keeps_in_the_same_folder_stays(visits, folder):
    thesis, notes = folder / "thesis", folder / "pooled-notes.zip"
    thesis.mkdir(parents=True)
    notes.touch()
    for path in (thesis, notes):
        os.utime(path, (0, 0))
    fits.fit_once("pooled", visits, **EXACT)
    assert thesis.exists() and notes.exists()


def test_what_is_read_is_not_forgotten(visits, folder):
    fits.fit_once("pooled", visits, **EXACT)
    (old,) = folder.glob("*.zip")
    os.utime(old, (0, 0))
    fits.fit_once("pooled", visits, **EXACT)
    fits.fit_once("random_intercept", visits, **EXACT)
    assert len(list(folder.glob("*.zip"))) == 2


def test_of_two_processes_one_computes(folder):
    program = (
        "from helpers import data, fits, models\n"
        "fit = models.fit\n"
        "import functools\n"
        "@functools.wraps(fit)\n"
        "def counted(*args, **kwargs):\n"
        "    print('computed')\n"
        "    return fit(*args, **kwargs)\n"
        "models.fit = counted\n"
        "visits = data.standardize(data.load_bounce_times(), 'age')\n"
        "tree = fits.fit_once('pooled', visits, backend='exact')\n"
        "print('mean', float(tree['posterior']['slope'].mean()))\n"
    )
    command = [sys.executable, "-c", program]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ.copy())
        for _ in range(2)
    ]
    printed = [process.communicate(timeout=300)[0] for process in running]
    assert sum(text.count("computed") for text in printed) == 1
    first, second = (text.split("mean")[1] for text in printed)
    assert first == second
