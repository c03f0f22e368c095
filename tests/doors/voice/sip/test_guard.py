"""What the guard passes, drops and answers, without any socket."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import hostile_packets
from tests.support.hostile_packets import SDP, packet

from guardia.doors.voice.sip.addresses import clean_user
from guardia.doors.voice.sip.guard import CALLS_A_SECOND, PACKETS_A_SECOND, Answer, Drop, Guard, Pass, Verdict, judge

PEER = ("127.0.0.1", 5998)


def judged(data: bytes) -> Verdict:
    return judge(data, b"key")


def test_a_good_call_passes_with_what_is_used_only() -> None:
    verdict = judged(packet(User_Agent="x", Subject="secret", Via="SIP/2.0/UDP 10.0.0.9:5998;rport=1;branch=z9hG4bK1"))
    assert isinstance(verdict, Pass)
    assert b"secret" not in verdict.data
    assert b"Via: SIP/2.0/UDP 10.0.0.9:5998;rport;branch=z9hG4bK1\r\n" in verdict.data
    assert verdict.data.endswith(SDP.encode())


def test_what_was_passed_passes_again_as_it_is() -> None:
    verdict = judged(packet())
    assert isinstance(verdict, Pass)
    assert judged(verdict.data) == verdict


def test_the_transport_that_sippy_leaks_on_is_written_small() -> None:
    verdict = judged(packet(Contact="<sip:peer@127.0.0.1:5998;transport=UDP>"))
    assert isinstance(verdict, Pass)
    assert b"Contact: <sip:peer@127.0.0.1:5998;transport=udp>" in verdict.data


@pytest.mark.parametrize("port", ["0", "65536", "99999", "-1", "x", "5060:5060"])
def test_a_via_with_a_port_that_does_not_exist_is_dropped(port: str) -> None:
    assert isinstance(judged(packet(Via=f"SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK1")), Drop)


def test_folded_and_short_headers_are_read() -> None:
    raw = packet().replace(b"From: ", b"f:\r\n ").replace(b"Call-ID", b"i").replace(b"Via:", b"v :")
    assert isinstance(judged(raw), Pass)


def test_a_name_in_letters_of_the_world_is_left_away() -> None:
    verdict = judged(packet(From='"Peña" <sip:34600@127.0.0.1>;tag=1'))
    assert isinstance(verdict, Pass)
    assert b"From: <sip:34600@127.0.0.1>;tag=1" in verdict.data


def test_an_answer_of_the_guard_is_the_same_for_the_same_packet() -> None:
    data = packet("REGISTER", body="")
    first = judged(data)
    assert isinstance(first, Answer)
    assert first.code == 405
    assert b"Allow: INVITE" in first.data
    assert judged(data) == first


@pytest.mark.parametrize(("name", "data"), list(hostile_packets.named()))
def test_whatever_is_passed_is_plain(name: str, data: bytes) -> None:
    verdict = judged(data)
    if isinstance(verdict, Pass):
        text = verdict.data.decode("ascii")
        assert not any(mark < " " and mark not in "\r\n\t" for mark in text), name
        assert "transport=U" not in text
        assert not re.search(r":99999\b", text.partition("\r\n\r\n")[0])


@given(seed=st.integers(0, 10**9))
@settings(max_examples=300, deadline=None)
def test_a_packet_changed_by_chance_gets_a_verdict_that_stands(seed: int) -> None:
    for data in hostile_packets.mutated(3, seed):
        verdict = judged(data)
        if isinstance(verdict, Pass):
            assert judged(verdict.data) == verdict


@given(data=st.binary(max_size=2000))
@settings(max_examples=300, deadline=None)
def test_any_bytes_get_a_verdict(data: bytes) -> None:
    assert isinstance(judged(data), Pass | Drop | Answer)


def test_strangers_are_dropped_and_the_trunk_is_not() -> None:
    guard = Guard(["192.0.2.0/24"])
    assert guard.admit(packet(), PEER, 0) == Drop("stranger")
    guard.also(["127.0.0.1"], 0)
    assert isinstance(guard.admit(packet(), PEER, 0), Pass)
    assert guard.counts == {"stranger": 1, "passed": 1}


def test_a_peer_that_calls_too_often_waits_and_others_do_not() -> None:
    guard = Guard(["127.0.0.0/8"])
    verdicts = [guard.admit(packet(), PEER, 0) for _ in range(int(CALLS_A_SECOND * 3) + 5)]
    assert verdicts.count(Drop("too_many_calls")) == 5
    assert isinstance(guard.admit(packet(), ("127.0.0.2", 5998), 0), Pass)
    assert isinstance(guard.admit(packet(), PEER, 1), Pass)


@pytest.mark.parametrize("before", [b"\xa0", b"\x85", b" ", b"\t", b"\xa0 "])
def test_a_mark_before_the_method_hides_no_call_from_the_count(before: bytes) -> None:
    guard = Guard(["127.0.0.0/8"])
    verdicts = [guard.admit(before + packet(), PEER, 0) for _ in range(int(CALLS_A_SECOND * 3) + 5)]
    assert sum(isinstance(verdict, Pass) for verdict in verdicts) <= int(CALLS_A_SECOND * 3)
    assert before.strip(b" \t") == b"" or not any(isinstance(verdict, Pass) for verdict in verdicts)


def test_an_address_of_the_trunk_is_kept_for_an_hour_after_it_was_last_named() -> None:
    guard = Guard([])
    guard.also(["198.51.100.1"], 0)
    guard.also(["198.51.100.2"], 10)
    guard.also(["198.51.100.1"], 3000)
    guard.also(["198.51.100.3"], 3611)
    assert [guard.allows(f"198.51.100.{last}") for last in (1, 2, 3)] == [True, False, True]
    guard.also([], 6601)
    assert [guard.allows(f"198.51.100.{last}") for last in (1, 2, 3)] == [False, False, True]


def test_a_name_with_ever_new_addresses_fills_no_memory() -> None:
    guard = Guard([])
    for number in range(200):
        guard.also([f"198.51.100.{number}"], number)
    assert sum(guard.is_named(f"198.51.100.{number}") for number in range(200)) == 64
    assert guard.is_named("198.51.100.199")


def test_our_own_watchdog_passes_a_flood() -> None:
    guard = Guard(["127.0.0.0/8"], own={("127.0.0.1", 7)})
    flood = [guard.admit(b"x", PEER, 0) for _ in range(int(PACKETS_A_SECOND * 3) + 1)]
    assert flood[-1] == Drop("too_many_packets")
    assert isinstance(guard.admit(packet("OPTIONS", body=""), ("127.0.0.1", 7), 0), Pass)


@pytest.mark.parametrize(
    ("user", "shown"),
    [("+34600111222", "+34600111222"), ("a%0d%0ab<c>'", "abc"), (None, ""), ("9" * 90, "9" * 40), ("ñ", "")],
)
def test_a_callers_user_part_is_cleaned(user: str | None, shown: str) -> None:
    assert clean_user(user) == shown
