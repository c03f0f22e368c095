"""Prompts as sound, made by a real `espeak-ng`: kept, replaced, bounded, and never mute for one that fails."""

import logging
import subprocess
import wave
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guardia.doors.voice import speech, spoken
from guardia.doors.voice.prompts import TONES
from guardia.doors.voice.script import Digits, Language, Number, Pause, Prompt, Text
from guardia.doors.voice.speech import SpeechUnavailable, Voice
from guardia.kernel.sound import SILENCE, samples_of_ulaw, voiced_s

FEW: Mapping[str, Mapping[Language, str]] = {
    "menu.hello": {"es": "Buenos días.", "en": "Good morning."},
    **{f"digit.{n}": {"es": str(n), "en": str(n)} for n in range(3)},
    "number.2": {"es": "dos", "en": "two"},
    "record.notice": {"es": "Se grabará.", "en": "This is recorded."},
}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "CATALOGUE", FEW)
    monkeypatch.setattr(spoken, "places", lambda: ("Madrid",))


@pytest.fixture
def voice(tmp_path: Path) -> Voice:
    return Voice(tmp_path / "prompts", tmp_path / "own")


def _levels(ulaw: bytes) -> Any:
    return np.frombuffer(samples_of_ulaw(ulaw), dtype="<i2").astype(float)


def _wav(samples: Any, rate: int = 44_100, channels: int = 1, width: int = 2) -> bytes:
    out = BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(np.asarray(samples, dtype="<i2").tobytes())
    return out.getvalue()


def _sine(hertz: float, rate: int, seconds: float = 1.0) -> Any:
    return 9000 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


def _own(tmp_path: Path, content: bytes, key: str = "menu.hello") -> Path:
    path = tmp_path / "own" / "es" / f"{key}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_prompts_are_made_once(voice: Voice) -> None:
    assert len(voice.missing()) == 12
    assert voice.prepare() == 12
    assert voice.prepare() == 0
    assert voice.missing() == []


def test_a_prompt_is_made_anew_when_its_words_change(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    voice.prepare()
    before = voice.render([Prompt("menu.hello")], "es")
    changed = {**FEW, "menu.hello": {"es": "Buenas noches a todos.", "en": "Good morning."}}
    monkeypatch.setattr(speech, "CATALOGUE", changed)
    assert voice.missing() == ["es/menu.hello"]
    assert voice.prepare() == 1
    assert voice.render([Prompt("menu.hello")], "es") != before


def test_an_empty_file_of_a_crash_is_made_anew(voice: Voice, tmp_path: Path) -> None:
    voice.prepare()
    next((tmp_path / "prompts").glob("es-menu.hello-*")).write_bytes(b"")
    assert voice.missing() == ["es/menu.hello"]
    assert voice.prepare() == 1


def test_two_may_prepare_one_folder_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: Voice(folder).prepare(), range(2)))
    assert len(list(folder.iterdir())) == 14  # the prompts, and a city in both languages
    assert Voice(folder).missing() == []


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_prompt_can_be_heard_and_fits_the_telephone(voice: Voice, language: Language) -> None:
    sound = voice.render([Prompt("menu.hello")], language)
    assert voiced_s(sound) > 0.3
    levels = _levels(sound)
    assert 5000 < np.abs(levels).max() <= 0x7FFF
    power = np.abs(np.fft.rfft(levels)) ** 2
    hertz = np.fft.rfftfreq(levels.size, 1 / 8000)
    assert power[hertz > 3600].sum() < 0.01 * power.sum()
    assert power[hertz < 80].sum() < 0.01 * power.sum()
    assert np.abs(levels[:3]).max() < 300


def test_both_languages_are_spoken_differently(voice: Voice) -> None:
    assert voice.render([Digits("1")], "es") != voice.render([Digits("1")], "en")


def test_what_was_not_prepared_is_made_when_it_is_said(voice: Voice) -> None:
    assert voice.render([Prompt("menu.hello")], "es")
    assert "es/menu.hello" not in voice.missing()


def test_digits_pause_after_each_group(voice: Voice) -> None:
    ungrouped = voice.render([Digits("0120", group=9)], "es")
    grouped = voice.render([Digits("0120", group=2)], "es")
    assert len(grouped) - len(ungrouped) == 8 * (350 - 90)
    assert voice.render([Digits("01-20x", group=9)], "es") == ungrouped


def test_numbers_and_pauses_are_said(voice: Voice) -> None:
    assert voiced_s(voice.render([Number(2)], "en")) > 0.1
    assert voice.render([Pause(250)], "en") == bytes([SILENCE]) * 2000


@pytest.mark.parametrize("key", TONES)
def test_a_tone_is_heard_as_long_as_it_is_written(voice: Voice, key: str) -> None:
    sound = voice.render([Prompt(key)], "es")
    assert len(sound) == 8 * (sum(ms for _hertz, ms in TONES[key]) + 180)
    assert np.abs(_levels(sound)).max() > 5000
    assert sound == voice.render([Prompt(key)], "en")


