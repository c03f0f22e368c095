"""Messages that arrived, made up: an `Arrival` with what a test says of it and sensible facts otherwise."""

from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from guardia.features.mail.rules.arrived import Arrival, Attachment, Envelope, Letter, Stated, Verdict
from guardia.kernel.ids import uuid7

DESK = "soporte@guardia.example"
PROVEN = Verdict("pass", "none", "pass", is_proven=True, why="SPF of the sender's domain")
UNPROVEN = Verdict(why="nobody stands behind it")
FORGED = Verdict("fail", "none", "fail", is_forged=True, why="DMARC fails")
LETTER = Letter(
    sender="lucia.ferrer@astilleros.example",
    sender_name="Lucía Ferrer",
    all_senders=(),
    reply_to="",
    subject="El análisis se detiene",
    message_id="one@astilleros.example",
    in_reply_to=(),
    text="Desde las 09:30 el análisis se detiene en 12 equipos.",
    quoted="",
    html="",
    attachments=(),
    stated=Stated(),
    signals=(),
    language="es",
)


def arrival(
    at: datetime,
    sender: str = LETTER.sender,
    verdict: Verdict = PROVEN,
    *,
    stated: dict[str, Any] | None = None,
    files: dict[str, bytes] | None = None,
    to: str = DESK,
    **letter: Any,
) -> Arrival:
    """Return a message of `sender` that had come in at an instant."""
    mail_id = uuid7()
    said = replace(
        LETTER,
        **{
            "sender": sender,
            "all_senders": (sender,) if sender else (),
            "message_id": f"{mail_id.hex}@mail.example",
            "stated": Stated(**(stated or {})),
            "attachments": tuple(
                Attachment(name, "application/octet-stream", content) for name, content in (files or {}).items()
            ),
            **letter,
        },
    )
    digest = sha256(f"{said.message_id} {said.text}".encode()).hexdigest()
    envelope = Envelope(mail_id, at, "smtp", "127.0.0.1", "mail.example", sender, (to,), len(said.text), digest)
    return Arrival(envelope, said, verdict)
