"""Where mail goes: an SMTP server, or a folder for development; and a twin that only remembers.

Rules:
- SMTP: a 2xx after the last dot is a mail that was taken. A 5xx to the mail is final, a 4xx and every failure of the
  connection is not. A 5xx to the greeting or to signing in is the operator's to mend, so that is not final either.
- The whole message but its last dot is written first; then `before_last_dot` is called; then the dot is sent. So the
  time in which a mail may or may not have been taken is that of one answer (RFC 1047 tells why it cannot be none).
- Folder: a mail is one file named by its id, put in place whole; repeating it writes the same file, so nothing is ever
  in doubt and `before_last_dot` is not called.
"""

import os
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

from guardia.kernel.outside import MailNotTaken, MailTransport, ReadyMail

TIMEOUT_S: Final = 30.0
_FINAL, _GO_ON = 500, 354
_STARTS_TLS: Final = "smtp+starttls"


class SmtpTransport:
    """An SMTP server: `smtp`, `smtp+starttls` or `smtps`."""

    def __init__(self, url: str, domain: str, timeout_s: float = TIMEOUT_S) -> None:
        self._url, self._domain, self._timeout_s = url, domain, timeout_s

    def open(self) -> "SmtpRoute":
        """Return a route to the server; it connects with the first mail."""
        return SmtpRoute(self._url, self._domain, self._timeout_s)


class SmtpRoute:
    """One connection at a time, used for one mail after the other, and made anew where it broke."""

    def __init__(self, url: str, domain: str, timeout_s: float) -> None:
        self._parts, self._domain, self._timeout_s = urlsplit(url), domain, timeout_s
        self._server: smtplib.SMTP | None = None

    def send(self, mail: ReadyMail, before_last_dot: Callable[[], None]) -> str:
        """Hand a mail over and return the server's words. Raises MailNotTaken."""
        server = self._connected()
        try:
            self._envelope(server, mail)
            self._body(server, mail.raw)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise MailNotTaken(_words(error)) from error
        try:
            before_last_dot()
        except BaseException:
            self._drop()  # without the dot, nothing was handed over
            raise
        try:
            server.send(b".\r\n")
            code, said = server.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise MailNotTaken(_words(error), is_in_doubt=True) from error
        return self._answer(code, said)

    def close(self) -> None:
        """Say goodbye; where nobody listens any more, just hang up."""
        if self._server is not None:
            try:
                self._server.quit()
            except (OSError, smtplib.SMTPException):
                self._server.close()  # it was over already: every mail has had its answer
            self._server = None

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _connected(self) -> smtplib.SMTP:
        if self._server is not None:
            try:
                self._server.rset()
            except (OSError, smtplib.SMTPException):
                self._drop()  # the server ends idle connections: a new one is made
            else:
                return self._server
        try:
            self._server = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise MailNotTaken(_words(error), is_unreachable=True) from error
        return self._server

    def _connect(self) -> smtplib.SMTP:
        parts, context = self._parts, ssl.create_default_context()
        host = parts.hostname or "localhost"
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, parts.port or 465, self._domain, timeout=self._timeout_s, context=context
            )
        else:
            server = smtplib.SMTP(host, parts.port or 25, self._domain, timeout=self._timeout_s)
        try:
            if parts.scheme == _STARTS_TLS:
                server.starttls(context=context)
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.ehlo_or_helo_if_needed()
        except BaseException:
            server.close()
            raise
        return server

    def _envelope(self, server: smtplib.SMTP, mail: ReadyMail) -> None:
        self._demand(*server.mail(mail.return_path))
        self._demand(*server.rcpt(mail.recipient))

    def _body(self, server: smtplib.SMTP, raw: bytes) -> None:
        code, said = server.docmd("DATA")
        if code != _GO_ON:
            self._demand(code, said)
            raise smtplib.SMTPException(f"{code} to DATA")
        lines = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n").split(b"\n")
        server.send(b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines))

    def _demand(self, code: int, said: bytes) -> None:
        """Raise where a step of the envelope was refused."""
        if code >= 400:  # noqa: PLR2004  SMTP's refusals
            self._answer(code, said)

    def _answer(self, code: int, said: bytes) -> str:
        words = f"{code} {said.decode(errors='replace')}"
        if 200 <= code < 300:  # noqa: PLR2004  SMTP's consent
            return words
        raise MailNotTaken(words, is_final=code >= _FINAL)


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"
    return f"{type(error).__name__}: {error}"


@dataclass(frozen=True)
class FolderTransport:
    """A folder: one `.eml` for each mail."""

    folder: Path

    def open(self) -> "FolderTransport":
        """Return itself: there is no connection."""
        return self

    def send(self, mail: ReadyMail, before_last_dot: Callable[[], None]) -> str:  # noqa: ARG002  nothing is in doubt
        """Write the mail's file. Raises MailNotTaken."""
        head = f"X-Envelope-From: {mail.return_path}\r\nX-Envelope-To: {mail.recipient}\r\n"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(self.folder / f"{mail.id}.eml", head.encode() + mail.raw)
        except OSError as error:
            raise MailNotTaken(f"the folder does not take it: {error.strerror}", is_unreachable=True) from error
        return "kept in the folder"

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        new = path.with_name(f".{path.name}.{os.getpid()}")
        with open(new, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)

    def close(self) -> None:
        """There is nothing to end."""


@dataclass
class RememberedTransport:
    """The twin: it keeps what was sent by its id, and answers as it is told."""

    sent: list[ReadyMail] = field(default_factory=list)
    refusals: dict[UUID | str, MailNotTaken] = field(default_factory=dict)
    """What it raises for a mail's id or a recipient."""

    def open(self) -> "RememberedTransport":
        """Return itself: there is no connection."""
        return self

    def send(self, mail: ReadyMail, before_last_dot: Callable[[], None]) -> str:
        """Keep a mail. Raises MailNotTaken."""
        refusal = self.refusals.get(mail.id) or self.refusals.get(mail.recipient)
        if refusal is not None and not refusal.is_in_doubt:
            raise refusal
        before_last_dot()
        if refusal is not None:
            raise refusal
        self.sent.append(mail)
        return "250 remembered"

    def close(self) -> None:
        """There is nothing to end."""


def make_transport(url: str, domain: str) -> MailTransport:
    """Return the transport that a setting names; `domain` is how we greet."""
    parts = urlsplit(url)
    return FolderTransport(Path(parts.path)) if parts.scheme == "file" else SmtpTransport(url, domain)
