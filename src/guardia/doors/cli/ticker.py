"""`guardia ticker`: wait for what the clocks of all cases have to say, record it, and tell people.

Any number may run at the same time, on any machine: each claims what no other has. Killed in the middle of a batch, it
has done nothing of it. `--once` records what is due now and leaves.
"""

import argparse
import logging
import os
import signal
import socket
import sys
import time
from datetime import datetime, timedelta
from threading import Event

from django.db import Error, connection

from guardia.doors.cli.settled import database, settings_or_complaint
from guardia.kernel import clock

INTERVAL_S, SHORTEST_S, LONGEST_S = 0.25, 0.05, 60.0
BEAT_EVERY = timedelta(seconds=5)
WAIT_FOR_DATABASE_S = 2.0
_log = logging.getLogger("guardia.ticker")


def main(arguments: list[str]) -> int:
    """Tick until told to stop. Exit 0 when stopped, 1 where it fails, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="guardia ticker", description=__doc__)
    parser.add_argument("--once", action="store_true", help="record what is due now, and leave")
    parser.add_argument("--interval", type=_seconds, default=INTERVAL_S, help="seconds between two looks (0.25)")
    options = parser.parse_args(arguments)
    own = settings_or_complaint()
    if own is None:
        return 2
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with database(own):
        ticker = Ticker(f"{socket.gethostname()}:{os.getpid()}"[:80], clock.now())
        ticker.prepare()
        if options.once:
            sys.stdout.write(f"{ticker.drain(stop)} clocks heard\n")
        else:
            ticker.run(stop, options.interval)
    return 0


def _seconds(text: str) -> float:
    seconds = float(text)
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"from {SHORTEST_S} to {LONGEST_S} seconds, got {text}")
    return seconds


class Ticker:
    """One process that ticks."""

    def __init__(self, name: str, now: datetime) -> None:
        self.name, self.started_at, self.heard = name, now, 0
        self._beat_at = now - BEAT_EVERY

    def prepare(self) -> None:
        """Make sure that there is a policy to follow."""
        from guardia.journeys.fire_clocks import ensure_default_policy

        ensure_default_policy(clock.now())

    def drain(self, stop: Event) -> int:
        """Tick until nothing is due, or told to stop; return how many clocks were heard."""
        from guardia.journeys.fire_clocks import tick

        heard = 0
        while not stop.is_set():
            started, now = time.monotonic(), clock.now()
            done = tick(now)
            heard += done.clocks
            self.heard += done.clocks
            if now - self._beat_at >= BEAT_EVERY:
                self._beat(now, time.monotonic() - started)
            if not done.did_something:
                break
        return heard

    def run(self, stop: Event, interval_s: float) -> None:
        """Tick for ever; a database that is away for a while is waited for."""
        while not stop.is_set():
            try:
                self.drain(stop)
                stop.wait(interval_s)
            except Error:
                _log.exception("the database did not take a tick; trying again")
                connection.close()
                stop.wait(WAIT_FOR_DATABASE_S)

    def _beat(self, now: datetime, tick_s: float) -> None:
        from guardia.journeys.fire_clocks import beat

        beat(self.name, self.started_at, now, tick_s, self.heard)
        self._beat_at = now
