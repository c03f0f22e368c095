"""Talks to the server's API: small JSON over HTTP, with timeouts and limits.

Rules:
1. An answer of 2xx is its JSON; a problem (RFC 9457) is shown as "title: detail"; anything else is unreachable.
2. Redirects are not followed: the token goes to the server it was made for and nowhere else.
3. An answer is read to at most 1 MiB. No message shows the token or the code.
"""

import json
from typing import Any
from urllib.parse import urlsplit

import urllib3

from sigdist.client.connection import USER_AGENT, cause, pool_for
from sigdist.client.refusals import ServerRefused, ServerUnreachable

_TIMEOUT = urllib3.Timeout(connect=10, read=60)
_MAX_ANSWER_BYTES = 1_048_576


class Server:
    """The server at `url`, with this machine's token once it has one."""

    def __init__(self, url: str, token: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ServerUnreachable(f"{url!r} is no server address; give one such as https://support.example")
        self._url = url.rstrip("/")
        self._token = token
        self._pool = pool_for(url)

    @property
    def in_clear(self) -> bool:
        """Whether secrets would cross a network unencrypted."""
        parts = urlsplit(self._url)
        return parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}

    def get(self, path: str) -> dict[str, Any]:
        """The JSON at `path`. Raises ServerRefused, ServerUnreachable."""
        return self._ask("GET", path, None)

    def post(self, path: str, data: dict[str, Any]) -> dict[str, Any]:
        """The JSON answer to `data` at `path`. Raises ServerRefused, ServerUnreachable."""
        return self._ask("POST", path, data)

    def _ask(self, method: str, path: str, data: dict[str, Any] | None) -> dict[str, Any]:
        headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        body = None
        if data is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(data).encode()
        try:
            answer = self._pool.request(
                method,
                self._url + path,
                headers=headers,
                body=body,
                timeout=_TIMEOUT,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            content = answer.read(_MAX_ANSWER_BYTES + 1)
            answer.release_conn()
        except urllib3.exceptions.HTTPError as wrong:
            raise ServerUnreachable(f"no answer from {self._url}: {cause(wrong)}; check address and network") from wrong
        return self._read(path, answer.status, content)

    def _read(self, path: str, status: int, content: bytes) -> dict[str, Any]:
        try:
            read = json.loads(content) if len(content) <= _MAX_ANSWER_BYTES else None
        except ValueError:
            # Not JSON: told below as an answer that cannot be used.
            read = None
        if isinstance(read, dict) and 200 <= status < 300:  # noqa: PLR2004 - the success class of HTTP
            return read
        if isinstance(read, dict) and "title" in read:
            detail = f"{read['title']}: {read['detail']}" if read.get("detail") else str(read["title"])
            raise ServerRefused(status, detail)
        raise ServerUnreachable(f"{self._url}{path} answered {status} with nothing usable; is this a Guardia server?")
