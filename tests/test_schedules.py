"""The schedules of workshops add up, and name chapters and exercises that exist."""

import pytest
import schedules

from conftest import ROOT

PLANNED = schedules.read_schedules()
each_schedule = pytest.mark.parametrize("title", PLANNED)
LINE = {"what": "Talk", "talk": 50}


def test_there_is_half_a_day_and_a_day():
    assert {title: plan["minutes"] for title, plan in PLANNED.items()} == {
        "Half a day": 180,
        "A day": 360,
    }


@each_schedule
def test_a_schedule_adds_up_and_leaves_a_little_to_spare(title):
    rows = schedules.list_rows(PLANNED[title])
    assert sum(row.minutes for row in rows) == PLANNED[title]["minutes"]
    assert rows[-1].what == "To spare"
    assert 0 <= rows[-1].minutes <= 40


@each_schedule
def test_there_is_a_break_at_least_every_ninety_minutes(title):
    sitting = longest = 0
    for row in schedules.list_rows(PLANNED[title]):
        sitting = 0 if row.what == "Break" else sitting + row.minutes
        longest = max(longest, sitting)
    assert longest <= 90


def test_minutes_of_exercises_come_from_the_chapters():
    exercises = schedules.list_exercises()
    plan = {"minutes": 100, "lines": [LINE | {"exercises": ["ri-weight"]}]}
    first, spare = schedules.list_rows(plan)
    assert first.exercises == exercises["ri-weight"][1] > 0
    assert exercises["ri-weight"][0] in first.what
    assert spare.minutes == 50 - first.exercises


def test_minutes_of_machines_are_those_of_the_build(monkeypatch):
    monkeypatch.setattr(schedules, "measure_chapters", lambda: {"06_random_intercept": 61.0})
    plan = {"minutes": 60, "lines": [LINE | {"chapter": "06_random_intercept"}]}
    assert schedules.list_rows(plan)[0].machine == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"talk": 61}, "1 minutes too long"),
        ({"chapter": "06_random_interception"}, "no chapter '06_random_interception'"),
        ({"exercises": ["ri-wait"]}, "no exercise 'ri-wait'"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused(line, said):
    with pytest.raises(ValueError, match=said):
        schedules.list_rows({"minutes": 60, "lines": [LINE | line]})


def test_every_exercise_states_its_minutes():
    text = "\n".join(path.read_text() for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert len(schedules.list_exercises()) == text.count("```{exercise}")
