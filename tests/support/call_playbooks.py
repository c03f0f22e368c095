"""The playbooks of a caller's call: what is pressed and answered, and what is heard and noted for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from guardia.doors.voice.questions import (
    Caller,
    CaseConfirmed,
    CaseOpened,
    CasesFound,
    CaseSpoken,
    ConfirmCase,
    FindCase,
    Identified,
    IdentifyByCode,
    IdentifyByPin,
    LeaveMessage,
    ListCases,
    ListMail,
    MailSettled,
    MailsFound,
    MailWaiting,
    MessageKept,
    NoSuchCase,
    NotIdentified,
    OpenByVoice,
    Refused,
    SettleMail,
)
from guardia.doors.voice.script import (
    BridgeEnded,
    Connected,
    Event,
    HungUp,
    NobodyThere,
    Queued,
    Recorded,
)
from tests.support.playbook import Desk

ANA = Caller(
    company_id=UUID(int=1),
    company="Astilleros del Norte",
    person_id=UUID(int=2),
    name="Ana Prieto",
    tier=2,
    contract="in_force",
    may_phone=True,
)
BY_CODE = replace(ANA, case="40718831")
DUE = datetime(2026, 11, 29, 2, 30, tzinfo=UTC)
CASE = CaseSpoken(
    number="40718831",
    severity=1,
    state="submitted",
    needs_call=True,
    is_premium=True,
    is_held=False,
    is_confirmed=False,
    answered=False,
    due_at=None,
    zone="Europe/Madrid",
)
CONFIRMED = replace(CASE, needs_call=False, is_confirmed=True, due_at=DUE)
OTHER = replace(CASE, number="40718832", severity=2, needs_call=False)
MAIL = MailWaiting(UUID(int=9), datetime(2026, 11, 28, 7, 5, tzinfo=UTC), "Europe/Madrid")
SPOKEN = Recorded(1, 20.0, 14.0, "key")
MUTE = Recorded(1, 6.0, 0.2, "silence")
KNOWN: Desk = {IdentifyByPin: Identified(ANA), ListCases: CasesFound([CASE])}
WITH_CODE: Desk = {IdentifyByCode: Identified(BY_CODE), FindCase: CASE}
FIRST = CaseConfirmed(CONFIRMED, is_first=True, opens_clock=True)
PIN = "14071#123456"
CODE = "240718831654321"


@dataclass(frozen=True)
class Playbook:
    """What happens after the language was chosen. `hears` are prompts in their order, others between them."""

    script: Sequence[str | Event]
    outcome: str
    hears: Sequence[str] = ()
    never: Sequence[str] = ()
    desk: Desk = field(default_factory=dict)
    notes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def _refused(refusal: Any, **also: Any) -> Desk:
    caller = replace(ANA, may_phone=False, refusal=refusal, **also)
    return {IdentifyByPin: Identified(caller), LeaveMessage: MessageKept("")}


def _later(do: str, **facts: Any) -> dict[str, dict[str, Any]]:
    return {"later": {"do": do, **facts}}


PLAYBOOKS: Mapping[str, Playbook] = {
    # ---- who calls ----
    "three wrong PINs, then a person": Playbook(
        [PIN, "4071#123457", "4071#123458", Queued(1), Connected("Ana"), BridgeEnded()],
        "connected",
        ["identify.wrong", "identify.wrong", "identify.too_many", "queue.place", "call.goodbye"],
        desk={IdentifyByPin: NotIdentified()},
        notes={"not_identified": {"by": "pin"}},
    ),
    "wrong PINs and codes are counted together": Playbook(
        [PIN, "*", CODE, "40718831654322", Queued(1)],
        "unidentified",
        ["identify.wrong", "identify.wrong", "identify.too_many", "queue.place"],
        desk={IdentifyByPin: NotIdentified(), IdentifyByCode: NotIdentified()},
    ),
    "a wrong PIN, then the right one": Playbook(
        [PIN, "4071#123457"],
        "hung_up",
        ["identify.wrong", "purposes.menu"],
        desk={IdentifyByPin: [NotIdentified(), Identified(ANA)]},
        notes={"identified": {"by": "pin"}},
    ),
    "identification is closed": Playbook(
        [PIN, Queued(1)],
        "unidentified",
        ["identify.closed", "queue.place"],
        ["identify.wrong"],
        desk={IdentifyByPin: NotIdentified(is_closed=True)},
    ),
    "the contract number ends after a pause": Playbook(
        ["14071-123456"], "hung_up", ["identify.pin", "purposes.menu"], desk=KNOWN
    ),
    "a star goes back from PIN to contract to menu to greeting": Playbook(
        ["1", "4071#", "12*", "*", "*", "*", "-"],
        "hung_up",
        [
            "identify.contract",
            "identify.pin",
            "identify.pin",
            "identify.contract",
            "identify.menu",
            "greeting.language",
            "identify.menu",
        ],
    ),
    "too few digits are asked for again": Playbook(
        ["14071#123-", "123456"], "hung_up", ["digits.too_few", "purposes.menu"], desk=KNOWN
    ),
    "typing ahead": Playbook(
        [PIN + "1", "1", Queued(1)], "confirmed", ["confirm.opened"], desk={**KNOWN, ConfirmCase: FIRST}
    ),
    # ---- silence and hang-up ----
    "silence after the language": Playbook(
        ["---", Queued(1)], "hung_up", ["menu.reminder", "menu.reminder", "silent.person"]
    ),
    "silence after a key leads to a person": Playbook(
        ["1---", Queued(2)], "hung_up", ["digits.reminder", "digits.reminder", "silent.person", "queue.place"]
    ),
    "wrong keys lead to a person": Playbook(["777", Queued(1)], "hung_up", ["menu.no_such_key", "silent.person"]),
    "hang-up in the greeting": Playbook([HungUp()], "hung_up"),
    "hang-up in mid-digit": Playbook(["140", HungUp()], "hung_up", ["identify.contract"], ["identify.pin"]),
    "hang-up while the desk looks": Playbook([PIN, HungUp()], "hung_up", desk=KNOWN),
    "hang-up in the recording": Playbook(
        [PIN, "21", SPOKEN, HungUp()], "opened", ["open.describe"], desk={**KNOWN, OpenByVoice: CaseOpened(CONFIRMED)}
    ),
    "hang-up before anything was recorded": Playbook(
        [PIN, "21", HungUp()], "hung_up", ["record.notice"], ["open.number"], desk=KNOWN
    ),
    # ---- who may not phone ----
    "not a named contact": Playbook(
        [PIN, "1", SPOKEN],
        "message",
        ["refusal.not_named", "refusal.menu", "record.notice", "message.kept", "call.goodbye"],
        ["purposes.menu"],
        desk=_refused("not_named"),
    ),
    "an expired contract": Playbook(
        [PIN, "1", SPOKEN], "message", ["refusal.expired", "message.kept"], desk=_refused("expired", contract="expired")
    ),
    "no phone right": Playbook(
        [PIN, "---"], "refused", ["refusal.no_phone", "call.goodbye"], desk=_refused("no_phone")
    ),
    "no contract": Playbook(
        [PIN, "*"], "refused", ["refusal.no_contract", "call.goodbye"], desk=_refused("no_contract", contract="none")
    ),
    # ---- confirming ----
    "confirm the only case that waits, and stay": Playbook(
        [PIN, "11", Queued(1), Connected("Ana"), BridgeEnded()],
        "connected",
        ["case.number", "severity.1", "confirm.one", "confirm.opened", "clock.until", "connect.now", "queue.place"],
        desk={**KNOWN, ConfirmCase: FIRST},
        notes={"confirmed": {"number": "40718831"}},
    ),
    "confirm and hang up": Playbook(
        [PIN, "11", HungUp()], "confirmed", ["confirm.opened"], desk={**KNOWN, ConfirmCase: FIRST}
    ),
    "confirm one that was confirmed": Playbook(
        [PIN, "1", "2", "40718831", "1"],
        "confirmed",
        ["confirm.this", "confirm.already", "clock.until"],
        ["confirm.paged", "confirm.opened", "confirm.done"],
        desk={**KNOWN, FindCase: CONFIRMED, ConfirmCase: CaseConfirmed(CONFIRMED, is_first=False, opens_clock=False)},
        notes={"confirmed": {"is_first": False}},
    ),
    "a confirmation that opens no clock": Playbook(
        [PIN, "11"],
        "confirmed",
        ["confirm.done", "clock.none", "confirm.paged", "connect.stay"],
        ["confirm.opened", "connect.now"],
        desk={**KNOWN, ConfirmCase: CaseConfirmed(replace(CASE, severity=3), is_first=True, opens_clock=False)},
    ),
    "confirm one of several": Playbook(
        [PIN, "12"],
        "confirmed",
        ["choose.press", "choose.press", "choose.other", "confirm.opened"],
        desk={
            **KNOWN,
            ListCases: CasesFound([CASE, replace(OTHER, needs_call=True)]),
            ConfirmCase: replace(FIRST, case=replace(OTHER, due_at=DUE)),
        },
        notes={"confirmed": {"number": "40718832"}},
    ),
    "confirm by a number that is typed": Playbook(
        [PIN, "1", "99999999", "40718831", "1"],
        "confirmed",
        ["confirm.none_waits", "case.none_such", "confirm.this", "confirm.opened"],
        desk={**KNOWN, ListCases: CasesFound([]), FindCase: [NoSuchCase(), CASE], ConfirmCase: FIRST},
    ),
    "three numbers of nobody's": Playbook(
        [PIN, "1", "99999999", "99999998", "99999997"],
        "hung_up",
        ["case.none_such", "case.none_such", "case.none_such", "purposes.menu"],
        desk={**KNOWN, ListCases: CasesFound([]), FindCase: NoSuchCase()},
    ),
    "a confirmation that is refused": Playbook(
        [PIN, "11"], "hung_up", ["refused.closed", "purposes.menu"], desk={**KNOWN, ConfirmCase: Refused("closed")}
    ),
    "a refusal without words of its own": Playbook(
        [PIN, "11"], "hung_up", ["refused.other"], desk={**KNOWN, ConfirmCase: Refused("unheard_of")}
    ),
    # ---- a case's code ----
    "a code confirms its case": Playbook(
        [CODE, "1", Queued(1)],
        "confirmed",
        ["case.number", "code.menu", "confirm.opened", "connect.now", "queue.place"],
        ["purposes.menu"],
        desk={**WITH_CODE, ConfirmCase: FIRST},
        notes={"identified": {"by": "code"}},
    ),
    "a hash after each number, though its length is known": Playbook(
        ["240718831#654321#", "1", Queued(1)],
        "confirmed",
        ["case.number", "code.menu", "confirm.opened"],
        ["digits.reminder", "digits.too_few"],
        desk={**WITH_CODE, ConfirmCase: FIRST},
    ),
    "a code hears its case and leaves a message": Playbook(
        [CODE, "2", "3", SPOKEN],
        "message",
        ["code.menu", "state.submitted", "state.needs_call", "code.menu", "record.notice", "message.kept_with"],
        desk={**WITH_CODE, LeaveMessage: MessageKept("40718831")},
        notes={"heard": {"number": "40718831"}, "message": {"number": "40718831"}},
    ),
    "a code of a case that has gone": Playbook(
        [CODE, Queued(1)], "hung_up", ["case.none_such", "queue.place"], desk={**WITH_CODE, FindCase: NoSuchCase()}
    ),
    "a code leads to a person": Playbook([CODE, "0", Queued(1)], "hung_up", ["queue.place"], desk=WITH_CODE),
    # ---- opening ----
    "open a level 1 by voice": Playbook(
        [PIN, "21", SPOKEN, "-", Queued(1)],
        "opened",
        [
            "open.severity",
            "record.notice",
            "open.describe",
            "tone.record",
            "open.number",
            "open.again",
            "open.mailed",
            "clock.until",
            "connect.stay",
        ],
        desk={**KNOWN, OpenByVoice: CaseOpened(CONFIRMED)},
        notes={"opened": {"number": "40718831"}},
    ),
    "open a level 3 by voice": Playbook(
        [PIN, "23", SPOKEN],
        "opened",
        ["open.number", "open.mailed", "purposes.menu"],
        ["connect.stay", "clock.until"],
        desk={**KNOWN, OpenByVoice: CaseOpened(replace(OTHER, severity=3))},
    ),
    "no premium incident was left": Playbook(
        [PIN, "22", SPOKEN],
        "opened",
        ["open.number", "open.fell_to_standard"],
        desk={**KNOWN, OpenByVoice: CaseOpened(replace(OTHER, is_premium=False), fell_to_standard=True)},
    ),
    "too short a description is asked for once again": Playbook(
        [PIN, "22", MUTE, replace(SPOKEN, number=2)],
        "opened",
        ["record.notice", "record.too_short", "record.notice", "open.number"],
        desk={**KNOWN, OpenByVoice: CaseOpened(OTHER)},
    ),
    "a mute description leads to a person": Playbook(
        [PIN, "22", MUTE, MUTE, Queued(1)],
        "hung_up",
        ["open.nothing_heard", "queue.place"],
        ["open.number"],
        desk=KNOWN,
    ),
    "opening that is refused keeps what was said": Playbook(
        [PIN, "22", SPOKEN],
        "message",
        ["refused.not_entitled", "message.kept"],
        desk={**KNOWN, OpenByVoice: Refused("not_entitled")},
        notes=_later("message", recording=1),
    ),
    # ---- hearing ----
    "hear the only case": Playbook(
        [PIN, "3"],
        "heard",
        ["case.number", "severity.1", "state.submitted", "state.not_held", "state.not_answered", "clock.none"],
        desk=KNOWN,
    ),
    "hear one of four": Playbook(
        [PIN, "33"],
        "heard",
        [
            "choose.press",
            "choose.press",
            "choose.press",
            "choose.other",
            "state.with_lab",
            "state.held",
            "state.answered",
        ],
        desk={
            **KNOWN,
            ListCases: CasesFound(
                [CASE, OTHER, replace(OTHER, number="40718833", state="with_lab", is_held=True, answered=True), OTHER]
            ),
        },
        notes={"heard": {"number": "40718833"}},
    ),
    "hear a case that is closed, by its number": Playbook(
        [PIN, "3", "40718831"],
        "heard",
        ["case.none_open", "case.type_number", "state.closed"],
        desk={**KNOWN, ListCases: CasesFound([]), FindCase: replace(CASE, state="closed", needs_call=False)},
    ),
    # ---- mail ----
    "a mail was written, another was not": Playbook(
        [PIN, "4", "1", "2"],
        "proved",
        ["mail.waits", "weekday.6", "hour.8", "minute.5", "daypart.morning", "mail.own", "mail.waits", "mail.not_own"],
        desk={**KNOWN, ListMail: MailsFound([MAIL, MAIL]), SettleMail: MailSettled()},
        notes={"mail_settled": {"is_own": True}},
    ),
    "no mail waits": Playbook(
        [PIN, "4"], "hung_up", ["mail.none", "purposes.menu"], desk={**KNOWN, ListMail: MailsFound([])}
    ),
    "a mail that was settled meanwhile": Playbook(
        [PIN, "41"],
        "hung_up",
        ["refused.settled"],
        desk={**KNOWN, ListMail: MailsFound([MAIL]), SettleMail: Refused("settled")},
    ),
    # ---- persons and messages ----
    "a person without saying who calls": Playbook(
        ["0", Queued(3), Queued(3), Queued(1), Connected("Ana"), BridgeEnded()],
        "connected",
        ["queue.place", "queue.star", "tone.waiting", "queue.place", "tone.waiting", "call.goodbye"],
    ),
    "nobody there": Playbook(
        ["0", Queued(1), NobodyThere(), SPOKEN],
        "message",
        ["queue.nobody", "record.notice", "message.kept", "call.goodbye"],
        desk={LeaveMessage: MessageKept("")},
    ),
    "star in the queue": Playbook(
        ["0", Queued(4), "7*", SPOKEN],
        "message",
        ["queue.place", "record.notice", "message.speak", "message.kept"],
        desk={LeaveMessage: MessageKept("")},
    ),
    "hang-up in the queue": Playbook(["0", Queued(1), HungUp()], "hung_up", ["queue.place"]),
    "hang-up in the conversation": Playbook(["0", Queued(1), Connected("Ana"), HungUp()], "connected"),
    "a message": Playbook(
        [PIN, "5", SPOKEN],
        "message",
        ["record.notice", "tone.record", "message.kept_with", "purposes.menu"],
        desk={**KNOWN, LeaveMessage: MessageKept("40718840")},
        notes={"message": {"number": "40718840"}},
    ),
    "a message that says nothing": Playbook(
        [PIN, "5", MUTE, MUTE], "hung_up", ["record.too_short", "record.nothing", "purposes.menu"], desk=KNOWN
    ),
    "a message that nothing can be kept of": Playbook(
        [PIN, "5", Recorded(0, 0, 0, "full")], "hung_up", ["record.nothing"], ["record.too_short"], desk=KNOWN
    ),
    "a message that the desk refuses": Playbook(
        [PIN, "5", SPOKEN],
        "message",
        ["message.kept"],
        desk={**KNOWN, LeaveMessage: Refused("closed")},
        notes=_later("message", number="", recording=1),
    ),
    # ---- our records are away ----
    "away at identification by PIN": Playbook(
        [PIN, "1", SPOKEN],
        "away",
        ["away.sorry", "open.severity", "record.notice", "open.describe", "away.kept", "call.goodbye"],
        desk={IdentifyByPin: None},
        notes=_later("open", severity=1, recording=1, seconds=20.0, number="", person=""),
    ),
    "away at identification by PIN, and no level chosen": Playbook(
        [PIN, "---", SPOKEN],
        "away",
        ["message.speak", "away.kept"],
        desk={IdentifyByPin: None},
        notes=_later("message", recording=1),
    ),
    "away at identification by PIN, and nothing said": Playbook(
        [PIN, "1", MUTE, MUTE], "away", ["record.nothing", "call.goodbye"], ["away.kept"], desk={IdentifyByPin: None}
    ),
    "away at identification by code": Playbook(
        [CODE],
        "away",
        ["away.kept", "call.goodbye"],
        desk={IdentifyByCode: None},
        notes=_later("confirm", number="40718831"),
    ),
    "away after a code": Playbook(
        [CODE], "away", ["away.kept"], desk={**WITH_CODE, FindCase: None}, notes=_later("confirm", number="40718831")
    ),
    "away at confirmation": Playbook(
        [PIN, "11"],
        "away",
        ["confirm.one", "away.kept", "call.goodbye"],
        ["confirm.opened"],
        desk={**KNOWN, ConfirmCase: None},
        notes=_later("confirm", number="40718831", person=str(ANA.person_id)),
    ),
    "away when cases are listed for a confirmation": Playbook(
        [PIN, "1", "40718831"],
        "away",
        ["away.sorry", "case.type_number", "away.kept"],
        desk={**KNOWN, ListCases: None},
        notes=_later("confirm", number="40718831", person=str(ANA.person_id)),
    ),
    "away when a case is opened": Playbook(
        [PIN, "22", SPOKEN],
        "away",
        ["away.kept"],
        ["open.number"],
        desk={**KNOWN, OpenByVoice: None},
        notes=_later("open", severity=2, recording=1, seconds=20.0, person=str(ANA.person_id)),
    ),
    "away when a case is to be heard": Playbook(
        [PIN, "3", SPOKEN],
        "away",
        ["away.sorry", "message.speak", "away.kept"],
        desk={**KNOWN, ListCases: None},
        notes=_later("message", recording=1),
    ),
    "away when a message is left": Playbook(
        [PIN, "5", SPOKEN],
        "away",
        ["away.kept"],
        desk={**KNOWN, LeaveMessage: None},
        notes=_later("message", recording=1),
    ),
    "away when mail is listed, and nothing said": Playbook(
        [PIN, "4", MUTE, MUTE], "away", ["away.sorry", "record.nothing"], ["away.kept"], desk={**KNOWN, ListMail: None}
    ),
}
"""Every path by its name; the keys are typed after a language was chosen."""
