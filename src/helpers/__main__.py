"""``python -m helpers check``: is this machine ready for the book? ``report``: a report of a table."""

from __future__ import annotations

import argparse
import json
import os
import sys

from helpers.workshop import setup_check


def main() -> int:
    """Do what is asked; return the exit code: 0 if all went well."""
    if hasattr(sys.stdout, "reconfigure"):  # a console may not know every letter of a message
        sys.stdout.reconfigure(errors="backslashreplace")
    if sys.argv[1:2] == ["report"]:
        return make_report(sys.argv[2:])
    return check()


def check() -> int:
    """Check this machine; return 0 if it is ready and 1 if not."""
    parser = argparse.ArgumentParser(prog="python -m helpers")
    commands = parser.add_subparsers(dest="command", required=True)
    ready = commands.add_parser("check", help="is this machine ready for the book?")
    ready.add_argument("--json", action="store_true", help="print one JSON object for the teacher")
    commands.add_parser("report", help="fit, check and report a table: report --help tells how")
    options = parser.parse_args()
    try:
        summary = setup_check.check_machine(show=not options.json)
    except KeyboardInterrupt:
        return 130
    if options.json:
        print(json.dumps(summary))
    return 0 if summary["ready"] else 1


def make_report(arguments: list[str]) -> int:
    """Make a report; the exit code is that of ``helpers.report.main``."""
    try:
        from helpers import report  # which needs packages that a check can do without
    except ImportError as error:
        print(f"{error}; `python -m helpers check` tells what to do.", file=sys.stderr)
        return 2
    code = report.main(arguments)
    if code == 130:  # stopped: what waited for the kernel would tell at the exit that it died
        sys.stderr.flush()
        os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
