"""What a duplicate brings to the clock of the case that goes on: its start, its severity until then, its calls."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from guardia.features.cases.rules.projection import EventFact, fold
from guardia.features.sla.queries import clock_events
from guardia.features.sla.rules.events import Event
from guardia.features.sla.rules.joined_course import course_of

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANY_SEVERITY = st.integers(1, 4)
TIMES = st.integers(0, 10_000).map(lambda minutes: AT + timedelta(minutes=minutes))


def event(seq: int, kind: str, at: datetime, **payload: Any) -> EventFact:
    return EventFact(seq, kind, {"side": "staff"}, at, payload)


def submitted(at: datetime, severity: int) -> EventFact:
    facts = {"class": "premium", "severity": severity, "tier": 1, "plan_rank": 20}
    return event(1, "submitted", at, **facts)


def join(seq: int, at: datetime, duplicate: list[EventFact], case: str = "d") -> EventFact:
    brought = course_of(clock_events(duplicate))
    return event(seq, "merged_from", at, case=case, arrived_at=duplicate[0].occurred_at.isoformat(), **brought)


@given(TIMES, TIMES, ANY_SEVERITY, ANY_SEVERITY)
def test_the_clock_starts_at_the_first_arrival_with_the_severity_of_then(
    one: datetime, other: datetime, first: int, second: int
) -> None:
    kept = [submitted(one, first)]
    known = clock_events([*kept, join(2, max(one, other), [submitted(other, second)])])
    if other < one:
        assert known == [Event(other, "submitted", second), Event(one, "severity_changed", first)]
    else:
        assert known == clock_events(kept)
    assert fold([*kept, join(2, max(one, other), [submitted(other, second)])]).arrived_at == min(one, other)


@given(st.lists(st.tuples(TIMES, ANY_SEVERITY, st.booleans()), min_size=1, max_size=5), TIMES, ANY_SEVERITY)
def test_what_was_taken_back_never_was(
    duplicates: list[tuple[datetime, int, bool]], own: datetime, severity: int
) -> None:
    kept = [submitted(own, severity), event(2, "phone_confirmed", own)]
    with_all, standing = list(kept), list(kept)
    for number, (at, level, stays) in enumerate(duplicates):
        seq = 3 + 2 * number
        joined = join(seq, AT + timedelta(days=8), [submitted(at, level)], str(number))
        with_all.append(joined)
        if stays:
            standing.append(joined)
        else:
            with_all.append(event(seq + 1, "merge_taken_back", joined.occurred_at, case=str(number)))
    assert clock_events(with_all) == clock_events(standing)
    after, never = fold(with_all), fold(standing)
    assert (after.arrived_at, after.called_at, after.joined) == (never.arrived_at, never.called_at, never.joined)


def test_a_call_of_before_the_start_counts_from_it_and_the_first_one_is_brought() -> None:
    hour = timedelta(hours=1)
    duplicate = [submitted(AT, 1), event(2, "phone_confirmed", AT + hour), event(3, "phone_confirmed", AT + 2 * hour)]
    brought = join(2, AT + 6 * hour, duplicate)
    only_calls = event(2, "merged_from", AT + 6 * hour, **{**brought.payload, "course": []})
    known = clock_events([submitted(AT + 5 * hour, 1), only_calls])
    assert known == [Event(AT + 5 * hour, "submitted", 1), Event(AT + 5 * hour, "phone_confirmed")]
    known = clock_events([submitted(AT + 5 * hour, 1), brought])
    assert [(one.type, one.at) for one in known if one.type == "phone_confirmed"] == [("phone_confirmed", AT + hour)]
    assert known[0].at == AT


def test_a_clock_that_started_anew_leaves_the_earlier_start_behind() -> None:
    anew = AT + timedelta(hours=9)
    log = [
        submitted(AT + timedelta(hours=5), 2),
        join(2, AT + timedelta(hours=6), [submitted(AT, 3)]),
        event(3, "class_changed", anew, starts="now", **{"class": "premium"}),
    ]
    assert clock_events(log) == [Event(anew, "submitted", 2)]
