"""A voice that never holds up the signalling thread: all is at hand, the rest left out, failures are remembered."""

import logging
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from guardia.doors.voice import speech, spoken
from guardia.doors.voice.script import Language, Prompt, Text
from guardia.doors.voice.speech import NOT_AGAIN_S, SpeechUnavailable, Voice
from guardia.doors.voice.unwaiting import unwaiting
from guardia.kernel.sound import SILENCE, voiced_s
from guardia.kernel.zones import zone_names

FEW: Mapping[str, Mapping[Language, str]] = {
    "menu.hello": {"es": "Buenos días.", "en": "Good morning."},
    "record.notice": {"es": "Se grabará.", "en": "This is recorded."},
}


class Synthesiser:
    """Counts what `espeak-ng` is asked for, and fails or hangs where the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.failure: Exception | None = None
        self._real: Any = subprocess.run
        monkeypatch.setattr(subprocess, "run", self._run)

    def _run(self, command: list[str], **how: Any) -> Any:
        self.asked.append(how["input"].decode())
        if self.failure is not None:
            raise self.failure
        return self._real(command, **how)


@pytest.fixture(autouse=True)
def synthesiser(monkeypatch: pytest.MonkeyPatch) -> Synthesiser:
    monkeypatch.setattr(speech, "CATALOGUE", FEW)
    monkeypatch.setattr(spoken, "places", lambda: ("Madrid", "New York"))
    return Synthesiser(monkeypatch)


@pytest.fixture
def voice(tmp_path: Path) -> Voice:
    return Voice(tmp_path / "prompts", tmp_path / "own")


def _hang(synthesiser: Synthesiser) -> None:
    synthesiser.failure = subprocess.TimeoutExpired("espeak-ng", 5)
    synthesiser.asked.clear()


def _files(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "prompts").iterdir())


def test_cities_and_prompts_are_at_hand_without_a_file_or_a_program(
    voice: Voice, synthesiser: Synthesiser, tmp_path: Path
) -> None:
    voice.prepare()
    _hang(synthesiser)
    for path in _files(tmp_path):
        path.unlink()
    with unwaiting():
        for piece in (Prompt("menu.hello"), Prompt("tone.record"), Text("Madrid"), Text("New York")):
            assert voiced_s(voice.render([piece], "es")) > 0.1, piece
    assert synthesiser.asked == []


def test_a_hanging_synthesiser_is_never_asked_where_nothing_may_be_waited_for(
    voice: Voice, synthesiser: Synthesiser, caplog: pytest.LogCaptureFixture
) -> None:
    voice.prepare()
    _hang(synthesiser)
    with unwaiting():
        said = [voice.render([Prompt("menu.hello"), Text(name)], "es") for name in ("Secretísima", "Otra")]
    assert synthesiser.asked == []
    assert all(voiced_s(sound) > 0.3 for sound in said)
    assert len(caplog.records) == 1
    assert "Secret" not in caplog.text


def test_a_prompt_that_is_not_at_hand_is_left_out_where_nothing_may_be_waited_for(
    voice: Voice, synthesiser: Synthesiser, caplog: pytest.LogCaptureFixture
) -> None:
    with unwaiting():
        assert set(voice.render([Prompt("menu.hello")], "es")) == {SILENCE}
    assert synthesiser.asked == []
    assert "es/menu.hello" in caplog.text


def test_a_name_that_a_thread_had_made_is_said(voice: Voice) -> None:
    made = voice.render([Text("Astilleros del Norte")], "es")
    with unwaiting():
        assert voice.render([Text("Astilleros del Norte")], "es") == made
    assert voiced_s(made) > 0.3


def test_words_that_failed_are_tried_again_after_a_minute_and_not_before(
    voice: Voice, synthesiser: Synthesiser, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(speech, "monotonic", lambda: now[0])
    _hang(synthesiser)
    for _ in range(5):
        assert set(voice.render([Text("Astilleros")], "es")) == {SILENCE}
    assert len(synthesiser.asked) == 1
    now[0] += NOT_AGAIN_S
    synthesiser.failure = None
    assert voiced_s(voice.render([Text("Astilleros")], "es")) > 0.3
    assert len(synthesiser.asked) == 2


def test_many_names_fill_no_memory(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def make(text: str, _language: Language) -> bytes:
        made.append(text)
        return b"\x00"

    monkeypatch.setattr(speech, "_make", make)
    for n in range(speech.KEPT_TEXTS + 1):
        voice.render([Text(f"name {n}")], "es")
    voice.render([Text("name 1"), Text("name 0")], "es")
    assert made[speech.KEPT_TEXTS + 1 :] == ["name 0"]


def test_a_synthesiser_that_hangs_at_the_start_is_not_asked_for_every_city(
    voice: Voice, synthesiser: Synthesiser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    voice.prepare()
    monkeypatch.setattr(spoken, "places", lambda: tuple(f"City {n}" for n in range(500)))
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    _hang(synthesiser)
    with caplog.at_level(logging.ERROR):
        assert voice.prepare() == 0
    assert len(synthesiser.asked) == speech.MOST_FAILED_PLACES
    assert len(caplog.records) == 1


def test_every_zone_that_can_be_said_is_made_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    at = datetime(2026, 11, 29, 12, tzinfo=UTC)
    pieces = [piece for zone in (*zone_names(), "Mars/Base") for piece in spoken.moment(at, zone)]
    assert {piece.text for piece in pieces if isinstance(piece, Text)} == set(spoken.places())


# ---- nobody is recorded unannounced ----


@pytest.mark.parametrize("content", [b"", bytes([SILENCE]) * 8000], ids=["empty", "silence"])
def test_a_notice_of_recording_without_sound_is_refused(
    voice: Voice, synthesiser: Synthesiser, tmp_path: Path, content: bytes
) -> None:
    voice.prepare()
    next((tmp_path / "prompts").glob("en-record.notice-*")).write_bytes(content)
    _hang(synthesiser)
    with pytest.raises(SpeechUnavailable):
        voice.prepare()


def test_a_tone_of_recording_without_sound_is_refused(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "TONES", {"tone.record": ((0, 400),)})
    with pytest.raises(SpeechUnavailable, match=r"tone\.record"):
        voice.prepare()


def test_a_kept_prompt_that_cannot_be_read_is_made_anew(
    voice: Voice, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    voice.prepare()
    path = next((tmp_path / "prompts").glob("es-menu.hello-*"))
    real = Path.read_bytes

    def read(this: Path) -> bytes:
        if this == path:
            raise PermissionError(13, "denied", str(this))
        return real(this)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "read_bytes", read)
        assert voice.prepare() == 1
    assert path.name in caplog.text
    with unwaiting():
        assert voiced_s(voice.render([Prompt("menu.hello")], "es")) > 0.3
