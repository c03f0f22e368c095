"""A row of mail as the letter that is sent: its thread, its reply address, and the footer that every mail has.

The footer says why the mail was sent, where that is changed, and what to do without access to the account.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from guardia.features.mail.queries import thread_before
from guardia.features.mail.rules.letter_bytes import Desk, OwnLetter, letter_bytes
from guardia.features.mail.rules.tokens import MailNames, mail_key

WHY: Final[Mapping[str, Callable[[], str]]] = {
    "opener": lambda: _("Sent to whoever opened the request."),
    "named_contact": lambda: _("Sent to the named contacts of the contract."),
    "wrote": lambda: _("Sent because a message from this address arrived at support."),
    "asked": lambda: _("Sent because a confirmation link to this address was asked for."),
    "asked_proof": lambda: _("Sent because a confirmation link to this address was asked for."),
    "vouches": lambda: _("Sent because somebody named the owner of this address as a contact of the company."),
    "stranger": lambda: _("Sent once, in answer to a message from this address, which support does not know."),
    "asked_password": lambda: _("Sent because a new password was asked for with this address."),
    "account": lambda: _("Sent because of the account with this address."),
    "request": lambda: _("Sent because of a request that the owner of this address takes part in."),
    "duty": lambda: _("Sent to the engineer on duty."),
    "on_duty": lambda: _("Sent to the engineer on duty."),
    "holder": lambda: _("Sent to the holder of the case."),
    "group": lambda: _("Sent to the members of the group that has the case."),
    "lead": lambda: _("Sent to the duty managers."),
    "duty_manager": lambda: _("Sent to the duty managers."),
    "account_manager": lambda: _("Sent to the account managers."),
    "roles": lambda: _("Sent because of the roles named above."),
}
_OF_STAFF: Final = frozenset({"duty", "on_duty", "holder", "group", "lead", "duty_manager", "account_manager", "roles"})
Mail = Any


def desk_names() -> MailNames:
    """Return what makes the marks of this desk."""
    own = settings.GUARDIA
    return MailNames.of(mail_key(own.secret_key.reveal()), own.support_email)


def why_sent(code: str) -> str:
    """Return why a mail was sent, as a sentence in the present language."""
    say = WHY.get(code)
    return say() if say else _("Sent by the support desk.")


def mail_bytes(mail: Mail) -> bytes:
    """Return the unsigned bytes of a row of `OutboundMail`. Raises NoSuchAddress."""
    own, names = settings.GUARDIA, desk_names()
    marked = names.own_id(mail.message_id)
    number = marked[1] if marked else ""
    thread = thread_before(mail)
    answered = mail.in_reply_to or (thread[-1] if thread else "")
    with translation.override(mail.language):
        footer = _footer(mail)
    letter = OwnLetter(
        id=mail.id,
        to=mail.address,
        language=mail.language,
        subject=mail.subject,
        paragraphs=mail.paragraphs,
        footer=footer,
        written_at=mail.created_at,
        message_id=mail.message_id,
        reply_to=names.reply_address(number, mail.person_id) if number and mail.person_id else own.support_email,
        in_reply_to=answered,
        references=[*thread, *mail.references.split(), *([answered] if answered else [])],
        is_automatic=mail.is_automatic,
    )
    return letter_bytes(letter, Desk("Guardia", own.support_email, names.domain, own.public_url))


def _footer(mail: Mail) -> list[dict[str, str]]:
    own = settings.GUARDIA
    lines = [{"text": why_sent(mail.why)}]
    if mail.person_id is not None:
        page = "/console/notifications/" if mail.why in _OF_STAFF else "/notifications/"
        lines.append({"text": _("Choose what is told by mail"), "url": f"{own.public_url}{page}"})
    if mail.why not in _OF_STAFF:
        lines.append(
            {
                "text": _(
                    "No access to the account? Write to %(address)s or call %(phone)s: the time of arrival counts as "
                    "the submission."
                )
                % {"address": own.support_email, "phone": own.phone}
            }
        )
    return lines
