"""Records, operations, state root and builds: what must hold for every set of records."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
import yara_x
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sigdist.stage import ndb, yara

from sigdist.records import (
    Add,
    Delete,
    Operation,
    OperationRefused,
    Record,
    Revert,
    State,
    StateRoot,
    apply,
    build,
    build_only,
    diff,
    operation_from_json,
    operations_from_json,
)

_SHA = st.binary(min_size=32, max_size=32).map(bytes.hex)
_NAME = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,11}", fullmatch=True).map(lambda name: f"R_{name}")
_CASE = st.one_of(st.none(), st.from_regex(r"[0-9]{4,8}", fullmatch=True))
_LITERAL = st.binary(min_size=4, max_size=16)


def _hash_like(kind: str) -> Callable[..., Record]:
    def make(name: str, case: str | None, sha256: str, size: int) -> Record:
        return Record.make(kind, name, case, sha256=sha256, size=size)

    return make


def _ignore(name: str, case: str | None, md5: bytes) -> Record:
    return Record.make("ignore", name, case, signature=name, entry_md5=md5.hex())


def _yara(name: str, case: str | None, literal: bytes, module: str | None) -> Record:
    imports = f'import "{module}"\n' if module else ""
    uses = f" and {module}.entropy(0, filesize) >= 0" if module == "math" else ""
    hexes = " ".join(f"{byte:02x}" for byte in literal)
    source = f"{imports}rule {name} {{ strings: $a = {{ {hexes} }} condition: $a{uses} }}"
    return Record.make("yara_rule", name, case, source=source)


RECORD = st.one_of(
    st.builds(_hash_like("hash"), _NAME, _CASE, _SHA, st.integers(1, 2**32 - 1)),
    st.builds(_hash_like("allow"), _NAME, _CASE, _SHA, st.integers(1, 2**32 - 1)),
    st.builds(_ignore, _NAME, _CASE, st.binary(min_size=16, max_size=16)),
    st.builds(ndb, _NAME, _LITERAL, _CASE),
    st.builds(_yara, _NAME, _CASE, _LITERAL, st.sampled_from([None, "pe", "math"])),
)
RECORDS = st.lists(RECORD, max_size=12, unique_by=lambda record: record.name)


@given(RECORDS, st.randoms(use_true_random=False))
def test_a_state_and_its_build_do_not_depend_on_the_order_of_records(records: list[Record], rng: random.Random) -> None:
    shuffled = records[:]
    rng.shuffle(shuffled)
    one, other = State.of(records), State.of(shuffled)
    assert one == other
    assert one.state_root == other.state_root
    assert build(one, 7, "20261122.7") == build(other, 7, "20261122.7")


@given(RECORDS, RECORD)
def test_adding_and_then_deleting_leads_back_to_the_same_root(records: list[Record], extra: Record) -> None:
    state = State.of([record for record in records if record.name != extra.name])
    added = apply(state, [Add(extra)])
    assert added.state_root != state.state_root
    back = apply(added, [Delete(extra.id)])
    assert back.state_root == state.state_root
    assert apply(back, [Add(extra)]) == added


@given(RECORDS)
def test_a_root_followed_through_changes_equals_the_root_made_from_nothing(records: list[Record]) -> None:
    state = apply(State.of(records), [Delete(record.id) for record in records[::2]])
    assert state.root == StateRoot.of(records[1::2])


@given(st.lists(RECORD, min_size=1, max_size=4))
def test_the_lanes_are_sums_modulo_two_to_the_sixteenth_each_by_itself(records: list[Record]) -> None:
    def lanes(root: StateRoot) -> list[int]:
        return [root.lanes >> (16 * lane) & 0xFFFF for lane in range(1024)]

    expected = [0] * 1024
    for record in records:
        expected = [(a + b) % 65536 for a, b in zip(expected, lanes(StateRoot().add(record)), strict=True)]
    assert lanes(StateRoot.of(records)) == expected
    minus = [-lane % 65536 for lane in lanes(StateRoot().add(records[0]))]
    assert lanes(StateRoot().remove(records[0])) == minus


@given(RECORDS)
def test_operations_survive_json(records: list[Record]) -> None:
    operations: list[Operation] = [*map(Add, records), *(Delete(record.id) for record in records), Revert(3)]
    text = json.dumps([operation.to_json() for operation in operations])
    assert operations_from_json(json.loads(text)) == operations


@given(RECORDS, RECORDS)
def test_a_difference_applied_gives_the_new_state(old: list[Record], new: list[Record]) -> None:
    before, after = State.of(old), State.of(new)
    added, removed = diff(before, after)
    operations: list[Operation] = [*(Delete(record.id) for record in removed), *map(Add, added)]
    assert apply(before, operations).state_root == after.state_root


@settings(max_examples=25)
@given(RECORDS)
def test_the_yara_build_compiles_in_stock_yara_x_with_one_rule_for_each_record(records: list[Record]) -> None:
    files = build(State.of(records), 1, "20261122.1").files
    rules = yara_x.compile(files.get("yara/guardia.yar", b"").decode())
    expected = sorted(record.name for record in records if record.type in {"yara_rule", "hash"})
    assert [rule.identifier for rule in rules] == expected


def test_imports_stand_once_at_the_top_and_rules_in_order_of_name() -> None:
    records = [
        _yara("R_b", None, b"1234", "math"),
        _yara("R_a", None, b"1234", "math"),
        _yara("R_c", None, b"12", "pe"),
    ]
    text = build(State.of(records), 1, "l").files["yara/guardia.yar"].decode()
    assert text.startswith('import "math"\nimport "pe"\n\nrule R_a')
    assert text.count("import") == 2
    assert text.index("R_a") < text.index("R_b") < text.index("R_c")


def test_a_build_names_its_content_and_leaves_out_empty_files() -> None:
    made = build(State.of([ndb("Lab.Family")]), 12, "20261122.12")
    assert sorted(made.files) == ["clamav/guardia.ndb", "release.json"]
    told = json.loads(made.files["release.json"])
    assert (told["number"], told["label"], told["state_root"], told["records"]) == (12, made.label, made.state_root, 1)
    assert {file["name"]: file["sha256"] for file in made.to_json()["files"]}["clamav/guardia.ndb"] == (
        told["files"]["clamav/guardia.ndb"]["sha256"]
    )
    assert sorted(build(State.empty(), 1, "l").files) == ["release.json"]


def test_a_build_of_only_what_changed_holds_nothing_else() -> None:
    only = build_only([ndb("Only.This")], 9, "l")
    assert only.files["clamav/guardia.ndb"].startswith(b"Only.This:")
    assert len(only.files) == 2


def test_reverting_gives_the_earlier_state_and_needs_one() -> None:
    first = State.of([ndb("Lab.Family")])
    second = apply(first, [Add(ndb("Lab.Other", b"OTHER"))])
    assert apply(second, [Revert(1)], at_release={1: first}.get).state_root == first.state_root
    with pytest.raises(OperationRefused, match=r"operations\[0\].release: there is no state of release 4"):
        apply(second, [Revert(4)], at_release={1: first}.get)


def test_nothing_changes_when_one_operation_is_refused() -> None:
    state = State.of([ndb("Lab.Family")])
    root = state.state_root
    with pytest.raises(OperationRefused, match=r"operations\[1\].record_id"):
        apply(state, [Add(ndb("Lab.Other", b"OTHER")), Delete("rffff")])
    assert state.state_root == root
    assert len(state) == 1


@pytest.mark.parametrize(
    ("first", "second", "place"),
    [
        (ndb("Lab.Family"), ndb("Lab.Family"), "is already in the database"),
        (ndb("Lab.Family"), ndb("Lab.Family", b"OTHER"), "is taken in clamav/guardia.ndb"),
        (yara("A"), yara("A", b"OTHER"), "is taken in yara/guardia.yar"),
        (yara("A_b"), Record.make("hash", "A.b", None, sha256="ab" * 32, size=1), "'A_b' is taken in yara"),
    ],
)
def test_two_records_never_share_an_id_or_a_name_in_one_file(first: Record, second: Record, place: str) -> None:
    with pytest.raises(OperationRefused, match=place):
        State.of([first, second])


def _good(kind: str) -> dict[str, Any]:
    return {
        "yara_rule": yara("Lab_Family"),
        "clamav_line": ndb("Lab.Family"),
        "hash": Record.make("hash", "H", "1", sha256="ab" * 32, size=5),
        "allow": Record.make("allow", "A", None, sha256="ab" * 32, size=5),
        "ignore": Record.make("ignore", "I", None, signature="Lab.Family", entry_md5="cd" * 16),
    }[kind].to_json()


@pytest.mark.parametrize(
    ("kind", "change", "place"),
    [
        ("yara_rule", {"name": "Other"}, "record.name"),
        ("yara_rule", {"source": "rule Lab_Family { condition: true } rule x { condition: true }"}, "record.source"),
        ("yara_rule", {"source": 5}, "record.source"),
        ("clamav_line", {"line": "Lab.Family:0:*:41\nEvil:0:*:42"}, "record.line"),
        ("clamav_line", {"line": "Other:0:*:4142"}, "record.name"),
        ("clamav_line", {"line": "Lab.Family:0"}, "record.line"),
        ("clamav_line", {"database": "cvd"}, "record.database"),
        ("clamav_line", {"database": ["ndb"]}, "record.database"),
        ("hash", {"sha256": "AB" * 32}, "record.sha256"),
        ("hash", {"size": 0}, "record.size"),
        ("hash", {"size": True}, "record.size"),
        ("allow", {"size": "5"}, "record.size"),
        ("ignore", {"entry_md5": "x"}, "record.entry_md5"),
        ("ignore", {"signature": "a:b"}, "record.signature"),
        ("hash", {"name": "a:b"}, "record.name"),
        ("hash", {"name": "../up"}, "record.name"),
        ("hash", {"case": 17}, "record.case"),
        ("hash", {"type": "virus"}, "record.type"),
        ("hash", {"type": None}, "record.type"),
        ("hash", {"extra": 1}, "record.extra"),
        ("hash", {"id": "r" + "0" * 40}, "record.id"),
    ],
)
def test_a_record_that_is_not_sound_is_refused_with_its_place(kind: str, change: dict[str, Any], place: str) -> None:
    data = {**_good(kind), "id": "", **change}
    with pytest.raises(OperationRefused) as refusal:
        Record.from_json(data)
    assert refusal.value.place == place


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"op": "MOVE"},
        {"op": "ADD"},
        {"op": "DEL", "record_id": 5},
        {"op": "REVERT", "release": 0},
        {"op": []},
    ],
)
def test_an_operation_that_is_none_is_refused(data: Any) -> None:
    with pytest.raises(OperationRefused):
        operation_from_json(data)
