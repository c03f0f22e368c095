"""What became of mail after it was sent: bounces, delays, deliveries, complaints, answers of machines.

Called by the journey that takes mail in, inside its transaction; nothing here opens one. A report is believed only
where its mark is ours: the return path that nobody else can make, or the Message-ID of a mail of ours that it quotes,
which only a receiver of that mail has seen.

- R-1 A hard bounce (5.x.x) that came to the return path lets the address fail: automatic mails to it are withheld,
  notices are still tried. One that only quotes a Message-ID, which a forwarded thread shows too, is kept at its mail.
- R-2 A complaint withholds from the address what may be switched off, and staff are told where it was about a case.
- R-3 A delivery, or mail that arrives from the address, ends its failing. A complaint ends only by a person.
- R-4 A later report of less weight does not hide a graver one: a delay after a bounce changes nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from guardia.features.cases.queries import find_case_of_mail
from guardia.features.mail import operations, queries
from guardia.features.mail.rules.arrived import DeliveryReport
from guardia.journeys.post import mail_names
from guardia.journeys.tell_staff import tell_mail_fate

FATES: Final = {"failed": "bounced", "delayed": "delayed", "delivered": "delivered", "complained": "complained"}
_WEIGHT: Final = {"": 0, "auto_replied": 1, "delayed": 2, "delivered": 3, "bounced": 4, "complained": 5}
Mail = Any


def record_reports(
    reports: Sequence[DeliveryReport], envelope_recipients: Sequence[str], now: datetime
) -> tuple[UUID, ...]:
    """Keep what reports say of mails of ours and return these mails' ids; needs the transaction of its caller."""
    names = mail_names()
    by_path = {mail for mail in map(names.bounced, envelope_recipients) if mail is not None}
    by_id = {marked[0]: report for report in reports if (marked := names.own_id(report.message_id)) is not None}
    found = []
    for mail in queries.find_reported(by_path | by_id.keys(), ()):
        report = by_id.get(mail.id) or _report_about(mail, reports)
        if report is not None:
            found.append(mail.id)
            _record(mail, report, now, is_by_path=mail.id in by_path)
    return tuple(found)


def _report_about(mail: Mail, reports: Sequence[DeliveryReport]) -> DeliveryReport | None:
    """Return the report on the mail of a return path: that of its address, else the first."""
    same = (report for report in reports if report.recipient.lower() == mail.address.lower())
    return next(same, reports[0] if reports else None)


def _record(mail: Mail, report: DeliveryReport, now: datetime, *, is_by_path: bool) -> None:
    fate = FATES.get(report.kind, "")
    if not fate:
        return
    is_news = fate != mail.fate
    detail = " ".join(part for part in (report.status, report.detail) if part)
    if _WEIGHT[fate] >= _WEIGHT.get(mail.fate, 0):
        operations.set_fate(mail, fate, now, detail)
    if fate == "bounced" and not report.status.startswith("4"):
        if is_by_path:
            operations.set_standing(mail.address, "failing", now, detail)
        if is_news:
            _tell(mail, "mail_failed", now)
    elif fate == "complained":
        operations.set_standing(mail.address, "complained", now, detail)
        if is_news:
            _tell(mail, "mail_complained", now)
    elif fate == "delivered":
        operations.clear_standing([mail.address], "failing")


def _tell(mail: Mail, mark: str, now: datetime) -> None:
    case = find_case_of_mail(mail.case_id) if mail.case_id else None
    if case is not None:
        tell_mail_fate(case, mark, mail.id, now)


def note_auto_reply(message_ids: Sequence[str], address: str, now: datetime) -> tuple[UUID, ...]:
    """Keep that a machine answered mails of ours, named by what it answers, at `address`; return their ids."""
    marked = (mail_names().own_id(one) for one in message_ids)
    ids = {one[0] for one in marked if one is not None}
    noted = []
    for mail in queries.find_reported(ids, ()) if ids else ():
        if mail.address.lower() == address.lower() and mail.fate == "":
            operations.set_fate(mail, "auto_replied", now, "")
            noted.append(mail.id)
    return tuple(noted)


def note_arrivals(addresses: Collection[str]) -> None:
    """End the failing of addresses from which proven mail has come."""
    operations.clear_standing(list(addresses), "failing")
