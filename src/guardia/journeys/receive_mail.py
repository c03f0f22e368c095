"""Mail comes in: each message becomes a case, a reply, a visible refusal, or waits in quarantine.

One transaction for a batch: everything that the messages do is written, or nothing of it, together with the row that
says it was done (its key is the id under which the raw message was stored). A message that is taken up again meets its
row and does nothing. What is decided is in `features.mail.rules.deciding`; this journey carries it out.

A request counts from its arrival. It shows no data and spends nothing before its sender is proven.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from guardia.features.mail import operations as mail
from guardia.features.mail import queries
from guardia.features.mail.rules.arrived import LONGEST_TEXT, Arrival, Stated, Verdict
from guardia.features.mail.rules.deciding import Answer, Decision, Limits, Outcome, decide
from guardia.journeys.answer_mail import Answers
from guardia.journeys.mail_cases import NewCases, stated_facts
from guardia.journeys.mail_facts import FactsOfBatch, kept_words
from guardia.journeys.mail_replies import add_reply
from guardia.journeys.post import wake_post
from guardia.journeys.receive_file import finish_files
from guardia.journeys.record_reports import note_arrivals, note_auto_reply, record_reports
from guardia.kernel.errors import GuardiaError
from guardia.kernel.plain_text import one_line, plain_text
from guardia.kernel.transactions import journey


@dataclass(frozen=True)
class Received:
    """What became of a message; `case_id` where it opened or continued one."""

    id: UUID
    outcome: str
    reason: str
    case_id: UUID | None = None


@dataclass
class Step:
    """A message on its way through the batch: its row, what was decided, what came of it."""

    arrival: Arrival
    row: Any
    decision: Decision
    sender: Any = None
    company: Any = None


def receive_mail(arrivals: Sequence[Arrival], now: datetime, limits: Limits | None = None) -> list[Received]:
    """Take messages in, in the order given, and return what became of each; known ones are left out."""
    with journey():
        known = queries.known_ids([one.envelope.id for one in arrivals if one.vouched_for is None])
        fresh = [one for one in arrivals if one.envelope.id not in known]
        if not fresh:
            return []
        facts = FactsOfBatch(fresh, now, limits or Limits())
        steps = [_step(arrival, facts, now) for arrival in fresh]
        _carry_out(steps, facts, now)
        return [Received(step.row.id, step.row.outcome, step.row.reason, step.row.case_id) for step in steps]


def keep_unread(arrival: Arrival, why: str, now: datetime) -> None:
    """Put a message that cannot be taken in into the quarantine, with the reason: a person sees to it.

    Of what it says only the plain facts are kept, since something of it was what could not be; the raw message has all.
    """
    with journey():
        if queries.known_ids([arrival.envelope.id]):
            return
        row = _new_row(_bare(arrival), now)
        row.outcome, row.reason = Outcome.QUARANTINED.value, "failed"
        row.faults = [plain_text(why)[:300]]
        mail.keep_arrivals([row])


def _bare(arrival: Arrival) -> Arrival:
    """Return a message without what strangers' bytes can spoil."""
    letter = arrival.letter
    plain = replace(
        letter,
        sender=one_line(letter.sender),
        text=plain_text(letter.text),
        quoted="",
        html="",
        attachments=(),
        stated=Stated(),
        signals=(),
        faults=(),
    )
    return replace(arrival, letter=plain, verdict=Verdict(why=arrival.verdict.why))


# ---- deciding ----


def _step(arrival: Arrival, facts: FactsOfBatch, now: datetime) -> Step:
    if arrival.vouched_for is None:
        row = _new_row(arrival, now)
    else:
        row = mail.lock_mail(arrival.envelope.id)
        if row.outcome != Outcome.ACCEPTED:  # taken up already
            return Step(arrival, row, Decision(Outcome(row.outcome), row.reason))
    decision = decide(arrival, facts.of(arrival))
    step = Step(arrival, row, decision, facts.person_of(arrival))
    facts.note(arrival, decision)
    _write_decision(step)
    return step


