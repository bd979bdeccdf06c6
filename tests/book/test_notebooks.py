"""What you clone is what you read: the file of a chapter reads like its page in any front end."""

import re
from difflib import unified_diff
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from bs4 import BeautifulSoup

from address import COLAB, read_address
from chapters import ROOT, list_chapters, list_pages, read_title
from helpers.exercises import answers
from source_text import MARKDOWN, cells_of, dead_links, links_in, tags_of, without_code, words_of

PAGES, CHAPTERS = list_pages(), list_chapters()
each_page = pytest.mark.parametrize("page", PAGES, ids=[path.stem for path in PAGES])
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=[path.stem for path in CHAPTERS])
# What no front end but the book's own build understands.
MYST = re.compile(
    r"^[>\s]*(?:`{3,}|~{3,})\{.*|^:{3,}.*|(?<!`)\{[a-z][\w:+.-]*\}`.*?`|^\([\w-]+\)=$|\{\{.*?\}\}",
    re.MULTILINE,
)
NUMBERED = re.compile(r"([art]?)(\d+)_")  # names of chapters' files, and of the teacher's pages
# These two pages hold what there is at build time only: cells that run, and how the build went.
BUILT = {
    "index.md": [
        *("{code-cell}", "{grid}", *3 * ["{grid-item-card}"]),
        *(*3 * ["{code-cell}"], "{chapter-map}"),
    ],
    "about.md": ["{build-info}", "{nb-exec-table}"],
}


# Standard Markdown and nothing else


@each_page
def test_a_page_holds_no_directive_role_or_label(page):
    found = MYST.findall(words_of(page))
    assert re.findall(r"\{[\w-]+\}", "".join(found)) == BUILT.get(page.name, [])
    assert page.name in BUILT or found == []


def test_a_directive_role_or_label_would_be_seen():
    directives = ("```{warning}\nMind.\n```", ":::{note}\n:::", "> ```{tip}")
    for words in (*directives, "(exploring)=", "See {ref}`exploring`.", "{cite:p}`x`"):
        assert MYST.search(f"Words.\n\n{words}\n\nMore."), words
    plain = "`{name}` and `x`, $\\text{Normal}$, a dict {1: 2} and\n\n```python\nx = {}\n```"
    assert not MYST.search(plain)


@each_page
def test_a_title_begins_with_the_number_of_its_file_if_it_has_one(page):
    part, number = NUMBERED.match(page.stem).groups() if NUMBERED.match(page.stem) else ("", 0)
    begins = rf"{part.upper()}{int(number)}\. [A-Z]" if number else "[A-Z][a-z]"
    assert re.match(rf"# {begins}", words_of(page).lstrip())


@each_chapter
def test_a_heading_stands_at_the_beginning_of_its_cell(chapter):
    """One cell never ends one thing and begins another."""
    for cell in cells_of(chapter):
        if cell.cell_type == "markdown":
            assert not re.search(r"\n#{1,6} ", without_code(cell.source)), cell.id


# Links


@each_page
def test_every_link_leads_to_a_file_and_a_heading_in_it(page):
    links = links_in(page)
    assert dead_links(links, page) == []
    assert page.suffix == ".md" or links


def test_a_dead_link_would_be_seen():
    good = ["glossary.md#partial-pooling", "https://example.org", "#exercises"]
    bad = ["gone.md", "glossary.md#gone", "#gone", "exploring"]
    assert dead_links(good + bad, CHAPTERS[1]) == bad


TITLED = re.compile(r"([ART]?\d+)\. (.+)")


@each_page
def test_a_link_that_names_a_chapter_says_its_number(page):
    text = "\n".join(cell.source for cell in cells_of(page))
    for words, target in re.findall(r"\[([^\]]+)\]\((\w+\.\w+)", text):
        if title := TITLED.match(read_title(page.with_name(target))):
            said = re.match(r"(?:(?:chapter|appendix) )?([ART]?\d+)(?:\. |$)", words, re.IGNORECASE)
            assert said is None or said[1] == title[1], words
            assert " ".join(words.split()) != title[2], words


BIBLIOGRAPHY = ROOT / "notebooks" / "bibliography.md"


def test_each_entry_of_the_bibliography_is_cited_and_in_its_order():
    text = BIBLIOGRAPHY.read_text(encoding="utf-8").partition("## References")[2]
    entries = re.findall(r"^### (.+)$", text, re.MULTILINE)
    names = [re.sub(r"[^\w -]", "", entry.lower()).replace(" ", "-") for entry in entries]
    cited = {unquote(link).partition("bibliography.md#")[2] for p in PAGES for link in links_in(p)}
    assert sorted(set(names) - cited) == [] and len(names) > 40
    assert entries == sorted(entries, key=str.casefold)


def test_a_doi_leads_where_it_says():
    text = BIBLIOGRAPHY.read_text(encoding="utf-8")
    said = re.findall(r"\[doi:(10\.\S+?)\]\(https://doi\.org/(\S+?)\)\.$", text, re.MULTILINE)
    assert all(one == other for one, other in said)
    assert len(said) == text.count("doi:") == len(set(said)) > 35


# Exercises and their solutions


def exercises_of(chapter: Path) -> list[list[nbformat.NotebookNode]]:
    """The cells of each exercise: question, the reader's place, heading of the solution, solution."""
    cells = cells_of(chapter)
    asked = [place for place, cell in enumerate(cells) if "exercise" in tags_of(cell)]
    assert cells[asked[0] - 1].source == "## Exercises"
    assert cells[-1].source.startswith("## Key points\n")
    return [cells[start:end] for start, end in pairwise([*asked, len(cells) - 1])]


