"""What the records of stored studies have in common."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np


def read_versions(packages: tuple[str, ...]) -> dict[str, str]:
    return {name: version(name) for name in packages}


def store(target: Path, files: dict[str, bytes], name: str, record: dict) -> None:
    """Write a study's tables, and its record with their checksums."""
    checksums = {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}
    text = json.dumps(record | {"sha256": checksums}, indent=2, ensure_ascii=False) + "\n"
    for file, content in (files | {name: text.encode()}).items():
        (target / file).write_bytes(content)
    sizes = [f"{file} ({len(content) / 1024:.0f} KB)" for file, content in files.items()]
    print(f"Written to {target}: {', '.join([*sizes, name])}.")


def find_changes(stored: dict, now: dict) -> list[str]:
    """List what a record has otherwise than it would have today, one phrase each."""
    return [
        f"{name} was {stored.get(name)} and is {value}"
        for name, value in now.items()
        if stored.get(name) != value
    ]


def find_moved_versions(record: dict, packages: tuple[str, ...]) -> list[str]:
    """List packages that have moved since: a study holds while its numbers do, its seconds may not."""
    return find_changes(record["versions"], read_versions(packages))


def list_differences(
    record: dict, settings: dict, fingerprint: list, tolerance: float, what: str
) -> list[str]:
    """List in which settings a record differs from today's, and whether ``what`` has changed: whether its
    fingerprint is farther than the tolerance from today's."""
    found = find_changes(record["settings"], settings)
    if not np.allclose(record["fingerprint"], fingerprint, rtol=0, atol=tolerance):
        found.append(f"{what} have changed")
    return found
