"""The files of a report: Markdown, and one HTML file that needs no other file and no other host."""

import html
import os
import re
import tempfile
from contextlib import ExitStack
from importlib import resources
from pathlib import Path
from string import Template

from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from pygments.formatters import HtmlFormatter

from helpers.report.formulas import FORMULA, draw_formulas
from helpers.report.request import Request
from helpers.report.running import HEADING, Run, read_tags

FRAME = resources.files("helpers.report") / "page.html"
REPORT, HIDDEN = "report", {"remove-cell"}
NO_CODE, NO_OUTPUT = {"remove-input", "parameters", REPORT}, {"hide-output", REPORT}
LITERAL = ("code", "pre", "script", "style", "textarea")
LONG = 30  # letters of a cell; a table with longer ones holds words, which begin at the left
REJECTED = "This fit must not be read"


def find_report(run: Run, request: Request) -> str:
    """The Markdown that the cell with the tag ``report`` displayed, and how to repeat it.

    On the page its headings stand one level below the page's own; here its title is the first.

    Raises
    ------
    LookupError
        If the page has no such cell.
    """
    for cell in run.notebook.cells:
        if REPORT in read_tags(cell):
            texts = [
                o.data["text/markdown"]
                for o in cell.outputs
                if "text/markdown" in o.get("data", {})
            ]
            text = "\n\n".join(texts)
            if text.startswith("## "):
                text = re.sub(r"^#(#+ )", r"\1", text, flags=re.MULTILINE)
            return f"{text}\n\n{_say_how(request)}"
    raise LookupError(f"The page has no cell with the tag {REPORT!r}.")


def reject(run: Run, request: Request) -> str:
    """What stands in the report's place when a fit did not pass the gate; Markdown."""
    _, table, *rest = run.message.strip().split("\n\n")
    more = [f"{part.partition(',')[0]}." for part in rest if part.startswith("and ")]
    parts = [
        f"# {REJECTED}",
        f"The gate stopped the page in the step *{run.step}*, so there is no answer. Do not read any "
        "number of this page that the sampler gave; the fit did not meet these limits:",
        f"```\n{table}\n```",
        *more,
        "Draw more (`--draws`, `--tune`), or, if that does not help, look at the model: a group with "
        "very few rows, a predictor that hardly varies, or a range (`--range`) that is far from the "
        "outcomes make such fits.",
        f"Table: {_code(request.title)}. Formula: {_code(request.formula)}. Plausible range: "
        f"{request.low} to {request.high} {request.unit}".rstrip()
        + ".",
        _say_how(request),
    ]
    return "\n\n".join(parts)


def _say_how(request: Request) -> str:
    return f"To repeat this page: {_code(request.command)}\n" if request.command else ""


def _code(text: str) -> str:
    """Text as code in Markdown; names of columns may stand in backticks themselves."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


# HTML


def render(text: str, run: Run, request: Request) -> str:
    """The report (Markdown), then the whole page, as one HTML document."""
    cells = [_as_shown(cell, request.with_code) for cell in run.notebook.cells]
    if any(cell.outputs for cell in run.notebook.cells if REPORT in read_tags(cell)):
        cells = _leave_out_heading(cells)
    return Template(FRAME.read_text("utf-8")).substitute(
        title=html.escape(f"{REJECTED if run.error else 'Report'}: {request.title}"),
        colours=HtmlFormatter().get_style_defs(".highlight"),
        report=_to_html([new_markdown_cell(text)]),
        heading="The page as far as it ran" if run.error else "The whole page",
        page=_to_html([cell for cell in cells if not HIDDEN & set(read_tags(cell))], title=False),
    )


def _leave_out_heading(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Shown cells without the heading of the report, which stands above them, if nothing else is under it."""
    last = next((n for n, cell in enumerate(cells) if REPORT in read_tags(cell)), 0)
    above = last - 1
    while above > 0 and cells[above].cell_type == "code" and not _is_seen(cells[above]):
        above -= 1
    headed = last and cells[above].cell_type == "markdown" and HEADING.match(cells[above].source)
    return [*cells[:above], *cells[last:]] if headed else cells


