"""The participants' set-up check: every check passes and fails, and says the one thing to do."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import types
from pathlib import Path

import pytest

from chapters import ROOT
from helpers import fits
from helpers.workshop import setup_check
from helpers.workshop.setup_check import GIGABYTE, MEND, NOTE, OK, Result

PAGE = (ROOT / "notebooks" / "t3_setup.md").read_text(encoding="utf-8")
SOURCES = ("__init__", "__main__", "workshop/__init__", "workshop/setup_check")
PINS = setup_check.read_lock(ROOT / "requirements.lock")


def command(*arguments: str, cwd: Path, path: tuple[Path, ...]) -> subprocess.CompletedProcess:
    """Run ``python -m helpers`` in ``cwd`` with ``path`` before all other places of modules."""
    own = {"PYTHONPATH": os.pathsep.join(map(str, path)), "BOOK_FIT_CACHE": str(cwd / "kept fits")}
    words = [sys.executable, "-m", "helpers", *arguments]
    return subprocess.run(words, cwd=cwd, env=os.environ | own, capture_output=True, text=True)


def write_module(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(text, encoding="utf-8")


def write_memory(folder: Path, size: float) -> None:
    """A psutil that tells of so many bytes, whatever the machine of the test has."""
    write_module(folder, "psutil", f"class virtual_memory:\n    available = {size}\n")


def is_told(result: Result, status: str, message: str, remedy: str) -> None:
    assert result.status == status, result
    assert re.search(message, result.message), result
    assert re.search(remedy, result.remedy), result
    assert "\n" not in result.message + result.remedy


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """The model answers at once, there is memory, and fits are kept in the test's folder."""
    found = types.SimpleNamespace(mean=2.01, available=8 * GIGABYTE)
    psutil = types.SimpleNamespace(virtual_memory=lambda: found)

    def answer(command, **_):
        said = json.dumps({"mean": found.mean, "exact": 2.0, "sd": 0.2})
        said = "" if "Rscript" in command[0] else said  # which misses no package
        return subprocess.CompletedProcess(command, 0, said, "")

    monkeypatch.setattr(setup_check.subprocess, "run", answer)
    monkeypatch.setitem(sys.modules, "psutil", psutil)
    monkeypatch.setenv("BOOK_FIT_CACHE", str(tmp_path / "kept fits"))
    return found


# The command


def test_a_ready_machine_is_told_so_from_a_wheel_in_another_folder_with_spaces(tmp_path):
    site, cwd, fakes = tmp_path / "Ada Lovelace", tmp_path / "my notebooks", tmp_path / "fakes"
    shutil.copytree(ROOT / "src" / "helpers", site / "helpers")
    shutil.copytree(ROOT / "data", site / "helpers" / "data_files")
    cwd.mkdir()
    write_memory(fakes, 8 * GIGABYTE)
    done = command("check", "--json", cwd=cwd, path=(fakes, site))
    assert (done.returncode, done.stderr) == (0, "")
    summary = json.loads(done.stdout)
    assert (summary["ready"], summary["failures"]) == (True, 0)
    found = {one["check"]: one["status"] for one in summary["checks"]}
    assert found == dict.fromkeys(setup_check.CHECKS, OK)
    assert summary["seconds"] == pytest.approx(sum(one["seconds"] for one in summary["checks"]))
    assert str(tmp_path) not in done.stdout


def test_a_broken_installation_is_told_in_sentences_and_no_traceback(tmp_path):
    fakes = tmp_path / "fakes"
    write_memory(fakes, GIGABYTE)
    write_module(fakes, "pymc", "raise ImportError('numba is\\nbroken')")
    done = command("check", cwd=tmp_path, path=(fakes, ROOT / "src"))
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert lines[-1] == "Not ready: mend the 2 points above."
    assert [line.split()[1] for line in lines if line.startswith(MEND)] == ["memory", "model"]
    assert sum(line.strip().startswith("-> ") for line in lines) == 2


def test_a_command_that_is_not_there_is_refused(tmp_path):
    done = command("chek", cwd=tmp_path, path=(ROOT / "src",))
    assert done.returncode == 2
    assert "usage: python -m helpers" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("module", SOURCES)
