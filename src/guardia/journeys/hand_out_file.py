"""Hand out a file of a case: only as an AES-256 zip with the customary password, never in the clear.

The clear bytes pass through this process's memory chunk by chunk on their way into the encrypted archive; what lies
on disk is encrypted before and after.
"""

import tempfile
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, cast
from uuid import UUID

import pyzipper
from django.utils.translation import gettext as _

from guardia.features.cases import queries
from guardia.features.lab.queries import get_sample
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import NotFound
from guardia.kernel.outside import outside
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor

PASSWORD = b"infected"


@dataclass(frozen=True)
class SealedDownload:
    """An encrypted archive, ready to be sent as an attachment; `content` is an open temporary file."""

    filename: str
    content: BinaryIO
    size: int


def hand_out_file(actor: Actor, now: datetime, number: str, file_id: UUID) -> SealedDownload:
    """Return a file of a case that the actor may see as an AES zip; the act is kept in the audit trail."""
    with journey():
        case = queries.get_case_for(actor, number)
        file = queries.get_file(case, file_id)
        if file.role == "internal" and not actor.is_staff:
            raise NotFound("file_unknown", _("There is no such file in this case."))
        sample = get_sample(file.sample_id)
        record(
            actor, now, "file_downloaded", f"case {number}", company_id=case.company_id, detail={"sha256": file.sha256}
        )
    key = outside().lab_keys.unwrap(bytes(sample.wrapped_key), sample.key_id)
    archive = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115  the response closes it
    with pyzipper.AESZipFile(archive, "w", compression=pyzipper.ZIP_STORED, encryption=pyzipper.WZ_AES) as packed:
        packed.setpassword(PASSWORD)
        with packed.open(file.filename, "w", force_zip64=True) as member:
            for chunk in outside().quarantine.read_clear(sample.object_name, key):
                member.write(chunk)
    size = archive.tell()
    archive.seek(0)
    return SealedDownload(f"{file.sha256[:16]}.zip", archive, size)
