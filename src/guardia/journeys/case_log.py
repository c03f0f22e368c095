"""How a journey adds to a case: one event, then the projections that follow from all of them, in one transaction.

The response clock is folded from the same events under the case's frozen terms (RC-12): the calendar version and
policy of its submission.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from guardia.features.cases import operations, queries
from guardia.features.cases.rules import projection as folding
from guardia.features.cases.rules import words
from guardia.features.sla.queries import policy_of, promised_as, read_clock, time_to_answer
from guardia.journeys.watch_clocks import watch
from guardia.kernel.ids import spoken
from guardia.kernel.vocabulary import Actor, CaseState

Case = Any
"""A row of the cases feature; journeys hold it without knowing its table."""


def projected(case: Case, events: list[folding.EventFact] | None = None) -> list[str]:
    """Compute the projections of a case from its events into the row in hand; return the columns that differ."""
    events = queries.facts_of(case) if events is None else events
    projection = folding.fold(events)
    promised = promised_as(events)
    keeps_promise = case.terms.get("promised_as") == promised
    if not keeps_promise:  # what the vendor promised stays, whatever class the case has now
        case.terms = {**case.terms, "promised_as": promised}
    # As of the last event: what is stored follows from the events alone, never from when it was computed.
    as_of = max(event.occurred_at for event in events)
    policy = policy_of(case.terms, projection.case_class)
    reading = read_clock(case.calendar_version_id, policy, events, as_of)
    answer_s = time_to_answer(case.calendar_version_id, policy, events, reading)
    columns = operations.ClockColumns(reading.state, reading.due_at, reading.breached_at, reading.answered_at, answer_s)
    return [*operations.project(case, projection, columns), *([] if keeps_promise else ["terms"])]


def words_of(case: Case, events: list[folding.EventFact]) -> Any:
    """Return the words by which a case is found, from its events and what a report says."""
    report = queries.find_report(case)
    titles = [case.subject, case.company.name, case.product_code, case.number, spoken(case.number)]
    titles += [report.product, report.detection_name] if report else []
    return operations.word_vector(words.text_of(titles, events))


def add(
    case: Case,
    event_type: str,
    actor: Actor,
    now: datetime,
    payload: Mapping[str, Any] | None = None,
    *,
    occurred_at: datetime | None = None,
) -> int:
    """Append an event to a locked or new case, save the projections, watch its clocks; return the event's seq."""
    event = operations.append_event(case, event_type, actor, occurred_at or now, now, payload or {})
    events = queries.facts_of(case)
    vector = words_of(case, events) if event_type in words.PUBLIC_TEXTS else None
    operations.save_projection(case, projected(case, events), vector)
    watch(case, events, now)
    return event.seq


def resume_if_answered(case: Case, actor: Actor, now: datetime, said_at: datetime) -> None:
    """End the wait for the customer of a locked case by what the customer said, unless it was said before the wait."""
    asked = queries.find_event(case, "state_changed", state=CaseState.WAITING_CUSTOMER.value)
    if case.state == CaseState.WAITING_CUSTOMER and (asked is None or asked.occurred_at <= said_at):
        reason = gettext_noop("The customer answered.")
        add(case, "state_changed", actor, now, {"act": "resume", "state": "in_progress", "reason": reason})
