"""From a table and a formula to two files: what is refused before, what is said after."""

import json
import os
import re
import subprocess
import sys

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from chapters import ROOT
from helpers import report
from helpers.diagnostics import FitRejected
from helpers.report import formulas, page, request, running
from report_page import make_request, write_page

FORMULA = "y ~ x + (x | g)"
RANGE = ["--range", "0", "9.5", "--unit", "s"]
ROWS = "y,x,g,h\n1,2,a,1\n2,3,a,2\n3,5,b,1\n4,7,b,2\n"
ELSEWHERE = re.compile(r"""(?:src|href)\s*=\s*["']?+(?!data:|#)|url\(|@import|\bfetch\(""")
BREAK = {
    "raise ValueError('Column x is bad in row 3.')": (2, "'The .* step': Column x is bad in row 3"),
    "1 / 0": (3, r"in cell \[\d+\], with ZeroDivisionError: division by zero"),
    "import os; os._exit(1)": (3, "with DeadKernelError: .*memory"),
}


# What is asked


def test_the_command_line_becomes_parameters_of_the_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    further = "--per 10 --reach x -1 2.5 --reach h 0 1 --gain 2 --cost 5 --drop-missing --seed 7"
    further += " --decimal , --missing -999"
    asked = request.read_arguments(["a b.csv", FORMULA, *RANGE, *further.split()])
    assert asked.parameters() == {
        "source": str(tmp_path / "a b.csv"),
        "formula": FORMULA,
        "unit": "s",
        "low": 0,
        "high": 9.5,
        "per": 10,
        "reach": {"x": [-1, 2.5], "h": [0, 1]},
        "gain": 2,
        "cost": 5,
        "drop_missing": True,
        "how": {"decimal": ",", "missing": ["-999"]},
        "seed": 7,
    }
    assert asked.html == tmp_path / "a b-report.html"
    assert asked.markdown == tmp_path / "a b-report.md"
    assert "'a b.csv'" in asked.command


@pytest.mark.parametrize(
    ("source", "out", "named"),
    [
        ("t.csv", "sub", "sub/t-report.html"),
        ("t.csv", "sub/mine.html", "sub/mine.html"),
        ("https://example.org/a%20b.csv?x=1", "", "a b-report.html"),
    ],
)
def test_the_report_is_named_after_the_table_or_as_asked(tmp_path, monkeypatch, source, out, named):
    monkeypatch.chdir(tmp_path)
    asked = request.read_arguments([source, FORMULA, *RANGE, "--out", out])
    assert asked.html == tmp_path / named
    if "://" in source:
        assert asked.source == source


