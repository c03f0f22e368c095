"""The real `guardia line` in a process of its own: to be called, measured, killed in mid-call and started again.

It runs on the test's database and folders (so that a test needs the fixture `keys` and real commits), on free ports of
the loopback. It counts as up once it answers OPTIONS; the first start in a new folder also makes the spoken prompts.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tests.support.line_peers import HOST
from tests.support.ports import free_port
from tests.support.processes import start_command, wait_until

_COMMAND = [sys.executable, "-m", "guardia.doors.cli.main", "line", "run"]
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Figures:
    """What a process holds and has used, from `/proc`."""

    memory_mb: float
    files: int
    threads: int
    cpu_s: float


class LineRunning:
    """One running line. Use as a context manager: it is ended with its block.

    `settings` are environment variables; ports are chosen where they are not given. `restart` starts it anew on the
    same ports.
    """

    def __init__(self, var: Path, settings: Mapping[str, str], *, rtp_ports: int = 200, within_s: float = 60.0) -> None:
        self.port = int(settings.get("GUARDIA_LINE_PORT", 0)) or free_port()
        first = free_port(rtp_ports)
        self.settings = {
            "GUARDIA_LINE_RTP_PORTS": f"{first}-{first + rtp_ports - 1}",
            **settings,
            "GUARDIA_LINE_HOST": HOST,
            "GUARDIA_LINE_PORT": str(self.port),
        }
        self._var, self._within_s = var, within_s
        self._said: list[str] = []

    @property
    def target(self) -> str:
        """The address to call."""
        return f"sip:line@{HOST}:{self.port}"

    @property
    def address(self) -> str:
        """The same for sipp."""
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """The process that signals."""
        return self._process.pid

    def __enter__(self) -> Self:
        self.restart()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    def restart(self) -> float:
        """Start it, and return after how many seconds it answered."""
        began = time.monotonic()
        self._process = start_command(_COMMAND, self._var, **self.settings)
        self._readers = [
            threading.Thread(target=self._drain, args=(pipe,), daemon=True)
            for pipe in (self._process.stdout, self._process.stderr)
            if pipe is not None
        ]
        for reader in self._readers:
            reader.start()
        try:
            wait_until("the line answers OPTIONS", self._is_up, self._within_s)
        except BaseException:
            self.kill()
            raise
        return time.monotonic() - began

    def kill(self) -> None:
        """Kill -9 it, and what it started; twice is no error."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._wait(10)

    def stop(self, within_s: float = 20.0) -> int:
        """Ask it to end (SIGTERM) and return its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._wait(within_s)

    def said(self) -> str:
        """Return everything that it has printed so far."""
        return "".join(self._said)

    def figures(self) -> Figures:
        """Return what it holds and has used."""
        return figures_of(self._process.pid)

    def _is_up(self) -> bool:
        code = self._process.poll()
        assert code is None, f"the line ended with {code}: {self.said()}"
        return options_ping(HOST, self.port, 0.3)

    def _drain(self, pipe: IO[str]) -> None:
        for line in pipe:
            self._said.append(line)

    def _wait(self, within_s: float) -> int:
        try:
            code = self._process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=10)
            raise AssertionError(f"the line did not end within {within_s} s: {self.said()}") from None
        for reader in self._readers:
            reader.join(timeout=5)
        return code


def figures_of(pid: int) -> Figures:
    """Return the figures of a process."""
    folder = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    used = (folder / "stat").read_text().rpartition(")")[2].split()
    return Figures(
        memory_mb=int(status["VmRSS"].split()[0]) / 1024,
        files=len(list((folder / "fd").iterdir())),
        threads=int(status["Threads"]),
        cpu_s=(int(used[11]) + int(used[12])) / _TICKS_PER_S,
    )


def options_ping(host: str, port: int, within_s: float = 1.0) -> bool:
    """Return whether somebody answers OPTIONS there, with whatever code."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.settimeout(within_s)
        try:
            own.connect((host, port))
            own.send(_options(own.getsockname(), host, port))
            return own.recv(65_536).startswith(b"SIP/2.0 ")
        except (TimeoutError, ConnectionRefusedError):
            return False


def _options(own: tuple[str, int], host: str, port: int) -> bytes:
    name = secrets.token_hex(8)
    lines = [
        f"OPTIONS sip:line@{host}:{port} SIP/2.0",
        f"Via: SIP/2.0/UDP {own[0]}:{own[1]};rport;branch=z9hG4bK{name}",
        "Max-Forwards: 70",
        f"From: <sip:ping@{own[0]}:{own[1]}>;tag={name}",
        f"To: <sip:line@{host}:{port}>",
        f"Call-ID: {name}@{own[0]}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:ping@{own[0]}:{own[1]}>",
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
