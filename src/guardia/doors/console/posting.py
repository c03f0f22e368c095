"""How the console answers a form: done is a redirect with a notice, refused is the same page with the reason.

Rules:

1. Nothing typed is lost. A refused act shows its page again with the sentence in it and every field as it was sent;
   files that arrived stay with the form.
2. Nothing is done twice. The hidden `form_token` of the form goes to the journey as its idempotency key.
3. A page that only takes forms answers a GET with a redirect to the page that the form stands on, so that a reload or
   a change of language after a refusal never ends in an error.
4. What does not exist, and what is a stranger's, has no form to show again: `console_page` answers it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.translation import gettext as _

from guardia.kernel import clock
from guardia.kernel.errors import Forbidden, GuardiaError, Invalid, Refused, TooLarge
from guardia.kernel.plain_text import plain_text
from guardia.kernel.vocabulary import Actor
from guardia.ui.moments import ZONE
from guardia.ui.person import person_actor
from guardia.ui.sealed_upload import FormFiles

SEE_OTHER = 303
MOST_DIGITS = 9
NO_FILES = FormFiles()


@dataclass(frozen=True)
class Given:
    """What a person sent with a form: who, when and the fields."""

    actor: Actor
    now: datetime
    form: QueryDict
    files: FormFiles = NO_FILES

    @property
    def uploads(self) -> tuple[UUID, ...]:
        """The files that came with the form. Raises Invalid for the first that was refused: it must be seen first."""
        if self.files.refused:
            sentence = self.files.refused[0].sentence
            raise Invalid("file_refused", sentence, {"files": sentence})
        return self.files.ids

    @property
    def token(self) -> str:
        """The form's token. Raises Invalid where the form came without one."""
        token = self.text("form_token")
        if not token:
            raise Invalid("form_token_missing", _("The form came without its token. Load the page again and repeat."))
        return token

    def text(self, name: str) -> str:
        """Return a field without the white space around it."""
        return self.source(name).strip()

    def source(self, name: str) -> str:
        """Return a field exactly as typed, with the line ends of Unix: browsers send both characters."""
        return plain_text(self.form.get(name, "")).replace("\r\n", "\n")

    def is_on(self, name: str) -> bool:
        """Whether a check box was ticked."""
        return self.form.get(name) == "on"

    def number(self, name: str) -> int | None:
        """Return a whole number, None where the field is empty. Raises Invalid."""
        value = self.text(name)
        if value and not (value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS):
            sentence = _("“%(value)s” is not a whole number.") % {"value": value[:40]}
            raise Invalid("not_a_number", sentence, {name: sentence})
        return int(value) if value else None

    def instant(self, name: str) -> datetime | None:
        """Return a moment typed in the office's wall time, None where the field is empty. Raises Invalid."""
        value = self.text(name)
        if not value:
            return None
        try:
            return datetime.fromisoformat(value).replace(tzinfo=ZONE)
        except ValueError as error:
            sentence = _("“%(value)s” is no date and time. Write it like 2026-11-23T10:15.") % {"value": value[:40]}
            raise Invalid("not_an_instant", sentence, {name: sentence}) from error


@dataclass(frozen=True)
class Failure:
    """An act that was not done: which, why, and what had been typed."""

    act: str
    error: GuardiaError
    typed: QueryDict
    files: FormFiles = NO_FILES

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.error.status

    def as_context(self) -> dict[str, Any]:
        """Return what templates read: `failed.act`, `failed.sentence`, `failed.fields`, and `typed.ACT.FIELD`."""
        fields = {name.replace("-", "_"): value for name, value in self.typed.items()}
        return {
            "failed": {"act": self.act, "sentence": self.error.sentence, "fields": self.error.fields},
            "typed": {self.act: fields},
            "kept_files": self.files.kept,
        }


ShowAgain = Callable[[Failure], HttpResponse]


def settle(
    request: HttpRequest,
    act: str,
    do: Callable[[Given], Any],
    *,
    page: str,
    done: str | Callable[[Any], str],
    again: ShowAgain,
    forward: Callable[[Any], str] | None = None,
    files: FormFiles = NO_FILES,
) -> HttpResponse:
    """Do one act for the person who sent the form and answer it.

    `page` is where the form stands, `done` the notice, `forward` where to go instead of `page` (given the result),
    `again` shows the page after a refusal, `files` what came with a form that takes files.
    """
    if request.method != "POST":
        return see_other(page)
    try:
        result = do(Given(person_actor(request), clock.now(), request.POST, files))
    except (Invalid, Refused, Forbidden, TooLarge) as error:
        return again(Failure(act, error, request.POST, files))
    messages.success(request, done(result) if callable(done) else done)
    return see_other(forward(result) if forward else page)


def see_other(url: str) -> HttpResponseRedirect:
    """Redirect after a form: the browser fetches `url` with GET."""
    answer = HttpResponseRedirect(url)
    answer.status_code = SEE_OTHER
    return answer
