"""A line whose media thread cannot go on ends by itself, with the code of the watchdog of SIP."""

import sys
from pathlib import Path

from tests.support.line_alone import LineAlone
from tests.support.processes import start_command

from guardia.doors.voice.sip.watchdog import EXIT_CODE

GONE_MUTE = """
import sys
from guardia.doors.cli.line import main
from guardia.doors.voice.media.engine import SoundEngine

def mute(self, due):
    raise OSError("the selector is gone")

SoundEngine._turn = mute
sys.exit(main(["run"]))
"""


def test_a_line_that_answers_and_is_mute_ends_to_be_started_again(tmp_path: Path) -> None:
    line = LineAlone(tmp_path)
    process = start_command([sys.executable, "-c", GONE_MUTE], tmp_path / "var", **line.settings)
    try:
        _said, complaint = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == EXIT_CODE == 70, complaint
    assert "The sound of all calls has ended" in complaint
