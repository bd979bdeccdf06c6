"""Make the folder that a workshop's participants get, and one zip of it, for laptops without a network.

A participant's notebook is the chapter without its solutions, in which each fit can be loaded in place of
sampled; the solutions are the chapters themselves, and what is loaded is what they stored when the book was
executed. Nothing runs here.
"""

import ast
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from archive import TO_RUN, list_files, write_archive
from chapters import (
    ROOT,
    list_chapters,
    list_pages,
    list_parts,
    read_executed,
    read_minutes,
    read_tags,
    read_title,
    stored_path,
)
from helpers.workshop import stored

WORKSHOP = ROOT / "_build" / "workshop"
ARCHIVE = ROOT / "_build" / "bayesian-lmm-workshop.zip"
LIMIT = 35e6  # bytes; what still travels by mail, or to a room over one slow connection
TO_LOOK_UP = ("glossary", "formulas", "bibliography")
# A link to a page that stays at home.
ELSEWHERE = re.compile(rf"\[([^\]]*)\]\((?!{'|'.join(TO_LOOK_UP)})\w+\.md[^)]*\)")
SAMPLERS = {"sample", "fit", "fit_once", "refit"}
SWITCH = "precomputed = False  # True: load stored posteriors in place of sampling"
IMPORT = "from helpers.workshop import stored"

# The page of the folder, for whoever has a terminal, and what a notebook says in its place.
FIVE_MINUTES = """\
# Start here

## The next five minutes

If the packages are not installed yet, see [Install](#install) first.

1. Open a terminal in this folder and switch the environment on: `source .venv/bin/activate` (Windows:
   `.venv\\Scripts\\activate`; with conda: `conda activate bayesian-lmm-book`).
2. Check your machine: `python -m helpers check`. The last line is "Ready."; if it is not, do what stands below each
   `MEND`.
3. Open the list of chapters: `jupyter lab notebooks/00_start_here.ipynb`. Choose the first chapter there, and run its
   cells one after the other with Shift and Enter, as far as the first figure.
4. Go to its first exercise. Below it is an open cell: write your answer in the place of the dots, and run it. It says
   "Right.", or what kind of wrong your answer is.
"""
FIVE_MINUTES_IN_JUPYTER = """\
# Start here

## The next five minutes

1. Click into the next cell and press Shift and Enter. It checks your machine; the last line is "Ready.", and if it is
   not, do what stands below each `MEND`.
2. Open the first of the chapters below, and run its cells in the same way, one after the other, as far as the first
   figure.
3. Go to its first exercise. Below it is an open cell: write your answer in the place of the dots, and run it. It says
   "Right.", or what kind of wrong your answer is.
"""
INSTALL = """\
## Install

Do this before the day, where there is a network; 500 MB are downloaded, which take 1800 MB on disk, and
nothing after it needs a network.

1. You need Python 3.12 or newer: `python --version` tells (on macOS and Linux perhaps `python3`).
2. Open a terminal in this folder and make an environment: `python -m venv .venv`. Activate it with
   `source .venv/bin/activate` (Windows: `.venv\\Scripts\\activate`).
3. Install what the book was tested with: `python -m pip install --require-hashes -r requirements.lock`,
   then the book's helpers: `python -m pip install --no-deps --no-build-isolation -e .`
   (With conda: `conda env create -f environment.yml`, `conda activate bayesian-lmm-book`, then the latter.)
"""
FOLDERS = """\
## What is where

- `notebooks/`: the chapters. Each exercise has an open cell for your own code. `glossary.md`, `formulas.md` and
  `bibliography.md` beside them are to look things up in.
- `solutions/`: the same chapters with solutions.
- `fits/`: stored posteriors, for slow machines.
- `data/`, `r/`, `src/`: the tables, the workflow in R, the helpers that the chapters import.

If your machine is slow, unfold the cell *Settings* near the top of a page in `notebooks/` that samples, and set
`precomputed = True`: posteriors are then loaded from `fits/`. They are those of the page's own models, so take a model that you change out of its
`if precomputed`. Pages a1 and a4 time and break the sampler itself, and page 18
fits your own table, so they have no switch.
"""
START = f"{FIVE_MINUTES}\n{INSTALL}\n{FOLDERS}"


