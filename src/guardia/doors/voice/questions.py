"""What a dialogue may ask the desk, and what the desk answers: plain facts, already access-checked.

A dialogue knows nothing but what stands in these answers, so that nobody hears what the desk did not grant. Instants
are aware; numbers of cases are their eight digits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID


@dataclass(frozen=True)
class Caller:
    """Who a caller was found to be. `case` is set where a case's code was given instead of a PIN: then the caller may
    confirm and hear that one case, and nothing else.

    `contract`: `in_force`, `expired` or `none`. `may_phone`: the contract grants the priority line and the person is a
    named contact; else `refusal` says what is missing: `not_named`, `expired`, `no_contract`, `no_phone`.
    """

    company_id: UUID
    company: str
    person_id: UUID | None
    name: str
    tier: int
    contract: Literal["in_force", "expired", "none"]
    may_phone: bool
    refusal: Literal["", "not_named", "expired", "no_contract", "no_phone"] = ""
    case: str = ""


# ---- questions ----


@dataclass(frozen=True)
class IdentifyByPin:
    """Whose contract digits and PIN are these? Every wrong try is kept and counted."""

    contract: str
    pin: str = field(repr=False)


@dataclass(frozen=True)
class IdentifyByCode:
    """Is this the one-time code of the case?"""

    number: str
    code: str = field(repr=False)


@dataclass(frozen=True)
class ListCases:
    """Which open cases has the caller's company: those that wait for a call first, then the newest; at most nine."""

    caller: Caller


@dataclass(frozen=True)
class FindCase:
    """What is the state of this case of the caller's?"""

    caller: Caller
    number: str


@dataclass(frozen=True)
class ConfirmCase:
    """Register the phone confirmation of this case of the caller's, now."""

    caller: Caller
    number: str


@dataclass(frozen=True)
class OpenByVoice:
    """Open a case: severity by a key, the description being the call's recording `recording`."""

    caller: Caller
    severity: int
    recording: int
    seconds: float
    is_premium: bool = True


@dataclass(frozen=True)
class LeaveMessage:
    """Make a recording a message of a case of the caller's, or (without a case) a new undecided case; for somebody
    unknown a message that staff deal with.
    """

    caller: Caller | None
    number: str
    recording: int
    seconds: float


@dataclass(frozen=True)
class ListMail:
    """Which messages that claim the caller's own address wait for somebody to stand up for them? At most five."""

    caller: Caller


@dataclass(frozen=True)
class SettleMail:
    """The caller wrote the message, or did not."""

    caller: Caller
    mail_id: UUID
    is_own: bool


Question = (
    IdentifyByPin
    | IdentifyByCode
    | ListCases
    | FindCase
    | ConfirmCase
    | OpenByVoice
    | LeaveMessage
    | ListMail
    | SettleMail
)


# ---- answers ----


@dataclass(frozen=True)
class Identified:
    """The caller is known."""

    caller: Caller


@dataclass(frozen=True)
class NotIdentified:
    """Nobody by that. `is_closed`: too many wrong tries; none is taken for a while, right or wrong."""

    is_closed: bool = False


@dataclass(frozen=True)
class CaseSpoken:
    """What may be said of a case. `needs_call`: its clock waits for a phone confirmation. `state` is the case's state;
    `due_at` the end of its running target in UTC, with `zone` for saying it; `answered` whether it has had its answer.
    """

    number: str
    severity: int
    state: str
    needs_call: bool
    is_premium: bool
    is_held: bool
    is_confirmed: bool
    answered: bool
    due_at: datetime | None
    zone: str


@dataclass(frozen=True)
class CasesFound:
    """Cases of the caller's company."""

    cases: Sequence[CaseSpoken]


@dataclass(frozen=True)
class NoSuchCase:
    """There is none of that number that the caller may hear of."""


@dataclass(frozen=True)
class CaseConfirmed:
    """The call is registered. `is_first`: it is the first confirmed call; `opens_clock`: the clock runs since then."""

    case: CaseSpoken
    is_first: bool
    opens_clock: bool


@dataclass(frozen=True)
class CaseOpened:
    """A case was opened; its number is mailed too. `fell_to_standard`: no premium incident was left."""

    case: CaseSpoken
    fell_to_standard: bool = False


@dataclass(frozen=True)
class MessageKept:
    """The message is kept: with the case of that number, or (empty) for staff to deal with."""

    number: str


@dataclass(frozen=True)
class MailWaiting:
    """A message in quarantine: that somebody wrote, and when; never what."""

    mail_id: UUID
    arrived_at: datetime
    zone: str


@dataclass(frozen=True)
class MailsFound:
    """Messages that wait for the caller."""

    mails: Sequence[MailWaiting]


@dataclass(frozen=True)
class MailSettled:
    """The message was settled as the caller said."""


@dataclass(frozen=True)
class Refused:
    """It cannot be done; `code` is the refusal's: `closed`, `settled`, `not_entitled`, `no_premium_left`, …"""

    code: str


Answer = (
    Identified
    | NotIdentified
    | CasesFound
    | CaseSpoken
    | NoSuchCase
    | CaseConfirmed
    | CaseOpened
    | MessageKept
    | MailsFound
    | MailSettled
    | Refused
)
