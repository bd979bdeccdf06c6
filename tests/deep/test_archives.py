"""The archives, unpacked somewhere else: the notebooks run there, and the book is made there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import papermill
import pytest
import yaml

from archive import NOTEBOOKS
from chapters import list_chapters, list_pages
from executed import require

MAKE = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory) -> Path:
    """The folder of the notebooks and of all that they need."""
    require(NOTEBOOKS.exists(), "there is no archive yet: run `make book` first")
    folder = tmp_path_factory.mktemp("else where")
    shutil.unpack_archive(NOTEBOOKS, folder)
    return folder / NOTEBOOKS.stem


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess:
    """Run a command that sees the helpers and tools of this folder only."""
    path = os.pathsep.join(str(cwd / part) for part in ("src", "tools/build"))
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )


def test_the_pages_hold_nothing_for_debuggers(html):
    assert list(html.rglob("index.html")) and not list(html.rglob("*.map"))


def test_the_notebooks_bring_what_the_readme_names(unpacked):
    names = """README.md _static/paradox.png _templates/layout.html _static/fonts/LICENSE Makefile tools/build/environment.sh requirements.lock
    environment.yml postBuild .python-version LICENSE LICENSE-text CONTRIBUTING.md
    notebooks/glossary.md data/bounce_times.csv data/tables/sleepstudy.csv"""
    assert [name for name in names.split() if not (unpacked / name).is_file()] == []
    assert {page.name for page in list_pages()} == {
        path.name for path in (unpacked / "notebooks").iterdir()
    }


def test_a_chapter_runs_in_the_unpacked_archive(unpacked, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(unpacked / "src"))
    chapter = unpacked / "notebooks" / list_chapters()[0].name
    done = papermill.execute_notebook(chapter, None, cwd=chapter.parent, progress_bar=False)
    shown = run(sys.executable, "-c", "import helpers; print(helpers.__file__)", cwd=unpacked)
    assert shown.stdout.startswith(str(unpacked)), shown.stderr
    assert any(cell.get("outputs") for cell in done.cells)


@pytest.mark.parametrize("builder", ["html", "singlehtml"])
def test_every_page_renders_there_without_a_warning(unpacked, builder):
    """The PDF's one page holds them all. What lies beside the pages is not read."""
    config = yaml.safe_load((unpacked / "_config.yml").read_text(encoding="utf-8"))
    config["execute"]["execute_notebooks"] = "off"
    (unpacked / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    stranger = unpacked / ".venv" / "lib" / "package" / "stranger.md"
    stranger.parent.mkdir(parents=True, exist_ok=True)
    stranger.write_text("{ref}`nowhere`", encoding="utf-8")
    strict = ["-W", "-n", "--keep-going", "--builder", builder]
    made = run(sys.executable, "-c", MAKE, "build", ".", *strict, cwd=unpacked)
    assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-4000:]
    pages = unpacked / "_build" / builder / "notebooks"
    if builder == "html":
        assert {page.stem for page in list_pages()} == {path.stem for path in pages.glob("*.html")}
    else:
        whole = (pages / "index.html").read_text(encoding="utf-8")
        parts = [f'id="document-notebooks/{page.stem}"' for page in list_pages()[1:]]
        assert [part for part in parts if part not in whole] == []
