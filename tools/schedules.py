"""Workshop schedules: minutes of talk as stated, of exercises from the chapters, of machines as measured."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml
from chapters import ROOT, cache_path, list_chapters, read_executable
from jupyter_cache import get_cache
from sphinx.util.docutils import SphinxDirective

PAGE = ROOT / "notebooks" / "t2_schedules.md"
BLOCK = re.compile(r"^```\{schedule\} (.+?)\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXERCISE = re.compile(r"```\{exercise\} (.+?) \((\d+) minutes?\)\n:label: (\S+)")


@dataclass(frozen=True)
class Row:
    """One line of a schedule, in minutes; ``chapter`` is the stem of its file, if it is one."""

    what: str
    chapter: str | None
    talk: int
    exercises: int
    machine: int

    @property
    def minutes(self) -> int:
        return self.talk + self.exercises + self.machine


def read_schedules(page: Path = PAGE) -> dict[str, dict]:
    """The schedules on the page that tells them, by title, as they are written there."""
    text = page.read_text(encoding="utf-8")
    return {title: yaml.safe_load(body) for title, body in BLOCK.findall(text)}


def list_rows(schedule: dict) -> list[Row]:
    """The lines of a schedule with their minutes, and what is left over as the last one.

    Raises
    ------
    ValueError
        If a chapter or an exercise does not exist, or if the lines need more time than there is.
    """
    exercises, measured = list_exercises(), measure_chapters()
    rows = [_make_row(line, exercises, measured) for line in schedule["lines"]]
    spare = schedule["minutes"] - sum(row.minutes for row in rows)
    if spare < 0:
        raise ValueError(f"This schedule is {-spare} minutes too long; shorten a line.")
    return [*rows, Row("To spare", None, spare, 0, 0)]


def list_exercises() -> dict[str, tuple[str, int]]:
    """Title and minutes of each exercise of the book, by its label."""
    found = {}
    for page in list_chapters():
        text = "\n".join(cell.source for cell in nbformat.read(page, as_version=4).cells)
        found |= {label: (title, int(minutes)) for title, minutes, label in EXERCISE.findall(text)}
    return found


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
    titles = [exercises[label] for label in line.get("exercises", [])]
    what = line.get("what", "")
    if titles:
        what += "; exercises: " + ", ".join(title for title, _ in titles)
    machine = math.ceil(measured.get(chapter, 0) / 60)
    return Row(what, chapter, line["talk"], sum(minutes for _, minutes in titles), machine)


class Schedule(SphinxDirective):
    """A table of one schedule, with the time of the clock at which each line begins."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list:
        schedule = yaml.safe_load("\n".join(self.content))
        clock = 60 * schedule["start"]
        lines = [
            "| Begins | What | Talk | Exercises | Machine | Minutes |",
            "|---|---|---|---|---|---|",
        ]
        for row in list_rows(schedule):
            what = f"{{doc}}`{row.chapter}`: {row.what}" if row.chapter else row.what
            minutes = f"{row.talk} | {row.exercises} | {row.machine} | {row.minutes}"
            lines.append(f"| {clock // 60}:{clock % 60:02d} | {what} | {minutes} |")
            clock += row.minutes
        lines.append(f"| {clock // 60}:{clock % 60:02d} | The end | | | | {schedule['minutes']} |")
        return self.parse_text_to_nodes("\n".join(lines))
