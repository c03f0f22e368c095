"""The mail listener: SMTP from the world, LMTP from an own mail server, into the spool. It needs no database.

Rules:
- 250 after the final dot only once the spool has the message durably; whatever goes wrong before is a 4xx, so that the
  sender keeps it and tries again. Nothing is decided here about what a message says.
- Only our own recipients are taken: nothing is relayed.
- A message ends with CR LF dot CR LF and in no other way (no SMTP smuggling); its bytes are kept as they came, long
  lines and bare line ends too.
- Each peer has limits (`limits`), each connection a time and a number of faults, all together a share of the memory.
- With LMTP each recipient has a reply of its own (RFC 2033).
"""

import asyncio
import errno
import logging
import re
import ssl
from dataclasses import dataclass, field
from typing import Any, AnyStr, Final

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, syntax
from aiosmtpd.smtp import Envelope as SmtpEnvelope
from aiosmtpd.smtp import Session as SmtpSession

from guardia.doors.mail.keeper import Keeper
from guardia.doors.mail.limits import Limits, plain_address
from guardia.kernel import clock
from guardia.kernel.environment import Settings
from guardia.kernel.outside import MailFacts

IDLE_S: Final = 300.0
"""RFC 5321 4.5.3.2.7."""
LONGEST_MESSAGE_S: Final = 1800.0
MOST_RECIPIENTS: Final = 100
MOST_FAULTS: Final = 50
MOST_COMMAND: Final = 1024
READ_AT_ONCE: Final = 128 * 1024
SHARE_OF_MEMORY: Final = 384 * 1024 * 1024
"""Bytes of messages that are on their way in at the same time, of all connections."""
END: Final = b"\r\n.\r\n"
CALLS: Final = {"*": 200, "MAIL": 1_000_000, "RCPT": 1_000_000, "DATA": 1_000_000, "RSET": 1_000_000}
OWN_NAMES: Final = frozenset({"abuse", "postmaster"})
_CODES: Final = {"221": "2.0.0", "250": "2.0.0", "252": "2.0.0", "421": "4.7.0", "454": "4.7.0", "500": "5.5.2"}
_CODES_2: Final = {"501": "5.5.4", "502": "5.5.1", "503": "5.5.1", "530": "5.7.0", "552": "5.3.4", "555": "5.5.4"}
_UNCODED: Final = re.compile(r"([245]\d\d) (?!\d\.\d\d?\.\d)")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_log = logging.getLogger("guardia.mail.listener")


def is_ours(address: str, support_email: str) -> bool:
    """Whether a recipient is the desk: its address, tagged or not, a bounce address, abuse or postmaster."""
    local, _, domain = address.lower().rpartition("@")
    own_local, _, own_domain = support_email.lower().rpartition("@")
    if domain != own_domain:
        return False
    return local == own_local or local.startswith((f"{own_local}+", "bounce+")) or local in OWN_NAMES


@dataclass
class Counts:
    """What the listener has done since its start, for the health page."""

    kept: int = 0
    refused: int = 0
    put_off: int = 0
    in_flight: int = 0
    last_kept_at: str = ""
    by_door: dict[str, int] = field(default_factory=dict)


