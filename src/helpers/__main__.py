"""``python -m helpers check``: is this machine ready for the book?"""

from __future__ import annotations

import argparse
import json
import sys

from helpers.workshop import setup_check


def main() -> int:
    """Check this machine; return 0 if it is ready and 1 if not."""
    parser = argparse.ArgumentParser(prog="python -m helpers")
    parser.add_argument("command", choices=["check"], help="is this machine ready for the book?")
    parser.add_argument("--json", action="store_true", help="print one JSON object for the teacher")
    options = parser.parse_args()
    if hasattr(sys.stdout, "reconfigure"):  # a console may not know every letter of a message
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        summary = setup_check.check_machine(show=not options.json)
    except KeyboardInterrupt:
        return 130
    if options.json:
        print(json.dumps(summary))
    return 0 if summary["ready"] else 1


if __name__ == "__main__":
    sys.exit(main())
