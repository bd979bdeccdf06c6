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

from conftest import ROOT
from helpers import fits
from helpers.workshop import setup_check
from helpers.workshop.setup_check import GIGABYTE, MEND, NOTE, OK, Result

PAGE = ROOT / "notebooks" / "t3_setup.md"
SOURCES = ("__init__", "__main__", "workshop/__init__", "workshop/setup_check")
PINS = setup_check.read_lock(ROOT / "requirements.lock")


def command(*arguments: str, cwd: Path, path: tuple[Path, ...]) -> subprocess.CompletedProcess:
    """Run ``python -m helpers`` in ``cwd`` with ``path`` before all other places of modules."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    environment["BOOK_FIT_CACHE"] = str(cwd / "kept fits")
    return subprocess.run(
        [sys.executable, "-m", "helpers", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        encoding="utf-8",
    )


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
def answers(monkeypatch, tmp_path):
    """The model answers at once, there is memory, and fits are kept in the test's folder."""
    answer = {"mean": 2.01, "exact": 2.0, "sd": 0.2}
    memory = types.SimpleNamespace(available=8 * GIGABYTE)
    psutil = types.SimpleNamespace(virtual_memory=lambda: memory)
    monkeypatch.setattr(setup_check, "sample_alone", lambda: answer)
    monkeypatch.setitem(sys.modules, "psutil", psutil)
    monkeypatch.setenv("BOOK_FIT_CACHE", str(tmp_path / "kept fits"))
    return types.SimpleNamespace(model=answer, memory=memory)


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
    assert "usage: python -m helpers" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("module", SOURCES)
def test_a_python_that_is_too_old_and_alone_can_read_the_check(module):
    source = (ROOT / "src" / "helpers" / f"{module}.py").read_text(encoding="utf-8")
    outside = set()
    for node in ast.parse(source, feature_version=(3, 8)).body:
        if isinstance(node, ast.ImportFrom):
            outside.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Import):
            outside |= {alias.name.partition(".")[0] for alias in node.names}
    assert outside <= {*sys.stdlib_module_names, "helpers"}


# What is printed


def test_a_first_cell_shows_a_line_for_each_check(answers, capsys):
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
def test_only_what_must_be_mended_counts(capsys, statuses, verdict):
    results = [Result(status, "found", "Do this.", "check") for status in statuses]
    ready = setup_check.print_results(results)
    assert capsys.readouterr().out.splitlines()[-1] == verdict
    assert ready == setup_check.summarize(results)["ready"] == (MEND not in statuses)


def test_a_check_that_breaks_is_a_point_to_mend():
    is_told(setup_check.run_check("x", lambda: 1 / 0), MEND, "not be checked: division", ".")
    told = setup_check.run_check("x", lambda: Result(OK, f"{Path.home()}/a\nb"))
    assert (told.message, told.check) == ("~/a b", "x")


# Each check


def test_the_wanted_python_is_the_one_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=" + ".".join(map(str, setup_check.PYTHON))
    assert project["name"] == setup_check.DISTRIBUTION


def test_an_old_python_and_one_of_32_bits_are_refused(monkeypatch):
    assert setup_check.check_python((3, 12, 0)).status == OK
    is_told(setup_check.check_python((3, 13, 1), 2**31 - 1), MEND, "32 bits", "64 bits")
    old = setup_check.check_python((3, 11, 9))
    is_told(old, MEND, r"3\.11\.9 is too old", r"Python 3\.12")
    monkeypatch.setitem(setup_check.CHECKS, "Python", lambda: old)
    assert [result.check for result in setup_check.run_checks()] == ["Python"]


@pytest.mark.parametrize("project", [ROOT, None], ids=["checkout", "wheel"])
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
    monkeypatch, project, package, version, in_checkout, in_wheel, message
):
    find = setup_check.find_version
    monkeypatch.setattr(setup_check, "find_project", lambda: project)
    monkeypatch.setattr(
        setup_check, "find_version", lambda name: version if name == package else find(name)
    )
    status = in_checkout if project else in_wheel
    remedy = "--require-hashes -r requirements.lock$" if project else "^Install the book again"
    is_told(setup_check.check_packages(), status, message, remedy if status != OK else "^$")


