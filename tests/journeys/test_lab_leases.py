"""A lease is one worker's for half a minute; findings count once, from the worker that holds it."""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from tests.support.at_once import at_once, raised, returned
from tests.support.cast import Cast
from tests.support.lab_bench import Bench, gates_passed, scanned

from guardia.features.cases.models import CaseEvent
from guardia.features.lab.models import LabJob, Sample
from guardia.features.lab.operations import LEASE
from guardia.journeys.draft_correction import request_proposals
from guardia.journeys.lab_work import LeasedJob, hand_in, lease_job, open_sample, read_database_file, report_progress
from guardia.kernel.errors import NotFound, Refused
from labkit.wire.sealed import open_sealed

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def bench(cast: Cast) -> Bench:
    return Bench(cast)


def row(job: LeasedJob) -> LabJob:
    return LabJob.objects.across_companies("a test reads").get(id=job.id)


def events(event_type: str) -> int:
    return CaseEvent.objects.across_companies("a test counts").filter(type=event_type).count()


def every_use(job: LeasedJob, lease: str, now: datetime) -> list[Callable[[], object]]:
    job_id = UUID(job.id)
    sha256 = job.payload["samples"][0]["sha256"]
    file = job.payload["lane"]["files"][0]["sha256"]
    return [
        lambda: open_sample(job_id, lease, sha256, now),
        lambda: read_database_file(job_id, lease, file, now),
        lambda: report_progress(job_id, lease, [], now),
        lambda: hand_in(job_id, lease, scanned(job, "not_detected"), "", now),
    ]


def demand_lost(job: LeasedJob, lease: str, now: datetime) -> None:
    for use in every_use(job, lease, now):
        with pytest.raises(Refused) as lost:
            use()
        assert lost.value.code == "lease_lost"
    assert events("precheck") == 0


def test_a_worker_gets_each_sample_sealed_with_its_key_and_nothing_else(bench: Bench) -> None:
    content = b"the very bytes of the sample" * 1000
    bench.cast.open_report(content=content)
    job = bench.lease("precheck")
    reference = job.payload["samples"][0]
    with open_sample(UUID(job.id), job.lease, reference["sha256"], bench.cast.now) as sealed:
        raw = sealed.read()
        assert b"very bytes" not in raw
        sealed.seek(0)
        assert b"".join(open_sealed(sealed, base64.b64decode(reference["key"]))) == content
    assert "sample_id" not in reference
    with pytest.raises(NotFound):
        open_sample(UUID(job.id), job.lease, "0" * 64, bench.cast.now)
    with pytest.raises(NotFound):
        read_database_file(UUID(job.id), job.lease, "0" * 64, bench.cast.now)


def test_a_sample_of_another_job_is_not_handed_out(bench: Bench) -> None:
    mine, other = bench.cast.open_report(), bench.cast.open_report("standard")
    jobs = {job.payload["case"]: job for job in (bench.lease("precheck"), bench.lease("precheck"))}
    foreign = jobs[other.number].payload["samples"][0]["sha256"]
    with pytest.raises(NotFound):
        open_sample(UUID(jobs[mine.number].id), jobs[mine.number].lease, foreign, bench.cast.now)


def test_a_made_up_lease_is_refused_everywhere(bench: Bench) -> None:
    bench.cast.open_report()
    job = bench.lease("precheck")
    for lease in ("", "made up", row(job).lease_digest):
        demand_lost(job, lease, bench.cast.now)
    with pytest.raises(NotFound):
        hand_in(uuid4(), job.lease, {}, "", bench.cast.now)


def test_a_lease_that_ran_out_is_refused_even_before_another_worker_came(bench: Bench) -> None:
    bench.cast.open_report()
    job = bench.lease("precheck")
    demand_lost(job, job.lease, bench.cast.now + LEASE + SECOND)


def test_progress_extends_the_lease(bench: Bench) -> None:
    bench.cast.open_report()
    job = bench.lease("precheck")
    moment = bench.cast.now
    for turn in range(5):
        moment += LEASE - SECOND
        report_progress(UUID(job.id), job.lease, [{"turn": turn}], moment)
        assert lease_job("second", moment) is None
    hand_in(UUID(job.id), job.lease, scanned(job, "not_detected"), "", moment)
    assert row(job).state == "done"


def test_a_second_worker_takes_the_job_over_and_the_first_has_lost_it(bench: Bench) -> None:
    bench.cast.open_report()
    first = bench.lease("precheck")
    assert lease_job("second", bench.cast.now) is None
    later = bench.cast.now + LEASE + SECOND
    second = lease_job("second", later)
    assert second is not None
    assert second.id == first.id
    demand_lost(first, first.lease, later)
    hand_in(UUID(second.id), second.lease, scanned(second, "not_detected"), "", later)
    assert events("precheck") == 1
    with pytest.raises(Refused):
        hand_in(UUID(second.id), second.lease, scanned(second, "not_detected"), "", later)
    assert events("precheck") == 1


def lose_workers(bench: Bench, count: int) -> None:
    for turn in range(count):
        assert lease_job(f"worker {turn}", bench.cast.now + turn * (LEASE + SECOND)) is not None


