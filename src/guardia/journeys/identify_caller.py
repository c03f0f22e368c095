"""Who phones? By a contract's digits and a personal PIN, or by the one-time code of a case.

1. Tries at the same contract or case, and of the same shown number (or of all callers who show none), wait for each
   other: none is counted too late.
2. Where too many were wrong within the hour, none is taken, and nobody is told whether it was right: the line puts the
   caller through to a person.
3. A wrong one is kept, be it that the contract, the case, the person or the digits are unknown: all sound the same.
4. Only who is known hears how the contract stands, and whether it lets the person phone.
5. The try that closes a contract, a case, or the way to all who show no number, is told to the duty managers by mail:
   once an hour for each of these, and of contracts and cases at most ten times an hour.

The number that the caller shows proves nothing; it is only counted. A code stands for its case and for nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from guardia.features.accounts import operations as tries
from guardia.features.accounts.queries import actor_of, find_person_of, pins_of_companies, staff_with, wrong_tries
from guardia.features.accounts.rules import phone_pin
from guardia.features.cases import operations as cases
from guardia.features.cases.queries import facts_of, find_case_of_number, get_case_of_company, phone_code_of
from guardia.features.cases.rules.phone_code import has_tries_left, is_right
from guardia.features.contracts.queries import (
    companies_of_digits,
    contract_today,
    find_contract,
    get_contract_of_case,
    is_in_term,
    is_named_contact,
)
from guardia.features.contracts.rules.entitlement import PREMIUM_TIER, STANDARD_TIER
from guardia.features.mail.operations import post_mails
from guardia.features.mail.queries import HOUR, flags_since
from guardia.journeys import case_log
from guardia.journeys.post import link, new_mail, wake_post
from guardia.kernel.errors import NotFound
from guardia.kernel.ids import is_case_number
from guardia.kernel.transactions import journey, operation
from guardia.kernel.vocabulary import SYSTEM, Actor, Role

MOST_TOLD: Final = 10
"""Mails an hour to a duty manager about closed contracts and cases: more say nothing new."""
_TOLD: Final = "phone:guessed:"
_TOLD_OF_ALL: Final = "phone:guessed-by-all:"
_CASE: Final = "case:"
_CONTRACT_CLOSED: Final = gettext_noop(
    "Within an hour %(count)d wrong PINs were given by phone for a contract with the digits %(what)s. Until an hour "
    "has passed none is taken for it, right or wrong: its callers are put through to a person."
)
_CASE_CLOSED: Final = gettext_noop(
    "Within an hour %(count)d wrong codes were given for case %(what)s. Until an hour has passed none is taken for it "
    "by phone, right or wrong: its callers are put through to a person."
)
_ALL_CLOSED: Final = gettext_noop(
    "Within an hour %(count)d wrong PINs or codes were given by callers who show no number. Until there were fewer "
    "within an hour, none of theirs is taken: they are put through to a person. Who shows a number is not held up."
)
Term = Literal["in_force", "expired", "none"]
Refusal = Literal["", "not_named", "expired", "no_contract", "no_phone"]
Person = Any


@dataclass(frozen=True)
class Standing:
    """How a contract stands to a call: its term, the queue's tier, and what keeps the person from phoning, if any."""

    contract: Term
    tier: int
    refusal: Refusal


@dataclass(frozen=True)
class KnownCaller:
    """Who phones. `person_id` is None and `case` set where a case's code was given: it stands for that case alone."""

    company_id: UUID
    company: str
    person_id: UUID | None
    name: str
    standing: Standing
    case: str = ""


@dataclass(frozen=True)
class UnknownCaller:
    """Nobody by that. `is_closed`: too many wrong tries; none is taken for a while, right or wrong."""

    is_closed: bool = False


def identify_by_pin(now: datetime, contract_digits: str, pin: str, caller_number: str) -> KnownCaller | UnknownCaller:
    """Return whose contract digits and PIN these are."""
    what = phone_pin.digits_of(contract_digits)[: phone_pin.LONGEST_CONTRACT]
    with journey():
        caller = _begin_try(what, caller_number)
        if _is_closed(what, caller, now):
            return UnknownCaller(is_closed=True)
        person = _whose(what, pin)
        if person is None:
            _keep_wrong_try(what, caller, now)
            return UnknownCaller()
        standing = standing_of(person, now)
        return KnownCaller(person.company_id, person.company.name, person.id, person.name, standing)


def identify_by_code(now: datetime, number: str, code: str, caller_number: str) -> KnownCaller | UnknownCaller:
    """Return whose open case it is, where the code is its own. Staff and line count wrong codes together."""
    what = f"{_CASE}{phone_pin.digits_of(number)[: phone_pin.LONGEST_CONTRACT]}"
    with journey():
        caller = _begin_try(what, caller_number)
        case = find_case_of_number(number) if is_case_number(number) else None
        case = cases.lock_case(case) if case is not None else None
        if _is_closed(what, caller, now) or _is_case_closed(case, now):
            return UnknownCaller(is_closed=True)
        if case is None or case.closed_at is not None or not is_right(code, phone_code_of(case)):
            if case is not None and case.closed_at is None:
                case_log.add(case, "phone_code_refused", SYSTEM, now, {"internal": True})
            _keep_wrong_try(what, caller, now, is_closed=_is_case_closed(case, now))
            return UnknownCaller()
        return KnownCaller(case.company_id, case.company.name, None, "", _standing_by_code(case, now), case.number)


