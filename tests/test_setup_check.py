"""The participants' set-up check: every check passes and fails, on every platform it knows."""

import ast
import functools
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
from helpers.book import visits
from helpers.book.truth import write_data
from helpers.book.visits import data_file
from helpers.workshop import setup_check
from helpers.workshop.setup_check import GIGABYTE, MEND, NOTE, OK, Result

PAGE = ROOT / "notebooks" / "t3_setup.md"
PLATFORMS = ("linux", "win32", "darwin")
ANSWERS = {
    "draw_plot": {"bytes": 20_000, "ink": 9_000},
    "sample_model": {"mean": 2.01, "exact": 2.0, "sd": 0.2},
}


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


def write_module(folder: Path, name: str, text: str) -> Path:
    """Put a module of this text into a folder of such modules."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def with_memory(folder: Path, size: float) -> Path:
    """A psutil that tells of so many bytes, whatever the machine of the test has."""
    text = f"class virtual_memory:\n    available = {size}\n"
    return write_module(folder, "psutil", text)


def is_told(result: Result, status: str, message: str, remedy: str) -> None:
    assert result.status == status, result
    assert re.search(message, result.message), result
    assert re.search(remedy, result.remedy), result
    assert "\n" not in result.message + result.remedy


@pytest.fixture
def stand_ins(monkeypatch, tmp_path):
    """Programs of their own answer at once, and fits are kept in the test's folder."""
    monkeypatch.setattr(setup_check, "run_alone", ANSWERS.__getitem__)
    monkeypatch.setattr(setup_check, "read_memory", lambda: 8 * GIGABYTE)
    monkeypatch.setenv("BOOK_FIT_CACHE", str(tmp_path))


@pytest.fixture
def wheel(tmp_path):
    """The helpers as a wheel installs them, under a path with spaces and no project around them."""
    site = tmp_path / "Ada Lovelace" / "site packages"
    shutil.copytree(ROOT / "src" / "helpers", site / "helpers")
    shutil.copytree(ROOT / "data", site / "helpers" / "data_files")
    return site


# The command


def test_a_ready_machine_is_told_so_from_a_wheel_in_another_folder_with_spaces(tmp_path, wheel):
    cwd = tmp_path / "my notebooks"
    cwd.mkdir()
    fakes = with_memory(tmp_path / "fakes", 8 * GIGABYTE)
    done = command("check", "--json", cwd=cwd, path=(fakes, wheel))
    assert (done.returncode, done.stderr) == (0, "")
    summary = json.loads(done.stdout)
    assert summary["ready"] and summary["failures"] == 0
    assert {one["check"]: one["status"] for one in summary["checks"]} == {
        "Python": OK,
        "packages": OK,
        "data": OK,
        "memory": OK,
        "working folder": OK,
        "kept fits": OK,
        "plot": OK,
        "model": OK,
    }
    assert summary["seconds"] == pytest.approx(sum(one["seconds"] for one in summary["checks"]))
    assert not re.search(re.escape(str(tmp_path)), done.stdout)


def test_a_broken_installation_is_told_in_sentences_and_no_traceback(tmp_path):
    fakes = with_memory(tmp_path / "fakes", GIGABYTE)
    write_module(fakes, "pymc", "raise ImportError('numba is\\nbroken')")
    write_module(fakes, "matplotlib", "import os; os._exit(139)")
    done = command("check", cwd=tmp_path, path=(fakes,))
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert lines[-1] == "Not ready: mend the 3 points above."
    assert [line.split()[1] for line in lines if line.startswith(MEND)] == [
        "memory",
        "plot",
        "model",
    ]
    assert sum("-> In the book's folder:" in line for line in lines) == 1
    assert sum(line.strip() == "-> as above" for line in lines) == 1


