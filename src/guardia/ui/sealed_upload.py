"""Files in a form go straight into quarantine, chunk by chunk: no clear byte is kept in memory or on disk.

A view that takes files is decorated with `receives_files`, under the decorator that lets the person in; everywhere
else a file in a form is refused (this handler stands in the settings, without a person). One refused file does not
take the others, or what was typed, with it.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Protocol
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_protect

from guardia.journeys.receive_file import FileIntake
from guardia.kernel import clock
from guardia.kernel.errors import GuardiaError
from guardia.kernel.vocabulary import Actor
from guardia.ui.person import View, person_actor

MOST_CHARACTERS = 400
UUID_SHAPE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Received(Protocol):
    """What a journey says of a file in quarantine."""

    @property
    def id(self) -> object: ...
    @property
    def filename(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True)
class KeptFile:
    """A file that arrived, as the form shows it again; `id` is all that a journey trusts."""

    id: str
    filename: str
    size: int | None
    sha256: str

    @property
    def as_field(self) -> str:
        """What a hidden field carries, so that a form which is shown again can name its files."""
        return json.dumps({"filename": self.filename, "size": self.size, "sha256": self.sha256})


@dataclass(frozen=True)
class RefusedFile:
    """A file that was not kept, and why."""

    filename: str
    sentence: str


@dataclass(frozen=True)
class FormFiles:
    """The files of one sent form."""

    kept: tuple[KeptFile, ...] = ()
    refused: tuple[RefusedFile, ...] = ()

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The ids for a journey."""
        return tuple(UUID(file.id) for file in self.kept)


class SealedFile:
    """Stands in `request.FILES` for a file whose bytes are already sealed."""

    def __init__(self, received: Received) -> None:
        self.received = received
        self.name = received.filename
        self.size = received.size

    def close(self) -> None:
        """Nothing is open."""


class SealedUploadHandler(FileUploadHandler):
    """Streams each file of the form to `FileIntake`; without an actor it refuses."""

    def __init__(self, request: HttpRequest | None = None, actor: Actor | None = None) -> None:
        super().__init__(request)
        self.actor = actor
        self.intake: FileIntake | None = None
        self.refused: list[RefusedFile] = []

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.actor is None:
            raise PermissionDenied("files are taken only by forms that ask for them")
        self._refusing(self._open)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002  Django's signature
        self._refusing(lambda: self._intake().write(raw_data))

    def file_complete(self, file_size: int) -> SealedFile | None:  # type: ignore[override]  # noqa: ARG002  as above
        intake, self.intake = self._intake(), None
        try:
            return SealedFile(intake.finish())
        except GuardiaError as error:
            self.refused.append(RefusedFile(self.file_name or "", error.sentence))
            return None

    def upload_interrupted(self) -> None:
        if self.intake is not None:
            self.intake.abandon()
            self.intake = None

    def _open(self) -> None:
        if self.actor is not None:
            self.intake = FileIntake(self.actor, clock.now(), self.file_name or "")

    def _intake(self) -> FileIntake:
        if self.intake is None:
            raise SkipFile
        return self.intake

    def _refusing(self, act: Callable[[], object]) -> None:
        try:
            act()
        except GuardiaError as error:  # the intake has dropped what had arrived
            self.refused.append(RefusedFile(self.file_name or "", error.sentence))
            self.intake = None
            raise SkipFile from error
        except BaseException:
            self.upload_interrupted()
            raise


def receives_files(view: View) -> View:
    """Let the view take files of the signed-in person; the form's token is checked as anywhere else."""
    protected = csrf_protect(view)

    @wraps(view)
    def receiving(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.upload_handlers = [SealedUploadHandler(request, person_actor(request))]
        return protected(request, *args, **kwargs)

    # Django reads the token, and with it the whole form, before the view; here the handler must be set first.
    receiving.csrf_exempt = True  # type: ignore[attr-defined]
    return receiving


def form_files(request: HttpRequest) -> FormFiles:
    """Return the files that came with this form, those that came before it, and those that were refused."""
    named_before = [file_id for file_id in request.POST.getlist("upload") if UUID_SHAPE.fullmatch(file_id)]
    kept = [_kept_before(request, file_id) for file_id in named_before]
    arrived: list[Any] = request.FILES.getlist("files")
    kept += [_kept_now(file) for file in arrived if isinstance(file, SealedFile)]
    handlers = [handler for handler in request.upload_handlers if isinstance(handler, SealedUploadHandler)]
    return FormFiles(tuple(kept), tuple(file for handler in handlers for file in handler.refused))


def _kept_now(file: SealedFile) -> KeptFile:
    received = file.received
    return KeptFile(str(received.id), received.filename, received.size, received.sha256)


def _kept_before(request: HttpRequest, file_id: str) -> KeptFile:
    try:
        said = json.loads(request.POST.get(f"upload-{file_id}", "{}"))
        size = said.get("size")
        return KeptFile(
            file_id,
            str(said.get("filename") or file_id)[:MOST_CHARACTERS],
            size if isinstance(size, int) else None,
            str(said.get("sha256") or "")[:MOST_CHARACTERS],
        )
    except (ValueError, AttributeError, RecursionError):
        return KeptFile(file_id, file_id, None, "")  # only what is shown; the journey looks the file up by its id