def standing_of(person: Person, now: datetime) -> Standing:
    """Return how the contract of a person's company stands on its own local day, and whether the person may phone."""
    contract = find_contract(person.company_id, now)
    if contract is None:
        return Standing("none", STANDARD_TIER, "no_contract")
    today = contract_today(contract, now)
    if not is_in_term(contract, today):
        is_over = today >= contract.ends_on
        return Standing("expired" if is_over else "none", STANDARD_TIER, "expired" if is_over else "no_contract")
    refusal: Refusal = ""
    if not contract.plan.has_phone:
        refusal = "no_phone"
    elif not is_named_contact(contract, person.id):
        refusal = "not_named"
    return Standing("in_force", _tier_of(contract), refusal)


def actor_by_code(case: case_log.Case) -> Actor:
    """Return who acts where a case's code is given: it was shown to its opener, for whom whoever has it speaks."""
    person = find_person_of(case.company_id, case.opened_by_id, also_gone=True)
    if person is None:
        raise NotFound("person_unknown", _("There is no such person in this company."))
    return actor_of(person)


def actor_of_caller(company_id: UUID, person_id: UUID | None, case: str = "") -> Actor:
    """Return who acts for a caller who was found to be this; raise NotFound for somebody who has left since."""
    if case:
        return actor_by_code(get_case_of_company(company_id, case))
    person = find_person_of(company_id, person_id) if person_id else None
    if person is None:
        raise NotFound("person_unknown", _("There is no such person in this company."))
    return actor_of(person)


def _standing_by_code(case: case_log.Case, now: datetime) -> Standing:
    """A case finishes under its frozen terms, so that its call counts after the contract's end too (rule 5)."""
    contract = get_contract_of_case(case.contract_id)
    is_in_force = is_in_term(contract, contract_today(contract, now))
    refusal: Refusal = "" if contract.plan.has_phone else "no_phone"
    return Standing("in_force" if is_in_force else "expired", case.tier, refusal)


def _tier_of(contract: Any) -> int:
    return PREMIUM_TIER if contract.plan.rank > 0 else STANDARD_TIER


@operation
def _begin_try(what: str, caller_number: str) -> str:
    """Let the tries that count together wait for this one; return the number by which the caller's are counted."""
    caller = phone_pin.counted_caller(caller_number)
    tries.lock_tries(what, caller)
    return caller


def _is_closed(what: str, caller: str, now: datetime) -> bool:
    return not phone_pin.has_tries_left(*wrong_tries(what, caller, now - phone_pin.WITHIN), caller)


def _is_case_closed(case: case_log.Case | None, now: datetime) -> bool:
    """Whether too many wrong codes of a case were given, to staff and line together."""
    return case is not None and not has_tries_left(facts_of(case), now)


@operation
def _keep_wrong_try(what: str, caller: str, now: datetime, *, is_closed: bool = False) -> None:
    """Keep a wrong try that was taken, and tell of what it closes; `is_closed`: it closed its case."""
    tries.add_wrong_try(what, caller, now)
    of_what, of_caller = wrong_tries(what, caller, now - phone_pin.WITHIN)
    if is_closed or of_what >= phone_pin.WRONG_OF_CONTRACT:
        sentence = _CASE_CLOSED if what.startswith(_CASE) else _CONTRACT_CLOSED
        facts = {"count": phone_pin.WRONG_OF_CONTRACT, "what": what.removeprefix(_CASE) or "-"}
        _tell_managers(f"{_TOLD}{what}:", sentence, facts, now)
    if caller == phone_pin.NO_NUMBER and of_caller >= phone_pin.WRONG_WITHOUT_NUMBER:
        _tell_managers(_TOLD_OF_ALL, _ALL_CLOSED, {"count": of_caller}, now)


@operation
def _tell_managers(key: str, sentence: str, facts: Mapping[str, Any], now: datetime) -> None:
    """Mail every duty manager what was closed, unless the last hour's mails say it or are too many."""
    mails = []
    for person in staff_with(Role.DUTY_MANAGER):
        since = now - HOUR
        is_too_much = key.startswith(_TOLD) and flags_since(person.email, _TOLD, since) >= MOST_TOLD
        if is_too_much or flags_since(person.email, key, since):
            continue
        with translation.override(person.language):
            mails.append(
                new_mail(
                    key=f"{key}{now.isoformat()}:{person.id}",
                    topic="alarm",
                    why="duty_manager",
                    address=person.email,
                    language=person.language,
                    subject=_("Wrong PINs or codes on the phone line"),
                    paragraphs=[
                        _(sentence) % facts,
                        _("Somebody may be guessing, or has forgotten the own PIN."),
                        link(_("Show the calls"), "/console/calls/"),
                    ],
                    person_id=person.id,
                )
            )
    post_mails(mails, now)
    wake_post()


def _whose(contract_digits: str, pin: str) -> Person | None:
    """Return the one person whose PIN it is, every one being compared; None where several have it."""
    rows = pins_of_companies(companies_of_digits(contract_digits))
    found = [row.person for row in rows if phone_pin.is_pin(row.person_id, pin, settings.SECRET_KEY, row.digest)]
    return found[0] if len(found) == 1 else None
