"""An engine, and a leg with its far end."""

from collections.abc import Iterator

import pytest
from tests.doors.voice.media.far_end import Desk, Ear, Peer, SteppedDesk, connected

from guardia.doors.voice.media.socket_channel import SocketChannel


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.engine.stop()
    assert made.deaths == []


@pytest.fixture
def stepped() -> Iterator[SteppedDesk]:
    made = SteppedDesk()
    yield made
    made.engine.stop()


@pytest.fixture
def leg(desk: Desk) -> Iterator[tuple[SocketChannel, Peer, Ear]]:
    made = connected(desk)
    yield made
    made[1].close()
