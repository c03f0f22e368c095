"""The whole line under hostile peers: packets of every kind while calls go on, and good calls afterwards."""

import random
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import hostile_packets
from tests.support.hostile_caller import HostileCaller
from tests.support.line_alone import LineAlone, line_alone
from tests.support.line_running import options_ping
from tests.support.processes import wait_until

pytestmark = pytest.mark.slow
SECRET = "918273"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[LineAlone]:
    """A line whose database is away."""
    with line_alone(tmp_path, GUARDIA_LINE_CALLS="20") as running:
        yield running


def is_well(line: LineAlone) -> None:
    """Check that a good call is heard, and every digit of it right; that nothing of the past is left."""
    before = len(line.keyed())
    wait_until("it answers", lambda: options_ping("127.0.0.1", line.port, 1.0), 60.0)
    with HostileCaller(line.port, "700700") as good:
        good.stand()
        assert good.hears(1.0) > 25
        press(good, "21407100#", SECRET)
        wait_until("the digits are known", lambda: len(line.keyed()) > before, 60.0)
        assert ("407100", SECRET) in line.keyed()
        good.bye()
    wait_until("no sound port is open", lambda: sockets(line) <= 2, 90.0)
    wait_until("every call has ended", lambda: all(one.ended_at for one in line.records()), 30.0)


def press(caller: HostileCaller, *groups: str) -> None:
    """Press keys by events, as a telephone does."""
    for group in groups:
        for key in group:
            caller.event(key)
            time.sleep(0.12)
        time.sleep(0.3)


def sockets(line: LineAlone) -> int:
    """Return how many sockets the line holds: of its signals and its watchdog, and one of each call."""
    folder = Path(f"/proc/{line.pid}/fd")
    return sum("socket:" in str(one.readlink()) for one in folder.iterdir() if one.is_symlink())


def hostile_sound(chance: random.Random) -> bytes:
    """Return something that is hardly RTP: torn, of other kinds, RTCP, events of no key, with false lengths."""
    head = struct.pack(
        "!BBHII",
        chance.choice((0x80, 0x80, 0x90, 0xA0, 0xBF, 0x40, chance.randrange(256))),
        chance.choice((0, 8, 13, 101, 101 | 0x80, 200, 201, 203, 72, chance.randrange(256))),
        chance.randrange(65536),
        chance.randrange(2**32),
        chance.randrange(2**32),
    )
    event = struct.pack("!BBH", chance.choice((10, 11, 12, 16, 255)), chance.randrange(256), chance.randrange(65536))
    body = chance.choice((b"", event, event[:3], b"\xff" * 160, chance.randbytes(chance.randrange(1500))))
    return (head + body)[: chance.choice((2000, 2000, 2000, chance.randrange(1, 20)))]


def test_two_thousand_hostile_packets_in_calls_leave_good_calls_good(line: LineAlone) -> None:
    chance = random.Random(5)
    with HostileCaller(line.port, "1") as one, HostileCaller(line.port, "2") as two:
        one.stand()
        two.stand()
        signals = [*(data for _, data in hostile_packets.named()), *hostile_packets.mutated(300, seed=11)]
        for number in range(1600):
            if number % 4 == 0 and signals:
                one.send(signals.pop())
            for caller in (one, two):
                caller.rtp.sendto(hostile_sound(chance), ("127.0.0.1", caller.media_port))
            if number % 8 == 0:
                time.sleep(0.01)
        assert two.hears(1.0) > 25
        one.bye()
        two.bye()
        is_well(line)
    assert "Traceback" not in line.said()
    assert SECRET not in line.said()


def test_a_thousand_keys_a_second_by_info_cost_nobody_else_anything(line: LineAlone) -> None:
    with HostileCaller(line.port, "1") as one, HostileCaller(line.port, "2") as good:
        one.stand()
        good.stand()
        ends_at = time.monotonic() + 4.0
        while time.monotonic() < ends_at:
            one.info("*")
            one.info("1")
            time.sleep(0.002)
        assert good.hears(1.0) > 25
        notes = [len(record.notes) for record in line.records()]
        assert max(notes) < 200, notes  # 20 keys a second, and a burst
        one.bye()
        good.bye()
        is_well(line)


def test_calls_that_are_never_acknowledged_get_no_sound_and_end(line: LineAlone) -> None:
    victim = HostileCaller(line.port)
    with victim:
        victim.invite()
        assert victim.answer() == 200
        assert victim.hears(1.5) == 0
        victim.rtp.settimeout(0.5)
    callers = [HostileCaller(line.port, str(number)) for number in range(25)]
    codes = []
    for caller in callers:
        caller.invite()
        codes.append(caller.answer())
    assert codes.count(486) == 6  # busy is said
    assert codes.count(200) == 19
    for caller in callers:
        caller.sip.close()
        caller.rtp.close()
    wait_until("forgotten", lambda: sockets(line) <= 2, 90.0)
    is_well(line)


