"""`guardia settings`: the settings in force, secrets hidden."""

import sys
from dataclasses import fields

from guardia.doors.cli.settled import settings_or_complaint


def main(arguments: list[str]) -> int:
    """Print a line for each setting."""
    if arguments:
        sys.stderr.write("usage: guardia settings\n")
        return 0 if arguments == ["--help"] else 2
    own = settings_or_complaint()
    if own is None:
        return 2
    width = max(len(one.name) for one in fields(own))
    for one in fields(own):
        sys.stdout.write(f"{one.name:<{width}} {_as_set(getattr(own, one.name))}".rstrip() + "\n")
    return 0


def _as_set(value: object) -> str:
    """Return a value as an environment variable would give it; nothing for none."""
    match value:
        case None:
            return ""
        case tuple():
            return ", ".join(str(one) for one in value)
        case range():
            return f"{value.start}-{value.stop - 1}"
        case _:
            return str(value)
