"""A fingerprint of a set of records that does not depend on their order and follows a change in O(change). Pure.

Rules (LtHash16, Bellare-Micciancio 1997; Lewi, Kim, Maykov, Weis 2019):
1. A record becomes 1024 lanes of 16 bits: 2,048 bytes of SHAKE-256 of its canonical JSON, little-endian.
2. Adding a record adds its lanes, removing it subtracts them, each modulo 2^16. The empty set is all zeros.
3. The root that people see is the SHA-256 of the lanes.

The sum is done on two big integers that hold the even and the odd lanes in slots of 32 bits, so a whole vector is
added in one step and a carry can never reach its neighbour.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from sigdist.records.record import Record

_BYTES = 2048
_SLOTS = sum(0xFFFF << (32 * slot) for slot in range(512))
_BORROW = sum(0x10000 << (32 * slot) for slot in range(512))


@dataclass(frozen=True)
class StateRoot:
    """The lanes of a set of records, as one integer."""

    lanes: int = 0

    @classmethod
    def of(cls, records: Iterable[Record]) -> Self:
        """The root of these records, each counted once."""
        root = cls()
        for record in records:
            root = root.add(record)
        return root

    def add(self, record: Record) -> Self:
        """The root with `record` in it."""
        mine, other = self.lanes, _lanes(record)
        even = ((mine & _SLOTS) + (other & _SLOTS)) & _SLOTS
        odd = ((mine >> 16 & _SLOTS) + (other >> 16 & _SLOTS)) & _SLOTS
        return type(self)(even | odd << 16)

    def remove(self, record: Record) -> Self:
        """The root without `record`."""
        mine, other = self.lanes, _lanes(record)
        even = ((mine & _SLOTS) + _BORROW - (other & _SLOTS)) & _SLOTS
        odd = ((mine >> 16 & _SLOTS) + _BORROW - (other >> 16 & _SLOTS)) & _SLOTS
        return type(self)(even | odd << 16)

    def hexdigest(self) -> str:
        """64 hex digits that name this set of records."""
        return hashlib.sha256(self.lanes.to_bytes(_BYTES, "little")).hexdigest()


def _lanes(record: Record) -> int:
    return int.from_bytes(hashlib.shake_256(record.canonical()).digest(_BYTES), "little")
