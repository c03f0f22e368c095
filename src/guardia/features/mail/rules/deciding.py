"""What becomes of a message: decided from what it is, who stands behind it, and what it continues.

Every message ends as a case, a reply, a visible refusal or in the quarantine, by the first of these that holds:

- D-1 A delivery report or a complaint is refused, and told to the mail that it is about.
- D-2 The same bytes of the same envelope sender that came before are refused: it is the same message, sent again. So is
  what became a case or a reply before, in the same words, with the same subject and Message-ID, of the same sender:
  whoever has a signed message can hand it in again with other lines around it, and each would open a case.
- D-3 What a machine answers by itself (auto-replies, absences, receipts, our own mails coming back) is refused; what a
  machine wrote by itself (lists, bulk, notices, a null sender that reports nothing) waits in quarantine. Neither is
  answered.
- D-4 A message that says it comes from our own address is refused.
- D-5 Without one sender it waits in quarantine, unanswered.
- D-6 A forged sender: quarantine. Nobody is answered but a contact whose address was used: the link goes to it.
- D-7 The vendor's own staff work in the console: quarantine.
- D-8 An unknown sender: quarantine, and a neutral acknowledgement.
- D-9 A contact whose domain does not stand behind the message: quarantine, and a link to the contact's address.
- D-10 A proven contact's answer joins the case that a mark of ours names, or that the subject names where the contact
  takes part in it. A closed case is opened again, at most so often; one that was rejected is not: a new case follows
  it. A mark of another company's case is not believed: quarantine.
- D-11 Everything else of a proven contact is a new case; beyond a number an hour it waits in quarantine.

Where a proof or a member of staff said for whom a message counts, D-1 to D-9 have been answered. Two more answers are
left to whoever acts: the contract may not grant a new case (refused, with the reason), and nothing is answered by
itself to a null sender or beyond the limit of an hour.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final
from uuid import UUID

from guardia.features.mail.rules.arrived import Arrival


class Outcome(StrEnum):
    """What a message became; `ACCEPTED` is on its way out of the quarantine."""

    CASE = "case"
    REPLY = "reply"
    REFUSED = "refused"
    QUARANTINED = "quarantined"
    ACCEPTED = "accepted"


class Answer(StrEnum):
    """What is answered by itself."""

    NOTHING = "nothing"
    OPENED = "opened"
    NEUTRAL = "neutral"
    PROOF = "proof"


REPORTS: Final = frozenset({"delivery_report", "complaint"})
ANSWERED_BY_MACHINE: Final = frozenset({"auto_replied", "own_header", "out_of_office", "receipt", "calendar_reply"})
WRITTEN_BY_MACHINE: Final = frozenset({"auto_generated", "precedence", "list", "null_sender"})


@dataclass(frozen=True)
class Sender:
    """The person whose address is the sender's."""

    person_id: UUID
    company_id: UUID | None
    is_staff: bool = False


@dataclass(frozen=True)
class Thread:
    """A case that a message may continue. `takes_part`: the sender opened it, wrote on it or is a named contact."""

    case_id: UUID
    number: str
    company_id: UUID
    is_closed: bool = False
    is_rejected: bool = False
    takes_part: bool = False
    reopened_by_mail: int = 0
    """How often within a day."""


@dataclass(frozen=True)
class Limits:
    """Of an hour for each address, but `reopenings` of a day for each case."""

    cases: int = 60
    automatic: int = 10
    reopenings: int = 3
    strangers_of_domain: int = 30
    strangers: int = 300


def domain_of_strangers(address: str) -> str:
    """Return the domain for which an address counts: what is below it counts for it, as anybody can name such ones.

    Its last two labels, three where the second is short below a country (`co.uk`, `com.es`).
    """
    labels = address.rpartition("@")[2].split(".")
    is_of_country = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3  # noqa: PLR2004  as above
    return ".".join(labels[-3 if is_of_country else -2 :])


@dataclass(frozen=True)
class Facts:
    """What the database knows of a message."""

    sender: Sender | None = None
    is_own_address: bool = False
    is_repeated: bool = False
    marked: Thread | None = None
    """The case that a mark of ours in the message names."""
    named: Thread | None = None
    """The case that the subject names."""
    opened_this_hour: int = 0
    limits: Limits = Limits()


@dataclass(frozen=True)
class Decision:
    """`reason` is a code; `thread` the case that is continued, opened again, or followed by a new one."""

    outcome: Outcome
    reason: str
    answer: Answer = Answer.NOTHING
    thread: Thread | None = None


def decide(arrival: Arrival, facts: Facts) -> Decision:
    """Decide D-1 to D-11."""
    if arrival.vouched_for is None:
        machine = _of_a_machine(arrival, facts)
        if machine is not None:
            return machine
        stranger = _of_nobody_proven(arrival, facts)
        if stranger is not None:
            return stranger
        return _continuing(facts) or _new(facts)
    facts = replace(facts, opened_this_hour=0)  # somebody has looked at it: no limit holds it back again
    return _continuing(facts) or _new(facts)


def _of_a_machine(arrival: Arrival, facts: Facts) -> Decision | None:
    """D-1 to D-4."""
    signals = set(arrival.letter.signals)
    for code in sorted(signals & REPORTS):
        return Decision(Outcome.REFUSED, code)
    if facts.is_repeated:
        return Decision(Outcome.REFUSED, "repeated")
    if signals & ANSWERED_BY_MACHINE:
        return Decision(Outcome.REFUSED, "automatic")
    if signals & WRITTEN_BY_MACHINE:
        return Decision(Outcome.QUARANTINED, "by_machine", thread=facts.marked)
    if facts.is_own_address:
        return Decision(Outcome.REFUSED, "own_address")
    return None


def _of_nobody_proven(arrival: Arrival, facts: Facts) -> Decision | None:
    """D-5 to D-9."""
    claimed = facts.marked or facts.named
    if not arrival.letter.sender:
        return Decision(Outcome.QUARANTINED, "no_sender", thread=claimed)
    sender, verdict = facts.sender, arrival.verdict
    is_contact = sender is not None and not sender.is_staff
    if verdict.is_forged:
        return Decision(Outcome.QUARANTINED, "forged", Answer.PROOF if is_contact else Answer.NOTHING, claimed)
    if sender is None:
        return Decision(Outcome.QUARANTINED, "unknown_sender", Answer.NEUTRAL, claimed)
    if sender.is_staff:
        return Decision(Outcome.QUARANTINED, "staff_sender", thread=claimed)
    if not verdict.is_proven:
        return Decision(Outcome.QUARANTINED, "unproven", Answer.PROOF, claimed)
    return None


def _continuing(facts: Facts) -> Decision | None:
    """D-10."""
    company = facts.sender.company_id if facts.sender else None
    if facts.marked is not None and facts.marked.company_id != company:
        return Decision(Outcome.QUARANTINED, "foreign_thread")
    named = facts.named if facts.named is not None and facts.named.company_id == company else None
    thread = facts.marked or (named if named is not None and named.takes_part else None)
    if thread is None:
        return None
    if thread.is_rejected or (thread.is_closed and thread.reopened_by_mail >= facts.limits.reopenings):
        return _new(facts, thread)
    return Decision(Outcome.REPLY, "reopened" if thread.is_closed else "threaded", thread=thread)


def _new(facts: Facts, after: Thread | None = None) -> Decision:
    """D-11."""
    if facts.opened_this_hour >= facts.limits.cases:
        return Decision(Outcome.QUARANTINED, "too_many", thread=after)
    return Decision(Outcome.CASE, "follows" if after else "opened", Answer.OPENED, after)
