"""Telephone sound is what ITU-T G.711 says, and WAV files are taken only as they must be."""

import io
import math
import random
import struct
import wave
from bisect import bisect_right

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardia.kernel.sound import (
    ALAW_OF_ULAW,
    FRAME,
    RATE,
    SILENT_FRAME,
    ULAW_OF_ALAW,
    VoiceMeter,
    samples_of_ulaw,
    ulaw_of_samples,
    ulaw_of_wav,
    voiced_s,
    wav_of,
    wav_stream,
)

EVERY_BYTE = bytes(range(256))
LEVELS = struct.unpack("<256h", samples_of_ulaw(EVERY_BYTE))


def bounds(first: list[int], steps: list[int]) -> list[int]:
    """Decision values: the first ones, then sixteen of each step."""
    found = first
    for step in steps:
        found = [*found, *(found[-1] + step * n for n in range(1, 17))]
    return found


ULAW_BOUNDS = bounds([0, *range(4, 125, 8)], [16 << n for n in range(7)])
"""4 times the decision values of G.711, tables 2a and 2b: 0, 1, 3, 5 … 31, 35 … 8159."""
ALAW_BOUNDS = bounds([*range(0, 513, 16)], [32 << n for n in range(6)])
"""16 times those of tables 1a and 1b, in halves: 0, 1, 2 … 32, 34 … 2048."""


def ulaw_by_the_standard(level: int) -> int:
    n = min(bisect_right(ULAW_BOUNDS, abs(level)) - 1, 127)
    return (0x7F if level < 0 else 0xFF) - n


def alaw_by_the_standard(level: int) -> int:
    n = min(bisect_right(ALAW_BOUNDS, abs(level)) - 1, 127)
    return (n | (0 if level < 0 else 0x80)) ^ 0x55


def packed(levels: list[int]) -> bytes:
    return struct.pack(f"<{len(levels)}h", *levels)


@pytest.mark.parametrize(
    ("code", "level"),
    # 4 times the values of G.711, table 2a/2b.
    [
        (0xFF, 0),
        (0x7F, 0),
        (0xFE, 8),
        (0x7E, -8),
        (0x80, 32124),
        (0x00, -32124),
        (0xEF, 132),
        (0xF0, 120),
        (0x8F, 16764),
    ],
)
def test_a_ulaw_byte_has_the_level_of_the_standard(code: int, level: int) -> None:
    assert LEVELS[code] == level


def test_every_ulaw_byte_survives_the_way_through_samples_but_minus_zero() -> None:
    back = ulaw_of_samples(samples_of_ulaw(EVERY_BYTE))
    assert {code: back[code] for code in range(256) if back[code] != code} == {0x7F: 0xFF}


def test_every_sample_falls_between_the_decision_values_of_its_byte_and_the_loudest_are_clipped() -> None:
    assert (ULAW_BOUNDS[-1], len(ULAW_BOUNDS)) == (4 * 8159, 129)
    every = range(-32768, 32768)
    assert list(ulaw_of_samples(packed(list(every)))) == [ulaw_by_the_standard(level) for level in every]


def test_alaw_is_made_of_a_ulaw_byte_by_its_level() -> None:
    assert (ALAW_BOUNDS[-1], len(ALAW_BOUNDS)) == (16 * 2048, 129)
    assert list(ALAW_OF_ULAW) == [alaw_by_the_standard(level) for level in LEVELS]


def test_ulaw_is_made_of_an_alaw_byte_by_the_middle_between_its_decision_values() -> None:
    for n in range(128):
        middle = (ALAW_BOUNDS[n] + ALAW_BOUNDS[n + 1]) // 2
        assert ULAW_OF_ALAW[(n | 0x80) ^ 0x55] == ulaw_by_the_standard(middle)
        assert ULAW_OF_ALAW[n ^ 0x55] == ulaw_by_the_standard(-middle)


def test_alaw_by_way_of_ulaw_loses_nothing_more_the_second_time() -> None:
    once = EVERY_BYTE.translate(ULAW_OF_ALAW).translate(ALAW_OF_ULAW)
    assert once.translate(ULAW_OF_ALAW).translate(ALAW_OF_ULAW) == once
    assert sum(one != two for one, two in zip(EVERY_BYTE, once, strict=True)) == 16


