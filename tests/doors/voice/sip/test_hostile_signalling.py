"""Hostile packets, one after another, and a good call afterwards: the line is not mute and keeps no call."""

import socket
import time
from collections.abc import Iterator

import pytest
from tests.doors.voice.sip.bench import Answering, answering, packet, passed, sipp
from tests.support import hostile_packets

pytestmark = pytest.mark.slow


def throw(line: Answering, packets: list[bytes]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thrower:
        for each in packets:
            thrower.sendto(each, ("127.0.0.1", line.port))
            time.sleep(0.004)


def is_well(line: Answering) -> None:
    """Check that a good call works, and that nothing is left once open calls are hung up."""
    passed(sipp("uac", line.port, "-d", "100", "-s", "good"), 20)
    line.tell("hang_up")
    assert line.ask("count")["count"] == 0


def test_two_hundred_known_attacks_leave_a_working_line() -> None:
    attacks = list(hostile_packets.named())
    assert len(attacks) >= 200
    with answering(is_quiet=True) as line:
        throw(line, [data for _, data in attacks])
        is_well(line)
        counts = line.ask("counts")
        assert all(counts[reason] for reason in ("branch", "via", "address", "answered_400", "sdp_488"))
        assert "guard_failed" not in counts


def test_packets_changed_by_chance_leave_a_working_line() -> None:
    with answering(is_quiet=True) as line:
        throw(line, list(hostile_packets.mutated(400, seed=7)))
        is_well(line)


def test_calls_of_attackers_that_never_acknowledge_are_forgotten_in_time() -> None:
    with answering(is_quiet=True) as line:
        calls = [hostile_packets.packet(start="INVITE sip:good@127.0.0.1 SIP/2.0") for _ in range(20)]
        throw(line, calls)
        assert line.ask("count")["count"] == 20
        ends_at = time.monotonic() + 45
        while line.ask("count")["count"] and time.monotonic() < ends_at:
            time.sleep(1)
        time.sleep(1)
        assert line.ask("count")["count"] == 0


class Peer:
    """A peer that writes its packets by hand."""

    def __init__(self, line: Answering) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(3)
        self.socket.connect(("127.0.0.1", line.port))

    def ask(self, data: bytes) -> list[str]:
        """Send a packet and return the first answer that is no 100, in lines."""
        self.socket.send(data)
        while True:
            answer = self.socket.recv(9000).decode().split("\r\n")
            if " 100 " not in answer[0]:
                return answer


def via(mark: str) -> str:
    return f"SIP/2.0/UDP 127.0.0.1:5997;rport;branch=z9hG4bK{mark}"


@pytest.mark.parametrize(
    ("start", "changed", "code"),
    [
        ("BYE sip:line@127.0.0.1 SIP/2.0", {"To": "<sip:line@127.0.0.1>;tag=unknown"}, 481),
        ("INFO sip:line@127.0.0.1 SIP/2.0", {}, 481),
        ("CANCEL sip:line@127.0.0.1 SIP/2.0", {}, 481),
        ("REGISTER sip:line@127.0.0.1 SIP/2.0", {}, 405),
        ("REFER sip:line@127.0.0.1 SIP/2.0", {}, 405),
        ("UPDATE sip:line@127.0.0.1 SIP/2.0", {}, 405),
        ("EVIL sip:line@127.0.0.1 SIP/2.0", {}, 501),
        ("INVITE sip:line@127.0.0.1 SIP/3.0", {}, 505),
        ("INVITE tel:112 SIP/2.0", {}, 416),
        ("INVITE sip:line@127.0.0.1 SIP/2.0", {"Require": "100rel"}, 420),
        ("INVITE sip:line@127.0.0.1 SIP/2.0", {"Replaces": "a;to-tag=b;from-tag=c"}, 403),
        ("INVITE sip:line@127.0.0.1 SIP/2.0", {"Contact": ""}, 400),
        ("OPTIONS sip:line@127.0.0.1 SIP/2.0", {"Subject": "x" * 9000}, 0),
        (
            "OPTIONS sip:line@127.0.0.1 SIP/2.0",
            {"Via": via("o1").replace("rport;", "rport=9;received=192.0.2.1;")},
            200,
        ),
    ],
)
def test_a_request_that_is_not_for_us_hears_its_code(
    well_known: Answering, start: str, changed: dict[str, str], code: int
) -> None:
    peer = Peer(well_known)
    if not code:
        with pytest.raises(TimeoutError):
            peer.ask(packet(start, **changed))
        return
    assert peer.ask(packet(start, **changed))[0].split(" ")[1] == str(code)


@pytest.fixture(name="well_known", scope="module")
def _well_known() -> Iterator[Answering]:
    with answering(is_quiet=True) as line:
        yield line


def test_an_invite_sent_twice_is_one_call(well_known: Answering) -> None:
    peer = Peer(well_known)
    invite = hostile_packets.packet(Via=via("twice"))
    first = peer.ask(invite)
    second = peer.ask(invite)
    assert first == second
    assert " 180 " in first[0]
    assert well_known.ask("count")["count"] == 1
    well_known.tell("hang_up")
    assert well_known.ask("count")["count"] == 0


def test_the_same_call_by_another_way_is_merged(well_known: Answering) -> None:
    peer = Peer(well_known)
    same = {"Call_ID": "merged", "From": "<sip:peer@127.0.0.1>;tag=merged"}
    assert " 180 " in peer.ask(hostile_packets.packet(Via=via("m1"), **same))[0]
    assert " 482 " in peer.ask(hostile_packets.packet(Via=via("m2"), **same))[0]
    well_known.tell("hang_up")
    assert well_known.ask("count")["count"] == 0


def test_a_bye_with_guessed_tags_ends_no_call(well_known: Answering) -> None:
    peer = Peer(well_known)
    same = {"Call_ID": "guessed", "From": "<sip:peer@127.0.0.1>;tag=guessed"}
    peer.ask(hostile_packets.packet(Via=via("g1"), **same))
    bye = hostile_packets.packet(
        "BYE", body="", Via=via("g2"), To="<sip:line@127.0.0.1>;tag=wrong", **{**same, "CSeq": "2 BYE"}
    )
    assert " 481 " in peer.ask(bye)[0]
    assert well_known.ask("count")["count"] == 1
    well_known.tell("hang_up")
    assert well_known.ask("count")["count"] == 0
