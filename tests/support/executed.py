"""The chapters as they were executed, and what to do where something is missing."""

import functools
import os
from pathlib import Path

import nbformat
import pytest

import chapters


def require(there: bool, what: str) -> None:
    """Skip where a reader's machine lacks something; fail where CI lacks it."""
    if not there:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(what)


@functools.cache
def read_executed(page: Path) -> nbformat.NotebookNode:
    """A chapter as `make executed` ran it, once for pages, decks, downloads and tests."""
    try:
        return chapters.read_executed(page)
    except SystemExit as problem:
        require(False, str(problem))


def tagged(notebook: nbformat.NotebookNode, *tags: str) -> list[nbformat.NotebookNode]:
    """The cells that carry all of ``tags``."""
    return [cell for cell in notebook.cells if set(tags) <= set(cell.metadata.get("tags", []))]
