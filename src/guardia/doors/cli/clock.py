"""`guardia clock explain SCENARIO.json`: the response clock's arithmetic, without a database."""

import sys

from guardia.doors.cli import clock_explain


def main(arguments: list[str]) -> int:
    """Run `clock explain`."""
    if not arguments or arguments[0] != "explain":
        sys.stderr.write("usage: guardia clock explain SCENARIO.json|- [--text]\n")
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    return clock_explain.run(arguments[1:], sys.stdin, sys.stdout, sys.stderr)
