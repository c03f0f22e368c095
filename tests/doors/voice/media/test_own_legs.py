"""A leg never takes the sound of another leg of ours for its far end's."""

import select
from collections.abc import Iterator

import pytest
from tests.doors.voice.media.far_end import KEYS_TYPE, PORTS, Desk, Ear, Peer, SteppedDesk, connected

from guardia.doors.voice.control import RemoteMedia
from guardia.doors.voice.media.channel import Channel
from guardia.doors.voice.media.digits import write_press
from guardia.doors.voice.media.engine import SoundEngine
from guardia.doors.voice.media.socket_channel import SocketChannel, is_ours


class Anywhere(SteppedDesk):
    """A stepped desk whose sockets are bound to no address."""

    def __init__(self) -> None:
        super().__init__()
        self.stepped._host = "0.0.0.0"  # noqa: S104  what is tried


@pytest.fixture(params=[SteppedDesk, Anywhere])
def two_legs(request: pytest.FixtureRequest) -> Iterator[SteppedDesk]:
    made: SteppedDesk = request.param()
    yield made
    made.engine.stop()


def aimed_at(desk: Desk, victim: Channel) -> SocketChannel:
    """An attacker's leg: its description names the victim's port as its own."""
    leg = desk.engine.open(Ear())
    leg.connect(RemoteMedia("127.0.0.1", victim.port, "PCMU", KEYS_TYPE))
    return leg


def test_a_description_that_names_the_port_of_another_leg_takes_no_keys_from_its_caller(two_legs: SteppedDesk) -> None:
    victim, caller, ear = connected(two_legs)
    attacker = aimed_at(two_legs, victim)
    two_legs.step(10)  # the engine's own silence comes to the victim's leg before the caller speaks
    caller.press("7", 800)
    two_legs.step(10)
    two_legs.until(lambda: ear.keys == "7")
    dropped = two_legs.engine.figures()["dropped"]
    assert dropped["own"] >= 9
    assert "foreign_port" not in dropped
    assert victim._latched == caller.socket.getsockname()[1]
    assert attacker.port != victim._latched
    caller.close()


def test_an_attacker_who_hangs_up_leaves_nothing_behind_that_settles_the_port(two_legs: SteppedDesk) -> None:
    victim, caller, ear = connected(two_legs)
    attacker = aimed_at(two_legs, victim)
    two_legs.step(3)
    assert select.select([victim.socket], [], [], 1)[0]  # a packet of it waits
    attacker.close()
    two_legs.step(1)
    caller.press("7", 800)
    two_legs.step(10)
    two_legs.until(lambda: ear.keys == "7")
    caller.close()


def test_a_leg_that_is_connected_to_itself_hears_nothing(two_legs: SteppedDesk) -> None:
    ear = Ear()
    mirror = two_legs.engine.open(ear)
    mirror.connect(RemoteMedia("127.0.0.1", mirror.port, "PCMU", KEYS_TYPE))
    mirror.press("1")
    two_legs.step(20)
    two_legs.work(0.05)
    assert ear.keys == ""
    assert mirror._latched == 0


def test_a_far_end_elsewhere_may_have_the_number_of_a_port_of_ours(stepped: SteppedDesk) -> None:
    victim, other = stepped.engine.open(ear := Ear()), stepped.engine.open(Ear())
    far = Peer(victim, host="127.0.0.3", port=other.port)
    victim.connect(far.media())
    far.press("9", 800)
    stepped.step(10)
    stepped.until(lambda: ear.keys == "9")
    far.close()


def test_a_port_that_another_leg_once_had_is_heard(stepped: SteppedDesk) -> None:
    victim, other = stepped.engine.open(ear := Ear()), stepped.engine.open(Ear())
    other.close()
    stepped.engine._shared.left[other.port] -= 2
    far = Peer(victim, port=other.port)
    victim.connect(far.media())
    for payload in write_press("9"):
        far.send(payload, KEYS_TYPE, 800)
    stepped.step(10)
    stepped.until(lambda: ear.keys == "9")
    far.close()


@pytest.mark.parametrize(
    ("host", "bound", "is_so"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "0.0.0.0", True),  # noqa: S104  what is asked
        ("::1", "::", True),
        ("::1", "::1", True),
        ("192.0.2.9", "127.0.0.1", False),
        ("127.0.0.1", "192.0.2.9", False),
        ("192.0.2.77", "0.0.0.0", False),  # noqa: S104  what is asked
        ("240.0.0.1", "0.0.0.0", False),  # noqa: S104  what is asked
    ],
)
def test_an_address_is_our_own_where_our_sockets_could_send_from_it(host: str, bound: str, *, is_so: bool) -> None:
    assert is_ours(host, bound) == is_so


def test_what_ports_were_left_is_remembered_once_for_each() -> None:
    engine = SoundEngine("127.0.0.1", PORTS[:9], lambda act: act(), lambda: None)
    for _ in range(40):
        engine.open(Ear()).close()
    assert len(engine._shared.left) <= 5
    engine.stop()
