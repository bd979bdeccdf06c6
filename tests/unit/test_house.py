"""The helpers' plan: imports go one way, and what a reader takes home knows any table."""

import ast
import pkgutil
import re
from pathlib import Path

import pytest

import helpers

HOUSE = Path(helpers.__file__).parent
FLOORS = (
    "frames; reading; priors; families; terms; elicitation; rotated; exact; models; predictions; convergence; "
    "fits diagnostics; tables; plots; flipbook; own; report; book; "
    "exercises"
)
FLOOR = {name: number for number, names in enumerate(FLOORS.split(";")) for name in names.split()}
FILES = {
    str(path.relative_to(HOUSE)): path.read_text("utf-8")
    for module in FLOOR
    for path in [*HOUSE.glob(f"{module}.py"), *(HOUSE / module).rglob("*.py")]
}


def find_imports(source: str) -> set[str]:
    """Modules or packages of the helpers that a file imports, by their first name."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "helpers":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("helpers."):
            found.add(node.module.split(".")[1])
    return found


@pytest.mark.parametrize("name", FILES)
def test_imports_go_one_way(name):
    own = Path(name).parts[0].removesuffix(".py")
    below = {module for module in FLOOR if FLOOR[module] < FLOOR[own]}
    assert find_imports(FILES[name]) <= below | {own}


def find_private(source: str) -> set[str]:
    """Names with "_" in front that a file takes from another module of the helpers."""
    nodes, found, modules = list(ast.walk(ast.parse(source))), set(), set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "helpers":
            names = {alias.name for alias in node.names}
            found |= {name for name in names if name.startswith("_")}
            modules |= {name for name in names if name.islower()}
    taken = (
        (node.value.id, node.attr)
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    )
    found |= {f"{of}.{name}" for of, name in taken if of in modules and name.startswith("_")}
    return found


def test_no_module_takes_what_another_one_keeps_to_itself():
    files = {path: find_private(path.read_text("utf-8")) for path in HOUSE.rglob("*.py")}
    assert find_private("from helpers import terms\nterms._read()") == {"terms._read"}
    assert {path.name: found for path, found in files.items() if found} == {}


def test_what_a_reader_takes_home_knows_no_county():
    """The book's columns, priors and limits are defaults of ``priors``, in one place."""
    home = [n for n in FILES if not n.startswith(("book", "exercises", "priors"))]
    words = re.compile(r"\b(count(y|ies)|bounce_times?|visits?)\b", re.IGNORECASE)
    assert len(home) > 10
    assert [n for n in home if words.search(FILES[n])] == []


def test_what_pages_say_of_the_helpers_is_there():
    """Modules and functions by their full names, in the texts that are no notebooks."""
    root = HOUSE.parents[1]
    pages = [*root.glob("*.md"), *root.glob("data/*.md"), *root.glob("notebooks/*.md")]
    said = {n for p in pages for n in re.findall(r"\bhelpers(?:\.\w+)+", p.read_text("utf-8"))}
    assert "helpers.book.visits.simulate_bounce_times" in said
    for name in said:
        pkgutil.resolve_name(name)
