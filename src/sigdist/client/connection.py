"""Connections over urllib3, as the machine's settings want them: its proxies, its certificates, and a time limit.

Rules:
1. Every connection and every wait for the next byte has a limit; nothing here can wait for ever.
2. A download also has a limit as a whole, looked at whenever bytes arrive, so that a server that drips is given up.
3. No message holds an address: the accelerated lane's has a token in its path.
4. Proxies are those of the environment (`https_proxy`, `no_proxy`); certificates are the system's.
"""

import time
from collections.abc import Iterator
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from tuf.api import exceptions
from tuf.ngclient import FetcherInterface

SOCKET_TIMEOUT_S = 15
FILE_TIMEOUT_S = 600
USER_AGENT = "guardia-agent"
_CHUNK = 65_536


def pool_for(url: str) -> urllib3.PoolManager:
    """A connection pool for the server of `url`, through a proxy where the environment names one."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    if proxy and not proxy_bypass(parts.hostname or ""):
        return urllib3.ProxyManager(proxy)
    return urllib3.PoolManager()


class PatientFetcher(FetcherInterface):
    """Fetches for python-tuf, with an end to its patience. Length limits and verification are python-tuf's."""

    def __init__(self, url: str, *, file_timeout_s: float, socket_timeout_s: float) -> None:
        self._pool = pool_for(url)
        self._file_timeout_s = file_timeout_s
        self._timeout = urllib3.Timeout(socket_timeout_s)

    def _fetch(self, url: str) -> Iterator[bytes]:
        started = time.monotonic()
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
        try:
            answer = self._pool.request(
                "GET", url, headers=headers, preload_content=False, timeout=self._timeout, retries=False, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise _download_error(error) from error
        if answer.status != 200:  # noqa: PLR2004 - the one status that carries the file
            answer.close()
            raise exceptions.DownloadHTTPError(f"status {answer.status}", answer.status)
        return self._bytes(answer, started)

    def _bytes(self, answer: urllib3.response.BaseHTTPResponse, started: float) -> Iterator[bytes]:
        try:
            # read1 gives what has arrived: waiting for a full block would let one byte now and then hold us for days.
            while chunk := answer.read1(_CHUNK, decode_content=False):
                if time.monotonic() - started > self._file_timeout_s:
                    raise exceptions.SlowRetrievalError(f"not complete after {self._file_timeout_s:g} s")
                yield chunk
        except urllib3.exceptions.HTTPError as error:
            raise _download_error(error) from error
        finally:
            answer.close()


def cause(error: Exception) -> str:
    """Why a connection failed, without the address, whose path may hold a token."""
    reason = getattr(error, "reason", None) or error
    return str(reason).rpartition(": ")[2] or type(reason).__name__


def _download_error(error: urllib3.exceptions.HTTPError) -> exceptions.DownloadError:
    # To urllib3 a refused connection is a kind of timeout; to people it is not.
    late = isinstance(error, urllib3.exceptions.TimeoutError)
    if late and not isinstance(error, urllib3.exceptions.NewConnectionError):
        return exceptions.SlowRetrievalError("the server does not answer in time")
    return exceptions.DownloadError(cause(error))
