"""One call may be about several cases: each shows it, and only those that it confirmed say so."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from tests.support.call_cast import kept_call
from tests.support.cast import Cast

from guardia.features.calls.models import Call
from guardia.features.calls.operations import save_call
from guardia.features.cases.queries import get_case_for
from guardia.journeys import case_log
from guardia.journeys.confirm_by_phone import confirm_by_phone
from guardia.journeys.draw_call import CallPicture, draw_call
from guardia.journeys.leave_message import leave_message
from guardia.journeys.open_by_voice import open_by_voice
from guardia.kernel.vocabulary import SYSTEM
from guardia.reports.case_calls import CaseCall, case_calls

pytestmark = pytest.mark.django_db


def note(what: str, number: str, **data: Any) -> dict[str, Any]:
    return {"at": "2026-11-24T02:10:00+01:00", "what": what, "number": number, **data}


def drawn(cast: Cast, call: UUID, about: str, *log: dict[str, Any], **facts: Any) -> None:
    """Let the line draw a call of the Plus contact's."""
    company = cast.people["plus"].company_id
    picture = CallPicture(call, "in", cast.now, company_id=company, case=about, known_by="pin", log=log, **facts)
    assert draw_call(picture, cast.now)


def only(cast: Cast, number: str) -> CaseCall:
    (call,) = case_calls(cast.engineer, number)
    return call


def confirmed_and_heard(cast: Cast) -> tuple[str, str, UUID]:
    """Somebody confirms one case and then hears another, in one call that still lives."""
    confirmed, heard, call = cast.open().number, cast.open().number, uuid4()
    confirm_by_phone(cast.plus, cast.now, confirmed, cast.now, call, "pin")
    log = [note("confirmed", confirmed, is_first=True), note("heard", heard)]
    drawn(cast, call, heard, *log, step="choosing")
    return confirmed, heard, call


def test_a_call_that_confirmed_one_case_and_heard_another_confirms_the_first_alone(cast: Cast) -> None:
    confirmed, heard, call = confirmed_and_heard(cast)
    assert (only(cast, confirmed).id, only(cast, confirmed).confirms) == (call, True)
    assert (only(cast, heard).id, only(cast, heard).confirms) == (call, False)


@pytest.mark.parametrize("outcome", ["confirmed", "heard"])
def test_how_a_call_ended_is_told_of_each_case_as_it_was_for_it(cast: Cast, outcome: str) -> None:
    confirmed, heard, call = confirmed_and_heard(cast)
    with transaction.atomic():
        save_call(call, ended_at=cast.now, handed_in_at=cast.now, outcome=outcome)
    assert only(cast, confirmed).outcome == "Case confirmed"
    assert only(cast, heard).outcome == "State of the case heard"


def test_a_case_that_the_log_is_silent_about_is_told_nothing_of_another(cast: Cast) -> None:
    confirmed, other, call = cast.open().number, cast.open().number, uuid4()
    log = [note("confirmed", confirmed, is_first=True)]
    drawn(cast, call, other, *log, ended_at=cast.now, outcome="confirmed")
    assert (only(cast, other).confirms, only(cast, other).outcome) == (False, "Ended")


def test_what_was_registered_after_an_outage_confirms_without_a_note_of_it(cast: Cast) -> None:
    confirmed, heard, call = cast.open().number, cast.open().number, uuid4()
    drawn(cast, call, heard, note("later", confirmed, do="confirm"), ended_at=cast.now, outcome="away")
    assert case_calls(cast.engineer, confirmed) == ()
    confirm_by_phone(cast.plus, cast.now + timedelta(hours=1), confirmed, cast.now, call, "pin")
    assert only(cast, confirmed).confirms
    assert not only(cast, heard).confirms


def test_a_second_call_confirms_nothing_and_is_shown(cast: Cast) -> None:
    number, call = cast.open().number, uuid4()
    confirm_by_phone(cast.plus, cast.now, number, cast.now, uuid4(), "pin")
    drawn(cast, call, number, note("confirmed", number, is_first=False))
    assert (only(cast, number).id, only(cast, number).confirms) == (call, False)


@pytest.mark.parametrize("kind", ["message", "call_taken", "phone_confirmed"])
def test_a_case_shows_each_call_of_which_its_events_tell(cast: Cast, kind: str) -> None:
    number, other, call = cast.open().number, cast.open().number, uuid4()
    drawn(cast, call, other, note("heard", other))
    case = get_case_for(cast.engineer, number)
    with transaction.atomic():
        payload = {"text": "", "files": [], "internal": False, "call": str(call)}
        case_log.add(case, kind, SYSTEM, cast.now, payload)
    assert only(cast, number).id == call


def test_a_case_that_was_opened_by_voice_shows_the_call_after_it_went_on_to_another(cast: Cast) -> None:
    other, call = cast.open().number, uuid4()
    opened = open_by_voice(cast.plus, cast.now, 2, call, 1, 9.0).case.number
    drawn(cast, call, other, note("opened", opened), note("heard", other), ended_at=cast.now, outcome="heard")
    assert (only(cast, opened).outcome, only(cast, opened).confirms) == ("Case opened by voice", True)
    assert not only(cast, other).confirms


def test_a_message_for_one_case_shows_the_call_there_after_it_went_on_to_another(cast: Cast) -> None:
    number, other, call = cast.open().number, cast.open().number, uuid4()
    assert leave_message(cast.plus, cast.now, number, call, 1, 9.0) == number
    drawn(cast, call, other, note("message", number), note("heard", other), ended_at=cast.now, outcome="heard")
    assert only(cast, number).outcome == "Message left"
    assert only(cast, other).outcome == "State of the case heard"


def test_a_call_of_another_company_is_shown_in_no_case_whatever_names_it(cast: Cast) -> None:
    case = get_case_for(cast.engineer, cast.open().number)
    stranger = cast.people["standard"].company_id
    told: Call = kept_call(cast.now, company_id=stranger)
    unknown: Call = kept_call(cast.now)
    kept_call(cast.now, company_id=stranger, case_id=case.id)
    with transaction.atomic():
        for call in (told, unknown):
            case_log.add(case, "call_taken", SYSTEM, cast.now, {"call": str(call.id)})
    assert case_calls(cast.engineer, case.number) == ()
    page = kept_call(cast.now, direction="page", case_id=case.id)
    assert only(cast, case.number).id == page.id
