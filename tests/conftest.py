"""What the tests share: the book's data, a browser, and chapters that were run."""

import os
import shutil
from pathlib import Path

import matplotlib as mpl
import nbformat
import papermill
import pytest
from filelock import FileLock

from browser import find_chromium, open_chromium
from helpers import frames, plots
from helpers.book.visits import load_bounce_times

ROOT = Path(__file__).resolve().parents[1]
ARCHIVE = ROOT / "_build" / "bayesian-lmm-book-html.zip"
mpl.use("agg")


def require(there: bool, what: str) -> None:
    """Skip where a reader's machine lacks something; fail where CI lacks it."""
    if not there:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(what)


@pytest.fixture(scope="session")
def chromium():
    """The one browser of a test session."""
    program = find_chromium()
    require(program is not None, "no Chromium on the PATH: install it to test pages in a browser")
    with open_chromium(program) as browser:
        yield browser


@pytest.fixture
def open_page(chromium, tmp_path):
    """Function that shows HTML in a browser; whatever the page complains about fails the test."""
    problems, contexts = [], []

    def show(*pieces, **settings):
        file = tmp_path / "page.html"
        body = "".join(piece.data for piece in pieces)
        file.write_text(f"<!doctype html><meta charset=utf-8>{body}", encoding="utf-8")
        contexts.append(chromium.new_context(**settings))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(file.as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert not problems


@pytest.fixture(scope="session")
def html(tmp_path_factory) -> Path:
    """The rendered book, unpacked somewhere else."""
    require(ARCHIVE.exists(), "there are no pages yet: run `make book` first")
    folder = tmp_path_factory.mktemp("un packed")
    shutil.unpack_archive(ARCHIVE, folder)
    return folder / ARCHIVE.stem


@pytest.fixture(scope="session")
def visits():
    plots.use_book_style()
    return frames.standardize(load_bounce_times(), "age")


@pytest.fixture(scope="session")
def scale(visits):
    return frames.scale_of(visits, "age")


@pytest.fixture
def small(visits):
    """A few rows of every county: enough to sample from, quick to fit."""
    return visits.groupby("county", observed=True).head(7)


@pytest.fixture(scope="session")
def chapters_folder(tmp_path_factory) -> Path:
    """Where chapters are run in tests, each in a folder of its name and seed."""
    folder = tmp_path_factory.getbasetemp()
    # That of all workers, where there are any.
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def run_chapter(chapters_folder):
    """Function that runs a chapter somewhere else: once, whichever test or worker asks first.

    Without a seed the chapter runs with its own parameters.
    """

    def run(chapter: Path, seed: int | None = None) -> nbformat.NotebookNode:
        elsewhere = chapters_folder / f"{chapter.stem}-{seed}"
        done = elsewhere / chapter.name
        with FileLock(f"{elsewhere}.lock"):
            if not done.exists():
                elsewhere.mkdir(exist_ok=True)
                draft = elsewhere / "draft.ipynb"
                parameters = {} if seed is None else {"seed": seed}
                papermill.execute_notebook(
                    chapter, draft, parameters, cwd=elsewhere, progress_bar=False
                )
                draft.rename(done)
        return nbformat.read(done, as_version=4)

    return run
