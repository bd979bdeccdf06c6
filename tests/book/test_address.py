"""Where the book is published: one command writes it everywhere, and without it nothing leads to a placeholder."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

from address import Address, parse_address, read_address
from chapters import ROOT, list_chapters

ADDRESS, NOWHERE = Address("Me-2", "a.book"), Address("OWNER", "bayesian-lmm-book")
REPEATS = ("README.md", "CITATION.cff")
MAKE = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
CHAPTER = list_chapters()[0].name
TOC = """
format: jb-book
root: notebooks/index
parts:
  - caption: One
    chapters:
      - file: notebooks/{}
"""


def make_copy(folder: Path) -> Path:
    """A book of two pages, with all that the command and the build read."""
    for name in ("_config.yml", "pyproject.toml", "requirements.lock", *REPEATS):
        shutil.copy(ROOT / name, folder)
    for name in ("_static", "_templates", "tools/build"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "notebooks").mkdir()
    shutil.copy(ROOT / "notebooks" / CHAPTER, folder / "notebooks")
    index = "# A book\n\nIt says in one sentence what it is about and for whom.\n"
    (folder / "notebooks" / "index.md").write_text(index, encoding="utf-8")
    (folder / "_toc.yml").write_text(TOC.format(CHAPTER.removesuffix(".ipynb")), encoding="utf-8")
    return folder


def run(folder: Path, *command: str) -> subprocess.CompletedProcess:
    """Run Python in the copy, with the build's modules that are there."""
    path = os.pathsep.join([str(folder / "tools" / "build"), str(ROOT / "src")])
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def move(folder: Path, url: str) -> subprocess.CompletedProcess:
    return run(folder, "tools/build/address.py", url)


def texts(folder: Path) -> dict[str, bytes]:
    names = (*REPEATS, "_config.yml", f"notebooks/{CHAPTER}")
    return {name: (folder / name).read_bytes() for name in names}


