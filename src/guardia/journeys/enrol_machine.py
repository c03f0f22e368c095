"""Machines are let in by a one-time code of a company's administrator, and let out by a revocation.

The lane follows the contract. A machine's way into the accelerated lane ends with the contract's term.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from guardia.features.accounts import operations, queries
from guardia.features.accounts.rules.tokens import digest, lane_token
from guardia.features.contracts.queries import contract_today, find_contract, is_in_term, lane_of
from guardia.features.releases.operations import lock_log
from guardia.journeys.once import once
from guardia.kernel.audit.trail import record
from guardia.kernel.errors import Forbidden, Invalid, Refused
from guardia.kernel.outside import outside
from guardia.kernel.transactions import journey
from guardia.kernel.vocabulary import Actor, Lane
from guardia.kernel.zones import get_zone

LONGEST_NAME = 80
KEY_BYTES = 32
POLL_AFTER_S = {Lane.ACCELERATED: 15, Lane.STANDARD: 900}


@dataclass(frozen=True)
class Enrolled:
    """What a machine is told once: its token is kept nowhere else."""

    agent_id: str
    token: str
    facts: Mapping[str, Any]


def create_code(actor: Actor, now: datetime, machine_name: str, *, idempotency_key: str | None = None) -> str:
    """Return a new one-time code for one machine, good for an hour; only a company's administrator asks for one."""
    if actor.company_id is None or not actor.is_company_admin:
        raise Forbidden("administrator_only", _("Only the company's administrator enrols machines."))
    name = machine_name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise Invalid(
            "name_missing",
            _("The machine was not added."),
            {"name": _("Name the machine, with at most 80 characters.")},
        )
    company_id, issued = actor.company_id, []
    with journey():

        def do() -> dict[str, str]:
            issued.append(operations.issue_code(company_id, name, UUID(actor.id), now))  # told, never kept in the clear
            record(actor, now, "code_issued", f"machine {name}", company_id=company_id)
            return {"name": name}

        once(actor, now, idempotency_key, "create_code", {"name": name}, do)
    if not issued:
        raise Invalid("code_told", _("This form was sent before: its code is told once only. Make another code."))
    return str(issued[0])


def enrol_machine(code: str, name: str, public_key: str, now: datetime) -> Enrolled:
    """Enrol a machine with a one-time code. Raise Refused (code unknown, used, over), Invalid (key)."""
    try:
        raw = base64.b64decode(public_key, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid(
            "key_malformed", _("public_key is not base64."), {"public_key": _("Send 32 bytes in base64.")}
        ) from error
    if len(raw) != KEY_BYTES:
        raise Invalid(
            "key_malformed", _("public_key is not an Ed25519 key."), {"public_key": _("Send 32 bytes in base64.")}
        )
    with journey():
        found = queries.find_open_code(code, now, lock=True)
        if found is None:
            raise Refused(
                "code_unknown",
                _(
                    "This code is unknown, used already, or older than an hour. "
                    "Ask the company's administrator for a new one."
                ),
            )
        machine, token = operations.enrol(found, name.strip()[:LONGEST_NAME], raw, lane_of(found.company_id, now), now)
        actor = queries.machine_actor(machine)
        record(actor, now, "machine_enrolled", f"machine {machine.id}", company_id=machine.company_id)
    admit_subscribers(now)
    lane = Lane(machine.lane)
    return Enrolled(str(machine.id), token, {**machine_facts(machine, now), "root": outside().tree.root_of(lane)})


def machine_facts(machine: Any, now: datetime) -> dict[str, Any]:
    """Return a machine's lane and where it is served. The lane it enrolled for, as long as the contract grants it."""
    lane = Lane(machine.lane)
    granted = lane_of(machine.company_id, now)
    base = f"{settings.GUARDIA.releases_url}/{lane.value}"
    if lane is Lane.ACCELERATED:
        base += f"/{lane_token(str(machine.id), settings.SECRET_KEY)}"
    return {
        "agent_id": str(machine.id),
        "lane": lane.value,
        "granted_lane": granted.value,
        "metadata_url": f"{base}/metadata",
        "targets_url": f"{base}/targets",
        "poll_after_s": POLL_AFTER_S[lane],
    }


def tell_lane(machine: Any, now: datetime) -> dict[str, Any]:
    """Answer a machine that asks where its releases are, and keep that it was heard of."""
    with journey():
        operations.saw_machine(machine, now)
    return machine_facts(machine, now)


def revoke_machine(actor: Actor, now: datetime, machine_id: UUID, reason: str) -> None:
    """Let a machine in no more."""
    if not actor.is_company_admin:
        raise Forbidden("administrator_only", _("Only the company's administrator removes machines."))
    with journey():
        machine = queries.get_machine_for(actor, machine_id)
        operations.revoke(machine, now)
        record(
            actor,
            now,
            "machine_revoked",
            f"machine {machine.id}",
            company_id=machine.company_id,
            detail={"reason": reason[:300]},
        )
    admit_subscribers(now)


def admit_subscribers(now: datetime) -> int:
    """Write the list of who may read the accelerated lane, from scratch, and return its length."""
    with journey():
        lock_log()
        wanted: dict[str, datetime | None] = {}
        for machine in queries.subscribers():
            contract = find_contract(machine.company_id, now)
            if (
                machine.lane == Lane.ACCELERATED
                and contract
                and is_in_term(contract, contract_today(contract, now))
                and contract.plan.lane == Lane.ACCELERATED
            ):
                token = lane_token(str(machine.id), settings.SECRET_KEY)
                end = datetime.combine(contract.ends_on, time.min, tzinfo=get_zone(contract.zone))
                wanted[digest(token)] = end.astimezone(UTC)
        outside().tree.admit(wanted)
    return len(wanted)
