"""Errors as RFC 9457 problem details: type, title, detail, status, and `fields` where inputs are named."""

import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from guardia.kernel.errors import GuardiaError

_log = logging.getLogger("guardia.api")
CONTENT_TYPE = "application/problem+json"
BAD_JSON = 400
"""What ninja answers where a body is not JSON."""
TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    409: "Refused",
    413: "Too large",
    422: "Invalid input",
    500: "Server error",
}


def problem(status: int, code: str, detail: str, fields: Mapping[str, str] | None = None) -> HttpResponse:
    """Return a problem document; `code` ends its type."""
    body: dict[str, Any] = {
        "type": f"urn:guardia:problem:{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
    }
    if fields:
        body["fields"] = dict(fields)
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)


def of_error(error: GuardiaError) -> HttpResponse:
    """Return the problem document of one of our own errors."""
    return problem(error.status, error.code, error.sentence, error.fields)


def install(api: NinjaAPI) -> None:
    """Let every error of an API leave as a problem document."""

    @api.exception_handler(GuardiaError)
    def on_own(_request: HttpRequest, error: GuardiaError) -> HttpResponse:
        return of_error(error)

    @api.exception_handler(AuthenticationError)
    def on_stranger(_request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
        return problem(401, "not_signed_in", _("Send a valid token: Authorization: Bearer …"))

    @api.exception_handler(ValidationError)
    def on_malformed(_request: HttpRequest, error: ValidationError) -> HttpResponse:
        fields = {".".join(str(part) for part in found["loc"][1:]): str(found["msg"]) for found in error.errors}
        return problem(422, "malformed", _("The request is not of the required form."), fields)

    @api.exception_handler(HttpError)
    def on_http(_request: HttpRequest, error: HttpError) -> HttpResponse:
        if error.status_code == BAD_JSON:
            return problem(BAD_JSON, "malformed", _("The body is not JSON."))
        return problem(error.status_code, "http", str(error))

    @api.exception_handler(RequestDataTooBig)
    def on_long_body(_request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024 // 1024
        return problem(413, "body_too_large", _("A JSON body may have at most %(limit)d MB.") % {"limit": most})

    @api.exception_handler(Exception)
    def on_fault(_request: HttpRequest, error: Exception) -> HttpResponse:
        _log.error("unexpected error", exc_info=error)
        return problem(
            500,
            "server_error",
            _("Something went wrong on our side. What was sent before is kept; send it again with the same key."),
        )