def test_after_three_lost_workers_a_gate_run_is_failed_and_so_is_its_draft(bench: Bench) -> None:
    draft = bench.drafted(bench.reported())
    lose_workers(bench, 3)
    assert lease_job("a fourth", bench.cast.now + 3 * (LEASE + SECOND)) is None
    job = LabJob.objects.across_companies("a test reads").get(kind="gates")
    assert (job.state, job.attempts) == ("failed", 3)
    assert "3 lab workers were lost" in job.error
    assert bench.draft(draft.case_number, draft.number).state == "gate_failed"
    assert lease_job("a fifth", bench.cast.now + 4 * (LEASE + SECOND)) is None
    with pytest.raises(Refused, match="gate failed"):
        bench.review(draft)


@pytest.mark.parametrize("kind", ["precheck", "draft"])
def test_after_three_lost_workers_the_case_says_that_the_lab_failed(bench: Bench, kind: str) -> None:
    if kind == "precheck":
        bench.cast.open_report()
    else:
        bench.reported()
    lose_workers(bench, 3)
    assert lease_job("a fourth", bench.cast.now + 3 * (LEASE + SECOND)) is None
    assert LabJob.objects.across_companies("a test reads").get(kind=kind).state == "failed"
    said = CaseEvent.objects.across_companies("a test reads").get(type="lab_failed")
    assert said.payload["kind"] == kind
    assert "3 lab workers were lost" in said.payload["error"]


def test_a_job_that_lost_its_workers_does_not_hold_up_the_next_one(bench: Bench) -> None:
    bench.cast.open_report()
    lose_workers(bench, 3)
    other = bench.cast.open_report("standard").number
    later = bench.cast.now + 3 * (LEASE + SECOND)
    leased = [lease_job("next", later), lease_job("next", later)]
    assert [job.payload["case"] for job in leased if job] == [other]


def test_an_error_handed_in_is_told_by_the_case_and_fails_a_draft(bench: Bench) -> None:
    draft = bench.drafted(bench.reported())
    bench.hand_in(bench.lease("gates"), None, "clamscan is not installed here.")
    assert bench.draft(draft.case_number, draft.number).state == "gate_failed"
    finished = CaseEvent.objects.across_companies("a test reads").get(type="gates_finished")
    assert finished.payload["missing"] == ["clamscan is not installed here."]
    assert finished.payload["passed"] is False


def test_premium_work_is_leased_first_then_the_graver_then_the_older(bench: Bench) -> None:
    cast = bench.cast
    standard = cast.open_report("standard").number
    upload = cast.upload("plus", b"a low one")
    low = cast.open("plus", **vars_of(cast, upload.id, severity=4)).number
    high = cast.open("plus", **vars_of(cast, cast.upload("plus", b"a grave one").id, severity=1)).number
    again = cast.open("plus", **vars_of(cast, cast.upload("plus", b"another grave one").id, severity=1)).number
    order = [bench.lease("precheck").payload["case"] for _ in range(4)]
    assert order == [high, again, low, standard]


def vars_of(cast: Cast, upload: UUID, **changes: object) -> dict[str, object]:
    return {**vars(cast.report((upload,))), **changes}


@pytest.mark.django_db(transaction=True)
def test_twenty_workers_never_get_the_same_job(cast: Cast) -> None:
    for index in range(8):
        cast.open_report("standard", content=f"sample {index}".encode())
    answers = at_once([partial(lease_job, f"worker {index}", cast.now) for index in range(20)])
    assert not raised(answers)
    leased = [job.id for job in returned(answers) if job]
    assert len(leased) == len(set(leased)) == 8


@pytest.mark.django_db(transaction=True)
def test_findings_handed_in_many_times_at_once_are_concluded_once(cast: Cast) -> None:
    bench = Bench(cast)
    draft = bench.drafted(bench.reported())
    job = bench.lease("gates")
    answers = at_once([lambda: bench.hand_in(job, gates_passed()) for _ in range(12)])
    assert len(returned(answers)) == 1
    assert {getattr(error, "code", repr(error)) for error in raised(answers)} == {"lease_lost"}
    assert events("gates_finished") == 1
    assert bench.draft(draft.case_number, draft.number).state == "gated"


def test_a_job_that_cannot_be_made_does_not_hold_up_the_others_and_fails_at_last(
    bench: Bench,
) -> None:
    broken = bench.cast.open_report().number
    sample = Sample.objects.across_companies("a test damages").get(company_id=bench.cast.people["plus"].company_id)
    Sample.objects.across_companies("a test damages").filter(id=sample.id).update(key_id="a key that was lost")
    whole = bench.cast.open_report("standard").number
    moment = bench.cast.now
    assert lease_job("first", moment) is None
    job = lease_job("first", moment)
    assert job is not None
    assert job.payload["case"] == whole
    hand_in(UUID(job.id), job.lease, scanned(job, "detected"), "", moment)
    for _ in range(3):
        moment += LEASE + SECOND
        assert lease_job("first", moment) is None
    failed = LabJob.objects.across_companies("a test reads").get(case_number=broken)
    assert failed.state == "failed"
    assert "LabKeyMissing" in failed.error
    assert events("lab_failed") == 1


@pytest.mark.parametrize("part", ["plus", "standard"])
def test_no_correction_is_asked_for_where_nothing_is_claimed(bench: Bench, part: str) -> None:
    number = bench.cast.open(part).number
    with pytest.raises(Refused, match="Only signature changes"):
        request_proposals(bench.cast.analyst, bench.cast.now, number)
    assert lease_job("any", bench.cast.now) is None
