"""What the tests of the signalling share: the answering process, and sipp as its peer."""

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.ports import free_port

SCENARIOS = Path(__file__).parent / "scenarios"
ROOT = Path(__file__).parents[4]


class Answering:
    """The answering process: its events come in, commands go out."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []
        self._arrived: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.port: int = self.wait("serving")["port"]

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self._arrived.put(json.loads(line))
        self._arrived.put({"event": "process_ended"})

    def wait(self, event: str, timeout_s: float = 15) -> dict[str, Any]:
        """Return the next event of a kind; those before it are kept in `events`."""
        ends_at = time.monotonic() + timeout_s
        while True:
            try:
                found = self._arrived.get(timeout=max(0.01, ends_at - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {event!r} came, but {self.events}") from None
            self.events.append(found)
            if found["event"] == event:
                return found
            assert found["event"] != "process_ended", f"the process ended after {self.events}"

    def tell(self, *command: Any) -> None:
        """Send a command."""
        pipe = self.process.stdin
        assert pipe is not None
        pipe.write(json.dumps(command) + "\n")
        pipe.flush()

    def ask(self, command: str, event: str = "") -> dict[str, Any]:
        """Send a command and return what it says."""
        self.tell(command)
        return self.wait(event or command)


@contextmanager
def answering(**wishes: Any) -> Iterator[Answering]:
    """Run the process; it must end by itself when told to stop, and have printed no error."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.sip_answering", json.dumps(wishes)],
        cwd=ROOT,
        env={"PYTHONPATH": "src:."},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        found = Answering(process)
        yield found
        if process.poll() is None:
            found.tell("stop")
            assert found.wait("stopped")["count"] == 0
            assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        errors = process.stderr.read() if process.stderr else ""
        sys.stderr.write(errors)
    assert "Traceback" not in errors
    assert "Signalling failed" not in errors


def sipp(scenario: str, port: int = 0, *options: str, calls: int = 1, local_port: int = 0) -> "subprocess.Popen[str]":
    """Start sipp, calling a port or (0) waiting to be called, with a scenario of ours or one of its own."""
    path = SCENARIOS / f"{scenario}.xml"
    chosen = ["-sf", str(path)] if path.exists() else ["-sn", scenario]
    target = [f"127.0.0.1:{port}"] if port else []
    place = ["-i", "127.0.0.1", "-p", str(local_port or free_port()), "-nostdin", "-m", str(calls), "-trace_err"]
    return subprocess.Popen(
        ["sipp", *target, *chosen, *place, "-error_file", "/dev/stderr", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def passed(process: "subprocess.Popen[str]", timeout_s: float = 20) -> None:
    """Wait for sipp, which must have seen what its scenario says."""
    try:
        _, errors = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        _, errors = process.communicate()
        raise AssertionError(f"sipp still waits: {errors[-2000:]}") from None
    assert process.returncode == 0, errors[-3000:]


def packet(start: str, *headers: str, body: str = "", **changed: str) -> bytes:
    """Return a packet as a good peer writes it; `changed` replaces headers by name, None leaves one away."""
    method = start.split(" ", maxsplit=1)[0]
    mark = str(time.monotonic_ns())
    lines = {
        "Via": f"SIP/2.0/UDP 127.0.0.1:5999;rport;branch=z9hG4bK{mark}",
        "From": f"<sip:peer@127.0.0.1>;tag={mark}",
        "To": "<sip:line@127.0.0.1>",
        "Call-ID": mark,
        "CSeq": f"1 {method}",
        "Contact": "<sip:peer@127.0.0.1:5999>",
        "Max-Forwards": "70",
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    kept = [f"{name}: {value}" for name, value in lines.items() if value]
    end = ["Content-Type: application/sdp"] if body else []
    return "\r\n".join([start, *kept, *headers, *end, f"Content-Length: {len(body)}", "", body]).encode()
