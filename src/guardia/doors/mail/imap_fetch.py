"""IMAP: a mailbox somewhere else, fetched into the spool; seen is set only on what the spool has.

Rules:
- A message is fetched without being marked (BODY.PEEK), kept in the spool, and only then marked seen. Killed in
  between, the next fetch meets it again, and the spool has it already: its id is made from the mailbox (account,
  UIDVALIDITY, UID) and from its arrival, so that it is the same each time. Nothing in the mailbox is ever removed.
- Its arrival is its INTERNALDATE; its envelope sender what the Return-Path that the mailbox's server put on top says.
- However large or odd a message is, it is kept: nothing is silently left. One that cannot be kept stays unseen, is told
  of, and does not hold up the others.
- A lost connection is made anew after a pause that grows to `LONGEST_PAUSE_S`.
"""

import hashlib
import logging
import re
import ssl
from datetime import datetime
from threading import Event
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

from imap_tools import BaseMailBox, MailBox, MailBoxUnencrypted

from guardia.kernel import clock
from guardia.kernel.outside import MailFacts, MailSpool

POLL_S: Final = 15.0
TIMEOUT_S: Final = 60.0
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
_RETURN_PATH: Final = re.compile(rb"\AReturn-Path:[ \t]*<([^<>\r\n]{0,320})>", re.IGNORECASE)
_INTERNALDATE: Final = re.compile(rb'INTERNALDATE "([^"]{20,40})"')
_log = logging.getLogger("guardia.mail.imap")


class Unreadable(Exception):
    """The server gave something else than the message that was asked for."""


def stored_id(account: str, validity: str, uid: str, arrived_at: datetime) -> UUID:
    """Return the one id of a message of a mailbox: a UUIDv8 that begins with its millisecond, as a UUIDv7 does."""
    digest = hashlib.sha256(f"{account}\0{validity}\0{uid}".encode()).digest()
    number = (int(arrived_at.timestamp() * 1000) & (1 << 48) - 1) << 80 | int.from_bytes(digest[:10], "big")
    return UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0x2 << 62)


class Fetcher:
    """Fetches from the mailbox of one URL."""

    def __init__(self, url: str, spool: MailSpool, poll_s: float = POLL_S) -> None:
        self._parts, self._spool, self._poll_s = urlsplit(url), spool, poll_s
        self.folder = unquote(self._parts.path.strip("/")) or "INBOX"
        self.account = f"{self._parts.username}@{self._parts.hostname}:{self._parts.port or 0}/{self.folder}"
        self._fetched, self._failed = 0, 0
        self._well_at, self._fault = "", ""

    def told(self) -> dict[str, object]:
        """Return what it has done, for the sign of life."""
        return {"fetched": self._fetched, "failed": self._failed, "well_at": self._well_at, "fault": self._fault}

    def run(self, stop: Event) -> None:
        """Fetch until told to stop."""
        pause_s = SHORTEST_PAUSE_S
        while not stop.is_set():
            try:
                with self._connected() as mailbox:
                    pause_s = SHORTEST_PAUSE_S
                    while not stop.is_set():
                        self.fetch(mailbox, stop)
                        self._well_at, self._fault = clock.now().isoformat(), ""
                        self._wait(mailbox, stop)
            except Exception as error:  # noqa: BLE001  whatever it is, mail is fetched again after a pause
                self._fault = f"{type(error).__name__}: {error}"[:200]
                _log.warning("no mail can be fetched from %s: %s", self.account, self._fault)
                stop.wait(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _connected(self) -> BaseMailBox:
        parts = self._parts
        host, user, password = parts.hostname or "", unquote(parts.username or ""), unquote(parts.password or "")
        mailbox: BaseMailBox
        if parts.scheme == "imaps":
            mailbox = MailBox(host, parts.port or 993, timeout=TIMEOUT_S, ssl_context=ssl.create_default_context())
        else:
            mailbox = MailBoxUnencrypted(host, parts.port or 143, timeout=TIMEOUT_S)
        return mailbox.login(user, password, self.folder)

    def _wait(self, mailbox: BaseMailBox, stop: Event) -> None:
        """Wait until the server says that something came, or a poll is due."""
        if "IDLE" not in mailbox.client.capabilities:
            stop.wait(self._poll_s)
            return
        mailbox.idle.start()  # type: ignore[no-untyped-call]
        try:
            for _ in range(max(1, int(self._poll_s))):
                if stop.is_set() or mailbox.idle.poll(timeout=min(1.0, self._poll_s)):
                    break
        finally:
            mailbox.idle.stop()  # type: ignore[no-untyped-call]

    def fetch(self, mailbox: BaseMailBox, stop: Event) -> int:
        """Keep everything unseen, and mark it; return how many messages."""
        validity = str(mailbox.folder.status(self.folder, ["UIDVALIDITY"])["UIDVALIDITY"])
        done = 0
        for uid in mailbox.uids("UNSEEN"):
            if stop.is_set():
                break
            try:
                self._keep(mailbox, validity, uid)
                _mark_seen(mailbox, uid)
            except (_NotKept, Unreadable) as error:
                self._failed += 1
                self._fault = f"message {uid}: {error}"[:200]
                _log.error("the message %s of %s stays unseen: %s", uid, self.account, error)
                continue
            self._fetched += 1
            done += 1
        return done

    def _keep(self, mailbox: BaseMailBox, validity: str, uid: str) -> None:
        raw, arrived_at = _fetched(mailbox, uid)
        head = _RETURN_PATH.match(raw)
        facts = MailFacts(
            door="imap",
            arrived_at=arrived_at,
            peer=(self._parts.hostname or "")[:60],
            sender=head[1].decode("utf-8", "replace").strip() if head else "",
            id=stored_id(self.account, validity, uid, arrived_at),
        )
        try:
            self._spool.keep(facts, raw)
        except OSError as error:
            raise _NotKept(str(error)) from error


class _NotKept(Exception):
    """The spool could not take a message; the mailbox still has it, unseen."""


def _mark_seen(mailbox: BaseMailBox, uid: str) -> None:
    # Not by `mailbox.flag`: that expunges, and would take away what somebody else has marked as deleted.
    status, answer = mailbox.client.uid("store", uid, "+FLAGS.SILENT", r"(\Seen)")
    if status != "OK":
        raise Unreadable(f"it is kept, but the server did not mark it: {answer!r}"[:200])


def _fetched(mailbox: BaseMailBox, uid: str) -> tuple[bytes, datetime]:
    """Return the bytes and the arrival of a message. Raises Unreadable."""
    status, answer = mailbox.client.uid("fetch", uid, "(INTERNALDATE BODY.PEEK[])")
    if status != "OK":
        raise Unreadable(f"the server answered {status}")
    parts = [part for part in answer if isinstance(part, tuple)]
    if len(parts) != 1:
        raise Unreadable("the server gave no message")
    told = b" ".join(part[0] if isinstance(part, tuple) else part for part in answer if part)
    date = _INTERNALDATE.search(told)
    if date is None:
        raise Unreadable("the server gave no INTERNALDATE")
    try:
        return parts[0][1], datetime.strptime(date[1].decode("ascii").strip(), "%d-%b-%Y %H:%M:%S %z")
    except ValueError as error:
        raise Unreadable(f"the server gave an impossible INTERNALDATE: {error}") from error
