"""Scanning many files with one engine on every core, in processes of their own.

Rules:
- YARA-X holds the interpreter's lock and any engine may die over a file: each share of the files is scanned by a
  forked process. If one dies, the files that it did not answer for are `not_scanned`; the scan goes on.
- Every path gets its verdict, once. Nothing is sampled, nothing is taken from an earlier scan.
- The processes end with the iterator, also when it is left early.
"""

import ctypes
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Final

from engines import Database, Engine, Verdict

BATCH: Final = 200
_PR_SET_PDEATHSIG: Final = 1
_FORK: Final = multiprocessing.get_context("fork")

Progress = Callable[[int, int], None]
_Answer = tuple[int, Verdict]


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def scan_all(
    engine: Engine,
    database: Database,
    paths: Sequence[Path],
    *,
    processes: int | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[Path, Verdict]]:
    """The verdict on each path, in no order. `progress` is told (done, total) about every BATCH files."""
    count = max(1, min(processes or cores(), len(paths) // BATCH + 1))
    shares = [range(start, len(paths), count) for start in range(count)]
    running = {}
    try:
        for share in shares:
            receiver, process = _start(database, paths, share)
            running[receiver] = (process, set(share))
        done = 0
        while running:
            for ready in wait(list(running)):
                receiver = _as_connection(ready)
                process, waiting = running[receiver]
                answers = _receive(receiver)
                if answers is None:
                    del running[receiver]
                    answers = _lost(engine, process, waiting)
                for at, verdict in answers:
                    waiting.discard(at)
                    yield paths[at], verdict
                done += len(answers)
                if progress is not None and answers:
                    progress(done, len(paths))
    finally:
        for process, _ in running.values():
            process.kill()
            process.join()


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies, so that a killed worker leaves nobody at work."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _start(database: Database, paths: Sequence[Path], share: range) -> tuple[Connection, ForkProcess]:
    receiver, sender = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_scan_share, args=(database, paths, share, sender), daemon=True)
    process.start()
    sender.close()
    return receiver, process


def _scan_share(database: Database, paths: Sequence[Path], share: range, sender: Connection) -> None:
    die_with_parent()
    places = {paths[at]: at for at in share}
    batch: list[_Answer] = []
    for path, verdict in database.scan([paths[at] for at in share]):
        batch.append((places[path], verdict))
        if len(batch) >= BATCH:
            sender.send(batch)
            batch = []
    sender.send(batch)
    sender.close()


def _receive(receiver: Connection) -> list[_Answer] | None:
    try:
        answers: list[_Answer] = receiver.recv()
    except EOFError:
        return None
    return answers


def _lost(engine: Engine, process: ForkProcess, waiting: set[int]) -> list[_Answer]:
    process.join()
    reason = f"the process that scanned this file ended with status {process.exitcode}"
    return [(at, Verdict(engine.name, engine.version, "not_scanned", reason=reason)) for at in sorted(waiting)]


def _as_connection(ready: object) -> Connection:
    if not isinstance(ready, Connection):  # pragma: no cover - only connections are waited for
        raise TypeError("waited for something that is not a connection")
    return ready
