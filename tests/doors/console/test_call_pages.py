"""Phone calls in the console: the list, one call with its log and sound, messages that wait, the board and the case."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings
from tests.doors.stage import Stage, what_runs, with_token
from tests.support.call_cast import SHOWN, erase, kept_call, kept_recording, live_call, waiting_message

from guardia.features.accounts.models import Person
from guardia.features.calls.models import LineBeat, Recording
from guardia.features.calls.operations import beat_line
from guardia.features.cases.queries import events_of, get_case_for
from guardia.kernel.audit.models import AuditEntry
from guardia.kernel.environment import Secret
from guardia.kernel.sound import RATE, ulaw_of_wav
from guardia.reports.duty_board import board_version
from guardia.reports.line_health import line_part

pytestmark = pytest.mark.django_db
HERE = "/console/calls/"


def page(stage: Stage, path: str = HERE, part: str = "engineer", language: str = "en") -> str:
    answer = stage.browser(part, language).get(path)
    assert answer.status_code == 200, answer.content[:500]
    shown = answer.content.decode()
    assert what_runs(shown) == []
    return shown


def act(stage: Stage, recording: Recording, what: str, part: str = "engineer", **form: str) -> Any:
    path = f"{HERE}{recording.call_id}/{recording.id}/{what}/"
    return stage.browser(part).post(path, with_token(**form), follow=True)


def test_live_calls_stand_above_the_newest(stage: Stage) -> None:
    cast = stage.cast
    case = get_case_for(cast.engineer, cast.open().number)
    kept_call(cast.now, outcome="confirmed", company_id=case.company_id, person_name="Lucía", case_id=case.id)
    kept_call(cast.now, outcome="unidentified", started_at=cast.now - timedelta(hours=1))
    live_call(cast.now, started_at=cast.now - timedelta(hours=2), step="waiting", step_detail="2")
    shown = page(stage)
    assert shown.index("place 2 in the queue") < shown.index("Case confirmed") < shown.index("Caller not identified")
    assert f"{SHOWN}, as shown, unproven" in shown
    assert "Astilleros" in shown
    assert f"/console/cases/{case.number}/" in shown
    live = page(stage, f"{HERE}?view=live")
    assert "place 2 in the queue" in live
    assert "Case confirmed" not in live
    assert "No message waits" in page(stage, f"{HERE}?view=messages")


def test_the_list_is_paged_without_a_gap(stage: Stage) -> None:
    now = stage.cast.now
    for place in range(60):
        kept_call(now, started_at=now - timedelta(minutes=place), person_name=f"Person {place:02}.")
    first = page(stage)
    assert "Person 49." in first
    assert "Person 50." not in first
    after = first.split("&amp;after=")[1].split('"')[0]
    second = page(stage, f"{HERE}?view=all&after={after}")
    assert "Person 50." in second
    assert "Person 59." in second
    before = second.split("&amp;before=")[1].split('"')[0]
    assert "Person 00." in page(stage, f"{HERE}?view=all&before={before}")
    assert "cannot be read" in page(stage, f"{HERE}?after=nonsense")


def test_a_call_is_told_note_by_note_in_both_languages(stage: Stage) -> None:
    now = stage.cast.now
    notes: list[dict[str, Any]] = [
        {"what": "queued", "place": 3},
        {"what": "ringing", "name": "Marta <b>"},
        {"what": "recording", "number": 1, "kind": "description"},
        {"what": "recorded", "number": 1, "seconds": 12.4},
        {"what": "key", "key": "7391"},
        {"what": "from_tomorrow"},
    ]
    log = [{"at": now.isoformat(), **note} for note in notes]
    call = kept_call(now, log=log, outcome="connected", waited_s=40)
    shown = page(stage, f"{HERE}{call.id}/")
    for told in ("at place 3", "Rang Marta &lt;b&gt;", "begins: Spoken description", "after 12 s", "from_tomorrow"):
        assert told in shown
    assert "7391" not in shown, "what was pressed is nobody's business"
    assert "Waited for a person" in shown
    assert "Spoke with an engineer" in shown
    assert page(stage, f"{HERE}{call.id}/", language="es")
    case = get_case_for(stage.cast.engineer, stage.incident)
    assert stage.browser("engineer").get(f"{HERE}{case.id}/").status_code == 404, "a case is no call"


def test_each_listening_is_kept_and_only_some_of_the_staff_listen(stage: Stage) -> None:
    recording = waiting_message(stage.cast.now)
    sound = f"{HERE}recordings/{recording.id}/"
    assert sound in page(stage, f"{HERE}{recording.call_id}/")
    answer = stage.browser("engineer").get(sound)
    assert answer.headers["Content-Type"] == "audio/wav"
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(ulaw_of_wav(answer.content)) == RATE
    [kept] = AuditEntry.objects.filter(act="recording_heard")
    assert kept.actor["name"] == stage.cast.engineer.name
    assert stage.browser("account_manager").get(sound).status_code == 403
    shown = page(stage, f"{HERE}{recording.call_id}/", "account_manager")
    assert "<audio" not in shown
    assert "hear recordings" in shown
    erase(recording.id, stage.cast.now)
    assert stage.browser("engineer").get(sound).status_code == 404
    assert "erased after 90 days" in page(stage, f"{HERE}{recording.call_id}/")
    assert AuditEntry.objects.filter(act="recording_heard").count() == 1


def test_a_message_that_waits_is_attached_to_a_case_as_an_internal_note(stage: Stage) -> None:
    recording, number = waiting_message(stage.cast.now), stage.incident
    assert "1<span" in page(stage, "/console/queue/").split("/console/calls/")[1][:400]
    unknown = act(stage, recording, "attach", number="1234")
    assert unknown.status_code == 422
    assert b"No case has this number" in unknown.content
    assert b'value="1234"' in unknown.content
    done = act(stage, recording, "attach", number=f"{number[:4]} {number[4:]}", text="Somebody asks for the bill.")
    assert done.status_code == 200
    again = act(stage, recording, "attach", "duty_manager", number=number)
    assert again.status_code == 409
    assert stage.cast.engineer.name.encode() in again.content
    case = get_case_for(stage.cast.engineer, number)
    event = events_of(case).last()
    assert event is not None
    assert event.payload["internal"]
    recording.refresh_from_db()
    assert (recording.case_id, recording.company_id, recording.event_seq) == (case.id, case.company_id, event.seq)
    staff = page(stage, f"/console/cases/{number}/")
    assert staff.count(f"{HERE}recordings/{recording.id}/") == 2, "in the timeline and in the panel of calls"
    assert "Somebody asks for the bill." in staff
    theirs = page(stage, f"/cases/{number}/", "plus")
    assert str(recording.id) not in theirs
    assert "Somebody asks" not in theirs
    assert stage.browser("plus").get(f"/cases/{number}/recordings/{recording.id}/").status_code == 404


def test_a_message_is_settled_once_with_a_reason(stage: Stage) -> None:
    recording = waiting_message(stage.cast.now)
    assert act(stage, recording, "settle", reason="").status_code == 422
    assert act(stage, recording, "settle", "releaser", reason="Nonsense").status_code == 403
    assert b"waits no more" in act(stage, recording, "settle", reason="Nonsense").content
    shown = page(stage, f"{HERE}{recording.call_id}/")
    assert "Settled by" in shown
    assert "Nonsense" in shown
    assert "/settle/" not in shown
    assert act(stage, recording, "attach", number=stage.incident).status_code == 409
    assert "No message waits" in page(stage, f"{HERE}?view=messages")


def test_a_form_that_is_sent_twice_is_done_once(stage: Stage) -> None:
    recording = waiting_message(stage.cast.now)
    form = with_token(number=stage.incident)
    path = f"{HERE}{recording.call_id}/{recording.id}/attach/"
    answers = [stage.browser("engineer").post(path, form).status_code for _ in range(2)]
    assert answers == [303, 303]
    assert AuditEntry.objects.filter(act="recording_attached").count() == 1


def test_whoever_waits_longest_stands_first_and_the_navigation_marks_a_long_wait(stage: Stage) -> None:
    now = stage.cast.now
    assert "messages left by phone" not in page(stage)
    waiting_message(now, person_name="Second.")
    waiting_message(now, person_name="First.", started_at=now - timedelta(minutes=20))
    shown = page(stage, f"{HERE}?view=messages")
    assert shown.index("First.") < shown.index("Second.")
    assert "for more than 15 minutes" in shown


def test_a_case_shows_its_calls_to_staff(stage: Stage) -> None:
    cast, number = stage.cast, stage.incident
    case = get_case_for(cast.engineer, number)
    assert 'id="calls-h"' not in page(stage, f"/console/cases/{number}/")
    notes = [{"at": cast.now.isoformat(), "what": "confirmed", "number": number}]
    facts = {"case_id": case.id, "company_id": case.company_id, "connected_name": "Marta Ibáñez"}
    call = kept_call(cast.now, outcome="connected", log=notes, **facts)
    kept_recording(call, "conversation", company_id=case.company_id, case_id=case.id)
    shown = page(stage, f"/console/cases/{number}/")
    for told in (f"{HERE}{call.id}/", "It confirmed the case", "with Marta Ibáñez", "Conversation", "<audio"):
        assert told in shown
    assert "<audio" not in page(stage, f"/console/cases/{number}/", "account_manager")
    assert f"{call.id}" not in page(stage, f"/cases/{number}/", "plus")


def test_the_board_shows_live_calls_and_changes_with_each(stage: Stage) -> None:
    cast = stage.cast
    before = board_version(cast.now)
    assert "Nobody is on the line." in page(stage, "/console/duty/")
    call = live_call(cast.now, step="talking", step_detail="Marta Ibáñez")
    begun = board_version(cast.now)
    shown = page(stage, "/console/duty/")
    assert "unknown caller" in shown
    assert "Talking with Marta Ibáñez" in shown
    call.seen_at += timedelta(seconds=2)
    call.save()
    drawn = board_version(cast.now)
    call.ended_at = cast.now
    call.save()
    assert len({before, begun, drawn, board_version(cast.now)}) >= 3
    assert board_version(cast.now) == before, "as it was when nobody was on the line"


@pytest.mark.parametrize(
    ("trunk", "age_s", "told"),
    [
        ("registered", 1, "its trunk is registered"),
        ("none", 1, "try <code>guardia line call</code>"),
        ("refused", 1, "its trunk is refused"),
        ("registered", 16, "The line is silent since"),
    ],
)
def test_the_board_says_how_the_line_is(stage: Stage, trunk: str, age_s: int, told: str) -> None:
    seen = stage.cast.now - timedelta(seconds=age_s)
    with transaction.atomic():
        beat_line("line-1", seen, seen, 2, trunk, {"missing_prompts": []})
    assert told in page(stage, "/console/duty/")


def test_the_board_says_how_a_line_is_started_that_was_never_seen(stage: Stage) -> None:
    assert "<code>guardia line run</code>" in page(stage, "/console/duty/")


def test_health_tells_of_the_line_and_never_fails_for_it(stage: Stage) -> None:
    now, browser = stage.cast.now, stage.browser("engineer")
    silent = browser.get("/healthz").json()
    assert silent["ok"]
    assert not silent["line"]["ok"]
    with transaction.atomic():
        beat_line("line-1", now, now, 2, "registered", {})
    line = browser.get("/healthz").json()["line"]
    assert (line["ok"], line["calls"], line["trunk"], line["journals_unreadable"]) == (True, 2, "registered", 0)
    with transaction.atomic():
        beat_line("line-1", now, now, 2, "registered", {"missing_prompts": ["greeting.es"]})
    assert not browser.get("/healthz").json()["line"]["ok"]
    LineBeat.objects.all().delete()
    with override_settings(GUARDIA=replace(settings.GUARDIA, line_port=0)):
        assert line_part(now) is None
        assert "No phone line is configured" in page(stage, "/console/duty/")


def test_staff_keep_where_they_are_called_and_the_roster_says_who_cannot_be(stage: Stage) -> None:
    browser, own = stage.browser("engineer"), stage.cast.people["engineer"]
    Person.objects.filter(id=own.id).update(phone="")
    assert "The line cannot call" in page(stage, "/console/phone/")
    assert own.name in page(stage, "/console/roster/").split("No phone is kept of:")[1].split("Each keeps")[0]
    wrong = browser.post("/console/phone/", {"phone": "call me"})
    assert wrong.status_code == 422
    assert b'value="call me"' in wrong.content
    assert b"sip:ana@127.0.0.1:5070" in wrong.content
    assert browser.post("/console/phone/", {"phone": "sip:ana@pbx.example"}).status_code == 422, "no name is looked up"
    with override_settings(GUARDIA=replace(settings.GUARDIA, line_trunk_url=Secret("sip://us:secret@PBX.example"))):
        assert browser.post("/console/phone/", {"phone": "sip:ana@pbx.example"}).status_code == 303
        assert browser.post("/console/phone/", {"phone": "sip:ana@pbx.example.evil"}).status_code == 422
    own.refresh_from_db()
    assert own.phone == "sip:ana@pbx.example"
    assert b"+34600000000" in browser.post("/console/phone/", {"phone": "+34 600 000 000"}, follow=True).content
    own.refresh_from_db()
    assert own.phone == "+34600000000"
    assert "The line cannot call" not in page(stage, "/console/phone/")
    assert browser.post("/console/phone/", {"phone": ""}).status_code == 303
    own.refresh_from_db()
    assert own.phone == ""
    assert stage.browser("plus").post("/console/phone/", {"phone": "112"}).status_code == 404
