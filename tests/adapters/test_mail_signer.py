"""Signatures on our mail: a receiver that asks DNS for the printed record finds them good, and changes are found."""

from pathlib import Path

import dkim
import pytest
from authheaders import authenticate_message

from guardia.adapters.mail_signer import DkimSigner, MarkingSigner, dns_record, make_dkim_key

RAW = (
    b"From: Guardia <soporte@guardia.example>\r\nTo: ana@x.example\r\nSubject: [4071 8823] Opened\r\n"
    b"Date: Mon, 23 Nov 2026 09:00:00 +0000\r\nMessage-ID: <a@guardia.example>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain\r\nAuto-Submitted: auto-generated\r\n\r\nHello.\r\n"
)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "dkim.pem"
    make_dkim_key(path)
    return path


def published(key: Path) -> bytes:
    text = dns_record(key, "guardia", "guardia.example").text
    assert text.startswith("guardia._domainkey.guardia.example. IN TXT ( ")
    return "".join(text.split('"')[1::2]).encode()


def asked(key: Path) -> dict[bytes, bytes]:
    return {
        b"guardia._domainkey.guardia.example.": published(key),
        b"_dmarc.guardia.example.": b"v=DMARC1; p=reject; adkim=s",
    }


def signed(key: Path) -> bytes:
    return DkimSigner(key, "guardia", "guardia.example").sign(RAW)


def test_a_receiver_finds_the_signature_good(key: Path) -> None:
    zone = asked(key)
    assert dkim.verify(signed(key), dnsfunc=lambda name, **_: zone.get(name))
    said = authenticate_message(
        signed(key),
        "mx.x.example",
        dnsfunc=lambda name, **_: zone.get(name if isinstance(name, bytes) else name.encode()),
        spf=False,
        arc=False,
    )
    assert "dkim=pass" in said
    assert "header.d=guardia.example" in said


@pytest.mark.parametrize(
    "change",
    [
        (b"Hello.", b"Pay here."),
        (b"Subject: [4071 8823] Opened", b"Subject: Urgent"),
        (b"Date: Mon, 23", b"From: Evil <e@x.example>\r\nDate: Mon, 23"),
        (b"auto-generated", b"no"),
    ],
    ids=["body", "subject", "a second From", "automatic"],
)
def test_a_change_on_the_way_is_found(key: Path, change: tuple[bytes, bytes]) -> None:
    zone = asked(key)
    assert not dkim.verify(signed(key).replace(*change), dnsfunc=lambda name, **_: zone.get(name))


def test_the_key_is_its_owners_alone_and_is_never_made_anew(key: Path) -> None:
    before = key.read_bytes()
    make_dkim_key(key)
    assert key.read_bytes() == before
    assert key.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in key.parent.iterdir()] == ["dkim.pem"]


def test_without_a_key_mail_goes_out_as_it_is(tmp_path: Path) -> None:
    signer = DkimSigner(tmp_path / "none.pem", "guardia", "guardia.example")
    assert not signer.is_ready
    assert signer.sign(RAW) == RAW
    assert "none.pem" in dns_record(tmp_path / "none.pem", "guardia", "guardia.example").refusal


def test_the_twin_marks_what_a_real_signer_signs(key: Path) -> None:
    for signer in (MarkingSigner(), DkimSigner(key, "guardia", "guardia.example")):
        assert signer.is_ready
        assert signer.sign(RAW).endswith(RAW)
        assert signer.sign(RAW) != RAW
    assert MarkingSigner(is_ready=False).sign(RAW) == RAW
