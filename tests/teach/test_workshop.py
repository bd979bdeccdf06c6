"""What the participants of a workshop get: the chapters without solutions, and all that a laptop needs."""

import ast
import re
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml

import workshop
from chapters import ROOT, list_chapters
from executed import require, tagged
from helpers.workshop import stored
from source_text import dead_links, links_in, words_of

CHAPTERS = list_chapters()
SAMPLER_ITSELF = ("18_your_own_table", "a1_exact_answer", "a4_gallery_of_failures")  # no switch
OUTRIGHT = (r"pm\.sample\(", r"nutpie\.sample\(", r"fits\.fit_once\(", r"models\.fit\(")
each_chapter = pytest.mark.parametrize("page", CHAPTERS, ids=[page.stem for page in CHAPTERS])


def read(page: Path) -> nbformat.NotebookNode:
    return nbformat.read(page, as_version=4)


def open_chapter(page: Path) -> nbformat.NotebookNode:
    return workshop.open_exercises(read(page), page.stem)


# The notebooks


@each_chapter
def test_a_notebook_for_participants_is_the_chapter_without_its_solutions(page):
    """What is left is word for word the chapter's, as soon as the switch is taken out."""
    chapter, opened = read(page), open_chapter(page)
    kept = [cell for cell in chapter.cells if "solution" not in workshop.read_tags(cell)]
    assert len(kept) < len(chapter.cells)
    assert [cell.id for cell in opened.cells] == [cell.id for cell in kept]
    for cell, given in zip(opened.cells, kept, strict=True):
        if "fit" in workshop.read_tags(cell):
            sampling = SwitchOff().visit(ast.parse(cell.source))
            assert ast.unparse(sampling) == ast.unparse(ast.parse(given.source))
        else:
            added = (f"\n{workshop.SWITCH}", f"\n{workshop.IMPORT}")
            assert cell.source.replace(added[0], "").replace(added[1], "") == given.source


class SwitchOff(ast.NodeTransformer):
    """The code as it runs with ``precomputed = False``."""

    def visit_If(self, node: ast.If):
        return node.orelse if ast.unparse(node.test) == "precomputed" else node


@each_chapter
def test_whatever_samples_can_be_loaded_instead(page):
    opened = open_chapter(page)
    code = [cell for cell in opened.cells if cell.cell_type == "code" and cell.id != "colab"]
    sampling = [
        cell.id
        for cell in code
        if "fit" not in workshop.read_tags(cell)
        for statement in workshop.find_sampling(ast.parse(cell.source).body)
        if re.search("|".join(OUTRIGHT), ast.unparse(statement))
    ]
    assert not sampling or page.stem in SAMPLER_ITSELF
    assert all("if precomputed:" in cell.source for cell in tagged(opened, "fit"))
    (parameters,) = tagged(opened, "parameters")
    assert (workshop.SWITCH in parameters.source) == bool(tagged(opened, "fit"))


@pytest.mark.parametrize(
    ("code", "loading"),
    [
        ("fit = pm.sample(9)", 'fit = stored.load("c/1")["fit"]'),
        ("three[label] = fits.fit_once(name)", 'three[label] = stored.load("c/1")["three"][label]'),
        ("both |= {1: models.fit(name)}", 'both = stored.load("c/1")["both"]'),
        (
            'fit = fits.fit_once("pooled", visits, extend=groups)',
            'fit = stored.load("c/1")["fit"]\n    '
            'fit = stored.extend(fit, "pooled", visits, extend=groups)',
        ),
    ],
)
def test_a_statement_that_samples_gets_its_counterpart(code, loading):
    wrapped = f"if precomputed:\n    {loading}\nelse:\n    {code}"
    assert workshop.wrap_sampling(code, "c/1") == wrapped
    inside = "with model:\n    x = 1\n{}"
    indented = [workshop.textwrap.indent(text, "    ") for text in (code, wrapped)]
    assert workshop.wrap_sampling(inside.format(indented[0]), "c/1") == inside.format(indented[1])


