"""Where lab workers fetch work and hand in findings.

Every request carries the lab's token; what belongs to a job also its lease. The body is bounded; answers are JSON or
bytes; errors are problem documents.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from guardia.journeys import lab_work
from guardia.kernel import clock
from guardia.kernel.errors import GuardiaError, Invalid
from guardia.kernel.plain_text import plain_json
from guardia.ui.attachments import pieces

LARGEST_BODY = 32 * 1024 * 1024
KINDS = ("precheck", "draft", "gates")
View = Callable[..., HttpResponse | StreamingHttpResponse]


def _problem(status: int, code: str, detail: str) -> HttpResponse:
    body = {"type": f"urn:guardia:problem:{code}", "title": code.replace("_", " "), "status": status, "detail": detail}
    return JsonResponse(body, status=status, content_type="application/problem+json")


def _gate(method: str) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | StreamingHttpResponse:
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not secrets.compare_digest(given.encode(), settings.GUARDIA.lab_token.reveal().encode()):
                return _problem(401, "not_signed_in", "Send the lab's token: Authorization: Bearer …")
            if request.method != method:
                return _problem(405, "wrong_method", f"Use {method} here.")
            try:
                return view(request, *args, **kwargs)
            except GuardiaError as error:
                return _problem(error.status, error.code, error.sentence)
            except FileNotFoundError:
                return _problem(404, "object_missing", "The object is not in store; the job cannot be done.")

        return guarded

    return decorate


def _body(request: HttpRequest) -> Mapping[str, Any]:
    raw = request.read(LARGEST_BODY + 1)
    if len(raw) > LARGEST_BODY:
        raise Invalid("body_too_large", f"At most {LARGEST_BODY} bytes are taken in here.")
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Invalid("malformed", "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise Invalid("malformed", "The body is not a JSON object.")
    plain: Mapping[str, Any] = plain_json(body)
    return plain


def _lease_of(request: HttpRequest) -> str:
    return request.headers.get("X-Lease", "")


@_gate("POST")
def lease(request: HttpRequest) -> HttpResponse:
    """Lease the next job, or 204."""
    body = _body(request)
    kinds = body.get("kinds") or []
    if not isinstance(kinds, list) or not all(kind in KINDS for kind in kinds):
        raise Invalid("malformed", "kinds: expected a list of precheck, draft and gates.")
    job = lab_work.lease_job(str(body.get("worker", "unnamed")), clock.now(), frozenset(kinds))
    if job is None:
        return HttpResponse(status=204)
    return JsonResponse(
        {"id": job.id, "kind": job.kind, "lease": job.lease, "lease_s": job.lease_s, "payload": job.payload}
    )


@_gate("GET")
def sample(request: HttpRequest, job_id: UUID, sha256: str) -> StreamingHttpResponse:
    """Hand out a sample of the job, sealed."""
    source = lab_work.open_sample(job_id, _lease_of(request), sha256, clock.now())
    return StreamingHttpResponse(pieces(source), content_type="application/octet-stream")


@_gate("GET")
def database_file(request: HttpRequest, job_id: UUID, sha256: str) -> HttpResponse:
    """Hand out a database file of the job."""
    content = lab_work.read_database_file(job_id, _lease_of(request), sha256, clock.now())
    return HttpResponse(content, content_type="application/octet-stream")


@_gate("POST")
def progress(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Keep a job's progress; the lease goes on."""
    steps = _body(request).get("steps", [])
    if not isinstance(steps, list):
        raise Invalid("malformed", "steps: expected a list.")
    lab_work.report_progress(job_id, _lease_of(request), steps, clock.now())
    return HttpResponse(status=204)


@_gate("POST")
def result(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Conclude a job."""
    body = _body(request)
    findings = body.get("result") if body.get("ok") else None
    error = "" if body.get("ok") else str(body.get("error") or "The lab worker gave no reason.")
    if body.get("ok") and not isinstance(findings, dict):
        raise Invalid("malformed", "result: expected an object.")
    lab_work.hand_in(job_id, _lease_of(request), findings, error[:4000], clock.now())
    return HttpResponse(status=204)
