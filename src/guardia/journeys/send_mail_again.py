"""Send a mail again that was given up, withheld, or may not have arrived: staff decide, and the trail keeps it.

Whoever sends it again has seen what the address's server said: its standing is forgotten, until the server says it
again. The Message-ID stays, so that a receiver that has the mail already folds the two.
"""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from guardia.features.cases.queries import get_case_for
from guardia.features.mail import operations, queries
from guardia.features.mail.rules.topics import ACCOUNT
from guardia.journeys.once import once
from guardia.journeys.post import wake_post
from guardia.journeys.take_case import demand_staff
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import NotFound, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor


def send_mail_again(
    actor: Actor, now: datetime, number: str, mail_id: UUID, *, idempotency_key: str | None = None
) -> None:
    """Let a mail about a case be sent again. Raises NotFound, Refused."""
    demand_staff(actor)
    with journey():
        case = get_case_for(actor, number)
        mail = queries.find_outbound(mail_id)
        if mail is None or mail.case_id != case.id:
            raise NotFound("mail_unknown", _("There is no such message."))

        def sent_again() -> dict[str, str]:
            if mail.topic == ACCOUNT or not operations.send_again(mail.id, now):
                raise Refused("mail_not_waiting", _("This mail was sent, or is on its way."))
            for standing in ("failing", "complained"):
                operations.clear_standing([mail.address], standing)
            record(
                actor, now, "send_mail_again", f"mail {mail.id}", company_id=case.company_id, detail={"was": mail.state}
            )
            wake_post()
            return {"mail": str(mail.id)}

        once(actor, now, idempotency_key, "send_mail_again", {"mail": str(mail_id)}, sent_again)
