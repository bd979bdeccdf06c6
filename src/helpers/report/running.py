"""One run of the page "Your own table", with a progress bar; what went wrong, and in which step."""

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import papermill
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm
from traitlets.config import Config

from helpers.report.request import Request

PACKAGE = Path(__file__).resolve().parents[1]
CHAPTER = "18_your_own_table.ipynb"
# In an installed package; in a workshop's folder, where the other one lacks solutions; in a checkout.
PLACES = (PACKAGE / "pages", PACKAGE.parents[1] / "solutions", PACKAGE.parents[1] / "notebooks")
LEFT_OUT = {"exercise", "solution", "self-check", "colab"}
HEADING = re.compile(r"^#{1,2} +(.+)$", re.MULTILINE)
# Without it a kernel warns that its messages go unencrypted from one process to the next.
CONFIG = Config({"KernelManager": {"transport_encryption": "auto"}})
BAR = "{desc:<28.28} {bar} {n_fmt}/{total_fmt} [{elapsed}]"
DIED = "Its kernel died, mostly for want of memory: close other programs and run this again."


class OwnKernel(AsyncKernelManager):
    """The Python that runs this, with these helpers, whatever a kernel called "python3" may be."""

    @property
    def kernel_spec(self) -> KernelSpec:
        path = os.pathsep.join(filter(None, (str(PACKAGE.parent), os.environ.get("PYTHONPATH"))))
        return KernelSpec(resource_dir="", env={"PYTHONPATH": path}, **get_kernel_dict())


@dataclass(frozen=True)
class Run:
    """A page as far as it ran. If not to its end: ``error``, the name of an exception, its message,
    the heading above the cell that raised it, and the number that the cell shows, if it has one."""

    notebook: NotebookNode
    error: str | None = None
    message: str = ""
    step: str = ""
    cell: int | None = None

    def as_text(self) -> str:
        return nbformat.writes(self.notebook)


def find_chapter() -> Path:
    """The notebook of the page.

    Raises
    ------
    FileNotFoundError
        If this installation has none; one sentence says where to get it.
    """
    for place in PLACES:
        if (place / CHAPTER).is_file():
            return place / CHAPTER
    raise FileNotFoundError(
        f"The page {CHAPTER}, which makes the report, is not installed; get the book's folder and "
        "run this command in it, or install the package again."
    )


def run_page(chapter: Path, request: Request, folder: Path) -> Run:
    """Run the page in ``folder``, an empty one, without its exercises."""
    notebook = leave_out_teaching(nbformat.read(chapter, as_version=4))
    partly = folder / "page.ipynb"
    with _Progress(notebook) as progress:
        settings = {"kernel_manager_class": OwnKernel, "config": CONFIG}
        settings |= {"on_cell_start": progress.show, "progress_bar": False}
        settings |= {"shutdown_kernel": "immediate"}
        try:
            parameters = request.parameters()
            done = papermill.execute_notebook(notebook, partly, parameters, cwd=folder, **settings)
        except papermill.PapermillExecutionError as error:
            found = error.ename, error.evalue, progress.step, error.exec_count
            return Run(_read_partly(partly), *found)
        except DeadKernelError:
            return Run(_read_partly(partly), "DeadKernelError", DIED, progress.step)
    return Run(done)


class _Progress:
    """A bar on the terminal, if there is one, with the heading above the cell that runs."""

    def __init__(self, notebook: NotebookNode):
        self.steps, self.step = name_steps(notebook), ""
        total = len(notebook.cells) + 1  # papermill adds one
        self.bar = tqdm(total=total, bar_format=BAR, disable=None, file=sys.stderr)

    def show(self, cell: NotebookNode, cell_index: int) -> None:
        self.step = self.steps.get(cell.get("id"), self.step)
        self.bar.set_description_str(self.step, refresh=False)
        self.bar.n = cell_index + 1
        self.bar.refresh()

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_) -> None:
        self.bar.close()


def leave_out_teaching(notebook: NotebookNode) -> NotebookNode:
    """The page without exercises and key points, and without the words before its parameters."""
    cells, tags = notebook.cells, [set(read_tags(cell)) for cell in notebook.cells]
    first = next(place for place, those in enumerate(tags) if "parameters" in those)
    kept = [
        cell
        for place, cell in enumerate(cells)
        if not (place < first and cell.cell_type == "markdown")
        and not LEFT_OUT & tags[place]
        and not re.match("## (Exercises|Key points)", cell.source)
    ]
    return nbformat.from_dict({**notebook, "cells": kept})


def read_tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def name_steps(notebook: NotebookNode) -> dict[str, str]:
    """The heading above each cell, by the cell's id."""
    steps, heading = {}, "Your own table"
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (found := HEADING.findall(cell.source)):
            heading = found[-1]
        steps[cell.id] = heading
    return steps


def _read_partly(path: Path) -> NotebookNode:
    """What papermill kept, without the cells in which it says that there was an error."""
    notebook = nbformat.read(path, as_version=4)
    marks = "papermill-error-cell-tag"
    notebook.cells = [cell for cell in notebook.cells if marks not in read_tags(cell)]
    return notebook


@contextmanager
def stop_when_told() -> Iterator[None]:
    """Inside, a SIGTERM ends as Ctrl-C does: kernel and temporary folder are removed first."""

    def stop(*_) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
