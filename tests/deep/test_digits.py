"""The digits of every chapter, but for the guard: would another seed have printed them too?"""

import ast
import re
from itertools import chain

import nbformat
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from bs4 import BeautifulSoup

from chapters import list_chapters
from executed import read_executed
from helpers import tables
from source_text import tags_of

CHAPTERS = list_chapters()
OTHER_SEED = 2021

# Two runs may differ by this many units of the last digit that both print. Numbers that a chapter writes
# with a format of its own have digits that stand: their Monte Carlo error is below half a unit, so the
# difference has an sd of 0.7 units or less. With errors that are themselves off by 20 %, a right cell differs
# by more than 4 units in less than one case of ten million, and among the thousand cells of the book one
# does in less than one run of ten thousand.
LIMIT = 4
# What ``helpers.tables`` writes has a guard digit more: a mean may be off by 5 units, a limit by 10. Two runs
# of a limit then differ by more than 60 units in one case of fifty thousand, those of a mean never.
GUARDED = 15 * LIMIT
# So has what ``helpers.own`` and a flip-book say in words and tables, which goes by ``helpers.tables``.
WRITERS = re.compile(
    r"\b(present_\w+|format_(estimate|probability)|round_off|count_decimals|words\.\w+|as_table"
    r"|make_flipbook)\b"
)
# An sd is written with two digits whatever its error. Behind the gate an effective sample size of 400 knows it
# to 4 %, with heavy tails to 7 %, and the difference of two runs to 10 %.
SD_LIMIT = 0.4

# Columns or rows that judge the computation: their digits are a convention, not a result.
DIAGNOSTIC = re.compile(
    r"\bess(\b|_)|\br[_-]hat|mcse|\bmc error|divergences|e-bfmi|\bk-?hat", re.IGNORECASE
)
# Others that need not repeat: wall time, how many comparisons are beyond a limit, and which.
CHANCE = ("seconds", "beyond 4", "where")
# A cell with this tag shows on purpose what noise looks like, such as a fit that must not be read,
# a few single draws, or numbers counted in Monte Carlo errors.
NOISY = "noisy"
# Lines of a verdict: the gate's, and those of a report that state the same.
VERDICT = re.compile(r"Fit passed|effective sample size|Monte Carlo standard errors from")

NUMBER = re.compile(r"(?<![\w.])[-+\u2212]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


def find_numbers(text: str) -> list[str]:
    return [found.replace(",", "").replace("\u2212", "-") for found in NUMBER.findall(text)]


def unit_of(number: str) -> float:
    """One step of the last printed digit; of a whole ten, which may be rounded to tens, 10."""
    digits, _, exponent = number.partition("e")
    decimals = len(digits.partition(".")[2])
    is_ten = not decimals and float(digits) and float(digits) % 10 == 0
    return (10 if is_ten else 10.0**-decimals) * 10.0 ** int(exponent or 0)


def differ(first: str, second: str, limit: float = LIMIT, share: float = 0.0) -> bool:
    """Whether two printed numbers are more than a number of units apart, and more than a share."""
    unit = max(unit_of(first), unit_of(second))
    sizes = abs(float(first)), abs(float(second))
    return abs(float(first) - float(second)) > max(limit * unit * (1 + 1e-9), share * min(sizes))


def find_guarded(cells: list[nbformat.NotebookNode]) -> list[bool]:
    """Which cells show what ``helpers.tables`` wrote, there or in a cell before, by the names of variables."""
    names, guarded = set(), []
    for cell in cells:
        is_python = cell.cell_type == "code" and "colab" not in tags_of(cell)
        shows = False
        for statement in ast.parse(cell.source).body if is_python else []:
            nodes = list(ast.walk(statement))
            used = {node.id for node in nodes if isinstance(node, ast.Name)}
            if WRITERS.search(ast.unparse(statement)) or used & names:
                shows = True
                names |= {statement.name} if isinstance(statement, ast.FunctionDef) else set()
                for assigned in (node for node in nodes if isinstance(node, ast.Assign)):
                    targets = ", ".join(map(ast.unparse, assigned.targets))
                    names |= set(re.findall(r"\w+", re.sub(r"\[[^\]]*\]|\.\w+", "", targets)))
        guarded.append(shows)
    return guarded


def spell_out(row) -> list[str]:
    """Text of each cell of a table's row, repeated over the columns that it spans."""
    return [
        cell.get_text(" ", strip=True)
        for cell in row.find_all(["th", "td"])
        for _ in range(int(cell.get("colspan", 1)))
    ]


def read_table(html: str) -> list[tuple[str, list[str]]]:
    """Place and numbers of every cell that holds a result."""
    soup = BeautifulSoup(html, "html.parser")
    head = [spell_out(row) for row in soup.select("thead tr")]
    cells = []
    for row in soup.select("tbody tr"):
        label = " ".join(cell.get_text(" ", strip=True) for cell in row.find_all("th"))
        found = [cell.get_text(" ", strip=True) for cell in row.find_all("td")]
        # Columns are counted from the right: on the left an index may span several rows.
        for position, text in enumerate(found, start=-len(found)):
            column = " ".join(line[position] for line in head if len(line) >= len(found)).strip()
            exempt = any(DIAGNOSTIC.search(name) or name in CHANCE for name in (label, column))
            if not exempt and "±" not in text:  # beside its error a number may have one digit more
                cells.append((f"{label} | {column}", find_numbers(text)))
    return cells


def read_results(cell: nbformat.NotebookNode) -> list[tuple[str, list[str]]]:
    """Place and numbers of all tables, sentences and lines that a cell shows, in their order."""
    results = []
    for output in [] if NOISY in tags_of(cell) else cell.get("outputs", []):
        data = output.get("data", {})
        if "<table" in data.get("text/html", ""):
            results += read_table(data["text/html"])
        elif "text/html" not in data and "image/png" not in data:
            text = data.get("text/markdown", data.get("text/plain", output.get("text", "")))
            lines = [line for line in text.splitlines() if not VERDICT.search(line)]
            results += [(line, find_numbers(line)) for line in lines if find_numbers(line)]
    return results


def find_differences(*runs: nbformat.NotebookNode) -> list[str]:
    """What two runs of one chapter, paired by position, do not agree on."""
    found = []
    # In a cell of its own papermill sets the seed.
    own = [[c for c in run.cells if "injected-parameters" not in tags_of(c)] for run in runs]
    results = (map(read_results, pair) for pair in zip(*own, strict=True))
    for (ours, theirs), guarded in zip(results, find_guarded(own[0]), strict=True):
        numbers = [[*chain.from_iterable(numbers for _, numbers in run)] for run in (ours, theirs)]
        if [len(pair[1]) for pair in ours] != [len(pair[1]) for pair in theirs]:
            found.append(f"not the same number of numbers: {numbers[0]} or {numbers[1]}")
            continue
        places = [place for place, numbers in ours for _ in numbers]
        limit = GUARDED if guarded else LIMIT
        for place, a, b in zip(places, *numbers, strict=True):
            is_sd = guarded and re.search(r"^sd\b|\|.*\bsd\b", place)  # a column or a row
            if differ(a, b, limit, SD_LIMIT if is_sd else 0):
                found.append(f"{place}: {a} or {b}")
    return found


def uses_seed(chapter) -> bool:
    cells = nbformat.read(chapter, as_version=4).cells
    own = [c.source for c in cells if c.cell_type == "code" and "parameters" not in tags_of(c)]
    return bool(re.search(r"\bseed\b(?!=)", "\n".join(own)))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=[path.stem for path in CHAPTERS])