class Reception:
    """What all connections share, and what aiosmtpd asks at each step."""

    def __init__(self, own: Settings, keeper: Keeper, limits: Limits) -> None:
        self.own, self.keeper, self.limits = own, keeper, limits
        self.domain = own.support_email.lower().rpartition("@")[2]
        self.counts = Counts()

    async def handle_EHLO(  # noqa: N802  aiosmtpd's name
        self, server: "Connection", session: SmtpSession, _envelope: SmtpEnvelope, hostname: str, lines: list[str]
    ) -> list[str]:
        """Offer what we do, and no AUTH."""
        session.host_name = hostname
        offered = [line for line in lines[1:] if not line[4:].startswith(("AUTH", "HELP"))]
        more = ["250-PIPELINING", "250-ENHANCEDSTATUSCODES", *offered]
        return [f"250-{server.hostname}", *more[:-1], more[-1].replace("-", " ", 1)]

    async def handle_MAIL(  # noqa: N802
        self, server: "Connection", _session: SmtpSession, envelope: SmtpEnvelope, address: str, options: list[str]
    ) -> str:
        """Take a sender, the null one too, as fast as its peer may send."""
        if not self.limits.may_send(server.address):
            self.counts.put_off += 1
            return "451 4.7.0 Too many messages from your address; try again in a minute"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Sender taken"

    async def handle_RCPT(  # noqa: N802
        self, _server: "Connection", _session: SmtpSession, envelope: SmtpEnvelope, address: str, options: list[str]
    ) -> str:
        """Take recipients of ours."""
        if not is_ours(address, self.own.support_email):
            self.counts.refused += 1
            return "550 5.1.1 There is no such mailbox here, and nothing is relayed"
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Recipient taken"

    async def handle_exception(self, error: Exception) -> str:
        """Whatever broke, the sender keeps its message."""
        _log.error("a connection met an error", exc_info=error)
        return "451 4.3.0 Something failed here; try again later"

    async def keep(self, facts: MailFacts, raw: bytes) -> str:
        """Keep a message, and return the reply: 250 only once it is on disk."""
        try:
            envelope = await self.keeper.keep(facts, raw)
        except OSError as error:
            self.counts.put_off += 1
            _log.error("a message could not be kept: %s", error)
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                return "452 4.3.1 The disk is full; try again later"
            return "451 4.3.0 The message could not be stored; try again later"
        except Exception:  # noqa: BLE001  whatever it is, the sender keeps its message
            self.counts.put_off += 1
            _log.exception("a message could not be kept")
            return "451 4.3.0 The message could not be stored; try again later"
        self.counts.kept += 1
        self.counts.by_door[facts.door] = self.counts.by_door.get(facts.door, 0) + 1
        self.counts.last_kept_at = facts.arrived_at.isoformat()
        return f"250 2.0.0 Kept as {envelope.id}"


