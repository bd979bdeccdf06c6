"""What the page makes of plain Markdown: boxes, exercises, folded solutions, links, code and outputs."""

import io
import re

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from sphinx.application import Sphinx
from sphinx.errors import SphinxWarning
from sphinx.util.docutils import docutils_namespace

from typography import LONG, keep_together, lift_names, mark_long, mark_words

CONF = """
extensions = ["myst_nb", "boxes_and_fine_points"]
nb_execution_mode, nb_render_markdown_format, myst_heading_anchors = "off", "myst", 4
myst_enable_extensions, root_doc = ["dollarmath"], "02_chapter"
exclude_patterns = ["jupyter_execute"]
"""
EXTENSION = """
from boxes import BoxQuotes, BoxSections, TidyCode
from captions import CaptionFigures
from typography import KeepTogether

def setup(app):
    for transform in (BoxQuotes, BoxSections, TidyCode, CaptionFigures):
        app.add_transform(transform)
    app.add_post_transform(KeepTogether)
"""
TABLE = (
    '<table border="1" class="dataframe"><tr><th>a</th></tr><tr><td>{}</td><td>{}</td></tr></table>'
)

# A picture of one pixel.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
MINUS = "\N{MINUS SIGN}"
LINK = "[a term](glossary.md#partial-pooling)"


def show(**data):
    return [new_output("display_data", {key.replace("_", "/"): text for key, text in data.items()})]


def draw(text, pictures):
    """A cell that drew, with the text in the place of its pictures."""
    outputs = pictures * show(image_png=PNG)
    return new_code_cell("draw()", metadata={"mystnb": {"image": {"alt": text}}}, outputs=outputs)


def chapter():
    """One chapter with each thing that the page treats in its own way."""
    exercise = {"id": "slope-unit", "metadata": {"tags": ["exercise"]}}
    text = [
        new_markdown_cell(
            "# 2. A chapter\n\n> **In this chapter**\n>\n> **Questions**\n> - Why?\n\n"
            "> **Warning**\n>\n> Mind $x$.\n\n> **A box** of words\n\n> **Own title**\n>\n> Words.\n\n"
            "Since 2020-11, 5-10 of `x[-8]` and <https://a.org/b-6>.\n\n"
            f"See {LINK} and [the box](#key-points), [the figure](#fig-2-2)."
        ),
        new_code_cell(
            "# @title A sentence\nsay()",
            metadata={"tags": ["hide-input"]},
            outputs=show(text_markdown=f"> **Note**\n>\n> {LINK}: 95 %."),
        ),
        new_code_cell("t", outputs=show(text_html=TABLE.format("yes", "no"))),
        new_code_cell("t", outputs=show(text_html=TABLE.format("-1.5", "-2 to -1"))),
        new_code_cell(
            "say()",
            outputs=show(
                text_markdown="It is -1.25 s (-3 to -0.5), **-4**, $x$-7.\n\n|a|\n|-|\n|-9|"
            ),
        ),
        draw("First R-hat, then ESS. Both say $yes$.", 2),
        new_code_cell("p", outputs=[new_output("stream", name="stdout", text="slope   -4.02\n")]),
        new_code_cell("p", outputs=[new_output("stream", name="stdout", text="One sentence.\n")]),
        new_markdown_cell(
            "## Exercises\n\n### Exercise 2.1: The unit of `slope` (5 minutes)\n\nGuess.\n\n"
            "<details><summary>Hint</summary>\n\nThe *hint*.\n\n</details>",
            **exercise,
        ),
        new_code_cell("slope = ...", metadata={"tags": ["self-check", "remove-cell"]}),
        new_markdown_cell("#### Solution"),
        draw("Dots near 0.5 and a line. It rises. It ends.", 1),
        new_code_cell("# @title Solution\nslope = 1"),
        new_markdown_cell("Right."),
        new_markdown_cell("## Key points\n\n- One.\n\nThe [next](glossary.md) chapter."),
    ]
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    return nbformat.v4.new_notebook(cells=text, metadata=kernel)


