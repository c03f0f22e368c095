"""Notices by mail: written to the outbox in the transaction of what they tell, once for each event and person.

Every word that came from outside stays out of the subject; the page has the rest.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from guardia.features.accounts.queries import people_by_id
from guardia.features.contracts.queries import contacts_of, get_contract_of_case
from guardia.kernel.ids import spoken
from guardia.kernel.outbox.post import post

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
    "split": gettext_noop("A second request was made of the first"),
}


def notify_customer(case: Any, what: str, seq: int, now: datetime, line: str | Callable[[], str] = "") -> None:
    """Tell the opener and the named contacts of a case that `what` happened (event `seq`); `line` is one more fact.

    A line that is called says it in the language of each reader.
    """
    contract = get_contract_of_case(case.contract_id)
    wanted: list[UUID] = list(dict.fromkeys([case.opened_by_id, *contacts_of(contract)]))
    for person in people_by_id(wanted).values():
        with translation.override(person.language):
            subject = f"[{spoken(case.number)}] {_(TITLES[what])}"
            body = "\n\n".join(
                part
                for part in (
                    _(TITLES[what]) + ".",
                    line() if callable(line) else line,
                    f"{settings.GUARDIA.public_url}/cases/{case.number}/",
                    _("Priority phone line: %(phone)s") % {"phone": settings.GUARDIA.phone},
                )
                if part
            )
        post(
            "mail",
            f"case:{case.id}:{seq}:{person.id}",
            {"to": person.email, "subject": subject, "body": body},
            now,
            company_id=case.company_id,
        )
