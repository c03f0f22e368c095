"""Whether mail flows: what came last, what waits on disk, in quarantine and to be sent, what failed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Count, Min, Q

from guardia.features.mail.models import InboundMail, OutboundMail
from guardia.features.mail.queries import quarantine
from guardia.kernel.outside import outside

SPOOL_LATE: Final = timedelta(minutes=5)
OUTGOING_LATE: Final = timedelta(minutes=15)
QUARANTINE_LATE: Final = timedelta(minutes=15)
SILENT_AFTER: Final = timedelta(seconds=30)
DAY: Final = timedelta(days=1)
MOST_COUNTED: Final = 1000


@dataclass(frozen=True)
class MailHealth:
    """The mail door's figures. `listening`: None where no listener is configured."""

    last_at: datetime | None
    spool_waiting: int
    spool_oldest_at: datetime | None
    spool_unreadable: int
    listening: bool | None
    quarantined: int
    quarantine_oldest_at: datetime | None
    refused: int
    failures: int
    to_take_up: int
    outgoing_waiting: int
    outgoing_oldest_at: datetime | None
    outgoing_failed: int
    outgoing_uncertain: int
    outgoing_withheld: int
    bounced: int
    has_dkim_key: bool


def mail_health(now: datetime) -> MailHealth:
    """Return the figures; failures, refusals and what was not sent are those of the last 24 hours."""
    since = now - DAY
    arrived = InboundMail.objects.filter(arrived_at__gte=since).aggregate(
        refused=Count("id", filter=Q(outcome="refused")), failures=Count("id", filter=Q(reason="failed"))
    )
    waits = quarantine().order_by().aggregate(count=Count("id"), oldest=Min("arrived_at"))
    due = OutboundMail.objects.filter(next_attempt_at__isnull=False).aggregate(
        count=Count("id"), oldest=Min("next_attempt_at")
    )
    gone = OutboundMail.objects.filter(created_at__gte=since).aggregate(
        failed=Count("id", filter=Q(state="failed")),
        uncertain=Count("id", filter=Q(state="uncertain")),
        withheld=Count("id", filter=Q(state="withheld")),
        bounced=Count("id", filter=Q(fate__in=["bounced", "complained"])),
    )
    spool = outside().mail_spool
    last = InboundMail.objects.order_by("-arrived_at", "-id").values_list("arrived_at", flat=True).first()
    return MailHealth(
        last_at=last,
        spool_waiting=spool.count_waiting(),
        spool_oldest_at=spool.oldest_waiting(),
        spool_unreadable=spool.count_unreadable(),
        listening=_listening(now),
        quarantined=waits["count"],
        quarantine_oldest_at=waits["oldest"],
        refused=arrived["refused"],
        failures=arrived["failures"],
        to_take_up=InboundMail.objects.filter(outcome="accepted")[:MOST_COUNTED].count(),
        outgoing_waiting=due["count"],
        outgoing_oldest_at=due["oldest"],
        outgoing_failed=gone["failed"],
        outgoing_uncertain=gone["uncertain"],
        outgoing_withheld=gone["withheld"],
        bounced=gone["bounced"],
        has_dkim_key=_has_dkim_key(),
    )


def is_well(health: MailHealth, now: datetime) -> bool:
    """Whether mail flows in and out in time; what waits in quarantine waits for people and is no fault."""
    return not (
        health.listening is False
        or _is_late(health.spool_oldest_at, now, SPOOL_LATE)
        or _is_late(health.outgoing_oldest_at, now, OUTGOING_LATE)
    )


def mail_part(now: datetime) -> Mapping[str, Any]:
    """Return what `/healthz` says of mail."""
    health = mail_health(now)
    figures = {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(health).items()
    }
    return {"ok": is_well(health, now), **figures}


@dataclass(frozen=True)
class QuarantineCount:
    """How many messages wait for a person, and whether one has waited too long."""

    waiting: int
    oldest_at: datetime | None = None
    is_late: bool = False


def quarantine_count(now: datetime) -> QuarantineCount:
    """Return what the navigation says of the quarantine: one step along its index, at most `MOST_COUNTED` rows."""
    arrivals = list(quarantine().values_list("arrived_at", flat=True)[:MOST_COUNTED])
    if not arrivals:
        return QuarantineCount(0)
    return QuarantineCount(len(arrivals), arrivals[0], _is_late(arrivals[0], now, QUARANTINE_LATE))


def _is_late(since: datetime | None, now: datetime, after: timedelta) -> bool:
    return since is not None and now - since > after


def _listening(now: datetime) -> bool | None:
    own = settings.GUARDIA
    if not (own.mail_port or own.mail_lmtp_port or own.imap_url.reveal()):
        return None
    last = outside().mail_spool.listener_beat()
    return last is not None and now - last <= SILENT_AFTER


def _has_dkim_key() -> bool:
    return any((settings.GUARDIA.private / "keys").glob("dkim*"))
