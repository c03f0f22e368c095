"""How a database changes: operations on the last state give the next one. Pure.

Rules:
1. ADD brings a record in; an id or a name (within one database file) that is already there is refused.
2. DEL takes a record out by id; an unknown id is refused.
3. REVERT N goes back to the state of release N; the numbers still go up. Earlier states come from `at_release`.
4. A replaced rule is a DEL and an ADD. Operations apply in order and all or none.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sigdist.records.record import Record
from sigdist.records.refusal import OperationRefused
from sigdist.records.state_root import StateRoot


@dataclass(frozen=True)
class Add:
    record: Record

    def to_json(self) -> dict[str, Any]:
        return {"op": "ADD", "record": self.record.to_json()}


@dataclass(frozen=True)
class Delete:
    record_id: str

    def to_json(self) -> dict[str, Any]:
        return {"op": "DEL", "record_id": self.record_id}


@dataclass(frozen=True)
class Revert:
    release: int

    def to_json(self) -> dict[str, Any]:
        return {"op": "REVERT", "release": self.release}


Operation = Add | Delete | Revert


class State:
    """An immutable set of records with its root and the names that they take. Iterates in order of id."""

    def __init__(self, records: Mapping[str, Record], slots: Mapping[tuple[str, str], str], root: StateRoot) -> None:
        self._records = dict(records)
        self._slots = dict(slots)
        self.root = root

    @classmethod
    def empty(cls) -> "State":
        return cls({}, {}, StateRoot())

    @classmethod
    def of(cls, records: Iterable[Record]) -> "State":
        """The state that holds exactly these records. Raises OperationRefused for two with one id or name."""
        return apply(cls.empty(), [Add(record) for record in records])

    @property
    def state_root(self) -> str:
        """The root in hex."""
        return self.root.hexdigest()

    def get(self, record_id: str) -> Record | None:
        return self._records.get(record_id)

    def __contains__(self, record_id: object) -> bool:
        return record_id in self._records

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return (self._records[record_id] for record_id in sorted(self._records))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and self._records.keys() == other._records.keys()

    def __hash__(self) -> int:
        return hash(self.root)


class _Draft:
    """A state being changed: copied once, then edited in place, so that n operations cost O(state + n)."""

    def __init__(self, state: State) -> None:
        self.reset(state)

    def reset(self, state: State) -> None:
        self.records = dict(state._records)  # noqa: SLF001 - the draft is the state's own workbench
        self.slots = dict(state._slots)  # noqa: SLF001
        self.root = state.root

    def add(self, record: Record, place: str) -> None:
        if record.id in self.records:
            raise OperationRefused(place, f"record {record.id} ({record.name}) is already in the database")
        for file, name in record.slots():
            holder = self.slots.get((file, name))
            if holder is not None:
                raise OperationRefused(f"{place}.name", f"{name!r} is taken in {file} by {holder}; DEL that one first")
        self.records[record.id] = record
        self.slots.update(dict.fromkeys(record.slots(), record.id))
        self.root = self.root.add(record)

    def delete(self, record_id: str, place: str) -> None:
        record = self.records.pop(record_id, None)
        if record is None:
            raise OperationRefused(place, f"there is no record {record_id} in the database")
        for slot in record.slots():
            del self.slots[slot]
        self.root = self.root.remove(record)

    def finish(self) -> State:
        return State(self.records, self.slots, self.root)


def operation_from_json(data: Any, place: str = "operation") -> Operation:
    """One operation from its JSON. Raises OperationRefused naming the place of what is wrong."""
    op = data.get("op") if isinstance(data, dict) else None
    if not isinstance(op, str) or op not in _FIELD_OF:
        raise OperationRefused(f"{place}.op", "expected an object whose op is ADD, DEL or REVERT")
    field = _FIELD_OF[op]
    if set(data) != {"op", field}:
        raise OperationRefused(place, f"{op} has exactly the fields op and {field}")
    value = data[field]
    if field == "record":
        return Add(Record.from_json(value, f"{place}.record"))
    if field == "record_id":
        if not isinstance(value, str):
            raise OperationRefused(f"{place}.record_id", "must be the id of a record, as text")
        return Delete(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise OperationRefused(f"{place}.release", "must be the number of an earlier release")
    return Revert(value)


def operations_from_json(data: Any, place: str = "operations") -> list[Operation]:
    """A list of operations from its JSON. Raises OperationRefused."""
    if not isinstance(data, list):
        raise OperationRefused(place, "expected a list of operations")
    return [operation_from_json(item, f"{place}[{index}]") for index, item in enumerate(data)]


def apply(
    state: State, operations: Sequence[Operation], *, at_release: Callable[[int], State | None] | None = None
) -> State:
    """The state after `operations`. Raises OperationRefused with the place; then nothing has changed.

    `at_release` gives the state of an earlier release for REVERT, or None when there is no such release.
    """
    draft = _Draft(state)
    for index, operation in enumerate(operations):
        place = f"operations[{index}]"
        match operation:
            case Add(record):
                draft.add(record, f"{place}.record")
            case Delete(record_id):
                draft.delete(record_id, f"{place}.record_id")
            case Revert(release):
                earlier = at_release(release) if at_release else None
                if earlier is None:
                    raise OperationRefused(f"{place}.release", f"there is no state of release {release} to go back to")
                draft.reset(earlier)
    return draft.finish()


def diff(old: State, new: State) -> tuple[list[Record], list[Record]]:
    """What `new` has and `old` lacks, and the reverse: (added, removed), each in order of id."""
    added = [record for record in new if record.id not in old]
    removed = [record for record in old if record.id not in new]
    return added, removed


_FIELD_OF = {"ADD": "record", "DEL": "record_id", "REVERT": "release"}
