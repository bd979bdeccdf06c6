"""Workshop schedules: talk and breaks as stated, exercises from the chapters, machines as measured."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import yaml
from jupyter_cache import get_cache
from sphinx.util.docutils import SphinxDirective

from chapters import ROOT, cache_path, list_chapters, read_executable
from plain_markdown import Exercise, list_exercises, read_markdown

PAGE = ROOT / "notebooks" / "t2_schedules.md"
BLOCK = re.compile(r"^```\{schedule\} (.+?)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Row:
    """One line of a schedule, in minutes; ``chapter`` is the stem of its file, if it is one."""

    what: str
    chapter: str | None = None
    talk: int = 0
    exercises: int = 0
    machine: int = 0
    rest: int = 0

    @property
    def minutes(self) -> int:
        return self.talk + self.exercises + self.machine + self.rest


def read_schedules(page: Path = PAGE) -> dict[str, dict]:
    """The schedules on the page that tells them, by title, as they are written there."""
    text = page.read_text(encoding="utf-8")
    return {title: yaml.safe_load(body) for title, body in BLOCK.findall(text)}


def list_rows(schedule: dict) -> list[Row]:
    """The lines of a schedule with their minutes.

    Raises
    ------
    ValueError
        If a chapter or an exercise does not exist.
    """
    exercises, measured = find_exercises(), measure_chapters()
    return [_make_row(line, exercises, measured) for line in schedule["lines"]]


def count_spare(schedule: dict, rows: list[Row]) -> int:
    """Minutes that are left over; below zero if the lines need more than there are."""
    return schedule["minutes"] - sum(row.minutes for row in rows)


def find_exercises() -> dict[str, Exercise]:
    """Each exercise of the book, by its label."""
    found = [one for page in list_chapters() for one in list_exercises(read_markdown(page))]
    return {exercise.label: exercise for exercise in found}


def measure_chapters() -> dict[str, float]:
    """Seconds that each executed chapter took in this build, by the stem of its file."""
    if not cache_path().exists():
        return {}
    cache, seconds = get_cache(str(cache_path())), {}
    for page in list_chapters():
        try:
            record = cache.match_cache_notebook(read_executable(page))
        except KeyError:
            continue
        seconds[page.stem] = record.data.get("execution_seconds", 0.0)
    return seconds


def _make_row(line: dict, exercises: dict, measured: dict[str, float]) -> Row:
    chapter = line.get("chapter")
    if chapter and not list((ROOT / "notebooks").glob(f"{chapter}.*")):
        raise ValueError(f"There is no chapter {chapter!r}.")
    unknown = [label for label in line.get("exercises", []) if label not in exercises]
    if unknown:
        raise ValueError(f"There is no exercise {unknown[0]!r}.")
    chosen = [exercises[label] for label in line.get("exercises", [])]
    what = line.get("what", "")
    if chosen:
        what += "; exercises: " + ", ".join(exercise.title for exercise in chosen)
    return Row(
        what,
        chapter,
        talk=line.get("talk", 0),
        exercises=sum(exercise.minutes for exercise in chosen),
        machine=math.ceil(measured.get(chapter, 0) / 60),
        rest=line.get("break", 0),
    )


class Schedule(SphinxDirective):
    """A table of one schedule, with the time of the clock at which each line begins."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list:
        schedule = yaml.safe_load("\n".join(self.content))
        clock = 60 * schedule["start"]
        lines = [
            "| Begins | What | Talk | Exercises | Machine | Break | Minutes |",
            "|---|---|---|---|---|---|---|",
        ]
        rows = list_rows(schedule)
        for row in rows:
            what = f"{{doc}}`{row.chapter}`: {row.what}" if row.chapter else row.what
            parts = (row.talk, row.exercises, row.machine, row.rest)
            minutes = " | ".join(str(part or "") for part in parts)
            lines.append(f"| {write_clock(clock)} | {what} | {minutes} | {row.minutes} |")
            clock += row.minutes
        # A slow machine does not stop the book: the page says what is too much, and a test refuses it.
        spare = count_spare(schedule, rows)
        rest = "To spare" if spare >= 0 else "**Too long on this machine**"
        end = write_clock(60 * schedule["start"] + schedule["minutes"])
        lines.append(f"| {write_clock(clock)} | {rest} | | | | | {spare} |")
        lines.append(f"| {end} | The end | | | | | {schedule['minutes']} |")
        return self.parse_text_to_nodes("\n".join(lines))


def write_clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}"
