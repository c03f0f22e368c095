"""What a contract grants for one request, decided by numbered checks, the first that fails speaks.

E-1 the company has a contract. E-2 it is in term. E-3 a premium incident is asked for by a named contact. E-4 the plan
has premium incidents. E-5 one is left, or the customer consents to standard instead. The lane, tier and rank follow
the contract, never the class or the balance (contract, rules 4 and 5).
"""

from dataclasses import dataclass
from datetime import date

from guardia.kernel.vocabulary import CaseClass
from guardia.kernel.words import gettext_noop

PREMIUM_TIER, STANDARD_TIER = 1, 2


@dataclass(frozen=True)
class ContractFacts:
    """What the decision needs to know of a contract. `premium_left` is None where the plan is unlimited."""

    starts_on: date
    ends_on: date
    plan_rank: int
    plan_tier: int
    has_premium: bool
    premium_left: int | None
    is_named_contact: bool


@dataclass(frozen=True)
class Granted:
    """The request is served as `case_class`, in the queue's `tier` and `plan_rank`."""

    case_class: CaseClass
    tier: int
    plan_rank: int


@dataclass(frozen=True)
class NotGranted:
    """Why not, as a code for programs and a sentence that says what to do."""

    code: str
    sentence: str


def decide(
    contract: ContractFacts | None, wanted: CaseClass, *, consents_to_standard: bool, today: date
) -> Granted | NotGranted:
    """Decide E-1 to E-5 for a request of class `wanted`."""
    if contract is None:  # E-1
        return NotGranted(
            "no_contract", gettext_noop("The company has no support contract. The sales office can set one up.")
        )
    if not contract.starts_on <= today < contract.ends_on:  # E-2
        return NotGranted(
            "contract_over",
            gettext_noop(
                "The support contract is not in term, so nothing was opened. Files that were uploaded are kept "
                "for 7 days; after renewal the request can be sent again."
            ),
        )
    if wanted is CaseClass.STANDARD:
        return Granted(CaseClass.STANDARD, contract.plan_tier, contract.plan_rank)
    if not contract.has_premium:  # E-4
        return NotGranted(
            "plan_without_premium", gettext_noop("The plan has no premium incidents. Send it as standard.")
        )
    if not contract.is_named_contact:  # E-3
        return NotGranted(
            "not_a_named_contact",
            gettext_noop(
                "Only named contacts may spend premium incidents. "
                "Send it as standard, or ask a named contact to send it."
            ),
        )
    if contract.premium_left is not None and contract.premium_left <= 0:  # E-5
        if consents_to_standard:
            return Granted(CaseClass.STANDARD, contract.plan_tier, contract.plan_rank)
        return NotGranted(
            "no_premium_left",
            gettext_noop(
                "No premium incidents are left in this contract year. "
                "Consent to send it as standard, and it is accepted at once."
            ),
        )
    return Granted(CaseClass.PREMIUM, contract.plan_tier, contract.plan_rank)
