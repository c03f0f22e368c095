"""The web server is killed while a customer sends: nothing is lost, nothing is done twice."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from django.conf import settings
from tests.support.cast import Cast, make_cast
from tests.support.web_process import WebProcess

from guardia.features.accounts.operations import issue_token
from guardia.features.cases.models import Case, CaseEvent
from guardia.features.contracts.models import QuotaEntry
from guardia.features.lab.models import Sample, Upload
from guardia.journeys.rebuild_projections import rebuild_projections
from guardia.kernel.transactions import journey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

DELAYS_S = (0.0, 0.01, 0.03, 0.06, 0.1)


@pytest.fixture
def live_cast(transactional_db: None, keys: None) -> Cast:
    """The cast in the present: the killed server reads the real clock."""
    return make_cast(datetime.now(UTC))  # noqa: TID251  the server process has no frozen clock


@pytest.fixture
def web(live_cast: Cast) -> Iterator[WebProcess]:
    process = WebProcess()
    yield process
    process.kill()


def token_of(cast: Cast) -> str:
    with journey():
        return issue_token(UUID(cast.plus.id), UUID(str(cast.plus.company_id)), "torture", cast.now)[1]


def send(url: str, token: str, key: str, body: dict[str, object]) -> httpx.Response | None:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    try:
        return httpx.post(f"{url}/api/v1/cases", json=body, headers=headers, timeout=20)
    except httpx.HTTPError:
        return None


def test_a_case_that_was_being_sent_when_the_server_was_killed_is_opened_exactly_once(
    web: WebProcess, live_cast: Cast
) -> None:
    token = token_of(live_cast)
    body = {
        "kind": "incident",
        "case_class": "premium",
        "severity": 1,
        "subject": "Killed",
        "description": "While sending.",
    }
    numbers = set()
    for round_, delay in enumerate(DELAYS_S):
        web.start()
        sender = threading.Thread(target=send, args=(web.url, token, f"kill-{round_}", body))
        sender.start()
        time.sleep(delay)
        web.kill()
        sender.join()
        web.start()
        answer = send(web.url, token, f"kill-{round_}", body)
        assert answer is not None
        assert answer.status_code == 201, answer.text
        numbers.add(answer.json()["number"])
        web.kill()
    cases = Case.objects.across_companies("test")
    assert set(cases.values_list("number", flat=True)) == numbers
    assert len(numbers) == len(DELAYS_S)
    reserved = QuotaEntry.objects.across_companies("test").filter(kind="reserve")
    assert reserved.count() == len(DELAYS_S)
    assert CaseEvent.objects.across_companies("test").filter(type="submitted").count() == len(DELAYS_S)
    assert not [columns for _number, columns in rebuild_projections(repair=False) if columns]


def test_an_upload_that_was_arriving_when_the_server_was_killed_leaves_no_half_sample(
    web: WebProcess, live_cast: Cast
) -> None:
    token = token_of(live_cast)
    content = b"a sample that must never lie in the clear " * 40_000
    web.start()

    def slowly() -> Iterator[bytes]:
        for start in range(0, len(content), 65_536):
            yield content[start : start + 65_536]
            time.sleep(0.02)

    headers = {"Authorization": f"Bearer {token}", "X-Filename": "half.bin"}

    def upload() -> None:
        try:
            httpx.post(f"{web.url}/api/v1/uploads", content=slowly(), headers=headers, timeout=20)
        except httpx.HTTPError:
            return

    sender = threading.Thread(target=upload)
    sender.start()
    time.sleep(0.2)
    web.kill()
    sender.join()
    assert Upload.objects.across_companies("test").filter(filename="half.bin").count() == 0
    web.start()
    answer = httpx.post(f"{web.url}/api/v1/uploads", content=content, headers=headers, timeout=20)
    assert answer.status_code == 201, answer.text
    assert Sample.objects.across_companies("test").filter(sha256=answer.json()["sha256"]).count() == 1
    assert not [path for path in _files(settings.GUARDIA.private / "quarantine") if content[:30] in path.read_bytes()]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
