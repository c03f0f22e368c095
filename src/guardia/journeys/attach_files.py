"""Arrived files join a case, under the event that brings them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from guardia.features.cases import operations as cases
from guardia.features.lab import operations as lab
from guardia.features.lab.queries import uploads_for
from guardia.kernel.vocabulary import Actor


def take_uploads(actor: Actor, ids: Iterable[UUID], now: datetime) -> list[cases.ArrivedFile]:
    """Mark the actor's uploads as used and return them as files for a case. Needs a transaction."""
    uploads = uploads_for(actor, ids, now)
    lab.use_uploads(uploads, now)
    return [cases.ArrivedFile(row.sample_id, row.filename, row.sample.sha256, row.sample.size) for row in uploads]


def described(files: Iterable[cases.ArrivedFile]) -> list[dict[str, Any]]:
    """Return what an event keeps of its files."""
    return [{"filename": file.filename, "sha256": file.sha256, "size": file.size} for file in files]
