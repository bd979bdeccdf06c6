"""What the tests share: the executed chapters, the rendered pages, a browser, the book's data."""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import papermill
import pytest

from browser import find_chromium, open_chromium
from chapters import ROOT
from dial import DIAL
from executed import require
from helpers import flipbook, frames, plots
from helpers.book.visits import load_bounce_times

mpl.use("agg")


@pytest.fixture
def run_chapter(tmp_path):
    """Function that runs a chapter from a folder that is not its own, with the parameters given."""

    def run(chapter: Path, **parameters) -> nbformat.NotebookNode:
        return papermill.execute_notebook(
            chapter, tmp_path / chapter.name, parameters, cwd=tmp_path, progress_bar=False
        )

    return run


@pytest.fixture(scope="session")
def html() -> Path:
    """The rendered book where it was built; the deep lane unpacks its archive elsewhere."""
    pages = ROOT / "_build" / "html"
    require((pages / "index.html").exists(), "there are no pages yet: run `make book` first")
    return pages


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
def visits():
    plots.use_book_style()
    return frames.standardize(load_bounce_times(), "age")


@pytest.fixture(scope="session")
def scale(visits):
    return frames.scale_of(visits, "age")


@pytest.fixture(scope="session")
def book(visits):
    """A flip-book with three priors to choose from."""
    return flipbook.make_flipbook(visits, DIAL, title="Priors")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")