class Connection(SMTP):
    """One SMTP connection."""

    door = "smtp"
    line_length_limit = READ_AT_ONCE
    command_size_limit = MOST_COMMAND

    def __init__(self, reception: Reception, tls: ssl.SSLContext | None, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            reception,
            data_size_limit=reception.own.mail_size_limit,
            enable_SMTPUTF8=True,
            hostname=reception.domain,
            ident="ESMTP Guardia",
            tls_context=tls,
            timeout=IDLE_S,
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            command_call_limit=dict(CALLS),
            loop=loop,
        )
        self.reception = reception
        self.address = ""
        self._faults = 0
        self._own_in_flight = 0
        self._is_greeting = True

    # ---- limits of a connection ----

    async def _handle_client(self) -> None:
        assert self.session is not None  # noqa: S101  made when the connection was
        self.address = plain_address((self.session.peer or ("",))[0])
        if not self.reception.limits.may_connect(self.address):
            self.reception.counts.put_off += 1
            await self._leave("421 4.7.0 Too many connections; try again later")
            return
        try:
            await super()._handle_client()
        finally:
            self.reception.limits.leave(self.address)

    async def _leave(self, words: str) -> None:
        self._is_greeting = True
        await super().push(words)
        if self.transport is not None:
            self.transport.close()

    async def push(self, status: AnyStr) -> None:
        """Send a reply with its enhanced code and without control characters; too many faults end the connection."""
        if not isinstance(status, str):
            await super().push(status)
            return
        words = _CONTROLS.sub("?", status)
        if self._is_greeting:
            self._is_greeting = words.startswith("250-")
        elif (match := _UNCODED.match(words)) and match[1] != "220":
            code = _CODES.get(match[1]) or _CODES_2.get(match[1]) or f"{match[1][0]}.0.0"
            words = f"{match[1]} {code} {words[match.end() :]}"
        await super().push(words)
        self._faults += words[0] in "45"
        if self._faults == MOST_FAULTS:
            await self._leave("421 4.7.0 Too many errors")

    # ---- commands ----

    @syntax("EHLO hostname")
    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        """Greet; the lines of the greeting have no enhanced codes."""
        self._is_greeting = bool(hostname)
        self.command_size_limits.clear()
        await super().smtp_EHLO(hostname)
        self._is_greeting = False
        self.command_size_limits.clear()

    @syntax("HELO hostname")
    async def smtp_HELO(self, hostname: str) -> None:  # noqa: N802
        """Greet the old way."""
        self._is_greeting = bool(hostname)
        await super().smtp_HELO(hostname)
        self._is_greeting = False

    async def smtp_AUTH(self, _arg: str) -> None:  # noqa: N802
        """Nobody signs in here."""
        await self.push("502 5.5.1 Nobody signs in here")

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """Read an address; `<postmaster>` needs no domain (RFC 5321 4.5.1)."""
        if arg.strip().lower().startswith("<postmaster>"):
            return f"postmaster@{self.reception.domain}", arg.strip()[len("<postmaster>") :]
        return super()._getaddr(arg)

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        """Take a message in, and reply once for it, or with LMTP once for each recipient."""
        if await self.check_helo_needed():
            return
        assert self.envelope is not None  # noqa: S101  there is one after HELO
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 There is no recipient")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        try:
            raw, fault = await self._message()
            reply = fault or await self.reception.keep(self._facts(self.envelope), raw)
        finally:
            self.reception.counts.in_flight -= self._own_in_flight
            self._own_in_flight = 0
        recipients = len(self.envelope.rcpt_tos)
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        for _ in range(self._replies(recipients)):
            await self.push(reply)

    def _replies(self, _recipients: int) -> int:
        return 1

    def _facts(self, envelope: SmtpEnvelope) -> MailFacts:
        assert self.session is not None  # noqa: S101  as above
        sender = str(envelope.mail_from or "")
        return MailFacts(
            door=self.door,
            arrived_at=clock.now(),
            peer=self.address[:60],
            helo=_clean(str(self.session.host_name or ""))[:255],
            sender="" if sender == "<>" else _clean(sender)[:320],
            recipients=tuple(_clean(one)[:320].lower() for one in envelope.rcpt_tos),
        )

    async def _message(self) -> tuple[bytes, str]:
        """Return the message without its end and its doubled dots; or what to reply, once its end has come."""
        # The line end that ended the DATA command belongs to the end of an empty message.
        self._reader._buffer[:0] = b"\r\n"  # type: ignore[attr-defined]  # noqa: SLF001
        limit, size, parts, fault = self.reception.own.mail_size_limit, 0, [], ""
        deadline = self.loop.time() + LONGEST_MESSAGE_S
        while True:
            try:
                part, is_last = await self._reader.readuntil(END), True
            except asyncio.LimitOverrunError as more:
                part, is_last = await self._reader.read(more.consumed), False
            self._reset_timeout()
            size += len(part)
            if not fault:
                parts.append(part)
                self._own_in_flight += len(part)
                self.reception.counts.in_flight += len(part)
                fault = self._fault(size)
                if fault:
                    parts.clear()
            if is_last:
                break
            if size > 2 * limit + READ_AT_ONCE or self.loop.time() > deadline:
                await self._leave(fault or "421 4.4.2 The message takes too long")
                raise ConnectionResetError
        if fault:
            return b"", fault
        return b"".join(parts)[:-3].replace(b"\r\n.", b"\r\n")[2:], ""

    def _fault(self, size: int) -> str:
        if size > self.reception.own.mail_size_limit + len(END):
            self.reception.counts.refused += 1
            return "552 5.3.4 The message is too large"
        if self.reception.counts.in_flight > SHARE_OF_MEMORY:
            self.reception.counts.put_off += 1
            return "452 4.3.1 Too much mail at the same time; try again later"
        return ""


class HandedOver(LMTP, Connection):
    """One LMTP connection."""

    door = "lmtp"

    def _replies(self, recipients: int) -> int:
        return recipients


def _clean(text: str) -> str:
    return _CONTROLS.sub("?", text)


def tls_context(own: Settings) -> ssl.SSLContext | None:
    """Return what STARTTLS needs, or None where the operator gave no certificate. Raises OSError."""
    if own.mail_tls_cert is None or own.mail_tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(own.mail_tls_cert, own.mail_tls_key)
    return context


async def start(reception: Reception) -> list[asyncio.AbstractServer]:
    """Listen on the ports of the settings. Raises OSError where one is taken."""
    own, loop = reception.own, asyncio.get_running_loop()
    tls = tls_context(own)
    doors: tuple[tuple[int, type[Connection]], ...] = ((own.mail_port, Connection), (own.mail_lmtp_port, HandedOver))
    servers: list[asyncio.AbstractServer] = []
    for port, door in doors:
        if port:

            def connection(made: type[Connection] = door) -> Any:
                return made(reception, tls, loop)

            servers.append(await loop.create_server(connection, own.mail_host, port, backlog=512))
    return servers
