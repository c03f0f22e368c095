"""Hand out a message as it arrived: only as an AES-256 zip with the customary password, since it may carry malware.

For staff alone; the act is kept in the audit trail.
"""

import tempfile
from datetime import datetime
from typing import BinaryIO, cast
from uuid import UUID

import pyzipper
from django.utils.translation import gettext as _

from guardia.features.mail.queries import get_mail_for
from guardia.journeys.hand_out_file import PASSWORD, SealedDownload
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import NotFound
from guardia.kernel.outside import MailUnreadable, outside
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor


def hand_out_mail(actor: Actor, now: datetime, mail_id: UUID) -> SealedDownload:
    """Return the raw bytes of a message as an AES zip; raise Forbidden for customers, NotFound."""
    with journey():
        mail = get_mail_for(actor, mail_id)
        try:
            _envelope, raw = outside().mail_spool.read_kept(mail_id)
        except (FileNotFoundError, MailUnreadable) as error:
            sentence = _("The message as it arrived is no longer kept, or cannot be read.")
            raise NotFound("mail_not_kept", sentence) from error
        record(actor, now, "mail_downloaded", f"mail {mail.id}", detail={"sha256": mail.digest})
    archive = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115  the response closes it
    with pyzipper.AESZipFile(archive, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as packed:
        packed.setpassword(PASSWORD)
        packed.writestr(f"{mail.id}.eml", raw)
    size = archive.tell()
    archive.seek(0)
    return SealedDownload(f"{mail.id}.zip", archive, size)