def test_ulaw_by_way_of_alaw_stays_within_an_eighth_of_its_level() -> None:
    back = struct.unpack("<256h", samples_of_ulaw(EVERY_BYTE.translate(ALAW_OF_ULAW).translate(ULAW_OF_ALAW)))
    assert all(abs(one - two) <= max(16, abs(one) // 8) for one, two in zip(LEVELS, back, strict=True))


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="middle of a sample"):
        ulaw_of_samples(b"\x00")


# ---- is somebody heard? ----


def tone(hertz: float, decibels: float, seconds: float = 1.0) -> bytes:
    top = 32767 * 10 ** (decibels / 20)
    return ulaw_of_samples(
        packed([round(top * math.sin(math.tau * hertz * n / RATE)) for n in range(int(seconds * RATE))])
    )


def noise(decibels: float, seconds: float = 1.0) -> bytes:
    top, chance = 32767 * 10 ** (decibels / 20), random.Random(5)
    return ulaw_of_samples(packed([round(chance.uniform(-top, top)) for _ in range(int(seconds * RATE))]))


def test_silence_comfort_noise_and_hum_are_no_voice() -> None:
    assert voiced_s(SILENT_FRAME * 50) == 0
    assert voiced_s(b"\x7f" * RATE) == 0
    assert voiced_s(noise(-52)) == 0
    assert voiced_s(tone(50, -26)) == 0


def test_a_voice_is_counted_in_frames() -> None:
    syllables = (tone(400, -25, 0.3) + SILENT_FRAME * 10) * 4
    assert voiced_s(syllables) == pytest.approx(1.2)
    assert voiced_s(tone(400, -25, 0.3)[:-1]) == pytest.approx(0.28)


def test_a_noise_that_is_always_there_is_no_voice_for_long_but_a_voice_over_it_is() -> None:
    meter, engine = VoiceMeter(), noise(-35)
    for _ in range(12):
        heard = meter.seconds(engine)
    assert heard == 0
    assert meter.seconds(tone(700, -10, 0.5)) == pytest.approx(0.5)


# ---- WAV ----


@settings(deadline=None)
@given(st.binary(max_size=500).map(lambda sound: sound.replace(b"\x7f", b"\xff")))
def test_a_wav_file_made_here_is_read_back_alike_and_by_others(sound: bytes) -> None:
    made = wav_of(sound)
    assert ulaw_of_wav(made) == sound
    with wave.open(io.BytesIO(made)) as read:
        assert (read.getnchannels(), read.getsampwidth(), read.getframerate(), read.getnframes()) == (
            1,
            2,
            RATE,
            len(sound),
        )
        assert read.readframes(len(sound)) == samples_of_ulaw(sound)


def test_a_streamed_file_is_the_same_and_may_be_of_unknown_length() -> None:
    pieces = [b"\x80" * FRAME, b"\x90" * 7]
    assert b"".join(wav_stream(iter(pieces), FRAME + 7)) == wav_of(b"".join(pieces))
    assert ulaw_of_wav(b"".join(wav_stream(pieces))) == b"".join(pieces)


def wav(form: int, channels: int, rate: int, bits: int, data: bytes, before: bytes = b"") -> bytes:
    head = struct.pack("<HHIIHH", form, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits)
    chunks = struct.pack("<4sI", b"fmt ", len(head)) + head + before + struct.pack("<4sI", b"data", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


def test_ulaw_and_alaw_files_are_taken_and_other_chunks_passed_over() -> None:
    note = struct.pack("<4sI", b"LIST", 3) + b"abc\x00"
    assert ulaw_of_wav(wav(7, 1, RATE, 8, EVERY_BYTE, note)) == EVERY_BYTE
    assert ulaw_of_wav(wav(6, 1, RATE, 8, EVERY_BYTE)) == ULAW_OF_ALAW


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (b"", "no WAV"),
        (b"ID3\x03" + bytes(100), "no WAV"),
        (wav(1, 2, RATE, 16, b"\x00" * 8), "one channel, not 2"),
        (wav(1, 1, 44_100, 16, b"\x00" * 8), "not 44100"),
        (wav(1, 1, RATE, 8, b"\x00" * 8), "16-bit"),
        (wav(3, 1, RATE, 32, b"\x00" * 8), "16-bit"),
        (wav(1, 1, RATE, 16, b"\x00" * 7), "middle of a sample"),
        (wav(1, 1, RATE, 16, b"\x00" * 8)[:-1], "cut short"),
        (wav(1, 1, RATE, 16, b"")[:36], "no sound"),
        (b"RIFF\x00\x00\x00\x00WAVEdata\x02\x00\x00\x00\x00\x00", "how it was recorded"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt \x02\x00\x00\x00\x00\x00", "how it was recorded"),
    ],
)
def test_any_other_file_is_refused_with_the_reason(file: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ulaw_of_wav(file)


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_whatever_stands_in_a_file_is_sound_or_a_refusal(content: bytes) -> None:
    try:
        sound = ulaw_of_wav(b"RIFF\x00\x00\x00\x00WAVE" + content)
    except ValueError:
        return
    assert len(sound) <= len(content)