def _write_decision(step: Step) -> None:
    row, decision, person = step.row, step.decision, step.sender
    row.outcome, row.reason = decision.outcome.value, decision.reason
    if person is not None and decision.reason not in {"forged", "unproven", "no_sender"}:
        row.person_id, row.company_id = person.id, person.company_id
    if decision.thread is not None:
        row.case_id = decision.thread.case_id


def _new_row(arrival: Arrival, now: datetime) -> Any:
    envelope, letter, verdict = arrival.envelope, arrival.letter, arrival.verdict
    return mail.new_arrival(
        id=envelope.id,
        arrived_at=envelope.arrived_at,
        recorded_at=now,
        door=envelope.door,
        peer=envelope.peer[:60],
        envelope_from=one_line(envelope.sender)[:320],
        envelope_to=[one_line(address)[:320] for address in envelope.recipients[:50]],
        sender=letter.sender[:320],
        sender_name=one_line(letter.sender_name)[:200],
        **kept_words(letter),
        size=envelope.size,
        digest=envelope.digest,
        verdict={
            "spf": verdict.spf,
            "dkim": verdict.dkim,
            "dmarc": verdict.dmarc,
            "is_proven": verdict.is_proven,
            "is_forged": verdict.is_forged,
            "why": plain_text(verdict.why)[:500],
        },
        quoted=plain_text(letter.quoted)[:LONGEST_TEXT],
        html=plain_text(letter.html),
        parts=[
            {"name": one.name, "type": one.type, "size": len(one.content), "is_inline": one.is_inline}
            for one in letter.attachments
        ],
        stated=stated_facts(letter.stated),
        signals=list(letter.signals),
        faults=[plain_text(fault)[:300] for fault in letter.faults[:50]],
        outcome=Outcome.QUARANTINED.value,
        reason="",
    )


# ---- carrying out ----


def _carry_out(steps: Sequence[Step], facts: FactsOfBatch, now: datetime) -> None:
    answers = Answers(facts, now)
    new_cases = NewCases(facts, now)
    for step in steps:
        outcome = step.decision.outcome
        if step.arrival.letter.reports:
            record_reports(step.arrival.letter.reports, step.arrival.envelope.recipients, now)
        if step.decision.reason == "automatic":
            note_auto_reply(step.arrival.letter.in_reply_to, step.arrival.letter.sender, now)
        if outcome is Outcome.REPLY and step.row.event_seq is None:
            _reply(step, facts, now)
        if step.decision.outcome is Outcome.CASE and step.row.event_seq is None:
            why = new_cases.plan(step)
            if why is not None:
                answers.refused(step, why)
        elif outcome is Outcome.QUARANTINED:
            answers.quarantined(step)
    opened = new_cases.add()
    for step, case in opened:
        step.row.case_id, step.row.event_seq = case.id, 1
        answers.opened(step, case)
    answers.send()
    note_arrivals([step.row.sender for step in steps if step.arrival.verdict.is_proven and step.row.sender])
    _save(steps)
    finish_files(facts.unfinished)
    wake_post()


def _reply(step: Step, facts: FactsOfBatch, now: datetime) -> None:
    """Add a reply; where the case took another turn meanwhile, it is to be a case of its own, and nothing is lost."""
    try:
        with journey():  # what a refused reply had begun is undone
            step.row.case_id, step.row.event_seq = add_reply(step, now, facts.unfinished)
    except GuardiaError as error:
        step.decision = replace(step.decision, outcome=Outcome.CASE, reason="follows", answer=Answer.OPENED)
        _write_decision(step)
        step.row.faults = [*step.row.faults, error.sentence[:300]]


def _save(steps: Sequence[Step]) -> None:
    """Keep the rows of new messages, and what came of those that left the quarantine."""
    mail.keep_arrivals([step.row for step in steps if step.arrival.vouched_for is None])
    names = ("outcome", "reason", "company_id", "person_id", "case_id", "event_seq", "faults", "parts")
    for step in steps:
        if step.arrival.vouched_for is not None:
            mail.save_mail(step.row, **{name: getattr(step.row, name) for name in names})
