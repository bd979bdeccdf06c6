"""Reports as a newcomer makes them, read in a browser, and runs that are killed."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import helpers
from browser_page import Visit, violations
from helpers.report import running
from report_page import SLEEP, write_page

SOURCES = str(Path(helpers.__file__).parents[1])
TABLES = Path(__file__).parents[2] / "data" / "tables"
ASKED = {
    "sleepstudy": ["reaction ~ days + (days | subject)", "--range", "100", "700", "--unit", "ms"],
    "orthodont": ["distance ~ age * sex + (age | subject)", "--range", "10", "40", "--unit", "mm"],
}
BEYOND = {
    "penicillin": [
        "diameter ~ 1 + (1 | plate) + (1 | sample)",
        "--range",
        "10",
        "40",
        "--unit",
        "mm",
    ],
    "pastes": ["strength ~ 1 + (1 | batch/cask)", "--range", "40", "80", "--unit", "%"],
    "wine": [
        "bitterness ~ temperature * contact + (1 | judge) + (1 | bottle)",
        "--range",
        "0",
        "100",
        "--unit",
        "points",
    ],
    "contraception": [
        "uses ~ age + urban + (1 | district)",
        "--range",
        "0.02",
        "0.98",
        "--family",
        "bernoulli",
        "--per",
        "10",
    ],
    "grouseticks": [
        "ticks ~ height + C(year) + (1 | location)",
        "--range",
        "0.1",
        "60",
        "--unit",
        "ticks",
        "--family",
        "negativebinomial",
        "--per",
        "10",
    ],
}
# What these reports have to say: of published tables, whose stories are known.
SAID = {
    "penicillin": "each meets each group of `plate`",
    "pastes": "each lies within one group of `batch`",
    "wine": "It depends on `contact`",
    "contraception": "`uses` bends downwards along `age`",
    "grouseticks": "Within a group the ratio of means of 10 more of height",
}
EXACT = ("penicillin", "pastes", "wine")  # two grouping factors with intercepts
PHONE = {"width": 400, "height": 800}
# The command with the small page, and the helpers of this checkout from any folder.
SMALL = """from pathlib import Path
from helpers.report import main, running
running.PLACES = (Path({!r}),)
exit(main({!r}))"""


def temporary_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name} temporary")


def start(*words: str, cwd: Path, **settings) -> subprocess.Popen:
    """Run Python with the helpers of this checkout, and a folder of its own for what is temporary."""
    temporary_of(cwd).mkdir(exist_ok=True)
    own = {"PYTHONPATH": SOURCES, "TMPDIR": str(temporary_of(cwd))}
    return subprocess.Popen([sys.executable, *words], cwd=cwd, env=os.environ | own, **settings)


@pytest.mark.parametrize("name", ASKED)
def test_a_table_becomes_a_report_that_reads_well_on_a_screen_and_a_phone(chromium, tmp_path, name):
    table = str(TABLES / f"{name}.csv")
    assert start("-m", "helpers", "report", table, *ASKED[name], cwd=tmp_path).wait() == 0
    html, text = (tmp_path / f"{name}-report{suffix}" for suffix in (".html", ".md"))
    assert {path.name for path in tmp_path.iterdir()} == {html.name, text.name}
    assert html.stat().st_size < 2e6
    with Visit(chromium, html) as opened:
        first = opened.page.locator("h1, h2").first.text_content()
        assert text.read_text("utf-8").startswith(f"# {first}\n")
        assert opened.count("img[src^='data:image/png']") >= 2 and opened.count("h1") == 1
        assert violations(opened.page) == []
        book = opened.page.locator("figure.to-touch").first
        before = book.locator(".status").text_content()
        book.get_by_label("Next data set").click()
        assert book.locator(".status").text_content() != before
        opened.page.set_viewport_size(PHONE)
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert opened.problems == []


@pytest.mark.parametrize("name", BEYOND)
def test_a_table_beyond_the_three_models_becomes_a_report(tmp_path, name):
    table = str(TABLES / f"{name}.csv")
    assert start("-m", "helpers", "report", table, *BEYOND[name], cwd=tmp_path).wait() == 0
    text = (tmp_path / f"{name}-report.md").read_text("utf-8")
    assert SAID[name] in text
    assert ("No exact answer stands beside the sampler's" in text) == (name not in EXACT)
    assert not re.search(r"\b(nan|None|inf)\b", text)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("sent", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_a_killed_run_leaves_nothing_that_looks_finished(tmp_path, sent, code):
    """An old report stays, the kernel ends, and only a SIGKILL leaves a temporary folder."""
    write_page(tmp_path, f"open({str(tmp_path / 'begun')!r}, 'w').close(); {SLEEP}")
    (tmp_path / "t.csv").write_text("y,x,g\n1,2,a\n2,3,a\n3,5,b\n", encoding="utf-8")
    (tmp_path / "t-report.html").write_text("old", encoding="utf-8")
    words = ["t.csv", "y ~ x + (1 | g)", "--range", "0", "9", "--unit", "s", "--seed", "60"]
    run = start(
        "-c", SMALL.format(str(tmp_path), words), cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    wait_for((tmp_path / "begun").exists)
    kernels = subprocess.check_output(["pgrep", "-P", str(run.pid)], text=True).split()
    run.send_signal(sent)
    assert run.wait(20) == code and kernels
    wait_for(lambda: not any(is_running(kernel) for kernel in kernels))
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"begun", "t.csv", "t-report.html", running.CHAPTER}
    assert (tmp_path / "t-report.html").read_text("utf-8") == "old"
    if sent != signal.SIGKILL:
        assert "Stopped; nothing was written." in run.stderr.read()
        assert list(temporary_of(tmp_path).glob("report-*")) == []


def is_running(process: str) -> bool:
    """Whether a process is there and no zombie."""
    asked = subprocess.run(["ps", "-o", "stat=", "-p", process], capture_output=True, text=True)
    return bool(asked.stdout.strip()) and not asked.stdout.startswith("Z")


def wait_for(condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