# ---- the operator's own recordings ----


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000])
def test_an_own_recording_wins_at_any_rate_and_keeps_its_pitch(voice: Voice, tmp_path: Path, rate: int) -> None:
    _own(tmp_path, _wav(_sine(1000, rate), rate))
    levels = _levels(voice.render([Prompt("menu.hello")], "es"))
    assert 8000 * 1.18 < levels.size <= 8000 * 1.28 + 1  # a second, the gap, and no more than the added silence
    loudest = np.argmax(np.abs(np.fft.rfft(levels))) * 8000 / levels.size
    assert loudest == pytest.approx(1000, abs=3)
    assert "es/menu.hello" not in voice.missing()
    assert voice.prepare() == 11


def test_what_a_telephone_cannot_carry_does_not_come_back_as_another_tone(voice: Voice, tmp_path: Path) -> None:
    _own(tmp_path, _wav(_sine(1000, 44_100) + _sine(7000, 44_100)))
    levels = _levels(voice.render([Prompt("menu.hello")], "es"))[800:7200]
    power = np.abs(np.fft.rfft(levels)) ** 2
    hertz = np.fft.rfftfreq(levels.size, 1 / 8000)
    assert power[np.abs(hertz - 1000) > 100].sum() < 0.01 * power.sum()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no sound at all",
        _wav(np.zeros(4000)),
        _wav([]),
        _wav(_sine(500, 8000), 8000, channels=2),
        _wav(_sine(500, 8000), 8000, width=1),
        _wav(_sine(500, 8000), 4000),
        _wav(_sine(500, 8000), 8000)[:30],
    ],
    ids=["empty", "no WAV", "silence", "no samples", "two channels", "eight bits", "too slow", "cut short"],
)
def test_a_broken_recording_is_told_by_name_and_the_made_prompt_is_said(
    voice: Voice, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    path = _own(tmp_path, content)
    assert voice.prepare() == 12
    assert voiced_s(voice.render([Prompt("menu.hello")], "es")) > 0.3
    assert [str(path) in record.getMessage() for record in caplog.records] == [True]


# ---- words that come from outside ----


def _calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], bytes]]:
    calls: list[tuple[list[str], bytes]] = []
    real = subprocess.run

    def run(command: list[str], **how: Any) -> Any:
        calls.append((command, how["input"]))
        return real(command, **how)

    monkeypatch.setattr(subprocess, "run", run)
    return calls


def test_words_are_said_once_and_remembered(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = _calls(monkeypatch)
    first = voice.render([Text("Astilleros del Norte")], "es")
    assert voiced_s(first) > 0.3
    assert voice.render([Text("Astilleros del Norte")], "es") == first
    assert len(calls) == 1


@pytest.mark.parametrize(
    "text",
    [
        "-w /tmp/x.wav",
        "--help",
        "$(touch x); `id`",
        "<speak><audio src='/etc/passwd'/></speak>",
        "[[h@l'oU]]",
        "ñandú € 漢字",
    ],
)
def test_words_never_become_an_option_a_shell_or_mark_up(
    voice: Voice, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    calls = _calls(monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert voice.render([Text(text)], "en")
    command, given = calls[0]
    assert not any(text in part for part in command)
    assert not set("[]<>").intersection(given.decode())
    assert not (tmp_path / "x").exists()


def test_long_words_and_control_characters_are_cut(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = _calls(monkeypatch)
    voice.render([Text("ab\x00\x1b\u202e" + "c" * 5000)], "en")
    assert calls[0][1] == b"ab" + b"c" * 198


def test_nothing_but_marks_is_silence(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = _calls(monkeypatch)
    assert set(voice.render([Text(" \x00[]\n")], "en")) == {SILENCE}
    assert calls == []


@pytest.mark.parametrize(
    "failure",
    [subprocess.TimeoutExpired("espeak-ng", 5), subprocess.CalledProcessError(1, "espeak-ng"), OSError(12, "memory")],
)
def test_words_that_cannot_be_said_are_left_out_and_logged_once(
    voice: Voice, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, failure: Exception
) -> None:
    voice.prepare()

    def fail(*_: Any, **__: Any) -> None:
        raise failure

    monkeypatch.setattr(subprocess, "run", fail)
    with caplog.at_level(logging.ERROR):
        said = [voice.render([Prompt("menu.hello"), Text(name)], "es") for name in ("Secretísima", "Otra")]
    assert all(voiced_s(sound) > 0.3 for sound in said)
    assert len(caplog.records) == 1
    assert "Secret" not in caplog.text


def test_a_missing_program_is_told_with_the_package_that_has_it(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SpeechUnavailable, match="Debian package espeak-ng"):
        voice.prepare()


def test_a_key_that_is_not_there_is_left_out(voice: Voice, caplog: pytest.LogCaptureFixture) -> None:
    assert voiced_s(voice.render([Prompt("no.such"), Prompt("menu.hello")], "es")) > 0.3
    assert "no.such" in caplog.text
