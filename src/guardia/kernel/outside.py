"""The outside world as journeys see it: ports here, adapters chosen by `guardia.wiring` (named in the settings).

Journeys say `outside().quarantine`; tests put twins in place with `replaced(...)`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, BinaryIO, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from guardia.kernel.vocabulary import Lane
from sigdist.records import Build


class Intake(Protocol):
    """One quarantine object on its way in; unfinished it leaves nothing."""

    name: str

    def write(self, chunk: bytes) -> None: ...
    def finish(self) -> None: ...
    def abandon(self) -> None: ...


class Quarantine(Protocol):
    """Where sealed samples lie."""

    def intake(self, key: bytes) -> Intake:
        """Open a new object, sealed with `key` as it is written."""

    def open(self, name: str) -> BinaryIO:
        """Open the sealed bytes; raise FileNotFoundError."""

    def read_clear(self, name: str, key: bytes) -> Iterator[bytes]:
        """Yield the clear bytes, for packing into a protected archive only."""

    def remove(self, name: str) -> None:
        """Remove an object; a missing one is no error."""

    def sweep(self, before: datetime) -> int:
        """Remove what killed processes left unfinished before an instant; return how many."""


class LabKeys(Protocol):
    """The keys that wrap each sample's own key."""

    def new_key(self) -> tuple[bytes, bytes, str]:
        """Return a new sample key, its wrapped form and the id of the wrapping key."""

    def unwrap(self, wrapped: bytes, key_id: str) -> bytes:
        """Return a sample's key."""


class BuildStore(Protocol):
    """Database files of builds, by content."""

    def keep(self, files: Mapping[str, bytes]) -> None:
        """Keep the files of a build."""

    def read(self, sha256: str) -> bytes:
        """Return a file's bytes; raise FileNotFoundError."""


class ReleaseTree(Protocol):
    """The static release tree and the keys that sign it."""

    def publish(self, lane: Lane, build: Build, now: datetime) -> None:
        """Show a build on a lane; a repetition changes nothing, an older number is refused."""

    def shown(self, lane: Lane) -> int | None:
        """Return the release number that a lane shows."""

    def refresh(self, lane: Lane, now: datetime) -> bool:
        """Sign metadata anew that will be over soon; False where nothing was due."""

    def sign_evidence(self, statement: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the signed envelope of an in-toto statement."""

    def root_of(self, lane: Lane) -> Mapping[str, Any]:
        """Return a lane's trusted root document, for a machine's enrolment."""

    def admit(self, subscribers: Mapping[str, datetime | None]) -> None:
        """Let exactly these lane tokens (by SHA-256) into the accelerated lane, each until its instant."""


class Webhook(Protocol):
    """Where the operator wants escalations posted."""

    @property
    def is_set(self) -> bool: ...
    def send(self, body: bytes, now: datetime) -> None:
        """Post a signed body; raise WebhookRefused where it was not taken."""


class WebhookRefused(Exception):
    """The receiver of the webhook did not take a message."""


@dataclass(frozen=True)
class Outside:
    """Every port."""

    quarantine: Quarantine
    lab_keys: LabKeys
    builds: BuildStore
    tree: ReleaseTree
    webhook: Webhook


_replaced: ContextVar[Outside | None] = ContextVar("outside of a test", default=None)


@cache
def _wired() -> Outside:
    made: Outside = import_string(settings.GUARDIA_WIRING)()
    return made


def outside() -> Outside:
    """Return the ports of this process."""
    return _replaced.get() or _wired()


@contextmanager
def replaced(**ports: Any) -> Iterator[Outside]:
    """Put other adapters in place inside the block."""
    base = _replaced.get() or _wired()
    token = _replaced.set(replace(base, **ports))
    try:
        yield outside()
    finally:
        _replaced.reset(token)
