"""Scenario files: what is malformed is refused by its place, and in one line."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.rules.sla.scenarios import MADRID, PLUS, vectors

from guardia.features.sla.rules import expectations
from guardia.features.sla.rules.expectations import Malformed
from guardia.features.sla.rules.scenario import Scenario, read_scenarios


def written() -> dict[str, Any]:
    scenario: dict[str, Any] = {
        "name": "a scenario",
        "calendar": MADRID,
        "policy": PLUS,
        "events": [
            {"at": "2026-11-23T10:00:00+01:00", "type": "submitted", "severity": 1},
            {"at": "2026-11-23T10:05:00+01:00", "type": "answered", "qualified": False},
            {"at": "2026-11-23T10:30:00+01:00", "type": "severity_changed", "to": 2},
        ],
        "as_of": "2026-11-23T11:00:00+01:00",
    }
    copied: dict[str, Any] = json.loads(json.dumps(scenario))
    return copied


def refusal(change: Callable[[dict[str, Any]], Any]) -> Malformed:
    scenario = written()
    change(scenario)
    with pytest.raises(Malformed) as refused:
        Scenario.parse(scenario)
    assert "\n" not in str(refused.value)
    return refused.value


def test_a_refusal_reads_as_a_sentence_with_its_place() -> None:
    refused = refusal(lambda s: s["events"][2].update(at="2026-11-23T10:30:00"))
    assert str(refused) == (
        'events[2].at: expected an instant with offset, like 2026-11-23T10:00:00+01:00, got "2026-11-23T10:30:00"'
    )


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda s: s.pop("name"), "name"),
        (lambda s: s.pop("calendar"), "calendar"),
        (lambda s: s.pop("policy"), "policy"),
        (lambda s: s.pop("events"), "events"),
        (lambda s: s.pop("as_of"), "as_of"),
        (lambda s: s.update(name=7), "name"),
        (lambda s: s.update(events={}), "events"),
        (lambda s: s.update(events=[]), "events"),
        (lambda s: s.update(events=[7]), "events[0]"),
        (lambda s: s.update(as_of=1700000000), "as_of"),
        (lambda s: s.update(as_of="2026-11-23"), "as_of"),
        (lambda s: s.update(as_of="2026-11-23T09:59:59+01:00"), "as_of"),
        (lambda s: s["calendar"].update(zone="Nowhere"), "calendar.zone"),
        (lambda s: s["policy"].pop("4"), "policy.4"),
        (lambda s: s["policy"].update({"5": s["policy"]["4"]}), "policy.5"),
        (lambda s: s.update(policy=[]), "policy"),
        (lambda s: s["policy"].update({"1": None}), "policy.1"),
        (lambda s: s["policy"]["1"].pop("target"), "policy.1.target"),
        (lambda s: s["policy"]["1"].update(target="4h"), "policy.1.target"),
        (lambda s: s["policy"]["1"].update(target=14400), "policy.1.target"),
        (lambda s: s["policy"]["1"].update(target="PT0S"), "policy.1.target"),
        (lambda s: s["policy"]["1"].update(target="-PT4H"), "policy.1.target"),
        (lambda s: s["policy"]["1"].update(target="PT-4H"), "policy.1.target"),
        (lambda s: s["policy"]["1"].update(target="P999999999D"), "policy.1.target"),
        (lambda s: s["policy"]["1"].update(target="P99999999999W"), "policy.1.target"),
        (lambda s: s["policy"]["1"].pop("coverage"), "policy.1.coverage"),
        (lambda s: s["policy"]["1"].update(coverage="office"), "policy.1.coverage"),
        (lambda s: s["policy"]["1"].update(coverage=[]), "policy.1.coverage"),
        (lambda s: s["policy"]["1"].update(phone_opens_24x7="yes"), "policy.1.phone_opens_24x7"),
        (lambda s: s["policy"]["1"].update(phone_opens=True), "policy.1.phone_opens"),
        (lambda s: s["events"][0].pop("at"), "events[0].at"),
        (lambda s: s["events"][0].pop("type"), "events[0].type"),
        (lambda s: s["events"][0].pop("severity"), "events[0].severity"),
        (lambda s: s["events"][0].update(severity=0), "events[0].severity"),
        (lambda s: s["events"][0].update(severity=5), "events[0].severity"),
        (lambda s: s["events"][0].update(severity=True), "events[0].severity"),
        (lambda s: s["events"][0].update(severity=1.0), "events[0].severity"),
        (lambda s: s["events"][0].update(severity="1"), "events[0].severity"),
        (lambda s: s["events"][0].update(at="2026-02-30T10:00:00+01:00"), "events[0].at"),
        (lambda s: s["events"][0].update(at="2026-11-23T25:00:00+01:00"), "events[0].at"),
        (lambda s: s["events"][0].update(at="0001-01-01T00:00:00+14:00"), "events[0].at"),
        (lambda s: s["events"][0].update(at="9999-12-31T23:00:00-14:00"), "events[0].at"),
        (lambda s: s["events"][0].update(at="2026-11-23T10:00:00+99:00"), "events[0].at"),
        (lambda s: s["events"][0].update(type="opened"), "events[0].type"),
        (lambda s: s["events"][0].update(type=["submitted"]), "events[0].type"),
        (lambda s: s["events"][1].pop("qualified"), "events[1].qualified"),
        (lambda s: s["events"][1].update(qualified=1), "events[1].qualified"),
        (lambda s: s["events"][1].update(type="submitted", severity=2), "events[1]"),
        (lambda s: s["events"][1].update(type="answer_voided"), "events[1]"),
        (lambda s: s["events"][1].update(at="2026-11-23T09:00:00+01:00"), "events[1]"),
        (lambda s: s["events"][2].pop("to"), "events[2].to"),
    ],
)
def test_what_is_malformed_is_refused_by_its_place(change: Callable[[dict[str, Any]], Any], place: str) -> None:
    assert refusal(change).place == place


def test_in_a_list_the_place_names_the_scenario_too() -> None:
    broken = written()
    broken["events"][0]["at"] = None
    with pytest.raises(Malformed) as refused:
        read_scenarios(json.dumps([written(), broken]))
    assert refused.value.place == "[1].events[0].at"


def test_in_a_list_what_only_the_reckoning_shows_is_named_too() -> None:
    early, endless = written(), written()
    early["as_of"] = "2026-11-23T09:00:00+01:00"
    endless["policy"]["1"]["target"] = "P3000000D"
    for broken, place in ((early, "[0].as_of"), (endless, "[0].policy.1.target")):
        with pytest.raises(Malformed) as refused:
            read_scenarios(json.dumps([broken]))
        assert refused.value.place == place


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1 column 1: expected JSON"),
        ('{"name": ', "expected JSON"),
        ("7", "the file: expected an object with name"),
        ("[7]", "[0]: expected an object with name"),
        ('{"name": NaN}', "NaN, which is no JSON number"),
        ('{"name": "a", "name": "b"}', 'expected each name once in an object, got "name" twice'),
        ("[" * 100_000, "reasonable depth"),
        ("9" * 5_000, "reasonable length"),
    ],
)
def test_what_is_no_scenario_file_is_refused(text: str, said: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_scenarios(text)
    assert said in str(refused.value)


def test_one_scenario_or_a_list_with_or_without_expect() -> None:
    (alone,) = read_scenarios(json.dumps(written()))
    assert alone.name == "a scenario"
    assert [scenario.name for scenario in read_scenarios(json.dumps([written(), {**written(), "expect": 7}]))] == [
        "a scenario",
        "a scenario",
    ]
    assert read_scenarios("[]") == []
    assert len(read_scenarios(json.dumps(vectors()))) == 125


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT4H", timedelta(hours=4)),
        ("PT30M", timedelta(minutes=30)),
        ("P1D", timedelta(hours=24)),
        ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("P2W", timedelta(weeks=2)),
        ("PT0.5H", timedelta(minutes=30)),
        ("PT1,5S", timedelta(seconds=1.5)),
        ("PT90M", timedelta(minutes=90)),
    ],
)
def test_durations_are_read(text: str, expected: timedelta) -> None:
    assert expectations.duration(text, "target") == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1DT",
        "P1Y",
        "P1M",
        "4H",
        "PT4",
        "pt4h",
        "PT0H",
        "P0D",
        "+PT4H",
        "PT1.5H30M",
        "PT1M2H",
        "PT٤H",
        "PT0.0000001S",
        "PT1e3S",
        "\nPT4H",
        "PT4H\n",
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        expectations.duration(text, "target")


def test_fractions_of_a_second_are_kept() -> None:
    scenario = written()
    scenario["events"] = [{"at": "2026-11-23T10:00:00.250Z", "type": "submitted", "severity": 1}]
    reading = Scenario.parse({**scenario, "as_of": "2026-11-23T10:00:01Z"}).read()
    assert reading.remaining == timedelta(hours=3, minutes=59, seconds=59, microseconds=250_000)


def test_a_long_value_is_shown_short() -> None:
    refused = refusal(lambda s: s.update(as_of="x" * 10_000))
    assert len(str(refused)) < 200