@each_chapter
def test_an_exercise_has_its_number_and_folds_its_hint(chapter):
    number = chapter.stem.split("_")[0].lstrip("0").upper()
    for count, (question, *_) in enumerate(exercises_of(chapter), start=1):
        assert question.source.startswith(f"### Exercise {number}.{count}: ")
        (hint,) = re.split(r"\n\n(?=<details)", question.source)[1:]
        pattern = r"<details><summary>Hint</summary>\n\n.*\n\n</details>"
        assert re.fullmatch(pattern, hint, re.DOTALL)


@each_chapter
def test_a_hint_stands_once_and_a_deck_and_the_guide_do_not_give_it_away(chapter):
    places = [cell.source for cell in cells_of(chapter)]
    places += [(ROOT / "slides" / f"{chapter.stem}.md").read_text(encoding="utf-8")]
    places += [(ROOT / "notebooks" / "t1_instructor_guide.md").read_text(encoding="utf-8")]
    words = [" ".join(place.split()) for place in places]
    for question, *_ in exercises_of(chapter):
        hint = " ".join(
            question.source.partition("</summary>")[2].partition("</details>")[0].split()
        )
        for sentence in (part for part in re.split(r"(?<=[.?:;]) ", hint) if len(part.split()) > 4):
            assert sum(place.count(sentence) for place in words) == 1, sentence


@each_chapter
def test_an_exercise_says_its_minutes_in_its_title_and_nowhere_else(chapter):
    for question, *others in exercises_of(chapter):
        title, _, rest = question.source.partition("\n")
        assert len(re.findall(r"\d+ minutes?", title)) == 1 and title.endswith("minutes)")
        words = [rest, *(cell.source for cell in others if cell.cell_type == "markdown")]
        assert not re.search(r"\d+ minutes?", "\n".join(words)), title


@each_chapter
def test_the_reader_has_a_place_for_each_name_that_the_check_reads(chapter):
    for question, own, *_ in exercises_of(chapter):
        assert (own.id, tags_of(own) - {"self-check"}) == (f"{question.id}-open", {"remove-cell"})
        if question.id in answers.ANSWERS:
            names, check = re.fullmatch(r"#.*\n((?:\w+ = \.\.\.\n)+)(.*)", own.source).groups()
            read = set(re.findall(r"\w+", check.partition(",")[2]))
            assert read == set(re.findall(r"\w+", names))
            assert check.startswith(f'print(answers.check("{question.id}", ')


@each_chapter
def test_a_solution_is_cells_of_its_own_under_a_heading_that_is_collapsed(chapter):
    """From there to the next exercise, and nowhere else."""
    solved = []
    for question, _, heading, *solution in exercises_of(chapter):
        assert (heading.id, heading.source) == (f"{question.id}-solution", "#### Solution")
        assert heading.metadata["jp-MarkdownHeadingCollapsed"] and solution
        solved += [heading, *solution]
    assert solved == [cell for cell in cells_of(chapter) if "solution" in tags_of(cell)]


FOLDED = {"remove-input", "hide-input", "solution"}
TAGS = FOLDED | {"parameters", "colab", "remove-cell", "hide-output"}
TAGS |= {"exercise", "self-check", "noisy", "fit", "report"}


@each_chapter
def test_tags_are_read_and_what_the_page_folds_is_folded_in_jupyterlab_and_colab(chapter):
    for cell in cells_of(chapter):
        assert tags_of(cell) <= TAGS and "slideshow" not in cell.metadata, cell.id
        folds = cell.cell_type == "code" and bool(FOLDED & tags_of(cell))
        hides = folds or "colab" in tags_of(cell)
        assert cell.metadata.get("jupyter", {}).get("source_hidden", False) == hides, cell.id
        assert (cell.metadata.get("cellView") == "form") == folds, cell.id
        assert cell.source.startswith("# @title ") == folds, cell.id


def test_the_first_code_of_every_chapter_installs_the_lock_in_colab_if_the_book_has_an_address():
    address = read_address()
    first = [next(c for c in cells_of(page) if c.cell_type == "code") for page in CHAPTERS]
    wanted = {COLAB.format(address)} if address.is_set else set()
    assert {cell.source for cell in first if "colab" in tags_of(cell)} == wanted
    assert all((tags_of(cell) == {"colab", "remove-cell"}) == address.is_set for cell in first)
    assert not [c.id for page in CHAPTERS for c in cells_of(page)[3:] if "colab" in tags_of(c)]


# The page says what the file says


@each_chapter
def test_notebook_and_page_say_the_same(chapter, html):
    page = html / "notebooks" / f"{chapter.stem}.html"
    ours = only_words(BeautifulSoup(MARKDOWN.render(words_of(chapter)), "html.parser"))
    theirs = said_by_page(page.read_text(encoding="utf-8"))
    assert [*unified_diff(ours, theirs, "file", "page", lineterm="", n=2)] == []


def said_by_page(text: str) -> list[str]:
    """Words of the article, without cells and what the theme adds."""
    article = BeautifulSoup(text, "html.parser").find("article")
    for added in article.select(".cell, .headerlink, .toctree-wrapper, .prev-next-area"):
        added.decompose()
    for title in article.select(".solution > .admonition-title"):
        title.string = "Solution"  # the page adds to which exercise
    return only_words(article)


def only_words(soup: BeautifulSoup) -> list[str]:
    """Words one by one, without formulas and typography."""
    for formula in soup.select(".math, eq, eqn"):
        formula.decompose()
    return re.findall(r"[^\W_]+", soup.text)
