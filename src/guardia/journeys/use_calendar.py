"""Let contracts take a newer version of their calendar: their cases to come have it, open ones stay (RC-12)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guardia.features.contracts import operations as contracts
from guardia.features.contracts import queries as contract_queries
from guardia.features.sla.queries import get_calendar, older_versions
from guardia.journeys.move_calendar import get_version
from guardia.journeys.move_case import checked_reason
from guardia.journeys.once import once
from guardia.journeys.write_calendar import demand_duty_manager
from guardia.kernel.errors import Invalid
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor


def use_calendar(
    actor: Actor,
    now: datetime,
    name: str,
    version: int,
    contract_ids: Sequence[str],
    reason: str,
    *,
    idempotency_key: str | None = None,
) -> int:
    """Give the version to these contracts that hold an older one of its name; return how many took it.

    Raises Forbidden, NotFound, Invalid (no contract chosen, no reason).
    """
    demand_duty_manager(actor)
    reason = checked_reason(reason)
    to = get_version(name, version)
    request = {"name": name, "version": version, "contracts": sorted(contract_ids), "reason": reason}
    with journey():

        def use() -> dict[str, int]:
            held = contract_queries.contracts_on_calendars(older_versions(to))
            chosen = [contract for contract in held if str(contract.id) in set(contract_ids)]
            if not chosen:
                sentence = _("Choose at least one contract.")
                raise Invalid("contract_missing", sentence, {"contract": sentence})
            for contract in chosen:
                _give(contracts.lock_contract(contract), to, actor, now, reason)
            return {"count": len(chosen)}

        answer = once(actor, now, idempotency_key, "use_calendar", request, use)
    return int(answer["count"])


def _give(contract: Any, to: Any, actor: Actor, now: datetime, reason: str) -> None:
    before, after = (
        {"calendar": f"{one.name} {one.version}"} for one in (get_calendar(contract.calendar_version_id), to)
    )
    contracts.set_calendar(contract, to.id)
    contracts.record_change(contract, "calendar", before, after, actor, now, reason)
