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
    for one in fields(own):
        sys.stdout.write(f"{one.name:<20} {getattr(own, one.name)}\n")
    return 0
