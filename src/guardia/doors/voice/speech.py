"""What is said as sound: prompts made by `espeak-ng` once and kept, the operator's own recordings, tones, and names.

Rules:
- A prompt is made anew when its text, voice or the making has changed: its file is named after a digest of them. Files
  appear whole or not at all, so that several processes may prepare the same folder.
- An operator's own recording, `<language>/<key>.wav` (one channel, 16-bit samples, 8,000 Hz or more), wins. One that
  cannot be read is told by its name, and the made one is said.
- Sound is brought to the telephone's band (200 to 3,400 Hz), to one level, and begins and ends softly.
- Words that no prompt holds (a company's name) are data: they reach `espeak-ng` on its standard input, never as an
  option, a phoneme or a mark-up, shortened and without control characters. Where it fails they are left out.
"""

import io
import logging
import math
import os
import subprocess
import tempfile
import wave
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from guardia.doors.voice import spoken
from guardia.doors.voice.prompts import CATALOGUE, TONES
from guardia.doors.voice.script import LANGUAGES, Digits, Language, Number, Pause, Piece, Prompt, Text
from guardia.kernel.plain_text import one_line
from guardia.kernel.sound import RATE, SILENCE, ulaw_of_samples

_log = logging.getLogger("guardia.line")
Samples = npt.NDArray[np.float64]

PROGRAM: Final = "espeak-ng"
VOICES: Final[Mapping[Language, str]] = {"es": "es", "en": "en-gb"}
WORDS_A_MINUTE: Final = 165
TIME_LIMIT_S: Final = 5.0
MOST_TEXT: Final = 200
KEPT_TEXTS: Final = 256
_MAKING: Final = "1"
"""Goes up with every change of how sound is made, so that kept prompts are made anew."""

_LOW_HZ, _HIGH_HZ, _EDGE_HZ = 200.0, 3400.0, 100.0
_LOUD, _PEAK = 0.12, 0.8
_SOFT_S, _MARGIN_S, _AUDIBLE = 0.005, 0.03, 0.01
_GAP_MS, _DIGIT_MS, _GROUP_MS = 180, 90, 350
_MARKUP = str.maketrans(dict.fromkeys("[]<>&|", " "))


class SpeechUnavailable(Exception):
    """Prompts cannot be made."""