# A participant's notebook


def open_exercises(chapter: NotebookNode, stem: str) -> NotebookNode:
    """A chapter without its solutions, with a switch where it samples."""
    notebook = nbformat.from_dict(chapter)
    notebook.cells = [cell for cell in notebook.cells if "solution" not in read_tags(cell)]
    sampling = [cell for cell in notebook.cells if "fit" in read_tags(cell)]
    for cell in sampling:
        cell.source = wrap_sampling(cell.source, f"{stem}/{cell.id}")
    if sampling:
        parameters = next(cell for cell in notebook.cells if "parameters" in read_tags(cell))
        parameters.source += f"\n{SWITCH}"
        imports = next(cell for cell in notebook.cells if "\nfrom helpers" in cell.source)
        imports.source = imports.source.replace("\nfrom helpers", f"\n{IMPORT}\nfrom helpers", 1)
    return notebook


def wrap_sampling(code: str, stored_as: str) -> str:
    """Put each statement that samples under ``if precomputed: ... else:``, as deep as it stands."""
    lines = code.splitlines()
    for statement in reversed(list(find_sampling(ast.parse(code).body))):
        first, last = statement.lineno - 1, statement.end_lineno
        sampling = textwrap.dedent("\n".join(lines[first:last]))
        loading = "\n".join(load_instead(statement, sampling, stored_as))
        both = ["if precomputed:", textwrap.indent(loading, "    ")]
        both += ["else:", textwrap.indent(sampling, "    ")]
        lines[first:last] = [textwrap.indent("\n".join(both), " " * statement.col_offset)]
    return "\n".join(lines)


def find_sampling(body: list[ast.stmt]) -> Iterator[ast.Assign | ast.AugAssign]:
    """Assignments whose value calls a sampler, also in loops and ``with``; functions stay as they are."""
    for statement in body:
        if isinstance(statement, ast.For | ast.With):
            yield from find_sampling(statement.body)
        elif isinstance(statement, ast.Assign | ast.AugAssign) and any(
            map(samples, ast.walk(statement.value))
        ):
            yield statement


def samples(node: ast.AST) -> bool:
    """Whether this is a call of a sampler, and not of the exact back end."""
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    return name in SAMPLERS and "backend='exact'" not in map(ast.unparse, node.keywords)


def load_instead(statement: ast.Assign | ast.AugAssign, code: str, stored_as: str) -> Iterator[str]:
    """What gives the same variable without sampling; ``three[label]`` is an entry of what is stored."""
    target = read_target(statement)
    name, bracket, entry = target.partition("[")
    yield f'{name}{bracket}{entry} = stored.load("{stored_as}")["{name}"]{bracket}{entry}'
    call = statement.value
    if isinstance(call, ast.Call) and "extend" in (keyword.arg for keyword in call.keywords):
        given = code.partition("(")[2]
        between = "\n    {}," if given.startswith("\n") else "{}, "
        yield f"{target} = stored.extend({between.format(target)}{given}"


def read_target(statement: ast.Assign | ast.AugAssign) -> str:
    """What a statement assigns: a variable, or an entry of one."""
    augmented = isinstance(statement, ast.AugAssign)
    return ast.unparse(statement.target if augmented else statement.targets[0])


# The folder


def write_notebooks(folder: Path) -> None:
    """Every chapter twice, without and with its solutions, and what to look things up in."""
    for name in ("notebooks", "solutions"):
        (folder / name).mkdir(parents=True)
        for page in list_pages():
            if page.stem in TO_LOOK_UP:
                text = page.read_text(encoding="utf-8")
                (folder / name / page.name).write_text(ELSEWHERE.sub(r"\1", text), encoding="utf-8")
    for page in list_chapters():
        shutil.copy(page, folder / "solutions")
        chapter = nbformat.read(page, as_version=4)
        nbformat.write(open_exercises(chapter, page.stem), folder / "notebooks" / page.name)


