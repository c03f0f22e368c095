"""How the portal answers a form: done is a redirect with a notice, refused is the same page with the reason in it.

Nothing typed is lost by a refusal, and a form that is sent twice is done once (its token is the journey's key).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from guardia.kernel.errors import Forbidden, GuardiaError, Invalid, Refused, TooLarge
from guardia.kernel.plain_text import plain_text
from guardia.ui.person import View
from guardia.ui.sealed_upload import FormFiles, RefusedFile

ANSWERED_ON_THE_PAGE = (Invalid, Refused, Forbidden, TooLarge)


@dataclass(frozen=True)
class Refusal:
    """What a page says above a form that was not accepted."""

    sentence: str
    kept: str


def form_token(request: HttpRequest) -> str:
    """Return the form's token. Raises Invalid where the form came without one."""
    token = text(request, "form_token")
    if not token:
        raise Invalid("form_token_missing", _("The form came without its token. Load the page again and repeat."))
    return token


def text(request: HttpRequest, name: str) -> str:
    """Return a field without the white space around it and with the line ends of Unix."""
    return plain_text(request.POST.get(name, "")).replace("\r\n", "\n").strip()


def demand_whole(files: FormFiles) -> None:
    """Raise the refusal of the first file that did not arrive: a person must see it before anything is sent."""
    if files.refused:
        refused: RefusedFile = files.refused[0]
        raise Invalid("file_refused", refused.sentence, {"files": refused.sentence})


def refusal_context(
    request: HttpRequest, act: str, error: GuardiaError, files: FormFiles | None = None
) -> dict[str, Any]:
    """Return what a page needs to show its form again."""
    kept = _("Nothing was sent. What was typed is still in the form.")
    if files and files.kept:
        kept = _("Nothing was sent. What was typed is still in the form, and the files that arrived are kept.")
    return {
        "refusal": Refusal(error.sentence, kept),
        "errors": error.fields,
        "failed": act,
        "typed": request.POST,
        "files": files or FormFiles(),
    }


def done(request: HttpRequest, url: str, notice: str) -> HttpResponse:
    """Go on to `url` and say `notice` there once."""
    messages.success(request, notice)
    return see_other(url)


def see_other(url: str) -> HttpResponse:
    """Redirect after a form: the browser fetches `url` with GET."""
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


def sent_to(page: str) -> Callable[[View], View]:
    """Let a view take forms only: whoever comes with a GET (a reload, another language) is sent to the form's page."""

    def decorate(view: View) -> View:
        @wraps(view)
        def taking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method != "POST":
                number = kwargs.get("number")
                return see_other(reverse(page, args=[number] if number else []))
            return view(request, *args, **kwargs)

        return taking

    return decorate


def act_on_page(
    request: HttpRequest, act: str, do: Callable[[], object], again: Callable[[dict[str, Any], int], HttpResponse]
) -> HttpResponse | None:
    """Do one act; return None when it is done, else the page again with the reason."""
    try:
        do()
    except ANSWERED_ON_THE_PAGE as error:
        return again(refusal_context(request, act, error), error.status)
    return None
