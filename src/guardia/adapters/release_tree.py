"""The static release tree, signed by the keys of the ceremony; and its twin that only remembers.

Keys are opened when first needed, so that the web process, which never signs, never holds one.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from guardia.kernel.errors import Refused
from guardia.kernel.vocabulary import Lane
from sigdist import repository
from sigdist.records import Build
from sigdist.repository.atomic import write_atomically


class SignedTree:
    """`repository` on a folder; in production, development keys are refused before anything is signed."""

    def __init__(self, tree: Path, tokens: Path, keys: Path, passphrase: str, *, production: bool) -> None:
        self.tree, self.tokens = tree, tokens
        self._keys, self._passphrase, self._production = keys, passphrase, production

    def __repr__(self) -> str:
        return f"SignedTree({self.tree})"

    @cached_property
    def _ring(self) -> repository.KeyRing:
        ring = repository.KeyRing.open(self._keys, self._passphrase)
        if self._production and ring.development:
            raise Refused(
                "development_keys", f"{self._keys} holds development keys, refused in production: hold a key ceremony."
            )
        return ring

    def found(self, now: datetime, *, development: bool) -> None:
        """Hold the key ceremony: make what is missing of keys, roots and targets; change nothing that is there."""
        repository.ceremony(self._keys, self.tree, now, passphrase=self._passphrase, development=development)
        self.tokens.mkdir(parents=True, exist_ok=True)

    def publish(self, lane: Lane, build: Build, now: datetime) -> None:
        try:
            repository.publish(self.tree, lane.value, build, self._ring, now)
        except repository.ReleaseRefused as error:
            raise Refused("release_refused", str(error)) from error

    def shown(self, lane: Lane) -> int | None:
        head = repository.head(self.tree, lane.value)
        return head.release if head else None

    def refresh(self, lane: Lane, now: datetime) -> bool:
        return repository.refresh(self.tree, lane.value, self._ring, now)

    def sign_evidence(self, statement: Mapping[str, Any]) -> Mapping[str, Any]:
        return repository.sign_evidence(statement, self._ring)

    def root_of(self, lane: Lane) -> Mapping[str, Any]:
        document: Mapping[str, Any] = json.loads((self.tree / lane.value / "metadata" / "root.json").read_bytes())
        return document

    def admit(self, subscribers: Mapping[str, datetime | None]) -> None:
        self.tokens.mkdir(parents=True, exist_ok=True)
        wanted = {
            f"{digest}.json": json.dumps({"not_after": until.isoformat() if until else None}).encode()
            for digest, until in subscribers.items()
        }
        for name, content in wanted.items():
            path = self.tokens / name
            if not path.exists() or path.read_bytes() != content:
                write_atomically(path, content)
        for path in self.tokens.glob("*.json"):
            if path.name not in wanted:
                path.unlink(missing_ok=True)


class RememberedTree:
    """The twin for tests: the same refusals, no keys, no files."""

    def __init__(self) -> None:
        self.published: dict[Lane, Build] = {}
        self.admitted: dict[str, datetime | None] = {}

    def publish(self, lane: Lane, build: Build, now: datetime) -> None:  # noqa: ARG002  the port's signature
        shown = self.published.get(lane)
        if shown and build.number < shown.number:
            raise Refused("release_refused", f"release {build.number} is older than {shown.number}")
        ahead = self.published.get(Lane.ACCELERATED)
        if lane is Lane.STANDARD and (ahead is None or ahead.number < build.number):
            raise Refused("release_refused", f"release {build.number} is not on accelerated yet")
        for other in (shown, ahead):
            if other and other.number == build.number and other.digest != build.digest:
                raise Refused("release_refused", f"release {build.number} is there with other bytes")
        self.published[lane] = build

    def shown(self, lane: Lane) -> int | None:
        return self.published[lane].number if lane in self.published else None

    def refresh(self, lane: Lane, now: datetime) -> bool:  # noqa: ARG002  the port's signature
        return False

    def sign_evidence(self, statement: Mapping[str, Any]) -> Mapping[str, Any]:
        content = json.dumps(statement, sort_keys=True)
        return {"payload": content, "digest": hashlib.sha256(content.encode()).hexdigest()}

    def root_of(self, lane: Lane) -> Mapping[str, Any]:
        return {"signed": {"guardia": {"lane": lane.value}}}

    def admit(self, subscribers: Mapping[str, datetime | None]) -> None:
        self.admitted = dict(subscribers)
