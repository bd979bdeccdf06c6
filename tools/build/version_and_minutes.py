"""What pages tell of the book itself: its version, its parts with their minutes, how long chapters ran."""

import platform
import tomllib
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from docutils import nodes
from myst_nb.ext.execution_tables import ExecutionStatsNode
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from chapters import ROOT, list_pages, list_parts, read_minutes, read_title

SHOWN = ("pymc", "bambi", "arviz", "nutpie", "numpy", "pandas", "xarray", "seaborn", "jupyter-book")


def read_version() -> str:
    """The book's version, which stands in ``pyproject.toml`` only."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return project["project"]["version"]


def tell_version() -> str:
    """Version and date of the build, for the foot of every page."""
    today = datetime.now(UTC)
    return f"Version {read_version()}, built on {today.day} {today:%B %Y}."


class BuildInfo(SphinxDirective):
    """A table of the versions that executed this book, its own first, and the date."""

    def run(self) -> list[nodes.Node]:
        rows = [("This book", read_version())]
        rows += [("Date", datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"))]
        rows += [("Python", platform.python_version()), ("System", platform.system())]
        rows += [(name, version(name)) for name in SHOWN]
        table = "\n".join(f"| {name} | {value} |" for name, value in rows)
        return self.parse_text_to_nodes(f"| What | Version |\n|---|---|\n{table}")


class ChapterMap(SphinxDirective):
    """A card for each part of the book, with its pages and the minutes that each of them states."""

    def run(self) -> list[nodes.Node]:
        for page in list_pages():
            self.env.note_dependency(str(page))
        cards = [write_card(title, pages) for title, pages in list_parts().items()]
        lines = ["::::{grid} 1", ":class-container: parts", "", *cards, "::::"]
        return self.parse_text_to_nodes("\n".join(lines))


def write_card(title: str, pages: list[Path]) -> str:
    return "\n".join([f":::{{grid-item-card}} {title}", *map(write_line, pages), ":::"])


def write_line(page: Path) -> str:
    """A link with number and title, and minutes, as an item of a list."""
    minutes = read_minutes(page)
    takes = f", {minutes[0]}\u00a0+\u00a0{minutes[1]}\u00a0min" if minutes else ""
    return f"- [{read_title(page)}]({page.name}){takes}"


class TimesByTitle(SphinxPostTransform):
    """Where myst-nb would list files and fractions of seconds, chapters and minutes, in reading order."""

    default_priority = 7  # just before its own

    def run(self, **settings) -> None:
        for place in list(self.document.findall(ExecutionStatsNode)):
            data = NbMetadataCollector.get_doc_data(self.env)
            names = [page.relative_to(ROOT).with_suffix("").as_posix() for page in list_pages()]
            ran = {name: data[name]["exec_data"] for name in names if data[name].get("exec_data")}
            rows = [(self.link(name), write_time(found["runtime"])) for name, found in ran.items()]
            place.replace_self(make_table(("Chapter", "Minutes and seconds"), rows))

    def link(self, name: str) -> nodes.reference:
        target = self.app.builder.get_relative_uri(self.env.docname, name)
        title = self.env.titles[name].astext()
        return nodes.reference("", title, refuri=target, internal=True)


def write_time(seconds: float | None) -> nodes.Text:
    """``1:05`` for 65 seconds; a dash if nobody knows."""
    whole = round(seconds or 0)
    return nodes.Text(f"{whole // 60}:{whole % 60:02}" if seconds else "\N{EN DASH}")


def make_table(head: tuple[str, ...], rows: list[tuple[nodes.Node, ...]]) -> nodes.table:
    """A table with a row of titles and one node in each cell."""
    columns = [nodes.colspec(colwidth=1) for _ in head]
    titles = nodes.thead("", make_row(map(nodes.Text, head)))
    body = nodes.tbody("", *map(make_row, rows))
    group = nodes.tgroup("", *columns, titles, body, cols=len(head))
    return nodes.table("", group, classes=["colwidths-auto"])


def make_row(cells) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))
