"""The worker's side of the lab gate: lease, fetch, progress, result, over HTTP.

Rules:
- Whatever is fetched is checked against the digest and size in the job before anybody uses it.
- Three kinds of trouble, three reactions: the lease is lost (drop the job), the server is away (try again), the
  server refuses the worker (stop). A broken or foreign file fails the job.
- Neither token, lease nor data key is ever part of a message.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import httpx

from labkit.wire.messages import BuildFile, Job, Json, SampleRef, parse_job
from labkit.wire.sealed import open_sealed
from labkit.worker.scratch import private_file

_TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)
_LOST: Final = frozenset({404, 409, 410})
_REFUSED: Final = frozenset({401, 403})


class LeaseLost(Exception):
    """The job is no longer ours."""


class ServerAway(Exception):
    """The server cannot be reached or has trouble of its own; trying again later is right."""


class WorkerRefused(Exception):
    """The server does not accept this worker's token."""


class AnswerRefused(Exception):
    """The server does not take what this worker sends for one job; other jobs may go well."""


class FetchedWrong(Exception):
    """What the job names is not there, or is something else."""


class LabGate:
    """A connection to one server with the worker's token."""

    def __init__(self, server: str, token: str) -> None:
        self._base = f"{server.rstrip('/')}/lab/v1"
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {token}"}, timeout=_TIMEOUT, follow_redirects=False, trust_env=False
        )

    def close(self) -> None:
        self._client.close()

    def lease(self, worker: str, engines: Mapping[str, str | None], kinds: Sequence[str] = ()) -> Job | None:
        """The next job, or None. Raises ServerAway, WorkerRefused, WireError."""
        answer = self._post("/lease", {"worker": worker, "engines": dict(engines), "kinds": list(kinds)})
        return None if answer.status_code == httpx.codes.NO_CONTENT else parse_job(_json(answer))

    def progress(self, job: Job, steps: list[Json]) -> None:
        """Say how far the job is, which extends its lease. Raises LeaseLost, ServerAway, WorkerRefused."""
        self._post(f"/jobs/{job.id}/progress", {"steps": steps}, job)

    def result(self, job: Job, result: Json) -> None:
        """Hand the job in. Raises LeaseLost, ServerAway, WorkerRefused."""
        self._post(f"/jobs/{job.id}/result", result, job)

    def fetch_sample(self, job: Job, sample: SampleRef, target: Path, alive: Callable[[], None]) -> None:
        """Fetch, open and check a sample. Raises SealBroken, FetchedWrong and what `progress` raises."""
        with self._stream(job, f"/jobs/{job.id}/samples/{sample.sha256}") as source:
            chunks = open_sealed(source, sample.key)
            _write_checked(target, chunks, sample.sha256, sample.size, f"sample {sample.sha256}", alive)

    def fetch_file(self, job: Job, file: BuildFile, target: Path, alive: Callable[[], None]) -> None:
        """Fetch and check a database file. Raises FetchedWrong and what `progress` raises."""
        with self._stream(job, f"/jobs/{job.id}/files/{file.sha256}") as source:
            chunks = iter(lambda: source.read(1024 * 1024), b"")
            _write_checked(target, chunks, file.sha256, file.size, f"database file {file.name}", alive)

    def _post(self, path: str, body: Json, job: Job | None = None) -> httpx.Response:
        headers = {} if job is None else {"X-Lease": job.lease}
        try:
            answer = self._client.post(f"{self._base}{path}", json=body, headers=headers)
        except httpx.HTTPError as error:
            raise ServerAway(f"{type(error).__name__}: {error}") from error
        _check(answer.status_code, path, lambda: answer.text, job)
        return answer

    def _stream(self, job: Job, path: str) -> "_Stream":
        request = self._client.build_request("GET", f"{self._base}{path}", headers={"X-Lease": job.lease})
        try:
            answer = self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise ServerAway(f"{type(error).__name__}: {error}") from error
        try:
            _check(answer.status_code, path, lambda: answer.read().decode("utf-8", "replace"), job, fetching=True)
        except BaseException:
            answer.close()
            raise
        return _Stream(answer)


class _Stream:
    """An HTTP answer's body as a file to read once."""

    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer
        self._parts = answer.iter_bytes()
        self._held = b""

    def read(self, size: int, /) -> bytes:
        if not self._held:
            try:
                self._held = next(self._parts, b"")
            except httpx.HTTPError as error:
                raise ServerAway(f"{type(error).__name__}: {error}") from error
        part, self._held = self._held[:size], self._held[size:]
        return part

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._answer.close()


def _check(status: int, path: str, detail: Callable[[], str], job: Job | None, *, fetching: bool = False) -> None:
    if status in {httpx.codes.OK, httpx.codes.CREATED, httpx.codes.NO_CONTENT}:
        return
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS:
        raise ServerAway(f"the server answered {status} to {path}")
    if fetching and status == httpx.codes.NOT_FOUND:
        raise FetchedWrong(f"the server no longer has {path}")
    if job is not None and status in _LOST:
        raise LeaseLost(f"the server answered {status} to {path}")
    if status in _REFUSED:
        raise WorkerRefused(f"the server refuses this worker ({status}): check the token file")
    raise AnswerRefused(f"the server refuses {path} ({status}): {detail()[:300]}")


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise ServerAway("the server's answer is not JSON: is this the right address?") from error


def _write_checked(
    target: Path, chunks: Iterator[bytes], sha256: str, size: int, what: str, alive: Callable[[], None]
) -> None:
    digest, written = hashlib.sha256(), 0
    with private_file(target) as opened:
        for chunk in chunks:
            written += len(chunk)
            if written > size:
                raise FetchedWrong(f"{what} is larger than the {size} bytes that the job names")
            digest.update(chunk)
            opened.write(chunk)
            alive()
    if written != size or digest.hexdigest() != sha256:
        raise FetchedWrong(f"{what} does not have the content that the job names")
