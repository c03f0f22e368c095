"""The duty board."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from guardia.kernel import clock
from guardia.reports.duty_board import duty_board
from guardia.ui.person import console_page, person_actor


@console_page()
def duty(request: HttpRequest) -> HttpResponse:
    """Show the board as of now; it keeps itself fresh."""
    now = clock.now()
    return render(request, "console/duty.html", {"page": duty_board(person_actor(request), now), "now": now})
