"""The schedules of workshops add up, and name chapters and exercises that exist."""

from unittest.mock import MagicMock

import pytest

import book_extension
import schedules
from chapters import cache_path, list_chapters
from conftest import ROOT, require
from plain_markdown import list_exercises

PLANNED = schedules.read_schedules()
each_schedule = pytest.mark.parametrize("title", PLANNED)
LINE = {"what": "Talk", "talk": 50}


def test_there_is_half_a_day_and_a_day():
    assert {title: plan["minutes"] for title, plan in PLANNED.items()} == {
        "Half a day": 180,
        "A day": 360,
    }


@each_schedule
def test_a_schedule_leaves_time_for_failed_set_ups(title):
    """With the minutes of this build; without a build those of machines are missing."""
    rows = schedules.list_rows(PLANNED[title])
    planned = sum(row.talk + row.exercises + row.machine + row.rest for row in rows)
    assert 10 <= PLANNED[title]["minutes"] - planned <= 40
    assert schedules.count_spare(PLANNED[title], rows) == PLANNED[title]["minutes"] - planned


@each_schedule
def test_it_is_a_workshop_and_no_lecture(title):
    rows = schedules.list_rows(PLANNED[title])
    assert sum(row.exercises for row in rows) >= PLANNED[title]["minutes"] / 4
    assert all(row.rest >= 10 and not row.talk for row in rows if row.what == "Break")


@each_schedule
def test_there_is_a_break_at_least_every_ninety_minutes(title):
    sitting = longest = 0
    for row in schedules.list_rows(PLANNED[title]):
        sitting = 0 if row.rest else sitting + row.minutes
        longest = max(longest, sitting)
    assert longest <= 90


@each_schedule
def test_every_chapter_of_a_schedule_was_measured_in_the_build(title):
    require(cache_path().exists(), "run `make book` to measure the chapters of today's code")
    notebooks = {page.stem for page in list_chapters()}
    rows = [row for row in schedules.list_rows(PLANNED[title]) if row.chapter in notebooks]
    assert len(rows) >= 7
    assert all(row.machine >= 1 for row in rows)


def test_the_page_is_made_anew_in_each_build():
    """Its minutes change with each build, its own text does not."""
    app = MagicMock()
    book_extension.setup(app)
    connected = [call.args for call in app.connect.call_args_list]
    (list_outdated,) = [handler for event, handler in connected if event == "env-get-outdated"]
    page = schedules.PAGE.relative_to(ROOT).with_suffix("").as_posix()
    assert page in list_outdated(app, None, set(), set(), set())


def test_minutes_of_exercises_come_from_the_chapters():
    exercise = schedules.find_exercises()["ri-weight"]
    (row,) = schedules.list_rows({"lines": [LINE | {"exercises": ["ri-weight"]}]})
    assert row.exercises == exercise.minutes > 0
    assert exercise.title in row.what
    assert row.minutes == 50 + exercise.minutes


def test_minutes_of_machines_are_those_of_the_build(monkeypatch):
    monkeypatch.setattr(schedules, "measure_chapters", lambda: {"06_random_intercept": 61.0})
    (row,) = schedules.list_rows({"lines": [LINE | {"chapter": "06_random_intercept"}]})
    assert row.machine == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"chapter": "06_random_interception"}, "no chapter '06_random_interception'"),
        ({"exercises": ["ri-wait"]}, "no exercise 'ri-wait'"),
    ],
)
def test_a_schedule_of_what_is_not_there_is_refused(line, said):
    with pytest.raises(ValueError, match=said):
        schedules.list_rows({"lines": [LINE | line]})


@pytest.mark.parametrize(
    ("talk", "said"),
    [(50, "| 9:50 | To spare | | | | | 10 |"), (65, "Too long on this machine** | | | | | -5 |")],
)
def test_a_slow_machine_gets_a_table_too(monkeypatch, talk, said):
    """What is too long is shown on the page, and does not stop the book."""
    directive = object.__new__(schedules.Schedule)
    directive.content = f"{{start: 9, minutes: 60, lines: [{{what: Talk, talk: {talk}}}]}}".split(
        "\n"
    )
    monkeypatch.setattr(
        schedules.Schedule, "parse_text_to_nodes", lambda self, text: text, raising=False
    )
    table = directive.run()
    assert said in table
    assert "| 9:00 | Talk |" in table
    assert "| 10:00 | The end |" in table


def test_every_exercise_states_its_minutes():
    text = "\n".join(path.read_text(encoding="utf-8") for path in list_chapters())
    assert len(schedules.find_exercises()) == text.count("```{exercise}")


def test_an_exercise_without_minutes_is_refused():
    with pytest.raises(ValueError, match="'Look' does not state its minutes"):
        list_exercises("```{exercise} Look\n:label: look\n```")
