"""``python -m helpers check``: is this machine ready for the book?"""

from __future__ import annotations

import argparse
import json
import sys

from helpers.workshop import setup_check


def main(arguments: list[str] | None = None) -> int:
    """Run a command of the book; return its exit code, 0 if this machine is ready and 1 if not."""
    options = read_arguments(arguments)
    if hasattr(sys.stdout, "reconfigure"):  # a console may not know every letter of a message
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        if not options.json:
            return 0 if setup_check.print_results(setup_check.run_checks()) else 1
        summary = setup_check.summarize(setup_check.run_checks())
    except KeyboardInterrupt:
        return 130
    print(json.dumps(summary))
    return 0 if summary["ready"] else 1


def read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m helpers", description="The book's helpers, from the command line."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    purpose = "check whether this machine is ready for the book"
    check = commands.add_parser("check", help=purpose, description=f"{purpose.capitalize()}.")
    check.add_argument("--json", action="store_true", help="print one JSON object, for the teacher")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