class Voice:
    """Says pieces. `folder` holds the prompts that were made, `own` the operator's recordings."""

    def __init__(self, folder: Path, own: Path | None = None) -> None:
        self._folder, self._own = folder, own
        self._sounds: dict[tuple[str, Language], bytes] = {}
        self._complained: set[str] = set()
        self._of_text = lru_cache(maxsize=KEPT_TEXTS)(_make)

    def prepare(self) -> int:
        """Make the prompts that are missing, and return how many. Raises SpeechUnavailable, OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        wanted = [
            (key, language)
            for key in CATALOGUE
            for language in LANGUAGES
            if self._own_sound(key, language) is None and not self._kept(key, language)
        ]
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            for _ in pool.map(lambda one: self._keep(*one), wanted):
                pass  # raises what the making raised
        self._sounds.clear()
        return len(wanted)

    def missing(self) -> list[str]:
        """Return the prompts that would not be heard, as `language/key`."""
        return [
            f"{language}/{key}"
            for language in LANGUAGES
            for key in CATALOGUE
            if not self._kept(key, language) and self._own_sound(key, language) is None
        ]

    def render(self, pieces: Sequence[Piece], language: Language) -> bytes:
        """Return pieces as µ-law; what cannot be said is left out and logged, the rest is said."""
        return b"".join(sound for piece in pieces for sound in self._of_piece(piece, language))

    def _of_piece(self, piece: Piece, language: Language) -> Iterator[bytes]:
        match piece:
            case Prompt(key=key):
                yield self._of_prompt(key, language)
            case Digits(text=text, group=group):
                yield from self._of_digits(text, group, language)
            case Number(value=value):
                yield from (self._of_prompt(key, language) for key in spoken.number(value, language))
            case Text(text=text):
                yield self._of_words(text, language)
            case Pause(ms=ms):
                yield silence(ms)
                return
        yield silence(_GAP_MS)

    def _of_digits(self, text: str, group: int, language: Language) -> Iterator[bytes]:
        for place, digit in enumerate([char for char in text if char in "0123456789"]):
            if place:
                yield silence(_DIGIT_MS if place % group else _GROUP_MS)
            yield self._of_prompt(f"digit.{digit}", language)

    def _of_prompt(self, key: str, language: Language) -> bytes:
        if (key, language) not in self._sounds:
            self._sounds[key, language] = self._find(key, language)
        return self._sounds[key, language]

    def _find(self, key: str, language: Language) -> bytes:
        own = self._own_sound(key, language)
        if own is not None:
            return own
        if key in TONES:
            return _tone(TONES[key])
        if key not in CATALOGUE:
            self._complain(f"no prompt is called {key}")
            return b""
        try:
            return self._kept(key, language) or self._keep(key, language)
        except (SpeechUnavailable, OSError) as error:
            self._complain(f"the prompt {language}/{key} cannot be said: {error}")
            return b""

    def _of_words(self, text: str, language: Language) -> bytes:
        words = one_line(text).translate(_MARKUP)[:MOST_TEXT].strip()
        if not words:
            return b""
        try:
            return self._of_text(words, language)
        except SpeechUnavailable as error:
            self._complain(f"names cannot be said: {error}")
            return b""

    # -- files --

    def _path(self, key: str, language: Language) -> Path:
        made_of = "\0".join((_MAKING, language, VOICES[language], str(WORDS_A_MINUTE), CATALOGUE[key][language]))
        return self._folder / f"{language}-{key}-{sha256(made_of.encode()).hexdigest()[:16]}.ulaw"

    def _kept(self, key: str, language: Language) -> bytes:
        try:
            return self._path(key, language).read_bytes()
        except FileNotFoundError:
            return b""

    def _keep(self, key: str, language: Language) -> bytes:
        sound = _make(CATALOGUE[key][language], language)
        path = self._path(key, language)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            file.write(sound)
        Path(file.name).replace(path)
        return sound

    def _own_sound(self, key: str, language: Language) -> bytes | None:
        if self._own is None:
            return None
        path = self._own / language / f"{key}.wav"
        try:
            return _telephone(*_samples_of(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            self._complain(f"the recording {path} cannot be used: {error}")
            return None

    def _complain(self, what: str) -> None:
        if what not in self._complained:
            self._complained.add(what)
            _log.error("%s", what)


def silence(ms: int) -> bytes:
    """Return so much silence."""
    return bytes([SILENCE]) * (RATE * ms // 1000)


def _make(text: str, language: Language) -> bytes:
    """Return text as the synthesiser says it. Raises SpeechUnavailable."""
    command = [PROGRAM, "-v", VOICES[language], "-s", str(WORDS_A_MINUTE), "-b", "1", "--stdin", "--stdout"]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=TIME_LIMIT_S, check=True)
        return _telephone(*_samples_of(done.stdout))
    except FileNotFoundError:
        raise SpeechUnavailable(f"{PROGRAM} is not installed; it is in the Debian package espeak-ng") from None
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise SpeechUnavailable(f"{PROGRAM} failed: {type(error).__name__}") from error


def _samples_of(wav: bytes) -> tuple[Samples, int]:
    """Return the samples of a WAV file, of size 1 at most, and how many make a second. Raises ValueError."""
    try:
        with wave.open(io.BytesIO(wav)) as file:
            form = file.getnchannels(), file.getsampwidth()
            rate, content = file.getframerate(), file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"no WAV file of 16-bit samples ({error or 'it is cut short'})") from error
    if form != (1, 2) or not RATE <= rate <= 24 * RATE:
        raise ValueError(f"one channel, 16-bit samples and 8,000 Hz or more are wanted, not {form} and {rate} Hz")
    samples = np.frombuffer(content[: len(content) // 2 * 2], dtype="<i2").astype(np.float64) / 0x8000
    if not samples.size or not np.abs(samples).max():
        raise ValueError("there is no sound in it")
    return samples, rate


def _telephone(samples: Samples, rate: int) -> bytes:
    """Return sound in the telephone's band, at its rate and at one level, without silence around it."""
    sound = _in_band(samples, rate)
    loud = np.flatnonzero(np.abs(sound) > _AUDIBLE * np.abs(sound).max())
    margin = int(_MARGIN_S * RATE)
    sound = sound[max(loud[0] - margin, 0) : loud[-1] + margin] if loud.size else sound
    peak, size = float(np.abs(sound).max()), float(np.sqrt(np.mean(sound**2)))
    sound = sound * (min(_LOUD / size, _PEAK / peak) if peak else 0.0)
    return _ulaw(_soft(sound))


def _in_band(samples: Samples, rate: int) -> Samples:
    """Return sound at 8,000 Hz: its spectrum is cut to the band with soft edges and read back at the other rate.

    Silence is added so that both lengths are whole and the end does not sound into the beginning.
    """
    whole = rate // math.gcd(rate, RATE)
    length = -(-(samples.size + rate // 10) // whole) * whole
    out = length * RATE // rate
    spectrum: npt.NDArray[Any] = np.fft.rfft(samples, length)[: out // 2 + 1]
    hertz = np.arange(spectrum.size) * rate / length
    rising = np.clip((hertz - _LOW_HZ + _EDGE_HZ) / _EDGE_HZ, 0, 1)
    falling = np.clip((_HIGH_HZ + _EDGE_HZ - hertz) / _EDGE_HZ, 0, 1)
    return np.asarray(np.fft.irfft(spectrum * rising * falling, out) * out / length, dtype=np.float64)


def _soft(sound: Samples) -> Samples:
    """Return sound that begins and ends without a click."""
    edge = min(int(_SOFT_S * RATE), sound.size // 2)
    slope = np.ones(sound.size)
    if edge:
        slope[:edge] = np.linspace(0, 1, edge)
        slope[-edge:] = np.linspace(1, 0, edge)
    return np.asarray(sound * slope, dtype=np.float64)


def _ulaw(sound: Samples) -> bytes:
    return ulaw_of_samples(np.round(np.clip(sound, -1, 1) * 0x7FFF).astype("<i2").tobytes())


def _tone(parts: Sequence[tuple[int, int]]) -> bytes:
    return b"".join(_beep(hertz, ms) for hertz, ms in parts)


def _beep(hertz: int, ms: int) -> bytes:
    times = np.arange(RATE * ms // 1000) / RATE
    return _ulaw(_soft(0.25 * np.sin(2 * np.pi * hertz * times))) if hertz else silence(ms)
