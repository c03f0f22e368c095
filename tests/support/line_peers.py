"""Debian's sipp as a peer of the line: many callers at once, and callees that are busy, silent or gone.

The scenarios are the XML files in `line_scenarios`. Where one has `keys`, the groups of a call stand there, each
followed by a pause: by INFO, or by RFC 4733. A caller's events are sipp's own, with payload type 96, which it offers; a
callee's come from a capture of ours with 101, which is what a phone offers. sipp sends audio through a raw socket, so
that it needs the right to open one; `can_send_audio` says whether we have it.
"""

import csv
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.ports import free_port
from tests.support.rtp_pcap import write_keys

SCENARIOS = Path(__file__).parent / "line_scenarios"
HOST = "127.0.0.1"
KEY_MS = 80
"""How long sipp presses a key; it is silent for as long between two."""

_KEYS = "<!-- keys -->"
_FILLER_MS = 400
_MEDIA_PORTS = 400
_PLAY = '<nop><action><exec {played}/></action></nop>\n  <pause milliseconds="{pause_ms}"/>'


@dataclass(frozen=True)
class SippRun:
    """How a run of sipp ended: its exit code (0 where every call went as written), calls, and its complaints."""

    code: int
    successful: int
    failed: int
    retransmissions: int
    complaints: str

    def check(self, calls: int) -> None:
        """Fail, with sipp's own words, unless all the calls went as written."""
        assert (self.code, self.successful, self.failed) == (0, calls, 0), f"{self}"


class Sipp:
    """One running sipp. Use as a context manager: it is ended with its block.

    `keys` are the groups of each call, or one list of groups for every call; `pause_s` is how long a scenario's own
    pauses last, `gap_s` how long it waits after each group of keys; `values` stand in place of `[name]` in a scenario.
    """

    def __init__(
        self,
        scenario: str,
        folder: Path,
        *,
        target: str = "",
        service: str = "line",
        caller: str = "600100",
        calls: int = 1,
        rate: float = 10.0,
        at_once: int | None = None,
        keys: Sequence[str] | Sequence[Sequence[str]] = (),
        gap_s: float = 0.3,
        pause_s: float = 1.0,
        within_s: float = 60.0,
        values: Mapping[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.within_s = within_s
        self._folder = folder / f"sipp-{scenario}-{self.port}"
        self._folder.mkdir(parents=True)
        groups = _groups(keys, calls)
        text = (SCENARIOS / f"{scenario}.xml").read_text()
        written = self._folder / "scenario.xml"
        written.write_text(self._expanded(text, groups, gap_s, values or {}))
        (self._folder / "keys.csv").write_text(
            "SEQUENTIAL\n" + "".join(";".join(groups_of_call) + ";\n" for groups_of_call in groups)
        )
        command = ["sipp", "-sf", str(written), "-i", HOST, "-mi", HOST, "-p", str(self.port), "-bind_local"]
        command += [
            "-mp",
            str(free_port(min(4 * calls, _MEDIA_PORTS))),  # it takes the next four for each call
            "-m",
            str(calls),
            "-r",
            str(max(int(rate), 1)),
            "-d",
            str(int(pause_s * 1000)),
        ]
        command += [
            "-l",
            str(at_once or calls),
            "-s",
            service,
            "-key",
            "caller",
            caller,
            "-nostdin",
            "-inf",
            "keys.csv",
        ]
        command += ["-timeout", str(int(within_s)), "-timeout_error", "-trace_err", "-error_file", "errors.log"]
        command += ["-trace_stat", "-stf", "statistics.csv", "-fd", "1", "-cp", str(free_port()), "-skip_rlimit"]
        self._process = subprocess.Popen(
            [*command, *([target] if target else [])],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",  # sipp quotes what it could not read
            start_new_session=True,
        )

    def _expanded(self, text: str, groups: list[list[str]], gap_s: float, values: Mapping[str, str]) -> str:
        """Return a scenario with the groups of keys in their place, and each named value in its own."""
        if "INFO" in text:
            pressed = _by_info(groups[0], gap_s)
        elif '<recv request="INVITE"' in text:
            pressed = _by_capture(groups[0], gap_s, self._folder)
        else:
            pressed = _by_event(groups, gap_s)
        for name, value in values.items():
            text = text.replace(f"[{name}]", value)
        return text.replace(_KEYS, pressed)

    @property
    def address(self) -> str:
        """Where it can be called."""
        return f"sip:{HOST}:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    def kill(self) -> None:
        """End it without a word, as a telephone whose battery is empty."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate(timeout=10)

    def finish(self) -> SippRun:
        """Wait until all calls are through."""
        _, said = self._process.communicate(timeout=self.within_s + 10)
        complaints = self._folder / "errors.log"
        figures = _last_figures(self._folder / "statistics.csv")
        return SippRun(
            code=self._process.returncode,
            successful=figures.get("SuccessfulCall(C)", 0),
            failed=figures.get("FailedCall(C)", 0),
            retransmissions=figures.get("Retransmissions(C)", 0),
            complaints=(complaints.read_text(errors="replace") if complaints.exists() else said),
        )


def sipp(scenario: str, target: str, folder: Path, **options: object) -> SippRun:
    """Run callers against `host:port` to their end; the options are those of `Sipp`."""
    with Sipp(scenario, folder, target=target, **options) as running:  # type: ignore[arg-type]
        return running.finish()


def _groups(keys: Sequence[str] | Sequence[Sequence[str]], calls: int) -> list[list[str]]:
    """Return the groups of keys of each call."""
    if not keys:
        return [["0"]]
    if isinstance(keys[0], str):
        return [[str(group) for group in keys]]
    assert len(keys) == calls, f"{len(keys)} lists of keys for {calls} calls"
    return [list(groups) for groups in keys]


def _by_event(groups: list[list[str]], gap_s: float) -> str:
    parts = []
    for number in range(len(groups[0])):
        longest = max(len(groups_of_call[number]) for groups_of_call in groups)
        pause_ms = _FILLER_MS + 2 * KEY_MS * (longest + 1) + int(gap_s * 1000)
        parts.append(_PLAY.format(played=f'play_dtmf="[field{number}],{KEY_MS}"', pause_ms=pause_ms))
    return "\n  ".join(parts)


def _by_capture(groups: list[str], gap_s: float, folder: Path) -> str:
    parts = []
    for number, group in enumerate(groups):
        capture = folder / f"keys-{number}.pcap"
        pause_ms = int((write_keys(capture, group, source=number + 1) + gap_s) * 1000)
        parts.append(_PLAY.format(played=f'play_pcap_audio="{capture}"', pause_ms=pause_ms))
    return "\n  ".join(parts)


def _by_info(groups: list[str], gap_s: float) -> str:
    parts, number = [], 1
    for group in groups:
        for key in group:
            number += 1
            parts.append(_INFO.format(number=number, key=key))
        parts.append(f'<pause milliseconds="{int(gap_s * 1000)}"/>')
    return "\n  ".join(parts)


_INFO = """<send retrans="500">
    <![CDATA[

      INFO [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      [routes]
      From: <sip:[caller]@[local_ip]:[local_port]>;tag=[pid]-[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: {number} INFO
      Max-Forwards: 70
      Content-Type: application/dtmf-relay
      Content-Length: [len]

      Signal={key}
      Duration=160

    ]]>
  </send>
  <recv response="200"/>
  <pause milliseconds="100"/>"""


def _last_figures(path: Path) -> dict[str, int]:
    """Return the last line of sipp's statistics, as far as it is numbers."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    return {
        name: int(value) for name, value in (rows[-1] if rows else {}).items() if name and value and value.isdigit()
    }
