"""The repository as a reader gets it: pages that render, an environment that is pinned, links that follow."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

import chapters
from conftest import ROOT


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, encoding="utf-8")


def tracked() -> list[Path]:
    """What git holds, or would hold after `git add`."""
    listing = run("git", "ls-files", "--cached", "--others", "--exclude-standard").stdout
    return [ROOT / line for line in listing.splitlines() if (ROOT / line).is_file()]


def copy_book(folder: Path) -> Path:
    copy = folder / "book"
    for path in tracked():
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return copy


def test_every_page_renders_without_a_warning(tmp_path):
    """References, citations and labels; outputs are the matter of `make book` and of the chapters' tests."""
    book = copy_book(tmp_path)
    config = yaml.safe_load((book / "_config.yml").read_text(encoding="utf-8"))
    config["execute"]["execute_notebooks"] = "off"
    (book / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    stranger = (
        book / ".venv" / "lib" / "package" / "stranger.md"
    )  # beside the pages, not one of them
    stranger.parent.mkdir(parents=True)
    stranger.write_text("{ref}`nowhere`", encoding="utf-8")
    program = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
    build = run(
        sys.executable, "-c", program, "build", str(book), "-W", "-n", "--keep-going", cwd=book
    )
    assert build.returncode == 0, build.stdout[-2000:] + build.stderr[-4000:]
    pages = book / "_build" / "html"
    assert (pages / "_static" / "mathjax" / "startup.js").exists()
    for name in (
        "index",
        "t3_setup",
    ):  # the cell for Colab: the lock, then the helpers without more
        shown = BeautifulSoup(
            (pages / "notebooks" / f"{name}.html").read_text("utf-8"), "html.parser"
        ).text
        assert re.search(r"pip install -q --require-hashes -r \S+/main/requirements.lock", shown)
        assert re.search(r"pip install -q --no-deps \S+ git\+https://\S+@main", shown)
    url = config["repository"]["url"]
    for page in chapters.list_chapters():
        html = (pages / "notebooks" / f"{page.stem}.html").read_text(encoding="utf-8")
        assert f"{url}/edit/main/notebooks/{page.name}" in html
    # The one page that `make pdf` prints holds them all; a test in the browser says what becomes of it.
    build = run(
        sys.executable, "-c", program, "build", str(book), "--builder", "singlehtml", cwd=book
    )
    assert build.returncode == 0, build.stderr[-4000:]
    whole = (book / "_build" / "singlehtml" / "notebooks" / "index.html").read_text("utf-8")
    missing = [
        page.stem
        for page in chapters.list_pages()[1:]
        if f'id="document-notebooks/{page.stem}"' not in whole
    ]
    assert missing == []


def test_the_contents_name_every_page_once_in_reading_order():
    pages = chapters.list_pages()
    assert sorted(pages) == sorted((ROOT / "notebooks").glob("*.[mi][dp]*"))
    numbers = [path.stem[:2] for path in chapters.list_chapters()]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    "edited", ["src/helpers/models.py", "data/bounce_times.csv", "requirements.lock"]
)
def test_outputs_are_stale_after_an_edit(tmp_path, monkeypatch, edited):
    book = copy_book(tmp_path)
    monkeypatch.setattr(chapters, "ROOT", book)
    before = chapters.fingerprint()
    assert chapters.fingerprint() == before
    with (book / edited).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert chapters.fingerprint() != before


def test_a_chapter_is_executed_again_only_after_an_edit(tmp_path):
    import nbformat
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    from execute import execute, needs_execution

    page = tmp_path / "page.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "language": "python",
        "display_name": "Python 3",
    }
    nbformat.write(notebook, page)
    cache = get_cache(str(tmp_path / "cache"))
    assert needs_execution(cache, page)
    executed, seconds, error = execute(page)
    assert error is None
    cache.cache_notebook_bundle(
        CacheBundleIn(executed, str(page), data={"execution_seconds": seconds}),
        check_validity=False,
    )
    assert not needs_execution(cache, page)
    notebook.cells[0].source = "1 + 2"
    nbformat.write(notebook, page)
    assert needs_execution(cache, page)


def test_the_lock_pins_everything_with_hashes_and_names_no_registry():
    lock = text_of("requirements.lock")
    entries = re.findall(r"^([a-z0-9][\w.-]*)(\[[\w,-]+\])?==", lock, re.MULTILINE)
    starts = re.findall(r"^[a-z0-9]", lock, re.MULTILINE)
    assert len(entries) == len(starts) > 100
    assert lock.count("--hash=sha256:") >= len(entries)
    assert "://" not in lock