def test_a_command_that_is_not_there_is_refused(tmp_path):
    done = command("chek", cwd=tmp_path, path=())
    assert done.returncode == 2
    assert "usage: python -m helpers" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "module", ["__init__", "__main__", "workshop/__init__", "workshop/setup_check"]
)
def test_a_python_that_is_too_old_can_read_the_check(module):
    source = (ROOT / "src" / "helpers" / f"{module}.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 8))
    outside = {
        (node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.parse(source).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {name.split(".")[0] for name in outside} <= {*sys.stdlib_module_names, "helpers"}


# The first cell of a notebook


def test_a_first_cell_shows_what_the_command_shows(stand_ins, monkeypatch, capsys):
    monkeypatch.setattr(setup_check, "runs_in_notebook", lambda: False)
    assert setup_check.report() is None
    shown = capsys.readouterr().out.splitlines()
    assert shown[-1] == "Ready."
    assert "model           posterior mean 2.01 (exactly 2.00)" in shown[-2]
    monkeypatch.setattr(setup_check, "runs_in_notebook", lambda: True)
    setup_check.report()
    in_notebook = capsys.readouterr().out
    assert [line for line in in_notebook.splitlines() if " kernel " not in line] == shown
    assert " kernel " in in_notebook


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
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == verdict
    assert ready == setup_check.summarize(results)["ready"] == (MEND not in statuses)
    assert len(lines) == 2 * len(statuses) + 1  # two lines a check, the verdict
    remedies = [line.strip() for line in lines if "->" in line]
    assert remedies == ["-> Do this.", *["-> as above"] * (len(statuses) - 1)]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_platform_gets_its_checks_and_readable_lines(stand_ins, monkeypatch, platform):
    monkeypatch.setitem(sys.modules, "winreg", None)  # as anywhere but on Windows
    results = list(setup_check.run_checks(platform))
    traps = {
        "linux": set(),
        "win32": {"paths", "long paths"},
        "darwin": {"paths", "processor"},
    }
    names = {result.check for result in results}
    assert names & {"paths", "long paths", "processor"} == traps[platform]
    assert all(bool(result.remedy) == (result.status != OK) for result in results)
    for result in results:
        line = setup_check.write_line(result)
        assert line.isascii()
        assert len(line) <= 100, line


def test_a_check_that_breaks_is_a_point_to_mend(monkeypatch):
    def burst():
        raise ZeroDivisionError

    home = str(Path.home())
    is_told(setup_check.run_check("x", burst), MEND, "could not be checked: ZeroDivisionError", ".")
    shown = setup_check.run_check("x", lambda: Result(OK, f"{home}/a\nb")).message
    assert shown == "~/a b"


# Python and packages


def test_the_wanted_python_is_the_one_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=" + ".".join(map(str, setup_check.PYTHON))
    assert project["name"] == setup_check.DISTRIBUTION


def test_an_old_python_and_one_of_32_bits_are_refused():
    assert setup_check.check_python((3, 13, 1)).status == OK
    assert setup_check.check_python((3, 12, 0)).status == OK
    is_told(setup_check.check_python((3, 11, 9)), MEND, r"3\.11\.9 is too old", r"Python 3\.12")
    is_told(setup_check.check_python((3, 13, 1), 2**31 - 1), MEND, "32 bits", "64-bit")


def test_a_python_that_is_too_old_is_the_only_point(monkeypatch):
    old = functools.partial(setup_check.check_python, (3, 9, 0))
    monkeypatch.setattr(setup_check, "check_python", old)
    assert [result.check for result in setup_check.run_checks()] == ["Python"]


@pytest.fixture
def installed(monkeypatch):
    """Function that changes the version of a package, or with nothing removes it."""
    found = setup_check.find_version

    def change(package: str, version: str | None) -> None:
        monkeypatch.setattr(
            setup_check, "find_version", lambda name: version if name == package else found(name)
        )

    return change


@pytest.mark.parametrize("project", [ROOT, None], ids=["checkout", "wheel"])
def test_the_packages_of_this_environment_fit(project):
    assert setup_check.check_packages(project).status == OK


@pytest.mark.parametrize(
    ("project", "remedy"),
    [(ROOT, "--require-hashes -r requirements.lock$"), (None, 'install --upgrade "pymc.*<7.*"$')],
    ids=["checkout", "wheel"],
)
@pytest.mark.parametrize(
    ("version", "message"),
    [(None, "^pymc is missing$"), ("5.28.0", r"^pymc is 5\.28\.0, not .*<7")],
)
def test_a_missing_and_an_unfit_package_are_named(installed, project, remedy, version, message):
    installed("pymc", version)
    is_told(setup_check.check_packages(project), MEND, message, remedy)


def test_a_version_that_fits_but_is_not_locked_is_a_note(installed):
    pin = setup_check.read_lock(ROOT / "requirements.lock")["pymc"]
    installed("pymc", "6.99")
    message = re.escape(f"pymc is 6.99, in the lock {pin}")
    is_told(setup_check.check_packages(ROOT), NOTE, message, "requirements.lock")
    assert setup_check.check_packages(None).status == OK


def test_a_package_that_only_others_need_is_compared_with_the_lock_too(installed):
    pins = setup_check.read_lock(ROOT / "requirements.lock")
    required = {requirement.name for requirement in setup_check.read_requirements(ROOT)}
    assert "numba" in pins.keys() - required
    installed("numba", "0.0.1")
    message = re.escape(f"numba is 0.0.1, in the lock {pins['numba']}")
    is_told(setup_check.check_packages(ROOT), NOTE, message, "requirements.lock")
    installed("numba", None)  # a package of another system or of the book's tools
    assert setup_check.check_packages(ROOT).status == OK


@pytest.mark.parametrize("package", ["jupyterlab", "ipykernel"])
def test_what_runs_notebooks_is_needed_where_the_lock_has_it(installed, package):
    installed(package, None)
    is_told(setup_check.check_packages(ROOT), MEND, f"^{package} is missing$", "requirements.lock")
    assert setup_check.check_packages(None).status == OK


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


def test_long_lists_are_cut():
    assert setup_check.shorten("abc") == "a; b; c"
    assert setup_check.shorten("abcde") == "a; b; c; and 2 more"


def test_a_kernel_older_than_its_packages_must_restart(installed):
    assert setup_check.check_kernel(ROOT).status == OK
    installed("numpy", "99.0")
    is_told(setup_check.check_kernel(ROOT), MEND, "numpy .* and 99.0 is installed", "Restart")


# Data


def test_the_checksums_are_those_of_the_committed_files():
    assert setup_check.find_data() == data_file("truth.json").parent
    is_told(setup_check.check_data(ROOT / "data"), OK, "all files", "^$")


DATA_FILES = sorted(path.name for path in (ROOT / "data").iterdir() if path.suffix != ".md")


@pytest.mark.parametrize("name", DATA_FILES)
def test_any_missing_or_changed_file_is_told(tmp_path, name):
    shutil.copytree(ROOT / "data", tmp_path, dirs_exist_ok=True)
    assert setup_check.check_data(tmp_path).status == OK
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:-9])
    is_told(setup_check.check_data(tmp_path), MEND, f"{name} is", "^(Run|Download)")
    (tmp_path / name).unlink()
    is_told(setup_check.check_data(tmp_path), MEND, f"{name} is missing", "^Download")


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        (lambda content: content.replace(b"\n", b"\r\n"), NOTE, r"CRLF.*git"),
        (lambda content: content.replace(b"\n", b"\r\n")[:-9], MEND, "checksum differs"),
        (lambda content: content.replace(b"4", b"5", 1), MEND, "checksum differs"),
    ],
    ids=["CRLF", "CRLF and cut", "a digit"],
)
@pytest.mark.parametrize("name", setup_check.CHECKSUMS)
def test_changed_data_are_told_by_cause_and_the_remedy_helps(
    tmp_path, monkeypatch, name, change, status, message
):
    shutil.copytree(ROOT / "data", tmp_path, dirs_exist_ok=True)
    write_data(tmp_path)
    assert setup_check.check_data(tmp_path).status == OK
    (tmp_path / name).write_bytes(change((tmp_path / name).read_bytes()))
    result = setup_check.check_data(tmp_path)
    is_told(result, status, f"^{re.escape(name)} .*{message}", "^Run: python -c")
    monkeypatch.setattr(visits, "data_file", tmp_path.joinpath)
    exec(re.search('"(.*)"', result.remedy).group(1), {})
    assert setup_check.check_data(tmp_path).status == OK


