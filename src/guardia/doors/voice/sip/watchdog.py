"""A thread that asks our own SIP port every two seconds whether it answers, as a stranger would.

Three times no answer means that the receiver or the signalling loop has gone mute. Nothing in the process can be
trusted to mend that: the process ends at once, and the supervisor starts the line again.
"""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from guardia.doors.voice.sip.addresses import bracketed

logger = logging.getLogger(__name__)

EVERY_S: Final = 2.0
MOST_MISSED: Final = 3
EXIT_CODE: Final = 70
_LARGEST: Final = 8192


class Watchdog:
    """Who asks. `address` must be known to the guard, which lets it in without any limit."""

    def __init__(
        self, host: str, port: int, *, every_s: float = EVERY_S, die: Callable[[int], object] = os._exit
    ) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        own = ip_address(host)
        asked = ("::1" if own.version == 6 else "127.0.0.1") if own.is_unspecified else host  # noqa: PLR2004 (IPv6)
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.bind((asked, 0))
        self._target = (asked, port)
        self.address: tuple[str, int] = (str(ip_address(asked)), self._socket.getsockname()[1])
        self._every_s, self._die = every_s, die
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="line-watchdog", daemon=True)

    def start(self) -> None:
        """Begin asking."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more; twice is no error."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(self._every_s + 1)
        self._socket.close()

    def _watch(self) -> None:
        missed = 0
        while not self._stopped.is_set():
            missed = 0 if self._is_answered() else missed + 1
            if missed >= MOST_MISSED and not self._stopped.is_set():
                logger.critical("The phone line does not answer its own calls: it is ended, to be started again")
                self._die(EXIT_CODE)
                return

    def _is_answered(self) -> bool:
        """Ask once; whether answered or not, return when the next time has come."""
        ends_at = time.monotonic() + self._every_s
        call_id = secrets.token_hex(12)
        is_answered = False
        try:
            self._socket.sendto(self._question(call_id), self._target)
            while (left := ends_at - time.monotonic()) > 0 and not is_answered:
                self._socket.settimeout(left)
                is_answered = call_id.encode() in self._socket.recv(_LARGEST)
        except OSError:  # a timeout too: not answered
            is_answered = False
        self._stopped.wait(max(0.0, ends_at - time.monotonic()))
        return is_answered

    def _question(self, call_id: str) -> bytes:
        host, port = bracketed(self.address[0]), self.address[1]
        lines = [
            f"OPTIONS sip:watchdog@{bracketed(self._target[0])}:{self._target[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{call_id}",
            f"From: <sip:watchdog@{host}>;tag={call_id}",
            f"To: <sip:line@{host}>",
            f"Call-ID: {call_id}",
            "CSeq: 1 OPTIONS",
            "Max-Forwards: 70",
            "Content-Length: 0",
            "",
            "",
        ]
        return "\r\n".join(lines).encode()