def test_no_digit_depends_on_the_seed(chapter, run_chapter):
    if uses_seed(chapter):
        found = find_differences(read_executed(chapter), run_chapter(chapter, seed=OTHER_SEED))
        assert not found, "another seed prints other digits:\n" + "\n".join(found)


def page(table: pd.DataFrame, source: str = "tables.present_summary(fit)") -> nbformat.NotebookNode:
    """A notebook that shows a table."""
    output = nbformat.v4.new_output("display_data", {"text/html": table.to_html()})
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, outputs=[output])])


def many_units(draws: np.ndarray) -> xr.Dataset:
    """Each quantity in a unit of its own, so that each has its own decimals."""
    return xr.Dataset(
        {
            f"x{k}": (("chain", "draw"), draws[..., k], {"units": str(k)})
            for k in range(draws.shape[-1])
        }
    )


def test_one_digit_too_many_and_another_shape_are_seen(monkeypatch):
    """In tables of thirty quantities on thirty scales, from two seeds."""
    draws = np.geomspace(1, 10, 30) * np.random.default_rng(1).normal(size=(2, 4, 500, 30))
    first, second = map(many_units, draws)
    ours, theirs = (page(tables.present_summary(run)) for run in (first, second))
    assert not find_differences(ours, theirs)
    assert find_differences(ours, page(tables.present_summary(second[["x0", "x1"]])))
    count = tables.count_decimals
    monkeypatch.setattr(tables, "count_decimals", lambda error: count(error) + 1)
    ours, theirs = (page(tables.present_summary(run)) for run in (first, second))
    assert len(find_differences(ours, theirs)) > 5


def test_a_number_with_a_format_of_its_own_has_no_guard():
    """Ten units apart: too many for what a cell formats, but not for a table, also one of a cell before."""
    one, other = (pd.DataFrame({"mean": [f"{value:.1f}"]}) for value in (1.0, 2.0))
    assert find_differences(page(one, "f'{mean:.1f}'"), page(other, "f'{mean:.1f}'"))
    assert not find_differences(page(one), page(other))
    sources = ["shown = tables.present_slope(fit)", "x = 1", "x", "def say():\n    shown", "say()"]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    assert find_guarded(cells) == [True, False, False, True, True]


def test_an_sd_may_differ_by_a_share_of_it_and_a_mean_may_not():
    for column in ("sd", "mean"):
        one, other = (page(pd.DataFrame({column: [value]})) for value in ("4.00", "4.70"))
        assert bool(find_differences(one, other)) == (column == "mean")


def test_diagnostics_and_noise_may_change_and_essex_is_no_ess():
    one, other = (page(pd.DataFrame({"ess_bulk": [ess], "R-hat": [1.0]})) for ess in (900, 4000))
    assert not find_differences(one, other)
    one, other = (page(pd.DataFrame({"Essex": [mean]})) for mean in (1, 91))
    assert find_differences(one, other)
    for notebook in (one, other):
        notebook.cells[0].metadata["tags"] = [NOISY]
    assert not find_differences(one, other)
