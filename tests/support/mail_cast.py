"""Messages in quarantine as rows, for tests of what people see of them and do about them."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import transaction

from guardia.features.mail.models import InboundMail, OutboundMail
from guardia.features.mail.operations import keep_arrivals
from guardia.kernel.ids import uuid7

SECRET_WORDS = "nomina.exe is encrypted on twelve machines"
"""What nobody may see who has not proven that it is theirs."""
STRANGER = "somebody@home.example"


def kept_mail(now: datetime, **changes: Any) -> InboundMail:
    """Keep a message that arrived two minutes ago and waits in quarantine, changed as said."""
    mail_id: UUID = uuid7()
    facts: dict[str, Any] = {
        "id": mail_id,
        "arrived_at": now - timedelta(minutes=2),
        "recorded_at": now - timedelta(minutes=2),
        "door": "smtp",
        "peer": "192.0.2.7",
        "envelope_from": "lucia.ferrer@astilleros.example",
        "envelope_to": ["soporte@guardia.example"],
        "sender": "lucia.ferrer@astilleros.example",
        "sender_name": "Lucía <b>Ferrer</b>",
        "subject": f"Urgent: {SECRET_WORDS}",
        "message_id": f"{mail_id.hex}@astilleros.example",
        "size": 2345,
        "digest": sha256(mail_id.bytes).hexdigest(),
        "verdict": {
            "spf": "softfail",
            "dkim": "none",
            "dmarc": "none",
            "is_proven": False,
            "is_forged": False,
            "is_unsure": False,
            "why": "",
        },
        "text": f"Since 09:30 {SECRET_WORDS}.",
        "quoted": "> an older message",
        "html": "<p>Since 09:30 <b>everything</b> is red.</p>",
        "parts": [{"name": "sample.zip", "type": "application/zip", "size": 1234, "sha256": "ab" * 32}],
        "stated": {
            "severity": 2,
            "sounds_critical": False,
            "fields": {"product": "Atalaya"},
            "passwords": ["hunter2"],
        },
        "signals": [],
        "faults": ["charset: iso-8859-99 is unknown, read as windows-1252"],
        "outcome": "quarantined",
        "reason": "unproven",
    }
    mail = InboundMail(**{**facts, **changes})
    with transaction.atomic():
        keep_arrivals([mail])
    return mail


def sent(**wanted: Any) -> list[OutboundMail]:
    """Return what was mailed, oldest first."""
    return list(OutboundMail.objects.filter(**wanted).order_by("created_at", "id"))


def link_token(mail: OutboundMail) -> str:
    """Return the token of the link that a mail carries."""
    urls = [one["url"] for one in mail.paragraphs if "/prove/" in one.get("url", "")]
    assert len(urls) == 1
    return str(urls[0].rstrip("/").rsplit("/", 1)[1])


def words_of(mail: OutboundMail) -> str:
    """Return everything that a mail says."""
    return " ".join([mail.subject, *(one["text"] for one in mail.paragraphs)])
