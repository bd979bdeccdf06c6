"""A small page with the cells that ``python -m helpers report`` reads, in place of the chapter."""

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.report import Request, running

TEXT = """# Your own table

The story.

> **In this chapter**
>
> **Questions**
> - What do you want to know?"""
PARAMETERS = """source = formula = unit = None
low = high = per = reach = gain = cost = how = None
drop_missing = False
draws = tune = chains = seed = 1"""
PICTURE = """from IPython.display import HTML, Image, display
display(Image(b"\\x89PNG", format="png"))
HTML("<img src='http://example.org/a.png'><script src='https://example.org/a.js'></script>"
     "<table><tr><td>a cell</td></tr></table>")"""
REPORT = """from IPython.display import Markdown
Markdown(f"# The answer\\n\\nIt is $\\\\tau$ = {low} to {high} {unit}, per {per}.\\n\\n"
         "| a | b |\\n|---|---|\\n| `1\\\\|g` | 2 |")"""
SLEEP = "import time; time.sleep(seed)"
STEP = """## The $\\beta$ step

See [the chapter](07_random_slope.ipynb) and [a page](https://example.org/page)."""
TEACHING = ("exercise", "solution", "self-check", "colab")


def write_page(folder: Path, code: str = "", step: str = STEP) -> Path:
    """The page's notebook; ``code`` runs in its middle."""
    cells = [
        new_markdown_cell(TEXT),
        *(new_code_cell("1 / 0", metadata={"tags": [tag]}) for tag in TEACHING),
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        new_markdown_cell(step),
        new_code_cell(PICTURE, metadata={"mystnb": {"image": {"alt": "A line rises"}}}),
        new_code_cell(code),
        new_code_cell("print('seen not')", metadata={"tags": ["remove-cell"]}),
        new_code_cell("print('a note')", metadata={"tags": ["hide-output"]}),
        new_code_cell(REPORT, metadata={"tags": ["report"]}),
        new_markdown_cell("## Exercises"),
        new_markdown_cell("## Key points\n\n- A point"),
    ]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    page = folder / running.CHAPTER
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), page)
    return page


def make_request(folder: Path, **changes) -> Request:
    """What a report is asked for, of a table that the small page does not read."""
    asked = {"source": "/a/table.csv", "formula": "y ~ x + (x | g)", "low": 0, "high": 9.5}
    asked |= {"unit": "s", "html": folder / "table-report.html", "command": "helpers report"}
    return Request(**asked | changes)
