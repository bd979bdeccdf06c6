"""What the records of stored studies have in common."""


def find_changes(stored: dict, now: dict) -> list[str]:
    """List what a record has otherwise than it would have today, one phrase each."""
    return [
        f"{name} was {stored.get(name)} and is {value}"
        for name, value in now.items()
        if stored.get(name) != value
    ]