@pytest.mark.parametrize(
    ("source", "words", "sentence"),
    [
        ("", ["", *RANGE], "Name a table and a formula, as in: python"),
        ("none.csv", [FORMULA, *RANGE], "There is no file .*none.csv"),
        ("t.csv", [FORMULA], "Say with --range what a single outcome"),
        ("t.csv", [FORMULA, *RANGE[:3]], "Say with --unit the outcome's unit"),
        (
            "t.csv",
            [FORMULA, "--range", "9", "0", "--unit", "s"],
            "--range is 9 to 0, but takes two numbers",
        ),
        ("t.csv", [FORMULA, "--range", "0", "inf", "--unit", "s"], "--range is 0 to inf"),
        ("t.csv", ["y ~ x +", *RANGE], "The formula 'y ~ x [+]' cannot be read"),
        ("t.csv", ["y ~ z + (1 | g)", *RANGE], "no column 'z'"),
        (
            "t.csv",
            ["y ~ x + (x | g) + (x | h)", *RANGE],
            "one may have slopes of one column; .* 2 slopes by group",
        ),
        ("t.csv", [FORMULA, *RANGE, "--family", "t"], "Unknown family 't'"),
        ("t.csv", [FORMULA, *RANGE[:3], "--family", "t"], "Unknown family 't'"),
        ("t.csv", [FORMULA, "--family", "binomial"], "one row a trial, .*choose 'bernoulli'"),
        (
            "t.csv",
            [FORMULA, "--range", "0", "9", "--family", "bernoulli"],
            "0 \\(no\\) and 1 \\(yes\\)",
        ),
        ("t.csv", [FORMULA, *RANGE, "--gain", "2"], "give --gain and --cost, or neither"),
        ("t.csv", [FORMULA, *RANGE, "--draws", "0"], "--draws is 0, but must be above 0"),
        (
            "t.csv",
            [FORMULA, *RANGE, "--reach", "z", "0", "1"],
            "--reach names 'z', .*it has g, x, y",
        ),
        ("t.csv", [FORMULA, *RANGE, "--reach", "x", "a", "1"], "'a' and '1' are not both numbers"),
        ("t.csv", [FORMULA, *RANGE, "--reach", "x", "2", "1"], "--reach x is 2 to 1"),
        ("t.csv", [FORMULA, *RANGE, "--out", "t.csv"], "cannot be written to .*--out"),
    ],
)
def test_what_cannot_become_a_report_is_refused_in_a_sentence(
    tmp_path, monkeypatch, capsys, source, words, sentence
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(ROWS, encoding="utf-8")
    monkeypatch.setattr(running, "find_chapter", lambda: write_page(tmp_path))
    assert report.main([source, *words]) == 2
    said = capsys.readouterr()
    assert re.search(sentence, said.err) and said.err.count("\n") == 1
    assert said.out == "" and not list(tmp_path.glob("*report*"))


def test_a_missing_value_is_refused_until_it_may_be_left_out(tmp_path):
    (tmp_path / "t.csv").write_text(ROWS + "5,,b,2\n", encoding="utf-8")
    words = [str(tmp_path / "t.csv"), FORMULA, *RANGE]
    with pytest.raises(ValueError, match="'x'"):
        request.check(request.read_arguments(words))
    request.check(request.read_arguments([*words, "--drop-missing"]))


def test_where_the_page_is_missing_a_sentence_says_where_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(running, "PLACES", (tmp_path,))
    with pytest.raises(FileNotFoundError, match=r"18_your_own_table.* get the book's folder"):
        running.find_chapter()
    write_page(tmp_path)
    assert running.find_chapter().parent == tmp_path


def test_the_chapter_takes_every_setting_and_displays_a_report():
    """Each name of its parameters is an assignment of a line, as papermill wants it."""
    every = "--per 10 --reach x 0 1 --gain 2 --cost 5 --drop-missing --draws 9 --tune 9 --chains 2 --seed 7"
    every += " --decimal . --family gamma"
    asked = request.read_arguments(["t.csv", FORMULA, *RANGE, *every.split()])
    chapter = nbformat.read(running.find_chapter(), as_version=4)
    cells = {tag: cell for cell in chapter.cells for tag in running.read_tags(cell)}
    names = re.findall(r"^(\w+) = ", cells["parameters"].source, re.MULTILINE)
    assert set(asked.parameters()) == set(names)
    assert cells["report"].cell_type == "code"
    steps = list(dict.fromkeys(running.name_steps(running.leave_out_teaching(chapter)).values()))
    assert len(steps) > 8 and steps[-1] == "The report"


# What comes of it


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The two files of a run from a folder that is not the page's, with the code shown."""
    folder = tmp_path_factory.mktemp("of a run")
    asked = make_request(folder, settings={"per": 10}, with_code=True)
    assert report.write_report(asked, write_page(folder)) == 0
    assert {path.suffix for path in folder.iterdir()} == {".ipynb", ".html", ".md"}
    return asked.html.read_text("utf-8"), asked.markdown.read_text("utf-8")


def test_the_report_stands_first_and_the_whole_page_below(made):
    shown, text = made
    assert text.startswith("# The answer\n\nIt is $\\tau$ = 0 to 9.5 s, per 10.")
    assert text.endswith("To repeat this page: `helpers report`\n")
    words = re.sub(r"<[^>]+>", " ", shown.partition("<body>")[2])
    found = [
        words.index(part) for part in ("The answer", "The whole page", "the chapter", "a cell")
    ]
    assert found == sorted(found) and words.count("The answer") == 1
    assert "<title>Report: table.csv</title>" in shown and "1|g" in words


def test_the_page_comes_without_what_teaches(made):
    for word in (
        "In this chapter",
        "What do you want",
        "Exercises",
        "A point",
        "seen not",
        "1 / 0",
    ):
        assert word not in made[0], word
    assert "a note" not in without_code(made[0])


def without_code(shown: str) -> str:
    soup = BeautifulSoup(shown, "html.parser")
    for code in soup.select("div.highlight"):
        code.decompose()
    return str(soup)


def test_the_html_looks_for_no_other_file_and_no_other_host(made):
    assert ELSEWHERE.findall(without_code(made[0])) == []
    assert "example.org" not in without_code(made[0])
    assert 'alt="A line rises"' in made[0] and "the chapter" in made[0]


def test_code_is_shown_on_request_only(made, tmp_path):
    assert "display" in made[0] and "# Parameters" in made[0]
    assert "source = formula = unit" not in made[0]
    run = running.Run(nbformat.read(write_page(tmp_path), as_version=4))
    shown = page.render("", run, make_request(tmp_path)).partition("<body>")[2]
    assert "the chapter" in shown and "highlight" not in shown


def test_formulas_are_pictures_with_their_text():
    block = r"$$\begin{aligned} a &amp;\sim \text{Normal}(0, \tau) \\ b &amp;= 1 \end{aligned}$$"
    drawn = formulas.draw_formulas(f"x $\\beta_1$ and {block}, not 5 $ or 6 $ more")
    assert re.findall('alt="([^"]+)"', drawn) == [
        "\\beta_1",
        "a \\sim \\text{Normal}(0, \\tau)",
        "b = 1",
    ]
    assert drawn.endswith(", not 5 $ or 6 $ more") and drawn.count("<br>") == 1
    assert formulas.draw_formulas(r"$\nosuch{x}$") == r"<code>\nosuch{x}</code>"


REJECTION = """
import pandas as pd
from helpers.diagnostics import FitRejected
raise FitRejected(pd.DataFrame(
    {"parameter": ["x|g_sigma"], "diagnostic": ["R-hat"], "value": [1.2], "limit": ["<= 1.01"]}
))"""


def test_a_rejected_fit_is_said_first_in_both_files(tmp_path, capsys):
    asked = make_request(tmp_path)
    asked.html.write_text("old", encoding="utf-8")
    assert report.write_report(asked, write_page(tmp_path, REJECTION, "## Fits")) == 1
    shown, text = asked.html.read_text("utf-8"), asked.markdown.read_text("utf-8")
    assert text.startswith(
        "# This fit must not be read\n\nThe gate stopped the page in the step *Fits*"
    )
    assert re.search(r"x\|g_sigma +R-hat +1.2 +<= 1.01", text)
    body = shown.partition("<body>")[2]
    assert re.search(r"<h\d>(.*?)</h\d>", body)[1] == "This fit must not be read"
    assert "The answer" not in text + body and "Traceback" not in body and "a cell" in body
    assert "must not be read" in capsys.readouterr().err


def test_all_failures_of_the_gate_have_their_place(tmp_path):
    names = [f"u[{number}]" for number in range(9)]
    failures = pd.DataFrame({"parameter": names}).assign(diagnostic="R-hat", value=2, limit="<= 1")
    run = running.Run(None, "FitRejected", str(FitRejected(failures)), "Fits")
    text = page.reject(run, make_request(tmp_path, formula="y ~ `a b` + (1 | g)"))
    assert "u[4]" in text and "and 4 more" in text and "`` y ~ `a b` + (1 | g) ``" in text


@pytest.mark.parametrize(("code", "found"), BREAK.items(), ids=["ValueError", "error", "death"])
def test_a_page_that_stops_leaves_an_old_report_alone(tmp_path, capsys, code, found):
    asked = make_request(tmp_path)
    asked.html.write_text("old", encoding="utf-8")
    assert report.write_report(asked, write_page(tmp_path, code)) == found[0]
    assert re.search(found[1], capsys.readouterr().err)
    assert asked.html.read_text("utf-8") == "old" and not asked.markdown.exists()
    kept = tmp_path / "table-report.stopped.ipynb"
    assert kept.exists() == (found[0] == 3)
    if kept.exists():
        assert "the chapter" in kept.read_text("utf-8")
        assert report.write_report(asked, write_page(tmp_path)) == 0 and not kept.exists()


def test_files_get_their_names_together(tmp_path, monkeypatch):
    texts = {tmp_path / "a.html": "new", tmp_path / "b.md": "new"}
    (tmp_path / "a.html").write_text("old", encoding="utf-8")

    def fail(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "fsync", fail)
        page.write_files(texts)
    assert (tmp_path / "a.html").read_text("utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]
    page.write_files(texts)
    assert {path.name for path in tmp_path.iterdir()} == {"a.html", "b.md"}
    usual = tmp_path / "usual"
    usual.touch()
    assert (tmp_path / "b.md").stat().st_mode == usual.stat().st_mode


def test_the_kernel_is_this_python_with_these_helpers():
    spec = running.OwnKernel().kernel_spec
    assert spec.argv[0] == sys.executable
    assert spec.env["PYTHONPATH"].split(os.pathsep)[0] == str(running.PACKAGE.parent)


# The commands


def test_help_names_the_report_and_an_unknown_command_is_refused():
    def helpers(*words):
        run = [sys.executable, "-m", "helpers", *words]
        return subprocess.run(run, capture_output=True, text=True)

    assert "report" in helpers("--help").stdout
    assert "--range LOW HIGH" in helpers("report", "--help").stdout
    assert helpers("resport").returncode == 2


@pytest.mark.skipif(sys.platform == "win32", reason="make is not what Windows has")
def test_make_passes_tables_and_formulas_with_spaces_and_quotes(tmp_path):
    program = tmp_path / "python"
    program.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    program.chmod(0o755)
    command = ["make", "-s", "-C", str(ROOT), "-o", ".venv/ready", f"BIN={tmp_path}", "report"]
    words = ['TABLE=a "b" c.csv', f"FORMULA={FORMULA}", "RANGE=0 9.5", "UNIT=m per s"]
    words += ["MORE=--reach 'a b' 0 1"]
    asked = json.loads(subprocess.check_output([*command, *words], text=True))
    assert asked == [
        *("-m", "helpers", "report", 'a "b" c.csv', FORMULA),
        *("--range", "0", "9.5", "--unit", "m per s", "--out", "_build/reports"),
        *("--reach", "a b", "0", "1"),
    ]
    assert "--range" not in subprocess.check_output(command, text=True)


def test_a_heading_under_which_only_the_report_stands_is_left_out(tmp_path):
    said = new_output("display_data", {"text/markdown": "# A title"})
    cells = [
        new_markdown_cell("## Before"),
        new_markdown_cell("## The report\n\nAll of it, to copy."),
        new_code_cell("pieces = 1"),
        new_code_cell("display()", metadata={"tags": ["report"]}, outputs=[said]),
    ]
    run = running.Run(new_notebook(cells=cells))
    shown = page.render("", run, make_request(tmp_path))
    assert "Before" in shown and "to copy" not in shown
