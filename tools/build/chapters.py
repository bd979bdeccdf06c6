"""What the book consists of, what its one execution gave, and when that is still good."""

import hashlib
import platform
import re
import sys
from itertools import chain
from pathlib import Path

import nbformat
import yaml
from jupyter_cache import get_cache
from myst_nb.core.read import read_myst_markdown_notebook
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
CACHES = ROOT / "_build" / ".jupyter_cache"
STORES = ROOT / "_build" / "fits-stored"


def read_toc() -> dict:
    return yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))


def list_parts() -> dict[str, list[Path]]:
    """The pages of each part of ``_toc.yml``, by the part's title, in reading order.

    Raises
    ------
    SystemExit
        If a page that it names is not there.
    """
    parts = read_toc()["parts"]
    return {p["caption"]: [find_page(c["file"]) for c in p["chapters"]] for p in parts}


def find_page(name: str) -> Path:
    found = [*ROOT.glob(f"{name}.ipynb"), *ROOT.glob(f"{name}.md")]
    if not found:
        sys.exit(f"_toc.yml names {name}, and there is no such page: add it or take out the line.")
    return found[0]


def list_pages() -> list[Path]:
    """Every page of ``_toc.yml``, in reading order, and what ``list_parts`` raises."""
    return [find_page(read_toc()["root"]), *chain(*list_parts().values())]


def list_chapters() -> list[Path]:
    """The chapters that are notebooks, in reading order."""
    return [page for page in list_pages() if page.suffix == ".ipynb"]


def read_title(page: Path) -> str:
    """A page's title as it says it: a chapter's begins with its number, ``6. Random intercept``."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        text = nbformat.reads(text, as_version=4).cells[0].source
    return re.search(r"^# (.+)$", text, re.MULTILINE)[1]


def read_minutes(page: Path) -> tuple[int, int] | None:
    """The minutes that a chapter says it takes: to read and run, and for the exercises."""
    pattern = r"\*\*Minutes:\*\* (\d+) to read and run, (\d+) for the exercises"
    found = re.search(pattern, page.read_text(encoding="utf-8"))
    return (int(found[1]), int(found[2])) if found else None


def read_tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def read_executable(page: Path) -> NotebookNode | None:
    """Read a page as Sphinx does; ``None`` if there is nothing to execute on it."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        return nbformat.reads(text, as_version=4)
    return read_myst_markdown_notebook(text, path=page) if "{code-cell}" in text else None


def read_executed(page: Path) -> NotebookNode:
    """A page with the outputs of the book's one execution.

    Raises
    ------
    SystemExit
        If there are none for today's code, helpers, data and lock.
    """
    try:
        return get_cache(str(cache_path())).merge_match_into_notebook(read_executable(page))[1]
    except KeyError:
        sys.exit(f"{page.name} has no outputs for today's code: run `make book` first.")


def fingerprint() -> str:
    """Hash of all that an output depends on besides its own notebook: helpers, data, R scripts, lock, Python.

    jupyter-cache compares the code of a notebook only; a cache of its own for each fingerprint keeps it
    from showing outputs that edited helpers or data would no longer give.
    """
    files = [path for path in (ROOT / "src").rglob("*") if path.suffix in (".py", ".html")]
    data = [path for path in (ROOT / "data").rglob("*") if path.is_file()]
    files += [path for path in data if path.suffix != ".md"]
    files += [ROOT / "requirements.lock", *(ROOT / "r").glob("*.R")]
    digest = hashlib.sha256(platform.python_version().encode())
    for path in sorted(files):
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_path() -> Path:
    """Where the executed chapters of today's fingerprint are kept."""
    return CACHES / fingerprint()


def stored_path() -> Path:
    """Where the posteriors of today's fingerprint are kept, in a folder for each chapter."""
    return STORES / fingerprint()
