"""The whole line among hostile packets: SIP, SDP and sound at once, a call going on meanwhile, a good call afterwards.

`make torture` (GUARDIA_TORTURE=1) sends ten times as many.
"""

import os
import random
import socket
from pathlib import Path

from tests.support.hostile_packets import mutated, named
from tests.support.line_alone import line_alone
from tests.support.line_peers import HOST, Sipp, sipp
from tests.support.line_running import options_ping
from tests.support.processes import wait_until

TORTURE = bool(os.environ.get("GUARDIA_TORTURE"))
PACKETS = 2000 if TORTURE else 200
SOUNDS = 20_000 if TORTURE else 2_000


def test_hostile_packets_neither_mute_the_line_nor_end_a_call_that_goes_on(tmp_path: Path) -> None:
    source = random.Random("hostile")
    with line_alone(tmp_path) as line:
        sipp("call_keys", line.address, tmp_path / "warm", keys=["2"], pause_s=0.2).check(1)
        before = line.figures()
        with Sipp("call_keys", tmp_path / "good", target=line.address, keys=["2"], pause_s=12.0) as good:
            wait_until("the good call stands", lambda: len(line.records()) == 2, 10.0)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hostile:
                hostile.bind((HOST, 0))
                for packet in [*(raw for _, raw in named()), *mutated(PACKETS, 7)]:
                    hostile.sendto(packet[:65_000], (HOST, line.port))
                first, last = (int(port) for port in line.settings["GUARDIA_LINE_RTP_PORTS"].split("-"))
                for _ in range(SOUNDS):
                    rubbish = source.randbytes(source.randrange(0, 400))
                    hostile.sendto(rubbish, (HOST, source.randrange(first, min(last, first + 200))))
            assert options_ping(HOST, line.port, 5.0)
            good.finish().check(1)
        sipp("call_keys", line.address, tmp_path / "after", keys=["2"], pause_s=0.2).check(1)
        wait_until("every call that began has ended", lambda: all(one.ended_at for one in line.records()), 60.0)
        wait_until("its sockets are closed", lambda: line.figures().files <= before.files + 2, 30.0)
        print(f"\n{PACKETS} hostile packets, {SOUNDS} of rubbish sound: {before} -> {line.figures()}")  # noqa: T201  figures
