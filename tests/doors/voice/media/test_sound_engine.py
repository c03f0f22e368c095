"""The media thread with real sockets: what a far end sends is heard, and what is said reaches it."""

import threading
import time
from functools import partial
from itertools import pairwise

import pytest
from tests.doors.voice.media.far_end import (
    KEYS_TYPE,
    PORTS,
    VOICE,
    WITHIN_S,
    Desk,
    Ear,
    Peer,
    SteppedDesk,
    connected,
    voices,
)

from guardia.doors.voice.control import Codec, RemoteMedia
from guardia.doors.voice.media.channel import ChannelListener, MediaEngine
from guardia.doors.voice.media.digits import write_press
from guardia.doors.voice.media.socket_channel import SocketChannel
from guardia.kernel.sound import ALAW_OF_ULAW, FRAME, SILENT_FRAME, ULAW_OF_ALAW


def test_engine_and_channel_are_what_the_line_asks_for(desk: Desk) -> None:
    engine: MediaEngine = desk.engine
    listener: ChannelListener = Ear()
    channel = engine.open(listener)
    assert channel.port in PORTS
    assert channel.port % 2 == 0
    assert engine.count() == 1


# ---- what is said ----


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_what_is_said_reaches_the_far_end_byte_by_byte_and_then_silence(desk: Desk, codec: Codec) -> None:
    channel, peer, ear = connected(desk, codec)
    sound = bytes(n % 255 for n in range(20 * FRAME + 33))
    channel.play(sound[:1000])
    channel.play(sound[1000:])
    desk.until(lambda: ear.times_played == 1)
    desk.work(0.2)
    peer.close()
    wanted, silence = (sound, b"\xff") if codec == "PCMU" else (sound.translate(ALAW_OF_ULAW), b"\xd5")
    heard = peer.heard()
    assert wanted in heard
    before, _, after = heard.partition(wanted)
    assert set(before + after) == set(silence)
    assert {packet.kind for packet in peer.came} == {0 if codec == "PCMU" else 8}
    assert ear.threads == {"MainThread"}
    assert ear.times_played == 1


def test_packets_are_numbered_and_timed_without_a_gap_and_marked_where_a_voice_begins(
    desk: Desk, leg: tuple[SocketChannel, Peer, Ear]
) -> None:
    channel, peer, ear = leg
    desk.until(lambda: len(peer.came) > 3)
    channel.play(VOICE[0] * 10)
    desk.until(lambda: ear.times_played == 1)
    desk.until(lambda: len(peer.came) > 16)
    came = list(peer.came)
    assert len({packet.source for packet in came}) == 1
    assert {(two.sequence - one.sequence) & 0xFFFF for one, two in pairwise(came)} == {1}
    steps = {(two.timestamp - one.timestamp) & 0xFFFFFFFF for one, two in pairwise(came)}
    assert all(step % FRAME == 0 for step in steps)
    assert [packet.payload for packet in came if packet.is_marked] == [VOICE[0]]


def test_a_loop_goes_on_until_it_is_hushed_and_is_never_through(
    desk: Desk, leg: tuple[SocketChannel, Peer, Ear]
) -> None:
    channel, peer, ear = leg
    channel.play(VOICE[0] + VOICE[1], is_looped=True)
    desk.until(lambda: peer.heard().count(VOICE[0] + VOICE[1]) > 5)
    channel.hush()
    desk.work(0.1)
    came = len(peer.came)
    desk.until(lambda: len(peer.came) > came + 5)
    assert voices(b"".join(packet.payload for packet in peer.came[came + 1 :])) == []
    assert ear.times_played == 0


def test_what_was_hushed_is_not_told_as_played_even_where_it_was_on_its_way(
    desk: Desk, leg: tuple[SocketChannel, Peer, Ear]
) -> None:
    channel, _peer, ear = leg
    channel.play(VOICE[0])
    desk.until(lambda: not desk.told.empty(), must=False, seconds=0)
    end = time.monotonic() + WITHIN_S
    while desk.told.empty() and time.monotonic() < end:
        time.sleep(0.005)
    channel.hush()  # it is through, and that is posted, but the signalling thread has not heard of it
    desk.work(0.1)
    assert ear.times_played == 0
    channel.play(VOICE[1])
    desk.until(lambda: ear.times_played == 1)


def test_on_hold_nothing_is_sent_and_what_is_said_is_through_in_real_time(
    desk: Desk, leg: tuple[SocketChannel, Peer, Ear]
) -> None:
    channel, peer, ear = leg
    desk.until(lambda: len(peer.came) > 2)
    channel.connect(peer.media(hears=False))
    desk.work(0.1)
    came, began = len(peer.came), time.monotonic()
    channel.play(VOICE[0] * 25)
    desk.until(lambda: ear.times_played == 1)
    assert time.monotonic() - began > 0.4
    assert len(peer.came) == came
    channel.connect(peer.media())
    channel.play(VOICE[1])
    desk.until(lambda: VOICE[1] in peer.heard())
    assert VOICE[0] not in peer.heard()


def test_keys_are_sent_as_events_of_one_timestamp_each(leg: tuple[SocketChannel, Peer, Ear]) -> None:
    channel, peer, _ear = leg
    far, other = Desk(), Ear()
    back = far.engine.open(other)
    host, _port = peer.socket.getsockname()
    back.connect(RemoteMedia(host, channel.port, "PCMU", KEYS_TYPE))
    channel.connect(RemoteMedia(host, back.port, "PCMU", KEYS_TYPE))
    for key in "4711#":
        channel.press(key)
    far.until(lambda: len(other.keys) >= 5)
    far.work(0.2)
    far.engine.stop()
    assert other.keys == "4711#"


