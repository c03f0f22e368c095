"""Calls of the browser tests: customers and engineers at the running server's phone line, with keys pressed at once.

Prompts are interrupted by keys, so that a call lasts seconds; only the notice before a recording is heard out.
"""

import re
import threading
from functools import cached_property
from pathlib import Path

from guardia.doors.cli.tour_story import PASSWORD, PEOPLE
from guardia.doors.cli.web_person import WebPerson
from guardia.doors.voice.phone import AnswerOptions, CallOptions, place_call, take_calls
from guardia.doors.voice.phone_audio import write_wav
from tests.browser.running_server import RunningServer
from tests.support.hearing import babble
from tests.support.ports import free_port

LONGEST_S, TONE_AFTER_S = 120.0, 9
KNOWN = "1,w0.3,1,w0.3,4071#,w0.3,407118,w1"
"""Spanish, contract and PIN of the Plus contact, up to the choice of what for."""
_CODE = re.compile(r"<dd>(\d\d)\D(\d\d)\D(\d\d)</dd>")
_CALL = re.compile(r'<tr data-row="([0-9a-f-]{36})">(.*?)</tr>', re.DOTALL)


class Phones:
    """What is phoned at one server. `speech` is a WAV file with somebody's voice."""

    def __init__(self, server: RunningServer, folder: Path) -> None:
        self.server, self.speech = server, folder / "speech.wav"
        write_wav(self.speech, babble(7, 4.0))

    def call(self, keys: str, caller: str = "+34910000111") -> None:
        """Call the line and press keys; it must be answered."""
        target = f"sip:line@127.0.0.1:{self.server.line_port}"
        options = CallOptions(target=target, caller=caller, keys=keys, longest_s=LONGEST_S)
        assert place_call(options, lambda _line: None).was_answered

    def open_by_voice(self, severity: int) -> None:
        """Let the Plus contact open a case."""
        self.call(f"{KNOWN},2,w0.3,{severity},w{TONE_AFTER_S},say:{self.speech},#,w3,hang")

    def leave_message(self) -> None:
        """Let somebody unknown leave the queue for a message, which waits for a person."""
        self.call(f"2,w0.3,0,w2,*,w{TONE_AFTER_S},say:{self.speech},#,w3,hang", "+34600123456")

    def keys_to_confirm(self, number: str) -> str:
        """Return how the Plus contact confirms a case: by its code where the page shows one, else by its number."""
        page = WebPerson(self.server.url, PEOPLE["plus"], PASSWORD).read(f"/cases/{number}/").text
        code = _CODE.search(page)
        if code:
            return f"1,w0.3,2,w0.3,{number},w0.3,{''.join(code.groups())},w1,1"
        return f"{KNOWN},1,w1,{number},w1,1"

    def begin(self, keys: str, caller: str) -> None:
        """Begin a call that goes on by itself."""
        threading.Thread(target=self.call, args=(keys, caller), daemon=True).start()

    def let_answer(self, part: str = "engineer") -> None:
        """Give an engineer a phone that takes calls, one after the other, and stays in each."""
        port = free_port()
        engineer = WebPerson(self.server.url, PEOPLE[part], PASSWORD)
        phone = {"phone": f"sip:{part}@127.0.0.1:{port}"}
        engineer.send(engineer.read("/console/phone/"), "/console/phone/", phone)
        options = AnswerOptions(port=port, after_s=0.2, keys="w1,1", times=3, wait_s=LONGEST_S, longest_s=LONGEST_S)
        threading.Thread(target=lambda: list(take_calls(options, lambda _line: None)), daemon=True).start()

    @cached_property
    def _analyst(self) -> WebPerson:
        """Signed in once: whoever signs in at every look soon sends too many requests."""
        return WebPerson(self.server.url, PEOPLE["analyst"], PASSWORD)

    def calls(self, view: str = "all") -> list[tuple[str, str]]:
        """Return the calls that the console lists: each one's id and row."""
        return _CALL.findall(self._analyst.read(f"/console/calls/?view={view}").text)
