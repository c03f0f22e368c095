"""The newcomer's phone: its script, its SIP without sockets, and two of them talking over real ones."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.hearing import babble, heard, same_audio, silence, sweep
from tests.support.line_peers import HOST
from tests.support.ports import free_port

from guardia.doors.voice.phone import AnswerOptions, CallOptions, Misuse, place_call, run_call, take_calls
from guardia.doors.voice.phone_audio import Ear, Mouth, read_wav, write_wav
from guardia.doors.voice.phone_loop import Outcome
from guardia.doors.voice.phone_messages import Description, FarMedia, Message, media_of, parse
from guardia.doors.voice.phone_script import HangUp, PlayFile, Press, UntilQuiet, Wait, parse_script
from guardia.doors.voice.phone_signals import SipCall

# ---- the script ----


def test_a_script_is_read_word_by_word() -> None:
    assert parse_script("q, 2,w1.5,4071#,q0.5,w,say:a b.wav,hang") == (
        UntilQuiet(1.0),
        Press("2"),
        Wait(1.5),
        Press("4071#"),
        UntilQuiet(0.5),
        Wait(1.0),
        PlayFile(Path("a b.wav")),
        HangUp(),
    )


@pytest.mark.parametrize("text", ["x", "12a", "w-1", "say:", "hangup", "q1.2.3"])
def test_a_script_with_an_unknown_word_is_refused_by_that_word(text: str) -> None:
    with pytest.raises(ValueError, match="expected digits") as refused:
        parse_script(f"1,{text}")
    assert repr(text) in str(refused.value)


# ---- SIP, without sockets ----


class Pair:
    """Two phones; packets wait in `wire` until `deliver`, and may be lost there."""

    def __init__(self, codecs: tuple[int, ...] = (0, 8)) -> None:
        self.wire: list[tuple[SipCall, bytes]] = []
        self.now = 100.0
        self.caller = SipCall(
            (HOST, 1), Description(HOST, 10, (0, 8)), lambda data: self.wire.append((self.callee, data))
        )
        self.callee = SipCall(
            (HOST, 2), Description(HOST, 20, codecs), lambda data: self.wire.append((self.caller, data))
        )

    def deliver(self, *, lost: bool = False) -> list[str]:
        """Bring over what waits, and return the first lines."""
        waiting, self.wire = self.wire, []
        for to, data in waiting if not lost else []:
            message = parse(data)
            if to is self.callee and to.state == "idle" and message is not None and message.method == "INVITE":
                to.offered(message, self.now)
            else:
                to.receive(data, self.now)
        return [data.split(b"\r\n")[0].decode() for _to, data in waiting]

    def settle(self) -> None:
        while self.wire:
            self.deliver()

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.caller.tick(self.now)
        self.callee.tick(self.now)

    def news(self, phone: SipCall) -> list[tuple[str, str]]:
        news, phone.news = phone.news, []
        return [(one.what, one.text) for one in news]


@pytest.fixture
def pair() -> Pair:
    made = Pair()
    made.caller.dial("sip:line@127.0.0.1:2", "600100", made.now)
    return made


def test_a_call_rings_stands_and_is_hung_up_once(pair: Pair) -> None:
    pair.settle()
    pair.callee.answer()
    pair.settle()
    assert pair.caller.state == pair.callee.state == "standing"
    pair.caller.hang_up()
    pair.caller.hang_up()
    pair.settle()
    assert pair.news(pair.caller) == [("ringing", "180"), ("answered", ""), ("ended", "we")]
    assert pair.news(pair.callee) == [("answered", ""), ("ended", "they")]
    assert pair.callee.caller == "600100"
    assert pair.caller.is_over
    assert pair.callee.is_over


def test_a_lost_invite_answer_or_bye_is_sent_again(pair: Pair) -> None:
    pair.deliver(lost=True)
    pair.later(0.6)
    pair.settle()
    pair.callee.answer()
    assert pair.deliver(lost=True) == ["SIP/2.0 200 OK"]
    pair.later(0.6)
    pair.deliver()
    assert pair.deliver(lost=True)[0].startswith("ACK ")
    pair.later(1.1)
    assert pair.deliver() == ["SIP/2.0 200 OK"], "the answer comes again, since its ACK was lost"
    assert pair.deliver()[0].startswith("ACK "), "and is acknowledged again"
    pair.callee.hang_up()
    pair.deliver(lost=True)
    pair.later(0.6)
    pair.settle()
    assert pair.news(pair.caller) == [("ringing", "180"), ("answered", ""), ("ended", "they")]
    assert pair.callee.is_over


def test_nobody_there_is_given_up_after_a_while(pair: Pair) -> None:
    for _ in range(20):
        pair.deliver(lost=True)
        pair.later(1.0)
    assert pair.news(pair.caller) == [("ended", "no answer from there")]
    assert pair.caller.is_over


def test_a_cancelled_call_ends_on_both_sides(pair: Pair) -> None:
    pair.settle()
    pair.caller.hang_up()
    pair.settle()
    assert pair.news(pair.caller)[-1] == ("ended", "we")
    assert pair.news(pair.callee) == [("ended", "they")]
    assert pair.callee.is_over, "its 487 was acknowledged"


def test_a_cancel_waits_for_a_sign_of_life(pair: Pair) -> None:
    pair.caller.hang_up()
    assert [line.split()[0] for line in pair.deliver()] == ["INVITE"]
    assert pair.deliver() == ["SIP/2.0 180 Ringing"]
    assert [line.split()[0] for line in pair.deliver()] == ["CANCEL"]


def test_a_call_that_was_answered_while_it_was_cancelled_is_hung_up(pair: Pair) -> None:
    pair.settle()
    pair.callee.answer()
    pair.caller.hang_up()
    pair.settle()
    assert ("answered", "") not in pair.news(pair.caller)
    assert pair.caller.is_over
    assert pair.callee.is_over


@pytest.mark.parametrize(("code", "reason"), [(486, "Busy Here"), (603, "Decline")])
def test_a_refusal_reaches_the_caller_with_its_code(pair: Pair, code: int, reason: str) -> None:
    pair.settle()
    pair.callee.refuse(code, reason)
    pair.settle()
    assert pair.news(pair.caller)[-1] == ("ended", f"{code} {reason}")
    assert pair.callee.is_over


def test_hold_and_resume_change_the_direction(pair: Pair) -> None:
    pair.settle()
    pair.callee.answer()
    pair.settle()
    pair.caller.turn("sendonly")
    pair.settle()
    pair.caller.turn("sendrecv")
    pair.settle()
    assert [text for what, text in pair.news(pair.callee) if what == "media"] == ["sendonly", "sendrecv"]
    assert [text for what, text in pair.news(pair.caller) if what == "media"] == ["recvonly", "sendrecv"]


def test_keys_go_by_info_and_are_confirmed(pair: Pair) -> None:
    pair.settle()
    pair.callee.answer()
    pair.settle()
    pair.caller.press("#")
    pair.settle()
    assert pair.news(pair.callee)[-1] == ("key", "#")
    assert pair.news(pair.caller)[-1] == ("accepted", "")


def test_no_codec_in_common_is_refused() -> None:
    pair = Pair(codecs=(18,))
    pair.caller.dial("sip:line@127.0.0.1:2", "1", pair.now)
    pair.settle()
    assert pair.news(pair.caller)[-1] == ("ended", "488 Not Acceptable Here")


@pytest.mark.parametrize(
    "packet",
    [b"", b"\r\n\r\n", b"\xff\xfe\x00", b"INVITE\r\n\r\n", b"SIP/2.0 9999 x\r\n\r\n", b"BYE sip:x SIP/2.0\r\n\r\n"],
)
def test_noise_does_not_end_a_call(pair: Pair, packet: bytes) -> None:
    pair.settle()
    pair.callee.answer()
    pair.settle()
    pair.caller.receive(packet, pair.now)
    assert pair.caller.state == "standing"


def test_compact_and_folded_headers_are_read() -> None:
    message = parse(b"BYE sip:a SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9x\r\ni: 7\r\nCSeq: 3\r\n  BYE\r\n\r\n")
    assert isinstance(message, Message)
    assert (message.branch, message.get("call-id"), message.cseq) == ("z9x", "7", (3, "BYE"))


def test_a_description_is_read_back_as_it_was_written() -> None:
    text = Description(HOST, 4000, (8,), direction="sendonly", digits=96).text()
    assert media_of(text, (0, 8)) == FarMedia(HOST, 4000, 8, 96, "sendonly")
    assert media_of(text, (0,)) is None
    assert media_of("", (0, 8)) is None


# ---- audio, without sockets ----


def _media(codec: int = 0) -> FarMedia:
    return FarMedia(HOST, 1, codec, 101)


def test_each_key_is_heard_once_however_often_its_event_comes() -> None:
    mouth, ear = Mouth(), Ear()
    for key in "4071##":
        mouth.press(key)
    while not mouth.is_idle:
        packet = mouth.packet(_media())
        ear.hear(packet, 101, 1.0)
        ear.hear(packet, 101, 1.0)
    assert ear.keys == "4071##"


def test_a_key_of_a_new_source_is_another_key_though_its_time_is_the_same() -> None:
    ear = Ear()
    for source in (1, 2):
        ear.hear(b"\x80\xe5\x00\x01\x00\x00\x00\x09" + source.to_bytes(4, "big") + b"\x07\x0a\x00\xa0", 101, 1.0)
    assert ear.keys == "77"


def test_lost_and_disordered_packets_leave_everything_else_in_its_place() -> None:
    said = sweep(2)
    mouth, ear = Mouth(said), Ear()
    packets = [mouth.packet(_media()) for _ in range(100)]
    packets[10], packets[11] = packets[11], packets[10]
    for packet in packets[:40] + packets[50:]:
        ear.hear(packet, 101, 1.0)
    kept = bytes(ear.recording)
    assert len(kept) == len(said)
    assert kept[: 40 * 160] == said[: 40 * 160]
    assert kept[50 * 160 :] == said[50 * 160 :]
    assert kept[40 * 160 : 50 * 160] == silence(0.2)


def test_a_new_source_and_a_great_leap_go_on_at_the_end() -> None:
    ear = Ear()
    for mouth in (Mouth(sweep(1)), Mouth(sweep(1))):
        for _ in range(50):
            ear.hear(mouth.packet(_media()), 101, 1.0)
    assert len(ear.recording) == 2 * 8000


@pytest.mark.parametrize("packet", [b"", b"\x80\x00", bytes(40), b"\x80\x7f" + bytes(200), b"\x80\x65" + bytes(12)])
def test_what_is_no_audio_is_not_heard(packet: bytes) -> None:
    ear = Ear()
    ear.hear(packet, 101, 1.0)
    assert not ear.recording


def test_a_voice_is_told_from_silence() -> None:
    ear = Ear()
    for at, audio in ((1.0, silence(0.02)), (2.0, babble(1, 0.4)[1600:1760]), (3.0, silence(0.02))):
        ear.hear(Mouth(audio).packet(_media()), 101, at)
    assert ear.voice_at == 2.0


def test_a_wav_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", babble(4, 1))
    assert same_audio(babble(4, 1), read_wav(tmp_path / "a.wav")).correlation > 0.9999


# ---- over sockets ----


@contextmanager
def engineer(options: AnswerOptions) -> Iterator[list[Outcome]]:
    """Somebody who takes calls meanwhile; the outcomes are there after the block."""
    outcomes: list[Outcome] = []
    waiting = threading.Event()

    def say(line: str) -> None:
        if line.startswith("waiting"):
            waiting.set()

    thread = threading.Thread(target=lambda: outcomes.extend(take_calls(replace(options, wait_s=15), say)))
    thread.start()
    assert waiting.wait(5)
    try:
        yield outcomes
    finally:
        thread.join(30)
        assert not thread.is_alive()


def _target(port: int) -> str:
    return f"sip:line@{HOST}:{port}"


def test_two_phones_talk_press_keys_and_keep_what_they_heard(tmp_path: Path) -> None:
    port = free_port()
    write_wav(tmp_path / "question.wav", sweep(1.5))
    write_wav(tmp_path / "talk.wav", babble(1, 1) + silence(3))
    answering = AnswerOptions(port=port, after_s=0.2, keys="w0.2,1", talk=tmp_path / "talk.wav")
    lines: list[str] = []
    with engineer(answering) as taken:
        made = place_call(
            CallOptions(
                _target(port),
                caller="600123",
                keys=f"q,4071#,say:{tmp_path / 'question.wav'},hang",
                record=tmp_path / "heard.wav",
            ),
            lines.append,
        )
    assert (made.was_answered, made.ended, made.sent, made.keys_heard) == (True, "we", "4071#", "1")
    assert (taken[0].caller, taken[0].ended, taken[0].keys_heard) == ("600123", "they", "4071#")
    assert heard(taken[0].heard, sweep(1.5)) is not None
    assert heard(read_wav(tmp_path / "heard.wav"), babble(1, 1)) is not None
    assert lines[:2] == ["ringing", "answered"]
    assert lines[-1].startswith("we hung up after ")


def test_keys_by_info_and_a_law_arrive_too(tmp_path: Path) -> None:
    port = free_port()
    write_wav(tmp_path / "talk.wav", sweep(1))
    with engineer(AnswerOptions(port=port, after_s=0, codec="PCMA", talk=tmp_path / "talk.wav")) as taken:
        made = place_call(CallOptions(_target(port), keys="w0.2,40*#,w1,hang", by_info=True), lambda _line: None)
    assert taken[0].keys_heard == "40*#"
    assert heard(made.heard, sweep(1)) is not None


def test_a_call_is_held_and_taken_up_again_by_a_script() -> None:
    port = free_port()
    with engineer(AnswerOptions(port=port, after_s=0)) as taken:
        place_call(CallOptions(_target(port), keys="w0.2,hold,w0.3,back,w0.3,7,hang"), lambda _line: None)
    assert (taken[0].changes, taken[0].keys_heard) == (["sendonly", "sendrecv"], "7")


def test_a_busy_phone_and_one_that_nobody_answers_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with engineer(AnswerOptions(port=port, refusal="busy")):
        assert run_call(CallOptions(_target(port))) == 1
    with engineer(AnswerOptions(port=port, after_s=None)) as taken:
        assert run_call(CallOptions(_target(port), longest_s=0.5)) == 1
    said = capsys.readouterr().out
    assert "not answered: 486 Busy Here" in said
    assert "not answered: given up" in said
    assert taken[0].ended == "they"


def test_typed_keys_are_pressed_at_once_and_h_hangs_up() -> None:
    port = free_port()
    reading, writing = os.pipe()

    def type_on(line: str) -> None:
        if line == "answered":
            os.write(writing, b"12")
        if line == "key 2":
            threading.Timer(0.8, os.write, (writing, b"h")).start()

    with engineer(AnswerOptions(port=port, after_s=0)) as taken:
        made = place_call(CallOptions(_target(port), longest_s=10), type_on, reading)
    os.close(reading)
    os.close(writing)
    assert (made.sent, made.ended, taken[0].keys_heard) == ("12", "we", "12")


def test_one_phone_takes_several_calls(tmp_path: Path) -> None:
    port = free_port()
    with engineer(AnswerOptions(port=port, after_s=0, times=2, record=tmp_path / "in.wav")) as taken:
        for keys in ("w0.1,1,hang", "w0.1,2,hang"):
            assert place_call(CallOptions(_target(port), keys=keys), lambda _line: None).was_answered
    assert [one.keys_heard for one in taken] == ["1", "2"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in-2.wav", "in.wav"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (CallOptions("line@here"), "expected an address"),
        (CallOptions("sip:line@127.0.0.1:x"), "expected an address"),
        (CallOptions(keys="say:/no/such.wav"), "cannot read /no/such.wav"),
        (CallOptions(keys="zz"), "expected digits"),
    ],
)
def test_misuse_is_told_and_ends_with_2(
    options: CallOptions, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_call(options) == 2
    assert complaint in capsys.readouterr().err


def test_a_recording_of_the_wrong_kind_is_refused_before_the_call(tmp_path: Path) -> None:
    (tmp_path / "talk.wav").write_bytes(b"no sound at all")
    with pytest.raises(Misuse, match=r"talk\.wav"):
        place_call(CallOptions(talk=tmp_path / "talk.wav"), lambda _line: None)
