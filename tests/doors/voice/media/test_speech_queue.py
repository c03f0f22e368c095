"""What is said is handed out whole, in order and without gaps."""

from hypothesis import given, settings
from hypothesis import strategies as st

from guardia.doors.voice.media.speech import Speech
from guardia.kernel.sound import FRAME

SOUNDS = st.lists(st.binary(max_size=500), max_size=6)


def said(speech: Speech) -> bytes:
    return b"".join(iter(speech.frame, None))


@settings(deadline=None)
@given(SOUNDS)
def test_everything_is_said_without_a_gap_and_the_last_frame_filled_up(sounds: list[bytes]) -> None:
    speech = Speech()
    for sound in sounds:
        speech.say(sound)
    whole = b"".join(sounds)
    assert said(speech) == whole + b"\xff" * (-len(whole) % FRAME)
    assert speech.is_through() == bool(sounds)
    assert not speech.is_through()


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=500), st.binary(max_size=300))
def test_a_loop_goes_round_without_a_seam_until_something_else_is_said(tune: bytes, other: bytes) -> None:
    speech = Speech()
    speech.say(tune, is_looped=True)
    heard = b"".join(speech.frame() or b"" for _ in range(30))
    assert heard == (tune * (30 * FRAME // len(tune) + 1))[: 30 * FRAME]
    assert not speech.is_through()
    speech.say(other)
    assert said(speech) == other + b"\xff" * (-len(other) % FRAME)
    assert speech.is_through()


def test_a_loop_waits_for_what_was_said_before() -> None:
    speech = Speech()
    speech.say(b"a" * FRAME)
    speech.say(b"b" * 80, is_looped=True)
    assert [speech.frame() for _ in range(3)] == [b"a" * FRAME, b"b" * FRAME, b"b" * FRAME]


def test_hushed_means_nothing_is_left_and_nothing_is_through() -> None:
    speech = Speech()
    speech.say(b"a" * 500)
    speech.frame()
    speech.hush()
    assert speech.frame() is None
    assert not speech.is_through()
    speech.say(b"", is_looped=True)
    assert speech.frame() is None
    assert not speech.is_through()