def test_what_does_not_sample_stays_as_it_is():
    exact = 'answer = models.fit("pooled", visits, backend="exact")'
    function = "def sample(model):\n    tree = pm.sample(9)\n    return tree"
    for code in (exact, function, "print(diagnostics.require_converged(fit))"):
        assert workshop.wrap_sampling(code, "c/1") == code


# What `make workshop` made


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    require(workshop.ARCHIVE.exists(), "run `make workshop` to test what it makes")
    folder = tmp_path_factory.mktemp("a folder")
    with zipfile.ZipFile(workshop.ARCHIVE) as whole:
        whole.extractall(folder)
    return folder / workshop.ARCHIVE.stem


def test_the_zip_holds_what_the_laptop_needs(unpacked):
    names = """START-HERE.md LICENSE LICENSE-text CITATION.cff .python-version postBuild
    pyproject.toml requirements.lock environment.yml data/truth.json data/tables/sleepstudy.csv
    notebooks/00_start_here.ipynb notebooks/glossary.md"""
    assert [name for name in names.split() if not (unpacked / name).exists()] == []
    for file in (ROOT / "src").rglob("*"):
        assert file.suffix not in (".py", ".html") or (unpacked / file.relative_to(ROOT)).exists()
    for page in CHAPTERS:
        assert read(unpacked / "solutions" / page.name) == read(page)
        assert read(unpacked / "notebooks" / page.name) == open_chapter(page), "make it again"
    assert list(unpacked.rglob("*.lock")) == [unpacked / "requirements.lock"]


def test_every_posterior_that_a_notebook_loads_is_in_the_zip_and_no_other(unpacked):
    code = "".join(path.read_text("utf-8") for path in (unpacked / "notebooks").glob("*.ipynb"))
    asked = set(re.findall(r'stored\.load\(\\"([^"\\]+)\\"\)', code))
    fits = unpacked / "fits"
    assert asked == {
        path.relative_to(fits).with_suffix("").as_posix() for path in fits.rglob("*.txt")
    }
    files = {file for name in asked for file in stored.list_files(name, fits).values()}
    assert files == {path.name for path in fits.rglob("*.zip")}
    assert len(asked) > 15


@pytest.mark.parametrize("folder", ["notebooks", "solutions"])
def test_every_link_leads_to_a_heading_that_is_there(unpacked, folder):
    links = {path: links_in(path) for path in (unpacked / folder).iterdir()}
    assert sum(map(len, links.values())) > 100
    assert {path.name: dead for path in links if (dead := dead_links(links[path], path))} == {}


def test_the_start_page_leads_to_every_chapter_and_names_those_without_a_switch(unpacked):
    words = words_of(unpacked / "notebooks" / "00_start_here.ipynb")
    listed = [(workshop.read_title(page), page.name) for page in CHAPTERS]
    assert re.findall(r"^- \[(.+)\]\((\w+\.ipynb)\)", words, re.MULTILINE) == listed
    own, *names = (stem.partition("_")[0] for stem in SAMPLER_ITSELF)
    assert f"Pages {' and '.join(names)} time and break the sampler itself" in words
    assert f"page {own}\nfits your own table" in words


def test_the_start_page_first_tells_of_the_next_five_minutes(unpacked):
    for page in ("START-HERE.md", "README.md", "notebooks/00_start_here.ipynb"):
        words = words_of(unpacked / page)
        assert re.findall(r"^##? (.+)$", words, re.MULTILINE)[:2] == [
            "Start here",
            "The next five minutes",
        ]
        first, second = words.split("\n## ")[1:3]
        assert len(re.findall(r"^\d\. ", first, re.MULTILINE)) in (3, 4), page
        assert len(first.split()) < 150, page
        assert second.startswith("The chapters\n" if page.endswith(".ipynb") else "Install\n")


def test_the_start_page_says_how_long_each_chapter_takes(unpacked):
    words = words_of(unpacked / "notebooks" / "00_start_here.ipynb")
    said = re.findall(
        r"\.ipynb\): (\d+) minutes to .*?, (\d+) for the exercises$", words, re.MULTILINE
    )
    stated = re.compile(r"\*\*Minutes:\*\* (\d+) .*?, (\d+) for the exercises")
    assert said == [stated.search(words_of(page)).groups() for page in CHAPTERS]
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    parts = re.findall(r"^\*\*(.+)\*\*$", words, re.MULTILINE)
    assert parts == [part["caption"] for part in toc["parts"]][: len(parts)]


