"""Chapters in a real JupyterLab, as somebody meets them who has cloned the book and opens the file."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, expect

from chapters import ROOT

SHOTS = ROOT / "_build" / "screenshots"
OPENED = ("02_exploring_is_modelling", "07_random_slope")
# All cells are drawn at once, so that the whole page can be read and its picture taken; no question about news.
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
WINDOW = {"width": 1200, "height": 1000}
LITERAL = ["{ref}", "{cite", "{term}", "```", ":::", ")=\n"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[str]:
    """Address of a JupyterLab that serves a copy of the notebooks."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", home / "notebooks", ignore=shutil.ignore_patterns("report"))
    for name, chosen in SETTINGS.items():
        file = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(chosen), encoding="utf-8")
    folders = {"RUNTIME_DIR": "runtime", "CONFIG_DIR": "config", "DATA_DIR": "data"}
    own = {f"JUPYTER_{name}": str(home / folder) for name, folder in folders.items()}
    own |= {
        f"JUPYTERLAB_{name}_DIR": str(home / name.lower()) for name in ("SETTINGS", "WORKSPACES")
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"]
    options = ["--IdentityProvider.token=", f"--ServerApp.root_dir={home / 'notebooks'}"]
    with open(home / "log", "w") as log:
        server = subprocess.Popen(
            [*command, *options], env=os.environ | own, stdout=log, stderr=log, cwd=home
        )
    try:
        yield wait_for_address(home, server)
    finally:
        server.terminate()
        server.wait(timeout=20)


def wait_for_address(home: Path, server: subprocess.Popen) -> str:
    while server.poll() is None:
        for file in (home / "runtime").glob("jpserver-*.json"):
            try:
                return json.loads(file.read_text(encoding="utf-8"))["url"]
            except json.JSONDecodeError:  # half written
                pass
        time.sleep(0.1)
    raise RuntimeError((home / "log").read_text(encoding="utf-8"))


@pytest.fixture
def open_notebook(chromium, lab):
    """Function that opens a chapter and waits until its text is drawn and its kernel idles."""
    contexts = []

    def show(name: str) -> Page:
        contexts.append(chromium.new_context(viewport=WINDOW))
        page = contexts[-1].new_page()
        page.goto(f"{lab}lab/tree/{name}.ipynb?reset")
        expect(page.locator(".jp-NotebookPanel h2", has_text="Key points")).to_be_attached(
            timeout=60_000
        )
        expect(page.locator(".jp-Notebook .jp-InputArea-prompt", has_text="[*]")).to_have_count(0)
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=60_000)
        return page

    yield show
    for context in contexts:
        context.close()


def shoot(page: Page, name: str) -> None:
    """Keep a picture of the whole notebook, for people to look at."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    whole = page.locator(".jp-WindowedPanel-inner").evaluate("e => e.scrollHeight")
    page.set_viewport_size(WINDOW | {"height": whole + 200})
    page.locator(".jp-WindowedPanel-outer").evaluate("e => e.scrollTo(0, 0)")
    page.screenshot(path=SHOTS / f"jupyterlab-{name}.png")


def read_code(name: str) -> list[nbformat.NotebookNode]:
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def said(page: Page) -> str:
    """What can be read in the Markdown cells."""
    return "\n".join(page.locator(".jp-MarkdownOutput:visible").all_inner_texts())


@pytest.mark.parametrize("name", OPENED)
def test_a_chapter_opened_reads_like_its_page(open_notebook, name):
    page = open_notebook(name)
    shoot(page, f"{name}-opened")
    text = said(page)
    assert [literal for literal in LITERAL if literal in text] == []
    for words in ("In this chapter", "Objectives", "Exercise", "Hint", "Solution", "Key points"):
        assert words in text, words
    assert page.locator(".jp-MarkdownOutput a[href*='.ipynb']:visible").count() >= 3
    assert page.locator(".jp-MarkdownOutput mjx-container:visible").count()
    # Solutions are collapsed, and of what only makes a sentence no more than its name is to be seen.
    shown = [cell for cell in read_code(name) if "solution" not in cell.metadata.get("tags", [])]
    hidden = [cell.source.splitlines()[0] for cell in shown if "jupyter" in cell.metadata]
    assert page.locator(".jp-CodeCell:visible").count() == len(shown)
    assert page.locator(".jp-InputPlaceholder:visible").all_inner_texts() == hidden
    assert page.locator(".jp-CodeCell .cm-content:visible").count() == len(shown) - len(hidden)


def test_run_all_keeps_the_answers_to_itself(open_notebook):
    page = open_notebook(OPENED[0])
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    prompts = page.locator(".jp-CodeCell .jp-InputArea-prompt")
    expect(prompts.last).to_have_text(re.compile(r"\[\d+\]:"), timeout=120_000)
    shoot(page, f"{OPENED[0]}-run")
    outputs = "\n".join(page.locator(".jp-OutputArea-output:visible").all_inner_texts())
    exercises = page.locator(".jp-MarkdownOutput h3:visible", has_text="Exercise").count()
    assert outputs.count("There is no answer yet") == exercises > 0
    assert "Right." not in outputs
    assert "The line is wrong with confidence" in outputs
    assert not page.locator("[data-mime-type*=stderr]").count()
