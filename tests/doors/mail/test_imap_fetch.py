"""Fetching from Debian's Dovecot: kept first and marked after, each once after kill -9, nothing removed or left."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Event

import pytest
from imap_tools import BaseMailBox
from tests.support.dovecot import Dovecot
from tests.support.mail_listener import MailListener

from guardia.adapters.mail_spool import MemorySpool
from guardia.doors.mail.imap_fetch import Fetcher, stored_id

CAME = datetime(2026, 11, 20, 6, 7, 8, tzinfo=timezone(timedelta(hours=1)))
LETTER = b"From: ana@astilleros.example\r\nSubject: por IMAP\r\n\r\nHola.\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    one = Dovecot()
    one.start()
    yield one
    one.remove()


@pytest.fixture
def mailbox(server: Dovecot) -> Dovecot:
    server.empty()
    return server


def fetched(server: Dovecot, spool: MemorySpool) -> int:
    fetcher = Fetcher(server.url, spool)
    with fetcher._connected() as connected:
        return fetcher.fetch(connected, Event())


def until(is_so: Callable[[], bool], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_is_unseen_is_kept_with_its_arrival_and_then_marked(mailbox: Dovecot) -> None:
    spool = MemorySpool()
    mailbox.append(b"Return-Path: <Ana@astilleros.example>\r\n" + LETTER, CAME)
    mailbox.append(b"Return-Path: <>\r\n" + LETTER, CAME + timedelta(minutes=1))
    mailbox.append(LETTER, CAME + timedelta(minutes=2), r"(\Seen)")
    assert fetched(mailbox, spool) == 2
    first, second = (spool.read(mail_id) for mail_id in spool.waiting(9, datetime.now(UTC)))  # noqa: TID251  a deadline
    assert first[0].arrived_at == CAME
    assert (first[0].door, first[0].sender, second[0].sender) == ("imap", "Ana@astilleros.example", "")
    assert first[1].endswith(LETTER)
    assert all(r"\Seen" in flags for flags in mailbox.flags())
    assert fetched(mailbox, spool) == 0


def test_a_message_that_is_not_kept_stays_unseen_and_holds_up_nobody(mailbox: Dovecot) -> None:
    mailbox.append(LETTER, CAME)
    spool = MemorySpool(fault=OSError(28, "No space left on device"))
    assert fetched(mailbox, spool) == 0
    assert r"\Seen" not in mailbox.flags()[0]
    spool.fault = None
    assert fetched(mailbox, spool) == 1


def test_a_message_that_was_kept_before_and_not_marked_is_met_again_and_is_one(mailbox: Dovecot) -> None:
    spool = MemorySpool()
    mailbox.append(LETTER, CAME)
    fetched(mailbox, spool)
    mailbox.mark("-FLAGS", "Seen")
    assert fetched(mailbox, spool) == 1
    assert spool.count_waiting() == 1
    spool.settle(spool.waiting(1, datetime.now(UTC))[0])  # noqa: TID251  a deadline
    mailbox.mark("-FLAGS", "Seen")
    assert fetched(mailbox, spool) == 1
    assert spool.count_waiting() == 0


def test_what_somebody_else_marked_as_deleted_is_not_removed(mailbox: Dovecot) -> None:
    mailbox.append(LETTER, CAME, r"(\Deleted \Seen)")
    mailbox.append(LETTER, CAME)
    fetched(mailbox, MemorySpool())
    assert len(mailbox.flags()) == 2


def test_however_large_a_message_is_it_is_kept(mailbox: Dovecot) -> None:
    spool = MemorySpool()
    large = LETTER + b"x" * 990 + b"\r\n" + (b"y" * 990 + b"\r\n") * 45_000
    mailbox.append(large, CAME)
    assert fetched(mailbox, spool) == 1
    assert spool.read(spool.waiting(1, datetime.now(UTC))[0])[1] == large  # noqa: TID251  a deadline


def test_an_id_is_the_same_each_time_and_anothers_never() -> None:
    one = stored_id("a@b:143/INBOX", "7", "1", CAME)
    assert one == stored_id("a@b:143/INBOX", "7", "1", CAME)
    others = [("a@b:143/INBOX", "7", "2"), ("a@b:143/INBOX", "8", "1"), ("c@b:143/INBOX", "7", "1")]
    assert len({one, *(stored_id(*other, CAME) for other in others)}) == 4
    assert stored_id("a", "7", "1", CAME) < stored_id("a", "7", "1", CAME + timedelta(seconds=1))
    assert one.version == 8


def test_a_lost_server_is_found_again() -> None:
    server, spool, stop = Dovecot(), MemorySpool(), Event()
    fetcher = Fetcher(server.url, spool, poll_s=1)
    thread = threading.Thread(target=fetcher.run, args=(stop,))
    thread.start()
    try:
        until(lambda: "ConnectionRefusedError" in str(fetcher.told()["fault"]))
        server.start()
        server.append(LETTER, CAME)
        until(lambda: spool.count_waiting() == 1)
        server.stop()
        until(lambda: fetcher.told()["fault"] != "")
        server.start()
        server.append(LETTER, CAME)
        until(lambda: spool.count_waiting() == 2)
        until(lambda: fetcher.told()["fetched"] == 2)
    finally:
        stop.set()
        thread.join(20)
        server.remove()


def test_kill_9_between_keeping_and_marking_makes_no_double(mailbox: Dovecot, tmp_path: Path) -> None:
    listener = MailListener(tmp_path, GUARDIA_IMAP_URL=mailbox.url)
    for number in range(60):
        mailbox.append(b"Subject: %d\r\n\r\nx\r\n" % number, CAME)
    for kept in (3, 9, 17, 30, 44):
        listener.start()
        until(lambda kept=kept: listener.spool.count_waiting() >= kept)  # type: ignore[misc]
        listener.kill()
    listener.start()
    until(lambda: all(r"\Seen" in flags for flags in mailbox.flags()))
    assert listener.stop() == 0
    assert sorted(listener.messages()) == sorted(b"Subject: %d\r\n\r\nx\r\n" % number for number in range(60))


class KilledBeforeMarking(Fetcher):
    """Ends where a process is killed between keeping and marking."""

    def _keep(self, mailbox: BaseMailBox, validity: str, uid: str) -> None:
        super()._keep(mailbox, validity, uid)
        raise KeyboardInterrupt


def test_ended_between_keeping_and_marking_the_next_fetch_finds_it_kept(mailbox: Dovecot) -> None:
    spool = MemorySpool()
    mailbox.append(LETTER, CAME)
    killed = KilledBeforeMarking(mailbox.url, spool)
    with pytest.raises(KeyboardInterrupt), killed._connected() as connected:
        killed.fetch(connected, Event())
    assert spool.count_waiting() == 1
    assert r"\Seen" not in mailbox.flags()[0]
    assert fetched(mailbox, spool) == 1
    assert spool.count_waiting() == 1


def test_a_mailbox_over_tls_is_fetched_from_only_if_its_certificate_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    server, spool = Dovecot(has_tls=True), MemorySpool()
    server.start()
    try:
        server.append(LETTER, CAME)
        with pytest.raises(ssl.SSLCertVerificationError):
            Fetcher(server.tls_url, spool)._connected()
        monkeypatch.setenv("SSL_CERT_FILE", str(server.home / "cert.pem"))
        fetcher = Fetcher(server.tls_url, spool)
        with fetcher._connected() as connected:
            assert fetcher.fetch(connected, Event()) == 1
    finally:
        server.remove()
