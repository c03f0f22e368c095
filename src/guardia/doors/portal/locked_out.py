"""The way in for somebody without access to the account: prove a message by a link to a known contact.

Nobody is signed in here. What is answered never tells whether an address or a message is known, nor does the time that
it takes: writing a link takes longer than finding nobody. A link's page tells who is said to have written and when, and
acts only on a button, since mail scanners open links.
"""

import time

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from guardia.doors.portal.answering import see_other, text
from guardia.doors.portal.knocks import MOST_OF_ADDRESS, MOST_OF_IP, client_ip, is_too_often
from guardia.journeys.prove_sender import ask_contact, confirm_proof, deny_proof
from guardia.kernel import clock
from guardia.kernel.errors import GuardiaError, NotFound, Refused
from guardia.kernel.plain_text import plain_text
from guardia.reports.proof_page import UNKNOWN, ProofView, proof_view

LONGEST = 320
TOO_OFTEN = 429
REFERRER_POLICY = "same-origin"
"""No other site learns a link. With `no-referrer`, browsers send `Origin: null` with forms, and CSRF checks fail."""
EVENLY_S = 0.6
"""How long each question for a link takes, whatever is found."""


def locked_out(request: HttpRequest) -> HttpResponseBase:
    """Explain the path, and take the addresses."""
    if request.method == "POST":
        return _ask(request)
    reference = plain_text(request.GET.get("m", ""))[:LONGEST]
    return _form(request, {"reference": reference, "is_sent": "sent" in request.GET})


def _ask(request: HttpRequest) -> HttpResponse:
    names = ("sender", "contact", "reference")
    typed = {name: text(request, name)[:LONGEST] for name in names}
    missing = [name for name in ("contact", "sender") if "@" not in typed[name]]
    if typed["reference"]:
        missing = [name for name in missing if name == "contact"]
    if missing:
        return _form(request, typed | {"missing": missing}, 422)
    ip = client_ip(request)
    if is_too_often("ip", ip, MOST_OF_IP):
        return _form(request, typed | {"is_too_often": True}, TOO_OFTEN)
    # An address that is asked for too often gets the same answer as ever: it tells nothing of the address.
    asked = [is_too_often("contact", typed["contact"], MOST_OF_ADDRESS)]
    asked += [is_too_often("sender", typed["sender"] or typed["reference"], MOST_OF_ADDRESS)]
    begun = time.monotonic()
    if not any(asked):
        ask_contact(clock.now(), typed["sender"], typed["contact"], typed["reference"], ip=ip)
    time.sleep(max(0.0, begun + EVENLY_S - time.monotonic()))
    return see_other(f"{reverse('portal:locked_out')}?sent")


def _form(request: HttpRequest, context: dict[str, object], status: int = 200) -> HttpResponse:
    response = render(request, "portal/locked_out.html", context, status=status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = REFERRER_POLICY
    return response


@sensitive_variables("token")
def prove(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show who is said to have written and when; accept or refuse the message by a button."""
    now = clock.now()
    if request.method == "POST":
        try:
            (confirm_proof if text(request, "answer") == "yes" else deny_proof)(token, now)
        except (NotFound, Refused) as error:
            return _proof(request, token, proof_view(token, now), error)
        return see_other(reverse("portal:prove", args=[token]))
    return _proof(request, token, proof_view(token, now))


def _proof(request: HttpRequest, token: str, view: ProofView, error: GuardiaError | None = None) -> HttpResponse:
    context = {"proof": view, "token": token, "error": error}
    response = render(request, "portal/prove.html", context, status=404 if view.state == UNKNOWN else 200)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = REFERRER_POLICY
    response.headers["X-Robots-Tag"] = "noindex"
    return response
