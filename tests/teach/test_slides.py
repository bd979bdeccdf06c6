"""Decks say what their chapter said: each slide has a title and notes, and what it shows is there."""

import re

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

import slides
from chapters import list_chapters, read_title
from executed import require

NAMES = [page.stem for page in list_chapters()]
COURSE = yaml.safe_load((slides.ROOT / "_config.yml").read_text(encoding="utf-8"))["title"]
new = nbformat.v4
each_deck = pytest.mark.parametrize("name", NAMES)


def read_slides(name: str) -> list[str]:
    text = (slides.SOURCES / f"{name}.md").read_text(encoding="utf-8")
    return [slide.strip() for slide in re.split(r"^---?$", text, flags=re.MULTILINE)]


def read_deck(name: str) -> BeautifulSoup:
    deck = slides.SLIDES / name
    require(deck.exists(), "there are no slides yet: run `make slides` first")
    return BeautifulSoup(deck.read_text(encoding="utf-8"), "html.parser")


def test_every_chapter_has_a_deck_and_every_deck_a_chapter():
    assert sorted(path.stem for path in slides.SOURCES.iterdir()) == sorted(NAMES)


@each_deck
def test_every_slide_has_a_title_and_notes(name):
    for slide in read_slides(name):
        shown, _, notes = slide.partition("\nNote:\n")
        assert re.fullmatch(r"## \S.*", shown.splitlines()[0]), slide
        assert len(re.findall("^## ", shown, re.MULTILINE)) == 1, slide
        assert len(notes.strip()) >= 20, slide


@each_deck
def test_code_on_a_slide_is_a_model_or_a_call_of_the_sampler(name):
    chapter = nbformat.read(slides.ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    source = {cell.id: cell.source for cell in chapter.cells}
    shown = re.findall(r"^\{code.*: ([\w-]+)", "\n".join(read_slides(name)), re.MULTILINE)
    assert all(re.search(r"pm\.(Model|sample)|bmb\.Model", source[cell]) for cell in shown)


@each_deck
def test_an_exercise_on_a_slide_has_the_page_s_title_and_minutes_and_its_notes_do_not_repeat_them(
    name,
):
    chapter = nbformat.read(slides.ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    asked = "\n".join(cell.source for cell in chapter.cells)
    on_page = re.findall(r"^### (Exercise .+ \(\d+ minutes?\))$", asked, re.MULTILINE)
    for slide in read_slides(name):
        shown, _, notes = slide.partition("\nNote:\n")
        title = shown.partition("\n")[0].removeprefix("## ")
        if title.startswith("Exercise"):
            assert title in on_page
            minutes = re.search(r"\((\d+) minutes?\)", title)[1]
            numbers = [
                "",
                "one",
                "two",
                "three",
                "four",
                "five",
                "six",
                "seven",
                "eight",
                "nine",
                "ten",
            ]
            assert f"{numbers[int(minutes)]} minutes" not in notes.lower(), title


# What `make slides` made


def label_of(name: str) -> str:
    """What stands on each slide of a deck: number and name of the chapter, and the course."""
    return f"{read_title(slides.ROOT / 'notebooks' / f'{name}.ipynb')} · {COURSE}"


@each_deck
def test_a_deck_needs_no_other_host_and_says_whose_it_is(name):
    deck = read_deck(f"{name}.html")
    asked = [tag.get("src") or tag.get("href", "") for tag in deck.select("[src], link[href]")]
    assert asked and not [address for address in asked if "//" in address[:8]]
    assert f'"{label_of(name)}"' in str(deck.head)
    assert not deck.select(".slides a[href]")  # no page lies beside it
    assert "# @title" not in deck.text


def test_no_style_asks_another_host():
    read_deck("index.html")
    for sheet in slides.SLIDES.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_the_contents_lead_to_every_deck():
    links = read_deck("index.html").select("li a")
    assert [link["href"] for link in links] == [f"{name}.html" for name in NAMES]
    assert [link.text for link in links] == [read_title(page) for page in list_chapters()]


# How a deck is read


def make_chapter() -> nbformat.NotebookNode:
    opening = (
        "# 1. Title\n\n> **In this chapter**\n>\n> **Questions**\n> - What?\n>\n"
        "> **Objectives**\n> - That.\n>\n> **Minutes:** 5"
    )
    drawn = new.new_output("display_data", {"image/png": "", "text/plain": "<Figure>"})
    told = new.new_output("display_data", {"text/markdown": "100 % ([A, 1999](b.md#a)), $100 %$."})
    cells = [
        new.new_markdown_cell(opening, id="opening"),
        new.new_code_cell("# @title Figure\ndraw()", id="figure", outputs=[drawn]),
        new.new_code_cell("tell()", id="sentence", outputs=[told]),
        new.new_code_cell("x = 1", id="silent"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3"}
    return new.new_notebook(cells=cells, metadata={"kernelspec": kernel})


@pytest.fixture
def compose(tmp_path):
    """Function that reads a deck of the small chapter."""

    def read(text: str) -> nbformat.NotebookNode:
        (tmp_path / "01_small.md").write_text(text, encoding="utf-8")
        return slides.compose(tmp_path / "01_small.md", make_chapter())

    return read


def test_a_deck_is_the_title_and_what_its_source_says(compose):
    deck = compose(
        '## One\n\nSee [this](a.ipynb#b), 5 s: `x["a"]`\'s "own".\n\n{code: figure}\n\n{output: sentence, fragment}\n\n'
        "Note:\n\nSay this.\n\n--\n\n## Two\n\n{output: figure}\n"
    )
    kinds = [cell.metadata.slideshow.slide_type for cell in deck.cells]
    assert kinds == ["slide", "notes", "slide", "-", "fragment", "notes", "subslide", "-"]
    title, objectives, words, code, sentence, notes, _, figure = deck.cells
    assert title.source == "# 1. Title\n\n- What?"
    assert objectives.source == "**Objectives**\n- That.\n\n**Minutes:** 5"
    assert words.source.strip() == '## One\n\nSee this, 5\u00a0s: `x["a"]`\u2019s \u201cown\u201d.'
    assert notes.source.strip() == "Say this."
    assert (code.source, code.outputs) == ("draw()", [])
    assert sentence.outputs[0].data["text/markdown"] == "100\u00a0% (A, 1999), $100 %$."
    assert [cell.metadata.transient.remove_source for cell in (code, figure)] == [False, True]
    assert (deck.metadata.title, deck.metadata.course) == ("1. Title", COURSE)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{output: gone}", "the chapter has no code cell 'gone'"),
        ("{code: opening}", "the chapter has no code cell 'opening'"),
        ("{output: silent}", "the cell 'silent' shows nothing"),
        ("{figure: figure}", r"'\{figure: figure\}' is none of"),
    ],
)
def test_a_line_that_pulls_what_is_not_there_stops_the_build_by_its_number(compose, line, said):
    with pytest.raises(SystemExit, match=rf"01_small\.md, line 3: {said}"):
        compose(f"## One\n\n{line}\n")
