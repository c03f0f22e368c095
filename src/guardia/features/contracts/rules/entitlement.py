"""What a contract grants for one request, decided by numbered checks, the first that fails speaks.

- E-1 The company has a contract.
- E-2 It has begun.
- E-3 It is not over.
- E-4 A product that the request names is one of the contract's licences.
- E-5 That licence is in term.
- E-6 The product's support phase has not ended.
- E-7 For premium: the plan has premium incidents.
- E-8 For premium: a named contact asks.
- E-9 For premium: an incident is left in the contract year, or the customer consents to standard instead.

Days are the contract's local days. Tier and rank follow the contract, never the class or the balance. There is no
check for a retired plan: it serves the contracts that have it until they end, it is only offered to no other. A product
in its limited phase is served like any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from guardia.kernel.vocabulary import CaseClass
from guardia.kernel.words import gettext_noop

PREMIUM_TIER, STANDARD_TIER = 1, 2


class Phase(StrEnum):
    """How far the vendor still supports a product."""

    FULL = "full"
    LIMITED = "limited"
    ENDED = "ended"


@dataclass(frozen=True)
class ProductFacts:
    """The product that a request names. Without a licence of the contract both dates are None."""

    name: str
    licence_starts_on: date | None
    licence_ends_on: date | None
    phase: Phase
    phase_ends_on: date | None

    def is_supported(self, today: date) -> bool:
        """Whether support has not ended: after the full phase comes the limited one, after that the end."""
        if self.phase is Phase.LIMITED:
            return self.phase_ends_on is None or today < self.phase_ends_on
        return self.phase is Phase.FULL


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
    """The request is served as `case_class`, in the queue's `tier` and `plan_rank`; `checks` are those it passed."""

    case_class: CaseClass
    tier: int
    plan_rank: int
    checks: tuple[str, ...]


@dataclass(frozen=True)
class NotGranted:
    """Why not: the check that failed, a code for programs, and a sentence, with its values, that says what to do."""

    check: str
    code: str
    sentence: str
    values: Mapping[str, str | date] = field(default_factory=dict)


NO_CONTRACT: Final = NotGranted(
    "E-1", "no_contract", gettext_noop("The company has no support contract. The sales office can set one up.")
)
_NOT_BEGUN: Final = gettext_noop(
    "The support contract begins on %(date)s, so nothing was opened. Files that were uploaded are kept for 7 days; the "
    "request can be sent again from that day on."
)
_OVER: Final = gettext_noop(
    "The support contract is over since %(date)s, so nothing was opened. Files that were uploaded are kept for 7 days; "
    "after renewal the request can be sent again."
)
_NO_LICENCE: Final = gettext_noop(
    "The contract has no licence for this product. Choose one of its products, or “another product”."
)
_LICENCE_TO_COME: Final = gettext_noop(
    "The licence for %(product)s begins on %(date)s. Until then choose “another product”, or ask the account manager."
)
_LICENCE_OVER: Final = gettext_noop(
    "The licence for %(product)s is over since %(date)s. Ask the account manager to renew it, or name another product."
)
_UNSUPPORTED: Final = gettext_noop(
    "Support for %(product)s ended on %(date)s. Update to a version that is supported and name that one; the account "
    "manager knows which."
)
_UNSUPPORTED_UNDATED: Final = gettext_noop(
    "Support for %(product)s has ended. Update to a version that is supported and name that one; the account manager "
    "knows which."
)
NO_PREMIUM_IN_PLAN: Final = NotGranted(
    "E-7", "plan_without_premium", gettext_noop("The plan has no premium incidents. Send it as standard.")
)
NOT_NAMED: Final = NotGranted(
    "E-8",
    "not_a_named_contact",
    gettext_noop(
        "Only named contacts may spend premium incidents. Send it as standard, or ask a named contact to send it."
    ),
)
NONE_LEFT: Final = NotGranted(
    "E-9",
    "no_premium_left",
    gettext_noop(
        "No premium incidents are left in this contract year. "
        "Consent to send it as standard, and it is accepted at once."
    ),
)


def decide(
    contract: ContractFacts | None,
    wanted: CaseClass,
    *,
    consents_to_standard: bool,
    today: date,
    product: ProductFacts | None = None,
) -> Granted | NotGranted:
    """Decide E-1 to E-9 for a request of class `wanted`; `product` is None where the request names none."""
    if contract is None:
        return NO_CONTRACT
    if today < contract.starts_on:
        return NotGranted("E-2", "contract_not_begun", _NOT_BEGUN, {"date": contract.starts_on})
    if today >= contract.ends_on:
        return NotGranted("E-3", "contract_over", _OVER, {"date": contract.ends_on})
    checks: tuple[str, ...] = ("E-1", "E-2", "E-3")
    if product is not None:
        refused = unserved(product, today)
        if refused is not None:
            return refused
        checks += ("E-4", "E-5", "E-6")
    return _class_of(contract, wanted, checks, consents=consents_to_standard)


def unserved(product: ProductFacts, today: date) -> NotGranted | None:
    """Return why a product is not served, by E-4 to E-6, or None."""
    if product.licence_starts_on is None or product.licence_ends_on is None:
        return NotGranted("E-4", "product_not_licensed", _NO_LICENCE)
    named: dict[str, str | date] = {"product": product.name}
    if today < product.licence_starts_on:
        begins = {**named, "date": product.licence_starts_on}
        return NotGranted("E-5", "licence_not_begun", _LICENCE_TO_COME, begins)
    if today >= product.licence_ends_on:
        return NotGranted("E-5", "licence_over", _LICENCE_OVER, {**named, "date": product.licence_ends_on})
    if not product.is_supported(today):
        if product.phase_ends_on is None or product.phase_ends_on > today:
            return NotGranted("E-6", "product_unsupported", _UNSUPPORTED_UNDATED, named)
        return NotGranted("E-6", "product_unsupported", _UNSUPPORTED, {**named, "date": product.phase_ends_on})
    return None


def _class_of(
    contract: ContractFacts, wanted: CaseClass, checks: tuple[str, ...], *, consents: bool
) -> Granted | NotGranted:
    """E-7 to E-9."""
    standard = Granted(CaseClass.STANDARD, contract.plan_tier, contract.plan_rank, checks)
    if wanted is CaseClass.STANDARD:
        return standard
    if wanted is CaseClass.UNDECIDED:  # nobody could consent at once; where there is nothing to decide, it is standard
        undecided = Granted(CaseClass.UNDECIDED, contract.plan_tier, contract.plan_rank, checks)
        return undecided if contract.has_premium else standard
    if not contract.has_premium:
        return NO_PREMIUM_IN_PLAN
    if not contract.is_named_contact:
        return NOT_NAMED
    if contract.premium_left is not None and contract.premium_left <= 0:
        return standard if consents else NONE_LEFT
    return Granted(CaseClass.PREMIUM, contract.plan_tier, contract.plan_rank, (*checks, "E-7", "E-8", "E-9"))
