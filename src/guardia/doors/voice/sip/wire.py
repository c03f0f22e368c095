"""The socket under sippy, and its transactions: our guard before it, no threads of its own behind it.

sippy's own server has a thread for each sender, which dies of a port that cannot be sent to and sleeps while the
network is busy; it shares its port with any other process, looks names up, and prints what it could not read. Ours
binds a port alone, receives in one thread that asks the guard, and sends at once or not at all: only to numeric
addresses of allowed peers.

Importing this module binds sippy's loop to the importing thread: only the process that serves the line does it.
"""

import logging
import socket
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from typing import Any, Final

import sippy.Core.EventDispatcher
import sippy.SipTransactionManager
from sippy.Core.EventDispatcher import ED2
from sippy.Network_server import Remote_address
from sippy.SipConf import SipConf
from sippy.SipGenericHF import SipGenericHF
from sippy.Time.MonoTime import MonoTime

from guardia.doors.voice.sip.addresses import HIGHEST_PORT, bracketed, numeric
from guardia.doors.voice.sip.guard import Answer, Guard, Pass

logger = logging.getLogger(__name__)

LONGEST_QUEUE: Final = 2000
_LOOK_UP_S: Final = 0.3
_LARGEST: Final = 65535
_BUFFER: Final = 2 * 1024 * 1024
MOST_REMEMBERED: Final = 4096
LARGEST_REMEMBERED: Final = 8 * 1024 * 1024


def told(message: str, *_: object, **__: object) -> None:
    """Log that something failed, by kind and place only: what sippy would print holds whole packets."""
    error = sys.exc_info()[1]
    frame = error.__traceback__ if error else None
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f"{frame.tb_frame.f_code.co_filename.rpartition('/')[2]}:{frame.tb_lineno}" if frame else "-"
    logger.error(
        "Signalling failed (%s): %s at %s", message.split(":", maxsplit=1)[0][:40], type(error).__name__, place
    )


def _unprinted(*_: object, **__: object) -> None:
    """Stand where sippy would print packets to the terminal."""


class _Unlogged:
    """A log for sippy that forgets: packets hold numbers, addresses and digests."""

    def write(self, *_: object, **__: object) -> None:
        """Forget it."""


def _hush() -> None:
    sippy.SipTransactionManager.dump_exception = told
    sippy.Core.EventDispatcher.dump_exception = told
    for name, module in list(sys.modules.items()):
        if name.startswith("sippy."):
            module.print = _unprinted  # type: ignore[attr-defined]
    SipConf.my_uaname = "Guardia"


class Written(SipGenericHF):  # type: ignore[misc]
    """A header's value as it is, under a name as it is: sippy would write `Proxy-authorization`."""

    def __init__(self, value: str, name: str) -> None:
        super().__init__(value, name)
        self._name = name

    def getCanName(self, *_: object) -> str:  # noqa: N802 (sippy's name)
        """Return the name."""
        return self._name

    def getCopy(self) -> "Written":  # noqa: N802 (sippy's name)
        """Return itself: it does not change."""
        return self


def raw_of(message: Any, name: str) -> list[str]:
    """Return a header's values as they came. sippy cannot read every challenge, and writes all as Digest."""
    return [str(header.body.body) for header in message.getHFs(name)]


class Remembered(OrderedDict[Any, Any]):
    """The answers that sippy gives again to what comes again. The oldest are forgotten when they are many or large."""

    def __init__(self) -> None:
        super().__init__()
        self.size = 0

    def __setitem__(self, key: Any, kept: Any) -> None:
        self._forget(key)
        super().__setitem__(key, kept)
        self.size += len(kept.data or "")
        while len(self) > MOST_REMEMBERED or self.size > LARGEST_REMEMBERED:
            self._forget(next(iter(self)))

    def _forget(self, key: Any) -> None:
        kept = self.pop(key, None)
        if kept is not None:
            self.size -= len(kept.data or "")


class _Options:
    """What sippy sets on the options of its servers."""

    def __init__(self, laddress: tuple[str, int], data_callback: Callable[..., None]) -> None:
        self.laddress, self.data_callback = laddress, data_callback
        self.flags = 1

    def isWildCard(self) -> bool:  # noqa: N802 (sippy's name)
        """Whether sippy should open a socket for each local address: never."""
        return False


