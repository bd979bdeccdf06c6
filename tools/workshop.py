"""Make the folder that a workshop's participants get, and one zip of it, for laptops without a network.

Both sets of notebooks, with empty cells and with solutions, are derived from the chapters. The solutions
are run once, as far as their last run is stale; the posteriors that they sample are stored beside them.
"""

import ast
import hashlib
import itertools
import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import nbformat
import papermill
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from archive import NEEDED, write_archive
from chapters import ROOT, fingerprint, list_chapters, list_pages
from execute import AT_A_TIME, KERNELS, TIMEOUT
from helpers import fits
from helpers.workshop import precomputed
from plain_markdown import (
    TO_LOOK_UP,
    Directive,
    find_title,
    read_exercise,
    read_markdown,
    replace_roles,
    split_directives,
    to_plain,
    translate,
)

WORKSHOP = ROOT / "_build" / "workshop"
RUNS = ROOT / "_build" / "workshop-runs"
ARCHIVE = ROOT / "_build" / "bayesian-lmm-workshop.zip"
LIMIT = 30e6  # bytes; what still travels by mail, or to a room over one slow connection
# With postBuild, an unpacked archive in a repository of its own runs on Binder.
ENVIRONMENT = ("postBuild", *(name for name in NEEDED if not name.startswith("notebooks")))
HANDED_OUT = ("*.md", "notebooks/*.ipynb", "solutions/*.ipynb", "fits/*.zip", *ENVIRONMENT)
SWITCH = f"{precomputed.SWITCH} = False  # True: load stored posteriors in place of sampling"
NO_SWITCH = "always-samples"  # tag on a page's parameters: what it teaches is the sampling

START = """\
# Start here

You need Python 3.12 or newer. The second step needs a network; nothing after it does.

1. Open a terminal in this folder. Make an environment with `python -m venv .venv` and activate it with
   `source .venv/bin/activate` (Windows: `.venv\\Scripts\\activate`).
2. Install what the book was tested with: `python -m pip install --require-hashes -r requirements.lock`,
   then the book's helpers: `python -m pip install --no-deps --no-build-isolation -e .`
   (With conda: `conda env create -f environment.yml`, `conda activate bayesian-lmm-book`, then the latter.)
3. Check your machine: `python -m helpers check`. For what it finds, it says what to do.
4. Begin: `jupyter lab notebooks/00_start_here.ipynb`.

In `notebooks/` each exercise has an empty cell: write your code in the place of `ask`. The same pages with
solutions are in `solutions/`. If your machine is slow, set `precomputed = True` at the top of a page: the
posteriors are then loaded from `fits/`. A model that you change is sampled all the same. Page a4 is about the
sampler itself, has no switch and samples.
"""


# From a chapter to a notebook for participants

Piece = tuple[str, str | Directive | NotebookNode]  # with the id of the cell that it comes from


def convert(chapter: NotebookNode, solved: bool) -> NotebookNode:
    """A chapter for participants: with its solutions, or with an empty cell in the place of each."""
    pieces = take_apart(chapter)
    cells = join_pieces(pieces if solved else empty_solutions(pieces))
    return make_notebook(add_switch(cells, solved))


def make_notebook(cells: list[NotebookNode]) -> NotebookNode:
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.validate(notebook)
    return notebook


def take_apart(chapter: NotebookNode) -> Iterator[Piece]:
    """Code cells, and Markdown cells split at their directives; the slides' own cells stay behind."""
    for cell in chapter.cells:
        if cell.cell_type == "code":
            yield cell.id, cell
        elif "remove-cell" not in cell.metadata.get("tags", []):
            yield from ((cell.id, piece) for piece in split_directives(cell.source))


