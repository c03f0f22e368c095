"""One contract for the real webhook and its twin; what only a real receiver shows: signature, refusals, redirects."""

import hashlib
import hmac
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from guardia.adapters.webhook import MOST_SENT, SIGNATURE, HttpWebhook, RememberedWebhook
from guardia.kernel.environment import BadSettings, read_settings
from guardia.kernel.outside import Webhook, WebhookRefused

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SECRET = "a secret of the operator"


class Receiver(ThreadingHTTPServer):
    """A receiver that keeps what arrives and answers as it is told."""

    def __init__(self) -> None:
        self.answer, self.headers_of_answer = 204, dict[str, str]()
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        self.send_response(self.server.answer)
        for name, value in self.server.headers_of_answer.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()


def real(receiver: Receiver, path: str = "/alerts") -> HttpWebhook:
    return HttpWebhook(f"http://127.0.0.1:{receiver.server_port}{path}", SECRET)


@pytest.fixture(params=["http", "remembered"])
def webhook(request: pytest.FixtureRequest, receiver: Receiver) -> Webhook:
    return real(receiver) if request.param == "http" else RememberedWebhook()


def test_a_body_is_taken(webhook: Webhook) -> None:
    assert webhook.is_set
    webhook.send(b"{}", NOW)


def test_a_body_that_is_too_large_is_refused_before_anything_is_sent(webhook: Webhook, receiver: Receiver) -> None:
    with pytest.raises(WebhookRefused, match="bytes"):
        webhook.send(b"x" * (MOST_SENT + 1), NOW)
    assert receiver.got == []


def test_what_is_not_taken_is_said(receiver: Receiver) -> None:
    receiver.answer = 503
    twin = RememberedWebhook(refuses=True)
    for one in (real(receiver), twin):
        with pytest.raises(WebhookRefused, match="503"):
            one.send(b"{}", NOW)


def test_the_body_is_signed_with_its_instant(receiver: Receiver) -> None:
    real(receiver).send(b'{"alerts": []}', NOW)
    ((_path, headers, body),) = receiver.got
    stamp, _, mac = headers[SIGNATURE].partition(",v1=")
    expected = hmac.new(SECRET.encode(), stamp.removeprefix("t=").encode() + b"." + body, hashlib.sha256).hexdigest()
    assert mac == expected
    assert int(stamp.removeprefix("t=")) == int(NOW.timestamp())


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    """Whoever can answer for the receiver cannot send our requests elsewhere."""
    receiver.answer, receiver.headers_of_answer = 307, {"Location": "/elsewhere"}
    with pytest.raises(WebhookRefused, match="307"):
        real(receiver).send(b"{}", NOW)
    assert [path for path, _headers, _body in receiver.got] == ["/alerts"]


def test_the_environments_proxy_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    real(receiver).send(b"{}", NOW)
    assert len(receiver.got) == 1


def test_nobody_there_is_a_refusal_without_the_address() -> None:
    with pytest.raises(WebhookRefused) as refused:
        HttpWebhook("http://127.0.0.1:9/token-in-the-path", SECRET).send(b"{}", NOW)
    assert "token" not in str(refused.value)


@pytest.mark.parametrize(
    ("environment", "url", "expected"),
    [
        ("production", "https://desk.example/hook", "taken"),
        ("production", "http://127.0.0.1:9000/hook", "refused"),
        ("development", "http://127.0.0.1:9000/hook", "taken"),
        ("development", "http://desk.example/hook", "refused"),
        ("development", "https://user:word@desk.example/hook", "refused"),
        ("development", "file:///etc/passwd", "refused"),
        ("development", "gopher://desk.example", "refused"),
    ],
)
def test_only_https_or_this_machine_in_development_may_be_named(
    environment: str, url: str, expected: str, tmp_path: Any
) -> None:
    environ = {
        "GUARDIA_ENV": environment,
        "GUARDIA_PRIVATE": str(tmp_path),
        "DATABASE_URL": "postgresql://u@h/d",
        **{f"GUARDIA_{name}": "0123456789abcdef" for name in ("SECRET_KEY", "SIGNING_PASSPHRASE", "LAB_TOKEN")},
        "GUARDIA_ESCALATION_WEBHOOK_URL": url,
        "GUARDIA_ESCALATION_WEBHOOK_SECRET": "0123456789abcdef",
    }
    if expected == "taken":
        assert read_settings(environ).escalation_webhook_url.reveal() == url
        return
    with pytest.raises(BadSettings, match="GUARDIA_ESCALATION_WEBHOOK_URL: expected an https URL"):
        read_settings(environ)