def test_a_python_that_is_too_old_and_alone_can_read_the_check(module):
    source = (ROOT / "src" / "helpers" / f"{module}.py").read_text(encoding="utf-8")
    body = ast.parse(source, feature_version=(3, 8)).body
    names = [node.module for node in body if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in body if isinstance(node, ast.Import) for alias in node.names]
    assert {name.partition(".")[0] for name in names} <= {*sys.stdlib_module_names, "helpers"}


# What is printed


def test_a_first_cell_shows_a_line_for_each_check(machine, capsys):
    assert setup_check.report() is None
    *lines, verdict = capsys.readouterr().out.splitlines()
    assert verdict == "Ready."
    assert "model           posterior mean 2.01 (exactly 2.00)" in lines[-1]
    assert len(lines) == len(setup_check.CHECKS)
    assert all(line.isascii() and len(line) <= 100 for line in lines)


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ([OK, NOTE], "Ready."),
        ([OK, MEND, NOTE], "Not ready: mend the 1 point above."),
        ([MEND, MEND], "Not ready: mend the 2 points above."),
    ],
)
def test_only_what_must_be_mended_counts(monkeypatch, capsys, statuses, verdict):
    results = [Result(status, "found", "Do this.") for status in statuses]
    checks = {str(number): lambda r=result: r for number, result in enumerate(results)}
    monkeypatch.setattr(setup_check, "CHECKS", checks)
    summary = setup_check.check_machine()
    assert capsys.readouterr().out.splitlines()[-1] == verdict
    assert (summary["ready"], summary["failures"]) == (verdict == "Ready.", statuses.count(MEND))


def test_a_check_that_breaks_is_a_point_to_mend():
    is_told(setup_check.run_check("x", lambda: 1 / 0), MEND, "not be checked: division", ".")
    told = setup_check.run_check("x", lambda: Result(OK, f"{Path.home()}/a\nb"))
    assert (told.message, told.check) == ("~/a b", "x")


# Each check


def test_an_old_python_and_one_of_32_bits_are_refused(monkeypatch):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == setup_check.DISTRIBUTION
    wanted = project["requires-python"].removeprefix(">=")
    assert setup_check.check_python((3, 12, 0)).status == OK
    is_told(setup_check.check_python((3, 13, 1), 2**31 - 1), MEND, "32 bits", "64 bits")
    old = setup_check.check_python((3, 11, 9))
    is_told(old, MEND, r"3\.11\.9 is too old", rf"Python {wanted} or newer")
    monkeypatch.setitem(setup_check.CHECKS, "Python", lambda: old)
    assert [one["check"] for one in setup_check.check_machine()["checks"]] == ["Python"]


@pytest.mark.parametrize("is_checkout", [True, False], ids=["checkout", "wheel"])
@pytest.mark.parametrize(
    ("package", "version", "in_checkout", "in_wheel", "message"),
    [
        ("pymc", PINS["pymc"], OK, OK, "^all"),
        ("pymc", None, MEND, MEND, "^pymc.* is needed, and none"),
        ("pymc", "5.28.0", MEND, MEND, r"^pymc<7.* is needed, and 5\.28\.0"),
        ("pymc", "6.99", NOTE, OK, f"^pymc is 6.99, in the lock {PINS['pymc']}|^all"),
        ("numba", "0.0.1", NOTE, OK, "^numba is 0.0.1, in the lock|^all"),  # others need it
        ("numba", None, OK, OK, "^all"),
        ("jupyterlab", None, MEND, OK, "^jupyterlab is needed|^all"),
    ],
)
def test_packages_are_compared_with_what_the_book_admits_and_with_the_lock(
    monkeypatch, tmp_path, is_checkout, package, version, in_checkout, in_wheel, message
):
    find, lock = setup_check.find_version, (ROOT if is_checkout else tmp_path) / "requirements.lock"
    monkeypatch.setattr(setup_check, "LOCK", lock)
    monkeypatch.setattr(
        setup_check, "find_version", lambda name: version if name == package else find(name)
    )
    status = in_checkout if is_checkout else in_wheel
    remedy = "--require-hashes -r requirements.lock$" if is_checkout else "^Install the book again"
    is_told(setup_check.check_packages(), status, message, remedy if status != OK else "^$")


def test_the_lock_is_read_for_this_python_and_system(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "here==1.0 ; python_full_version >= '3.0' \\\n    --hash=sha256:00\n    # via there\n"
        "here==2.0 ; python_full_version < '3.0' \\\nwith-extra[x]==3.1 \\\n"
    )
    assert setup_check.read_lock(lock) == {"here": "1.0", "with-extra": "3.1"}