def render(folder, notebook) -> BeautifulSoup:
    """The page of a notebook in a book of its own, where a warning is an error."""
    (folder / "conf.py").write_text(CONF, encoding="utf-8")
    (folder / "boxes_and_fine_points.py").write_text(EXTENSION, encoding="utf-8")
    (folder / "glossary.md").write_text("---\norphan: true\n---\n# Words\n## Partial pooling\n")
    nbformat.write(notebook, folder / "02_chapter.ipynb")
    with docutils_namespace(), pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        out = folder / "out"
        strict = {"warningiserror": True, "confoverrides": {"nitpicky": True}}
        quiet = {"status": None, "warning": io.StringIO()}
        Sphinx(folder, folder, out, out, "html", **strict, **quiet).build()
    return BeautifulSoup((out / "02_chapter.html").read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> BeautifulSoup:
    return render(tmp_path_factory.mktemp("book"), chapter())


def box(page: BeautifulSoup, title: str) -> BeautifulSoup:
    """The one box with this title."""
    titles = page.select("p.admonition-title")
    (found,) = [p for p in titles if p.text.replace("\u00a0", " ") == title]
    return found.parent


def test_a_block_quote_with_a_bold_first_line_is_a_box_and_other_quotes_stay(page):
    """In the text as in what a cell displays; a title of one's own makes a plain box."""
    for title, look in (("In this chapter", "tip"), ("Warning", "warning"), ("Note", "note")):
        assert look in box(page, title)["class"]
    assert box(page, "Own title")["class"] == ["admonition"]
    (quote,) = page.find_all("blockquote")
    assert quote.text.strip() == "A box of words"


def test_key_points_are_a_box_and_what_follows_stands_outside(page):
    points = box(page, "Key points")
    assert "important" in points["class"] and points["id"] == "key-points"
    assert [item.text for item in points.find_all("li")] == ["One."]
    assert "next" not in points.text and "The next chapter." in page.text


def test_an_exercise_is_a_box_with_its_number_and_minutes_and_keeps_its_addresses(page):
    exercise = box(page, "Exercise 2.1: The unit of slope (5 minutes)")
    assert "exercise" in exercise["class"] and "Guess." in exercise.text
    assert exercise.select_one("details > summary").text == "Hint"
    assert exercise.select_one("details em").text == "hint"
    assert exercise["id"] == "slope-unit"
    assert exercise.find(id="exercise-2-1-the-unit-of-slope-5-minutes")
    assert [heading.name for heading in page.section.find_all(re.compile("^h[2-6]"))] == ["h2"]


def test_a_solution_is_folded_after_its_exercise_and_holds_its_cells(page):
    solution = box(page, "Solution to Exercise 2.1: The unit of slope")
    assert {"solution", "dropdown"} <= set(solution["class"])
    assert solution.find("p").find("a")["href"] == "#slope-unit"
    assert "slope = 1" in solution.text and "Right." in solution.text
    assert "exercise" in solution.find_previous_sibling()["class"]


def test_figures_have_numbers_and_captions_that_repeat_nothing(page):
    """In the order of the page, in solutions too; pictures of one cell share a caption."""
    first, second = page.find_all("figure")
    assert first.text.strip().startswith("Figure 2.1. First R-hat, then ESS.")
    assert second.text.strip().startswith("Figure 2.2. Dots near 0.5 and a line.")
    assert [image["alt"] for image in page.find_all("img")] == 2 * ["Both say $yes$."] + [
        "It rises. It ends."
    ]
    assert len(first.find_all("img")) == len(second.find_all("img")) == 1
    assert second.find_parent(class_="solution")


def test_a_figure_can_be_linked_to(page):
    assert [figure["id"] for figure in page.find_all("figure")] == ["fig-2-1", "fig-2-2"]
    (link,) = page.find_all("a", string="the figure")
    assert link["href"] == "#fig-2-2"


def test_links_lead_to_headings_of_other_pages_from_text_and_outputs(page):
    links = [link["href"] for link in page.find_all("a", class_="reference")]
    assert links.count("glossary.html#partial-pooling") == 2 and "#key-points" in links


def test_an_exercise_without_a_cell_of_its_own_and_a_dead_link_stop_the_build(tmp_path):
    notebook = chapter()
    notebook.cells.append(new_markdown_cell("[gone](glossary.md#gone)"))
    with pytest.raises(SphinxWarning, match="gone"):
        render(tmp_path, notebook)
    notebook.cells[8].metadata["tags"] = []
    with pytest.raises(ValueError, match="zip"):
        render(tmp_path, notebook)


def test_code_gives_its_title_to_the_fold_and_only_what_stands_in_columns_keeps_them(page):
    assert "@title" not in page.text
    shut, opened = page.select("details.above-input > summary > p")
    assert (shut.text, opened.text) == ("Code: A sentence", "Code: A sentence")
    assert page.select_one(".cell_input pre").text.strip() == "say()"
    columns, sentence = page.select(".output.stream")
    assert "columns" in columns["class"] and "columns" not in sentence["class"]


def test_tables_of_words_are_told_from_numbers_and_a_number_keeps_its_unit(page):
    assert page.find("table", class_="words")
    assert mark_words(TABLE.format("1.5", "Kent")) == TABLE.format("1.5", "Kent")
    assert "95\u00a0%" in page.text
    assert keep_together("93 s² of 10 sides") == "93\u00a0s² of 10 sides"
    assert keep_together("13 s, P(slope < 0)") == "13\u00a0s, P(slope\u00a0<\u00a00)"


def test_names_of_rows_stand_beside_the_labels_of_columns():
    """Also below two lines of labels; not where a name of the columns, or only some of the rows', is in the way."""
    pair = pd.MultiIndex.from_product(
        [["pooled"], ["slope", "sigma"]], names=["model", "parameter"]
    )
    table = pd.DataFrame({("PyMC", "mean"): [1, 2], ("PyMC", "sd"): [3, 4]}, index=pair)
    head = BeautifulSoup(lift_names(table.to_html()), "html.parser").thead
    assert len(head.find_all("tr")) == 2
    last = [cell.text for cell in head.find_all("tr")[-1].find_all("th")]
    assert last == ["model", "parameter", "mean", "sd"]
    for other in (table.rename_axis(["model", None]), table.rename_axis([None, None])):
        assert lift_names(other.to_html()) == other.to_html()
    named = table["PyMC"].rename_axis(columns="statistic").droplevel(0)
    assert lift_names(named.to_html()) == named.to_html()


def test_long_cells_are_marked_and_a_single_letter_keeps_its_word(page):
    long = "a" * (LONG + 1)
    assert f'<td class="long">{long}' in mark_long(f"<td>{long}</td><td>short</td>")
    assert mark_long("<td>short</td>") == "<td>short</td>"
    assert page.figcaption.find(class_="together").text == "R-hat"


def test_a_hyphen_before_a_number_is_a_minus_sign_in_sentences_and_tables_only(page):
    cells = [cell.text.strip() for cell in page.find_all("td")]
    assert {"~1.5", "~2 to ~1", "~9"} <= {cell.replace(MINUS, "~") for cell in cells}
    assert "It is ~1.25\u00a0s (~3 to ~0.5), ~4, " in page.text.replace(MINUS, "~")
    (printed,) = page.select(".columns pre")
    assert "-4.02" in printed.text
    for kept in ("Since 2020-11, 5-10 of x[-8]", "https://a.org/b-6", "-7."):
        assert kept in page.text
    assert page.find("a", href="https://a.org/b-6")


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("from -10 to -5, or in [-1, 2)", "from ~10 to ~5, or in [~1, 2)"),
        ("<td>-.5</td><th rowspan='2'>-1</th>", "<td>~.5</td><th rowspan='2'>~1</th>"),
        ("10^(-3)", "10^(~3)"),
        *((kept, kept) for kept in ("1e-05", "2020-11-02", "5-10", "--5", "scipy-1.2", "x[-1]")),
        *((kept, kept) for kept in ("10.1000/x-5", "a - 5", "- item", "-5")),
    ],
)
def test_what_is_a_minus_sign_and_what_is_not(written, printed):
    """At its very start a text that a caller cut out may continue what stood before."""
    assert keep_together(written).replace(MINUS, "~") == printed
