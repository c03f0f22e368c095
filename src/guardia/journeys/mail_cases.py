"""Messages become cases: what they state is read as the customer's own answers, and nothing is spent by guessing.

- The class is undecided, unless a person who may says it: premium by a named contact while an incident is left,
  standard by anybody of the company. Where a plan has no premium there is nothing to decide.
- Who vouches for a message has not read it, and staff who accept one are no contact: its words spend nothing
  (`is_second_hand`). The class is then asked for, as of everything that is undecided.
- A severity that is not clear is 4, and is asked for.
- A signature change is one only with everything that its precheck needs; else it is an incident, and the rest is
  asked for.
- Files go to the quarantine as samples do; one that is empty or too large stays in the raw message, and that is told.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _

from guardia.features.accounts.queries import actor_of
from guardia.features.cases import operations as cases
from guardia.features.contracts.queries import contract_today, facts_for, terms_of
from guardia.features.contracts.rules.entitlement import (
    NO_CONTRACT,
    PREMIUM_TIER,
    STANDARD_TIER,
    ContractFacts,
    Granted,
    NotGranted,
    decide,
)
from guardia.features.mail.rules.arrived import Attachment, Letter, Stated
from guardia.features.mail.rules.deciding import Decision, Outcome
from guardia.journeys.add_cases import Opening, add_openings
from guardia.journeys.mail_facts import FactsOfBatch
from guardia.journeys.open_case import LONGEST, MOST_FILES, CaseRequest
from guardia.journeys.receive_file import FileIntake
from guardia.kernel.errors import Invalid, TooLarge
from guardia.kernel.plain_text import one_line
from guardia.kernel.vocabulary import Actor, CaseClass, CaseKind, Channel, Claim, Severity

UNCLEAR_SEVERITY: Final = Severity.LOW
REPORT_FIELDS: Final = ("claim", "product", "engine", "database_version", "detection_name")
_PREFIXES: Final = ("re:", "rv:", "fw:", "fwd:", "aw:", "sv:", "tr:", "res:", "enc:", "wg:")


def stated_facts(stated: Stated) -> dict[str, Any]:
    """Return what a message states, as its row keeps it."""
    return {
        "severity": stated.severity,
        "class": stated.case_class,
        "kind": stated.kind,
        "fields": dict(stated.fields),
        "sounds_critical": stated.sounds_critical,
        "passwords": list(stated.passwords),
    }


def missing_of_report(letter: Letter) -> tuple[str, ...]:
    """Return what a claim of a wrong verdict lacks to be a signature change; empty where it lacks nothing."""
    if letter.stated.kind != CaseKind.SIGNATURE_CHANGE:
        return ()
    fields = _report_fields(letter)
    lacking = [name for name in _needed(fields) if not fields.get(name)]
    return (*lacking, *([] if any(one.content for one in letter.attachments) else ["files"]))


def sounds_critical(stated: Stated) -> bool:
    """Whether a person has to look at once."""
    return stated.sounds_critical or stated.severity == Severity.CRITICAL


def is_second_hand(step: Any) -> bool:
    """Whether somebody else than its sender let a message count."""
    return step.row.settled_how in {"vouched", "accepted"}


def _report_fields(letter: Letter) -> dict[str, str]:
    known = {
        name: one_line(value)[: LONGEST[name]] for name, value in letter.stated.fields if name in REPORT_FIELDS[1:]
    }
    claim = dict(letter.stated.fields).get("claim", "")
    return {**known, **({"claim": claim} if claim in list(Claim) else {})}


def _needed(fields: Mapping[str, str]) -> list[str]:
    return [*REPORT_FIELDS[:-1], *(["detection_name"] if fields.get("claim") == Claim.FALSE_POSITIVE else [])]


def _report_of(letter: Letter) -> Mapping[str, str] | None:
    """Return the report of a signature change with everything that its precheck needs, else None."""
    fields = _report_fields(letter)
    is_whole = all(fields.get(name) for name in _needed(fields))
    return fields if is_whole and any(one.content for one in letter.attachments) else None


def clean_subject(subject: str) -> str:
    """Return a subject without the prefixes of answers and forwards."""
    text = one_line(subject)
    while text.lower().startswith(_PREFIXES):
        text = text.partition(":")[2].strip()
    return text[: LONGEST["subject"]]


@dataclass
class NewCases:
    """The cases that a batch opens; set up together at the end."""

    facts: FactsOfBatch
    now: datetime
    steps: list[Any] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    spent: dict[UUID, int] = field(default_factory=dict)

    def plan(self, step: Any) -> NotGranted | None:
        """Plan a case for a message; return why not where the contract does not grant it: it is refused."""
        arrived_at = step.arrival.envelope.arrived_at
        actor = actor_of(step.sender)
        contract = self.facts.contract_of(step.sender.company_id, arrived_at)
        granted = self._grant(contract, actor, step)
        if isinstance(granted, NotGranted):
            step.decision = Decision(Outcome.REFUSED, granted.code)
            step.row.outcome, step.row.reason = Outcome.REFUSED.value, granted.code[:40]
            return granted
        with translation.override(actor.language):
            request = _request(step, granted)
            files = keep_files(step, actor, self.now, self.facts.unfinished)
        said = {
            "mail": str(step.row.id),
            "quoted": bool(step.row.quoted),
            "passwords": list(step.arrival.letter.stated.passwords),
            "severity_stated": step.arrival.letter.stated.severity is not None,
        }
        if step.decision.thread is not None:
            said["follows"] = step.decision.thread.number
        self.steps.append(step)
        self.openings.append(Opening(actor, request, contract, granted, arrived_at, files, said))
        return None

    def add(self) -> list[tuple[Any, Any]]:
        """Set the planned cases up; return each message with its case."""
        added = add_openings(self.openings, self.now) if self.openings else []
        return list(zip(self.steps, added, strict=True))

    def _grant(self, contract: Any, actor: Actor, step: Any) -> Granted | NotGranted:
        if contract is None:
            return NO_CONTRACT
        arrived_at = step.arrival.envelope.arrived_at
        today = contract_today(contract, arrived_at)
        stated = step.arrival.letter.stated.case_class
        if stated == CaseClass.PREMIUM and not is_second_hand(step):
            facts = facts_for(contract, UUID(actor.id), arrived_at)
            if facts is not None and facts.premium_left is not None:
                left = facts.premium_left - self.spent.get(contract.id, 0)
                facts = _with_left(facts, left)
            premium = decide(facts, CaseClass.PREMIUM, consents_to_standard=False, today=today)
            if isinstance(premium, Granted):
                self.spent[contract.id] = self.spent.get(contract.id, 0) + 1
                return premium
        wanted = CaseClass.STANDARD if stated == CaseClass.STANDARD else CaseClass.UNDECIDED
        return decide(_facts_without_ledger(contract), wanted, consents_to_standard=False, today=today)


def _with_left(facts: ContractFacts, left: int) -> ContractFacts:
    return ContractFacts(
        facts.starts_on,
        facts.ends_on,
        facts.plan_rank,
        facts.plan_tier,
        has_premium=facts.has_premium,
        premium_left=left,
        is_named_contact=facts.is_named_contact,
    )


def _facts_without_ledger(contract: Any) -> ContractFacts:
    """What is needed where no premium incident is spent."""
    return ContractFacts(
        starts_on=contract.starts_on,
        ends_on=contract.ends_on,
        plan_rank=contract.plan.rank,
        plan_tier=PREMIUM_TIER if contract.plan.rank > 0 else STANDARD_TIER,
        has_premium=terms_of(contract).has_premium,
        premium_left=0,
        is_named_contact=False,
    )


def _request(step: Any, granted: Granted) -> CaseRequest:
    letter = step.arrival.letter
    report = _report_of(letter)
    kind = CaseKind.SIGNATURE_CHANGE if report else CaseKind.INCIDENT
    if letter.stated.kind == CaseKind.SERVICE_REQUEST:
        kind = CaseKind.SERVICE_REQUEST
    text = letter.text.strip()
    if len(text) > LONGEST["description"]:
        step.row.faults = [*step.row.faults, _("The text is long: the request holds its beginning, the message all.")]
    report = report or {}
    return CaseRequest(
        kind=kind.value,
        case_class=granted.case_class.value,
        severity=letter.stated.severity or UNCLEAR_SEVERITY.value,
        subject=clean_subject(letter.subject) or _("Request by email"),
        description=text[: LONGEST["description"]] or _("(The message has no text.)"),
        consent_standard=letter.stated.case_class == CaseClass.STANDARD,
        channel=Channel.EMAIL,
        claim=report.get("claim", ""),
        product=report.get("product", ""),
        engine=report.get("engine", ""),
        database_version=report.get("database_version", ""),
        detection_name=report.get("detection_name", ""),
    )


def keep_files(step: Any, actor: Actor, now: datetime, later: list[Callable[[], None]]) -> list[cases.ArrivedFile]:
    """Seal the files of a message into the quarantine and return them; what cannot be kept is told in its faults.

    What waits for the disk is put into `later`, to be finished before the transaction ends.
    """
    kept: list[cases.ArrivedFile] = []
    for number, attachment in enumerate(step.arrival.letter.attachments):
        if len(kept) >= MOST_FILES and number >= MOST_FILES:
            left = len(step.arrival.letter.attachments) - number
            step.row.faults = [*step.row.faults, _("%(count)d more files are in the raw message.") % {"count": left}]
            break
        try:
            file = _keep_file(attachment, actor, now, later)
        except (TooLarge, Invalid) as error:
            step.row.faults = [*step.row.faults, error.sentence[:300]]
            continue
        kept.append(file)
        step.row.parts[number]["sha256"] = file.sha256
    return kept


def _keep_file(
    attachment: Attachment, actor: Actor, now: datetime, later: list[Callable[[], None]]
) -> cases.ArrivedFile:
    intake = FileIntake(actor, now, attachment.name)
    intake.write(attachment.content)
    return intake.finish_for_case(later)
