"""The worker's loop: lease, fetch, do, hand in, wipe; again.

Procedure for one job:
1. Make a private folder. 2. Fetch builds and samples, each checked. 3. Start the child. 4. Post steps as they change
and at least every second, which keeps the lease. 5. Post the result; try again while the server is away.
6. Wipe the folder, however the job ended. A lost lease ends the job at once.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engines import ENGINE_NAMES, EngineMissing, open_engine
from labkit.wire.messages import Job, Json, WireError
from labkit.wire.sealed import SealBroken
from labkit.worker.child import Child, Limits
from labkit.worker.gate import AnswerRefused, FetchedWrong, LabGate, LeaseLost, ServerAway
from labkit.worker.scratch import Scratch
from labkit.worker.work import builds_of, samples_of

IDLE_S: Final = 0.5
HEARTBEAT_S: Final = 1.0
_BACKOFF_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
_HAND_IN_FOR_S: Final = 600.0


@dataclass
class Worker:
    """One worker process. `corpus` is the clean corpus's folder."""

    name: str
    gate: LabGate
    corpus: Path
    scratch: Scratch
    kinds: Sequence[str] = ()
    limits: Limits = field(default_factory=Limits)

    def run(self, *, once: bool) -> None:
        """Work until stopped from outside, or for one job. Raises WorkerRefused."""
        away = 0
        while True:
            try:
                job = self.gate.lease(self.name, engine_versions(), self.kinds)
            except (ServerAway, AnswerRefused, WireError) as error:
                if away == 0:
                    say(f"cannot lease a job, trying again: {error}")
                time.sleep(_BACKOFF_S[min(away, len(_BACKOFF_S) - 1)])
                away += 1
                continue
            if away:
                say("the server is back")
            away = 0
            if job is not None:
                self.serve(job)
                if once:
                    return
            else:
                time.sleep(IDLE_S)

    def serve(self, job: Job) -> None:
        """Do one job to its end; nothing of it is left afterwards."""
        start = time.monotonic()
        say(f"job {job.id} ({job.kind}): started")
        try:
            with self.scratch.job() as folder:
                result = self._do(job, folder)
            self._hand_in(job, result)
        except LeaseLost as error:
            say(f"job {job.id}: dropped, the lease is lost ({error})")
            return
        except ServerAway as error:
            say(f"job {job.id}: dropped, the server stayed away ({error})")
            return
        except AnswerRefused as error:
            say(f"job {job.id}: dropped, {error}")
            return
        outcome = "done" if result["ok"] else f"failed: {result['error']}"
        say(f"job {job.id} ({job.kind}): {outcome} in {time.monotonic() - start:.1f} s")

    def _do(self, job: Job, folder: Path) -> Json:
        heart = _Heart(self.gate, job)
        try:
            self._fetch(job, folder, heart)
        except (SealBroken, FetchedWrong) as error:
            return {"ok": False, "error": f"cannot use what was fetched: {error}"}
        with Child(job, folder, self.corpus, self.limits) as child:
            for kind, content in child.events(HEARTBEAT_S):
                if kind == "result":
                    result: Json = content
                    return result
                if kind == "steps":
                    heart.steps = content
                heart.beat(now=kind == "steps" and heart.changed())
        raise RuntimeError("a job's events end with its result")

    def _fetch(self, job: Job, folder: Path, heart: "_Heart") -> None:
        for name, build in builds_of(job.payload).items():
            (folder / "builds" / name).mkdir(mode=0o700, parents=True)
            for file in build.files:
                self.gate.fetch_file(job, file, folder / "builds" / name / file.name, heart.beat)
        for sha256, sample in samples_of(job.payload).items():
            self.gate.fetch_sample(job, sample, folder / "samples" / sha256, heart.beat)

    def _hand_in(self, job: Job, result: Json) -> None:
        until = time.monotonic() + _HAND_IN_FOR_S
        attempt = 0
        while True:
            try:
                self.gate.result(job, result)
            except ServerAway:
                if time.monotonic() > until:
                    raise
                time.sleep(_BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)])
                attempt += 1
            else:
                return


class _Heart:
    """Posts a job's steps: at once when a state changed, else once a second. A server that is away is borne."""

    def __init__(self, gate: LabGate, job: Job) -> None:
        self._gate = gate
        self._job = job
        self._last = time.monotonic()
        self._states: list[object] = []
        self.steps: list[Json] = [{"step": "fetch", "state": "running", "done": 0, "total": 0}]

    def changed(self) -> bool:
        """Whether a step's state is another than at the last time of asking."""
        states: list[object] = [step["state"] for step in self.steps]
        changed, self._states = states != self._states, states
        return changed

    def beat(self, *, now: bool = False) -> None:
        """Raises LeaseLost."""
        if not now and time.monotonic() - self._last < HEARTBEAT_S:
            return
        self._last = time.monotonic()
        try:
            self._gate.progress(self._job, self.steps)
        except ServerAway as error:
            say(f"job {self._job.id}: cannot report progress ({error})")
        except AnswerRefused as error:
            raise LeaseLost(str(error)) from error


def engine_versions() -> dict[str, str | None]:
    """The version of each engine of the matrix; None for one that is not installed here."""
    versions: dict[str, str | None] = {}
    for name in ENGINE_NAMES:
        try:
            versions[name] = open_engine(name).version
        except EngineMissing:
            versions[name] = None  # the server is told; the jobs that need it fail with the reason
    return versions


def say(text: str) -> None:
    """Tell whoever reads the worker's log, on standard error."""
    sys.stderr.write(f"guardia-lab-worker: {text}\n")
    sys.stderr.flush()
