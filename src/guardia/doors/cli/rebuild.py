"""`guardia rebuild [--repair]`: compute every case's projections again from its events and show what differs.

With `--repair` the computed values are saved, and every open case's clocks are watched as its events say.
"""

import argparse
import sys

from guardia.doors.cli.settled import database, settings_or_complaint
from guardia.kernel import clock


def main(arguments: list[str]) -> int:
    """Exit 0 where nothing differs (or `--repair` mended it), 1 where something does."""
    parser = argparse.ArgumentParser(prog="guardia rebuild", description=__doc__)
    parser.add_argument("--repair", action="store_true", help="save the computed values, watch every open case")
    options = parser.parse_args(arguments)
    own = settings_or_complaint()
    if own is None:
        return 2
    with database(own):
        from guardia.journeys.rebuild_projections import rebuild_projections
        from guardia.journeys.watch_clocks import watch_open_cases

        seen = wrong = 0
        for number, columns in rebuild_projections(repair=options.repair):
            seen += 1
            if columns:
                wrong += 1
                sys.stdout.write(f"{number}: {', '.join(sorted(columns))}\n")
        if options.repair:
            sys.stdout.write(f"{watch_open_cases(clock.now())} open cases are watched\n")
    sys.stdout.write(f"{seen} cases, {wrong} {'repaired' if options.repair else 'differ'}\n")
    return 0 if options.repair or not wrong else 1
