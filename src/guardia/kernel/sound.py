"""Telephone sound: 8,000 samples a second, one channel, µ-law (ITU-T G.711), and WAV files of it.

Rules:
- Sound is kept and handed on as µ-law bytes: one byte a sample, 160 bytes are a frame of 20 ms, 0xFF is silence.
- Every µ-law byte survives the way through 16-bit samples, except 0x7F: minus zero comes back as zero, 0xFF.
- A-law is made of µ-law, and µ-law of A-law, sample by sample, each as the nearest level of the other. That loses
  something: 256 levels become fewer, and there and back a sample may move to a neighbouring level. Twice there and back
  loses no more than once.
- Samples beyond 16 bits' loudest µ-law level (32,124) are clipped to it.
- A WAV file is taken only as it must be: 8,000 Hz, one channel, 16-bit samples, µ-law or A-law; else ValueError says
  what is wrong with it, in words for the person who recorded it.
"""

import struct
import sys
from array import array
from collections.abc import Iterable, Iterator
from functools import cache
from operator import itemgetter, sub

RATE = 8000
FRAME = 160
"""Bytes of 20 ms."""
SILENCE = 0xFF
SILENT_FRAME = bytes([SILENCE]) * FRAME
FRAME_S = FRAME / RATE

_ULAW_BIAS, _ULAW_LOUDEST = 0x84, 0x7FFF - 0x84
_ALAW_EVEN_BITS = 0x55
_PCM, _ALAW, _ULAW = 1, 6, 7
_BITS = {_PCM: 16, _ALAW: 8, _ULAW: 8}
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_UNKNOWN_SIZE = 0xFFFFFFFF


# ---- G.711 ----


def _level_of_ulaw(code: int) -> int:
    """The 16-bit level of a µ-law byte (G.711, table 2): sign, three bits of segment, four within it, all inverted."""
    bits = ~code & 0xFF
    size = ((((bits & 0x0F) << 3) + _ULAW_BIAS) << (bits >> 4 & 7)) - _ULAW_BIAS
    return -size if bits & 0x80 else size


def _ulaw_of_level(level: int) -> int:
    biased = min(abs(level), _ULAW_LOUDEST) + _ULAW_BIAS
    segment = biased.bit_length() - 8
    return ~((0x80 if level < 0 else 0) | segment << 4 | (biased >> segment + 3 & 0x0F)) & 0xFF


def _level_of_alaw(code: int) -> int:
    """The 16-bit level of an A-law byte (G.711, table 1): as µ-law, but every other bit is inverted, and 1 is plus."""
    bits = code ^ _ALAW_EVEN_BITS
    segment, within = bits >> 4 & 7, (bits & 0x0F) << 4
    size = (within + 0x108) << (segment - 1) if segment else within + 8
    return size if bits & 0x80 else -size


def _alaw_of_level(level: int) -> int:
    size = min(abs(level), 0x7FFF) >> 4
    segment = max(size.bit_length() - 4, 0)
    return ((0x80 if level >= 0 else 0) | segment << 4 | (size >> max(segment - 1, 0) & 0x0F)) ^ _ALAW_EVEN_BITS


_LEVELS = tuple(_level_of_ulaw(code) for code in range(256))
_SAMPLES = tuple(struct.pack("<h", level) for level in _LEVELS)
ALAW_OF_ULAW = bytes(_alaw_of_level(level) for level in _LEVELS)
"""For `bytes.translate`."""
ULAW_OF_ALAW = bytes(_ulaw_of_level(_level_of_alaw(code)) for code in range(256))
"""For `bytes.translate`."""
QUIET = bytes(code for code in range(256) if abs(_LEVELS[code]) <= 64)  # noqa: PLR2004  -54 dB
"""Bytes so soft that nobody misses a piece of them."""


@cache
def _codes() -> bytes:
    """The µ-law byte of every 16-bit level; a negative level finds its own from the end."""
    return bytes(map(_ulaw_of_level, [*range(0x8000), *range(-0x8000, 0)]))


def samples_of_ulaw(ulaw: bytes) -> bytes:
    """Return the 16-bit samples (little-endian) of µ-law sound."""
    return b"".join(map(_SAMPLES.__getitem__, ulaw))


def ulaw_of_samples(samples: bytes) -> bytes:
    """Return the µ-law of 16-bit samples (little-endian). Raises ValueError for half a sample."""
    if len(samples) % 2:
        raise ValueError("the sound ends in the middle of a sample")
    levels = array("h", samples)
    if sys.byteorder == "big":
        levels.byteswap()
    return bytes(map(_codes().__getitem__, levels))


# ---- is somebody heard? ----

