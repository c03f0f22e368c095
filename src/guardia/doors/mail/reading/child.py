"""The process that reads: takes messages from its input, gives letters to its output, with as little as it needs.

It has no database, no key and no setting; memory, processor time for each message, files and core dumps are limited. It
ends when its input ends or its parent dies.
"""

import ctypes
import gc
import json
import os
import resource
import signal
import sys
from typing import BinaryIO, Final

from guardia.doors.mail.reading import wire
from guardia.doors.mail.reading.message import read_letter

READY: Final = b"R"
MEMORY: Final = 1_500 * 1024 * 1024
PROCESSOR_S: Final = 5
_PR_SET_PDEATHSIG: Final = 1
_PIECE: Final = 1 << 20


def main() -> None:
    """Read message after message until the input ends."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit()
    gc.freeze()
    asked, told = sys.stdin.buffer, sys.stdout.buffer
    told.write(READY)
    told.flush()
    while True:
        lengths = _exactly(asked, wire.LENGTHS.size)
        if lengths is None:
            return
        text_length, length = wire.LENGTHS.unpack(lengths)
        text, raw = _exactly(asked, text_length), _exactly(asked, length)
        if text is None or raw is None:
            return
        _limit_processor()
        said = json.loads(text)
        letter = read_letter(raw, said["envelope_sender"], said["own_addresses"])
        for piece in wire.packed_letter(letter):
            told.write(piece)
        told.flush()


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _limit_processor() -> None:
    """A few seconds for this message, on top of what the ones before have used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + PROCESSOR_S
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _exactly(source: BinaryIO, length: int) -> bytes | None:
    """That many bytes, None where the input ends before."""
    content = source.read(length) if length else b""
    return content if len(content) == length else None


if __name__ == "__main__":
    main()
