"""Rules as they are written: what is refused, at which field, and that a base rotation leaves no gap."""

from typing import Any
from uuid import UUID

import pytest
from tests.rules.duty.test_rotation import ANA, BEN, CAT, OFFICE, layer, written

from guardia.features.duty.rules.written import RosterFault, everybody, parse_rules

FREE = {"country": "ES", "region": "MD", "dates": {"2026-12-08": "Inmaculada"}}


def fault(**changes: Any) -> str:
    with pytest.raises(RosterFault) as refused:
        parse_rules({**written(), **changes})
    assert refused.value.sentence % refused.value.parts
    return refused.value.field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"zone": "Europe/Nowhere"}, "zone"),
        ({"zone": "/etc/passwd"}, "zone"),
        ({"zone": None}, "zone"),
        ({"people": []}, "people"),
        ({"people": ["somebody"]}, "people"),
        ({"people": [str(ANA)] * 51}, "people"),
        ({"hand_over": {"every": "P3D", "time": "09:00"}}, "hand_over.every"),
        ({"hand_over": {"every": "P1W", "time": "09:00"}}, "hand_over.weekday"),
        ({"hand_over": {"every": "P1W", "time": "09:00", "weekday": "monday"}}, "hand_over.weekday"),
        ({"hand_over": {"every": "P1D", "time": "24:00"}}, "hand_over.time"),
        ({"hand_over": {"every": "P1D", "time": "24:01"}}, "hand_over.time"),
        ({"hand_over": {"every": "P1D", "time": "9 h"}}, "hand_over.time"),
        ({"starts_on": "tomorrow"}, "starts_on"),
        ({"starts_on": "0001-01-01"}, "starts_on"),
        ({"layers": [layer(ANA, {})]}, "layers.0.weekly"),
        ({"layers": [layer(ANA, OFFICE, name=" ")]}, "layers.0.name"),
        ({"layers": [layer(ANA, OFFICE), layer(BEN, {"mon": [["19:00", "09:00"]]})]}, "layers.1.weekly.mon"),
        ({"layers": [layer(ANA, {"tue": [["09:00", "12:00"], ["11:00", "13:00"]]})]}, "layers.0.weekly.tue"),
        ({"layers": [layer(ANA, {"tue": [["09:00", "09:00"]]})]}, "layers.0.weekly.tue"),
        ({"layers": [{**layer(ANA, OFFICE), "people": []}]}, "layers.0.people"),
        ({"layers": [layer(ANA, OFFICE)] * 6}, "layers"),
        ({"holidays": {"by": "magic"}}, "holidays.by"),
        ({"holidays": {**FREE, "by": "people", "people": []}}, "holidays.people"),
        ({"holidays": {"by": "none", "dates": {"8 December": "Inmaculada"}}}, "holidays.dates"),
    ],
)
def test_what_does_not_say_who_has_the_duty_is_refused_at_its_field(changes: dict[str, Any], field: str) -> None:
    assert fault(**changes) == field


def test_everybody_who_is_named_anywhere_is_known() -> None:
    whole = written(ANA, layers=[layer(BEN, OFFICE)], holidays={**FREE, "by": "people", "people": [str(CAT)]})
    assert everybody(parse_rules(whole)) == {ANA, BEN, CAT}


def test_windows_that_touch_do_not_overlap_and_may_reach_midnight() -> None:
    weekly = {"mon": [["12:00", "24:00"], ["00:00", "12:00"]]}
    assert len(parse_rules(written(layers=[layer(ANA, weekly)])).layers[0].weekly[0]) == 2


def test_somebody_may_have_the_duty_twice_in_a_round() -> None:
    assert parse_rules(written(ANA, BEN, ANA)).base.people == (ANA, BEN, ANA)
    assert isinstance(parse_rules(written(ANA)).base.people[0], UUID)
