"""`guardia keys lab ID`, `guardia keys ceremony` and `guardia keys dkim`: make keys, for production too.

Lab keys wrap sample keys. The ceremony makes the TUF roots, targets, online and evidence keys of both lanes. The DKIM
key signs mail; its DNS record is printed, each time. All make what is missing and change nothing that is there.
"""

import argparse
import sys

from guardia.doors.cli.settled import settings_or_complaint
from guardia.kernel import clock
from guardia.kernel.environment import Settings
from guardia.wiring import hold_ceremony, mail_key_record, make_lab_key, make_mail_key


def main(arguments: list[str]) -> int:
    """Make keys; exit 1 where they cannot be made."""
    parser = argparse.ArgumentParser(prog="guardia keys", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    made = commands.add_parser("lab", help="make the lab key file")
    made.add_argument("id", help="the key's id, stored with every wrapped key")
    commands.add_parser("ceremony", help="make the signing keys and roots that are missing")
    commands.add_parser("dkim", help="make the key that signs mail, where it is missing, and print its DNS record")
    options = parser.parse_args(arguments)
    own = settings_or_complaint()
    if own is None:
        return 2
    why = _make(own, options)
    if why:
        sys.stderr.write(f"guardia keys: {why}\n")
    return 1 if why else 0


def _make(own: Settings, options: argparse.Namespace) -> str:
    """Make what was asked for; return why not, or an empty text."""
    if options.what == "lab":
        return make_lab_key(own, options.id)
    if options.what == "ceremony":
        return hold_ceremony(own, clock.now())
    why = make_mail_key(own)
    if not why:
        record = mail_key_record(own)
        why = record.refusal
        sys.stdout.write(record.text)
    return why
