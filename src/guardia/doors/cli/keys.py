"""`guardia keys lab ID` and `guardia keys ceremony`: make keys, for production too.

Lab keys wrap sample keys. The ceremony makes the TUF roots, targets, online and evidence keys of both lanes; it makes
what is missing and changes nothing that is there.
"""

import argparse
import sys

from guardia.doors.cli.settled import settings_or_complaint
from guardia.kernel import clock
from guardia.wiring import hold_ceremony, make_lab_key


def main(arguments: list[str]) -> int:
    """Make keys; exit 1 where they cannot be made."""
    parser = argparse.ArgumentParser(prog="guardia keys", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    made = commands.add_parser("lab", help="make the lab key file")
    made.add_argument("id", help="the key's id, stored with every wrapped key")
    commands.add_parser("ceremony", help="make the signing keys and roots that are missing")
    options = parser.parse_args(arguments)
    own = settings_or_complaint()
    if own is None:
        return 2
    why = make_lab_key(own, options.id) if options.what == "lab" else hold_ceremony(own, clock.now())
    if why:
        sys.stderr.write(f"guardia keys: {why}\n")
    return 1 if why else 0
