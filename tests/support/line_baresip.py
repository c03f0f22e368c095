"""Debian's baresip as a peer of the line: a telephone that somebody else wrote, to call with and to be called.

It runs headless on the loopback, steered by commands over TCP (netstrings with JSON), with the one codec that is asked
for. It talks all the time from a file, and keeps what it sends and what it hears as WAV files in its folder. What it
hears while it is sent a key is a gap: it writes only packets of audio, one after the other.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from guardia.kernel.sound import ulaw_of_wav, wav_of
from tests.support.hearing import silence
from tests.support.line_peers import HOST
from tests.support.ports import free_port
from tests.support.processes import wait_until

_TALK_S = 120
_KEY_GAP_S = 0.25
_PORTS = 20

_CONFIG = """net_interface {host}
sip_listen {host}:{port}
audio_source aufile,{talk}
audio_player aubridge,nowhere
audio_alert aubridge,nowhere
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_txmode thread
rtp_ports {first}-{last}
rtcp_mux no
snd_path {folder}
ctrl_tcp_listen {host}:{control}
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
"""


class Baresip:
    """One running baresip. Use as a context manager: it is ended with its block.

    `is_answering` takes each call at once, as an engineer's telephone that lies beside the ear.
    """

    def __init__(
        self,
        folder: Path,
        *,
        user: str = "600200",
        talk: bytes = b"",
        codec: Literal["pcmu", "pcma"] = "pcmu",
        is_answering: bool = False,
    ) -> None:
        program = shutil.which("baresip")
        assert program, "baresip is not installed (ops/debian-packages)"
        self.port, self._control = free_port(2), free_port()  # it listens for TLS on the next one, whether asked or not
        self.user = user
        self._folder = folder / f"baresip-{self.port}"
        self._folder.mkdir(parents=True)
        said = talk or silence(1)
        spoken = self._folder / "talk.wav"
        spoken.write_bytes(wav_of((said * (_TALK_S * 8000 // len(said) + 1))[: _TALK_S * 8000]))
        first = free_port(_PORTS)
        (self._folder / "config").write_text(
            _CONFIG.format(
                host=HOST,
                port=self.port,
                control=self._control,
                talk=spoken,
                folder=self._folder,
                modules=Path(program).parents[1] / "lib" / "baresip" / "modules",
                first=first,
                last=first + _PORTS - 1,
            )
        )
        mode = "auto" if is_answering else "manual"
        (self._folder / "accounts").write_text(f"<sip:{user}@{HOST}>;regint=0;answermode={mode};audio_codecs={codec}\n")
        (self._folder / "contacts").write_text("")
        self.events: list[dict[str, Any]] = []

    @property
    def address(self) -> str:
        """Where it can be called."""
        return f"sip:{self.user}@{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def __enter__(self) -> Self:
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["baresip", "-4", "-f", str(self._folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_until("baresip takes commands", self._is_connected, 10)
        except AssertionError:
            self.kill()
            raise AssertionError(f"baresip did not start: {self.log()}") from None
        self._reader = threading.Thread(target=self._read, name="baresip-events", daemon=True)
        self._reader.start()
        try:
            self.command("uastat")
            wait_until("an answer of baresip", lambda: self.events or self._process.poll() is not None, 20)
            assert self._process.poll() is None, f"it ended with {self._process.returncode}"
        except AssertionError as error:
            self.kill()
            raise AssertionError(f"baresip did not answer ({error}): {self.log()}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    # ---- what it is told ----

    def dial(self, target: str) -> None:
        """Call an address."""
        self.command("dial", target)

    def press(self, keys: str) -> None:
        """Press keys one after the other (RFC 4733)."""
        for key in keys:
            self.command("sndcode", key)
            time.sleep(_KEY_GAP_S)

    def accept(self) -> None:
        """Answer the call that rings."""
        self.command("accept")

    def hold(self) -> None:
        """Hold the call, by a re-INVITE."""
        self.command("hold")

    def resume(self) -> None:
        """Come back to the call."""
        self.command("resume")

    def hang_up(self) -> None:
        """End the call."""
        self.command("hangup")

    def command(self, name: str, params: str = "") -> None:
        """Give a command; what comes of it is among the events."""
        said = json.dumps({"command": name, "params": params}).encode()
        self._socket.sendall(b"%d:%s," % (len(said), said))

    # ---- what it tells ----

    def wait_for(self, kind: str, within_s: float = 10.0, count: int = 1) -> dict[str, Any]:
        """Return the latest event of a kind (`CALL_ESTABLISHED`, `CALL_CLOSED`), once there are so many."""
        try:
            wait_until(kind, lambda: self._process.poll() is not None or len(self.of(kind)) >= count, within_s)
            assert len(self.of(kind)) >= count, f"it ended with {self._process.returncode}"
        except AssertionError as error:
            raise AssertionError(
                f"no {kind} from baresip ({error}); it told {self.events}; its log:\n{self.log()}"
            ) from None
        return self.of(kind)[-1]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of a kind, in their order."""
        return [event for event in list(self.events) if event.get("type") == kind]

    @property
    def keys_heard(self) -> str:
        """The keys that came as events."""
        return "".join(event["param"] for event in self.of("CALL_DTMF_START"))

    def heard(self) -> bytes:
        """Return what was heard in its last call, as µ-law; when the call is over."""
        return _latest(self._folder, "dec")

    def said(self) -> bytes:
        """Return what it sent in its last call, as µ-law; when the call is over."""
        return _latest(self._folder, "enc")

    def log(self) -> str:
        """Return what it wrote about itself."""
        return (self._folder / "log").read_text(errors="replace")

    # ---- within ----

    def kill(self) -> None:
        """End it without a word."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=10)
        if hasattr(self, "_socket"):
            self._socket.close()

    def _is_connected(self) -> bool:
        try:
            self._socket = socket.create_connection((HOST, self._control), timeout=1)
        except ConnectionRefusedError:
            return False
        self._socket.settimeout(None)
        return True

    def _read(self) -> None:
        held = b""
        while True:
            try:
                came = self._socket.recv(65_536)
            except OSError:  # it was killed, or closed by ourselves
                return
            if not came:
                return
            held += came
            while (length := held.partition(b":")[0]) and len(held) > len(length) + 1 + int(length):
                start = len(length) + 1
                self.events.append(json.loads(held[start : start + int(length)]))
                held = held[start + int(length) + 1 :]


def _latest(folder: Path, side: str) -> bytes:
    files = sorted(folder.glob(f"dump-*-{side}.wav"))
    assert files, f"baresip kept no {side}.wav in {folder}"
    return ulaw_of_wav(files[-1].read_bytes())