def test_missing_data_outweigh_line_ends(tmp_path):
    table = (ROOT / "data" / "bounce_times.csv").read_bytes()
    (tmp_path / "bounce_times.csv").write_bytes(table.replace(b"\n", b"\r\n"))
    is_told(setup_check.check_data(tmp_path), MEND, "is missing", "Download")


# Memory and folders


@pytest.mark.parametrize(
    ("gigabytes", "status", "message"),
    [(8, OK, "^8.0 GB"), (2, OK, "^2.0 GB"), (1.5, MEND, "only 1.5 GB"), (None, NOTE, "unknown")],
)
def test_memory_is_enough_too_little_or_unknown(monkeypatch, gigabytes, status, message):
    size = None if gigabytes is None else gigabytes * GIGABYTE
    monkeypatch.setattr(setup_check, "read_memory", lambda: size)
    remedy = {OK: "^$", MEND: "^Close", NOTE: "2 GB"}[status]
    is_told(setup_check.check_memory(), status, message, remedy)


def test_memory_is_read_with_psutil_and_unknown_without(monkeypatch):
    psutil = types.SimpleNamespace(virtual_memory=lambda: types.SimpleNamespace(available=7))
    monkeypatch.setitem(sys.modules, "psutil", psutil)
    assert setup_check.read_memory() == 7
    monkeypatch.setitem(sys.modules, "psutil", None)  # importing it fails
    assert setup_check.read_memory() is None


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path):
    assert setup_check.check_working_folder(tmp_path).status == OK
    assert not list(tmp_path.iterdir())
    absent = tmp_path / "absent"
    is_told(setup_check.check_working_folder(absent), MEND, "No such file", "Go to a folder")


