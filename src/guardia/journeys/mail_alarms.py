"""Alarms and old notices as mails: a digest is one mail for the alarms that it tells of, however often it is tried."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from guardia.features.accounts.queries import find_person_by_email
from guardia.features.mail.operations import post_mails
from guardia.journeys.post import new_mail, wake_post
from guardia.kernel.transactions import journey


class Digest(Protocol):
    """The words of one digest and whom it is for, as `guardia.reports.alarm_mail` makes them."""

    @property
    def person_id(self) -> UUID: ...
    @property
    def address(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def paragraphs(self) -> tuple[Mapping[str, str], ...]: ...
    @property
    def ids(self) -> tuple[str, ...]: ...


def mail_alarms(told: Digest, now: datetime) -> None:
    """Mail a digest of alarms to the person that it is for."""
    mail = new_mail(
        key=f"alarms:{_digest([str(told.person_id), *told.ids])}",
        topic="alarm",
        why="roles",
        address=told.address,
        language=told.language,
        subject=told.subject,
        paragraphs=[dict(paragraph) for paragraph in told.paragraphs],
        person_id=told.person_id,
    )
    with journey():
        post_mails([mail], now)
        wake_post()


def mail_old_notice(payload: Mapping[str, Any], now: datetime) -> None:
    """Mail a notice that waited in the outbox while the server was upgraded: its words are those that were written."""
    person = find_person_by_email(payload["to"])
    mail = new_mail(
        key=f"outbox:{_digest(payload)}",
        topic="message",
        why="request",
        address=payload["to"],
        language=person.language if person else "es",
        subject=payload["subject"],
        paragraphs=payload["body"].split("\n\n"),
        person_id=person.id if person else None,
    )
    with journey():
        post_mails([mail], now)
        wake_post()


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
