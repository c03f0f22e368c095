"""The notice before a recording is true for whoever hears it."""

from guardia.doors.voice.prompts import CATALOGUE


def test_the_notice_promises_no_case_to_a_caller_whom_nobody_knows() -> None:
    notice = CATALOGUE["record.notice"]
    assert notice["es"] == "Lo que diga ahora se grabará y se conservará cifrado."
    assert notice["en"] == "What you say now is recorded, and kept encrypted."
