"""What is said as sound: prompts made by `espeak-ng` once and kept, the operator's own recordings, tones, and names.

Rules:
- A prompt is made anew when its text, voice or the making has changed: its file is named after a digest of them. Files
  appear whole or not at all, so that several processes may prepare the same folder.
- An operator's own recording, `<language>/<key>.wav` (one channel, 16-bit samples, 8,000 Hz or more), wins. One that
  cannot be read is told by its name, and the made one is said.
- Sound is brought to the telephone's band (200 to 3,400 Hz), to one level, and begins and ends softly.
- Words that no prompt holds (a company's name) are data: they reach `espeak-ng` on its standard input, never as an
  option, a phoneme or a mark-up, shortened and without control characters. Where it fails they are left out, and not
  tried again for a minute.
- `prepare` brings every prompt, and the city of every time zone, into memory. Where nothing may be waited for
  (`unwaiting.py`), what is there is said and the rest left out: no file is read and no program run.
- Nobody is recorded unannounced: a voice whose notice of recording, or the tone after it, has no sound is refused.
"""

import io
import logging
import math
import os
import subprocess
import tempfile
import wave
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from guardia.doors.voice import spoken
from guardia.doors.voice.prompts import CATALOGUE, TONES
from guardia.doors.voice.script import LANGUAGES, Digits, Language, Number, Pause, Piece, Prompt, Text
from guardia.doors.voice.unwaiting import may_wait
from guardia.kernel.plain_text import one_line
from guardia.kernel.sound import RATE, SILENCE, samples_of_ulaw, ulaw_of_samples

_log = logging.getLogger("guardia.line")
Samples = npt.NDArray[np.float64]

PROGRAM: Final = "espeak-ng"
VOICES: Final[Mapping[Language, str]] = {"es": "es", "en": "en-gb"}
WORDS_A_MINUTE: Final = 165
TIME_LIMIT_S: Final = 5.0
MOST_TEXT: Final = 200
KEPT_TEXTS: Final = 256
NOT_AGAIN_S: Final = 60.0
"""How long words that could not be said are not tried again."""
MOST_FAILED_PLACES: Final = 3
NEVER_MUTE: Final = ("record.notice", "tone.record")
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
        self._places: dict[tuple[str, Language], bytes] = {}
        self._texts: OrderedDict[tuple[str, Language], bytes | float] = OrderedDict()
        """The sound, or until when it is not tried again; threads make them, `_lock` guards them."""
        self._lock = Lock()

    def prepare(self) -> int:
        """Have all at hand; return how many prompts had to be made. Raises SpeechUnavailable, OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        sounds: dict[tuple[str, Language], bytes] = {}
        wanted: list[tuple[str, Language]] = []
        for key, language in ((key, language) for key in (*CATALOGUE, *TONES) for language in LANGUAGES):
            sound = self._there(key, language)
            if sound:
                sounds[key, language] = sound
            else:
                wanted.append((key, language))
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            sounds.update(zip(wanted, pool.map(lambda one: self._keep(*one), wanted), strict=True))
            self._prepare_places(pool)
        for key, language in ((key, language) for key in NEVER_MUTE for language in LANGUAGES):
            if not _is_heard(sounds.get((key, language), b"")):
                where = self._own if key in TONES else self._folder
                raise SpeechUnavailable(
                    f"{language}/{key} in {where} has no sound, and nobody is recorded without it: remove the file"
                )
        self._sounds = sounds
        return len(wanted)

    def _prepare_places(self, pool: ThreadPoolExecutor) -> None:
        """Have the cities at hand; a synthesiser that fails is not asked for all of them."""
        failures: list[Exception] = []

        def make(one: tuple[str, Language]) -> None:
            text, language = one
            try:
                sound = self._kept_text("place", text, language)
                if not sound and len(failures) < MOST_FAILED_PLACES:
                    sound = self._keep_text("place", text, language)
            except (SpeechUnavailable, OSError) as error:
                failures.append(error)
                return
            if sound:
                self._places[one] = sound

        list(pool.map(make, [(text, language) for text in spoken.places() for language in LANGUAGES]))
        if failures:
            self._complain(f"some cities' names cannot be said: {failures[0]}")

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
        sound = self._sounds.get((key, language))
        if sound is None and may_wait():
            sound = self._sounds[key, language] = self._find(key, language)
        if sound is None:
            self._complain(f"the prompt {language}/{key} is not at hand")
        return sound or b""

    def _find(self, key: str, language: Language) -> bytes:
        if key not in CATALOGUE and key not in TONES:
            self._complain(f"no prompt is called {key}")
            return b""
        try:
            return self._there(key, language) or self._keep(key, language)
        except (SpeechUnavailable, OSError) as error:
            self._complain(f"the prompt {language}/{key} cannot be said: {error}")
            return b""

    def _of_words(self, text: str, language: Language) -> bytes:
        words = one_line(text).translate(_MARKUP)[:MOST_TEXT].strip()
        if not words:
            return b""
        sound = self._places.get((words, language)) or self._remembered(words, language)
        if isinstance(sound, bytes):
            return sound
        if not may_wait():
            self._complain("a name that nobody had made ahead is left out")
            return b""
        if sound is not None and monotonic() < sound:
            return b""
        try:
            made: bytes | float = _make(words, language)
        except SpeechUnavailable as error:
            self._complain(f"names cannot be said: {error}")
            made = monotonic() + NOT_AGAIN_S
        with self._lock:
            self._texts[words, language] = made
            while len(self._texts) > KEPT_TEXTS:
                self._texts.popitem(last=False)
        return made if isinstance(made, bytes) else b""

    def _remembered(self, words: str, language: Language) -> bytes | float | None:
        with self._lock:
            found = self._texts.get((words, language))
            if found is not None:
                self._texts.move_to_end((words, language))
            return found

    # -- files --

    def _there(self, key: str, language: Language) -> bytes:
        """Return the operator's own recording, a tone, or what was made before; nothing where none is there."""
        own = self._own_sound(key, language)
        if own is not None:
            return own
        return _tone(TONES[key]) if key in TONES else self._kept(key, language)

    def _kept(self, key: str, language: Language) -> bytes:
        return self._kept_text(key, CATALOGUE[key][language], language)

    def _keep(self, key: str, language: Language) -> bytes:
        return self._keep_text(key, CATALOGUE[key][language], language)

    def _path(self, key: str, text: str, language: Language) -> Path:
        made_of = "\0".join((_MAKING, language, VOICES[language], str(WORDS_A_MINUTE), text))
        return self._folder / f"{language}-{key}-{sha256(made_of.encode()).hexdigest()[:16]}.ulaw"

    def _kept_text(self, key: str, text: str, language: Language) -> bytes:
        try:
            return self._path(key, text, language).read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            self._complain(f"a kept prompt cannot be read and is made anew: {error}")
            return b""

    def _keep_text(self, key: str, text: str, language: Language) -> bytes:
        sound = _make(text, language)
        path = self._path(key, text, language)
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


def _is_heard(ulaw: bytes) -> bool:
    levels = np.frombuffer(samples_of_ulaw(ulaw), dtype="<i2")
    return bool((np.abs(levels.astype(np.float64)) > _AUDIBLE * 0x7FFF).any())


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