def test_the_start_page_names_only_what_the_folder_has(unpacked):
    named = {name for name in re.findall("`([^`]+)`", workshop.START) if name.endswith("/")}
    named |= set(re.findall(r"[\w/]+\.(?:ipynb|md|lock|yml)\b", workshop.START))
    assert len(named) > 8
    assert [
        name
        for name in named
        if not (unpacked / name).exists() and not (unpacked / "notebooks" / name).exists()
    ] == []


def test_a_command_that_the_folder_has_not_is_said_to_be_the_repository_s(unpacked):
    """There is no Makefile in it."""
    pages = [*unpacked.rglob("*.md"), *unpacked.rglob("*.ipynb")]
    parts = [part for page in pages for part in re.split(r"\n(?=#)", words_and_code(page))]
    told = [part for part in parts if re.search(r"`make \w+", part)]
    assert len(told) > 5
    assert [part for part in told if "the book's repository" not in part.replace("\n", " ")] == []


def words_and_code(page: Path) -> str:
    if page.suffix == ".md":
        return page.read_text(encoding="utf-8")
    return "\n".join(cell.source for cell in read(page).cells)


def test_no_file_of_the_zip_names_this_machine(unpacked):
    places = {str(ROOT), str(Path.home()), sys.prefix}
    for path in (path for path in unpacked.rglob("*") if path.is_file()):
        assert not [place for place in places if place.encode() in path.read_bytes()], path


def test_the_zip_is_small_enough_and_too_large_a_one_is_refused(unpacked, tmp_path, monkeypatch):
    assert workshop.ARCHIVE.stat().st_size <= workshop.LIMIT <= 35e6
    monkeypatch.setattr(workshop, "write_archive", lambda file, *_: file.write_bytes(b"x" * 2000))
    with pytest.raises(SystemExit, match=r"has 0\.0 MB and may have .* Largest: "):
        workshop.pack(tmp_path / "large.zip", unpacked, 1000)


# What the teacher reads


def test_the_guide_has_a_whole_section_for_every_chapter():
    text = (ROOT / "notebooks" / "t1_instructor_guide.md").read_text(encoding="utf-8")
    sections = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    assert len(sections) == len(CHAPTERS)
    for page, section in zip(CHAPTERS, sections, strict=True):
        title = workshop.read_title(page)
        assert section.startswith(title) and f"[{title}]({page.name})" in section, title
        for part in (r"The one idea\.", r"Where people stumble\.", "If you are late, skip", "show"):
            assert re.search(rf"\*\*[^*]*{part}\*\*", section), (title, part)
        asked = section.partition("**Predict, then run.**")[2]
        assert len(re.findall(r"^(?:\d\.|-) ", asked, re.MULTILINE)) >= 2, title


def test_the_guide_names_exercises_by_the_titles_that_they_have():
    text = (ROOT / "notebooks" / "t1_instructor_guide.md").read_text(encoding="utf-8")
    sections = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    named = 0
    for page, section in zip(CHAPTERS, sections, strict=True):
        asked = "\n".join(cell.source for cell in tagged(read(page), "exercise"))
        for title in re.findall(r'exercise\s+"([^"]+)"', section):
            assert re.search(rf"^### Exercise \S+: {re.escape(title)} \(", asked, re.MULTILINE), (
                title
            )
            named += 1
    assert named >= 3


def test_an_exercise_of_each_part_is_done_on_other_data():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    for part in toc["parts"]:
        pages = [
            page for page in CHAPTERS if {"file": f"notebooks/{page.stem}"} in part["chapters"]
        ]
        asked = [cell.source for page in pages for cell in tagged(read(page), "exercise")]
        other = r"grunfeld|sleep study|tables/\w+\.csv"
        assert not pages or any(re.search(other, text) for text in asked), part["caption"]
