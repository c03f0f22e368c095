"""Does one job in a child process: forked, limited, watched by a wall clock, and killed with everything it started.

Rules:
- Limits on address space, processor time, file size, no core dumps (a core would hold samples).
- The child speaks to the parent over a pipe only: steps as they change, then one result or one sentence of error.
- Killing the child kills its whole process group, so that no engine outlives its job; the child dies with its parent.
"""

import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Self

from engines import DatabaseRefused, EngineMissing
from labkit.corpora.manifest import CorpusBroken
from labkit.corpora.scanning import die_with_parent
from labkit.wire.messages import Job, Json
from labkit.worker.work import do

_FORK: Final = multiprocessing.get_context("fork")
_REPORT_EVERY_S: Final = 0.2
_OWN_WORDS: Final = (EngineMissing, DatabaseRefused, CorpusBroken)


@dataclass(frozen=True)
class Limits:
    """What one job may use. The address space is wide because YARA-X reserves far more than it touches."""

    wall_s: float = 900.0
    cpu_s: int = 1800
    address_bytes: int = 64 * 2**30
    file_bytes: int = 2 * 2**30


class Child:
    """A running job. Use as a context; leaving it kills whatever still runs."""

    def __init__(self, job: Job, folder: Path, corpus: Path, limits: Limits) -> None:
        self._receiver, sender = _FORK.Pipe(duplex=False)
        self._process = _FORK.Process(target=_run, args=(job, folder, corpus, limits, sender))
        self._limits = limits
        self._until = time.monotonic() + limits.wall_s
        self._process.start()
        sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def events(self, wait_s: float) -> Iterator[tuple[str, Any]]:
        """("steps", [...]) as they come, ("quiet", None) when nothing came for `wait_s`, at last ("result", {...})."""
        while True:
            if time.monotonic() > self._until:
                yield "result", _failed(f"the job took longer than {self._limits.wall_s:g} s and was stopped")
                return
            if not self._receiver.poll(wait_s):
                if not self._process.is_alive() and not self._receiver.poll():
                    yield "result", _failed(self._how_it_died())  # its own children may still hold the pipe
                    return
                yield "quiet", None
                continue
            try:
                kind, content = self._receiver.recv()
            except (EOFError, OSError):
                yield "result", _failed(self._how_it_died())
                return
            yield kind, content
            if kind == "result":
                return

    def kill(self) -> None:
        """End the job's whole process group and wait for it."""
        if self._process.pid is not None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                self._process.kill()  # it had no time to make its group, or is gone
        self._process.join()
        self._receiver.close()

    def _how_it_died(self) -> str:
        self._process.join()
        status = self._process.exitcode or 0
        if status < 0:
            return f"the job's process was killed by {signal.Signals(-status).name}: over a limit, or from outside"
        return f"the job's process ended without a result (status {status})"


def _run(job: Job, folder: Path, corpus: Path, limits: Limits, sender: Connection) -> None:
    os.setsid()
    die_with_parent()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    _limit(limits)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    try:
        result = {"ok": True, "result": do(job, folder, corpus, _throttled(sender), _say)}
    except _OWN_WORDS as error:
        result = _failed(str(error))
    except MemoryError:
        result = _failed("the job ran out of the memory that a job may use")
    except Exception as error:  # noqa: BLE001 - the worker must live on, and the server must hear why
        _say(traceback.format_exc())
        result = _failed(f"the lab worker failed at this job: {type(error).__name__}: {error}")
    sender.send(("result", result))
    sender.close()


def _limit(limits: Limits) -> None:
    for kind, amount in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_AS, limits.address_bytes),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
    ):
        _, hard = resource.getrlimit(kind)
        allowed = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(kind, (allowed, allowed))


def _throttled(sender: Connection) -> Callable[[list[Json]], None]:
    """Send steps when a state changed, else a few times a second."""
    last: tuple[float, list[Any]] = (0.0, [])

    def report(steps: list[Json]) -> None:
        nonlocal last
        states = [(step.get("gate") or step.get("step"), step["state"]) for step in steps]
        if states == last[1] and time.monotonic() - last[0] < _REPORT_EVERY_S:
            return
        last = time.monotonic(), states
        sender.send(("steps", steps))

    return report


def _failed(sentence: str) -> Json:
    return {"ok": False, "error": sentence}


def _say(text: str) -> None:
    sys.stderr.write(f"guardia-lab-worker: {text.rstrip()}\n")
    sys.stderr.flush()
