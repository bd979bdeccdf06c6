"""The chapter of your own table as it ran on the sleep study, and where it stops on what it cannot take."""

import re

import papermill
import pytest

from chapters import list_chapters
from conftest import read_executed, tagged

(CHAPTER,) = [path for path in list_chapters() if path.stem == "18_your_own_table"]
SECTIONS = [
    *("Question", "Answer", "Data", "Model", "Priors", "Computation"),
    *("Checks", "Sensitivity", "Decision", "What it cannot say"),
]


@pytest.fixture(scope="module")
def report() -> str:
    """The report that the last cell shows."""
    (cell,) = tagged(read_executed(CHAPTER), "report")
    return "".join(output.data["text/markdown"] for output in cell.outputs)


def test_the_report_has_all_sections_and_no_number_that_is_none(report):
    assert re.findall(r"^## (.+)$", report, re.MULTILINE) == SECTIONS
    assert not re.search(r"\b(nan|None|inf)\b", report)


def test_the_answer_is_the_published_one(report):
    """Bates et al. (2015) print 10.47 ms a day (SE 1.55), by REML."""
    told = re.search(r"\*\*([\d.]+) ms \(95 % interval ([\d.]+) to ([\d.]+) ms\)", report)
    mean, low, high = map(float, told.groups())
    assert abs(mean - 10.47) < 0.15 and abs((high - low) / 4 - 1.55) < 0.15


def test_what_failed_is_said_before_the_answer(report):
    answer = report.partition("## Answer")[2].partition("## Data")[0].strip()
    failed = re.findall(r"^\| ([\w -]+) \|.*\| fails \|$", report, re.MULTILINE)
    assert failed and answer.startswith("**Read this with care:**")
    assert all(f"*{name}*" in answer for name in failed)


def test_the_report_knows_nothing_of_the_books_own_table(report):
    assert not re.search(r"\b(count(y|ies)|visits?|visitors?|websites?)\b", report, re.IGNORECASE)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"source": "gone.csv"}, "gone.csv"),
        ({"formula": "reaction ~ age + (1 | subject)"}, "no column 'age'"),
        ({"formula": "reaction ~ days"}, "names no groups"),
        ({"low": 900}, "low must be the smaller one"),
    ],
)
def test_what_the_page_cannot_take_stops_it_where_it_belongs(run_chapter, parameters, said):
    with pytest.raises(papermill.PapermillExecutionError, match=said):
        run_chapter(CHAPTER, **parameters)
