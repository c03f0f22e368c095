"""Programs never get a page: every error under their addresses leaves as a problem document (RFC 9457).

The doors answer their own errors so; this middleware turns what Django says before a door is reached, or instead of
one (unknown address, wrong method, wrong host, a body that is too large), into the same form.
"""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import translation
from django.utils.translation import gettext as _

PROGRAMS = ("/api/", "/lab/")
CONTENT_TYPE = "application/problem+json"
BAD = 400
KEPT_HEADERS = ("Allow", "Retry-After")

Answer = HttpResponseBase | Awaitable[HttpResponseBase]


class ProblemAnswers:
    """Middleware for both kinds of servers."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Answer:
        answer = self.get_response(request)
        return _for_programs(request, answer) if isinstance(answer, HttpResponseBase) else self._later(request, answer)

    async def _later(self, request: HttpRequest, answer: Awaitable[HttpResponseBase]) -> HttpResponseBase:
        return _for_programs(request, await answer)


def _for_programs(request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
    is_page = answer.status_code >= BAD and not answer.headers.get("Content-Type", "").startswith(CONTENT_TYPE)
    if not is_page or not request.path_info.startswith(PROGRAMS):
        return answer
    with translation.override(getattr(request, "LANGUAGE_CODE", "en")):
        code, title, detail = _words(request, answer)
    body = {"type": f"urn:guardia:problem:{code}", "title": title, "status": answer.status_code, "detail": detail}
    problem = JsonResponse(body, status=answer.status_code, content_type=CONTENT_TYPE)
    for name in KEPT_HEADERS:
        if name in answer.headers:
            problem.headers[name] = answer.headers[name]
    return problem


def _words(request: HttpRequest, answer: HttpResponseBase) -> tuple[str, str, str]:
    status = answer.status_code
    if status == 404:  # noqa: PLR2004  the status says its own name
        return "address_unknown", "Not found", _("There is nothing at this address.")
    if status == 405:  # noqa: PLR2004  as above
        wanted = {"method": request.method, "allowed": answer.headers.get("Allow", "")}
        return "wrong_method", "Wrong method", _("%(method)s is not taken here; use %(allowed)s.") % wanted
    if status < 500:  # noqa: PLR2004  as above
        return "bad_request", "Bad request", _("The request is not of the required form.")
    return "server_error", "Server error", _("Something went wrong on our side. Send the request again later.")
