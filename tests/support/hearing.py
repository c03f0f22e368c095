"""Recognise what was said: audio that was heard against audio that was meant, whatever the way did to it.

All audio is µ-law at 8,000 Hz, as on the line. Compared is the normalised cross-correlation of the samples: loudness
does not matter, nor a few samples more or less, nor a way over A-law; another sentence does not come near.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE = 8000
SAMPLES_PER_MS = 8

_ALIKE = 0.8

Samples = NDArray[np.float64]


def samples_of(ulaw: bytes) -> Samples:
    """Return µ-law as numbers from -1 to 1 (ITU-T G.711)."""
    code = ~np.frombuffer(ulaw, dtype=np.uint8)
    magnitude = ((((code & 0x0F).astype(np.int32) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return np.asarray(np.where(code & 0x80, -magnitude, magnitude) / 32768.0, dtype=np.float64)


def ulaw_of(samples: Samples) -> bytes:
    """Return numbers from -1 to 1 as µ-law."""
    linear = np.rint(np.clip(samples, -1.0, 1.0) * 32767).astype(np.int32)
    magnitude = np.minimum(np.abs(linear), 32635) + 0x84
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    code = np.where(linear < 0, 0x80, 0) | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0F)
    return bytes((~code & 0xFF).astype(np.uint8).tobytes())


def through_alaw(ulaw: bytes) -> bytes:
    """Return audio as it is after a way over A-law (ITU-T G.711), which loses a little."""
    linear = np.rint(samples_of(ulaw) * 32768).astype(np.int32)
    magnitude = np.abs(linear) >> 3
    step = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4, 1)
    kept = ((magnitude >> step) << step) + (1 << (step - 1))
    return ulaw_of(np.where(linear < 0, -1, 1) * (kept << 3) / 32768.0)


def heard(recording: bytes, prompt: bytes, from_s: float = 0.0) -> float | None:
    """Return at which second of a recording a prompt begins, searched from a second on; None where it is not in it."""
    found = best_match(recording, prompt, from_s)
    return found[0] if found[1] >= _ALIKE else None


def best_match(recording: bytes, prompt: bytes, from_s: float = 0.0) -> tuple[float, float]:
    """Return where a prompt fits best, in seconds, and how well, 1 being the same."""
    start = int(from_s * RATE)
    wanted = _without_ends(samples_of(prompt))
    lead = wanted[0]
    alike = _correlation(samples_of(recording)[start:], wanted[1])
    if not alike.size:
        return 0.0, 0.0
    at = int(np.argmax(alike))
    return (start + at - lead) / RATE, float(alike[at])


def heard_in_order(recording: bytes, prompts: dict[str, bytes]) -> list[str]:
    """Return the names of the prompts that are in a recording, in the order in which they begin."""
    found = {name: heard(recording, audio) for name, audio in prompts.items()}
    return sorted((name for name, at in found.items() if at is not None), key=lambda name: found[name] or 0.0)


@dataclass(frozen=True)
class Likeness:
    """How far `b` is `a`, once it is laid over it: `delay_ms` after it, `correlation` 1 being the same shape,
    `identical` the share of samples that are the very same bytes.
    """

    delay_ms: float
    correlation: float
    identical: float


def same_audio(a: bytes, b: bytes, longest_delay_s: float = 5.0) -> Likeness:
    """Compare what was said on one leg (`a`) with what was heard on the other (`b`)."""
    said, got = samples_of(a), samples_of(b)
    size = 1 << int(np.ceil(np.log2(said.size + got.size + 1)))
    together = np.fft.irfft(np.fft.rfft(got, size) * np.conj(np.fft.rfft(said, size)), size)
    longest = min(int(longest_delay_s * RATE), size // 2 - 1)
    delays = np.concatenate([np.arange(longest), np.arange(-longest, 0)])
    delay = int(delays[np.argmax(together[delays])])
    first, second = a[max(-delay, 0) :], b[max(delay, 0) :]
    both = min(len(first), len(second))
    if not both:
        return Likeness(0.0, 0.0, 0.0)
    x, y = samples_of(first[:both]), samples_of(second[:both])
    alike = float(np.dot(x, y) / max(np.sqrt(np.dot(x, x) * np.dot(y, y)), 1e-9))
    pairs = np.frombuffer(first[:both], dtype=np.uint8) == np.frombuffer(second[:both], dtype=np.uint8)
    return Likeness(delay / SAMPLES_PER_MS, alike, float(np.mean(pairs)))


def voiced_s(audio: bytes) -> float:
    """Return for how many seconds somebody is heard, counted in frames of 20 ms."""
    frames = np.abs(samples_of(audio[: len(audio) // 160 * 160])).reshape(-1, 160).mean(axis=1)
    return float(np.count_nonzero(frames > 0.004) * 0.02)


# ---- made-up audio ----


def silence(seconds: float) -> bytes:
    """Return silence."""
    return b"\xff" * int(seconds * RATE)


def tone(hertz: float, seconds: float, loudness: float = 0.4) -> bytes:
    """Return a tone; it looks like itself at every period, so that a delay cannot be read from it."""
    return ulaw_of(loudness * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE))


def sweep(seconds: float, low: float = 300.0, high: float = 3000.0, loudness: float = 0.4) -> bytes:
    """Return a tone that rises, which looks like itself at no other place."""
    at = np.arange(int(seconds * RATE)) / RATE
    return ulaw_of(loudness * np.sin(2 * np.pi * (low * at + (high - low) * at * at / (2 * seconds))))


def babble(seed: int, seconds: float, loudness: float = 0.3) -> bytes:
    """Return noise in syllables, the same for the same seed, and like no other seed's."""
    random = np.random.default_rng(seed)
    at = np.arange(int(seconds * RATE))
    noise = np.convolve(random.standard_normal(at.size), np.ones(4) / 2, mode="same")
    return ulaw_of(loudness * noise * np.abs(np.sin(2 * np.pi * 3.1 * at / RATE)) / 2)


def _without_ends(samples: Samples) -> tuple[int, Samples]:
    """Return how many silent samples lead, and what is left without the silence at both ends."""
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    return (0, samples) if not loud.size else (int(loud[0]), samples[loud[0] : loud[-1] + 1])


def _correlation(recording: Samples, wanted: Samples) -> Samples:
    """Return how alike `wanted` is at every place of a recording, from -1 to 1."""
    if recording.size < wanted.size or not wanted.size:
        return np.zeros(0)
    size = 1 << int(np.ceil(np.log2(recording.size + wanted.size)))
    product = np.fft.irfft(np.fft.rfft(recording, size) * np.conj(np.fft.rfft(wanted, size)), size)
    places = recording.size - wanted.size + 1
    powers = np.concatenate([[0.0], np.cumsum(recording * recording)])
    power = powers[wanted.size :] - powers[:places]
    floor = 1e-6 * wanted.size
    scale = np.sqrt(np.maximum(power, floor) * max(float(np.dot(wanted, wanted)), floor))
    return np.asarray(product[:places] / scale, dtype=np.float64)
