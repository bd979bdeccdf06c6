"""The chapter of your own table as it ran on the sleep study, and where it stops on what it cannot take."""

import re

import nbformat
import numpy as np
import papermill
import pytest

from chapters import list_chapters
from executed import read_executed, tagged
from helpers.exercises import answers
from helpers.own import checks

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
    assert re.findall(r"^### (.+)$", report, re.MULTILINE) == SECTIONS
    assert not re.search(r"\b(nan|None|inf)\b", report)


def test_the_answer_is_the_published_one(report):
    """Bates et al. (2015) print 10.47 ms a day (SE 1.55), by REML."""
    told = re.search(r"\*\*([\d.]+) ms \(95 % interval ([\d.]+) to ([\d.]+) ms\)", report)
    mean, low, high = map(float, told.groups())
    assert abs(mean - 10.47) < 0.15 and abs((high - low) / 4 - 1.55) < 0.15


def test_what_failed_is_said_before_the_answer(report):
    answer = report.partition("### Answer")[2].partition("### Data")[0].strip()
    failed = re.findall(r"^\| ([\w -]+) \|.*\| fails \|$", report, re.MULTILINE)
    assert failed and answer.startswith("**Read this with care:**")
    assert all(f"*{name}*" in answer for name in failed)


def test_the_report_knows_nothing_of_the_books_own_table(report):
    assert not re.search(r"\b(count(y|ies)|visits?|visitors?|websites?)\b", report, re.IGNORECASE)


@pytest.fixture(scope="module")
def solved() -> dict:
    """What the code of the exercises' solutions leaves behind, run without the rest of the page."""
    chapter = nbformat.read(CHAPTER, as_version=4)
    names = {"seed": 2020, "display": lambda *_: None}
    wanted = [cell for cell in chapter.cells if cell.id == "imports"]
    wanted += [cell for cell in tagged(chapter, "solution") if cell.id.endswith("-code")]
    for cell in wanted:
        exec(cell.source, names)
    return names


@pytest.mark.parametrize(
    ("label", "name"),
    [("own-range", "too_sure"), ("own-new", "fastest"), ("own-training", "from_day_two")],
)
def test_the_solutions_of_the_chapter_are_right_by_its_own_check(solved, label, name):
    assert answers.check(label, solved[name]) == "Right."


def test_what_the_solution_says_of_a_range_that_is_too_sure_is_so(solved):
    """The slope hardly moves, the sds of people do, and the page protests three times."""
    wide, narrow = (row for _, row in solved["by_range"].iterrows())
    assert abs(narrow["slope"] - wide["slope"]) < 0.5 * wide["its sd"]
    assert all(narrow[n] < wide[n] for n in ("1|subject_sigma", "std_days|subject_sigma"))
    assert narrow["outcomes outside"] > 0 and narrow["outcomes, by the priors"] == "far outside"
    question, one, tree = solved["fit_sleep"](solved["sleep"], 250, 350)
    found = {check.name: check.verdict for check in checks.check_fit(question, one, tree)}
    assert found["priors"] == "fails"


def test_a_correlation_of_levels_and_slopes_lowers_the_limit_of_the_last_day(solved):
    assert solved["predict_correlated"](solved["one"], 9) < solved["fastest"] - 10


def test_nights_become_short_after_day_two(solved):
    means = solved["sleep"].groupby("days")["reaction"].mean()
    assert np.polyfit(means.index[:3], means[:3], 1)[0] < solved["from_day_two"] / 2


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
