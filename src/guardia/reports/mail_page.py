"""The mailbox as staff read it: what came, what waits in the quarantine, and one message with all that is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Case as When_
from django.db.models import IntegerField, Q, QuerySet, Value, When

from guardia.features.accounts.models import Person
from guardia.features.accounts.queries import find_person_by_email, people_by_id
from guardia.features.cases.models import Case
from guardia.features.mail.models import InboundMail, OutboundMail
from guardia.features.mail.queries import get_mail_for, mailbox_for
from guardia.features.mail.rules.clearing import may_clear
from guardia.kernel.keyset import Key, Order, window
from guardia.kernel.vocabulary import Actor
from guardia.reports.mail_health import MailHealth, mail_health
from guardia.reports.mail_words import (
    outcome_title,
    reason_sentence,
    settled_title,
    signal_word,
    stated_name,
    verdict_lines,
    verdict_sentence,
)

VIEWS: Final = ("quarantine", "cases", "refused", "all")
LENGTH: Final = 50
MOST_CONTACTS: Final = 20
_SHORTEST_SEARCH: Final = 3
_CRITICAL: Final = Q(stated__sounds_critical=True) | Q(stated__severity=1)
NEWEST: Final = Order("mail", {"arrived_at": datetime, "id": UUID}, is_descending=True)
WAITING: Final = Order("mail-waiting", {"rank": int, "arrived_at": datetime, "id": UUID})
"""The quarantine: words of a level 1 first, then who has waited longest."""


@dataclass(frozen=True)
class MailRow:
    """One message in the list."""

    id: UUID
    arrived_at: datetime
    sender: str
    sender_name: str
    subject: str
    outcome: str
    outcome_title: str
    reason: str
    company: str
    case_number: str
    files: int
    is_critical: bool
    settled_by: str = ""


@dataclass(frozen=True)
class MailboxPage:
    """One page of the mailbox, with the door's figures."""

    rows: tuple[MailRow, ...]
    view: str
    search: str
    health: MailHealth
    before: str = ""
    after: str = ""
    is_lost: bool = False


@dataclass(frozen=True)
class ContactChoice:
    """A contact for whom a message may be accepted."""

    id: UUID
    name: str
    email: str
    company: str


@dataclass(frozen=True)
class CaseLink:
    """A case that a message claims to continue, or became."""

    number: str
    subject: str
    company: str
    is_of_choice: bool = False


@dataclass(frozen=True)
class MailPage:
    """One message with everything that is known of it."""

    mail: Any
    row: MailRow
    checks: tuple[tuple[str, str, str], ...]
    verdict: str
    signals: tuple[str, ...]
    stated: tuple[tuple[str, str, str], ...]
    """Key, name and value of each fact that the message states."""
    passwords: tuple[str, ...]
    sender_is: ContactChoice | None
    is_staff_address: bool
    contacts: tuple[ContactChoice, ...]
    chosen: str
    search: str
    case: CaseLink | None
    answers: tuple[Any, ...]
    settled: str
    accepted_for: str
    is_waiting: bool
    may_clear: bool
    may_put_back: bool


def mailbox_page(
    actor: Actor, now: datetime, view: str = "quarantine", search: str = "", *, after: str = "", before: str = ""
) -> MailboxPage:
    """Return a page of what arrived; raise Forbidden for customers."""
    chosen = view if view in VIEWS else "quarantine"
    rows = _searched(_of_view(mailbox_for(actor), chosen), search)
    order = WAITING if chosen == "quarantine" else NEWEST
    start, backwards, is_lost = _place(order, after, before)
    ahead, _end = window(rows, order, start, LENGTH, backwards=backwards)
    found = list(order.sort(ahead, backwards=backwards)[:LENGTH])
    if backwards:
        found.reverse()
    places = {"after": "", "before": ""}
    if found:
        first, last = order.key_of(found[0]), order.key_of(found[-1])
        places["after"] = order.text_of(last) if rows.filter(order.beyond(last)).exists() else ""
        places["before"] = order.text_of(first) if rows.filter(order.beyond(first, backwards=True)).exists() else ""
    return MailboxPage(_rows(found), chosen, search, mail_health(now), is_lost=is_lost, **places)


def mail_page(actor: Actor, mail_id: UUID, search: str = "") -> MailPage:
    """Return one message; `search` looks for contacts. Raise Forbidden for customers, NotFound."""
    mail = get_mail_for(actor, mail_id)
    is_waiting = mail.outcome == "quarantined" and mail.settled_at is None
    sender = next(iter(_contacts(Q(email__iexact=mail.sender))), None) if mail.sender else None
    case = _case_of(mail, sender)
    found = _found_contacts(search) if is_waiting else ()
    contacts = tuple(one for one in ((sender, *found) if sender and not search else found) if one)
    stated = mail.stated or {}
    person = people_by_id([mail.person_id]).get(mail.person_id) if mail.person_id else None
    return MailPage(
        mail=mail,
        row=_rows([mail])[0],
        checks=verdict_lines(mail.verdict),
        verdict=verdict_sentence(mail.verdict),
        signals=tuple(signal_word(one) for one in mail.signals),
        stated=_stated(stated),
        passwords=tuple(stated.get("passwords", ())),
        sender_is=sender,
        is_staff_address=sender is None and bool(mail.sender) and _is_staff(mail.sender),
        contacts=contacts,
        chosen=str(sender.id) if sender and not search else "",
        search=search,
        case=case,
        answers=tuple(OutboundMail.objects.filter(answers_id=mail.id)),
        settled=settled_title(mail.settled_how) if mail.settled_how else "",
        accepted_for=person.name if person and mail.settled_how != "refused" else "",
        is_waiting=is_waiting,
        may_clear=is_waiting and may_clear(actor),
        may_put_back=mail.outcome == "refused" and mail.settled_how == "refused" and may_clear(actor),
    )


