"""One leg's RTP socket: what is said goes out, what is heard comes in, 20 ms at a time.

Rules:
- Packets are taken from the signalled host only. The first sound one settles the port: from then on only that port
  is heard, and we send there (a NAT may have moved it). Another port is taken after three seconds of silence, or after
  `connect`. All else is counted and dropped.
- What another leg of our own engine sends is never heard: a far end on our own host could name that leg's port as its
  own, and its sound would settle the port before the true one speaks. Legs hear each other by `bridge`.
- Silence is sent while nothing is said, since NATs and peers expect it. To a far end that does not hear (hold) nothing
  is sent, but what is said passes in real time, so that whoever waits for its end does not wait for ever.
- The signalling thread calls the protocol's methods, the media thread `receive`, `hear` and `speak`; both under the
  engine's lock. Listeners are told after the lock is given back, in the signalling thread, never of a closed channel.
- After `record(None)` and `close` have returned, the sink was given everything.
"""

import secrets
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from threading import Lock

from guardia.doors.voice.control import RemoteMedia
from guardia.doors.voice.media.channel import Channel, ChannelListener
from guardia.doors.voice.media.digits import KeyReader, write_press
from guardia.doors.voice.media.figures import TICK_S, Figures
from guardia.doors.voice.media.jitter import JitterBuffer
from guardia.doors.voice.media.recording import Recording, Sink
from guardia.doors.voice.media.rtp import COMFORT_NOISE, HEADER, MARKER, PCMA, PCMU, BadPacket, Packet, read_packet
from guardia.doors.voice.media.speech import Speech
from guardia.kernel.sound import ALAW_OF_ULAW, FRAME, SILENT_FRAME, ULAW_OF_ALAW

_VERSION = 0x80
_LONGEST_DATAGRAM = 2048
_SILENT_TICKS = 250
_RELATCH_TICKS = 150
_DISCARD = 9
_STILL_OURS_S = 1.0
"""How long after its closing what a leg has sent may wait in another one's socket: fifty ticks, each takes it all."""
_PAUSE_AFTER_KEY = [b""] * 5


@dataclass
class Shared:
    """What an engine's channels share. `told` is what listeners will be told once the lock is given back; `left` says
    when ports were closed.
    """

    channels: dict[int, "SocketChannel"]
    closed: Callable[["SocketChannel"], None]
    lock: Lock = field(default_factory=Lock)
    figures: Figures = field(default_factory=Figures)
    told: list[Callable[[], None]] = field(default_factory=list)
    left: dict[int, float] = field(default_factory=dict)

    def is_own(self, port: int) -> bool:
        """Whether what comes from this port of our own host was sent by a channel."""
        return port in self.channels or (port in self.left and time.monotonic() - self.left[port] < _STILL_OURS_S)


def is_ours(host: str, bound: str) -> bool:
    """Whether sockets that are bound to the one address may send from the other. Sends nothing."""
    if not ip_address(bound).is_unspecified:
        return ip_address(host) == ip_address(bound)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect((host, _DISCARD))
        except OSError:  # no way there
            return False
        return ip_address(asked.getsockname()[0]) == ip_address(host)