def render(folder: Path, address: Address) -> tuple[dict[str, BeautifulSoup], str]:
    """The pages of a copy with this address, and what its build says."""
    folder = make_copy(folder)
    assert move(folder, address.repository).returncode == 0
    settings = yaml.safe_load((folder / "_config.yml").read_text(encoding="utf-8"))
    settings["execute"]["execute_notebooks"] = "off"
    (folder / "_config.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    made = run(folder, "-c", MAKE, "build", ".", "-q")
    assert made.returncode == 0, made.stderr[-4000:]
    html = folder / "_build" / "html"
    pages = {path.relative_to(html).as_posix(): path for path in html.rglob("*.html")}
    return {
        name: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for name, path in pages.items()
        if "_static" not in name
    }, made.stdout


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return render(tmp_path_factory.mktemp("published"), ADDRESS)


@pytest.fixture(scope="module")
def unpublished(tmp_path_factory):
    return render(tmp_path_factory.mktemp("unpublished"), NOWHERE)


def links(page: BeautifulSoup) -> set[str]:
    return {tag["href"] for tag in page.find_all(href=True)}


# The command


def test_one_command_writes_the_address_and_takes_it_out_again(tmp_path):
    folder = make_copy(tmp_path)
    assert move(folder, NOWHERE.repository).returncode == 0
    before = texts(folder)
    assert b"colab" not in before[f"notebooks/{CHAPTER}"]
    said = move(folder, f"{ADDRESS.repository}.git/").stdout
    assert ADDRESS.pages in said
    after = texts(folder)
    assert f"Read it online: <{ADDRESS.pages}>\n".encode() in after["README.md"]
    citation = yaml.safe_load(after["CITATION.cff"])
    assert (citation["repository-code"], citation["url"]) == (ADDRESS.repository, ADDRESS.pages)
    assert yaml.safe_load(after["_config.yml"])["repository"]["url"] == ADDRESS.repository
    assert move(folder, ADDRESS.repository).returncode == 0 and texts(folder) == after
    assert move(folder, NOWHERE.repository).returncode == 0 and texts(folder) == before


def test_the_first_code_of_every_chapter_installs_the_lock_in_colab(tmp_path):
    folder = make_copy(tmp_path)
    move(folder, ADDRESS.repository)
    chapter = nbformat.read(folder / "notebooks" / CHAPTER, as_version=4)
    first = next(cell for cell in chapter.cells if cell.cell_type == "code")
    assert set(first.metadata["tags"]) == {"colab", "remove-cell"}
    assert first.metadata["jupyter"]["source_hidden"]
    for words in (
        'book = "github.com/Me-2/a.book"',
        'lock = "https://raw.githubusercontent.com/Me-2/a.book/main/requirements.lock"',
        "%pip install -q --require-hashes -r {lock}",
        "%pip install -q --no-deps --no-build-isolation git+https://{book}@main",
    ):
        assert words in first.source, words


@pytest.mark.parametrize(
    "url", ["", "github.com/me/book", "https://github.com/me", "https://a.org/me/book"]
)
def test_what_is_no_address_of_github_is_refused_in_one_sentence(url):
    with pytest.raises(SystemExit, match=r"make address URL=https://github\.com/me/book$"):
        parse_address(url)


def test_a_repository_named_as_its_host_has_its_pages_at_the_top():
    assert parse_address("https://github.com/Me/me.github.io").pages == "https://me.github.io/"
    assert parse_address("https://github.com/Me/book").pages == "https://me.github.io/book/"


def test_this_book_has_its_address_everywhere_or_nowhere():
    """A chapter, the README or the citation that was forgotten differs from the settings."""
    address = read_address()
    words = address.repository.partition("://")[2].encode(), address.pages.encode()
    for path in [*(ROOT / name for name in REPEATS), *list_chapters()]:
        text = path.read_bytes()
        assert any(word in text for word in words) == address.is_set, path.name
        assert address.is_set or b"OWNER/" not in text, path.name


# The pages


def test_a_published_chapter_can_be_run_seen_and_changed_where_it_lives(published):
    pages, said = published
    path = f"notebooks/{CHAPTER}"
    chapter = pages[path.replace(".ipynb", ".html")]
    assert {
        f"https://mybinder.org/v2/gh/Me-2/a.book/main?urlpath=lab/tree/{path}",
        f"https://colab.research.google.com/github/Me-2/a.book/blob/main/{path}",
        f"{ADDRESS.repository}/blob/main/{path}?plain=1",
        f"{ADDRESS.repository}/edit/main/{path}",
        ADDRESS.repository,
    } <= links(chapter)
    assert "issues/new" in str(chapter) and "no address" not in said


def test_a_published_page_knows_its_address_and_picture(published):
    pages, _ = published
    for name in ("notebooks/index.html", f"notebooks/{CHAPTER}".replace(".ipynb", ".html")):
        (canonical,) = pages[name].find_all("link", rel="canonical")
        tags = {
            tag["property"]: tag["content"] for tag in pages[name].find_all("meta", property=True)
        }
        assert canonical["href"] == tags["og:url"] == ADDRESS.pages + name
        assert tags["og:image"] == f"{ADDRESS.pages}_static/paradox.png" and tags["og:image:alt"]
    assert pages["index.html"].find("link", rel="canonical")
    assert pages["404.html"].find("a", href="/a.book/notebooks/index.html")


def test_without_an_address_no_page_leads_to_a_placeholder_and_the_build_says_so_once(unpublished):
    pages, said = unpublished
    for name, page in pages.items():
        assert "OWNER" not in str(page) and "mybinder" not in str(page), name
        assert not page.find("link", rel="canonical"), name
        assert not page.select(".dropdown-launch-buttons, .dropdown-source-buttons"), name
        assert not [link for link in links(page) if re.search(r"github\.(?:com|io)", link)], name
        previews = {tag["property"] for tag in page.find_all("meta", property=True)}
        assert not [tag for tag in previews if tag.startswith(("og:url", "og:image"))], name
    index = pages["notebooks/index.html"]
    assert index.find("meta", attrs={"name": "description"})["content"].startswith("It says")
    assert len(re.findall("^The book has no address: `make address URL=", said, re.MULTILINE)) == 1
