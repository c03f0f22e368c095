"""Who calls the API: a contact by a `gt_` token, staff by a `gs_` one, a machine by a `gm_` one; in the header only."""

from typing import Any, cast

from django.http import HttpRequest
from ninja.security import HttpBearer

from guardia.features.accounts.queries import find_actor_by_token, find_machine_by_token
from guardia.kernel import clock
from guardia.kernel.vocabulary import Actor


class ContactToken(HttpBearer):
    """A contact's token; the request is answered as the contact."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:  # noqa: ARG002  ninja's signature
        actor = find_actor_by_token(token, clock.now())
        return actor if actor and not actor.is_staff else None


class StaffToken(HttpBearer):
    """A token of one of the vendor's staff; the request is answered as that person."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:  # noqa: ARG002  ninja's signature
        actor = find_actor_by_token(token, clock.now())
        return actor if actor and actor.is_staff else None


class MachineToken(HttpBearer):
    """A machine's token."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:  # noqa: ARG002  ninja's signature
        return find_machine_by_token(token)


def contact_of(request: HttpRequest) -> Actor:
    """Return the contact that `ContactToken` found."""
    return cast("Actor", request.auth)  # type: ignore[attr-defined]


def staff_of(request: HttpRequest) -> Actor:
    """Return the member of staff that `StaffToken` found."""
    return cast("Actor", request.auth)  # type: ignore[attr-defined]


def machine_of(request: HttpRequest) -> Any:
    """Return the machine that `MachineToken` found."""
    return request.auth  # type: ignore[attr-defined]