def test_any_missing_or_changed_file_of_the_data_is_told_but_not_line_ends_of_windows(tmp_path):
    shutil.copytree(ROOT / "data", tmp_path, dirs_exist_ok=True)
    for name in setup_check.CHECKSUMS:
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes().replace(b"\n", b"\r\n"))
    assert setup_check.check_data(tmp_path).status == OK
    files = list(tmp_path.glob("*.[cj]*"))
    assert len(files) == 14
    for file in files:
        content = file.read_bytes()
        file.write_bytes(content[:-9])
        is_told(setup_check.check_data(tmp_path), MEND, f"{file.name} is", "^Download")
        file.unlink()
        is_told(setup_check.check_data(tmp_path), MEND, f"{file.name} is missing", "^Download")
        file.write_bytes(content)


def test_memory_is_enough_or_too_little(machine):
    machine.available = 2 * GIGABYTE
    is_told(setup_check.check_memory(), OK, "^2.0 GB", "^$")
    machine.available = 1.5 * GIGABYTE
    is_told(setup_check.check_memory(), MEND, "only 1.5 GB", "^Close")


def test_a_folder_without_permission_is_told(machine, monkeypatch, tmp_path):
    def refuse(dir):
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.chdir(tmp_path)
    assert setup_check.check_working_folder().status == OK
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    is_told(setup_check.check_working_folder(), MEND, "Permission denied", "Go to a folder")
    is_told(setup_check.check_kept_fits(), NOTE, "Permission denied", "BOOK_FIT_CACHE")


@pytest.mark.parametrize("variable", ["", "~/somewhere"])
def test_kept_fits_are_looked_for_where_they_are(monkeypatch, variable):
    monkeypatch.setenv(fits.VARIABLE, variable)
    monkeypatch.setattr(setup_check, "try_to_write", lambda folder, *_: folder)
    assert setup_check.check_kept_fits() == fits.cache_folder()


def test_a_wrong_posterior_is_told(machine):
    is_told(setup_check.check_model(), OK, r"2\.01 \(exactly 2\.00\)", "^$")
    machine.mean = 2.15
    is_told(setup_check.check_model(), MEND, r"wrong posterior mean 2\.15", "install")


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("raise ImportError('broken')", "ImportError: broken", "install"),
        ("raise ImportError('DLL load failed: x')", "DLL load failed", r"Visual C\+\+"),
        ("print('noise'); import os; os._exit(9)", "Python stopped with code 9", "install"),
        ("import time; time.sleep(60)", "no answer after 2 s", "^Close other programs"),
    ],
)
def test_what_breaks_crashes_or_hangs_is_a_sentence(monkeypatch, tmp_path, text, message, remedy):
    write_module(tmp_path, "bambi", text)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT / "src")]))
    is_told(setup_check.check_model(patience=2), MEND, message, remedy)


# The page


@pytest.mark.skipif(sys.platform == "win32", reason="a script of the shell")
def test_an_r_without_the_packages_of_the_scripts_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "not here" in setup_check.check_r().message
    program = tmp_path / "Rscript"
    program.write_text("#!/bin/sh\nprintf 'brms readr '\n")
    program.chmod(0o755)
    found = setup_check.check_r()
    assert (found.status, found.message) == (
        OK,
        "is here, without brms and readr; the scripts in r/ need them",
    )


def test_the_page_knows_every_check_and_no_other():
    assert set(re.findall(r"(?m)^\| \*\*([\w ]+)\*\* \|", PAGE)) == set(setup_check.CHECKS)


def test_the_teachers_cell_reads_what_participants_send(machine, tmp_path, monkeypatch):
    """PowerShell writes UTF-16 when output is sent to a file."""
    (tmp_path / "answers").mkdir()
    text = json.dumps(setup_check.check_machine(show=False))
    (tmp_path / "answers" / "ada.json").write_text(text, encoding="utf-8")
    (tmp_path / "answers" / "jens.json").write_text(text, encoding="utf-16")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(re.search(r"(?s)```python\n(import json.*?)```", PAGE)[1], names)
    assert list(names["table"].index) == ["ada", "jens"]
    assert (names["table"]["model"] == OK).all()
