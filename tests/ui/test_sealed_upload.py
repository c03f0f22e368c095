from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import RequestFactory

from guardia.journeys.receive_file import ReceivedFile
from guardia.kernel.errors import TooLarge
from guardia.kernel.vocabulary import Actor, ActorKind
from guardia.ui import sealed_upload
from guardia.ui.sealed_upload import SealedUploadHandler, form_files

ID = UUID("0190a1b2-0000-7000-8000-000000000001")
ACTOR = Actor(ActorKind.PERSON, "p1", "Lucía Ferrer", company_id=ID)


class MemoryIntake:
    """An intake that keeps what it was given, with a limit of eight bytes."""

    opened: list["MemoryIntake"] = []

    def __init__(self, actor: Actor, now: object, filename: str) -> None:
        self.filename, self.bytes, self.is_abandoned = filename, b"", False
        MemoryIntake.opened.append(self)

    def write(self, chunk: bytes) -> None:
        if self.filename == "broken":
            raise OSError(28, "No space left on device")
        self.bytes += chunk
        if len(self.bytes) > 8:
            raise TooLarge("file_too_large", f"{self.filename} is too large")

    def finish(self) -> ReceivedFile:
        return ReceivedFile(ID, self.filename, len(self.bytes), "ab" * 32)

    def abandon(self) -> None:
        self.is_abandoned = True


@pytest.fixture(autouse=True)
def _intakes(monkeypatch: pytest.MonkeyPatch) -> None:
    MemoryIntake.opened = []
    monkeypatch.setattr(sealed_upload, "FileIntake", MemoryIntake)


@pytest.fixture
def send() -> Callable[..., HttpRequest]:
    def sending(actor: Actor | None, files: dict[str, bytes], **fields: Any) -> HttpRequest:
        parts = [SimpleUploadedFile(name, content) for name, content in files.items()]
        request = RequestFactory().post("/cases/new/", {**fields, "files": parts})
        request.upload_handlers = [SealedUploadHandler(request, actor)]
        return request

    return sending


def test_a_file_goes_through_the_intake_and_nowhere_else(send: Callable[..., HttpRequest]) -> None:
    request = send(ACTOR, {"nomina.exe": b"MZ\x90"}, subject="x")
    files = form_files(request)
    assert [file.filename for file in files.kept] == ["nomina.exe"]
    assert files.ids == (ID,)
    assert MemoryIntake.opened[0].bytes == b"MZ\x90"
    assert request.POST["subject"] == "x"


def test_a_file_in_a_form_that_asked_for_none_is_refused(send: Callable[..., HttpRequest]) -> None:
    with pytest.raises(PermissionDenied):
        _ = send(None, {"nomina.exe": b"MZ"}).POST
    assert MemoryIntake.opened == []


def test_one_file_over_the_limit_does_not_take_the_others_or_the_text(send: Callable[..., HttpRequest]) -> None:
    request = send(ACTOR, {"one": b"1", "large": b"123456789", "two": b"2"}, subject="kept")
    files = form_files(request)
    assert [file.filename for file in files.kept] == ["one", "two"]
    assert [(file.filename, file.sentence) for file in files.refused] == [("large", "large is too large")]
    assert request.POST["subject"] == "kept"


def test_a_full_disk_abandons_the_file_and_is_not_hidden(send: Callable[..., HttpRequest]) -> None:
    with pytest.raises(OSError, match="No space left"):
        _ = send(ACTOR, {"broken": b"1"}).POST
    assert MemoryIntake.opened[0].is_abandoned


def test_files_that_arrived_before_are_named_again_from_their_hidden_fields(send: Callable[..., HttpRequest]) -> None:
    said = '{"filename": "nomina.exe", "size": 3, "sha256": "abab"}'
    files = form_files(send(ACTOR, {}, upload=[str(ID)], **{f"upload-{ID}": said}))
    assert [(file.filename, file.size, file.sha256) for file in files.kept] == [("nomina.exe", 3, "abab")]


@pytest.mark.parametrize("said", ["not json", "[]", '{"size": "3; DROP"}', "{}"])
def test_a_forged_description_of_a_file_is_only_shown_never_trusted(
    said: str, send: Callable[..., HttpRequest]
) -> None:
    files = form_files(send(ACTOR, {}, upload=[str(ID)], **{f"upload-{ID}": said}))
    assert files.ids == (ID,)
    assert files.kept[0].size is None


def test_an_upload_id_that_is_no_id_is_left_out(send: Callable[..., HttpRequest]) -> None:
    assert form_files(send(ACTOR, {}, upload=["../../etc/passwd", "1"])).kept == ()
