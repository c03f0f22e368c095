"""A far end for tests of the media thread: a socket that talks and listens, and a signalling thread to be told."""

import queue
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from guardia.doors.voice.control import Codec, RemoteMedia
from guardia.doors.voice.media.channel import Channel
from guardia.doors.voice.media.digits import write_press
from guardia.doors.voice.media.engine import SoundEngine
from guardia.doors.voice.media.rtp import Packet, read_packet, write_packet
from guardia.doors.voice.media.socket_channel import SocketChannel
from guardia.kernel.sound import FRAME, SILENT_FRAME

PORTS = range(24_000, 25_000)
KEYS_TYPE = 101
WITHIN_S = 20.0
"""How long to wait for what must happen: the machine may be busy."""
VOICE = [bytes([n]) * FRAME for n in range(1, 50)]


@dataclass
class Ear:
    """A listener that writes down what it is told, and in which thread."""

    keys: str = ""
    times_played: int = 0
    silences: list[float] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    def played(self) -> None:
        self.times_played += 1
        self._note()

    def key(self, key: str) -> None:
        self.keys += key
        self._note()

    def silent(self, seconds: float) -> None:
        self.silences.append(seconds)
        self._note()

    def has_keys(self, count: int) -> bool:
        return len(self.keys) >= count

    def _note(self) -> None:
        self.threads.add(threading.current_thread().name)


class Desk:
    """An engine whose signalling thread is the test: it does what it is told while it waits."""

    def __init__(self) -> None:
        self.told: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.deaths: list[str] = []
        self.engine = SoundEngine("127.0.0.1", PORTS, self.told.put, self.died)

    def died(self) -> None:
        """What the engine does where it cannot go on; the process of a test goes on."""
        self.deaths.append(threading.current_thread().name)

    def work(self, seconds: float) -> None:
        self.until(lambda: False, seconds, must=False)

    def until(self, happened: Callable[[], bool], seconds: float = WITHIN_S, *, must: bool = True) -> None:
        end = time.monotonic() + seconds
        while not happened() and time.monotonic() < end:
            try:
                self.told.get(timeout=0.01)()
            except queue.Empty:
                continue
        assert happened() or not must


class SteppedEngine(SoundEngine):
    """An engine without a clock: the test says when a tick is, so that none is ever late."""

    def _run(self) -> None:
        """Nothing by itself."""

    def step(self, now: float) -> None:
        """Do one tick, and tell what it brought."""
        with self._shared.lock:
            self._receive(now, 1)
            self._tick(is_said=True)
            told, self._shared.told[:] = list(self._shared.told), []
        for act in told:
            self._post(act)


class SteppedDesk(Desk):
    """A desk with an engine that it drives."""

    def __init__(self) -> None:
        self.told, self.deaths, self.steps = queue.SimpleQueue(), [], 0
        self.stepped = SteppedEngine("127.0.0.1", PORTS, self.told.put, self.died)
        self.engine = self.stepped

    def step(self, times: int = 1) -> None:
        """Let so many ticks pass."""
        for _ in range(times):
            self.stepped.step(1000.0 + self.steps * 0.02)
            self.steps += 1

    def talk(self, *talks: "tuple[Peer, list[bytes]]") -> None:
        """Let peers talk at the same time, a frame each tick, and be heard out."""
        for turn in range(max(len(frames) for _, frames in talks)):
            for peer, frames in talks:
                if turn < len(frames):
                    peer.send(frames[turn])
            self.step()
        self.step(20)


class Peer:
    """A far end: sends what it is told to at 50 packets a second, and keeps every packet that comes."""

    def __init__(self, channel: Channel, codec: Codec = "PCMU", host: str = "127.0.0.1", port: int = 0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, port))
        self.socket.settimeout(0.05)
        self.to = ("127.0.0.1", channel.port)
        self.codec, self.sequence, self.came, self.is_over = codec, 65_530, list[Packet](), False
        self.thread = threading.Thread(target=self._receive)
        self.thread.start()

    def media(self, *, hears: bool = True, sends: bool = True) -> RemoteMedia:
        host, port = self.socket.getsockname()
        return RemoteMedia(host, port, self.codec, KEYS_TYPE, sends=sends, hears=hears)

    def _receive(self) -> None:
        while not self.is_over:
            try:
                self.came.append(read_packet(self.socket.recv(2048)))
            except TimeoutError:
                continue

    def send(self, payload: bytes, kind: int = 0, timestamp: int | None = None) -> None:
        at = self.sequence * FRAME if timestamp is None else timestamp
        self.socket.sendto(
            write_packet(Packet(kind, False, self.sequence & 0xFFFF, at & 0xFFFFFFFF, 5, payload)), self.to
        )
        self.sequence += 1

    def talk(self, frames: list[bytes], kind: int = 0) -> None:
        due = time.monotonic()
        for frame in frames:
            self.send(frame, kind)
            due = max(due + 0.02, time.monotonic())  # never in bursts, however busy the machine
            time.sleep(max(due - time.monotonic(), 0))

    def press(self, key: str, timestamp: int) -> None:
        for payload in write_press(key):
            self.send(payload, KEYS_TYPE, timestamp)

    def heard(self) -> bytes:
        """What came, without the silence before and after."""
        return b"".join(packet.payload for packet in list(self.came) if packet.kind in {0, 8})

    def close(self) -> None:
        self.is_over = True
        self.thread.join()
        self.socket.close()


def connected(desk: Desk, codec: Codec = "PCMU") -> tuple[SocketChannel, Peer, Ear]:
    ear = Ear()
    channel = desk.engine.open(ear)
    peer = Peer(channel, codec)
    channel.connect(peer.media())
    return channel, peer, ear


def voices(sound: bytes) -> list[bytes]:
    frames = [sound[at : at + FRAME] for at in range(0, len(sound), FRAME)]
    return [frame for frame in frames if frame != SILENT_FRAME]
