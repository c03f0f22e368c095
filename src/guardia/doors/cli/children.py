"""Processes that one command starts, watches and stops.

Each child is its own session, so that Ctrl-C reaches only the one who stops the others; each dies with its parent
(prctl), so that a killed parent leaves nothing behind. A child that ends by itself is started again, with growing
pauses; one that ends five times within a minute ends the whole.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1


class ChildFailed(Exception):
    """A child cannot be kept running; the message is one line."""


HEALTHY_WITHIN_S = 120
STOP_WITHIN_S = 10
RESTARTS, WITHIN_S = 5, 60
_HIDDEN_FROM_BARE = ("GUARDIA_SECRET", "GUARDIA_SIGNING", "GUARDIA_EMBEDDED", "DATABASE_URL", "DJANGO_SETTINGS")


@dataclass
class Child:
    """A process; a `bare` one gets neither database nor secrets in its environment."""

    name: str
    command: Sequence[str]
    bare: bool = False
    process: subprocess.Popen[bytes] | None = None
    ended: list[float] = field(default_factory=list)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Supervisor:
    """Starts children, keeps them running, stops them all."""

    def __init__(self, children: Sequence[Child], log_folder: Path) -> None:
        self.children = children
        self.log_folder = log_folder
        log_folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Start every child."""
        for child in self.children:
            self._start(child)

    def _start(self, child: Child) -> None:
        environment = {
            name: value for name, value in os.environ.items() if not (child.bare and name.startswith(_HIDDEN_FROM_BARE))
        }
        with (self.log_folder / f"{child.name}.log").open("ab") as log:
            child.process = subprocess.Popen(
                list(child.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  one system call, no locks
            )

    def wait_until_healthy(self, url: str) -> None:
        """Return once `url` answers 200; raise ChildFailed with the child's last words where one ends before."""
        deadline = time.monotonic() + HEALTHY_WITHIN_S
        while time.monotonic() < deadline:
            self._check_started()
            try:
                with urllib.request.urlopen(url, timeout=5):  # noqa: S310  our own loopback URL
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
        raise ChildFailed(f"{url} did not answer within {HEALTHY_WITHIN_S} s; see {self.log_folder}")

    def _check_started(self) -> None:
        for child in self.children:
            if child.process and child.process.poll() is not None:
                log = (self.log_folder / f"{child.name}.log").read_text(encoding="utf-8", errors="replace")
                raise ChildFailed(
                    f"{child.name} ended at its start: {log.strip().splitlines()[-1] if log.strip() else 'no word'}"
                )

    def watch(self) -> None:
        """Keep the children running until interrupted."""
        while True:
            time.sleep(0.5)
            for child in self.children:
                if child.process and child.process.poll() is not None:
                    self._restart(child)

    def _restart(self, child: Child) -> None:
        now = time.monotonic()
        child.ended = [at for at in child.ended if now - at < WITHIN_S] + [now]
        code = child.process.returncode if child.process else 0
        if len(child.ended) >= RESTARTS:
            raise ChildFailed(
                f"{child.name} ended {RESTARTS} times within a minute (last with {code}); see {self.log_folder}"
            )
        sys.stdout.write(f"{child.name} ended with {code}; started again\n")
        sys.stdout.flush()
        time.sleep(0.5 * len(child.ended))
        self._start(child)

    def stop(self) -> None:
        """Stop every child, first gently, then for sure; return once all are gone."""
        running = [child.process for child in self.children if child.process and child.process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_WITHIN_S
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
