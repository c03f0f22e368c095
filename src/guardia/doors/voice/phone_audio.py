"""What a test phone says and hears: RTP with G.711 (RFC 3551) and keys as telephone events (RFC 4733).

Inside, all audio is µ-law at 8,000 Hz; 160 bytes are 20 ms. The phone talks all the time, silence too, as phones do.
What is heard is laid down at its own time stamps, so that packets that were lost, late or out of order leave a
recording as long as the call.
"""

import secrets
import struct
from collections import deque
from pathlib import Path

from guardia.doors.voice.phone_messages import FarMedia
from guardia.kernel.sound import (
    ALAW_OF_ULAW,
    FRAME,
    RATE,
    SILENCE,
    ULAW_OF_ALAW,
    samples_of_ulaw,
    ulaw_of_wav,
    wav_of,
)

PCMU, PCMA = 0, 8

_VERSION = 2

_KEYS = "0123456789*#"
_PRESSED_FRAMES = 5
_END_PACKETS = 3
_GAP_FRAMES = 5
_LONGEST_LEAP = RATE * 30
_SILENCE = bytes([SILENCE])
_LOUD_AT = 400
_LOUD_SAMPLES = 8
_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")
_LOUD = bytes(int(abs(sample) > _LOUD_AT) for (sample,) in struct.iter_unpack("<h", samples_of_ulaw(bytes(range(256)))))


class Mouth:
    """What the phone sends: one packet every 20 ms, a key's event in place of audio while it is pressed."""

    def __init__(self, talk: bytes = b"") -> None:
        """Say `talk` over and over wherever nothing else is said."""
        self._talk, self._talked = talk, 0
        self._said: deque[bytes] = deque()
        self._keys: deque[str] = deque()
        self._frames_of_key = 0
        self._key_stamp = 0
        self._sequence = secrets.randbelow(1 << 16)
        self._stamp = secrets.randbelow(1 << 31)
        self._source = secrets.randbelow(1 << 32)
        self._is_first = True

    def press(self, key: str) -> None:
        """Press a key after those that wait."""
        self._keys.append(key)

    def say(self, audio: bytes) -> None:
        """Say µ-law audio, in place of what is said otherwise."""
        self._said.extend(audio[start : start + FRAME] for start in range(0, len(audio), FRAME))

    @property
    def is_idle(self) -> bool:
        """Whether every key was pressed and everything was said."""
        return not self._keys and not self._said

    def packet(self, media: FarMedia) -> bytes:
        """Return the packet of the next 20 ms."""
        if self._keys and media.digits is None:
            self._keys.clear()
        sent = self._key_packet(media.digits) if self._keys and media.digits is not None else None
        if sent is None:
            audio = self._next_audio().ljust(FRAME, _SILENCE)
            payload = audio.translate(ALAW_OF_ULAW) if media.codec == PCMA else audio
            sent = self._rtp(media.codec, self._stamp, payload, is_marked=self._is_first)
        self._is_first = False
        self._stamp = (self._stamp + FRAME) & 0xFFFFFFFF
        return sent

    def _next_audio(self) -> bytes:
        if self._said:
            return self._said.popleft()
        frame = self._talk[self._talked : self._talked + FRAME]
        self._talked = (self._talked + FRAME) if self._talked + FRAME < len(self._talk) else 0
        return frame

    def _key_packet(self, payload_type: int) -> bytes | None:
        """Return an event's packet; None in the pause after a key, where audio is sent."""
        frame, self._frames_of_key = self._frames_of_key, self._frames_of_key + 1
        if frame == 0:
            self._key_stamp = self._stamp
        if frame < _PRESSED_FRAMES + _END_PACKETS:
            is_end = frame >= _PRESSED_FRAMES
            duration = FRAME * min(frame + 1, _PRESSED_FRAMES)
            event = _EVENT.pack(_KEYS.index(self._keys[0]), 0x80 * is_end | 10, duration)
            return self._rtp(payload_type, self._key_stamp, event, is_marked=frame == 0)
        if frame == _PRESSED_FRAMES + _END_PACKETS + _GAP_FRAMES - 1:
            self._keys.popleft()
            self._frames_of_key = 0
        return None

    def _rtp(self, payload_type: int, stamp: int, payload: bytes, *, is_marked: bool) -> bytes:
        self._sequence = (self._sequence + 1) & 0xFFFF
        return _HEADER.pack(0x80, 0x80 * is_marked | payload_type, self._sequence, stamp, self._source) + payload


class Ear:
    """What the phone heard: a recording, the keys that came as events, and when a voice was last in it."""

    def __init__(self) -> None:
        self.recording = bytearray()
        self.keys = ""
        self.packets = 0
        self.voice_at = 0.0
        self._source: int | None = None
        self._start = 0
        self._last_event: tuple[int, int] | None = None

    def hear(self, packet: bytes, digits: int, now: float) -> None:
        """Take one RTP packet; what is none, or of another payload, is left out."""
        if len(packet) <= _HEADER.size or packet[0] >> 6 != _VERSION:
            return
        first, kind, _sequence, stamp, source = _HEADER.unpack_from(packet)
        payload = packet[_HEADER.size + 4 * (first & 0x0F) :]
        kind &= 0x7F
        if kind == digits and len(payload) >= _EVENT.size:
            self._event(payload[0], (source, stamp))
        elif kind in {PCMU, PCMA}:
            self.packets += 1
            audio = payload.translate(ULAW_OF_ALAW) if kind == PCMA else payload
            self._lay_down(audio, stamp, source)
            if audio.translate(_LOUD).count(1) >= _LOUD_SAMPLES:
                self.voice_at = now

    def _event(self, event: int, began: tuple[int, int]) -> None:
        if began != self._last_event and event < len(_KEYS):
            self._last_event = began
            self.keys += _KEYS[event]

    def _lay_down(self, audio: bytes, stamp: int, source: int) -> None:
        end = len(self.recording)
        at = _signed(stamp - self._start)
        if source != self._source or not -RATE <= at - end <= _LONGEST_LEAP or at < 0:
            self._source, self._start, at = source, (stamp - end) & 0xFFFFFFFF, end
        if at > end:
            self.recording += _SILENCE * (at - end)
        self.recording[at : at + len(audio)] = audio


def _signed(difference: int) -> int:
    return ((difference + 0x80000000) & 0xFFFFFFFF) - 0x80000000


def read_wav(path: Path) -> bytes:
    """Return a WAV file as µ-law. Raises ValueError, which names the file, where it is not one for telephones."""
    try:
        return ulaw_of_wav(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def write_wav(path: Path, audio: bytes) -> None:
    """Write µ-law audio as a WAV file of 16 bits, which every player plays."""
    path.write_bytes(wav_of(audio))