# ---- what is heard ----


def test_keys_are_told_once_each_with_loss_duplicates_and_disorder(
    desk: Desk, leg: tuple[SocketChannel, Peer, Ear]
) -> None:
    _channel, peer, ear = leg
    for n, key in enumerate("90*#11"):
        payloads = write_press(key)
        kept = [payloads[::-1], payloads[:2], payloads[-1:], payloads * 2][n % 4]
        for payload in kept:
            peer.send(payload, KEYS_TYPE, 1000 * n)
        desk.until(partial(ear.has_keys, n + 1))
    desk.work(0.1)
    assert ear.keys == "90*#11"
    assert ear.threads == {"MainThread"}


def test_what_is_heard_is_recorded_in_half_seconds_with_gaps_as_silence(
    desk: Desk, leg: tuple[SocketChannel, Peer, Ear]
) -> None:
    channel, peer, _ear = leg
    pieces: list[tuple[bytes, float]] = []
    began = time.monotonic()
    channel.record(lambda sound, voiced: pieces.append((sound, voiced)))

    def talk() -> None:
        peer.talk(VOICE[:25])
        time.sleep(0.4)
        peer.talk(VOICE[25:40])

    talking = threading.Thread(target=talk)
    talking.start()
    desk.until(lambda: not talking.is_alive())
    desk.work(0.3)
    channel.record(None)
    took = time.monotonic() - began
    whole = b"".join(sound for sound, _ in pieces)
    assert voices(whole) == VOICE[:40]
    gap = whole.partition(VOICE[24])[2].partition(VOICE[25])[0]
    assert gap.strip(b"\xff") == b""
    assert len(gap) > 10 * FRAME
    assert abs(len(whole) / 8000 - took) < 0.3
    assert {len(sound) for sound, _ in pieces[:-1]} == {25 * FRAME}
    kept = len(pieces)
    desk.work(0.7)
    assert len(pieces) == kept


def test_a_recording_says_how_long_a_voice_was_heard_and_alaw_is_heard_too(
    desk: Desk, leg: tuple[SocketChannel, Peer, Ear]
) -> None:
    channel, peer, _ear = leg
    pieces: list[tuple[bytes, float]] = []
    channel.record(lambda sound, voiced: pieces.append((sound, voiced)))
    loud = bytes([0x2A, 0xAA] * (FRAME // 2))
    peer.talk([loud] * 20, kind=8)
    desk.work(0.2)
    channel.close()  # hands over the rest too
    assert sum(voiced for _, voiced in pieces) == pytest.approx(0.4, abs=0.1)
    assert voices(b"".join(sound for sound, _ in pieces)) == [loud.translate(ULAW_OF_ALAW)] * 20


def test_silence_of_a_far_end_that_should_send_is_told_every_five_seconds(desk: Desk) -> None:
    channel, peer, ear = connected(desk)
    held, other, quiet = connected(desk)
    held.connect(other.media(sends=False))
    desk.until(lambda: len(ear.silences) == 2)
    assert ear.silences == [5.0, 10.0]
    assert quiet.silences == []
    peer.close()
    other.close()
    channel.close()


# ---- bridged ----


def test_bridged_legs_hear_each_other_bit_by_bit_and_keys_are_told_not_handed_on(stepped: SteppedDesk) -> None:
    one, first, ear = connected(stepped)
    two, second, _other = connected(stepped)
    recorded: list[bytes] = []
    one.record(lambda sound, _voiced: recorded.append(sound))
    one.bridge(two)
    stepped.talk((first, VOICE[:40]), (second, VOICE[::-1]))
    first.press("7", 99)
    stepped.step(20)
    stepped.until(lambda: ear.keys == "7")
    one.bridge(None)
    one.record(None)
    stepped.talk((first, VOICE[:5]))
    stepped.until(lambda: len(second.came) == len(first.came) == stepped.steps)
    first.close()
    second.close()
    assert voices(second.heard()) == VOICE[:40]
    assert voices(first.heard()) == VOICE[::-1]
    assert voices(b"".join(recorded)) == VOICE[:40]
    assert KEYS_TYPE not in {packet.kind for packet in second.came}


def test_a_bridge_between_two_codecs_goes_by_the_table(stepped: SteppedDesk) -> None:
    one, first, _ear = connected(stepped)
    two, second, _other = connected(stepped, "PCMA")
    two.bridge(one)
    stepped.talk((first, VOICE))
    stepped.until(lambda: len(second.came) == stepped.steps)
    second.close()
    first.close()
    silent = SILENT_FRAME.translate(ALAW_OF_ULAW)
    came = [packet.payload for packet in second.came if packet.payload != silent]
    assert came == [frame.translate(ALAW_OF_ULAW) for frame in VOICE]


def test_closing_one_leg_of_a_bridge_leaves_the_other_alive(desk: Desk) -> None:
    one, first, _ear = connected(desk)
    two, second, other = connected(desk)
    one.bridge(two)
    one.close()
    two.play(VOICE[0])
    desk.until(lambda: other.times_played == 1)
    first.close()
    second.close()
    with pytest.raises(TypeError):
        two.bridge(two)