def mail_html(actor: Actor, mail_id: UUID) -> str:
    """Return a message's sanitised HTML, for its sandboxed frame; raise Forbidden for customers, NotFound."""
    return get_mail_for(actor, mail_id).html


# ---- rows ----


def _of_view(rows: QuerySet[InboundMail], view: str) -> QuerySet[InboundMail]:
    if view == "quarantine":
        waiting = rows.filter(outcome="quarantined", settled_at=None)
        rank = When_(When(_CRITICAL, then=Value(0)), default=Value(1), output_field=IntegerField())
        return waiting.annotate(rank=rank)
    wanted = {"cases": ["case", "reply", "accepted"], "refused": ["refused"]}.get(view)
    return rows.filter(outcome__in=wanted) if wanted else rows


def _searched(rows: QuerySet[InboundMail], search: str) -> QuerySet[InboundMail]:
    wanted = search.strip()
    if not wanted:
        return rows
    digits = "".join(character for character in wanted if character.isdigit())
    found = Q(sender__icontains=wanted) | Q(envelope_from__icontains=wanted) | Q(subject__icontains=wanted)
    numbered = Case.objects.across_companies("staff search the mailbox by case number").filter(number=digits)
    case_id = numbered.values_list("id", flat=True).first() if digits else None
    return rows.filter(found | Q(case_id=case_id)) if case_id else rows.filter(found)


def _place(order: Order, after: str, before: str) -> tuple[Key | None, bool, bool]:
    if not (after or before):
        return None, False, False
    try:
        return order.read(after or before), not after, False
    except ValueError:
        return None, False, True


def _rows(mails: list[InboundMail]) -> tuple[MailRow, ...]:
    cases = _cases({mail.case_id for mail in mails if mail.case_id})
    companies = {
        person.email.lower(): person.company.name
        for person in _people(Q(email__in={mail.sender for mail in mails if mail.sender}))
        if person.company
    }
    return tuple(_row(mail, cases, companies) for mail in mails)


def _row(mail: InboundMail, cases: Mapping[UUID, Case], companies: Mapping[str, str]) -> MailRow:
    case = cases.get(mail.case_id) if mail.case_id else None
    return MailRow(
        id=mail.id,
        arrived_at=mail.arrived_at,
        sender=mail.sender,
        sender_name=mail.sender_name,
        subject=mail.subject,
        outcome=mail.outcome,
        outcome_title=outcome_title(mail.outcome),
        reason=reason_sentence(mail.reason),
        company=companies.get(mail.sender, ""),
        case_number=case.number if case else "",
        files=sum(not part.get("is_inline") for part in mail.parts),
        is_critical=bool(mail.stated.get("sounds_critical")) or mail.stated.get("severity") == 1,
        settled_by=mail.settled_by_name,
    )


def _cases(ids: set[UUID]) -> dict[UUID, Case]:
    if not ids:
        return {}
    rows = Case.objects.across_companies("staff read which case a message became").select_related("company")
    return {case.id: case for case in rows.filter(id__in=ids)}


# ---- one message ----


def _case_of(mail: InboundMail, sender: ContactChoice | None) -> CaseLink | None:
    case = _cases({mail.case_id}).get(mail.case_id) if mail.case_id else None
    if case is None:
        return None
    is_of_choice = sender is not None and sender.company == case.company.name
    return CaseLink(case.number, case.subject, case.company.name, is_of_choice)


def _stated(stated: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    named = [(name, stated.get(name)) for name in ("severity", "class", "kind")]
    fields = stated.get("fields") or {}
    return tuple((key, stated_name(key), str(value)) for key, value in [*named, *fields.items()] if value)


def _is_staff(address: str) -> bool:
    person = find_person_by_email(address)
    return person is not None and person.is_staff


def _people(wanted: Q) -> QuerySet[Person]:
    customers = Person.objects.filter(is_active=True, company__isnull=False, company__is_vendor=False)
    return customers.filter(wanted).select_related("company").order_by("company__name", "name")


def _contacts(wanted: Q) -> tuple[ContactChoice, ...]:
    return tuple(
        ContactChoice(person.id, person.name, person.email, person.company.name)
        for person in _people(wanted)[:MOST_CONTACTS]
        if person.company
    )


def _found_contacts(search: str) -> tuple[ContactChoice, ...]:
    wanted = search.strip()
    if len(wanted) < _SHORTEST_SEARCH:
        return ()
    return _contacts(Q(name__icontains=wanted) | Q(email__icontains=wanted) | Q(company__name__icontains=wanted))
