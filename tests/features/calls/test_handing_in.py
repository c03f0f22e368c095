"""What a journal comes to: the picture of the call, what is still to be done, and that neither tells a secret."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardia.features.calls.rules.handing_in import LEAST_VOICED_S, MOST_LOG, TOO_SHORT_S, HandIn, Known, hand_in_of

NIGHT = datetime(2026, 11, 28, 2, 10, tzinfo=UTC)
PERSON, COMPANY = UUID(int=1), UUID(int=2)
PIN, CONTRACT, CODE, NUMBER = "739155", "4071", "204816", "40718823"


def at(seconds: float) -> datetime:
    return NIGHT + timedelta(seconds=seconds)


@dataclass(frozen=True)
class Noted:
    at: datetime
    what: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Heard:
    number: int
    kind: str = "message"
    voiced_s: float = 4.0
    seconds: float = 5.0
    started_at: datetime = field(default=NIGHT)


def notes(*told: tuple[str, Mapping[str, Any]]) -> list[Noted]:
    """One note a second."""
    return [Noted(at(second), what, data) for second, (what, data) in enumerate(told)]


def come_to(told: Sequence[Noted], *sounds: Heard, ended_at: datetime | None = None) -> HandIn:
    return hand_in_of(told, sounds, ended_at, at(90))


def later(do: str, recording: int = 0, number: str = "", severity: int = 0) -> tuple[str, Mapping[str, Any]]:
    data = {"do": do, "number": number, "severity": severity, "recording": recording, "seconds": 5.0, "person": ""}
    return "later", data


IDENTIFIED = (
    "identified",
    {"by": "pin", "person": str(PERSON), "company": str(COMPANY), "name": "Lucía Ferrer", "case": ""},
)


def test_a_call_that_ended_has_the_dialogues_word_and_the_line_that_was_killed_has_its_own() -> None:
    said = notes(("language", {"language": "es"}), ("outcome", {"outcome": "confirmed"}))
    assert come_to(said, ended_at=at(9)).picture.outcome == "confirmed"
    assert come_to(said, ended_at=at(9)).picture.ended_at == at(9)
    killed = come_to(said[:1]).picture
    assert (killed.outcome, killed.ended_at, killed.language) == ("interrupted", at(90), "es")
    assert come_to(said[:1], ended_at=at(9)).picture.outcome == "ended"


def test_the_picture_tells_who_took_the_call_and_how_long_the_caller_waited() -> None:
    said = notes(
        ("queued", {"place": 2}),
        ("queued", {"place": 1}),
        ("ringing", {"name": "Marta"}),
        ("connected", {"name": "Marta"}),
    )
    assert (come_to(said).picture.connected_name, come_to(said).picture.waited_s) == ("Marta", 3)
    assert come_to(said[:2], ended_at=at(30)).picture.waited_s == 30
    assert come_to(notes(("heard", {}))).picture.waited_s is None


def test_the_caller_is_whom_the_desk_found() -> None:
    assert come_to(notes(IDENTIFIED)).known == Known("pin", COMPANY, PERSON, "Lucía Ferrer", "")
    by_code = ("identified", {"by": "code", "person": "", "company": str(COMPANY), "name": "", "case": NUMBER})
    found = come_to(notes(by_code))
    assert found.known == Known("code", COMPANY, None, "", NUMBER)
    assert found.case == NUMBER
    assert come_to(notes(("identified", {"by": "pin"}))).known is None


def test_who_said_to_be_calling_is_kept_for_later_and_shown_nowhere() -> None:
    said = notes(
        ("identify_later", {"contract": CONTRACT, "pin": PIN}),
        ("identify_later", {"number": NUMBER, "code": CODE}),
        ("_told", {"secret": PIN}),
        ("odd", {"pin": PIN, "code": CODE, "kept": 1}),
    )
    found = come_to(said)
    assert [(one.by, one.what, one.secret) for one in found.identities] == [
        ("pin", CONTRACT, PIN),
        ("code", NUMBER, CODE),
    ]
    assert found.picture.log == [{"at": at(3).isoformat(), "what": "odd", "kept": 1}]
    for secret in (PIN, CODE):
        assert secret not in repr(found)


def test_what_was_wanted_is_done_in_its_order_at_its_instants() -> None:
    found = come_to(notes(later("confirm", number=NUMBER), later("open", 1, severity=1)), Heard(1, "description"))
    assert [(act.do, act.at, act.number, act.severity, act.recording) for act in found.acts] == [
        ("confirm", at(0), NUMBER, 0, 0),
        ("open", at(1), "", 1, 1),
    ]


def test_what_the_desk_did_is_not_done_again() -> None:
    said = notes(IDENTIFIED, ("consumed", {"recording": 1, "number": NUMBER}), later("open", 1, severity=1))
    found = come_to(said, Heard(1, "description"))
    assert (list(found.acts), found.consumed, found.case) == ([], {1: NUMBER}, NUMBER)


def test_what_was_said_and_came_to_nothing_is_a_message_about_the_case_of_the_call() -> None:
    said = notes(IDENTIFIED, ("recording", {"number": 1, "kind": "message", "case": NUMBER}))
    (act,) = come_to(said, Heard(1, started_at=at(1)), Heard(2, "conversation"), Heard(3, voiced_s=LEAST_VOICED_S)).acts
    assert (act.do, act.at, act.number, act.recording, act.seconds) == ("message", at(1), NUMBER, 1, 5.0)


def test_a_description_with_a_severity_before_it_opens_a_case_and_one_without_is_a_message() -> None:
    keyed = [*notes(IDENTIFIED, ("wanted", {"severity": 1})), Noted(at(30), "wanted", {"severity": 4})]
    (act,) = come_to(keyed, Heard(1, "description", started_at=at(5))).acts
    assert (act.do, act.severity, act.recording, act.at) == ("open", 1, 1, at(5))
    (act,) = come_to(notes(IDENTIFIED), Heard(1, "description")).acts
    assert (act.do, act.severity) == ("message", 0)
    (act,) = come_to(keyed, Heard(1, "message", started_at=at(5))).acts
    assert (act.do, act.severity) == ("message", 0)


@pytest.mark.parametrize("kind", ["description", "message"])
def test_words_that_were_too_short_and_said_again_are_done_once(kind: str) -> None:
    said = notes(IDENTIFIED, ("consumed", {"recording": 2, "number": NUMBER}))
    assert come_to(said, Heard(1, kind, 0.7), Heard(2, kind)).acts == []
    (act,) = come_to(notes(IDENTIFIED), Heard(1, kind, 0.7), Heard(2, kind)).acts
    assert act.recording == 2
    (act,) = come_to(notes(IDENTIFIED), Heard(1, kind, 0.7), Heard(2, kind, LEAST_VOICED_S)).acts
    assert act.recording == 1
    long_enough = come_to(notes(IDENTIFIED), Heard(1, kind, TOO_SHORT_S), Heard(2, kind)).acts
    assert [act.recording for act in long_enough] == [1, 2]


def test_a_number_that_was_only_typed_is_no_case_of_the_call() -> None:
    assert come_to(notes(later("confirm", number=NUMBER), ("recording", {"number": 1, "case": NUMBER}))).case == ""
    assert come_to(notes(("confirmed", {"number": NUMBER}), ("message", {"number": ""}))).case == NUMBER


def test_a_long_call_has_a_log_that_ends() -> None:
    assert len(come_to(notes(*[("queued", {"place": 1})] * (MOST_LOG + 9))).picture.log) == MOST_LOG


SOUNDS = st.lists(
    st.builds(
        Heard,
        st.integers(1, 5),
        st.sampled_from(["description", "message", "conversation"]),
        st.floats(0, 9),
    ),
    unique_by=lambda one: one.number,
)
TOLD = st.lists(
    st.one_of(
        st.builds(later, st.sampled_from(["open", "message"]), st.integers(1, 5)),
        st.builds(lambda number: ("consumed", {"recording": number, "number": NUMBER}), st.integers(1, 5)),
        st.just(("identify_later", {"contract": CONTRACT, "pin": PIN})),
        st.just(("_hidden", {"pin": PIN})),
        st.just(IDENTIFIED),
    ),
    max_size=9,
)


@given(TOLD, SOUNDS)
def test_everything_that_was_said_is_with_a_case_or_still_to_be_done(
    told: list[tuple[str, Mapping[str, Any]]], sounds: list[Heard]
) -> None:
    found = come_to(notes(*told), *sounds)
    wanted = {act.recording for act in found.acts}
    assert not wanted & set(found.consumed)
    heard = [one for one in sounds if one.kind != "conversation" and one.voiced_s > LEAST_VOICED_S]
    for one in heard:
        is_again = any(two.kind == one.kind and two.number > one.number for two in heard)
        assert one.number in wanted | set(found.consumed) or (one.voiced_s < TOO_SHORT_S and is_again)
    assert PIN not in json.dumps(list(found.picture.log))
    assert PIN not in repr(found)


@pytest.mark.parametrize("data", [{}, {"recording": None, "number": None, "seconds": None, "do": "message"}])
def test_a_note_that_lacks_its_facts_is_still_read(data: Mapping[str, Any]) -> None:
    assert come_to(notes(("later", data))).acts[0].recording == 0


def test_a_description_whose_line_was_killed_goes_into_no_case_that_was_heard_before() -> None:
    about = {"number": 1, "kind": "description", "case": NUMBER}
    said = notes(IDENTIFIED, ("heard", {"number": NUMBER}), ("recording", about))
    (act,) = come_to(said, Heard(1, kind="description")).acts
    assert (act.do, act.number, act.recording) == ("message", "", 1)
    (act,) = come_to(said, Heard(1, kind="message")).acts
    assert (act.do, act.number) == ("message", NUMBER)