class Wire:
    """One UDP socket, in the shape of sippy's servers. A dry run (`flags` 0) binds nothing: our bind is exclusive."""

    transport = "udp"

    def __init__(self, config: dict[str, Any], options: _Options) -> None:
        self.uopts = options
        self._guard: Guard = config["guard"]
        self._public_host: str = config["public_host"]
        self._inbox: SimpleQueue[tuple[bytes, tuple[str, int]]] = SimpleQueue()
        self._is_closed = options.flags == 0
        if self._is_closed:
            return
        host, port = options.laddress
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        try:
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self._socket.settimeout(_LOOK_UP_S)
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._receive, name="sip-receiver", daemon=True)
        self._thread.start()

    def getSIPaddr(self) -> tuple[tuple[str, int], str]:  # noqa: N802 (sippy's name)
        """Return the address that we give as ours."""
        return (bracketed(self._public_host), self.port), self.transport

    def addr2str(self, address: tuple[str, int]) -> str:
        """Write an address for sippy's log, which forgets it."""
        return f"{address[0]}:{address[1]}"

    def may_send(self, address: tuple[str, int | None]) -> bool:
        """Whether the address is numeric, of a peer or our watchdog, and has a port that exists."""
        host, port = numeric(address[0]), address[1]
        if host is None or not isinstance(port, int) or not 0 < port <= HIGHEST_PORT:
            return False
        return self._guard.allows(host) or (host, port) in self._guard.own

    def send_to(self, data: str | bytes, address: tuple[str, int], *_: object) -> None:
        """Send now, or count that it could not be sent: what matters is sent again by its transaction."""
        if self._is_closed:
            return
        if not self.may_send(address):
            self._guard.counts["unsendable"] += 1
            return
        raw = data if isinstance(data, bytes) else data.encode()
        try:
            self._socket.sendto(raw, socket.MSG_DONTWAIT, (numeric(address[0]), address[1]))
        except OSError:
            self._guard.counts["unsent"] += 1

    def _receive(self) -> None:
        while not self._is_closed:
            try:
                data, address = self._socket.recvfrom(_LARGEST)
            except TimeoutError:
                continue
            except OSError as error:
                if not self._is_closed:
                    logger.warning("The SIP socket could not be read: %s", error.strerror)
                    time.sleep(_LOOK_UP_S)
                continue
            try:
                self._take(data, (str(ip_address(address[0].partition("%")[0])), address[1]))
            except Exception:  # noqa: BLE001 (the receiver lives on, whatever a packet does to it)
                told("receiving")

    def _take(self, data: bytes, peer: tuple[str, int]) -> None:
        verdict = self._guard.admit(data, peer, time.monotonic())
        if isinstance(verdict, Answer):
            self.send_to(verdict.data, peer)
        elif isinstance(verdict, Pass):
            if self._inbox.qsize() >= LONGEST_QUEUE:
                self._guard.counts["overloaded"] += 1
                return
            self._inbox.put((verdict.data, (bracketed(peer[0]), peer[1])))
            ED2.callFromThread(self._hand_on)

    def _hand_on(self) -> None:
        try:
            data, address = self._inbox.get_nowait()
        except Empty:
            return
        if self._is_closed or self.uopts.data_callback is None:
            return
        try:
            self.uopts.data_callback(data, Remote_address(address, self.transport), self, MonoTime())
        except Exception:  # noqa: BLE001 (sippy's loop would print the packet)
            told("packet")

    def shutdown(self) -> None:
        """Close the socket and end the thread; twice is no error."""
        if not self._is_closed:
            self._is_closed = True
            self._thread.join(2)
            self._socket.close()
        self.uopts.data_callback = None  # type: ignore[assignment]


class Transactions(sippy.SipTransactionManager.SipTransactionManager):  # type: ignore[misc]
    """sippy's transactions over our socket, which remember only so much.

    An ACK goes where its Contact says only if that is a peer's address.
    """

    model_udp_server = (Wire, _Options)

    def __init__(self, guard: Guard, host: str, port: int, public_host: str, taken: Callable[..., Any]) -> None:
        config = {
            "guard": guard,
            "public_host": public_host,
            "_sip_address": host,
            "_sip_port": port,
            "_sip_logger": _Unlogged(),
        }
        super().__init__(config, taken)
        self.l1rcache, self.l2rcache = Remembered(), Remembered()
        _hush()

    def rCachePurge(self) -> None:  # noqa: N802 (sippy's)
        """Forget what is older than half a minute."""
        self.l2rcache, self.l1rcache = self.l1rcache, Remembered()
        self.l4r.rotateCache()

    @property
    def wire(self) -> Wire:
        """The socket."""
        found: Wire = self.l4r.getServer(("", 0))
        return found

    def transmitReq(self, t: Any, msg: Any, address: tuple[str, int], *rest: Any, **named: Any) -> None:  # noqa: N802 (sippy's)
        """Send an ACK or CANCEL to where it should go, or to where its call went."""
        super().transmitReq(t, msg, address if t.userv.may_send(address) else t.address, *rest, **named)
