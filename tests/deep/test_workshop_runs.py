"""A workshop's archive on a laptop: in a folder with a space, without the book around it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell

import workshop
from chapters import list_chapters
from executed import require

CHAPTERS = list_chapters()
# Whichever library is asked, nutpie samples.
REFUSE = "import nutpie\n\nnutpie.sample = lambda *_, **__: 1 / 0  # nothing may be sampled"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    require(workshop.ARCHIVE.exists(), "run `make workshop` to test what it makes")
    folder = tmp_path_factory.mktemp("a folder")
    assert " " in folder.name
    shutil.unpack_archive(workshop.ARCHIVE, folder)
    return folder / workshop.ARCHIVE.stem


@pytest.fixture
def laptop(unpacked, monkeypatch) -> dict[str, str]:
    """Helpers of the zip, no fits that somebody kept, and no network to fall back on."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("BOOK_FIT_CACHE", str(unpacked / "kept"))
    monkeypatch.setenv("PYTHONPATH", str(unpacked / "src"))
    return dict(os.environ)


def run(notebook: nbformat.NotebookNode, folder: Path, name: str, **parameters) -> str:
    """Run a notebook in a folder of the archive; return what it printed."""
    given, ran = folder / f"run-{name}", folder / f"ran-{name}"
    nbformat.write(notebook, given)
    done = papermill.execute_notebook(given, ran, parameters, cwd=folder, progress_bar=False)
    outputs = [output for cell in done.cells for output in cell.get("outputs", [])]
    return "".join(output.get("text", "") for output in outputs)


def read(page: Path) -> nbformat.NotebookNode:
    return nbformat.read(page, as_version=4)


@pytest.mark.parametrize("page", CHAPTERS, ids=[page.stem for page in CHAPTERS])
def test_a_notebook_with_open_exercises_runs_to_its_end_and_samples_nothing(unpacked, laptop, page):
    notebook = read(unpacked / "notebooks" / page.name)
    switched = any(workshop.SWITCH in cell.source for cell in notebook.cells)
    if switched:
        notebook.cells.insert(0, new_code_cell(REFUSE))
    parameters = {"precomputed": True} if switched else {}
    said = run(notebook, unpacked / "notebooks", page.name, **parameters)
    checks = [
        cell for cell in notebook.cells if cell.source.endswith(")") and cell.id.endswith("-open")
    ]
    assert said.count("There is no answer yet") == len(checks) >= 2
    assert ("nothing was sampled" in said) == switched


def test_the_machine_is_checked_and_the_first_solutions_run(unpacked, laptop):
    def ask(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=unpacked, env=laptop, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    assert ask("-c", "import helpers; print(*helpers.__path__)") == str(unpacked / "src/helpers")
    assert ask("-m", "helpers", "check").splitlines()[-1] == "Ready."
    notebooks, solutions = unpacked / "notebooks", unpacked / "solutions"
    start = "00_start_here.ipynb"
    assert run(read(notebooks / start), notebooks, start).splitlines()[-1] == "Ready."
    for page in CHAPTERS[:2]:
        assert "Right." in run(read(solutions / page.name), solutions, page.name)
