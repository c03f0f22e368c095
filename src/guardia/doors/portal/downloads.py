"""What leaves as a file: samples (an AES-encrypted ZIP, password `infected`) and the evidence of a case."""

from uuid import UUID

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.http import require_GET

from guardia.journeys.hand_out_file import hand_out_file
from guardia.kernel import clock
from guardia.reports.evidence import evidence_of_case
from guardia.ui.attachments import attachment_header, file_answer
from guardia.ui.person import person_actor, portal_page


@portal_page
@require_GET
def case_file(request: HttpRequest, number: str, file_id: UUID) -> HttpResponseBase:
    """Hand out one file of a case, packed so that nothing runs it by mistake."""
    sealed = hand_out_file(person_actor(request), clock.now(), number, file_id)
    return file_answer(sealed.content, sealed.filename, sealed.size, "application/zip")


@portal_page
@require_GET
def evidence(request: HttpRequest, number: str) -> HttpResponseBase:
    """Hand out the signed evidence of a case as JSON."""
    response = JsonResponse(evidence_of_case(person_actor(request), number), json_dumps_params={"indent": 2})
    response.headers["Content-Disposition"] = attachment_header(f"guardia-{number}-evidence.json")
    return response
