"""What a plan may say: each fault is told at its place, and nothing is guessed."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardia.features.contracts.rules.durations import LONGEST, is_promise, iso, parse_iso, parse_words, words
from guardia.features.contracts.rules.ledger import Allowance
from guardia.features.contracts.rules.plan_terms import code_faults, in_force, override_faults, plan_faults
from guardia.features.contracts.rules.programme import PLANS
from guardia.features.sla.rules.policies import Policy


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(json.dumps(PLANS["plus"]))
    change(plan)
    return plan


def put(place: str, value: object) -> Callable[[dict[str, Any]], object]:
    def change(plan: dict[str, Any]) -> None:
        *way, last = place.split(".")
        inner = plan
        for name in way:
            inner = inner[name]
        inner[last] = value

    return change


def drop(place: str) -> Callable[[dict[str, Any]], object]:
    def change(plan: dict[str, Any]) -> None:
        *way, last = place.split(".")
        inner = plan
        for name in way:
            inner = inner[name]
        del inner[last]

    return change


@pytest.mark.parametrize("code", sorted(PLANS))
def test_the_shipped_plans_are_without_fault(code: str) -> None:
    assert plan_faults(PLANS[code]) == []
    assert code_faults(code) == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (put("response.premium.1.target", "PT0S"), "response.premium.1.target"),
        (put("response.premium.1.target", "P0D"), "response.premium.1.target"),
        (put("response.premium.1.target", "P91D"), "response.premium.1.target"),
        (put("response.premium.1.target", "P2Y"), "response.premium.1.target"),
        (put("response.premium.1.target", "4 hours"), "response.premium.1.target"),
        (put("response.premium.1.target", 14_400), "response.premium.1.target"),
        (put("response.premium.2.coverage", "nights"), "response.premium.2.coverage"),
        (put("response.premium.2.phone_opens_24x7", "yes"), "response.premium.2.phone_opens_24x7"),
        (put("response.premium.2.taget", None), "response.premium.2.taget"),
        (put("response.premium.5", {}), "response.premium.5"),
        (put("response.gold", {}), "response.gold"),
        (put("response.premium", []), "response.premium"),
        (drop("response.premium.4"), "response.premium.4"),
        (drop("response.standard"), "response.standard"),
        (drop("response.premium.1.coverage"), "response.premium.1.coverage"),
        (put("objectives.premium.1.resolution", "PT0H"), "objectives.premium.1.resolution"),
        (put("objectives.premium.1.lunch", None), "objectives.premium.1.lunch"),
        (drop("objectives.premium.3"), "objectives.premium.3"),
        (put("premium_incidents", -1), "premium_incidents"),
        (put("premium_incidents", True), "premium_incidents"),
        (put("premium_incidents", ""), "premium_incidents"),
        (put("named_contacts", None), "named_contacts"),
        (put("rank", "20"), "rank"),
        (put("lane", "fast"), "lane"),
        (put("name", " "), "name"),
        (put("escalation", "Not a slug"), "escalation"),
        (put("office", {}), "office.calendar"),
        (put("price", 9), "price"),
        (drop("has_phone"), "has_phone"),
    ],
)
def test_a_fault_is_told_at_its_place_and_nowhere_else(change: Callable[[dict[str, Any]], object], place: str) -> None:
    faults = plan_faults(changed(change))
    assert [fault.place for fault in faults] == [place]
    assert faults[0].sentence % faults[0].values


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    )
)
def test_anything_at_all_is_judged_without_an_error(value: object) -> None:
    for name in PLANS["plus"]:
        for fault in plan_faults({**PLANS["plus"], name: value}):
            assert fault.sentence % fault.values
    plan_faults(value)
    override_faults(value)


@given(st.timedeltas(timedelta(seconds=1), LONGEST).map(lambda span: timedelta(seconds=int(span.total_seconds()))))
def test_a_promise_is_read_back_from_both_of_its_forms(span: timedelta) -> None:
    assert is_promise(span)
    assert parse_iso(iso(span)) == span
    assert parse_words(words(iso(span))) == span
    assert plan_faults(changed(put("response.premium.1.target", iso(span)))) == []
    assert Policy.parse(changed(put("response.premium.1.target", iso(span)))["response"]["premium"])[1].target == span


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("4 h", 4 * 3600), ("30 min", 1800), ("1 d 12 h", 129_600), ("2h30m", 9000), ("pt4h", 14_400), ("1 w", 604_800)],
)
def test_durations_are_typed_as_people_type_them(typed: str, expected: int) -> None:
    assert parse_words(typed) == timedelta(seconds=expected)


@pytest.mark.parametrize("typed", ["", "soon", "4", "-4 h", "4,5 h", "h", "P", "PT", "P1Y"])
def test_what_is_no_duration_is_none(typed: str) -> None:
    assert parse_words(typed) is None


def test_overrides_lie_over_the_plan_level_by_level() -> None:
    own = {
        "premium_incidents": None,
        "carry_over": 2,
        "response": {"premium": {"2": {"target": "PT1H", "coverage": "always"}}},
    }
    assert override_faults(own) == []
    plan = PLANS["plus"]
    terms = in_force(12, 2, plan["response"], own)
    assert terms.allowance == Allowance(None, 2)
    assert terms.response["premium"]["2"] == {"target": "PT1H", "coverage": "always"}
    assert terms.response["premium"]["1"] == plan["response"]["premium"]["1"]
    assert terms.response["standard"] == plan["response"]["standard"]
    assert in_force(0, 0, plan["response"], {}).has_premium is False
