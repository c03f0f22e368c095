"""Who is asking: the signed-in person as an `Actor`, and the two kinds of pages that ask for one.

A customer who opens a console page gets 404 (the console does not exist for strangers); staff who open a portal page
are sent to the console. Refusals that a view does not answer itself become a page with their sentence.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from guardia.kernel.errors import Forbidden, GuardiaError, NotFound
from guardia.kernel.vocabulary import Actor, ActorKind, Role

View = Callable[..., HttpResponseBase]


def person_actor(request: HttpRequest) -> Actor:
    """Return the signed-in person as the actor of journeys and reports; its language is the page's."""
    person: Any = request.user
    return Actor(
        kind=ActorKind.PERSON,
        id=str(person.pk),
        name=person.name,
        company_id=person.company_id,
        roles=frozenset(Role(role) for role in person.roles),
        is_company_admin=person.is_company_admin,
        language=(get_language() or "en").split("-")[0],
    )


def refusal_page(request: HttpRequest, error: GuardiaError) -> HttpResponse:
    """Return the page that says `error`, with its status; every word on it is for the person."""
    return render(request, "guardia/refusal.html", {"error": error, "status": error.status}, status=error.status)


def portal_page(view: View) -> View:
    """Let signed-in customers in; a refusal that the view does not answer becomes a page."""

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if person_actor(request).is_staff:
            return redirect("console:queue")
        return _answered(view, request, *args, **kwargs)

    return page


def console_page(*roles: Role) -> Callable[[View], View]:
    """Let signed-in staff in who have one of `roles` (none given: any of the staff)."""

    def decorate(view: View) -> View:
        @wraps(view)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            actor = person_actor(request)
            if not actor.is_staff:
                return refusal_page(request, NotFound("no_such_page", _("There is no such page.")))
            if roles and not actor.roles.intersection(roles):
                return refusal_page(request, Forbidden("role_missing", _("This page is for another role.")))
            return _answered(view, request, *args, **kwargs)

        return page

    return decorate


def _answered(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    try:
        answer = view(request, *args, **kwargs)
    except GuardiaError as error:
        answer = refusal_page(request, error)
    answer.headers.setdefault("Cache-Control", "private, no-cache")  # not no-store: Back keeps what was typed
    return answer
