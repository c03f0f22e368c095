"""Notices by mail: written in the transaction of what they tell, once for each event and person.

Every word that came from outside stays out of the subject; the page has the rest.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from guardia.features.accounts.queries import people_by_id
from guardia.features.contracts.queries import contacts_of, get_contract_of_case
from guardia.features.mail.operations import NewMail, post_mails
from guardia.features.mail.queries import muted_by
from guardia.journeys.post import link, new_mail, wake_post
from guardia.kernel.ids import spoken

TITLES = {
    "opened": gettext_noop("Request received"),
    "message": gettext_noop("New message"),
    "answered": gettext_noop("Qualified answer"),
    "waiting": gettext_noop("Waiting for your data"),
    "solution": gettext_noop("Solution offered"),
    "released": gettext_noop("Correction released"),
    "closed": gettext_noop("Request closed"),
    "reopened": gettext_noop("Request reopened"),
    "rejected": gettext_noop("Request rejected"),
    "severity_changed": gettext_noop("Severity changed"),
    "severity_proposed": gettext_noop("Lower severity proposed: agree or decline on the page"),
    "dispute_settled": gettext_noop("The severity stays as it is"),
    "answer_voided": gettext_noop("Qualified answer withdrawn: the response clock runs on"),
    "called": gettext_noop("Call confirmed"),
    "class_changed": gettext_noop("Class of the request changed"),
    "merged": gettext_noop("Request joined with another one"),
    "merge_undone": gettext_noop("Request parted from the one that it was joined with"),
    "split": gettext_noop("A second request was made of the first"),
}


def notify_customer(case: Any, what: str, seq: int, now: datetime, line: str | Callable[[], str] = "") -> None:
    """Tell the opener and the named contacts of a case that `what` happened (event `seq`); `line` is one more fact.

    A line that is called says it in the language of each reader.
    """
    contract = get_contract_of_case(case.contract_id)
    named = list(contacts_of(contract))
    people = people_by_id(dict.fromkeys([case.opened_by_id, *named]))
    muted = muted_by(people)
    readers = [person for person in people.values() if what not in muted.get(person.id, ())]
    post_mails([notice(case, what, seq, person, line) for person in readers], now)
    wake_post()


def notice(
    case: Any, what: str, seq: int, person: Any, line: str | Callable[[], str] = "", answers: Any = None
) -> NewMail:
    """Return the mail that tells a person of an event of a case; `answers` is the message that it answers by itself."""
    with translation.override(person.language):
        title = _(TITLES[what])
        return new_mail(
            key=f"case:{case.id}:{seq}:{person.id}",
            topic=what,
            why="opener" if person.id == case.opened_by_id else "named_contact",
            address=person.email,
            language=person.language,
            subject=f"[{spoken(case.number)}] {title}",
            paragraphs=[
                title + ".",
                line() if callable(line) else line,
                link(_("Request %(number)s") % {"number": spoken(case.number)}, f"/cases/{case.number}/"),
                _("Priority phone line: %(phone)s") % {"phone": settings.GUARDIA.phone},
            ],
            case=case,
            person_id=person.id,
            answers=answers,
            is_automatic=answers is not None,
        )
