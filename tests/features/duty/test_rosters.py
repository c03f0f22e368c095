"""Rosters and overrides through their journeys: who may, what is refused, and what who_has answers afterwards."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, transaction
from tests.support.at_once import at_once, returned
from tests.support.cast import Cast, make_cast

from guardia.features.duty.models import DutyOverride, RosterVersion
from guardia.features.duty.queries import shifts, turns, who_has
from guardia.journeys.edit_roster import edit_roster
from guardia.journeys.override_duty import override_duty, revoke_override
from guardia.kernel.errors import Forbidden, Invalid, NotFound, Refused

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def rules(cast: Cast, *parts: str, **more: Any) -> dict[str, Any]:
    return {
        "zone": "Europe/Madrid",
        "people": [cast.actors[part].id for part in parts],
        "hand_over": {"every": "P1W", "weekday": "mon", "time": "09:00"},
        "starts_on": "2026-11-23",
        **more,
    }


def has(cast: Cast, at: datetime, code: str = "on_duty") -> str:
    person = who_has(code, at)
    return next((part for part, actor in cast.actors.items() if actor.id == str(person)), "nobody")


def swap(cast: Cast, by: str, to: str, hours: tuple[int, int] = (1, 2), **more: Any) -> str:
    now = cast.now
    person = UUID(cast.actors[to].id)
    facts = {
        "code": "on_duty",
        "reason": "Dentist",
        "starts_at": now + hours[0] * HOUR,
        "ends_at": now + hours[1] * HOUR,
    }
    return override_duty(cast.actors[by], now, person_id=person, **{**facts, **more})


def test_the_sample_roster_hands_over_on_mondays(cast: Cast) -> None:
    assert has(cast, cast.now) == "engineer"
    assert has(cast, cast.now + 7 * DAY) == "analyst"
    assert has(cast, cast.now, "duty_manager") == "duty_manager"


def test_an_empty_roster_has_nobody_on_duty(db: None, now: datetime) -> None:
    assert who_has("on_duty", now) is None
    assert turns(now) == {"on_duty": [], "duty_manager": []}
    assert shifts("on_duty", now, now + DAY) == []


def test_a_duty_manager_changes_a_rotation_from_an_instant_on(cast: Cast) -> None:
    later = cast.now + 3 * DAY
    said = rules(cast, "analyst", "duty_manager")
    assert edit_roster(cast.duty_manager, cast.now, "on_duty", said, "New colleague", holds_from=later) == 2
    assert has(cast, later - HOUR) == "engineer"
    assert has(cast, later) == "analyst"


def test_a_form_that_is_sent_twice_makes_one_version(cast: Cast) -> None:
    key = str(uuid4())
    numbers = {
        edit_roster(cast.duty_manager, cast.now, "on_duty", rules(cast, "analyst"), "Why", idempotency_key=key)
        for _ in range(2)
    }
    assert numbers == {2}


@pytest.mark.parametrize("part", ["engineer", "releaser", "plus_admin"])
def test_only_a_duty_manager_changes_a_rotation(cast: Cast, part: str) -> None:
    with pytest.raises(Forbidden):
        edit_roster(cast.actors[part], cast.now, "on_duty", rules(cast, "engineer"), "Mine now")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"people": []}, "people"),
        ({"people": [str(UUID(int=7))]}, "people"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"holidays": {"by": "next_working_day", "country": "XX"}}, "holidays.country"),
        ({"holidays": {"by": "next_working_day", "country": "ES", "region": "ZZ"}}, "holidays.region"),
        ({"holidays": {"by": "people", "country": "ES", "people": []}}, "holidays.people"),
    ],
)
def test_a_rotation_that_leaves_somebody_or_nobody_is_refused_at_its_field(
    cast: Cast, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        edit_roster(cast.duty_manager, cast.now, "on_duty", {**rules(cast, "engineer"), **changes}, "Why")
    assert list(refused.value.fields) == [field]


def test_people_without_the_role_and_people_who_left_are_refused_by_name(cast: Cast) -> None:
    cast.people["engineer"].is_active = False
    cast.people["engineer"].save()
    for part, name in (("releaser", "Jon Prieto"), ("plus", "Lucía Ferrer"), ("engineer", "Marta Ibáñez")):
        with pytest.raises(Invalid) as refused:
            edit_roster(cast.duty_manager, cast.now, "on_duty", rules(cast, part), "Why")
        assert name in refused.value.fields["people"]


def test_a_version_neither_begins_in_the_past_nor_without_a_reason(cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        edit_roster(cast.duty_manager, cast.now, "on_duty", rules(cast, "engineer"), "Why", holds_from=cast.now - HOUR)
    assert list(refused.value.fields) == ["holds_from"]
    with pytest.raises(Invalid) as refused:
        edit_roster(cast.duty_manager, cast.now, "on_duty", rules(cast, "engineer"), " ")
    assert list(refused.value.fields) == ["reason"]


def test_a_roster_that_does_not_exist_is_not_found(cast: Cast) -> None:
    with pytest.raises(NotFound):
        edit_roster(cast.duty_manager, cast.now, "night_watch", rules(cast, "engineer"), "Why")


def test_versions_are_append_only(cast: Cast) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        RosterVersion.objects.update(reason="rewritten")


def test_a_colleague_takes_over_and_the_rotation_goes_on_afterwards(cast: Cast) -> None:
    swap(cast, "duty_manager", "duty_manager")
    said = [has(cast, cast.now + minutes * timedelta(minutes=1)) for minutes in (59, 60, 119, 120)]
    assert said == ["engineer", "duty_manager", "duty_manager", "engineer"]


def test_an_engineer_gives_away_the_own_duty_and_no_other(cast: Cast) -> None:
    swap(cast, "engineer", "analyst")
    assert has(cast, cast.now + HOUR) == "analyst"
    with pytest.raises(Forbidden):
        swap(cast, "analyst", "engineer", (3, 4))
    with pytest.raises(Forbidden):
        swap(cast, "engineer", "analyst", (3, 24 * 8))
    with pytest.raises(Forbidden):
        swap(cast, "plus_admin", "analyst")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hours": (2, 1)}, "ends_at"),
        ({"hours": (-3, -1)}, "ends_at"),
        ({"hours": (1, 24 * 40)}, "ends_at"),
        ({"hours": (24 * 400, 24 * 401)}, "starts_at"),
        ({"reason": ""}, "reason"),
        ({"to": "releaser"}, "person"),
        ({"to": "plus"}, "person"),
    ],
)
def test_an_override_without_sense_is_refused_at_its_field(cast: Cast, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        swap(cast, "duty_manager", **{"to": "analyst", **changes})
    assert list(refused.value.fields) == [field]


def test_an_override_that_begins_in_the_past_counts_from_now_on(cast: Cast) -> None:
    swap(cast, "duty_manager", "analyst", (-5, 2))
    assert has(cast, cast.now - timedelta(minutes=1)) == "engineer"
    assert has(cast, cast.now) == "analyst"


def test_taking_an_override_back_leaves_what_was(cast: Cast) -> None:
    made = UUID(swap(cast, "duty_manager", "analyst", (1, 5)))
    revoke_override(cast.duty_manager, cast.now + 3 * HOUR, made)
    assert has(cast, cast.now + 2 * HOUR) == "analyst"
    assert has(cast, cast.now + 4 * HOUR) == "engineer"
    revoke_override(cast.duty_manager, cast.now + 4 * HOUR, made)
    assert has(cast, cast.now + 2 * HOUR) == "analyst"
    with pytest.raises(Refused):
        revoke_override(cast.duty_manager, cast.now + 6 * HOUR, made)


def test_only_the_maker_or_a_duty_manager_takes_an_override_back(cast: Cast) -> None:
    made = UUID(swap(cast, "engineer", "analyst"))
    with pytest.raises(Forbidden):
        revoke_override(cast.analyst, cast.now, made)
    revoke_override(cast.engineer, cast.now, made)
    assert has(cast, cast.now + HOUR) == "engineer"
    with pytest.raises(NotFound):
        revoke_override(cast.duty_manager, cast.now, UUID(int=1))


def test_turns_name_the_present_shift_and_the_next_person(cast: Cast) -> None:
    swap(cast, "duty_manager", "duty_manager", (1, 2))
    now, after = turns(cast.now)["on_duty"]
    assert (str(now.person), now.ends_at) == (cast.engineer.id, cast.now + HOUR)
    assert str(after.person) == cast.duty_manager.id
    assert len(turns(cast.now)["duty_manager"]) == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_editors_of_one_roster_make_versions_one_after_the_other(keys: None, now: datetime) -> None:
    cast = make_cast(now)

    def edit(part: str) -> int:
        return edit_roster(cast.duty_manager, cast.now, "on_duty", rules(cast, part), f"for {part}")

    results = at_once([partial(edit, part) for part in ("engineer", "analyst", "duty_manager")])
    assert sorted(returned(results)) == [2, 3, 4]
    assert DutyOverride.objects.count() == 0
