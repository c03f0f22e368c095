"""`guardia line run`: the line's parts put together in one process, and taken apart when it is told to stop."""

import os
import signal
import sys
import threading
from collections.abc import Mapping
from functools import partial
from threading import Event
from typing import Any, Final

from guardia.doors.voice.keeping import Keeper
from guardia.doors.voice.line import Line
from guardia.doors.voice.media.engine import SoundEngine
from guardia.doors.voice.prepared import SpeechUnavailable, prompts
from guardia.doors.voice.records import Records
from guardia.doors.voice.sip.sippy_control import SippyControl
from guardia.doors.voice.sip.watchdog import EXIT_CODE
from guardia.doors.voice.talk import Means
from guardia.kernel import clock
from guardia.kernel.environment import Settings
from guardia.wiring import call_journals

LEAVE_WITHIN_S: Final = 5.0


def run(own: Settings) -> int:
    """Serve calls until told to stop. Exit 0 when stopped, 1 where it cannot listen or speak."""
    try:
        voice = prompts(own)
        control = SippyControl.of(own)
    except (OSError, SpeechUnavailable) as error:
        sys.stderr.write(f"guardia: the phone line cannot start on {own.line_host}:{own.line_port}: {error}\n")
        return 1
    engine = SoundEngine(own.line_host, own.line_rtp_ports, control.call_soon, partial(os._exit, EXIT_CODE))
    records, stop = Records(), Event()

    def told() -> tuple[int, str, Mapping[str, Any]]:
        facts = {"line": line.figures(), "sound": engine.figures(), "signals": dict(control.counts)}
        where = f"{own.line_host}:{own.line_port}"
        return control.count(), control.registered, {**facts, "missing_prompts": voice.missing(), "where": where}

    def part() -> None:
        line.is_stopping = True  # before any leg ends of it
        control.stop()

    keeper = Keeper(records, f"line-{own.line_port}", clock.now(), told)
    line = Line(Means(control, engine, voice), records, call_journals(own), keeper, float(own.line_ring_s))
    keeping = threading.Thread(target=keeper.run, args=(stop,), name="keeping", daemon=True)
    keeping.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: part())
    control.call_soon(line.begin)
    try:
        control.serve(line.arrived)
    finally:
        engine.stop()
        stop.set()
        keeping.join(LEAVE_WITHIN_S)
    return 0
