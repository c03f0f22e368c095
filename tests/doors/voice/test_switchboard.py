"""Who waits, whose phone rings for whom: stories in words, and the same under any order of events."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardia.doors.voice.switchboard import Join, Nobody, Order, Place, Ring, Switchboard, Withdraw
from guardia.features.contracts.rules.entitlement import PREMIUM_TIER as PREMIUM
from guardia.features.contracts.rules.entitlement import STANDARD_TIER as STANDARD

UNKNOWN = 0


def board(*engineers: str) -> Switchboard:
    made = Switchboard()
    made.set_engineers(engineers, 0.0)
    return made


def test_the_engineer_on_duty_is_rung_at_once_and_the_caller_is_next() -> None:
    one = board("marta", "tomas")
    assert one.wait("a", PREMIUM, 1, 0.0) == [Place("a", 1), Ring("a", "marta")]


def test_who_does_not_answer_is_followed_by_the_next_then_nobody() -> None:
    one = board("marta", "tomas", "elena")
    one.wait("a", PREMIUM, 1, 0.0)
    assert one.failed("a", "marta", 20.0) == [Ring("a", "tomas")]
    assert one.failed("a", "tomas", 40.0) == [Ring("a", "elena")]
    assert one.failed("a", "elena", 60.0) == [Nobody("a")]
    assert one.count() == 0


def test_without_anybody_to_ring_nobody_is_there_at_once() -> None:
    assert board().wait("a", PREMIUM, 1, 0.0) == [Nobody("a")]


def test_an_accepted_call_is_joined_and_the_next_moves_up() -> None:
    one = board("marta", "tomas")
    one.wait("a", PREMIUM, 1, 0.0)
    one.wait("b", PREMIUM, 2, 1.0)
    one.wait("c", PREMIUM, 2, 2.0)
    assert one.accepted("a", "marta", 3.0) == [Join("a", "marta"), Place("b", 1), Place("c", 2)]
    assert one.freed("marta", 90.0) == [Ring("c", "marta")]


def test_premium_stands_before_standard_then_severity_then_arrival() -> None:
    one = board("marta")
    one.wait("talking", PREMIUM, 1, 0.0)
    one.accepted("talking", "marta", 1.0)
    for caller, tier, severity in (("d", STANDARD, 1), ("u", UNKNOWN, 4), ("p3", PREMIUM, 3), ("p1", PREMIUM, 1)):
        one.wait(caller, tier, severity, 2.0)
    order = []
    for _ in range(4):
        (ring,) = [order for order in one.freed("marta", 3.0) if isinstance(order, Ring)]
        order.append(ring.caller)
        one.accepted(ring.caller, "marta", 3.0)
    assert order == ["p1", "p3", "d", "u"]


def test_a_phone_that_only_rings_for_who_stands_behind_rings_for_the_first_instead() -> None:
    one = board("marta")
    one.wait("standard", STANDARD, 1, 0.0)
    assert one.wait("premium", PREMIUM, 3, 5.0) == [
        Place("premium", 1),
        Place("standard", 2),
        Withdraw("standard", "marta"),
        Ring("premium", "marta"),
    ]


def test_a_phone_that_was_picked_up_is_not_taken_away() -> None:
    one = board("marta")
    one.wait("standard", STANDARD, 1, 0.0)
    one.picked_up("standard", "marta")
    assert one.wait("premium", PREMIUM, 3, 5.0) == [Place("premium", 1), Place("standard", 2)]


def test_a_caller_who_hangs_up_stops_the_ringing() -> None:
    one = board("marta")
    one.wait("a", PREMIUM, 1, 0.0)
    one.wait("b", PREMIUM, 1, 1.0)
    assert one.leave("a", 2.0) == [Withdraw("a", "marta"), Place("b", 1), Ring("b", "marta")]
    assert one.leave("a", 3.0) == []


def test_patience_ends_where_everybody_talks_for_ever() -> None:
    one = board("marta")
    one.wait("a", PREMIUM, 1, 0.0)
    one.accepted("a", "marta", 1.0)
    one.wait("b", PREMIUM, 1, 2.0)
    assert one.turn(800.0) == []
    assert one.turn(902.0) == [Nobody("b")]


def test_an_engineer_who_is_paged_is_rung_for_nobody_until_the_page_is_over() -> None:
    one = board("marta")
    assert one.page("marta", 1, 0.0) == []
    assert one.wait("a", PREMIUM, 1, 0.0) == [Place("a", 1)]
    assert one.freed("marta", 5.0) == [Ring("a", "marta")]


@pytest.mark.parametrize(("tier", "severity"), [(UNKNOWN, 1), (PREMIUM, 3), (STANDARD, 4)])
def test_an_alarm_takes_a_phone_that_only_rings_for_somebody_unknown_or_a_lesser_matter(
    tier: int, severity: int
) -> None:
    one = board("marta", "tomas")
    one.wait("a", tier, severity, 0.0)
    assert one.page("marta", 2, 5.0) == [Withdraw("a", "marta"), Ring("a", "tomas")]
    assert one.failed("a", "tomas", 6.0) == []
    assert one.freed("marta", 7.0) == [Ring("a", "marta")], "the engineer was not tried"


@pytest.mark.parametrize("tier", [PREMIUM, STANDARD])
def test_a_known_caller_with_a_matter_as_grave_as_the_alarm_keeps_the_phone(tier: int) -> None:
    one = board("marta")
    one.wait("a", tier, 2, 0.0)
    assert one.page("marta", 2, 5.0) == "kept"
    assert one.is_engaged("marta")
    assert one.failed("a", "marta", 6.0) == [Nobody("a")]


def test_an_engineer_who_has_picked_up_or_talks_or_is_paged_is_busy_for_an_alarm() -> None:
    one = board("marta", "tomas")
    one.wait("a", UNKNOWN, 4, 0.0)
    one.picked_up("a", "marta")
    assert one.page("marta", 1, 1.0) == "busy"
    one.accepted("a", "marta", 2.0)
    assert one.page("marta", 1, 3.0) == "busy"
    assert one.page("tomas", 1, 3.0) == []
    assert one.page("tomas", 1, 4.0) == "busy"


@dataclass
class World:
    """What the orders came to: who rings for whom, who talks, who was told nobody is there."""

    ringing: dict[str, str] = field(default_factory=dict)
    talking: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    arrived: set[str] = field(default_factory=set)

    def obey(self, orders: Sequence[Order]) -> None:
        for order in orders:
            match order:
                case Ring(caller, engineer):
                    assert str(engineer) not in self.ringing.values(), "one phone rings for one caller"
                    assert str(engineer) not in self.talking.values(), "nobody who talks is rung"
                    self.ringing[str(caller)] = str(engineer)
                case Withdraw(caller, engineer):
                    assert self.ringing.pop(str(caller)) == engineer
                case Nobody(caller):
                    assert str(caller) not in self.ringing
                    self.gone.add(str(caller))
                case Join(caller, engineer):
                    self.ringing.pop(str(caller), None)
                    self.talking[str(caller)] = str(engineer)
                case Place():
                    pass

    def step(self, one: Switchboard, act: str, caller: str, rank: tuple[int, int], now: float) -> None:
        """Let something happen, where it can."""
        if act == "wait" and caller not in self.arrived:
            self.arrived.add(caller)
            self.obey(one.wait(caller, *rank, now))
        elif act == "leave" and one.is_waiting(caller):
            self.obey(one.leave(caller, now))
            self.gone.add(caller)
        elif act == "free" and caller in self.talking:
            self.gone.add(caller)
            self.obey(one.freed(self.talking.pop(caller), now))
        elif act == "turn":
            self.obey(one.turn(now))
        elif act == "page":
            self.page(one, "tomas" if caller > "c2" else "marta", rank[1], now)
        elif caller in self.ringing:
            self.phone(one, act, caller, now)

    def page(self, one: Switchboard, engineer: str, severity: int, now: float) -> None:
        """Let an alarm take an engineer's phone, where it can, or be over."""
        alarm = f"alarm of {engineer}"
        if alarm in self.talking:
            self.obey(one.freed(self.talking.pop(alarm), now))
            return
        orders = one.page(engineer, severity, now)
        if isinstance(orders, str):
            assert engineer in {*self.ringing.values(), *self.talking.values()}
            return
        assert engineer not in self.talking.values(), "nobody who talks is paged"
        self.talking[alarm] = engineer
        self.obey(orders)
        assert engineer not in self.ringing.values(), "one phone rings for one"

    def phone(self, one: Switchboard, act: str, caller: str, now: float) -> None:
        """Let something happen at the phone that rings for a caller."""
        if act == "fail":
            self.obey(one.failed(caller, self.ringing.pop(caller), now))
        elif act == "accept":
            self.obey(one.accepted(caller, self.ringing[caller], now))
        elif act == "pick":
            one.picked_up(caller, self.ringing[caller])