def test_the_lock_holds_every_direct_dependency():
    project = tomllib.loads(text_of("pyproject.toml"))
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["book"]
    lock = text_of("requirements.lock")
    for requirement in wanted:
        name = re.match(r"[\w-]+", requirement).group()
        assert re.search(rf"^{name}(\[.*\])?==", lock, re.MULTILINE), name


def test_conda_installs_exactly_the_lock():
    environment = yaml.safe_load(text_of("environment.yml"))
    assert environment["channels"] == ["conda-forge"]
    python, pip, packages = environment["dependencies"]
    assert (python, pip) == (f"python={text_of('.python-version').strip()}", "pip")
    assert packages == {"pip": ["--require-hashes", "-r requirements.lock"]}


def test_the_pip_part_of_the_conda_environment_is_what_is_installed():
    lines = yaml.safe_load(text_of("environment.yml"))["dependencies"][-1]["pip"]
    result = run(sys.executable, "-m", "pip", "install", "--dry-run", *" ".join(lines).split())
    assert result.returncode == 0, result.stderr
    assert "Would install" not in result.stdout, result.stdout


def test_the_wheel_brings_the_data(tmp_path):
    book = copy_book(tmp_path)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
    ]
    build = run(*command, str(book), cwd=tmp_path)
    assert build.returncode == 0, build.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    program = (
        "from helpers import data, flipbook; print(data.__file__);"
        "print(len(data.load_bounce_times()), data.load_truth()['sigma'])"
    )
    installed = run(
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(tmp_path / 'installed')!r}); {program}",
        cwd=tmp_path,
    )
    assert installed.stdout.split()[1:] == ["613", "8.0"], installed.stderr
    assert "installed" in installed.stdout.split()[0]
    assert (tmp_path / "installed" / "helpers" / "flipbook.html").exists()


def test_the_public_address_stands_in_one_place():
    url = yaml.safe_load(text_of("_config.yml"))["repository"]["url"]
    holders = [path.name for path in tracked() if url.encode() in path.read_bytes()]
    assert holders == ["_config.yml"]


def test_a_doi_is_checked_where_it_is_registered():
    """Publishers answer robots with a refusal, which would fail the weekly run for ever."""
    import book_extension

    checked = book_extension.ask_registrar(None, "https://doi.org/10.1214/06-BA117A")
    assert checked == "https://doi.org/api/handles/10.1214/06-BA117A"
    assert book_extension.ask_registrar(None, "https://example.org/10.1214") is None


def steps_of(workflow: str) -> list[dict]:
    jobs = yaml.safe_load(text_of(f".github/workflows/{workflow}.yml"))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


def test_pictures_of_the_pages_are_kept_whatever_fails():
    (kept,) = [step for step in steps_of("test") if "upload-artifact" in step.get("uses", "")]
    assert kept["with"]["path"] == "_build/screenshots"
    assert "!cancelled()" in kept["if"]


def test_links_are_checked_every_week_whatever_fails_and_one_issue_says_so():
    steps = steps_of("weekly")
    (links,) = [step for step in steps if "linkcheck" in step.get("run", "")]
    assert "!cancelled()" in links["if"]
    (issue,) = [step for step in steps if "issue create" in step.get("run", "")]
    assert issue["if"] == "failure()"
    assert issue["run"].index("gh issue list --state open") < issue["run"].index("issue create")


def test_the_readme_shows_todays_data():
    from PIL import Image

    import readme_figure

    with Image.open(readme_figure.FIGURE) as figure:
        shown = figure.text["Description"]
    assert readme_figure.data_checksum() in shown, "run `python tools/readme_figure.py`"


@pytest.mark.skipif(sys.platform == "win32", reason="the script needs a POSIX shell")
def test_no_interpreter_is_said_in_one_sentence_and_leaves_nothing(tmp_path):
    book = copy_book(tmp_path)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "dirname", "rm", "touch", "uname"):
        found = shutil.which(name)
        if found:
            (tools / name).symlink_to(found)
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    result = subprocess.run(
        [shutil.which("sh"), "tools/environment.sh"],
        cwd=book,
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert "Python 3.12 or newer" in result.stderr
    assert not (book / ".venv").exists()


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=lambda words: words[0])
def test_code_and_notebooks_are_in_shape(command):
    result = run(sys.executable, "-m", "ruff", *command, str(ROOT))
    assert result.returncode == 0, result.stdout


def test_the_top_holds_no_stray_file():
    """Each file at the top is named in this listing, so that none stays there by accident."""
    named = (
        "CITATION.cff LICENSE LICENSE-text Makefile README.md _config.yml _toc.yml environment.yml"
    )
    named += " postBuild pyproject.toml references.bib requirements.lock .gitignore .python-version"
    top = {path.name for path in tracked() if path.parent == ROOT}
    assert top <= {*named.split(), ".gitattributes"}, top
