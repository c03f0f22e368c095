"""The ears of the tests: they know a prompt again, and do not take one for another."""

import pytest
from tests.support.hearing import (
    babble,
    best_match,
    heard,
    heard_in_order,
    same_audio,
    samples_of,
    silence,
    sweep,
    through_alaw,
    tone,
    ulaw_of,
    voiced_s,
)

from guardia.kernel.sound import ALAW_OF_ULAW, ULAW_OF_ALAW, samples_of_ulaw, ulaw_of_samples


def test_a_prompt_is_found_where_it_was_said() -> None:
    recording = silence(1.3) + babble(1, 2) + silence(0.5) + babble(2, 1) + silence(2)
    assert heard(recording, babble(1, 2)) == pytest.approx(1.3, abs=0.001)
    assert heard(recording, babble(2, 1)) == pytest.approx(3.8, abs=0.001)
    assert heard(recording, babble(1, 2), from_s=2.0) is None


@pytest.mark.parametrize("other", [babble(3, 2), sweep(2), tone(440, 2), silence(2)])
def test_what_was_not_said_is_not_heard(other: bytes) -> None:
    recording = silence(1) + babble(1, 2) + silence(1)
    assert heard(recording, other) is None
    assert abs(best_match(recording, other)[1]) < 0.4


def test_a_prompt_longer_than_the_recording_is_not_heard() -> None:
    assert heard(babble(1, 2)[:8000], babble(1, 2)) is None


@pytest.mark.parametrize("offset", [0, 1, 3, 79])
def test_a_prompt_is_known_at_any_offset_softer_and_after_a_law(offset: int) -> None:
    softer = ulaw_of(samples_of(babble(5, 1)) * 0.4)
    recording = silence(1) + b"\xff" * offset + through_alaw(softer) + silence(1)
    assert heard(recording, babble(5, 1)) == pytest.approx(1 + offset / 8000, abs=0.001)


def test_a_prompt_with_a_lost_packet_is_still_known() -> None:
    said = babble(6, 2)
    recording = silence(0.5) + said[:4000] + silence(0.02) + said[4160:]
    assert heard(recording, said) == pytest.approx(0.5, abs=0.001)


def test_prompts_are_named_in_the_order_in_which_they_were_said() -> None:
    prompts = {name: babble(seed, 1) for seed, name in enumerate(("first", "second", "third"))}
    recording = silence(0.2) + prompts["second"] + silence(0.2) + prompts["first"]
    assert heard_in_order(recording, prompts) == ["second", "first"]


@pytest.mark.parametrize("delay_ms", [0, 20, 63, 1500])
def test_the_same_audio_is_the_same_after_a_delay(delay_ms: int) -> None:
    likeness = same_audio(sweep(3), silence(delay_ms / 1000) + sweep(3))
    assert (likeness.delay_ms, likeness.identical) == (delay_ms, 1.0)
    assert likeness.correlation == pytest.approx(1.0)


def test_audio_over_a_law_is_alike_but_not_identical() -> None:
    likeness = same_audio(babble(7, 3), silence(0.04) + through_alaw(babble(7, 3)))
    assert likeness.delay_ms == 40
    assert likeness.correlation > 0.99
    assert 0.1 < likeness.identical < 1.0


def test_other_audio_is_not_the_same() -> None:
    assert same_audio(babble(8, 3), babble(9, 3)).correlation < 0.3
    assert same_audio(babble(8, 3), silence(3)).correlation == 0.0


def test_these_ears_and_the_lines_sound_agree_on_every_level() -> None:
    every = bytes(range(256))
    assert ulaw_of(samples_of(every)) == ulaw_of_samples(samples_of_ulaw(every))
    ours, theirs = samples_of(through_alaw(every)), samples_of(every.translate(ALAW_OF_ULAW).translate(ULAW_OF_ALAW))
    assert abs(ours - theirs).max() <= 0.04


def test_seconds_of_voice_are_counted() -> None:
    assert voiced_s(silence(2) + tone(440, 1) + silence(1)) == pytest.approx(1.0, abs=0.05)
