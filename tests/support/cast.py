"""The cast of characters: the sample data's people as actors, and what tests do with them again and again."""

import io
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from guardia.adapters.release_tree import RememberedTree
from guardia.features.accounts.queries import actor_of, find_person_by_email
from guardia.journeys.make_sample_data import make_sample_data
from guardia.journeys.open_case import CaseRequest, OpenedCase, open_case
from guardia.journeys.publish_release import publish_pending
from guardia.journeys.receive_file import ReceivedFile, receive_file
from guardia.kernel import outside
from guardia.kernel.vocabulary import Actor

EMAILS = {
    "plus_admin": "carmen.ruiz@astilleros.example",
    "plus": "lucia.ferrer@astilleros.example",
    "plus_second": "ivan.roldan@astilleros.example",
    "standard_admin": "pablo.nieto@ceramicas.example",
    "standard": "sara.vidal@ceramicas.example",
    "engineer": "marta.ibanez@guardia.example",
    "analyst": "tomas.vega@guardia.example",
    "reviewer": "paula.olmo@guardia.example",
    "releaser": "jon.prieto@guardia.example",
    "duty_manager": "elena.soto@guardia.example",
    "account_manager": "rosa.lamas@guardia.example",
}


@dataclass
class Cast:
    """Everybody, by part; `people` are the rows, attributes the actors."""

    now: datetime
    actors: dict[str, Actor] = field(default_factory=dict)
    people: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, part: str) -> Actor:
        try:
            return self.__dict__["actors"][part]  # type: ignore[no-any-return]
        except KeyError as error:
            raise AttributeError(part) from error

    def upload(
        self, part: str = "plus", content: bytes = b"harmless content of a sample", name: str = "sample.bin"
    ) -> ReceivedFile:
        """Let somebody send a file."""
        return receive_file(self.actors[part], self.now, name, [content])

    def request(self, uploads: tuple[UUID, ...] = (), **changes: Any) -> CaseRequest:
        """A complete premium incident, changed as said."""
        facts: dict[str, Any] = {
            "kind": "incident",
            "case_class": "premium",
            "severity": 1,
            "subject": "File server scans freeze",
            "description": "Since the update of 09:30, on 12 machines.",
            "uploads": uploads,
        }
        return CaseRequest(**{**facts, **changes})

    def report(self, uploads: tuple[UUID, ...], claim: str = "FN", **changes: Any) -> CaseRequest:
        """A complete signature change request."""
        facts: dict[str, Any] = {
            "kind": "signature_change",
            "severity": 2,
            "claim": claim,
            "product": "Atalaya Endpoint 8.2",
            "engine": "ClamAV 1.4.6",
            "database_version": "20261122.1",
            "detection_name": "Lab.Harmless.Family.0001" if claim == "FP" else "",
        }
        return self.request(uploads, **{**facts, **changes})

    def open(self, part: str = "plus", **changes: Any) -> OpenedCase:
        """Let somebody open a case."""
        wanted = {"case_class": "standard"} if part.startswith("standard") else {}
        return open_case(self.actors[part], self.now, self.request(**{**wanted, **changes}), str(uuid4()))

    def open_report(
        self, part: str = "plus", claim: str = "FN", content: bytes | None = None, **changes: Any
    ) -> OpenedCase:
        """Let somebody report a false negative or positive with one sample."""
        received = self.upload(part, content or uuid4().bytes * 20)
        wanted = {"case_class": "standard"} if part.startswith("standard") else {}
        return open_case(
            self.actors[part], self.now, self.report((received.id,), claim, **{**wanted, **changes}), str(uuid4())
        )


def make_cast(now: datetime) -> Cast:
    """Make the sample data, publish the baseline on a remembered tree, and return everybody."""
    outside._wired.cache_clear()
    tree = RememberedTree()
    outside._replaced.set(_with_tree(tree))
    make_sample_data(now)
    publish_pending(now)
    cast = Cast(now)
    for part, email in EMAILS.items():
        person = find_person_by_email(email)
        assert person is not None
        cast.people[part] = person
        cast.actors[part] = actor_of(person)
    return cast


def _with_tree(tree: RememberedTree) -> outside.Outside:
    return replace(outside._wired(), tree=tree)


def as_file(content: bytes, name: str) -> io.BytesIO:
    """A file object for a multipart form."""
    handle = io.BytesIO(content)
    handle.name = name
    return handle
