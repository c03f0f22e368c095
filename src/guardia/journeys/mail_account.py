"""Mails about an account, with a link that is a secret: sent like every other, and wiped once they are settled."""

from datetime import datetime
from typing import Final

from guardia.features.accounts.queries import find_person_by_email
from guardia.features.mail.operations import post_mails
from guardia.features.mail.rules.topics import ACCOUNT
from guardia.journeys.post import Paragraph, new_mail, wake_post
from guardia.kernel.ids import uuid7
from guardia.kernel.transactions import journey

_SCHEMES: Final = ("https://", "http://")


def mail_account(address: str, language: str, subject: str, body: str, label: str, why: str, now: datetime) -> None:
    """Mail a body, a paragraph after each empty line; one that is an address becomes the button `label`."""
    person = find_person_by_email(address)
    mail = new_mail(
        key=f"account:{uuid7()}",
        topic=ACCOUNT,
        why=why,
        address=address,
        language=language,
        subject=subject,
        paragraphs=[_paragraph(part.strip(), label) for part in body.split("\n\n") if part.strip()],
        person_id=person.id if person else None,
    )
    with journey():
        post_mails([mail], now)
        wake_post()


def _paragraph(text: str, label: str) -> str | Paragraph:
    is_address = text.startswith(_SCHEMES) and not any(char.isspace() for char in text)
    return {"text": label, "url": text} if is_address else text
