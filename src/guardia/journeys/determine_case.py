"""The lab's determination: a judgement with its author, added to a history and never overwritten."""

from datetime import datetime

from django.utils.translation import gettext as _

from guardia.features.cases import operations as cases
from guardia.features.cases import queries
from guardia.features.lab import operations as lab
from guardia.journeys import case_log
from guardia.journeys.notify import notify_customer
from guardia.journeys.once import once
from guardia.journeys.write_message import checked_text
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, Role

VERDICTS = ("fn_confirmed", "fp_confirmed", "detection_correct", "not_malicious", "unwanted_by_policy", "undetermined")


def determine_case(
    actor: Actor, now: datetime, number: str, verdict: str, text: str, *, idempotency_key: str | None = None
) -> None:
    """Add the lab's determination. It is a result of analysis by the holder of the case: a qualified answer."""
    if Role.ANALYST not in actor.roles:
        raise Forbidden("analyst_only", _("Only an analyst determines."))
    if verdict not in VERDICTS:
        raise Invalid("verdict_unknown", _("Choose a determination."), {"verdict": _("Choose one.")})
    text = checked_text(text)
    with journey():
        case = queries.get_case_for(actor, number)
        if case.kind != "signature_change":
            raise Refused("no_report", _("Only signature changes are determined by the lab."))

        def do() -> dict[str, str]:
            locked = cases.lock_case(case)
            if str(locked.holder_id) != actor.id:
                raise Refused("not_the_holder", _("The specialist who has the case determines. Take it first."))
            lab.determine(locked.id, locked.company_id, verdict, text, actor, now)
            case_log.add(locked, "determined", actor, now, {"verdict": verdict, "text": text})
            if locked.closed_at is None:
                seq = case_log.add(
                    locked, "answered", actor, now, {"text": text, "how": "analysis", "qualified": True, "files": []}
                )
                notify_customer(locked, "answered", seq, now)
            return {"number": number}

        once(actor, now, idempotency_key, "determine_case", {"number": number, "verdict": verdict, "text": text}, do)
