"""Journals that are locked, damaged or past their time: nothing is lost for want of a key, and erased means erased."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.test_call_journal import frame_starts
from tests.journeys.test_hand_in_call import BACK, CALLED, Killed, Telling
from tests.support.cast import Cast

from guardia.adapters.call_journal import FolderJournals, MemoryJournals
from guardia.adapters.lab_keys import LabKeys
from guardia.features.calls import operations as calls
from guardia.features.calls.models import Call, Recording
from guardia.features.mail.models import OutboundMail
from guardia.journeys.hand_in_call import LOCKED_FOR, hand_in_waiting
from guardia.journeys.sweep_calls import sweep_calls
from guardia.kernel import clock
from guardia.kernel.environment import read_settings
from guardia.kernel.outside import replaced
from guardia.reports.line_health import LineHealth, is_well
from guardia.wiring import call_journals

KEY, OTHER = LabKeys("dev-1", {"dev-1": b"k" * 32}), LabKeys("dev-2", {"dev-2": b"o" * 32})
pytestmark = pytest.mark.django_db


@pytest.fixture
def journals(keys: None) -> Iterator[MemoryJournals]:
    twin = MemoryJournals()
    with replaced(call_journals=twin), clock.frozen_at(BACK):
        yield twin


def told(kind: str) -> int:
    return OutboundMail.objects.filter(dedupe_key__startswith=f"call:{kind}:").count()


def test_a_missing_lab_key_sets_nothing_aside_and_all_is_done_once_it_is_back(cast: Cast, tmp_path: Path) -> None:
    good = FolderJournals(tmp_path / "calls", KEY)
    files = [OTHER]
    worker = FolderJournals(good.folder, OTHER, lambda: files[-1])
    with replaced(call_journals=worker), clock.frozen_at(BACK):
        call = Telling(good).says_pin().speaks().later("open", severity=1, recording=1).ends()
        Telling(good).ends()
        assert hand_in_waiting(BACK) == 0
        assert (worker.count_waiting(), worker.count_unreadable(), worker.count_locked()) == (2, 0, 2)
        assert told("locked") > 0
        assert told("locked") == OutboundMail.objects.values("person_id").distinct().count(), "once a day, not for each"
        files.append(KEY)
        assert hand_in_waiting(BACK + LOCKED_FOR) == 2
        assert (call.row.case_id is not None, worker.count_locked()) == (True, 0)
    assert cast.people


def test_the_documented_rotation_costs_no_call_though_only_the_line_is_started_anew(cast: Cast, tmp_path: Path) -> None:
    own = read_settings({"GUARDIA_VAR": str(tmp_path), "GUARDIA_PRIVATE": str(tmp_path)})
    path = tmp_path / "keys" / "lab.json"
    LabKeys.make(path, "dev-1")
    worker = call_journals(own)
    assert isinstance(worker, FolderJournals)
    keys = {**json.loads(path.read_text(encoding="utf-8"))["keys"], "dev-2": base64.b64encode(b"o" * 32).decode()}
    path.write_text(json.dumps({"current": "dev-2", "keys": keys}), encoding="utf-8")
    call = (
        Telling(FolderJournals(worker.folder, LabKeys.read(path, production=False)))
        .is_known(cast.people["plus"])
        .speaks("message")
        .ends("message")
    )
    with replaced(call_journals=worker), clock.frozen_at(BACK):
        assert hand_in_waiting(BACK) == 1
        assert (call.row.person_name, worker.count_unreadable()) == (cast.people["plus"].name, 0)


def test_who_is_on_duty_is_told_of_a_journal_that_is_set_aside(cast: Cast, journals: MemoryJournals) -> None:
    journals.damaged.add(Telling(journals).ends().id)
    assert hand_in_waiting(BACK) == 0
    assert (journals.count_unreadable(), told("unreadable") > 0) == (1, True)
    assert cast.people


@pytest.mark.parametrize("what", ["journals_locked", "journals_unreadable"])
def test_the_line_is_not_well_while_a_journal_cannot_be_read(what: str) -> None:
    health = LineHealth(is_up=True, last_at=BACK, calls=0, trunk="none", where="127.0.0.1:5060")
    assert is_well(health)
    assert not is_well(LineHealth(**{**vars(health), what: 1}))


def test_one_damaged_frame_costs_no_other_and_a_person_is_told(cast: Cast, tmp_path: Path) -> None:
    folder = FolderJournals(tmp_path / "calls", KEY)
    with replaced(call_journals=folder), clock.frozen_at(BACK):
        call = Telling(folder).is_known(cast.people["plus"]).note("key").speaks("message").ends("message")
        path = folder.folder / "new" / str(call.id)
        content = bytearray(path.read_bytes())
        content[frame_starts(bytes(content))[2] + 20] ^= 1
        path.write_bytes(bytes(content))
        assert hand_in_waiting(BACK) == 1
        assert [one["what"] for one in call.row.log][:2] == ["identified", "damaged"]
        assert (call.row.case_id is not None, call.row.person_name) == (True, cast.people["plus"].name)
        assert (told("waits") > 0, folder.count_unreadable()) == (True, 0)


def test_a_locked_journal_keeps_its_call_from_being_ended(journals: MemoryJournals) -> None:
    call = Telling(journals).ends()
    journals.locked.add(call.id)
    Call.objects.create(id=call.id, direction="in", started_at=CALLED, seen_at=CALLED, step="waiting")
    assert sweep_calls(BACK, 90).ended == 0


@pytest.mark.parametrize("place", ["forget", "erase_recordings"])
def test_killed_during_the_erasure_it_never_says_erased_of_sound_that_is_there(
    cast: Cast, journals: MemoryJournals, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    call = Telling(journals).is_known(cast.people["plus"]).speaks("message").ends("message")
    hand_in_waiting(BACK)
    late = clock.now() + timedelta(days=3650)

    def killed(*_args: Any, **_named: Any) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(journals if place == "forget" else calls, place, killed)
        with pytest.raises(Killed):
            sweep_calls(late, 90)
    (row,) = call.recordings
    assert (row.erased_at, journals.has(call.id)) == (None, place == "forget")
    sweep_calls(late, 90)
    assert (call.recordings[0].erased_at, journals.has(call.id)) == (late, False)


def test_sound_that_cannot_be_removed_is_not_said_to_be_erased(
    cast: Cast, journals: MemoryJournals, monkeypatch: pytest.MonkeyPatch
) -> None:
    Telling(journals).is_known(cast.people["plus"]).speaks("message").ends("message")
    hand_in_waiting(BACK)
    monkeypatch.setattr(journals, "forget", lambda *_: [])
    sweep_calls(clock.now() + timedelta(days=3650), 90)
    assert not Recording.objects.exclude(erased_at=None).exists()
