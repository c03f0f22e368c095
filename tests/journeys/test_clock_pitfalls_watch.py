"""The pitfalls of other desks that concern what is watched and who is told (`design/pitfalls.md`)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.cast import Cast
from tests.support.ticking import case_of, events, fired, steps, tick_all, told, watch_of

from guardia.features.sla.models import ClockFiring, StaffNotice
from guardia.journeys.answer_case import answer_case
from guardia.journeys.escalation_policies import save_policy
from guardia.journeys.fire_clocks import ensure_default_policy, tick
from guardia.journeys.merge_cases import merge_case
from guardia.journeys.move_case import close_case, reject_case
from guardia.journeys.take_case import take_case
from guardia.kernel.outbox.models import OutboxMessage
from guardia.reports.alerts_page import alerts_page

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
FRIDAY_1430 = datetime(2026, 11, 27, 13, 30, tzinfo=UTC)
MONDAY_0930 = datetime(2026, 11, 30, 8, 30, tzinfo=UTC)
WHY = "a test looks at every row"


def step(on: str, to: str, by: str = "console", clock: str = "response", **more: Any) -> dict[str, Any]:
    return {"on": on, "clock": clock, "to": to, "by": by.split(), **more}


def follow(cast: Cast, *wanted: dict[str, Any]) -> None:
    ensure_default_policy(cast.now)
    save_policy(cast.duty_manager, cast.now, "default", "All plans", list(wanted), 1)


def held(cast: Cast) -> str:
    number = cast.open().number
    take_case(cast.engineer, cast.now, number)
    return number


def test_a_case_whose_promise_is_met_keeps_nobody_awake(cast: Cast) -> None:
    """P8: nothing stays escalated, and nothing goes on mailing, once the clock has stopped."""
    follow(cast, step("75", "holder", "console mail", repeat="PT10M", at_most=12))
    number = held(cast)
    tick_all(cast.now + 3 * HOUR + SECOND)
    answer_case(cast.engineer, cast.now + 3 * HOUR + MINUTE, number, "The driver blocks it.", "analysis")
    for hours in range(4, 30):
        tick_all(cast.now + hours * HOUR)
    assert len(events(number, "escalated")) == 1
    assert {one.stopped_why for one in steps(number)} == {"answered"}
    assert watch_of(number).next_at is None
    assert not StaffNotice.objects.across_companies(WHY).filter(read_at=None).exists()


def test_closed_rejected_and_merged_cases_do_not_escalate(cast: Cast) -> None:
    """P10: not one mark of theirs is recorded afterwards."""
    closed, rejected, duplicate, kept = (held(cast) for _ in range(4))
    later = cast.now + HOUR
    close_case(cast.engineer, later, closed, "solved", "the driver was replaced")
    reject_case(cast.engineer, later, rejected, "out of scope")
    merge_case(cast.engineer, later, duplicate, kept, "the same outage")
    tick_all(cast.now + 9 * HOUR)
    for number in (closed, rejected, duplicate):
        assert fired(number) == [] == fired(number, "resolution")
        assert told(number) == []
        assert watch_of(number).next_at is None
    assert "breach" in fired(kept)


def test_the_view_of_what_is_late_is_not_empty(cast: Cast) -> None:
    """P11: seen from the ticker to the page, by the one who is told."""
    follow(cast, step("breach", "holder"))
    number = held(cast)
    tick_all(cast.now + 4 * HOUR + SECOND)
    page = alerts_page(cast.engineer, cast.now + 4 * HOUR + MINUTE)
    assert [row.number for row in page.rows] == [number]
    assert page.rows[0].clock.state == "breached"
    assert alerts_page(cast.releaser, cast.now + 4 * HOUR + MINUTE).rows == ()
    assert [row.number for row in alerts_page(cast.releaser, cast.now + 5 * HOUR, "all").rows] == [number]


def test_a_warning_days_ahead_stands_at_its_instant_and_not_at_midnight(cast: Cast) -> None:
    """P18: half of a resolution goal of 20 working hours is 10 working hours, to the second."""
    number = held(cast)
    marks = {name: datetime.fromisoformat(at) for name, at in watch_of(number, "resolution").marks}
    assert marks["50"] == datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # nine hours on Monday, one on Tuesday
    assert {at.time() for at in marks.values()}.isdisjoint({datetime.min.time()})


def test_no_share_is_kept_that_could_grow_stale(cast: Cast) -> None:
    """P21: neither messages nor notices hold how much is used; it is worked out when it is told."""
    follow(cast, step("75", "holder", "console mail"))
    held(cast)
    tick_all(cast.now + 3 * HOUR + SECOND)
    kept = [message.payload for message in OutboxMessage.objects.filter(kind="escalation_mail")]
    kept += [notice.facts for notice in StaffNotice.objects.across_companies(WHY)]
    assert kept
    assert all("share" not in facts and "remaining" not in facts for facts in kept)
    first = alerts_page(cast.engineer, cast.now + 3 * HOUR + MINUTE).rows[0].clock.share
    later = alerts_page(cast.engineer, cast.now + 3.8 * HOUR).rows[0].clock.share
    assert (first, later) == (75, 95)


def test_after_an_outage_every_mark_is_recorded_in_one_go_however_many_there_are(cast: Cast) -> None:
    """P23: no cap of a hundred for each run; a batch is large, and the next follows at once."""
    follow(cast, step("breach", "holder"))
    numbers = [held(cast) for _ in range(12)]
    assert tick(cast.now + 9 * HOUR).clocks >= 12
    assert all("breach" in fired(number) for number in numbers)
    late = ClockFiring.objects.across_companies(WHY).filter(mark="breach").values_list("late_by", flat=True)
    assert set(late) == {5 * HOUR}


def test_a_step_that_waits_for_the_office_to_open_survives_any_restart(cast: Cast) -> None:
    """P24: it is a row, taken at the opening by whichever ticker is at work then; P13: not at midnight."""
    follow(cast, step("breach", "holder"), step("breach", "duty_manager", "console mail", after="PT1H"))
    cast.now = FRIDAY_1430
    number = held(cast)
    due = case_of(number).due_at
    assert due is not None
    tick_all(due + SECOND)
    (waiting,) = [one for one in steps(number) if one.to == "duty_manager"]
    assert waiting.at == MONDAY_0930  # half an hour on Friday, half an hour on Monday
    tick_all(datetime(2026, 11, 28, 23, 0, tzinfo=UTC))
    tick_all(waiting.at - SECOND)
    assert ("response", "breach", "duty_manager") not in told(number)
    tick_all(waiting.at + SECOND)
    assert ("response", "breach", "duty_manager") in told(number)


def test_shares_that_pass_together_are_told_once(cast: Cast) -> None:
    """P25: after an outage one line and one mail, not three."""
    follow(
        cast, step("50", "holder", "console mail"), step("75", "holder", "console mail"), step("90", "holder", "mail")
    )
    number = held(cast)
    tick_all(cast.now + 3.9 * HOUR)
    assert fired(number) == ["90", "75", "50"]
    assert told(number) == [("response", "90", "holder")]
    assert OutboxMessage.objects.filter(kind="escalation_mail").count() == 1
