"""Mail that arrived, mail that is sent, links that prove a sender, and what each person wants to be told.

`InboundMail.id` is the id under which the raw message was stored before anything was decided: a message that is taken
up twice meets its own row. A stranger's mail belongs to no company until a person or a proof says whose it is, so these
rows are the vendor's; a company's people reach them only through a case of theirs. Nothing is deleted by deciding.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from guardia.kernel.ids import uuid7


class InboundMail(models.Model):
    id = models.UUIDField(primary_key=True, editable=False)
    arrived_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    door = models.CharField(max_length=8)
    """How it came: `smtp`, `lmtp` or `imap`."""
    peer = models.CharField(max_length=60)
    envelope_from = models.CharField(max_length=320)
    envelope_to = models.JSONField(default=list)
    sender = models.CharField(max_length=320)
    """The address of the From header, in small letters; empty where there is none or more than one."""
    sender_name = models.CharField(max_length=200)
    subject = models.CharField(max_length=300)
    message_id = models.CharField(max_length=300)
    size = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)
    """SHA-256 of the bytes as they arrived."""
    verdict = models.JSONField(default=dict)
    text = models.TextField(default="")
    """The sender's own words."""
    quoted = models.TextField(default="")
    html = models.TextField(default="")
    """Sanitised; shown in a sandboxed frame only."""
    parts = models.JSONField(default=list)
    """What came with it: `{name, type, size, sha256}` each."""
    stated = models.JSONField(default=dict)
    signals = models.JSONField(default=list)
    """Why it is no person's mail, where it is none."""
    faults = models.JSONField(default=list)
    """What was broken in it, in words for staff."""
    outcome = models.CharField(max_length=12)
    """`case`, `reply`, `refused`, `quarantined`; `accepted` while a cleared one is taken up again."""
    reason = models.CharField(max_length=40)
    company_id = models.UUIDField(null=True)
    person_id = models.UUIDField(null=True)
    case_id = models.UUIDField(null=True)
    """The case that it opened or continued; in quarantine, the one that it claims to continue."""
    event_seq = models.PositiveIntegerField(null=True)
    settled_at = models.DateTimeField(null=True)
    settled_by_name = models.CharField(max_length=120, default="")
    settled_how = models.CharField(max_length=20, default="")
    """How it left the quarantine: `proved`, `vouched`, `accepted`, `refused`."""
    settled_why = models.CharField(max_length=300, default="")

    class Meta:
        indexes = [
            models.Index(fields=["-arrived_at", "-id"], name="mail_arrival"),
            models.Index(
                fields=["arrived_at"], condition=Q(outcome="quarantined", settled_at=None), name="mail_quarantine"
            ),
            models.Index(fields=["recorded_at"], condition=Q(outcome="accepted"), name="mail_to_take_up"),
            models.Index(fields=["digest"], name="mail_digest"),
            models.Index(fields=["message_id"], condition=Q(outcome__in=["case", "reply"]), name="mail_taken"),
            models.Index(fields=["case_id"], condition=Q(case_id__isnull=False), name="mail_of_case"),
            models.Index(fields=["sender", "-arrived_at"], name="mail_of_sender"),
        ]


class SenderProof(models.Model):
    """A link sent to a known contact's address: whoever follows it proves, or vouches for, a quarantined message."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    mail = models.ForeignKey(InboundMail, on_delete=models.PROTECT, related_name="+")
    person_id = models.UUIDField()
    digest = models.CharField(max_length=64, unique=True)
    is_own = models.BooleanField()
    """Whether the person is the sender that the message names; else a second contact who vouches."""
    is_asked = models.BooleanField(db_default=False)
    """Whether somebody asked for it; else it answers the message by itself."""
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["mail"], name="proof_of_mail")]


class OutboundMail(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dedupe_key = models.CharField(max_length=200, unique=True)
    topic = models.CharField(max_length=30)
    """What it tells: `opened`, `message`, `answered`, …, `acknowledged`, `proof`, `refused`, `alarm`, `account`."""
    why = models.CharField(max_length=30)
    """Why this person gets it: `opener`, `named_contact`, `wrote`, `duty`, `asked`, …"""
    is_automatic = models.BooleanField()
    """Whether a machine answers a mail with it: these are limited for each address, and never sent twice in doubt."""
    company_id = models.UUIDField(null=True)
    case_id = models.UUIDField(null=True)
    person_id = models.UUIDField(null=True)
    address = models.CharField(max_length=320)
    language = models.CharField(max_length=5)
    subject = models.CharField(max_length=300)
    paragraphs = models.JSONField()
    """The words, one paragraph each; a paragraph that is nothing but an address of ours becomes a button."""
    message_id = models.CharField(max_length=300)
    in_reply_to = models.CharField(max_length=300, default="")
    references = models.TextField(default="")
    answers_id = models.UUIDField(null=True)
    """The `InboundMail` that it answers by itself: at most one for each."""
    created_at = models.DateTimeField()
    state = models.CharField(max_length=12)
    """`waiting`, `handing_over`, `sent`, `failed` (gave up), `uncertain` (may have been taken), `withheld`."""
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_reply = models.CharField(max_length=500, default="")
    """The last server's words, or why it was withheld."""
    sent_at = models.DateTimeField(null=True)
    fate = models.CharField(max_length=12, default="")
    """What became of it after it was sent: `delayed`, `bounced`, `complained`, `auto_replied`, `delivered`."""
    fate_at = models.DateTimeField(null=True)
    fate_detail = models.CharField(max_length=500, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="a_mail_is_answered_by_itself_once", fields=["answers_id"], condition=Q(answers_id__isnull=False)
            )
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at", "id"], condition=Q(next_attempt_at__isnull=False), name="outbound_due"
            ),
            models.Index(fields=["case_id", "created_at"], condition=Q(case_id__isnull=False), name="outbound_of_case"),
            models.Index(fields=["address", "created_at"], name="outbound_of_address"),
            models.Index(fields=["message_id"], name="outbound_message_id"),
            models.Index(fields=["created_at"], condition=Q(why="stranger"), name="outbound_to_strangers"),
        ]


class AddressStanding(models.Model):
    """An address that bounces or complains: what is sent there is withheld, or told to staff, until it is cleared."""

    address = models.CharField(max_length=320, primary_key=True)
    standing = models.CharField(max_length=12)
    """`failing` or `complained`."""
    since = models.DateTimeField()
    detail = models.CharField(max_length=500, default="")


class NotificationRule(models.Model):
    """What a person does not want to be told by mail; without a row, everything."""

    person_id = models.UUIDField(primary_key=True)
    muted = ArrayField(models.CharField(max_length=30), default=list)
    changed_at = models.DateTimeField()