def test_the_lock_is_read_for_this_python_and_system(tmp_path):
    lock = tmp_path / "requirements.lock"
    lines = [
        "here==1.0 ; python_full_version >= '3.0' \\",
        "    --hash=sha256:00",
        "    # via there",
        "here==2.0 ; python_full_version < '3.0' \\",
        "with-extra[x]==3.1 \\",
    ]
    lock.write_text("\n".join(lines), encoding="utf-8")
    assert setup_check.read_lock(lock) == {"here": "1.0", "with-extra": "3.1"}


@pytest.mark.parametrize("name", [path.name for path in sorted((ROOT / "data").glob("*.[cj]*"))])
def test_any_missing_or_changed_file_of_the_data_is_told(tmp_path, name):
    shutil.copytree(ROOT / "data", tmp_path, dirs_exist_ok=True)
    assert setup_check.check_data(tmp_path).status == OK
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:-9])
    is_told(setup_check.check_data(tmp_path), MEND, f"{name} is", "^Download")
    (tmp_path / name).unlink()
    is_told(setup_check.check_data(tmp_path), MEND, f"{name} is missing", "^Download")


def test_line_ends_of_windows_are_not_a_change(tmp_path):
    shutil.copytree(ROOT / "data", tmp_path, dirs_exist_ok=True)
    for name in setup_check.CHECKSUMS:
        content = (ROOT / "data" / name).read_bytes()
        (tmp_path / name).write_bytes(content.replace(b"\n", b"\r\n"))
    assert setup_check.check_data(tmp_path).status == OK


@pytest.mark.parametrize(
    ("gigabytes", "status", "message"), [(2, OK, "^2.0 GB"), (1.5, MEND, "only 1.5 GB")]
)
def test_memory_is_enough_or_too_little(answers, gigabytes, status, message):
    answers.memory.available = gigabytes * GIGABYTE
    is_told(setup_check.check_memory(), status, message, "^Close" if status == MEND else "^$")


def test_a_folder_without_permission_is_told(answers, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert setup_check.check_working_folder().status == OK
    assert not list(tmp_path.iterdir())

    def refuse(dir):
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    is_told(setup_check.check_working_folder(), MEND, "Permission denied", "Go to a folder")
    is_told(setup_check.check_kept_fits(), NOTE, "Permission denied", "BOOK_FIT_CACHE")


@pytest.mark.parametrize("variable", ["", "~/somewhere"])
def test_kept_fits_are_looked_for_where_they_are(monkeypatch, variable):
    looked_at = []
    monkeypatch.setenv(fits.VARIABLE, variable)
    monkeypatch.setattr(setup_check, "try_to_write", lambda folder, _: looked_at.append(folder))
    setup_check.check_kept_fits()
    assert looked_at == [fits.cache_folder()]


def test_a_wrong_posterior_is_told(answers):
    is_told(setup_check.check_model(), OK, r"2\.01 \(exactly 2\.00\)", "^$")
    answers.model["mean"] = 2.15
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
def test_what_breaks_crashes_or_hangs_ends_in_a_sentence(
    monkeypatch, tmp_path, text, message, remedy
):
    write_module(tmp_path, "bambi", text)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT / "src")]))
    alone = setup_check.sample_alone
    monkeypatch.setattr(setup_check, "sample_alone", lambda: alone(patience=2))
    is_told(setup_check.check_model(), MEND, message, remedy)


# The page


def test_the_page_knows_every_check_and_no_other():
    rows = re.findall(r"^\| \*\*([\w ]+)\*\* \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(rows) == set(setup_check.CHECKS)


def test_the_teachers_cell_reads_what_participants_send(answers, tmp_path, monkeypatch):
    """PowerShell writes UTF-16 when output is sent to a file."""
    folder = tmp_path / "answers"
    folder.mkdir()
    text = json.dumps(setup_check.summarize(setup_check.run_checks()))
    (folder / "ada.json").write_text(text, encoding="utf-8")
    (folder / "jens.json").write_text(text, encoding="utf-16")
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(import json.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    exec(code.group(1), names)
    assert list(names["table"].index) == ["ada", "jens"]
    assert (names["table"]["model"] == OK).all()