def list_with_minutes() -> str:
    """The chapters by part, as ``_toc.yml`` has them, with the minutes that each of them states."""
    parts = []
    for name, pages in list_parts().items():
        if lines := [write_line(page) for page in pages if page.suffix == ".ipynb"]:
            parts.append("\n".join([f"**{name}**\n", *lines]))
    return "\n\n".join(parts)


def write_line(chapter: Path) -> str:
    """A link with number and title, and minutes without the machine's part, as an item of a list."""
    read, exercises = read_minutes(chapter)
    takes = f"{read} minutes to read and run, {exercises} for the exercises"
    return f"- [{read_title(chapter)}]({chapter.name}): {takes}"


def write_start(folder: Path) -> None:
    """START-HERE.md, and a notebook that says the same, checks the machine and lists the chapters."""
    (folder / "START-HERE.md").write_text(START, encoding="utf-8")
    check = "from helpers.workshop import setup_check\n\nsetup_check.report()"
    cells = [
        new_markdown_cell(FIVE_MINUTES_IN_JUPYTER, id="start"),
        new_code_cell(check, id="check"),
        new_markdown_cell(f"## The chapters\n\n{list_with_minutes()}", id="pages"),
        new_markdown_cell(FOLDERS, id="folders"),
    ]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "notebooks" / "00_start_here.ipynb")


def copy_environment(folder: Path) -> None:
    """What notebooks and R scripts need: helpers, data, versions, licences. The page to start from is README too."""
    for path in list_files((*TO_RUN, "r/README.md")):
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (folder / "README.md").write_text(START, encoding="utf-8")


def copy_fits(folder: Path) -> None:
    """The posteriors that participants' notebooks load, as the book's one execution stored them; equal ones once.

    Raises
    ------
    SystemExit
        If a chapter was not executed since its code changed.
    """
    for page in list_chapters():
        for cell in read_executed(page).cells:
            if "fit" in read_tags(cell) and "solution" not in read_tags(cell):
                copy_cell(cell, stored_path() / page.stem, folder / "fits", page.stem)


def copy_cell(cell: NotebookNode, source: Path, target: Path, stem: str) -> None:
    """The fits that a cell sampled, and their list."""
    sampling = find_sampling(ast.parse(cell.source).body)
    names = {read_target(statement).partition("[")[0] for statement in sampling}
    listed = stored.list_files(cell.id, source).items()
    files = {place: file for place, file in listed if place[0] in names}
    (target / stem).mkdir(parents=True, exist_ok=True)
    (target / stem / f"{cell.id}.txt").write_text(repr(files), encoding="utf-8")
    for file in files.values():
        shutil.copyfile(source / file, target / file)


def pack(archive: Path, folder: Path, limit: float) -> None:
    """Zip the folder.

    Raises
    ------
    SystemExit
        If the zip is larger than ``limit`` (bytes); the largest files are named.
    """
    files = [path for path in folder.rglob("*") if path.is_file()]
    write_archive(archive, folder, files)
    size = archive.stat().st_size
    if size > limit:
        largest = sorted(files, key=lambda path: -path.stat().st_size)[:3]
        sizes = ", ".join(f"{path.name} {path.stat().st_size / 1e6:.1f} MB" for path in largest)
        sys.exit(
            f"{archive.name} has {size / 1e6:.1f} MB and may have {limit / 1e6:.0f} MB. Largest: {sizes}."
        )


def main() -> None:
    shutil.rmtree(WORKSHOP, ignore_errors=True)
    write_notebooks(WORKSHOP)
    write_start(WORKSHOP)
    copy_environment(WORKSHOP)
    copy_fits(WORKSHOP)
    pack(ARCHIVE, WORKSHOP, LIMIT)


if __name__ == "__main__":
    main()
