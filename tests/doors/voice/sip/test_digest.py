"""Digest answers, checked against the examples of RFC 7616."""

import pytest

from guardia.doors.voice.sip import digest

ACCOUNT = digest.Account("Mufasa", "Circle of Life")
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CHALLENGE = f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={{}}, nonce="{NONCE}", opaque="FQ"'


@pytest.fixture(autouse=True)
def _known_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    mark = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    monkeypatch.setattr("guardia.doors.voice.sip.digest.secrets.token_hex", lambda _: mark)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
    ],
)
def test_the_answer_is_that_of_the_rfc(algorithm: str, response: str) -> None:
    answer = digest.answer([CHALLENGE.format(algorithm)], ACCOUNT, "GET", "/dir/index.html")
    assert answer is not None
    assert f'response="{response}"' in answer
    assert "qop=auth, nc=00000001" in answer


def test_the_stronger_of_two_is_answered() -> None:
    both = [CHALLENGE.format("MD5"), CHALLENGE.format("SHA-256")]
    assert "algorithm=SHA-256" in (digest.answer(both, ACCOUNT, "GET", "/") or "")


def test_one_without_qop_is_answered_in_the_old_way() -> None:
    answer = digest.answer(['Digest realm="r",nonce="n"'], ACCOUNT, "REGISTER", "sip:r") or ""
    assert "algorithm=MD5" in answer
    assert "qop" not in answer


@pytest.mark.parametrize("challenge", ["Basic realm=x", "", "Digest", 'Digest realm="r"', CHALLENGE.format("MD5-sess")])
def test_what_cannot_be_answered_is_not(challenge: str) -> None:
    assert digest.answer([challenge], ACCOUNT, "GET", "/") is None


def test_the_password_is_never_shown() -> None:
    assert "Circle" not in repr(ACCOUNT)
