"""What becomes of a message, decided by numbered rules."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.letters import FORGED, PROVEN, UNPROVEN, arrival

from guardia.features.mail.rules.arrived import Arrival, Verdict
from guardia.features.mail.rules.deciding import (
    ANSWERED_BY_MACHINE,
    REPORTS,
    WRITTEN_BY_MACHINE,
    Answer,
    Facts,
    Limits,
    Outcome,
    Sender,
    Thread,
    decide,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OURS, THEIRS, PERSON, CASE = (UUID(int=n) for n in range(1, 5))
CONTACT = Sender(PERSON, OURS)
STAFF = Sender(PERSON, None, is_staff=True)
THREAD = Thread(CASE, "40710014", OURS, takes_part=True)

signals = st.lists(st.sampled_from(sorted(REPORTS | ANSWERED_BY_MACHINE | WRITTEN_BY_MACHINE)), max_size=2).map(tuple)
verdicts = st.sampled_from([PROVEN, UNPROVEN, FORGED])
threads = st.none() | st.builds(
    Thread,
    case_id=st.just(CASE),
    number=st.just("40710014"),
    company_id=st.sampled_from([OURS, THEIRS]),
    is_closed=st.booleans(),
    is_rejected=st.booleans(),
    takes_part=st.booleans(),
    reopened_by_mail=st.integers(0, 5),
)
facts_of_any = st.builds(
    Facts,
    sender=st.sampled_from([None, CONTACT, STAFF]),
    is_own_address=st.booleans(),
    is_repeated=st.booleans(),
    marked=threads,
    named=threads,
    opened_this_hour=st.integers(0, 100),
    limits=st.just(Limits()),
)


def message(verdict: Verdict = PROVEN, **said: Any) -> Arrival:
    return arrival(NOW, verdict=verdict, **said)


@given(signals, verdicts, st.sampled_from(["", "lucia.ferrer@astilleros.example"]), facts_of_any)
def test_nobody_but_a_proven_contact_reaches_a_case(
    signs: tuple[str, ...], verdict: Verdict, sender: str, facts: Facts
) -> None:
    decision = decide(message(verdict, sender=sender, signals=signs), facts)
    if decision.outcome in {Outcome.CASE, Outcome.REPLY}:
        assert facts.sender == CONTACT
        assert verdict.is_proven
        assert sender
        assert not signs
    if decision.outcome is Outcome.REPLY:
        assert decision.thread is not None
        assert decision.thread.company_id == OURS


@given(signals, verdicts, facts_of_any)
def test_what_a_machine_wrote_is_never_answered(signs: tuple[str, ...], verdict: Verdict, facts: Facts) -> None:
    decision = decide(message(verdict, signals=signs), facts)
    if signs or facts.is_own_address or facts.is_repeated:
        assert decision.answer is Answer.NOTHING
        assert decision.outcome in {Outcome.REFUSED, Outcome.QUARANTINED}


@given(signals, verdicts, facts_of_any)
def test_what_was_vouched_for_waits_for_no_more_proof(signs: tuple[str, ...], verdict: Verdict, facts: Facts) -> None:
    vouched = replace(message(verdict, signals=signs), vouched_for=PERSON)
    decision = decide(vouched, replace(facts, sender=CONTACT))
    assert decision.outcome in {Outcome.CASE, Outcome.REPLY} or decision.reason == "foreign_thread"


def test_the_first_rule_that_holds_decides() -> None:
    repeated = Facts(sender=CONTACT, is_repeated=True)
    assert decide(message(signals=("delivery_report", "null_sender")), repeated).reason == "delivery_report"
    assert decide(message(signals=("out_of_office",)), repeated).reason == "repeated"
    assert decide(message(signals=("out_of_office", "precedence")), Facts(sender=CONTACT)).reason == "automatic"
    assert decide(message(FORGED, sender=""), Facts()).reason == "no_sender"


@pytest.mark.parametrize(
    ("thread", "outcome", "reason"),
    [
        (THREAD, Outcome.REPLY, "threaded"),
        (replace(THREAD, takes_part=False), Outcome.REPLY, "threaded"),
        (replace(THREAD, is_closed=True), Outcome.REPLY, "reopened"),
        (replace(THREAD, is_closed=True, reopened_by_mail=3), Outcome.CASE, "follows"),
        (replace(THREAD, is_rejected=True), Outcome.CASE, "follows"),
        (replace(THREAD, company_id=THEIRS), Outcome.QUARANTINED, "foreign_thread"),
    ],
)
def test_a_mark_of_ours_leads_to_its_case(thread: Thread, outcome: Outcome, reason: str) -> None:
    decision = decide(message(), Facts(sender=CONTACT, marked=thread))
    assert (decision.outcome, decision.reason) == (outcome, reason)


@pytest.mark.parametrize(
    ("thread", "outcome"),
    [
        (THREAD, Outcome.REPLY),
        (replace(THREAD, takes_part=False), Outcome.CASE),
        (replace(THREAD, company_id=THEIRS), Outcome.CASE),
    ],
)
def test_a_number_in_the_subject_is_a_hint_for_those_who_take_part(thread: Thread, outcome: Outcome) -> None:
    assert decide(message(), Facts(sender=CONTACT, named=thread)).outcome is outcome


def test_a_forged_contacts_link_goes_out_and_a_forged_stranger_hears_nothing() -> None:
    assert decide(message(FORGED), Facts(sender=CONTACT)).answer is Answer.PROOF
    assert decide(message(FORGED), Facts()).answer is Answer.NOTHING
