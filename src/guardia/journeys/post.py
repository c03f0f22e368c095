"""How a journey mails somebody: one row for each person, in the transaction of its cause, with the marks that let an
answer find its case. Every mail knows why it is sent; words that came from outside stay out of the subject.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings

from guardia.features.mail.operations import NewMail
from guardia.features.mail.rules.tokens import MailNames, mail_key
from guardia.kernel.ids import uuid7
from guardia.kernel.jobs import wake

Paragraph = dict[str, str]


@cache
def mail_names() -> MailNames:
    """Return what makes and reads the marks of this desk."""
    own = settings.GUARDIA
    return MailNames.of(mail_key(own.secret_key.reveal()), own.support_email)


def new_mail(
    *,
    key: str,
    topic: str,
    why: str,
    address: str,
    language: str,
    subject: str,
    paragraphs: Sequence[str | Paragraph],
    case: Any = None,
    person_id: UUID | None = None,
    company_id: UUID | None = None,
    answers: Any = None,
    is_automatic: bool = False,
    withheld: str = "",
) -> NewMail:
    """Return a mail to be written with `post_mails`; `answers` is the message that arrived and is answered by it."""
    mail_id = uuid7()
    return NewMail(
        id=mail_id,
        dedupe_key=key,
        topic=topic,
        why=why,
        address=address,
        language=language,
        subject=subject,
        paragraphs=[{"text": one} if isinstance(one, str) else one for one in paragraphs if one],
        message_id=mail_names().message_id(mail_id, case.number if case is not None else ""),
        is_automatic=is_automatic,
        company_id=case.company_id if case is not None else company_id,
        case_id=case.id if case is not None else None,
        person_id=person_id,
        in_reply_to=answers.message_id if answers is not None else "",
        answers_id=answers.id if answers is not None else None,
        withheld=withheld,
    )


def link(label: str, path: str) -> Paragraph:
    """Return a paragraph that is a link to a page of ours."""
    return {"text": label, "url": f"{settings.GUARDIA.public_url}{path}"}


def wake_post() -> None:
    """Wake whoever sends, in the transaction of the cause."""
    wake("send_mail")
