"""Cases over the API: upload files, open a case, read it, write to it. POSTs take an `Idempotency-Key`."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Self
from urllib.parse import unquote
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.params import functions as parameters
from pydantic import Field, StrictInt

from guardia.doors.api.asked import Asked
from guardia.doors.api.authentication import ContactToken, contact_of
from guardia.journeys.open_case import CaseRequest, open_case
from guardia.journeys.receive_file import receive_file
from guardia.journeys.write_message import write_message
from guardia.kernel import clock
from guardia.kernel.vocabulary import Channel
from guardia.reports.case_summary import CaseSummary, case_summaries, case_summary

router = Router(auth=ContactToken(), tags=["cases"])
CHUNK_BYTES = 256 * 1024
Filename = Annotated[str, parameters.Header(alias="X-Filename")]
Key = Annotated[str | None, parameters.Header(alias="Idempotency-Key")]


class UploadAnswer(Schema):
    """A file under quarantine; `id` goes into `uploads` of a case or message."""

    id: UUID
    filename: str
    size: int
    sha256: str


class NewCase(Asked):
    """A request. For kind signature_change, `claim` to `uploads` describe the report. `product_code` is that of one of
    the contract's licences, or empty.
    """

    kind: str
    case_class: str
    severity: StrictInt
    subject: str
    description: str
    claim: str = ""
    product: str = ""
    engine: str = ""
    database_version: str = ""
    detection_name: str = ""
    uploads: list[UUID] = Field(default_factory=list)
    product_code: str = ""
    consent_standard: bool = False


class Opened(Schema):
    """The case; `case_class` is what it was accepted as.

    `must_phone`: out of office hours it must also be phoned in, at `phone` with `phone_code`; unphoned, the response
    clock starts at `office_opens_at`.
    """

    id: UUID
    number: str
    case_class: str
    due_at: datetime | None
    must_phone: bool
    phone: str
    phone_code: str
    office_opens_at: datetime | None


class NewMessage(Asked):
    """A message to the vendor."""

    text: str
    uploads: list[UUID] = Field(default_factory=list)


class Written(Schema):
    """The message's place in the case's timeline."""

    seq: int


class CaseAnswer(Schema):
    """A case as a program reads it; instants are in UTC."""

    number: str
    subject: str
    kind: str
    case_class: str
    severity: int
    state: str
    holder: str
    submitted_at: datetime
    due_at: datetime | None
    answered_at: datetime | None
    clock_state: str
    closed_at: datetime | None
    closed_how: str
    precheck: str
    ahead: str
    fixed_in: str
    premium_left: int | None
    must_phone: bool
    phone: str
    url: str
    phone_code: str
    office_opens_at: datetime | None
    acknowledged_at: datetime | None
    called_at: datetime | None
    breached_at: datetime | None

    @classmethod
    def of(cls, summary: CaseSummary) -> Self:
        """Return the answer for a summary."""
        return cls(**{name: getattr(summary, name) for name in cls.model_fields})


class ClockStep(Schema):
    """A stretch that the response clock counts, `total_s` so far; `why`: calendar, opening, call or always."""

    start: datetime
    end: datetime
    seconds: int
    total_s: int
    why: str


class CaseDetail(CaseAnswer):
    """One case, with the arithmetic of its response clock and the severity that the vendor proposes, if any."""

    proposed_severity: int | None
    steps: list[ClockStep]


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    while chunk := request.read(CHUNK_BYTES):
        yield chunk


@router.post("/uploads", response={201: UploadAnswer}, summary="Send one file as the raw body; its name in X-Filename")
def upload(
    request: HttpRequest, x_filename: Filename = "unnamed", idempotency_key: Key = None
) -> tuple[int, UploadAnswer]:
    """Seal the body into the quarantine as it streams in."""
    received = receive_file(contact_of(request), clock.now(), unquote(x_filename), _chunks(request), idempotency_key)
    return 201, UploadAnswer(id=received.id, filename=received.filename, size=received.size, sha256=received.sha256)


@router.post("/cases", response={201: Opened}, summary="Open a case")
def new_case(request: HttpRequest, body: NewCase, idempotency_key: Key = None) -> tuple[int, Opened]:
    """Open a case for the token's company."""
    asked = CaseRequest(**{**body.dict(), "uploads": tuple(body.uploads)}, channel=Channel.API)
    actor, now = contact_of(request), clock.now()
    opened = open_case(actor, now, asked, idempotency_key)
    summary = case_summary(actor, now, opened.number)
    return 201, Opened(
        id=UUID(opened.id),
        number=opened.number,
        case_class=opened.case_class,
        due_at=summary.due_at,
        must_phone=summary.must_phone,
        phone=summary.phone,
        phone_code=summary.phone_code,
        office_opens_at=summary.office_opens_at,
    )


@router.get("/cases", response=list[CaseAnswer], summary="The company's latest 100 cases")
def list_cases(request: HttpRequest) -> list[CaseAnswer]:
    """Return the company's cases, newest first."""
    return [CaseAnswer.of(summary) for summary in case_summaries(contact_of(request), clock.now())]


@router.get("/cases/{number}", response=CaseDetail, summary="One case")
def get_case(request: HttpRequest, number: str) -> CaseDetail:
    """Return one case of the company."""
    return CaseDetail.of(case_summary(contact_of(request), clock.now(), number))


@router.post("/cases/{number}/messages", response={201: Written}, summary="Write to a case")
def new_message(
    request: HttpRequest,
    number: str,
    body: NewMessage,
    idempotency_key: Key = None,
) -> tuple[int, Written]:
    """Add a message with files."""
    seq = write_message(
        contact_of(request), clock.now(), number, body.text, body.uploads, idempotency_key=idempotency_key
    )
    return 201, Written(seq=seq)
