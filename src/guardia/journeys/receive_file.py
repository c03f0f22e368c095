"""A file arrives: sealed into the quarantine as it streams in, never in the clear, never whole in memory.

The limit is checked while bytes arrive. The same bytes of the same company are kept once. What is not finished leaves
nothing; what is finished waits seven days for its case.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from guardia.features.accounts.queries import vendor_company
from guardia.features.cases import operations as cases
from guardia.features.lab import operations
from guardia.journeys.once import once
from guardia.kernel.errors import Forbidden, Invalid, TooLarge
from guardia.kernel.outside import outside
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor

LONGEST_NAME = 255
DISK_WAITS = 16
UNFINISHED_FOR = timedelta(days=1)
_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}
_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of writing: with one of them `gnp.exe` is shown as `exe.png`."""


@dataclass(frozen=True)
class ReceivedFile:
    """A file under quarantine that waits for its case."""

    id: UUID
    filename: str
    size: int
    sha256: str


def safe_name(filename: str) -> str:
    """Return the last part of a sent name without what is not seen: shown and packed, never used as a path."""
    last = filename.replace("\\", "/").rsplit("/", 1)[-1]
    seen = (sign for sign in last if unicodedata.category(sign) not in _UNSEEN and sign not in _TURNS)
    cleaned = "".join(seen).strip().strip(".")
    return cleaned[-LONGEST_NAME:] or _("unnamed")


class FileIntake:
    """One file on its way in. Call `write` for each chunk, then `finish`, or `abandon`."""

    def __init__(self, actor: Actor, now: datetime, filename: str) -> None:
        if actor.company_id is None and not actor.is_staff:
            raise Forbidden("nobody_uploads", _("Only signed-in people of a company can send files."))
        self._actor, self._now = actor, now
        self.filename = safe_name(filename)
        self.size = 0
        self._digest = hashlib.sha256()
        key, self._wrapped, self._key_id = outside().lab_keys.new_key()
        self._intake = outside().quarantine.intake(key)

    def write(self, chunk: bytes) -> None:
        """Seal one more chunk; over the limit everything of this file is dropped and TooLarge raised."""
        self.size += len(chunk)
        limit = settings.GUARDIA.upload_limit
        if self.size > limit:
            self.abandon()
            raise TooLarge(
                "file_too_large",
                _(
                    "%(name)s is larger than %(limit)d MB. "
                    "Pack it smaller, or call the priority phone line for another way."
                )
                % {"name": self.filename, "limit": limit // 1024 // 1024},
            )
        self._digest.update(chunk)
        self._intake.write(chunk)

    def abandon(self) -> None:
        """Drop what has arrived of this file."""
        self._intake.abandon()

    def finish(self) -> ReceivedFile:
        """Keep the file, to wait for its case; an empty one is refused."""
        sealed = self._sealed()
        try:
            return self._keep(sealed)
        except BaseException:
            outside().quarantine.remove(sealed.object_name)
            raise

    def finish_for_case(self, later: list[Callable[[], None]]) -> cases.ArrivedFile:
        """Keep the file for a case that takes it in this very transaction; an empty one is refused.

        What waits for the disk is put into `later`: the caller runs it with `finish_files` before the transaction ends.
        """
        self._demand_content()
        later.append(self._intake.finish)
        sealed = self._facts()
        sample, is_spare = self._keep_sample(sealed)
        if is_spare:
            transaction.on_commit(lambda: outside().quarantine.remove(sealed.object_name))
        return cases.ArrivedFile(sample.id, self.filename, sealed.sha256, sealed.size)

    def _demand_content(self) -> None:
        if self.size == 0:
            self.abandon()
            raise Invalid(
                "file_empty",
                _("%(name)s is empty: there is nothing to examine. Send the file itself.") % {"name": self.filename},
                {"files": _("The file is empty.")},
            )

    def _sealed(self) -> operations.SealedObject:
        self._demand_content()
        try:
            self._intake.finish()
        except BaseException:  # a full disk, most likely
            self.abandon()
            raise
        return self._facts()

    def _facts(self) -> operations.SealedObject:
        return operations.SealedObject(
            self._digest.hexdigest(), self.size, self._intake.name, self._wrapped, self._key_id
        )

    def _keep(self, sealed: operations.SealedObject) -> ReceivedFile:
        with journey():
            sample, is_spare = self._keep_sample(sealed)
            upload = operations.add_upload(sample, self.filename, self._actor, self._now)
        if is_spare:
            outside().quarantine.remove(sealed.object_name)
        return ReceivedFile(upload.id, self.filename, sealed.size, sealed.sha256)

    def _keep_sample(self, sealed: operations.SealedObject) -> tuple[Any, bool]:
        """Keep the sealed object as the company's sample; True where it had these bytes: this is spare."""
        company_id = self._actor.company_id or vendor_company().id
        sample, is_new = operations.keep_sample(company_id, sealed, self._now)
        if not is_new and sample.erased_at:
            operations.revive_sample(sample, sealed)
            return sample, False
        return sample, not is_new


def finish_files(later: Sequence[Callable[[], None]]) -> None:
    """Finish files that were put off, side by side: the disk takes many at once as quickly as one. Raises OSError."""
    if later:
        with ThreadPoolExecutor(DISK_WAITS) as pool:
            list(pool.map(lambda finish: finish(), later))


def sweep_quarantine(now: datetime) -> int:
    """Remove uploads that a killed process left unfinished a day ago; return how many."""
    return outside().quarantine.sweep(now - UNFINISHED_FOR)


def receive_file(
    actor: Actor, now: datetime, filename: str, chunks: Iterable[bytes], idempotency_key: str | None = None
) -> ReceivedFile:
    """Take in a whole file from its chunks; a broken stream leaves nothing, a repetition gives the first answer."""
    intake = FileIntake(actor, now, filename)
    try:
        for chunk in chunks:
            intake.write(chunk)
    except TooLarge:
        raise
    except BaseException:
        intake.abandon()
        raise
    received = intake.finish()
    with journey():
        told = {"id": str(received.id), "filename": received.filename, "size": received.size, "sha256": received.sha256}
        request = {"filename": received.filename, "sha256": received.sha256}
        first = once(actor, now, idempotency_key, "receive_file", request, lambda: told)
    return ReceivedFile(UUID(first["id"]), first["filename"], first["size"], first["sha256"])
