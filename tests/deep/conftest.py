"""What only the deep lane looks at."""

import shutil
from pathlib import Path

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