def empty_solutions(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """An empty cell in the place of each solution; the self-checks in it stay, after the empty cell."""
    exercises, solved, checks = {}, None, []
    for key, piece in pieces:
        name = piece.name if isinstance(piece, Directive) else ""
        if name == "exercise":
            exercises[piece.options["label"]] = piece
        if name == "solution-start":
            solved, checks = exercises[piece.argument], []
        if solved is None:
            yield key, piece
        elif isinstance(piece, NotebookNode) and "self-check" in piece.metadata.get("tags", []):
            checks.append((key, piece))
        if name == "solution-end":
            yield key, write_empty_cell(solved, [piece.source for _, piece in checks])
            yield from checks
            solved = None
    if solved is not None:
        raise ValueError(f"the solution of '{solved.argument}' has no end")


def write_empty_cell(directive: Directive, checks: list[str]) -> NotebookNode:
    """The cell that an exercise's solution goes into.

    It empties the variables that the check reads: a chapter may have used their names for something else.
    """
    exercise = read_exercise(directive)
    hint = re.search(r"\*\*Hint:\*\*\s+(.+?)(\n\s*\n|$)", translate([exercise.body]), re.DOTALL)
    wanted = list(dict.fromkeys(name for check in checks for name in read_answers(check)))
    said = [f"Exercise: {directive.argument}"]
    said += [f"Hint: {' '.join(hint[1].split())}"] if hint else []
    said += [f"The check below reads: {', '.join(wanted)}"] if wanted else []
    lines = [f"# {line}" for text in said for line in textwrap.wrap(text, 82)]
    lines += [f"{name} = ..." for name in wanted]
    title = json.dumps(exercise.title, ensure_ascii=False)
    lines.append(f"ask({title})  # replace this line by your code")
    return new_code_cell("\n".join(lines), id=f"open-{exercise.label}")


def read_answers(check: str) -> list[str]:
    """Variables that a self-check judges: the names in all arguments of ``check`` but the label."""
    calls = (node for node in ast.walk(ast.parse(check)) if isinstance(node, ast.Call))
    judged = [call for call in calls if getattr(call.func, "attr", "") == "check"]
    given = [part for call in judged for value in call.args[1:] for part in ast.walk(value)]
    return [part.id for part in given if isinstance(part, ast.Name)]


def join_pieces(pieces: Iterable[Piece]) -> list[NotebookNode]:
    """Cells again: the pieces of one Markdown cell together, as far as no empty cell parts them."""
    cells = []
    for (key, is_code), group in itertools.groupby(
        pieces, lambda item: (item[0], isinstance(item[1], NotebookNode))
    ):
        parts = [piece for _, piece in group]
        if is_code:
            cells += [clean_code(cell) for cell in parts]
            continue
        if text := translate(parts).strip():
            cells.append(new_markdown_cell(text, id=f"{key}-{len(cells)}"))
    return cells


def clean_code(cell: NotebookNode) -> NotebookNode:
    """A code cell without outputs; JupyterLab folds the code that the book hides."""
    tags = set(cell.metadata.get("tags", []))
    new = new_code_cell(replace_roles(cell.source), id=cell.id)
    if kept := sorted(tags & {"parameters", "self-check", NO_SWITCH}):
        new.metadata.tags = kept
    if tags & {"hide-input", "remove-input"}:
        new.metadata.jupyter = {"source_hidden": True}
    return new


def add_switch(cells: list[NotebookNode], solved: bool) -> list[NotebookNode]:
    """The switch in the cell of parameters, unless the page has none, and after it what heeds it."""
    place = next(n for n, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", []))
    lines = [] if solved else ["from helpers.exercises.answers import ask"]
    if NO_SWITCH not in cells[place].metadata.tags:
        cells[place].source += f"\n{SWITCH}"
        lines = ["%load_ext helpers.workshop.precomputed", *lines]
    added = [new_code_cell("\n".join(lines), id="switch")] if lines else []
    return [*cells[: place + 1], *added, *cells[place + 1 :]]


# The folder


def write_notebooks(folder: Path, solved: bool) -> None:
    """Every chapter, and the pages to look things up in."""
    folder.mkdir(parents=True)
    for page in list_chapters():
        try:
            notebook = convert(nbformat.read(page, as_version=4), solved)
        except (KeyError, ValueError) as error:
            sys.exit(f"{page.stem}: {error}")
        nbformat.write(notebook, folder / page.name)
    for page in list_pages():
        if page.stem in TO_LOOK_UP:
            text = to_plain(read_markdown(page))
            notebook = make_notebook([new_markdown_cell(text, id=page.stem)])
            nbformat.write(notebook, folder / f"{page.stem}.ipynb")


def write_start(folder: Path) -> None:
    """START-HERE.md, and the same as a notebook that checks the machine and lists the pages."""
    (folder / "START-HERE.md").write_text(START, encoding="utf-8")
    listed = "\n".join(
        f"- [{find_title(read_markdown(page))}]({page.name})" for page in list_chapters()
    )
    check = "from helpers.workshop import setup_check\n\nsetup_check.report()"
    cells = [
        new_code_cell(check, id="check"),
        new_markdown_cell(START, id="start"),
        new_markdown_cell(f"## The pages\n\n{listed}", id="pages"),
    ]
    nbformat.write(make_notebook(cells), folder / "notebooks" / "00_start_here.ipynb")


def copy_environment(folder: Path) -> None:
    """What the notebooks need to run: helpers, data, versions, licences."""
    for path in (path for pattern in ENVIRONMENT for path in ROOT.glob(pattern)):
        if path.is_file():
            target = folder / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


# The posteriors


def list_runs() -> dict[Path, Path]:
    """For each notebook with solutions, where its run is kept as long as nothing that it needs changes."""
    runs = {}
    for notebook in (WORKSHOP / "solutions" / page.name for page in list_chapters()):
        source = hashlib.sha256(notebook.read_bytes()).hexdigest()[:12]
        runs[notebook] = RUNS / fingerprint() / f"{notebook.stem}-{source}.ipynb"
    return runs


def run(notebook: Path, done: Path) -> float:
    """Run a notebook in its folder, storing what it samples; return the seconds."""
    draft = done.with_name(f"draft-{done.name}")
    switch = {precomputed.SWITCH: precomputed.RECORD}
    executed = papermill.execute_notebook(
        notebook,
        draft,
        switch if precomputed.SWITCH in notebook.read_text(encoding="utf-8") else {},
        cwd=notebook.parent,
        execution_timeout=TIMEOUT,
        progress_bar=False,
        config=KERNELS,
    )
    draft.replace(done)
    return executed.metadata.papermill.duration


def list_fits(done: Path) -> set[str]:
    """Names of the stored posteriors that a run says it used; none if there is no run."""
    if not done.exists():
        return set()
    cells = nbformat.read(done, as_version=4).cells
    said = "".join(out.get("text", "") for cell in cells for out in cell.get("outputs", []))
    return set(re.findall(r"Loaded fits/(\w+\.zip)", said))


def run_stale(runs: dict[Path, Path]) -> None:
    """Run the notebooks that have no fresh run or lack a stored posterior, two at a time.

    Raises
    ------
    SystemExit
        If a notebook failed; the others are run and kept.
    """
    stored = {path.name for path in (WORKSHOP / "fits").glob("*.zip")}
    stale = [item for item in runs.items() if not item[1].exists() or list_fits(item[1]) - stored]
    failed = []
    with ProcessPoolExecutor(AT_A_TIME) as pool:
        jobs = {pool.submit(run, *item): item[0].stem for item in reversed(stale)}
        for number, job in enumerate(as_completed(jobs), start=1):
            name, error = jobs[job], job.exception()
            outcome = f"failed\n{error}" if error else f"{job.result():.1f} s"
            print(f"[{number}/{len(jobs)}] {name}: {outcome}", flush=True)
            failed += [name] if error else []
    if failed:
        sys.exit(f"These solutions did not run to their end: {', '.join(sorted(failed))}.")


def forget_stale(runs: dict[Path, Path]) -> None:
    """Delete runs of earlier notebooks or helpers, and posteriors that no run uses."""
    for path in RUNS.rglob("*.ipynb"):
        if path not in runs.values():
            path.unlink()
    used = set().union(*map(list_fits, runs.values()))
    for path in (WORKSHOP / "fits").iterdir():
        if path.name not in used:
            path.unlink()


def pack(archive: Path, limit: float) -> None:
    """Zip the folder.

    Raises
    ------
    SystemExit
        If the zip is larger than ``limit`` (bytes); the largest files are named.
    """
    files = [path for pattern in HANDED_OUT for path in WORKSHOP.glob(pattern) if path.is_file()]
    write_archive(archive, WORKSHOP, sorted(set(files)))
    size = archive.stat().st_size
    if size > limit:
        largest = sorted(files, key=lambda path: -path.stat().st_size)[:3]
        sizes = ", ".join(f"{path.name} {path.stat().st_size / 1e6:.1f} MB" for path in largest)
        sys.exit(
            f"{archive.name} has {size / 1e6:.1f} MB and may have {limit / 1e6:.0f} MB. Largest: {sizes}."
        )


def clear() -> None:
    """Empty the folder; posteriors stay as long as helpers, data and versions are those of the last runs."""
    known = (RUNS / fingerprint()).exists()
    if not known:
        shutil.rmtree(RUNS, ignore_errors=True)
    for path in WORKSHOP.glob("*"):
        if path.is_file():
            path.unlink()
        elif path.name != "fits" or not known:
            shutil.rmtree(path)
    (RUNS / fingerprint()).mkdir(parents=True, exist_ok=True)
    (WORKSHOP / "fits").mkdir(parents=True, exist_ok=True)


def main() -> None:
    clear()
    write_notebooks(WORKSHOP / "notebooks", solved=False)
    write_notebooks(WORKSHOP / "solutions", solved=True)
    write_start(WORKSHOP)
    copy_environment(WORKSHOP)
    runs = list_runs()
    os.environ[fits.VARIABLE] = __file__  # no folder: what is recorded comes from no cache
    run_stale(runs)
    forget_stale(runs)
    pack(ARCHIVE, LIMIT)


if __name__ == "__main__":
    main()
