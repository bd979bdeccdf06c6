"""The schedules of workshops add up, and name chapters and exercises that exist."""

import re
from dataclasses import dataclass

import nbformat
import pytest

from chapters import ROOT, list_chapters, read_minutes, read_title

NOTEBOOKS = ROOT / "notebooks"
PAGE = (NOTEBOOKS / "t2_schedules.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"\| (?P<begins>\d+:\d\d) \| (?P<what>.+?) \| (?P<talk>\d*) ?\| (?P<exercises>\d*) ?"
    r"\| (?P<machine>\d*) ?\| (?P<rest>\d*) ?\| (?P<minutes>\d+) \|"
)


@dataclass(frozen=True)
class Row:
    """One line of a schedule; all but ``what`` in minutes."""

    begins: int
    what: str
    talk: int
    exercises: int
    machine: int
    rest: int
    minutes: int

    @property
    def chapter(self) -> nbformat.NotebookNode | None:
        """The chapter that the line links to, if it is a notebook."""
        link = re.match(r"\[(.+?)\]\((\w+\.\w+)\): ", self.what)
        if link is None or link[2].endswith(".md"):
            return None
        chapter = nbformat.read(NOTEBOOKS / link[2], as_version=4)
        assert chapter.cells[0].source.startswith(f"# {link[1]}\n")
        return chapter


def read_schedule(title: str) -> list[Row]:
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = []
    for match in ROW.finditer(section):
        hour, minute = match["begins"].split(":")
        parts = {
            name: int(match[name] or 0) for name in match.groupdict().keys() - {"begins", "what"}
        }
        rows.append(Row(60 * int(hour) + int(minute), match["what"], **parts))
    assert len(rows) == section.count("\n|") - 2
    assert rows[-1].minutes == LENGTHS[title]
    return rows


LENGTHS = {"Half a day": 180, "Half a day, in R": 180, "A day": 405}  # minutes
SCHEDULES = {title: read_schedule(title) for title in LENGTHS}
each_schedule = pytest.mark.parametrize("rows", SCHEDULES.values(), ids=SCHEDULES)


def list_exercises(chapter: nbformat.NotebookNode) -> dict[str, int]:
    """Minutes of each exercise of a chapter, by number and title."""
    text = "\n".join(cell.source for cell in chapter.cells)
    found = re.findall(r"^### Exercise (\S+): (.+) \((\d+) minutes?\)$", text, re.MULTILINE)
    return {f"{number} {title}": int(minutes) for number, title, minutes in found}


@each_schedule
def test_minutes_and_clock_add_up(rows):
    *lines, spare, end = rows
    assert all(row.minutes == row.talk + row.exercises + row.machine + row.rest for row in lines)
    assert [row.begins + row.minutes for row in rows[:-1]] == [row.begins for row in rows[1:]]
    assert (spare.what, end.what) == ("To spare", "The end")
    assert end.minutes == end.begins - rows[0].begins


@each_schedule
def test_exercises_take_the_minutes_that_their_chapters_state(rows):
    for row in rows:
        titles = row.what.partition("; exercises: ")[2]
        stated = list_exercises(row.chapter) if titles else {}
        assert row.exercises == sum(stated[title] for title in titles.split(", ") if title)


@each_schedule
def test_there_is_a_minute_for_every_slide_of_a_deck(rows):
    for row in rows:
        if row.chapter and "exercises: " in row.what:
            file = re.search(r"\((\w+)\.ipynb\)", row.what)[1]
            deck = (ROOT / "slides" / f"{file}.md").read_text(encoding="utf-8")
            assert row.talk >= len(re.findall("^## ", deck, re.MULTILINE)), file


@each_schedule
def test_a_laptop_that_needs_the_most_that_chapters_say_comes_to_the_end(rows):
    chapters = [row for row in rows if row.chapter]
    said = "\n".join(row.chapter.cells[0].source for row in chapters)
    most = [int(n) for n in re.findall(r"at most (\d+) of them the machine's", said)]
    assert all(1 <= row.machine <= at_most for row, at_most in zip(chapters, most, strict=True))
    assert sum(most) - sum(row.machine for row in chapters) <= rows[-2].minutes


@each_schedule
def test_there_is_time_for_failed_set_ups_and_for_exercises(rows):
    assert 10 <= rows[-2].minutes <= 40
    lunch = sum(row.minutes for row in rows if row.what == "Lunch")
    assert sum(row.exercises for row in rows) >= (rows[-1].minutes - lunch) / 4


@each_schedule
def test_there_is_a_break_at_least_every_ninety_minutes(rows):
    breaks = [row for row in rows if row.what in ("Break", "Lunch")]
    assert all(row.rest >= 10 and row.minutes == row.rest for row in breaks)
    edges = [rows[0].begins, *(row.begins for row in breaks), rows[-2].begins]
    ends = [rows[0].begins, *(row.begins + row.rest for row in breaks)]
    assert all(edge - end <= 90 for edge, end in zip(edges[1:], ends, strict=True))


@each_schedule
def test_who_is_there_at_noon_gets_lunch_and_an_hour_for_it(rows):
    lunch = [row for row in rows if row.what == "Lunch"]
    assert len(lunch) == (rows[-1].begins > 12 * 60 + 30)
    assert all(12 * 60 <= row.begins <= 13 * 60 and row.rest >= 60 for row in lunch)


# The shortest ways through, on the first page

FIRST = (NOTEBOOKS / "index.md").read_text(encoding="utf-8")
WAYS = dict(re.findall(r"^- \*\*(.+):\*\* (.+(?:\n  .+)*)", FIRST, re.MULTILINE))
LINK = re.compile(r"\[([ART]?\d+\. [^\]]+)\]\((\w+\.ipynb)\)")


def test_an_hour_is_enough_to_read_what_it_names():
    chapters = [NOTEBOOKS / name for _, name in LINK.findall(WAYS["An hour"])]
    assert len(chapters) >= 3
    assert sum(read_minutes(chapter)[0] for chapter in chapters) <= 60


def test_a_day_is_enough_for_its_chapters_with_their_exercises():
    first, last = re.match(r"chapters (\d+) to (\d+) with their exercises", WAYS["A day"]).groups()
    chapters = list_chapters()[int(first) - 1 : int(last)]
    ((_, name),) = LINK.findall(WAYS["A day"])
    assert chapters[-1] == NOTEBOOKS / name
    assert sum(sum(read_minutes(chapter)) for chapter in chapters) <= 8 * 60


def test_a_chapter_that_is_named_with_its_number_is_named_by_its_title():
    links = LINK.findall(FIRST)
    assert len(WAYS) == 3 and len(links) >= 5
    assert [title for title, _ in links] == [read_title(NOTEBOOKS / name) for _, name in links]
