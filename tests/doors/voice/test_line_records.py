"""What the line asks of our records is done at the instant that the line says, however late it is asked."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.journeys.promise_story import at, row
from tests.support.callers import known_by_code
from tests.support.cast import Cast
from tests.support.ticking import events

from guardia.doors.voice import questions
from guardia.doors.voice.records import Records
from guardia.journeys.confirm_call import case_code

pytestmark = pytest.mark.django_db
SATURDAY = at("2026-11-28 23:10")
MINUTE = timedelta(minutes=1)


def test_the_clock_opens_and_the_engineer_takes_the_call_at_the_instants_that_the_line_gives(cast: Cast) -> None:
    number = replace(cast, now=SATURDAY).open().number
    caller = known_by_code(number, case_code(row(cast, number)), SATURDAY)
    asked_at, taken_at = SATURDAY + MINUTE, SATURDAY + 2 * MINUTE
    records, call_id = Records(), uuid4()
    answer = records.answer(call_id, "600100100", "es", questions.ConfirmCase(caller, number), asked_at)
    assert isinstance(answer, questions.CaseConfirmed)
    assert row(cast, number).called_at == asked_at
    records.accept(UUID(cast.engineer.id), number, call_id, taken_at)
    (taken,) = events(number, "call_taken")
    assert taken.recorded_at == taken_at