def test_a_folder_without_permission_is_refused(monkeypatch, tmp_path):
    def refuse(dir):
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    monkeypatch.setenv("BOOK_FIT_CACHE", str(tmp_path))
    is_told(setup_check.check_working_folder(), MEND, "Permission denied", "Go to a folder")
    is_told(setup_check.check_fit_cache(), NOTE, "Permission denied", "BOOK_FIT_CACHE")


def test_fits_that_cannot_be_kept_are_a_note(monkeypatch, tmp_path):
    monkeypatch.setenv("BOOK_FIT_CACHE", str(tmp_path / "made" / "here"))
    assert setup_check.check_fit_cache().status == OK
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("BOOK_FIT_CACHE", str(file / "below"))
    is_told(setup_check.check_fit_cache(), NOTE, "computed anew", "BOOK_FIT_CACHE")


@pytest.mark.parametrize("variable", ["", "somewhere"])
def test_kept_fits_are_looked_for_where_they_are(monkeypatch, variable):
    from helpers import fits

    monkeypatch.setenv(fits.VARIABLE, variable)
    assert setup_check.find_fit_cache() == fits.cache_folder()


# Platforms


@pytest.mark.parametrize(
    ("platform", "tools", "status"),
    [
        ("linux", {"make"}, OK),
        ("linux", {"sh"}, NOTE),
        ("win32", {"make", "sh"}, OK),
        ("win32", {"make"}, NOTE),
        ("win32", set(), NOTE),
        ("darwin", {"make", "xcode"}, OK),
        ("darwin", {"make"}, NOTE),  # the stand-in that asks to install the tools
    ],
)
def test_make_is_looked_for_with_what_it_needs(monkeypatch, platform, tools, status):
    monkeypatch.setattr(shutil, "which", lambda tool: tool if tool in tools else None)
    monkeypatch.setattr(setup_check, "call", lambda *command: "/" if "xcode" in tools else None)
    remedy = {"darwin": "xcode-select --install"}.get(platform, "Without make")
    result = setup_check.check_make(platform)
    is_told(result, status, "is here" if status == OK else "missing|no ", remedy * (status != OK))


def test_make_is_looked_for_only_where_there_is_something_to_make(monkeypatch, tmp_path):
    """The archive of a workshop has no Makefile."""
    assert "make" in setup_check.list_checks("linux")
    monkeypatch.setattr(setup_check, "find_project", lambda: tmp_path)
    assert "make" not in setup_check.list_checks("linux")


def test_the_way_without_make_is_in_the_readme():
    assert "Without make" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("/books/ada/book", None),
        ("/books/ada lovelace/book", "the environment has a space in its path"),
        ("/books/j\u00f6rg/book", "has letters beyond a-z in"),
        ("/books/j\u00f6rg meyer", "has a space and letters beyond a-z in"),
    ],
)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_paths_with_spaces_and_foreign_letters_are_noted(platform, folder, message):
    result = setup_check.check_paths(platform, {"home": "/home", "the environment": folder})
    if message and platform != "linux":
        place = {"win32": r"C:\\book", "darwin": "/Users/Shared/book"}[platform]
        is_told(result, NOTE, message, place)
    else:
        assert result.status == OK


@pytest.mark.parametrize(
    ("platform", "processor", "translated", "status"),
    [
        ("darwin", "x86_64", "1", NOTE),
        ("darwin", "x86_64", "0", OK),
        ("darwin", "x86_64", None, OK),  # an Intel Mac does not know the question
        ("darwin", "arm64", "0", OK),
        ("linux", "x86_64", "1", OK),
    ],
)
def test_an_intel_python_on_apple_silicon_is_noted(
    monkeypatch, platform, processor, translated, status
):
    monkeypatch.setattr(setup_check.machine, "machine", lambda: processor)
    monkeypatch.setattr(setup_check, "call", lambda *command: translated)
    result = setup_check.check_processor(platform)
    is_told(result, status, "Rosetta" if status == NOTE else processor, "arm64" * (status == NOTE))


