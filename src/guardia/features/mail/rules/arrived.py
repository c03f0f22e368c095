"""A message that arrived, as every later step reads it: where it came from, what it says, what its proofs say.

Pure values, made by the mail door out of raw bytes and DNS, taken by the journey that decides. Texts are plain (no NUL,
no lone surrogates); addresses are in small letters; sizes in bytes.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

LONGEST_TEXT: Final = 100_000
"""Characters of a message's words that are kept in the database; the raw message has the rest."""
MOST_ATTACHMENTS: Final = 200


@dataclass(frozen=True)
class Envelope:
    """How a message reached us. `id` is the stored id, `arrived_at` when its last byte had come."""

    id: UUID
    arrived_at: datetime
    door: str
    peer: str
    helo: str
    sender: str
    """MAIL FROM; empty for the null sender, and for what was fetched by IMAP without a Return-Path."""
    recipients: tuple[str, ...]
    size: int
    digest: str


@dataclass(frozen=True)
class Attachment:
    """A file that came with a message. `name` is safe to show, never a path."""

    name: str
    type: str
    content: bytes
    is_inline: bool = False


@dataclass(frozen=True)
class DeliveryReport:
    """What a DSN or a complaint (ARF) says of a mail that we sent, for one recipient.

    `kind`: `failed`, `delayed`, `delivered`, `complained`. `message_id` and `recipient` as far as it names them.
    """

    kind: str
    recipient: str
    status: str
    detail: str
    message_id: str


@dataclass(frozen=True)
class Stated:
    """What the sender says in so many words, or in `key: value` lines. None where nothing clear is said."""

    severity: int | None = None
    case_class: str | None = None
    """`premium` or `standard`."""
    kind: str | None = None
    fields: tuple[tuple[str, str], ...] = ()
    """Of a signature change: claim (FN, FP), product, engine, database_version, detection_name, contract, company."""
    sounds_critical: bool = False
    """Whether words of a level 1 occur, whatever severity is stated."""
    passwords: tuple[str, ...] = ()
    """Passwords of attached archives that the text names."""


@dataclass(frozen=True)
class Letter:
    """What a message says, whatever was broken in it."""

    sender: str
    """The one address of From; empty where there is none or more than one."""
    sender_name: str
    all_senders: tuple[str, ...]
    reply_to: str
    subject: str
    message_id: str
    in_reply_to: tuple[str, ...]
    """Message ids of In-Reply-To and References, newest first, without angle brackets."""
    text: str
    """The sender's own words."""
    quoted: str
    html: str
    """Sanitised, or empty."""
    attachments: tuple[Attachment, ...]
    stated: Stated
    signals: tuple[str, ...]
    """Why no person wrote it, in codes: `auto_replied`, `auto_generated`, `precedence`, `list`, `own_header`,
    `out_of_office`, `null_sender`, `delivery_report`, `complaint`, `calendar_reply`, `receipt`."""
    reports: tuple[DeliveryReport, ...] = ()
    language: str = ""
    """`es` or `en` as far as its words tell, else empty."""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What SPF, DKIM and DMARC say of the sender: each `pass`, `fail`, `softfail`, `neutral`, `none`, `temperror`, …

    `is_proven`: the domain of the one From address stands behind the message, by an aligned SPF or DKIM pass, and its
    DMARC does not fail. `is_forged`: DMARC fails, or SPF or DKIM of that very domain fails without the other's pass.
    `is_unsure`: DNS did not answer, so that asking later may tell more.
    """

    spf: str = "none"
    dkim: str = "none"
    dmarc: str = "none"
    is_proven: bool = False
    is_forged: bool = False
    is_unsure: bool = False
    why: str = ""


@dataclass(frozen=True)
class Arrival:
    """A message with everything that is known of it before the database is asked."""

    envelope: Envelope
    letter: Letter
    verdict: Verdict
    vouched_for: UUID | None = field(default=None)
    """The person for whom it counts, where a proof or a member of staff has said so."""
