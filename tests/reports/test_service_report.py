"""The report's figures are those that a slow clerk counts from the cases one by one; outcomes mean one thing each."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.cast import Cast

from guardia.features.cases.models import Case
from guardia.features.contracts.models import Contract
from guardia.journeys.answer_case import answer_case
from guardia.journeys.take_case import take_case
from guardia.kernel.errors import NotFound
from guardia.kernel.ids import case_number, uuid7
from guardia.kernel.zones import get_zone
from guardia.reports.outcomes import OUTCOMES, outcome_in_sql, outcome_of, percentile
from guardia.reports.service_report import Asked, Figures, figures_of, service_report, table_of

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
_numbers = iter(range(2_000_000, 9_999_999))


def whole(**facts: Any) -> Any:
    return SimpleNamespace(
        **{"clock_state": "running", "due_at": None, "answered_at": None, "closed_at": None, **facts}
    )


@pytest.mark.parametrize(
    ("facts", "outcome"),
    [
        ({"clock_state": "met"}, "met"),
        ({"clock_state": "answered"}, "answered"),
        ({"clock_state": "breached"}, "breached"),
        ({"due_at": NOW - HOUR}, "breached"),
        ({"due_at": NOW}, "running"),
        ({"due_at": NOW + HOUR}, "running"),
        ({"due_at": NOW - HOUR, "closed_at": NOW - 2 * HOUR}, "ended"),
        ({"clock_state": "best_effort"}, "waiting"),
        ({"clock_state": "best_effort", "closed_at": NOW}, "ended"),
    ],
)
def test_a_case_has_one_outcome(facts: dict[str, Any], outcome: str) -> None:
    assert outcome_of(whole(**facts), NOW) == outcome


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_half_of_the_times_are_at_most_the_median_and_a_tenth_above_the_ninetieth(times: list[int]) -> None:
    median, p90 = percentile(times, 0.5), percentile(times, 0.9)
    assert median is not None
    assert p90 is not None
    assert sum(time <= median for time in times) * 2 >= len(times)
    assert sum(time > p90 for time in times) <= len(times) / 10 + 1
    assert median <= p90


MOMENTS = st.integers(-90 * 24, 0).map(lambda hours: NOW + hours * HOUR)


@st.composite
def some_case(draw: st.DrawFn) -> dict[str, Any]:
    submitted = draw(MOMENTS)
    state = draw(st.sampled_from(["running", "met", "breached", "answered", "best_effort"]))
    after = submitted + draw(st.integers(0, 400)) * HOUR
    answered = after if state in {"met", "answered"} or (state == "breached" and draw(st.booleans())) else None
    return {
        "submitted_at": submitted,
        "case_class": draw(st.sampled_from(["premium", "standard", "undecided"])),
        "severity": draw(st.integers(1, 4)),
        "clock_state": state,
        "due_at": submitted + draw(st.integers(0, 400)) * HOUR if state not in {"answered", "best_effort"} else None,
        "answered_at": answered,
        "answer_s": draw(st.integers(0, 10**6)) if answered else None,
        "closed_at": draw(st.one_of(st.none(), st.just(after))),
        "acknowledged_at": draw(st.one_of(st.none(), st.just(submitted + HOUR))),
    }


def kept(contract: Contract, facts: dict[str, Any]) -> Case:
    return Case(
        id=uuid7(),
        company_id=contract.company_id,
        number=case_number(next(_numbers)),
        kind="incident",
        channel="portal",
        subject="Made up",
        opened_by_id=contract.id,
        opened_by_name="Somebody",
        contract_id=contract.id,
        calendar_version_id=contract.calendar_version_id,
        terms={},
        state="submitted",
        state_since=facts["submitted_at"],
        tier=1,
        plan_rank=20,
        **facts,
    )


@given(facts=st.lists(some_case(), max_size=25))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_figure_agrees_with_counting_one_by_one(cast: Cast, facts: list[dict[str, Any]]) -> None:
    """The slow model: every case of the period taken in hand, its outcome judged in Python."""
    Case.objects.across_companies("a test begins anew").delete()
    contract = Contract.objects.of_company(cast.plus.company_id or uuid7()).get()
    cases = [kept(contract, some) for some in facts]
    Case.objects.bulk_create(cases)
    report = service_report(cast.duty_manager, NOW, Asked(period="2026-Q4"))
    start, end = report.period.instants(contract_zone())
    inside = [case for case in cases if start <= case.submitted_at < end]
    assert close(report.total, figures_of(inside, NOW))
    for line in report.lines:
        own = [case for case in inside if (case.case_class, case.severity) == (line.case_class, line.severity)]
        assert close(line.figures, figures_of(own, NOW))
    assert sum(line.figures.volume for line in report.lines) == len(inside)
    for month in report.trend:
        own = [case for case in cases if f"{case.submitted_at.astimezone(contract_zone()):%Y-%m}" == month.text]
        assert close(month.figures, figures_of(own, NOW))
    rows = Case.objects.across_companies("compared").annotate(outcome=outcome_in_sql(NOW))
    assert {row.id: row.outcome for row in rows} == {case.id: outcome_of(case, NOW) for case in cases}


def contract_zone() -> ZoneInfo:
    return get_zone("Europe/Madrid")


def close(one: Figures, other: Figures) -> bool:
    counts = all(getattr(one, name) == getattr(other, name) for name in ("volume", "acknowledged", *OUTCOMES))
    times = (
        getattr(one, name) == pytest.approx(getattr(other, name)) for name in ("median_s", "p90_s", "acknowledged_s")
    )
    return counts and all(times)


def test_customers_read_their_own_company_only(cast: Cast) -> None:
    cast.open("plus")
    cast.open("standard")
    assert service_report(cast.plus, cast.now, Asked()).total.volume == 1
    assert service_report(cast.standard, cast.now, Asked()).total.volume == 1
    assert service_report(cast.engineer, cast.now, Asked()).total.volume == 2
    with pytest.raises(NotFound):
        service_report(cast.standard, cast.now, Asked(contract="MSA-4071"))


def test_a_period_holds_its_local_days_and_nothing_else(cast: Cast) -> None:
    cast.open("plus")
    day = "2026-11-23"
    assert service_report(cast.engineer, cast.now, Asked(first=day, last=day)).total.volume == 1
    assert service_report(cast.engineer, cast.now, Asked(first="2026-11-24", last="2026-11-30")).total.volume == 0
    assert service_report(cast.engineer, cast.now, Asked(period="2026-10")).total.volume == 0
    assert service_report(cast.engineer, cast.now, Asked(period="2026-10")).period.first_day == date(2026, 10, 1)


@pytest.mark.parametrize("asked", [Asked("nonsense"), Asked("2026-13"), Asked(first="x", last="y"), Asked("9999-99")])
def test_a_period_that_cannot_be_read_is_this_month(cast: Cast, asked: Asked) -> None:
    assert service_report(cast.engineer, cast.now, asked).period.text == "2026-11"


def test_premium_incidents_are_counted_from_the_ledger(cast: Cast) -> None:
    for _ in range(2):
        cast.open("plus")
    report = service_report(cast.duty_manager, cast.now, Asked(contract="MSA-4071"))
    assert [(line.premium_spent, line.premium_left) for line in report.contracts] == [(2, 10)]


def test_the_time_to_the_answer_is_what_the_case_says(cast: Cast) -> None:
    number = cast.open("plus").number
    take_case(cast.engineer, cast.now + HOUR, number)
    answer_case(cast.engineer, cast.now + 2 * HOUR, number, "The cause is known.", "analysis")
    total = service_report(cast.engineer, cast.now + 3 * HOUR, Asked()).total
    assert (total.met, total.median_s, total.p90_s, total.acknowledged_s) == (1, 7200, 7200, 3600)
    assert table_of(service_report(cast.engineer, cast.now + 3 * HOUR, Asked()))[-1][2:6] == [1, 1, 0, 100.0]
