"""A report about any table: ``python -m helpers report`` runs the page "Your own table" and writes it down.

What is asked (``request``), the run of the page (``running``), the files (``page``, ``formulas``).
"""

import sys
import tempfile
from pathlib import Path

from helpers.report import page, running
from helpers.report.request import Request, check, make_folder, read_arguments

__all__ = ["Request", "check", "main", "write_report"]

DONE, REJECTED, REFUSED, BROKEN = 0, 1, 2, 3
KIND = ("ValueError", "QuadratureFailed", "FileNotFoundError")  # their messages are for readers


def main(arguments: list[str]) -> int:
    """Do what the command line says; return the exit code, as ``write_report`` does."""
    try:
        request = read_arguments(arguments)
        check(request)
        chapter = running.find_chapter()
        make_folder(request.folder)
    except (ValueError, OSError) as error:
        return _say(str(error), REFUSED)
    try:
        with running.stop_when_told():
            return write_report(request, chapter)
    except KeyboardInterrupt:
        return _say("Stopped; nothing was written.", 130)


def write_report(request: Request, chapter: Path) -> int:
    """Run the page and write the report, as HTML and as Markdown.

    Returns 0, or 1 if a fit was rejected by the gate, which the report then says first; 2 if the
    page refused the table in a sentence, and 3 if it broke, where a partly run notebook is kept. In
    the last two cases an old report stays what it was.
    """
    with tempfile.TemporaryDirectory(prefix="report-", ignore_cleanup_errors=True) as folder:
        run = running.run_page(chapter, request, Path(folder))
        if run.error in KIND:
            return _say(f"In the step {run.step!r}: {run.message}", REFUSED)
        if run.error not in (None, "FitRejected"):
            return _keep(run, request)
        text = page.find_report(run, request) if run.error is None else page.reject(run, request)
        page.write_files({request.html: page.render(text, run, request), request.markdown: text})
    _stopped(request).unlink(missing_ok=True)  # of a run before
    if run.error:
        return _say(f"This fit must not be read; why, says {request.html}", REJECTED)
    print(f"The report is at {request.html}\nand as Markdown at {request.markdown}")
    return DONE


def _keep(run: running.Run, request: Request) -> int:
    """Keep the partly run notebook of a page that broke, and say where."""
    kept = _stopped(request)
    page.write_files({kept: run.as_text()})
    first = run.message.strip().partition("\n")[0]
    cell = "" if run.cell is None else f", in cell [{run.cell}]"
    return _say(
        f"The page broke in the step {run.step!r}{cell}, with {run.error}: {first}\n"
        f"There is no report; the notebook as far as it ran is at {kept}",
        BROKEN,
    )


def _stopped(request: Request) -> Path:
    return request.html.with_suffix(".stopped.ipynb")


def _say(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return code
