"""What a page offers to fetch or to open: its notebook with and without outputs, Binder and Colab."""

import contextlib
from pathlib import Path

import nbformat
from sphinx.application import Sphinx

from chapters import list_chapters, read_executed

EXECUTED = "_executed"  # notebooks with outputs, to download


def offer_executed(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Add the notebook with outputs to the page's downloads."""
    groups = [entry for entry in context["header_buttons"] if entry["label"] == "download-buttons"]
    if groups and context.get("page_source_suffix") == ".ipynb":
        target = f"{context['pathto'](EXECUTED, 1)}/{Path(pagename).name}.ipynb"
        button = {"type": "link", "url": target, "text": ".ipynb with outputs"}
        button |= {"tooltip": "Download with outputs", "icon": "fas fa-chart-line"}
        groups[0]["buttons"].insert(1, {**button, "label": "download-executed-button"})


def offer_launch(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Leave Binder and Colab to the chapters: what is no notebook opens in neither."""
    if context.get("page_source_suffix") != ".ipynb":
        context["header_buttons"] = [
            entry for entry in context["header_buttons"] if entry["label"] != "launch-buttons"
        ]


def write_executed(app: Sphinx) -> None:
    """Copy each chapter with the outputs that its page shows, as far as it was executed."""
    folder = Path(app.outdir, EXECUTED)
    folder.mkdir(exist_ok=True)
    for page in list_chapters():
        with contextlib.suppress(SystemExit):
            nbformat.write(read_executed(page), folder / page.name)
