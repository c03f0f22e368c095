"""The messages that came by mail behind the events of a case, for whoever may see the case."""

from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from guardia.features.cases.queries import get_case_for
from guardia.features.mail.queries import mails_of_case
from guardia.kernel.errors import NotFound
from guardia.kernel.vocabulary import Actor
from guardia.reports.showing import MailView


def message_html(actor: Actor, number: str, mail_id: UUID) -> str:
    """Return the sanitised HTML of a message of a case that the actor may see; raise NotFound for every other."""
    case = get_case_for(actor, number)
    mail = mails_of_case(case.id).filter(id=mail_id).first()
    if mail is None:
        raise NotFound("mail_unknown", _("There is no such message in this case."))
    return mail.html


def message_views(actor: Actor, case_id: UUID) -> dict[str, MailView]:
    """Return what the messages of a case, already access-checked, have beside their words, by their id."""
    rows = mails_of_case(case_id).annotate(has_html=~Q(html="")).defer("html", "text")
    return {
        str(mail.id): MailView(
            id=str(mail.id),
            sender=mail.sender,
            quoted=mail.quoted,
            has_html=mail.has_html,
            faults=tuple(mail.faults) if actor.is_staff else (),
            passwords=tuple(mail.stated.get("passwords", ())) if actor.is_staff else (),
        )
        for mail in rows
    }


def named_passwords(actor: Actor, case_id: UUID) -> tuple[str, ...]:
    """Return the passwords that the messages of a case name, for staff; nobody else is told."""
    named = [one for view in message_views(actor, case_id).values() for one in view.passwords]
    return tuple(dict.fromkeys(named))
