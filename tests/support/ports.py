"""Ports of the loopback for servers under test.

A port that the kernel chose and that was closed again may be the kernel's next choice for somebody else, and on a busy
machine a server starts seconds after its port was chosen. So each test worker has a share of its own below the kernel's
range (32768 and above), and does not come back to a port until it has been through its share.
"""

import os
import random
import socket
from contextlib import ExitStack
from typing import Final

HOST: Final = "127.0.0.1"
_FIRST, _END, _SHARES = 10_100, 32_100, 4  # browsers refuse to open 10080
_PER_SHARE = (_END - _FIRST) // _SHARES
_share = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES
_next = random.randrange(_PER_SHARE)  # processes that are started by the same worker begin elsewhere


def free_port(count: int = 1) -> int:
    """Return a port that nobody has, with as many free ones behind it, for TCP as for UDP; fail where there is none."""
    global _next  # noqa: PLW0603
    for _ in range(2 * _PER_SHARE):
        offset, _next = _next, _next + 1
        if offset + count > _PER_SHARE:
            _next = 0
        elif all(_is_free(_FIRST + _share * _PER_SHARE + offset + number) for number in range(count)):
            _next = offset + count
            return _FIRST + _share * _PER_SHARE + offset
    raise AssertionError(f"no {count} free ports in a row among {_PER_SHARE}")


def _is_free(port: int) -> bool:
    with ExitStack() as probes:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            probe = probes.enter_context(socket.socket(socket.AF_INET, kind))
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what just ended is free, as for a server
            try:
                probe.bind((HOST, port))
            except OSError:
                return False
    return True