@pytest.mark.parametrize("direction", ["sendonly", "inactive", "recvonly"])
def test_a_storm_of_reinvites_and_holds_keeps_one_call_and_ends_with_it(line: LineAlone, direction: str) -> None:
    with HostileCaller(line.port) as one:
        one.stand()
        for number in range(150):
            cseq = one.invite(one.described(direction if number % 2 else "sendrecv"))
            if number % 3 == 0:
                code = one.answer("INVITE", 1.0)
                assert code in {200, 491, 500}
                one.ack(cseq)
        one.bye()
    is_well(line)


def test_two_calls_of_one_call_id_are_two_calls_and_each_ends_by_itself(line: LineAlone) -> None:
    with HostileCaller(line.port, "1") as one, HostileCaller(line.port, "2") as two:
        two.call_id = one.call_id
        one.stand()
        two.stand()
        assert one.to_tag != two.to_tag
        one.bye()
        assert one.answer("BYE") == 200
        assert two.hears(1.0) > 25
        two.bye()
        assert two.answer("BYE") == 200
    is_well(line)


def test_a_bye_or_cancel_that_does_not_know_the_call_ends_nothing(line: LineAlone) -> None:
    with HostileCaller(line.port, "1") as one, HostileCaller(line.port, "2") as thief:
        one.stand()
        thief.call_id, thief.tag = one.call_id, one.tag
        thief.bye()
        assert thief.answer("BYE") == 481
        thief.branch = one.branch
        thief.send(thief.packet("CANCEL", 1, branch=one.branch))
        thief.to_tag = "0" * 32
        thief.bye()
        assert thief.answer("BYE") == 481
        assert one.hears(1.0) > 25
        one.bye()
        assert one.answer("BYE") == 200
    is_well(line)


def test_a_cancel_that_meets_the_answer_leaves_no_call(line: LineAlone) -> None:
    for number in range(12):
        with HostileCaller(line.port, str(number)) as one:
            cseq = one.invite()
            time.sleep(number * 0.001)
            one.send(one.packet("CANCEL", cseq, branch=one.branch))
            if one.answer("INVITE", 2.0) == 200:
                one.ack(cseq)
                one.bye()
            else:
                one.send(one.packet("ACK", cseq, branch=one.branch))
    is_well(line)


@pytest.mark.parametrize("where", ["192.0.2.9", "8.8.8.8", "224.0.0.1", "255.255.255.255", "localhost", "0:0::1"])
def test_nobody_has_sound_sent_to_a_third_party(line: LineAlone, where: str) -> None:
    with HostileCaller(line.port) as one:
        one.invite(one.described(host=where, port=5060))
        assert one.answer() in {400, 488}
    with HostileCaller(line.port) as two:
        two.stand()
        two.invite(two.described(host=where, port=5060))
        assert two.answer() in {400, 488}
        two.bye()
    assert "Traceback" not in line.said()


@pytest.mark.parametrize(
    "name",
    [
        "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "%27%3BDROP%20TABLE%20calls_call%3B--",
        "%00%0A%0D%E2%80%AE",
        "x" * 120,
        "%F0%9F%98%80%F0%9F%98%80",
        "..%2F..%2Fetc%2Fpasswd",
    ],
)
def test_the_number_that_a_caller_shows_is_plain_and_short(line: LineAlone, name: str) -> None:
    with HostileCaller(line.port, name) as one:
        one.stand()
        one.bye()
        assert one.answer("BYE") == 200
    (record,) = line.records()
    assert len(record.facts.caller) <= 40
    assert not set(record.facts.caller) & set("<>'\";%/\\ \n\0&()")


def test_hang_ups_at_every_step_leave_no_port_and_no_open_journal(line: LineAlone) -> None:
    keys = "2140710#" + SECRET + "1"
    with_sound = b"\x10\x90" * 80
    for length in range(len(keys) + 1):
        with HostileCaller(line.port, str(length)) as one:
            one.stand()
            assert one.hears(0.3)  # the ACK has arrived
            press(one, keys[:length])
            if length == len(keys):  # the notice is said, then what follows is recorded
                for _ in range(700):
                    one.sound(with_sound)
                    time.sleep(0.02)
            one.bye()
    is_well(line)
    ended = [record for record in line.records() if record.sounds]
    assert len(ended) == 1
    assert ended[0].sounds[0].voiced_s > 0.5


def test_kills_in_calls_lose_nothing_and_the_line_comes_back(line: LineAlone) -> None:
    with HostileCaller(line.port, "1") as one, HostileCaller(line.port, "2") as two:
        one.stand()
        assert one.hears(0.5)  # the ACK has arrived
        press(one, "21407100#", SECRET)
        two.stand()
        wait_until("the digits are known", lambda: ("407100", SECRET) in line.keyed(), 60.0)
        line.kill()
        assert line.restart() < 5.0
        records = line.records()
        assert len(records) == 2
        assert all(record.ended_at is None for record in records)
        assert ("407100", SECRET) in line.keyed()
    with HostileCaller(line.port, "3") as three:
        three.stand()
        assert three.hears(1.0) > 25
        three.bye()