_QUIETEST_VOICE = 100.0
"""The least mean step between samples that may be a voice, in 16-bit levels: a tone of 1 kHz at -45 dB, or white noise
at -50 dB. Comfort noise lies under it; hum of 50 Hz does up to -25 dB, since it rises slowly from sample to sample.
"""
_SIZES = bytes(min(abs(level) >> 3, 255) for level in _LEVELS)
"""For a first, quick look: eighths of a level's size, the loudest cut off."""
_OVER_NOISE = 3.0
_NOISE_GROWTH = 1.01
"""How fast a steady noise is taken for what it is: twice as loud in 1.4 s. Between words it falls back at once."""


class VoiceMeter:
    """Tells voices from silence, comfort noise, hum and whatever is always there (an engine, a dial tone after some
    seconds). It remembers how loud the line itself is, so keep one for each stream.
    """

    def __init__(self) -> None:
        self._noise = _QUIETEST_VOICE / _OVER_NOISE

    def seconds(self, ulaw: bytes) -> float:
        """How long somebody is heard in it; a frame is all voice or none, and a last part of a frame is left out."""
        frames = range(0, len(ulaw) - FRAME + 1, FRAME)
        return sum(self._is_voice(ulaw[start : start + FRAME]) for start in frames) * FRAME_S

    def _is_voice(self, frame: bytes) -> bool:
        if frame == SILENT_FRAME:
            return False  # made by ourselves where nothing came: it says nothing about the line's noise
        size = 8 * sum(frame.translate(_SIZES)) / FRAME
        if 2 * size < _QUIETEST_VOICE:  # no step is longer than from a level to its opposite
            self._noise = min(max(size, 1.0), self._noise * _NOISE_GROWTH)
            return False
        # Steps within pairs are enough, and half the work of all steps.
        steps = map(sub, itemgetter(*frame[::2])(_LEVELS), itemgetter(*frame[1::2])(_LEVELS))
        loud: float = sum(map(abs, steps)) / (FRAME // 2)
        self._noise = min(max(loud, 1.0), self._noise * _NOISE_GROWTH)
        return loud > max(_QUIETEST_VOICE, _OVER_NOISE * self._noise)


def voiced_s(ulaw: bytes) -> float:
    """How many seconds of a sound have a voice in them."""
    return VoiceMeter().seconds(ulaw)


# ---- WAV ----


def wav_of(ulaw: bytes) -> bytes:
    """Return a WAV file of 16-bit samples."""
    return b"".join(wav_stream([ulaw], len(ulaw)))


def wav_stream(pieces: Iterable[bytes], length: int | None = None) -> Iterator[bytes]:
    """Yield a WAV file of 16-bit samples, piece by piece. `length` is how many samples will come; without it the header
    says "unknown", as programs do that write into a pipe.
    """
    size = None if length is None else 2 * length
    yield _HEADER.pack(
        *(b"RIFF", _UNKNOWN_SIZE if size is None else size + _HEADER.size - 8, b"WAVE"),
        *(b"fmt ", 16, _PCM, 1, RATE, 2 * RATE, 2, 16),
        *(b"data", _UNKNOWN_SIZE if size is None else size),
    )
    for piece in pieces:
        yield samples_of_ulaw(piece)


def ulaw_of_wav(wav: bytes) -> bytes:
    """Return the µ-law of a WAV file. Raises ValueError, saying what the file should have been."""
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise ValueError("this is no WAV file")
    form: int | None = None
    for name, content in _chunks(wav):
        if name == b"fmt ":
            form = _form(content)
        elif name == b"data":
            return _ulaw_of_data(form, content)
    raise ValueError("the WAV file holds no sound")


def _chunks(wav: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(wav):
        name, size = struct.unpack_from("<4sI", wav, at)
        if size == _UNKNOWN_SIZE and name == b"data":
            size = len(wav) - at - 8  # written into a pipe: it goes on to the end
        if at + 8 + size > len(wav):
            raise ValueError("the WAV file is cut short")
        yield name, wav[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _form(content: bytes) -> int:
    if len(content) < 16:  # noqa: PLR2004  the bytes of a plain format chunk
        raise ValueError("the WAV file does not say how it was recorded")
    form, channels, rate, _bytes, _align, bits = struct.unpack_from("<HHIIHH", content)
    if _BITS.get(form) != bits:
        raise ValueError("the WAV file must hold 16-bit samples, µ-law or A-law")
    if channels != 1:
        raise ValueError(f"the WAV file must have one channel, not {channels}")
    if rate != RATE:
        raise ValueError(f"the WAV file must have {RATE} samples a second, not {rate}")
    return int(form)


def _ulaw_of_data(form: int | None, content: bytes) -> bytes:
    if form is None:
        raise ValueError("the WAV file does not say how it was recorded")
    if form == _PCM:
        return ulaw_of_samples(content)
    return content.translate(ULAW_OF_ALAW) if form == _ALAW else content
