"""The repository as a reader gets it: an environment that is pinned, a wheel that is whole, files in shape."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell
from PIL import Image

import readme_figure
from address import read_address
from book_extension import ask_registrar
from chapters import ROOT, list_chapters, list_pages
from source_text import without_code, words_of


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def run(*command: str, cwd: Path = ROOT, **settings) -> subprocess.CompletedProcess:
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, encoding="utf-8", **settings
    )


def tracked() -> list[Path]:
    """What git holds, or would hold after `git add`."""
    listing = run("git", "ls-files", "--cached", "--others", "--exclude-standard").stdout
    return [ROOT / line for line in listing.splitlines() if (ROOT / line).is_file()]


# The environment


def test_the_lock_pins_every_dependency_with_hashes_and_names_no_registry():
    lock, project = text_of("requirements.lock"), tomllib.loads(text_of("pyproject.toml"))
    pinned = re.findall(r"^([a-z0-9][\w.-]*)(?:\[[\w,-]+\])?==", lock, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[a-z0-9]", lock, re.MULTILINE)) > 100
    assert lock.count("--hash=sha256:") >= len(pinned)
    assert "://" not in lock
    direct = project["project"]["dependencies"] + project["dependency-groups"]["book"]
    assert {re.match(r"[\w-]+", requirement)[0] for requirement in direct} <= set(pinned)


def test_the_lock_of_spark_holds_pyspark_and_no_package_of_the_book():
    pin = re.compile(r"^([a-z0-9][\w.-]*)==", re.MULTILINE)
    lock, spark = (text_of(f"requirements{kind}.lock") for kind in ("", "-spark"))
    assert pin.findall(spark) == ["py4j", "pyspark"]
    assert not set(pin.findall(spark)) & set(pin.findall(lock))
    assert spark.count("--hash=sha256:") >= 2 and "://" not in spark


def test_conda_installs_exactly_the_lock_and_so_does_make():
    environment = yaml.safe_load(text_of("environment.yml"))
    assert environment["channels"] == ["conda-forge"]
    python, pip, packages = environment["dependencies"]
    assert (python, pip) == (f"python={text_of('.python-version').strip()}", "pip")
    assert packages == {"pip": ["--require-hashes", "-r requirements.lock"]}
    words = " ".join(packages["pip"]).split()
    result = run(sys.executable, "-m", "pip", "install", "--dry-run", *words)
    assert result.returncode == 0, result.stderr
    assert "Would install" not in result.stdout, result.stdout


def test_the_wheel_brings_the_data_the_page_of_reports_and_all_parts_of_the_helpers(tmp_path):
    source = tmp_path / "book"
    for name in ("src", "data", "notebooks", "r"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("fits"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", "."]
    build = run(*command, str(source), cwd=tmp_path)
    assert build.returncode == 0, build.stderr
    with zipfile.ZipFile(*tmp_path.glob("*.whl")) as archive:
        archive.extractall(tmp_path / "installed")
    parts = [path.relative_to(ROOT / "src") for path in (ROOT / "src").rglob("*.[ph][yt]*")]
    parts = [part for part in parts if part.suffix in (".py", ".html")]
    assert [part for part in parts if not (tmp_path / "installed" / part).exists()] == []
    program = (
        "from helpers.book import visits; print(visits.__file__); visits.load_bounce_times(); "
        "from helpers.report import running; print(running.find_chapter()); "
        "from helpers.book import in_r; in_r.fingerprint(); print(in_r.script_file('setup')); "
        "in_r.load_fit('random_slope')"
    )
    path = f"import sys; sys.path.insert(0, {str(tmp_path / 'installed')!r})"
    installed = run(sys.executable, "-c", f"{path}; {program}", cwd=tmp_path)
    assert installed.stdout.count("installed") == 3, installed.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="the script needs a POSIX shell")
def test_no_interpreter_is_said_in_one_sentence_and_leaves_nothing(tmp_path):
    shell, script = shutil.which("sh"), Path("tools", "build", "environment.sh")
    (tmp_path / script).parent.mkdir(parents=True)
    shutil.copyfile(ROOT / script, tmp_path / script)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in filter(shutil.which, ("sh", "dirname", "rm", "touch", "uname")):
        (tools / name).symlink_to(shutil.which(name))
    (tools / "python3").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (tools / "python3").chmod(0o755)
    result = run(shell, str(script), cwd=tmp_path, env={"PATH": str(tools)})
    assert result.returncode == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert "Python 3.12 or newer" in result.stderr
    assert not (tmp_path / ".venv").exists()


# Addresses and files


def test_the_public_address_stands_in_the_settings_and_where_make_address_writes_it():
    address = read_address()
    urls = address.repository.partition("://")[2].encode(), address.pages.encode()
    holders = {path.name for path in tracked() if any(url in path.read_bytes() for url in urls)}
    written = {"README.md", "CITATION.cff", *(page.name for page in list_chapters())}
    assert holders == {"_config.yml"} | (written if address.is_set else set())


def test_a_version_is_cited_and_told_as_it_is_installed():
    """pyproject.toml, the citation and the first heading of the list of changes; title as in the README."""
    version = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]
    citation = yaml.safe_load(text_of("CITATION.cff"))
    newest = re.search(r"^## (\S+), (\S+)$", text_of("CHANGELOG.md"), re.MULTILINE)
    assert newest.groups() == (version, str(citation["date-released"]))
    assert citation["version"] == version
    (words,) = re.findall(r"^\*\*(.*)\.\*\*", text_of("README.md"), re.MULTILINE)
    assert citation["title"] == f"{yaml.safe_load(text_of('_config.yml'))['title']} {words}"


def test_a_doi_is_checked_where_it_is_registered():
    """Publishers answer robots with a refusal, which would fail the weekly run for ever."""
    checked = ask_registrar(None, "https://doi.org/10.1214/06-BA117A")
    assert checked == "https://doi.org/api/handles/10.1214/06-BA117A"
    assert ask_registrar(None, "https://example.org/10.1214") is None


def test_the_readme_shows_todays_data():
    with Image.open(readme_figure.FIGURE) as figure:
        shown = figure.text["Description"]
    assert readme_figure.data_checksum() in shown, "run `python tools/build/readme_figure.py`"


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=lambda words: words[0])
def test_code_and_notebooks_are_in_shape(command):
    result = run(sys.executable, "-m", "ruff", *command, str(ROOT))
    assert result.returncode == 0, result.stdout


def test_words_are_spelled_right():
    """In code and in the files of chapters as they are; pyproject.toml names the words that may look wrong."""
    result = run(sys.executable, "-m", "codespell_lib")
    assert result.returncode == 0, result.stdout


def test_a_wrong_word_in_a_chapter_would_be_seen(tmp_path):
    """Also behind the sign of a new line, which stands in a notebook's file as two letters."""
    wrong = "teh"  # codespell:ignore
    cells = [nbformat.v4.new_markdown_cell(f"One line\n{wrong} model"), new_code_cell(f"# {wrong}")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "chapter.ipynb")
    result = run(sys.executable, "-m", "codespell_lib", str(tmp_path))
    assert result.stdout.count(f"{wrong} ==> the") == 2


