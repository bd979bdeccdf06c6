"""What the records of stored studies have in common."""

import numpy as np


def find_changes(stored: dict, now: dict) -> list[str]:
    """List what a record has otherwise than it would have today, one phrase each."""
    return [
        f"{name} was {stored.get(name)} and is {value}"
        for name, value in now.items()
        if stored.get(name) != value
    ]


def list_differences(
    record: dict, settings: dict, fingerprint: list, tolerance: float, what: str
) -> list[str]:
    """List in which settings a record differs from today's, and whether ``what`` has changed: whether its
    fingerprint is farther than the tolerance from today's."""
    found = find_changes(record["settings"], settings)
    if not np.allclose(record["fingerprint"], fingerprint, rtol=0, atol=tolerance):
        found.append(f"{what} have changed")
    return found