@pytest.mark.parametrize(
    ("platform", "letters", "enabled", "status"),
    [
        ("win32", 40, False, OK),
        ("win32", 120, False, NOTE),
        ("win32", 120, True, OK),
        ("linux", 120, False, OK),
    ],
)
def test_long_paths_are_noted_where_windows_refuses_them(
    monkeypatch, platform, letters, enabled, status
):
    monkeypatch.setattr(setup_check, "read_long_paths", lambda: enabled)
    result = setup_check.check_long_paths(platform, "x" * letters)
    is_told(result, status, "path", "shorter by 32" * (status == NOTE))


@pytest.mark.parametrize(("value", "enabled"), [(1, True), (0, False), (None, False)])
def test_windows_is_asked_whether_it_admits_long_paths(monkeypatch, value, enabled):
    class Key:
        def __init__(self, *place):
            if value is None:
                raise FileNotFoundError(2, "no such key")

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

    registry = types.SimpleNamespace(
        HKEY_LOCAL_MACHINE=0, OpenKey=Key, QueryValueEx=lambda key, name: (value, 4)
    )
    monkeypatch.setitem(sys.modules, "winreg", registry)
    assert setup_check.read_long_paths() == enabled


def test_a_program_that_fails_or_is_not_there_says_nothing():
    assert setup_check.call(sys.executable, "-c", "print(1)") == "1"
    assert setup_check.call(sys.executable, "-c", "raise SystemExit(1)") is None
    assert setup_check.call("no-such-program-anywhere") is None


# A plot and a model


@pytest.mark.parametrize(
    ("check", "answer", "status", "message"),
    [
        ("check_plot", {"bytes": 20480, "ink": 900}, OK, "drawn, 20 kB"),
        ("check_plot", {"bytes": 2048, "ink": 0}, MEND, "the picture is empty"),
        ("check_model", {"mean": 2.05, "exact": 2.0, "sd": 0.2}, OK, r"2\.05 \(exactly 2\.00\)"),
        (
            "check_model",
            {"mean": 2.15, "exact": 2.0, "sd": 0.2},
            MEND,
            r"wrong posterior mean 2\.1",
        ),
    ],
)
def test_plot_and_model_are_judged(monkeypatch, check, answer, status, message):
    monkeypatch.setattr(setup_check, "run_alone", lambda function: answer)
    is_told(getattr(setup_check, check)(), status, message, "install" * (status != OK))


@pytest.mark.parametrize("check", ["check_plot", "check_model"])
@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (TimeoutError("no answer after 120 s"), "^Close other programs"),
        (RuntimeError("ImportError: DLL load failed while importing _x"), r"Visual C\+\+"),
        (RuntimeError("ModuleNotFoundError: No module named 'pymc'"), "pip install"),
    ],
)
def test_a_plot_and_a_model_that_fail_have_a_remedy(monkeypatch, check, error, remedy):
    def fail(function):
        raise error

    monkeypatch.setattr(setup_check, "run_alone", fail)
    is_told(getattr(setup_check, check)(), MEND, re.escape(str(error)), remedy)


def test_a_plot_is_drawn():
    drawn = setup_check.run_alone("draw_plot")
    assert drawn["ink"] > 1000
    assert drawn["bytes"] > 1000


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("raise ImportError('broken')", RuntimeError, "ImportError: broken"),
        ("print('noise'); import os; os._exit(9)", RuntimeError, "Python stopped with code 9"),
        ("import time; time.sleep(60)", TimeoutError, "no answer after 2 s"),
    ],
)
def test_what_breaks_crashes_or_hangs_ends_in_a_sentence(
    monkeypatch, tmp_path, text, error, message
):
    fakes = write_module(tmp_path, "matplotlib", text)
    monkeypatch.setenv("PYTHONPATH", str(fakes))
    with pytest.raises(error, match=f"^{message}$"):
        setup_check.run_alone("draw_plot", patience=2)


# The page


def test_the_page_knows_every_check_and_no_other(monkeypatch):
    monkeypatch.setattr(setup_check, "runs_in_notebook", lambda: True)
    checks = {name for platform in PLATFORMS for name in setup_check.list_checks(platform)}
    rows = re.findall(r"^\| \*\*([\w ]+)\*\* \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(rows) == checks


def test_the_teachers_cell_reads_what_participants_send(stand_ins, tmp_path, monkeypatch):
    """PowerShell writes UTF-16 when output is sent to a file."""
    folder = tmp_path / "answers"
    folder.mkdir()
    text = json.dumps(setup_check.summarize(setup_check.run_checks("linux")))
    (folder / "ada.json").write_text(text, encoding="utf-8")
    (folder / "jens.json").write_text(text, encoding="utf-16")
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(import json.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    exec(code.group(1), names)
    assert list(names["table"].index) == ["ada", "jens"]
    assert (names["table"]["model"] == OK).all()
