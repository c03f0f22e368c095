"""A real line against peers that write their packets by hand: what sippy's own transactions make of it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from tests.doors.voice.sip.bench import Answering, answering, packet
from tests.support import hostile_packets

pytestmark = pytest.mark.slow
ENOUGH_S = 10.0


def reply(asked: str, code: int, *headers: str) -> bytes:
    """Answer a request of the line's."""
    kept = [line for line in asked.split("\r\n") if line.split(":")[0] in {"Via", "From", "Call-ID", "CSeq", "To"}]
    tagged = [f"{line};tag=far" if line.startswith("To:") and ";tag=" not in line else line for line in kept]
    return "\r\n".join([f"SIP/2.0 {code} Said", *tagged, *headers, "Content-Length: 0", "", ""]).encode()


@contextmanager
def trunk(challenge: str) -> Iterator[int]:
    """Run a trunk that registers us, and challenges each call and each question."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", 0))
        own.settimeout(0.2)
        is_over = threading.Event()

        def serve() -> None:
            while not is_over.is_set():
                try:
                    data, peer = own.recvfrom(9000)
                except TimeoutError:
                    continue
                asked = data.decode()
                if asked.startswith("REGISTER"):
                    own.sendto(reply(asked, 200), peer)
                elif asked.startswith("INVITE"):
                    own.sendto(reply(asked, 100), peer)
                    own.sendto(reply(asked, 407, f"Proxy-Authenticate: {challenge}"), peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield own.getsockname()[1]
        is_over.set()
        thread.join(5)


@pytest.mark.parametrize("challenge", ["Negotiate", "Digest", 'Basic realm="x"'])
def test_a_trunk_whose_challenge_cannot_be_read_keeps_no_leg(challenge: str) -> None:
    with trunk(challenge) as port, answering(trunk=f"sip://user:password@127.0.0.1:{port}") as line:
        while line.ask("count")["registered"] != "registered":
            time.sleep(0.1)
        line.tell("dial", "600", 20)
        ended = line.wait("ended")
        assert (ended["why"], ended["code"]) == ("refused", 407)
        assert line.ask("count")["count"] == 0


class Caller:
    """A peer in a call with the line."""

    def __init__(self, line: Answering) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(ENOUGH_S)
        self._socket.connect(("127.0.0.1", line.port))
        self._port = self._socket.getsockname()[1]
        self._to = "<sip:good@127.0.0.1>"

    def send(self, method: str, number: int) -> None:
        """Send a request of the call."""
        mark = f"{method}{number}"
        self._socket.send(
            packet(
                f"{method} sip:good@127.0.0.1 SIP/2.0",
                body=hostile_packets.SDP if method == "INVITE" else "",
                Via=f"SIP/2.0/UDP 127.0.0.1:{self._port};rport;branch=z9hG4bK{self._port}{mark}",
                From="<sip:peer@127.0.0.1>;tag=theirs",
                To=self._to,
                Call_ID=f"call{self._port}",
                CSeq=f"{number} {method}",
                Contact=f"<sip:peer@127.0.0.1:{self._port}>",
            )
        )

    def hear(self, start: str) -> None:
        """Wait for a packet that starts so."""
        while True:
            text = self._socket.recv(9000).decode()
            if text.startswith(start):
                self._to = next(line[4:] for line in text.split("\r\n") if line.startswith("To: "))
                return


def test_a_hang_up_between_the_200_and_the_ack_of_a_re_invite_is_heard_by_the_far_end() -> None:
    with answering() as line:
        caller = Caller(line)
        caller.send("INVITE", 1)
        caller.hear("SIP/2.0 200")
        caller.send("ACK", 1)
        line.wait("answered")
        caller.send("INVITE", 2)
        caller.hear("SIP/2.0 200")
        line.tell("hang_up")
        assert line.wait("ended")["why"] == "ours"
        caller.send("ACK", 2)
        caller.hear("BYE")
        assert line.ask("count")["count"] == 0


def test_a_flood_of_large_questions_fills_no_memory() -> None:
    large = ", ".join(f"SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK{mark};p={'x' * 120};q={'y' * 120}" for mark in range(6))
    with answering(is_quiet=True) as line, ExitStack() as open_ones:
        throwers = [open_ones.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(8)]
        for last, thrower in enumerate(throwers, 2):  # each peer has a rate of its own
            thrower.bind((f"127.0.0.{last}", 0))
        before = line.ask("weigh", "weight")["kilobytes"]
        for number in range(8000):
            own = f"SIP/2.0/UDP 127.0.0.1:5997;branch=z9hG4bKflood{number}"
            data = packet("OPTIONS sip:x@127.0.0.1 SIP/2.0", *[f"Via: {large}"] * 4, Via=own, Call_ID=f"flood{number}")
            throwers[number % len(throwers)].sendto(data, ("127.0.0.1", line.port))
            if number % 20 == 0:
                assert line.ask("count")["count"] == 0
        after = line.ask("weigh", "weight")["kilobytes"]
        assert line.ask("counts")["passed"] >= 7000
        assert after - before < 32 * 1024