class SocketChannel:
    """A `Channel` with a socket of its own."""

    def __init__(self, bound: socket.socket, listener: ChannelListener, shared: Shared) -> None:
        self._host, self.port = str(bound.getsockname()[0]), int(bound.getsockname()[1])
        self.socket = bound
        self.has_failed = False
        self._listener, self._shared = listener, shared
        self._remote: RemoteMedia | None = None
        self._address, self._latched, self._is_on_our_host = ("", 0), 0, False
        self._is_closed = False
        self._speech, self._saying = Speech(), 0
        self._events: deque[bytes] = deque()
        self._event_at = -1
        self._keys = KeyReader()
        self._jitter = JitterBuffer()
        self._recording: Recording | None = None
        self._partner: SocketChannel | None = None
        self._bridged: bytes | None = None
        self._silent_ticks = 0
        self._is_talking = False
        self._sequence, self._timestamp, self._source = (secrets.randbits(bits) for bits in (16, 32, 32))

    # ---- the signalling thread ----

    def connect(self, media: RemoteMedia) -> None:
        host = str(ip_address(media.host))
        is_on_our_host = is_ours(host, self._host)
        with self._shared.lock:
            self._address, self._latched, self._is_on_our_host = (host, media.port), 0, is_on_our_host
            self._remote = media
            self._silent_ticks = 0

    def play(self, audio: bytes, *, is_looped: bool = False) -> None:
        with self._shared.lock:
            self._saying += 1
            self._speech.say(audio, is_looped=is_looped)

    def hush(self) -> None:
        with self._shared.lock:
            self._saying += 1
            self._speech.hush()

    def press(self, key: str) -> None:
        """Send a key's press after those before it, while what is said waits; nothing where the far end takes none.
        Raises ValueError for what is no key.
        """
        payloads = write_press(key)
        with self._shared.lock:
            if self._remote is not None and self._remote.digits is not None:
                self._events.extend([*payloads, *_PAUSE_AFTER_KEY])

    def record(self, sink: Sink | None) -> None:
        with self._shared.lock:
            ended = self._end_recording()
            if sink is not None and not self._is_closed:
                self._listen_anew()
                self._recording = Recording(sink)
        if ended is not None:
            ended.hand_over()

    def _end_recording(self) -> Recording | None:
        ended, self._recording = self._recording, None
        if ended is not None:
            ended.end()
        return ended

    def _listen_anew(self) -> None:
        if self._recording is None and self._partner is None:
            self._jitter = JitterBuffer()

    def bridge(self, other: Channel | None) -> None:
        if other is not None and (not isinstance(other, SocketChannel) or other is self):
            raise TypeError("a channel is bridged to another one of the same engine")
        with self._shared.lock:
            self._part()
            if other is not None and not self._is_closed and not other._is_closed:  # noqa: SLF001  one of ours
                other._part()  # noqa: SLF001
                for one, two in ((self, other), (other, self)):
                    one._listen_anew()  # noqa: SLF001
                    one._partner = two  # noqa: SLF001

    def _part(self) -> None:
        for one in (self._partner, self):
            if one is not None:
                one._partner = one._bridged = None  # noqa: SLF001

    def close(self) -> None:
        with self._shared.lock:
            if self._is_closed:
                return
            self._is_closed = True
            self._part()
            ended = self._end_recording()
            self._shared.closed(self)
            self._shared.left[self.port] = time.monotonic()
            self.socket.close()
        if ended is not None:
            ended.hand_over()

    def _say_played(self, saying: int) -> None:
        if saying == self._saying and not self._is_closed:
            self._listener.played()

    def _say_key(self, key: str) -> None:
        if not self._is_closed:
            self._listener.key(key)

    def _say_silent(self, seconds: float) -> None:
        if not self._is_closed:
            self._listener.silent(seconds)

    # ---- the media thread ----

    def receive(self, now: float) -> None:
        """Take one packet from the socket."""
        try:
            data, source = self.socket.recvfrom(_LONGEST_DATAGRAM)
        except BlockingIOError:
            return  # its checksum was wrong, and the system has dropped it
        why = self._heard(data, source, now)
        if why:
            self._shared.figures.dropped[why] += 1

    def _heard(self, data: bytes, source: tuple[str, int], now: float) -> str:
        """Take a packet; return why it is dropped, or nothing."""
        remote = self._remote
        if remote is None:
            return "early"
        if source[0] != self._address[0]:
            return "foreign_host"
        port = source[1]
        if self._is_on_our_host and self._shared.is_own(port):
            return "own"
        if port != self._latched and self._latched and self._silent_ticks < _RELATCH_TICKS:
            return "foreign_port"
        try:
            packet = read_packet(data)
        except BadPacket as why:
            return str(why)
        if packet.kind not in {PCMU, PCMA, COMFORT_NOISE, remote.digits}:
            return "payload_type"
        if port != self._latched:
            self._latched, self._address = port, (self._address[0], port)
        self._silent_ticks = 0
        self._shared.figures.packets_in += 1
        return self._understood(packet, remote, now)

    def _understood(self, packet: Packet, remote: RemoteMedia, now: float) -> str:
        if packet.kind == remote.digits:
            key = self._keys.read(packet.timestamp, packet.payload, now)
            if key:
                self._shared.told.append(partial(self._say_key, key))
            return ""
        if self._recording is None and self._partner is None:
            return ""
        if packet.kind == PCMU:
            return self._jitter.put(packet, packet.payload)
        return self._jitter.put(packet, packet.payload.translate(ULAW_OF_ALAW) if packet.kind == PCMA else b"")

    def hear(self) -> None:
        """Hand on what is heard in these 20 ms."""
        remote = self._remote
        if remote is None:
            return
        if self._recording is not None or self._partner is not None:
            frame = self._jitter.take()
            if self._partner is not None:
                self._partner._bridged = frame  # noqa: SLF001
            if self._recording is not None and self._recording.take(frame):
                self._shared.told.append(self._recording.hand_over)
        self._silent_ticks += 1
        if not self._silent_ticks % _SILENT_TICKS and remote.sends:
            self._shared.told.append(partial(self._say_silent, self._silent_ticks * TICK_S))

    def speak(self) -> None:
        """Say the next 20 ms."""
        remote = self._remote
        if remote is None:
            return
        if self._events and remote.hears:
            self._send_event(self._events.popleft(), remote)
            return
        sound = self._speech.frame() or self._bridged
        self._bridged = None
        if self._speech.is_through():
            self._shared.told.append(partial(self._say_played, self._saying))
        if remote.hears:
            marker = MARKER if sound and not self._is_talking else 0
            frame = sound or SILENT_FRAME
            if remote.codec == "PCMA":
                self._send(PCMA | marker, self._timestamp, frame.translate(ALAW_OF_ULAW))
            else:
                self._send(PCMU | marker, self._timestamp, frame)
        self._is_talking = remote.hears and sound is not None
        self.skip()

    def skip(self) -> None:
        """Let 20 ms pass without a packet."""
        self._timestamp = (self._timestamp + FRAME) & 0xFFFFFFFF

    def _send_event(self, payload: bytes, remote: RemoteMedia) -> None:
        if not payload or remote.digits is None:
            self._event_at = -1
        else:
            marker = 0 if self._event_at >= 0 else MARKER
            self._event_at = self._timestamp if marker else self._event_at
            self._send(remote.digits | marker, self._event_at, payload)
        self._is_talking = False
        self.skip()

    def _send(self, kind: int, timestamp: int, payload: bytes) -> None:
        header = HEADER.pack(_VERSION, kind, self._sequence, timestamp, self._source)
        self._sequence = (self._sequence + 1) & 0xFFFF
        try:
            self.socket.sendto(header + payload, self._address)
        except OSError:  # full, or no way there: a packet lost, as any may be
            self._shared.figures.dropped["not_sent"] += 1
        else:
            self._shared.figures.packets_out += 1
