"""A real SMTP server that keeps what it is given and answers as it is told."""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.ports import free_port


@dataclass
class Sink:
    """What came: return path, recipient and bytes of each mail. `answer` says what is answered to a recipient."""

    got: list[tuple[str, str, bytes]] = field(default_factory=list)
    answer: Callable[[str], str] = lambda _recipient: "250 taken"
    at_recipient: Callable[[str], str] = lambda _recipient: "250 OK"
    answers_after_s: float = 0
    connections: int = 0  # those that said EHLO
    port: int = 0
    tls: ssl.SSLContext | None = None
    starts_with_tls: bool = False

    async def handle_EHLO(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Count the connections."""
        session.host_name = hostname
        self.connections += 1
        return responses

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take or refuse a recipient."""
        said = self.at_recipient(address)
        if said.startswith("2"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail, or refuse it."""
        recipient = envelope.rcpt_tos[0]
        said = self.answer(recipient)
        if said.startswith("2"):
            self.got.append((str(envelope.mail_from), recipient, bytes(envelope.original_content or b"")))
        await asyncio.sleep(self.answers_after_s)
        return said

    @property
    def url(self) -> str:
        """Where it listens."""
        scheme = "smtp" if self.tls is None else "smtps" if self.starts_with_tls else "smtp+starttls"
        return f"{scheme}://127.0.0.1:{self.port}"


@contextmanager
def smtp_sink(**facts: Any) -> Iterator[Sink]:
    """Run a sink within the block."""
    sink = Sink(**facts)
    sink.port = free_port()
    tls: dict[str, Any] = {"ssl_context": sink.tls}
    if not sink.starts_with_tls:
        tls = {"tls_context": sink.tls, "require_starttls": sink.tls is not None}
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port, decode_data=False, **tls)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop(no_assert=True)
