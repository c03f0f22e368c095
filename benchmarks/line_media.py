"""What the phone line's sound costs: `python benchmarks/line_media.py [--legs 20,60,100,200] [--seconds 10]`.

So many legs are bridged in pairs and talk both ways, 50 packets a second each, with a far end in a process of its own
on loopback. Measured: the processor time of the engine's process, how late its ticks were, and what was lost of all
that was sent to and fro. Beside it a bare loop that only receives and sends as many packets: what any such
line costs at least. One more row has every leg recorded too, and one a neighbour thread that is always busy, as a
desk's may be. Prints a table and writes `var/benchmarks/line_media.json`. Exit code 1 when a target is missed: 100 legs
within 60 % of a core, and one packet lost in a thousand.
"""

import argparse
import json
import multiprocessing
import multiprocessing.connection
import os
import selectors
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guardia.doors.voice.control import RemoteMedia
from guardia.doors.voice.media.engine import SoundEngine
from guardia.doors.voice.media.rtp import Packet, write_packet
from guardia.kernel.sound import FRAME

REPORT = Path(__file__).parents[1] / "var" / "benchmarks" / "line_media.json"
HOST, PORTS = "127.0.0.1", range(26_000, 28_000)
TICK_S = 0.02
# Its neighbours' names (queue, ...) must not hide those of Python's own modules.
sys.path[:] = [path for path in sys.path if Path(path).resolve() != Path(__file__).parent]
TARGET_LEGS, TARGET_CPU, TARGET_LOST = 100, 60.0, 0.001
VOICE = bytes([0x2A, 0xAA] * (FRAME // 2))
SEQUENCE = struct.Struct("!H")

if TYPE_CHECKING:
    from queue import SimpleQueue

Pipe = multiprocessing.connection.Connection


class Mute:
    """A listener that is not interested."""

    def played(self) -> None: ...
    def key(self, key: str) -> None: ...
    def silent(self, seconds: float) -> None: ...


def far_end(legs: int, pipe: Pipe) -> None:
    """Talk on so many sockets until told to stop; then tell what was sent and came, and what was missing in between."""
    sockets = [bound() for _ in range(legs)]
    pipe.send([each.getsockname()[1] for each in sockets])
    targets = [(HOST, port) for port in pipe.recv()]
    selector = selectors.DefaultSelector()
    for index, each in enumerate(sockets):
        selector.register(each, selectors.EVENT_READ, index)
    heard: list[list[int]] = [[] for _ in sockets]
    due, sequence = time.monotonic(), 0
    while not pipe.poll():
        for each, target in zip(sockets, targets, strict=True):
            packet = Packet(0, False, sequence & 0xFFFF, sequence * FRAME & 0xFFFFFFFF, 1, VOICE)
            each.sendto(write_packet(packet), target)
        sequence, due = sequence + 1, due + TICK_S
        while (left := due - time.monotonic()) > 0:
            for key, _events in selector.select(left):
                heard[key.data].append(SEQUENCE.unpack_from(key.fileobj.recv(2048), 2)[0])  # type: ignore[union-attr]
    missing = sum(((came[-1] - came[0]) & 0xFFFF) + 1 - len(came) for came in heard if came)
    pipe.send({"sent": sequence * legs, "came": sum(map(len, heard)), "missing": missing})


def bound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((HOST, 0))
    made.setblocking(False)
    return made


def with_far_end(legs: int, measured: Callable[[list[int], Pipe], dict[str, Any]]) -> dict[str, Any]:
    """Run a measurement with a far end of so many legs."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=far_end, args=(legs, theirs))
    process.start()
    try:
        return measured(ours.recv(), ours)
    finally:
        process.join(10)
        if process.is_alive():
            process.kill()


def engine_row(legs: int, seconds: float, *, is_recorded: bool = False, is_busy: bool = False) -> dict[str, Any]:
    """Measure the engine."""

    def measured(ports: list[int], far: Pipe) -> dict[str, Any]:
        from queue import SimpleQueue

        told_here: SimpleQueue[Callable[[], None]] = SimpleQueue()
        threading.Thread(target=_signalling, args=(told_here,), daemon=True).start()
        engine = SoundEngine(HOST, PORTS, told_here.put, partial(os._exit, 1))
        channels = [engine.open(Mute()) for _ in ports]
        for channel, port in zip(channels, ports, strict=True):
            channel.connect(RemoteMedia(HOST, port, "PCMU", 101))
            if is_recorded:
                channel.record(lambda _sound, _voiced: None)
                time.sleep(0.005)  # calls do not begin all at once
        for one, two in zip(channels[::2], channels[1::2], strict=True):
            one.bridge(two)
        far.send([channel.port for channel in channels])
        stopped = threading.Event()
        if is_busy:
            threading.Thread(target=_be_busy, args=(stopped,), daemon=True).start()
        time.sleep(0.5)
        began, used = time.monotonic(), time.process_time()
        time.sleep(seconds)
        cpu = (time.process_time() - used) / (time.monotonic() - began) * 100
        stopped.set()
        far.send("stop")
        told = far.recv()
        time.sleep(0.5)
        figures = engine.figures()
        engine.stop()
        told_here.put(sys.exit)
        return {
            "cpu_percent": round(cpu, 1),
            "p99_late_ms": figures["p99_late_ms"],
            "worst_late_ms": figures["worst_late_ms"],
            "late_ticks": figures["late_ticks"],
            "lost_to_us": max(told["sent"] - figures["packets_in"], 0),
            "lost_to_them": told["missing"],
            "packets": told["sent"] + figures["packets_out"],
            "dropped": figures["dropped"],
        }

    return with_far_end(legs, measured)


def _signalling(told: "SimpleQueue[Callable[[], None]]") -> None:
    while True:
        told.get()()


def _be_busy(stopped: threading.Event) -> None:
    while not stopped.is_set():
        sum(range(1000))


def bare_row(legs: int, seconds: float) -> dict[str, Any]:
    """Measure a loop that receives and sends as many packets and does nothing else."""

    def measured(ports: list[int], far: Pipe) -> dict[str, Any]:
        sockets, selector = [bound() for _ in ports], selectors.DefaultSelector()
        for each in sockets:
            selector.register(each, selectors.EVENT_READ)
        far.send([each.getsockname()[1] for each in sockets])
        due = time.monotonic()
        end, used, came = due + seconds, time.process_time(), 0
        for sequence in range(int(seconds / TICK_S)):
            while ready := selector.select(0):
                for key, _events in ready:
                    key.fileobj.recvfrom(2048)  # type: ignore[union-attr]
                    came += 1
            packet = write_packet(Packet(0, False, sequence & 0xFFFF, 0, 1, VOICE))
            for each, port in zip(sockets, ports, strict=True):
                each.sendto(packet, (HOST, port))
            due += TICK_S
            time.sleep(max(due - time.monotonic(), 0))
        cpu = (time.process_time() - used) / (time.monotonic() - end + seconds) * 100
        far.send("stop")
        far.recv()
        return {"cpu_percent": round(cpu, 1), "packets": came + int(seconds / TICK_S) * legs}

    return with_far_end(legs, measured)


def rows(sizes: list[int], seconds: float) -> list[dict[str, Any]]:
    found = []
    for legs in sizes:
        bare = bare_row(legs, seconds)["cpu_percent"]
        found.append({"what": "bridged", "legs": legs, "bare_percent": bare, **engine_row(legs, seconds)})
    some = min(sizes, key=lambda legs: abs(legs - TARGET_LEGS))
    found.append({"what": "and recorded", "legs": some, **engine_row(some, seconds, is_recorded=True)})
    found.append({"what": "busy neighbour", "legs": some, **engine_row(some, seconds, is_busy=True)})
    return found


def missed(row: dict[str, Any]) -> bool:
    """Whether a plain row of the target's size costs or loses too much."""
    if row["what"] != "bridged" or row["legs"] > TARGET_LEGS:
        return False
    lost = (row["lost_to_us"] + row["lost_to_them"]) / max(row["packets"], 1)
    return bool(row["cpu_percent"] > TARGET_CPU or lost > TARGET_LOST)


def main() -> int:
    """Run it and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--legs", default="20,60,100,200", help="how many legs, even numbers separated by commas")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each row is measured")
    options = parser.parse_args()
    print(
        f"{'what':<15}{'legs':>5}{'CPU':>8}{'bare loop':>11}{'p99 late':>10}{'worst':>10}{'lost in':>9}{'lost out':>9}"
    )
    found = rows([int(legs) for legs in options.legs.split(",")], options.seconds)
    for row in found:
        bare = f"{row['bare_percent']:.1f} %" if "bare_percent" in row else ""
        print(
            f"{row['what']:<15}{row['legs']:>5}{row['cpu_percent']:>6.1f} %{bare:>11}{row['p99_late_ms']:>7} ms"
            f"{row['worst_late_ms']:>7.1f} ms{row['lost_to_us']:>9}{row['lost_to_them']:>9}"
            f"{'  MISSED' if missed(row) else ''}"
        )
    facts = {"python": sys.version.split()[0], "cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps({**facts, "seconds": options.seconds, "rows": found}, indent=2) + "\n", "utf-8")
    print(f"written to var/benchmarks/{REPORT.name}: {facts['cpus']} processors, load {facts['load']}")
    return int(any(map(missed, found)))


if __name__ == "__main__":
    sys.exit(main())
