"""How much one peer may do: who counts as one, what a minute gives, and that nothing grows without end."""

import pytest

from guardia.doors.mail import limits
from guardia.doors.mail.limits import Limits, is_within, peer_of, plain_address


class Watch:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("nonsense", ""),
        (None, ""),
    ],
)
def test_a_peer_is_told_by_its_plain_address(told: object, expected: str) -> None:
    assert plain_address(told) == expected


def test_an_ipv6_network_counts_as_one_peer() -> None:
    assert peer_of("2001:db8::1") == peer_of("2001:db8::ffff:1")
    assert peer_of("2001:db8::1") != peer_of("2001:db8:0:1::1")
    assert peer_of("192.0.2.1") != peer_of("192.0.2.2")
    assert is_within("10.1.2.3", ["192.0.2.0/24", "10.0.0.0/8"])
    assert not is_within("", ["10.0.0.0/8"])
    assert not is_within("2001:db8::1", ["10.0.0.0/8"])


def test_a_minute_gives_the_rate_evenly() -> None:
    watch = Watch()
    rate = Limits(60, 10, monotonic=watch)
    assert [rate.may_send("192.0.2.1") for _ in range(61)] == [True] * 60 + [False]
    assert rate.may_send("192.0.2.2")
    watch.seconds = 2
    assert [rate.may_send("192.0.2.1") for _ in range(3)] == [True, True, False]
    watch.seconds = 10_000
    assert sum(rate.may_send("192.0.2.1") for _ in range(200)) == 60


def test_own_mail_servers_have_no_rate() -> None:
    rate = Limits(1, 1, ("10.0.0.0/8",))
    assert all(rate.may_send("10.0.0.5") for _ in range(100))
    assert all(rate.may_connect("10.0.0.5") for _ in range(100))


def test_connections_are_counted_for_each_peer_and_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_CONNECTIONS", 3)
    rate = Limits(1, 2)
    assert [rate.may_connect("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert [rate.may_connect(f"192.0.2.{number}") for number in (2, 3)] == [True, False]
    rate.leave("192.0.2.1")
    assert rate.may_connect("192.0.2.3")


def test_many_peers_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_PEERS", 100)
    rate = Limits(1, 1)
    for number in range(1000):
        rate.may_send(f"10.0.{number // 250}.{number % 250}")
    assert len(rate._tokens) == 100
