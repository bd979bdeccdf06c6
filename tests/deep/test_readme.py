"""What the README says to type works as printed, and what it names is there."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from chapters import ROOT
from executed import require

README = (ROOT / "README.md").read_text(encoding="utf-8")
WORKFLOWS = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / ".github").rglob("*.yml"))
(SNIPPET,) = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
PROSE = README.replace(SNIPPET, "")
PROGRAMS = r"(?:make|python|\.venv/bin/python|jupyter|conda|Rscript)"
BLOCKS = re.findall(rf"^ {{4,}}({PROGRAMS} .*?)(?: {{2,}}#.*)?$", PROSE, re.MULTILINE)
INLINE = re.findall(rf"`({PROGRAMS} [^`]*)`", PROSE)
COMMANDS = [*dict.fromkeys([*BLOCKS, *INLINE])]
MAKE = [words for words in COMMANDS if words.startswith("make ")]
HELPERS = [words for words in COMMANDS if " -m helpers " in words]
# By hand, now and then; all others run on GitHub, or in a test of their own.
BY_HAND = {"bench", "calibrate", "scale", "r", "clean"}
TESTED = {"report": "test_readme", "lab": "test_jupyterlab", "address": "test_address"}
TESTED |= {"pdf": "test_archives", ".venv/spark": "test_spark"}


def run(*command: str, cwd: Path = ROOT, **more: str) -> subprocess.CompletedProcess:
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    settings = {"capture_output": True, "text": True, "encoding": "utf-8"}
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, "PYTHONPATH": path, **more}, **settings
    )


def dry_run(command: str) -> subprocess.CompletedProcess:
    """What make would do if the environment is there."""
    make = shutil.which("make")
    require(make is not None, "there is no make")
    return run(make, "-n", "-o", ".venv/ready", "-o", "executed", *shlex.split(command)[1:])


@pytest.fixture
def table(tmp_path) -> Path:
    """The table of the README's example: seconds, a number, six groups."""
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(6), 10)
    x = rng.normal(10, 2, g.size)
    y = 200 + 30 * rng.normal(size=6)[g] + 8 * x + 20 * rng.normal(size=g.size)
    frame = pd.DataFrame({"y": y.round(1), "x": x.round(2), "g": [f"g{i}" for i in g]})
    frame.to_csv(tmp_path / "table.csv", index=False)
    return tmp_path


def test_every_line_of_code_is_a_command_that_is_known():
    """So that no line escapes the tests below."""
    lines = re.findall(r"^ {4,}(\S.*)$", PROSE, re.MULTILINE)
    assert len(lines) == len(BLOCKS) > 15
    assert len(HELPERS) == 2 and len(MAKE) > 12


@pytest.mark.parametrize("command", MAKE)
def test_make_knows_each_target(command):
    result = dry_run(command)
    assert result.returncode == 0, result.stderr


def test_what_takes_long_runs_on_github_or_in_a_test():
    named = {shlex.split(command)[1] for command in MAKE}
    runs = set(re.findall(r"\bmake ([\w-]+)", WORKFLOWS))
    rules = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in [*runs]:
        runs |= set(re.search(rf"^{target}: (.*)$", rules, re.MULTILINE)[1].split())
    assert {"book", "test", "test-deep", "slides", "workshop", "lock"} <= named & runs
    assert named - runs - BY_HAND == TESTED.keys() - runs
    tests = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    assert set(TESTED.values()) <= tests


def test_what_installs_without_make_is_what_github_does_on_windows():
    installs = [words for words in BLOCKS if words.startswith("python -m pip")]
    assert len(installs) == 2 and all(words in WORKFLOWS for words in installs)
    assert "$(BIN)/jupyter lab notebooks" in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", HELPERS)
def test_the_helpers_do_what_is_printed(command, table):
    words = [sys.executable, *shlex.split(command)[1:]]
    result = run(*words, cwd=table, PYTHONWARNINGS="error::SyntaxWarning")
    assert result.returncode == 0, result.stdout + result.stderr
    if "report" in words:
        assert {path.suffix for path in table.glob("table-report*")} == {".html", ".md"}


def test_make_and_python_ask_for_the_same_report():
    (short,) = [words for words in MAKE if words.startswith("make report ")]
    (long,) = [words for words in HELPERS if " report " in words]
    recipe = dry_run(short).stdout.replace(".venv/bin/python -m helpers", "echo")
    given = dict(word.split("=", 1) for word in shlex.split(short)[2:])
    said = run("sh", "-c", recipe, **given).stdout.split(" --out ")
    assert said[0].split() == " ".join(shlex.split(long)[3:]).split()
    assert said[1].strip() == "_build/reports"


def test_ten_lines_give_a_fit_a_gate_and_a_table(tmp_path, monkeypatch, capsys):
    """Of the sleep study, whose slope everybody knows: 10.5 ms a day."""
    assert len(SNIPPET.splitlines()) <= 10
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("BOOK_FIT_CACHE", str(tmp_path))
    *body, last = ast.parse(SNIPPET).body
    names = {}
    exec(compile(ast.Module(body, []), "README.md", "exec"), names)
    shown = eval(compile(ast.Expression(last.value), "README.md", "eval"), names)
    assert "Fit passed" in capsys.readouterr().out
    assert float(shown["mean"]) == pytest.approx(10.5, abs=0.5)
    assert shown.name == "slope per 1 of days"


def test_what_the_readme_names_is_there():
    """Files and folders, in the table below those of their row."""
    names = re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.\w{2,4})`", PROSE)
    names += re.findall(r"\]\((?!http)([^)#]+)\)", PROSE)
    places = [ROOT, *(ROOT / folder for folder in ("src/helpers", "tools", "tests"))]
    missing = [name for name in names if not any((place / name).exists() for place in places)]
    assert [name for name in missing if not name.startswith("_build/")] == [] and len(names) > 25
    assert [
        words for words in INLINE if "Rscript" in words and not (ROOT / words[8:]).is_file()
    ] == []
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] not in "._"}
    assert [name for name in folders - {"src"} if f"| `{name}/` |" not in PROSE] == []


def test_the_packages_take_as_much_of_the_disk_as_it_says():
    (said,) = re.findall(r"which take (\d+) MB on disk", README.replace("\n", " "))
    packages = Path(np.__file__).parents[1]
    size = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file())
    assert size / 1e6 == pytest.approx(int(said), rel=0.2)