ACT = st.sampled_from(["wait", "leave", "fail", "accept", "free", "pick", "turn", "page"])
ACTS = st.lists(st.tuples(ACT, st.integers(0, 5), st.integers(0, 2), st.integers(1, 4)), max_size=60)


@given(ACTS)
@settings(max_examples=300, deadline=None)
def test_under_any_order_of_events_one_phone_has_one_call_and_everybody_is_served_or_told(acts: Any) -> None:
    one, world = board("marta", "tomas"), World()
    for now, (act, which, tier, severity) in enumerate(acts, start=1):
        world.step(one, act, f"c{which}", (tier, severity), float(now))
    for alarm in [alarm for alarm in world.talking if alarm.startswith("alarm")]:
        world.obey(one.freed(world.talking.pop(alarm), 90.0))
    for now in range(100, 140):  # everybody answers from now on
        for caller in [*world.ringing, *world.talking]:
            world.step(one, "accept" if caller in world.ringing else "free", caller, (0, 1), float(now))
    assert one.count() == 0, "somebody waits for ever"
    assert world.arrived == world.gone


@pytest.mark.parametrize("engineer", ["marta", "tomas"])
def test_a_page_of_the_same_case_may_be_joined_while_another_phone_rings(engineer: str) -> None:
    one = board("marta", "tomas")
    one.wait("a", PREMIUM, 1, 0.0)
    orders = one.accepted("a", engineer, 1.0)
    expected: list[Order] = [Join("a", engineer)]
    assert orders == (expected if engineer == "marta" else [Withdraw("a", "marta"), *expected])
