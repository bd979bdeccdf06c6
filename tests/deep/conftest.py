"""What only the deep lane looks at."""

import shutil
from pathlib import Path

import pytest

from archive import PAGES
from executed import require


@pytest.fixture(scope="session")
def html(tmp_path_factory) -> Path:
    """The rendered book from its archive, unpacked where a page sees nothing else of the book."""
    require(PAGES.exists(), "there is no archive yet: run `make book` first")
    folder = tmp_path_factory.mktemp("un packed")
    shutil.unpack_archive(PAGES, folder)
    return folder / PAGES.stem
