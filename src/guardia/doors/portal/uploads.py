"""One file on its own, from the drop zone: the request's body is the file, its name stands in `X-Filename`."""

from collections.abc import Iterator
from urllib.parse import unquote

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from guardia.journeys.receive_file import receive_file
from guardia.kernel import clock
from guardia.kernel.errors import GuardiaError
from guardia.ui.person import person_actor, portal_page

CHUNK = 64 * 1024
CREATED = 201


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    while chunk := request.read(CHUNK):
        yield chunk


@portal_page
@require_POST
def upload(request: HttpRequest) -> JsonResponse:
    """Take the body into quarantine; refusals are problem details (RFC 9457)."""
    filename = unquote(request.headers.get("X-Filename", ""))
    try:
        received = receive_file(person_actor(request), clock.now(), filename, _chunks(request))
    except GuardiaError as error:
        problem = {
            "type": f"urn:guardia:problem:{error.code}",
            "title": _("Not done"),
            "status": error.status,
            "detail": error.sentence,
        }
        return JsonResponse(problem, status=error.status, content_type="application/problem+json")
    said = {"id": str(received.id), "filename": received.filename, "size": received.size, "sha256": received.sha256}
    return JsonResponse(said, status=CREATED)