def test_prose_is_british_with_ize(tmp_path):
    """What is read, not code: libraries write "color"; titles of others' works keep their own spelling."""
    pages = [page for page in list_pages() if page.stem != "bibliography"]
    prose = {f"{page.stem}.md": words_of(page) for page in pages}
    texts = [*ROOT.glob("slides/*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    prose |= {f"slides-{path.name}": path.read_text(encoding="utf-8") for path in texts}
    for name, text in prose.items():
        words = re.sub(r"`[^`]*`|\$[^$\n]*\$", "", without_code(text))
        (tmp_path / name).write_text(words, encoding="utf-8")
    assert len(prose) > 60
    assert american(tmp_path) == ""
    (tmp_path / "page.md").write_text("The color of a center, summarised.", encoding="utf-8")
    assert re.findall("==> (.*)", american(tmp_path)) == ["colour", "centre", "summarized"]


def american(folder: Path) -> str:
    """What is not Oxford's spelling, which needs no second s in "biased"."""
    settings = ["--builtin", "en_to_en-OX", "--ignore-words-list", "biased"]
    return run(sys.executable, "-m", "codespell_lib", *settings, str(folder), cwd=folder).stdout


def test_workflows_are_pinned_and_may_do_no_more_than_they_must():
    zizmor = shutil.which("zizmor", path=Path(sys.executable).parent)
    result = run(zizmor, "--offline", "--strict-collection", ".github")
    assert result.returncode == 0, result.stdout


def test_the_top_holds_no_stray_file():
    """Each file at the top is named in this listing, so that none stays there by accident."""
    named = """CHANGELOG.md CITATION.cff CONTRIBUTING.md LICENSE LICENSE-text Makefile README.md _config.yml _toc.yml
    environment.yml postBuild pyproject.toml requirements.lock
    requirements-spark.lock .gitattributes .gitignore .python-version"""
    top = {path.name for path in tracked() if path.parent == ROOT}
    assert top <= set(named.split()), top
