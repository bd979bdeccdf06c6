"""What only the deep lane needs: the archive of the pages, and chapters run once more with other parameters."""

import shutil
from pathlib import Path

import nbformat
import papermill
import pytest

from conftest import ROOT, require

ARCHIVE = ROOT / "_build" / "bayesian-lmm-book-html.zip"


@pytest.fixture(scope="session")
def html(tmp_path_factory) -> Path:
    """The rendered book from its archive, unpacked somewhere else: a page sees nothing else of the book."""
    require(ARCHIVE.exists(), "there is no archive yet: run `make book` first")
    folder = tmp_path_factory.mktemp("un packed")
    shutil.unpack_archive(ARCHIVE, folder)
    return folder / ARCHIVE.stem


@pytest.fixture
def run_chapter(tmp_path):
    """Function that runs a chapter from a folder that is not its own, with the parameters given."""

    def run(chapter: Path, **parameters) -> nbformat.NotebookNode:
        return papermill.execute_notebook(
            chapter, tmp_path / chapter.name, parameters, cwd=tmp_path, progress_bar=False
        )

    return run
