"""`guardia mail ACT`: the processes of the mail door, each of which may be killed and started again at any moment.

`listen` takes mail in by SMTP, LMTP and IMAP and keeps it on disk; it needs the lab keys, and no database. `work` turns
it into cases and replies; any number may run on the machine that has the spool.
"""

import argparse
import signal
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import import_module
from threading import Event

from guardia.doors.cli.settled import database, settings_or_complaint
from guardia.kernel.environment import Settings


@dataclass(frozen=True)
class Act:
    """An act of the mail door: `run(settings, stop)` of a module there, which returns the exit code."""

    module: str
    what: str
    needs_database: bool


ACTS = {
    "work": Act("guardia.doors.mail.working", "turn stored mail into cases and replies", needs_database=True),
    "listen": Act("guardia.doors.mail.listening", "take mail in and keep it on disk", needs_database=False),
}


def main(arguments: list[str]) -> int:
    """Run one act until told to stop. Exit 0 when stopped, 1 where it fails, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="guardia mail", description=__doc__)
    acts = parser.add_subparsers(dest="act", required=True)
    for name, act in ACTS.items():
        acts.add_parser(name, help=act.what)
    act = ACTS[parser.parse_args(arguments).act]
    own = settings_or_complaint()
    if own is None:
        return 2
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with database(own) if act.needs_database else nullcontext():
        run: Callable[[Settings, Event], int] = import_module(act.module).run
        return run(own, stop)