def _is_seen(cell: NotebookNode) -> bool:
    return bool(cell.source or cell.outputs)


def _as_shown(cell: NotebookNode, with_code: bool) -> NotebookNode:
    """A cell as the HTML has it: without what the report says above, and without tracebacks."""
    if cell.cell_type != "code":
        return cell
    tags = set(read_tags(cell))
    source = cell.source if with_code and not tags & NO_CODE else ""
    alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "A figure")
    outputs = [_describe(output, alt) for output in cell.outputs if output.output_type != "error"]
    return new_code_cell(
        source, outputs=[] if tags & NO_OUTPUT else outputs, metadata={"tags": list(tags)}
    )


def _describe(output: NotebookNode, alt: str) -> NotebookNode:
    """An output whose picture has a text in its place."""
    if "image/png" not in output.get("data", {}):
        return output
    metadata = {**output.metadata, "image/png": {"alt": alt}}
    return NotebookNode({**output, "metadata": metadata})


def _to_html(cells: list[NotebookNode], title: bool = True) -> str:
    """Cells as HTML; without their title, other headings are a level lower."""
    exporter = HTMLExporter(
        template_name="basic",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    body, _ = exporter.from_notebook_node(new_notebook(cells=cells))
    soup = BeautifulSoup(body, "html.parser")
    for part in soup.select(".input"):
        if not part.get_text(strip=True):
            part.decompose()
    for cell in soup.select(".cell"):
        if not cell.get_text(strip=True) and not cell.find(["img", "svg", "canvas"]):
            cell.decompose()
    for code in soup.select("td code"):  # an escape of Markdown's tables
        code.string = code.get_text().replace("\\|", "|")
    _cut_off(soup)
    if not title:
        _lower_headings(soup)
    for table in soup.select("table.dataframe"):
        texts = [cell.get_text(strip=True) for cell in table.find_all("td")]
        if max(map(len, texts), default=0) > LONG:
            table["class"] = ["dataframe", "words"]
    for scrolls in soup.find_all(["table", "pre"]):
        scrolls.wrap(soup.new_tag("div", attrs={"class": "scrolls", "tabindex": "0"}))
    for text in soup.find_all(string=FORMULA):
        if not text.find_parent(LITERAL):
            drawn = draw_formulas(html.escape(text, quote=False))
            text.replace_with(BeautifulSoup(drawn, "html.parser"))
    return str(soup)


def _lower_headings(soup: BeautifulSoup) -> None:
    for heading in soup.find_all("h1"):
        heading.decompose()
    for level in (5, 4, 3, 2):
        for heading in soup.find_all(f"h{level}"):
            heading.name = f"h{level + 1}"


def _cut_off(soup: BeautifulSoup) -> None:
    """Remove what would look for another file or another host: links become words."""
    for link in soup.find_all("a", href=lambda to: to is None or not to.startswith("#")):
        link.unwrap()
    for link in soup.find_all("a"):
        if not soup.find(id=link["href"][1:]):
            link.unwrap()
    elsewhere = [*soup.find_all(["link", "iframe"]), *soup.find_all("script", src=True)]
    elsewhere += soup.find_all("img", src=lambda to: not (to or "").startswith("data:"))
    for part in elsewhere:
        part.decompose()


# Files


def write_files(texts: dict[Path, str]) -> None:
    """Write files whole or not at all: they get their names when every text is on the disk."""
    with ExitStack() as unless_named:
        files = {path: _write_beside(path, text, unless_named) for path, text in texts.items()}
        for path, file in files.items():
            os.replace(file, path)


def _write_beside(path: Path, text: str, unless_named: ExitStack) -> str:
    """Write a file that has no name of its own yet, and is removed if it gets none."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    unless_named.callback(Path(name).unlink, missing_ok=True)
    with open(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(name, 0o666 & ~_umask())
    return name


def _umask() -> int:
    """The rights that new files lack; a temporary file is its owner's alone."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
