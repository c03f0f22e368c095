"""The words of the contract, one meaning each, as values that every storey may use.

Source: the service description (plans, severity, a case's life, a signature change's life). No Django, no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from uuid import UUID


class CaseClass(StrEnum):
    """What a case costs and how it is served."""

    PREMIUM = "premium"
    STANDARD = "standard"
    UNDECIDED = "undecided"


class CaseKind(StrEnum):
    """What is asked for."""

    INCIDENT = "incident"
    SERVICE_REQUEST = "service_request"
    SIGNATURE_CHANGE = "signature_change"


class Severity(IntEnum):
    """1 is the gravest."""

    CRITICAL = 1
    HIGH = 2
    MEDIUM = 3
    LOW = 4


class CaseState(StrEnum):
    """Where a case stands; every move has an actor, an instant and a reason."""

    SUBMITTED = "submitted"
    TRIAGED = "triaged"
    IN_PROGRESS = "in_progress"
    WAITING_CUSTOMER = "waiting_customer"
    WITH_LAB = "with_lab"
    SOLUTION_OFFERED = "solution_offered"
    CLOSED = "closed"
    REOPENED = "reopened"
    REJECTED = "rejected"


class Claim(StrEnum):
    """What a report says of the database: an infected file called safe, or a clean file called infected."""

    FALSE_NEGATIVE = "FN"
    FALSE_POSITIVE = "FP"


class Lane(StrEnum):
    """How fast a release reaches whom."""

    ACCELERATED = "accelerated"
    STANDARD = "standard"


class Role(StrEnum):
    """What a member of the vendor's staff may do."""

    ENGINEER = "engineer"
    ANALYST = "analyst"
    REVIEWER = "reviewer"
    RELEASER = "releaser"
    DUTY_MANAGER = "duty_manager"
    """The lead: supervises the promise (voids answers, confirms late entries, lowers severities)."""
    ACCOUNT_MANAGER = "account_manager"


class Group(StrEnum):
    """Which of the vendor's groups a case is with."""

    FIRST_LINE = "first_line"
    LAB = "lab"
    RELEASE = "release"


ROLES_OF_GROUP: Mapping[Group, frozenset[Role]] = {
    Group.FIRST_LINE: frozenset({Role.ENGINEER}),
    Group.LAB: frozenset({Role.ANALYST, Role.REVIEWER}),
    Group.RELEASE: frozenset({Role.RELEASER}),
}
"""Who belongs to a group: everybody with one of these roles."""


class Clock(StrEnum):
    """What is timed. Only the response clock is promised to customers; the others are internal objectives."""

    RESPONSE = "response"
    NEXT_ANSWER = "next_answer"
    RESOLUTION = "resolution"
    ASSIGNMENT = "assignment"


class Channel(StrEnum):
    """How a request arrived."""

    PORTAL = "portal"
    API = "api"
    PHONE = "phone"
    EMAIL = "email"


class ActorKind(StrEnum):
    """Who acts."""

    PERSON = "person"
    MACHINE = "machine"
    LAB = "lab"
    SYSTEM = "system"


@dataclass(frozen=True)
class Actor:
    """Who acts: a person of a company, a member of staff (no company), a customer's machine, the lab, or the system."""

    kind: ActorKind
    id: str
    name: str
    company_id: UUID | None = None
    roles: frozenset[Role] = field(default_factory=frozenset)
    is_company_admin: bool = False
    language: str = "en"

    @property
    def is_staff(self) -> bool:
        """Whether the actor works for the vendor."""
        return bool(self.roles)

    def as_json(self) -> Mapping[str, str]:
        """Return what an event keeps of the actor."""
        side = "staff" if self.is_staff else "customer" if self.company_id else self.kind.value
        return {"kind": self.kind.value, "id": self.id, "name": self.name, "side": side}


SYSTEM = Actor(ActorKind.SYSTEM, "system", "Guardia")
LAB = Actor(ActorKind.LAB, "lab", "Guardia lab")
