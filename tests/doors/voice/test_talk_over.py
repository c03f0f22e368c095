"""A call whose dialogue has ended: it is hung up, whatever is pressed and whatever is never told."""

import pytest
from tests.support.line_stage import Caller, FakeVoice, Stage, stage

from guardia.doors.voice import script
from guardia.doors.voice.talk import LONGEST_FAREWELL_S
from guardia.doors.voice.unwaiting import may_wait

__all__ = ["stage"]


def _over(stage: Stage) -> Caller:
    """Return a caller who is told something while the dialogue ends."""
    caller = stage.call()
    stage.run(0.1)
    caller.call._end("failed")
    assert not caller.leg.is_over
    return caller


def test_a_key_after_the_end_does_not_keep_the_call(stage: Stage) -> None:
    caller = _over(stage)
    caller.press("5")
    assert not caller.leg.is_over  # what is being said is said to its end
    stage.run(LONGEST_FAREWELL_S - 1)
    assert caller.leg.is_over
    assert stage.engine.count() == 0


def test_a_farewell_whose_end_is_never_told_ends_all_the_same(stage: Stage) -> None:
    caller = _over(stage)
    caller.channel.hush()
    stage.run(LONGEST_FAREWELL_S - 1)
    assert not caller.leg.is_over
    stage.run(2)
    assert caller.leg.is_over
    assert stage.engine.count() == 0


def test_a_leg_that_is_gone_is_not_hung_up_again(stage: Stage) -> None:
    caller = _over(stage)
    caller.hang_up()
    stage.run(2 * LONGEST_FAREWELL_S)
    assert not caller.leg.hung_up_by_line


def test_nothing_is_waited_for_in_the_signalling_thread(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[bool] = []
    real = FakeVoice.render

    def render(self: FakeVoice, pieces: list[script.Piece], language: script.Language) -> bytes:
        waited.append(may_wait())
        return real(self, pieces, language)

    monkeypatch.setattr(FakeVoice, "render", render)
    stage.call().press("2")
    assert waited
    assert not any(waited)
    assert may_wait()
