"""One contract for an SMTP server, a folder and the twin; what only a real server shows: refusals, silence, reuse."""

import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.support.smtp_sink import Sink, smtp_sink

from guardia.adapters.mail_transport import FolderTransport, RememberedTransport, SmtpTransport, make_transport
from guardia.kernel.outside import MailNotTaken, MailTransport, ReadyMail

RAW = b"From: a@guardia.example\r\nSubject: x\r\n\r\n.a line with a dot\r\n..two\r\nend\r\n"


def ready(n: int = 1, recipient: str = "ana@x.example", raw: bytes = RAW) -> ReadyMail:
    return ReadyMail(UUID(int=n), f"bounce+{n}@guardia.example", recipient, raw)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with smtp_sink() as running:
        yield running


@pytest.fixture(params=["smtp", "folder", "remembered"])
def transport(request: pytest.FixtureRequest, sink: Sink, tmp_path: Path) -> MailTransport:
    made: dict[str, MailTransport] = {
        "smtp": SmtpTransport(sink.url, "guardia.example"),
        "folder": FolderTransport(tmp_path / "mail"),
        "remembered": RememberedTransport(),
    }
    return made[request.param]


def test_mails_are_taken_one_after_the_other(transport: MailTransport) -> None:
    route = transport.open()
    for n in range(3):
        assert route.send(ready(n), lambda: None)
    route.close()
    route.close()


def test_what_is_taken_is_what_was_sent_byte_by_byte(sink: Sink, tmp_path: Path) -> None:
    for url in (sink.url, f"file://{tmp_path}"):
        route = make_transport(url, "guardia.example").open()
        route.send(ready(), lambda: None)
        route.close()
    assert sink.got == [("bounce+1@guardia.example", "ana@x.example", RAW)]
    kept = (tmp_path / f"{UUID(int=1)}.eml").read_bytes()
    assert kept.endswith(RAW)
    assert b"X-Envelope-From: bounce+1@guardia.example\r\n" in kept


def test_a_folder_has_one_file_for_a_mail_however_often_it_is_sent(tmp_path: Path) -> None:
    for _ in range(3):
        FolderTransport(tmp_path).open().send(ready(), lambda: None)
    assert [path.name for path in tmp_path.iterdir()] == [f"{UUID(int=1)}.eml"]


def test_a_folder_that_takes_nothing_is_no_loss(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MailNotTaken) as refusal:
        FolderTransport(tmp_path / "file").open().send(ready(), lambda: None)
    assert refusal.value.is_unreachable


def test_one_connection_serves_many_mails(sink: Sink) -> None:
    route = SmtpTransport(sink.url, "guardia.example").open()
    for n in range(20):
        route.send(ready(n), lambda: None)
    route.close()
    assert (len(sink.got), sink.connections) == (20, 1)


@pytest.mark.parametrize(("said", "is_final"), [("450 4.2.0 later", False), ("554 5.7.1 spam", True)])
def test_a_refusal_of_the_mail_has_the_servers_words(sink: Sink, said: str, *, is_final: bool) -> None:
    route = SmtpTransport(sink.url, "guardia.example").open()
    sink.answer = lambda _recipient: said
    with pytest.raises(MailNotTaken, match=re.escape(said)) as refusal:
        route.send(ready(), lambda: None)
    assert (refusal.value.is_final, refusal.value.is_in_doubt) == (is_final, False)
    sink.answer = lambda _recipient: "250 taken"
    route.send(ready(2), lambda: None)
    assert sink.connections == 1


@pytest.mark.parametrize(("said", "is_final"), [("451 4.7.1 greylisted", False), ("550 5.1.1 nobody", True)])
def test_a_refusal_of_the_recipient_comes_before_the_dot(sink: Sink, said: str, *, is_final: bool) -> None:
    sink.at_recipient = lambda _recipient: said
    calls: list[int] = []
    with pytest.raises(MailNotTaken, match=re.escape(said)) as refusal:
        SmtpTransport(sink.url, "guardia.example").open().send(ready(), lambda: calls.append(1))
    assert (refusal.value.is_final, calls) == (is_final, [])


def test_silence_after_the_dot_is_a_doubt(sink: Sink) -> None:
    sink.answers_after_s = 1.5
    with pytest.raises(MailNotTaken) as refusal:
        SmtpTransport(sink.url, "guardia.example", timeout_s=0.5).open().send(ready(), lambda: None)
    assert refusal.value.is_in_doubt
    assert len(sink.got) == 1


def test_nobody_there_is_no_doubt() -> None:
    with pytest.raises(MailNotTaken) as refusal:
        SmtpTransport("smtp://127.0.0.1:1", "guardia.example").open().send(ready(), lambda: None)
    assert refusal.value.is_unreachable
    assert not refusal.value.is_in_doubt


def test_what_fails_before_the_dot_hands_nothing_over(sink: Sink) -> None:
    def fails() -> None:
        raise RuntimeError("the database is gone")

    route = SmtpTransport(sink.url, "guardia.example").open()
    with pytest.raises(RuntimeError):
        route.send(ready(), fails)
    assert sink.got == []
    route.send(ready(2), lambda: None)
    assert len(sink.got) == 1


def test_a_connection_that_the_server_ended_is_made_anew(sink: Sink) -> None:
    route = SmtpTransport(sink.url, "guardia.example").open()
    route.send(ready(), lambda: None)
    assert route._server is not None
    assert route._server.sock is not None
    route._server.sock.shutdown(2)
    route.send(ready(2), lambda: None)
    assert (len(sink.got), sink.connections) == (2, 2)


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Return a certificate of this machine's own, and the server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sink")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
    made = made.not_valid_after(datetime(2120, 1, 1, tzinfo=UTC)).add_extension(address, critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    path = folder / "sink.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem) + private)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return path, context


@pytest.mark.parametrize("starts_with_tls", [True, False], ids=["smtps", "starttls"])
def test_tls_is_used_with_a_known_certificate_and_with_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, starts_with_tls: bool
) -> None:
    path, context = certificate(tmp_path)
    with smtp_sink(tls=context, starts_with_tls=starts_with_tls) as server:
        route = SmtpTransport(server.url, "guardia.example").open()
        with pytest.raises(MailNotTaken) as refusal:
            route.send(ready(), lambda: None)
        assert refusal.value.is_unreachable
        assert server.got == []
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        route.send(ready(), lambda: None)
        route.close()
        assert len(server.got) == 1
