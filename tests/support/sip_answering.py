"""A process that serves `SippyControl` and answers calls, for the tests of the signalling with real peers.

Run as `python -m tests.support.sip_answering '{"port": 0, ...}'`. It prints one JSON object a line: first its port,
then whatever happens to its legs. It reads commands from its input, one JSON list a line: ["dial", target, ring_s],
["hang_up"], ["count"], ["weigh"], ["stop"]. The user part that is called says what is done: `ring…` only rings,
`refuse…` is refused, else it is answered. It holds a port for the audio, and says nothing there.
"""

import gc
import json
import os
import signal
import socket
import sys
import threading
import time
from functools import partial
from typing import Any

from guardia.doors.voice.control import Arrival, Ended, Leg, RemoteMedia
from guardia.doors.voice.sip.sippy_control import SippyControl


def say(**event: Any) -> None:
    """Print one event."""
    print(json.dumps(event), flush=True)  # noqa: T201 (the test reads it)


class Listener:
    """Who prints what one leg tells."""

    def __init__(self, answering: "Answering") -> None:
        self.leg: Leg | None = None
        self._answering = answering

    def _say(self, event: str, **more: Any) -> None:
        say(event=event, leg=self.leg.id if self.leg else "", **more)

    def ringing(self) -> None:
        self._say("ringing")

    def answered(self, media: RemoteMedia) -> None:
        self._say("answered", media=vars(media))

    def media_changed(self, media: RemoteMedia) -> None:
        self._say("media_changed", media=vars(media))

    def key_by_info(self, key: str) -> None:
        self._say("key", key=key)

    def ended(self, how: Ended) -> None:
        if self.leg is not None and self.leg in self._answering.legs:
            self._answering.legs.remove(self.leg)
        self._say("ended", why=how.why, code=how.code)


class Answering:
    """The process."""

    def __init__(self, wishes: dict[str, Any]) -> None:
        self.legs: list[Leg] = []
        self.is_quiet = wishes.pop("is_quiet", False)
        self._audio = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._audio.bind(("127.0.0.1", 0))
        self._audio_port: int = self._audio.getsockname()[1]
        usual = {
            "host": "127.0.0.1",
            "port": 0,
            "public_host": "127.0.0.1",
            "peers": ["127.0.0.0/8"],
            "trunk": "",
            "call_limit": 200,
        }
        self.control = SippyControl(**{**usual, **wishes})

    def serve(self) -> None:
        """Serve until told to stop."""
        threading.Thread(target=self._obey, daemon=True).start()
        signal.signal(signal.SIGTERM, lambda *_: self.control.stop())
        say(event="serving", port=self.control.port, audio=self._audio_port)
        self.control.serve(self._arrived)
        say(event="stopped", count=self.control.count())

    def _arrived(self, leg: Leg, arrival: Arrival) -> None:
        listener = Listener(self)
        listener.leg = leg
        leg.listen(listener)
        self.legs.append(leg)
        if not self.is_quiet:
            say(event="arrived", leg=leg.id, **{**vars(arrival), "media": vars(arrival.media)})
        if arrival.called.startswith("refuse"):
            leg.refuse(486, "Busy Here")
            return
        leg.ring()
        if not arrival.called.startswith("ring"):
            leg.answer(self._audio_port)

    def _obey(self) -> None:
        for line in sys.stdin:
            command, *rest = json.loads(line)
            self.control.call_soon(partial(self._do, command, rest))

    def _do(self, command: str, rest: list[Any]) -> None:
        match command:
            case "dial":
                self._dial(*rest)
            case "hang_up":
                for leg in list(self.legs):
                    leg.hang_up()
            case "count":
                say(event="count", count=self.control.count(), registered=self.control.registered)
            case "counts":
                say(event="counts", **self.control.counts)
            case "weigh":
                self._weigh()
            case "freeze":
                time.sleep(60)
            case "stop":
                self.control.stop()

    def _dial(self, target: str, ring_s: float) -> None:
        listener = Listener(self)
        try:
            leg = self.control.dial(target, self._audio_port, listener, ring_s)
        except ValueError as error:
            say(event="not_dialled", error=str(error))
            return
        listener.leg = leg
        self.legs.append(leg)
        say(event="dialled", leg=leg.id)

    def _weigh(self) -> None:
        gc.collect()
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 (a file of the kernel)
            pages = int(statm.read().split()[1])
        kinds = ("ArrivingLeg", "CalledLeg", "SipTransaction")
        alive = [type(each).__name__ for each in gc.get_objects()]
        say(
            event="weight",
            kilobytes=pages * os.sysconf("SC_PAGESIZE") // 1024,
            files=len(os.listdir("/proc/self/fd")),  # noqa: PTH208 (a folder of the kernel)
            count=self.control.count(),
            alive={kind: alive.count(kind) for kind in kinds},
            transactions=len(self.control.transactions.tserver) + len(self.control.transactions.tclient),
        )


if __name__ == "__main__":
    Answering(json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}).serve()
