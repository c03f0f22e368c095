"""Who waits for a person, and whose phone rings for whom. Pure: what happened in, orders out.

Rules:
- Callers stand by support tier (premium before standard), then severity, then arrival. Somebody unknown stands last.
- The engineers are those of the roster, in its order: on duty, the next of the rotation, the duty manager. Each is
  tried once for a caller, one after the other.
- One engineer has one call. Who stands first gets the first engineer that was not tried for them; where that one's
  phone only rings, unanswered, for somebody who stands behind, it rings for the first instead.
- An alarm takes a phone that only rings, unanswered, for somebody unknown or with a lesser matter; who so loses it
  stands where they stood, and the engineer was not tried. Who brings a matter as grave keeps it. Who has picked up, or
  talks, is busy.
- Where every engineer was tried, or nobody has a phone, or the patience is at its end, nobody is there: the caller may
  leave a message.
- Whoever is next and all who wait behind hear their place whenever it changes.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

Caller = Hashable
Engineer = Hashable


@dataclass(frozen=True)
class Ring:
    """Let the engineer's phone ring for the caller."""

    caller: Caller
    engineer: Engineer


@dataclass(frozen=True)
class Withdraw:
    """Let it ring no more for the caller."""

    caller: Caller
    engineer: Engineer


@dataclass(frozen=True)
class Place:
    """Tell the caller the place in the queue, 1 being next."""

    caller: Caller
    place: int


@dataclass(frozen=True)
class Nobody:
    """Nobody is there for the caller, who is in the queue no more."""

    caller: Caller


@dataclass(frozen=True)
class Join:
    """Let the two speak; the caller is in the queue no more."""

    caller: Caller
    engineer: Engineer


UNKNOWN_TIER: Final = 99
"""Somebody unknown has no support tier (0), and stands behind all who have one."""
Order = Ring | Withdraw | Place | Nobody | Join


@dataclass
class _Waiting:
    caller: Caller
    rank: tuple[int, int, int]
    since: float
    tried: set[Engineer] = field(default_factory=set)
    told: int = 0
    engineer: Engineer | None = None
    is_picked_up: bool = False


@dataclass
class Switchboard:
    """The queue of one line. Instants are seconds of any clock that only goes forward."""

    patience_s: float = 900.0
    engineers: Sequence[Engineer] = ()
    _waiting: list[_Waiting] = field(default_factory=list)
    _talking: set[Engineer] = field(default_factory=set)
    _arrivals: int = 0

    def set_engineers(self, engineers: Sequence[Engineer], now: float) -> list[Order]:
        """Say who may be rung from now on, in their order."""
        self.engineers = tuple(engineers)
        return self._settle(now)

    def wait(self, caller: Caller, tier: int, severity: int, now: float) -> list[Order]:
        """Put a caller into the queue. `tier` is the support tier, 1 before 2; 0 is somebody unknown."""
        self._arrivals += 1
        self._waiting.append(_Waiting(caller, (tier or UNKNOWN_TIER, severity, self._arrivals), now))
        self._waiting.sort(key=lambda one: one.rank)
        return self._settle(now)

    def leave(self, caller: Caller, now: float) -> list[Order]:
        """The caller hung up, or waits no more."""
        one = self._find(caller)
        if one is None:
            return []
        self._waiting.remove(one)
        orders: list[Order] = [Withdraw(caller, one.engineer)] if one.engineer is not None else []
        return orders + self._settle(now)

    def picked_up(self, caller: Caller, engineer: Engineer) -> None:
        """The engineer's phone was picked up: it is taken from the caller no more."""
        one = self._find(caller)
        if one is not None and one.engineer == engineer:
            one.is_picked_up = True

    def accepted(self, caller: Caller, engineer: Engineer, now: float) -> list[Order]:
        """The engineer takes the call, rung for it or for a page of the same case."""
        one = self._find(caller)
        if one is None:
            return []
        self._waiting.remove(one)
        self._talking.add(engineer)
        orders: list[Order] = []
        if one.engineer is not None and one.engineer != engineer:
            orders.append(Withdraw(caller, one.engineer))
        return [*orders, Join(caller, engineer), *self._settle(now)]

    def failed(self, caller: Caller, engineer: Engineer, now: float) -> list[Order]:
        """The engineer did not take the call: no answer, busy, declined, silent."""
        one = self._find(caller)
        if one is not None and one.engineer == engineer:
            one.tried.add(engineer)
            one.engineer, one.is_picked_up = None, False
        return self._settle(now)

    def page(self, engineer: Engineer, severity: int, now: float) -> list[Order] | Literal["busy", "kept"]:
        """Take the engineer's phone for an alarm of a severity; no phone of theirs rings for callers meanwhile.

        `busy` where the engineer talks or has picked up, `kept` where a caller with a matter as grave keeps the phone.
        """
        if engineer in self._talking:
            return "busy"
        one = next((one for one in self._waiting if one.engineer == engineer), None)
        if one is None:
            self._talking.add(engineer)
            return []
        if one.is_picked_up:
            return "busy"
        tier, its_severity, _ = one.rank
        if tier != UNKNOWN_TIER and its_severity <= severity:
            return "kept"
        self._talking.add(engineer)
        one.engineer = None
        return [Withdraw(one.caller, engineer), *self._settle(now)]

    def freed(self, engineer: Engineer, now: float) -> list[Order]:
        """The engineer's call has ended."""
        self._talking.discard(engineer)
        return self._settle(now)

    def turn(self, now: float) -> list[Order]:
        """Look whether somebody's patience is at its end."""
        return self._settle(now)

    def is_waiting(self, caller: Caller) -> bool:
        """Whether the caller is in the queue."""
        return self._find(caller) is not None

    def is_engaged(self, engineer: Engineer) -> bool:
        """Whether the engineer talks, or the phone rings."""
        return engineer in self._talking or any(one.engineer == engineer for one in self._waiting)

    def count(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    # -- what follows --

    def _find(self, caller: Caller) -> _Waiting | None:
        return next((one for one in self._waiting if one.caller == caller), None)

    def _settle(self, now: float) -> list[Order]:
        orders: list[Order] = []
        for one in list(self._waiting):
            if one.engineer is None:
                orders += self._serve(one, now)
        places: list[Order] = []
        for place, one in enumerate(self._waiting, start=1):
            if one.told != place:
                one.told = place
                places.append(Place(one.caller, place))
        return places + orders

    def _serve(self, one: _Waiting, now: float) -> list[Order]:
        left = [engineer for engineer in self.engineers if engineer not in one.tried]
        if not left or now - one.since >= self.patience_s:
            self._waiting.remove(one)
            return [Nobody(one.caller)]
        for engineer in left:
            if not self.is_engaged(engineer):
                one.engineer = engineer
                return [Ring(one.caller, engineer)]
        behind = [
            other
            for other in reversed(self._waiting)
            if other.rank > one.rank and other.engineer in left and not other.is_picked_up
        ]
        if not behind:
            return []
        engineer = behind[0].engineer
        behind[0].engineer = None
        one.engineer = engineer
        return [Withdraw(behind[0].caller, engineer), Ring(one.caller, engineer)]
