"""Settings from the environment, typed; a bad value stops the start with one line for each.

Every name is listed in `docs/settings.md`, and a test compares the two. A secret is given by NAME or by NAME_FILE (a
path), never shown in a repr, and made up only in development, where it is kept under the private folder.
"""

import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

HIGHEST_PORT = 65535
LOWEST_RTP_PORT = 1024
LEGS_TO_ENGINEERS = 10
LOOPBACK_NETWORKS = ("127.0.0.0/8", "::1/128")
PROJECT = Path(__file__).resolve().parents[3]


class BadSettings(Exception):
    """One or more settings cannot be used; the message has a line for each."""


class Secret:
    """A string that no repr, log or page shows."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"


@dataclass(frozen=True)
class Settings:
    """What the server needs to know. Paths are absolute; sizes in bytes; times in seconds."""

    environment: str
    host: str
    port: int
    releases_port: int
    public_url: str
    releases_url: str
    allowed_hosts: tuple[str, ...]
    database_url: Secret | None
    var: Path
    private: Path
    secret_key: Secret
    signing_passphrase: Secret
    lab_token: Secret
    upload_limit: int
    standard_batch_s: int
    corpus_files: int
    gate_load_s: int
    gate_load_mb: int
    phone: str
    support_email: str
    starvation_working_days: int
    mail_url: Secret
    escalation_webhook_url: Secret
    escalation_webhook_secret: Secret
    mail_host: str
    mail_port: int
    mail_lmtp_port: int
    mail_size_limit: int
    mail_rate: int
    mail_connections: int
    mail_tls_cert: Path | None
    mail_tls_key: Path | None
    mail_trusted_peers: tuple[str, ...]
    mail_authserv: str
    mail_dns: str
    mail_workers: int
    mail_kept_days: int
    mail_automatic_per_hour: int
    mail_cases_per_hour: int
    mail_dkim_selector: str
    imap_url: Secret
    line_host: str
    line_port: int
    line_apart: bool
    line_public_host: str
    line_rtp_ports: range
    line_peers: tuple[str, ...]
    line_trunk_url: Secret
    line_calls: int
    line_ring_s: int
    line_kept_days: int
    line_prompts: Path | None

    @property
    def is_production(self) -> bool:
        """Whether development keys and made-up secrets are refused."""
        return self.environment == "production"


SHORTEST_SECRET = 16


class Reader:
    """Reads one environment, collecting every complaint instead of stopping at the first."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.complaints: list[str] = []

    def value(self, name: str, default: T, read: Callable[[str], T], expected: str, *, is_told: bool = True) -> T:
        """Return the setting `name`, or the default where it is absent or empty. A complaint tells it if `is_told`."""
        text = self.environ.get(name, "").strip()
        if not text:
            return default
        try:
            return read(text)
        except ValueError:
            self.complaints.append(f"{name}: expected {expected}, got {repr(text) if is_told else 'something else'}")
            return default

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number within [low, high]."""

        def read(text: str) -> int:
            number = int(text)
            if not low <= number <= high:
                raise ValueError(text)
            return number

        return self.value(name, default, read, f"a whole number from {low} to {high}")

    def secret(self, name: str, keep_in: Path | None) -> Secret:
        """Return NAME, the content of NAME_FILE, or (development only) one made up and kept in `keep_in`."""
        given, file = self.environ.get(name, "").strip(), self.environ.get(f"{name}_FILE")
        if given and file:
            self.complaints.append(f"{name}: expected either {name} or {name}_FILE, got both")
        if given:
            return self._long_enough(name, given)
        if file:
            try:
                return self._long_enough(f"{name}_FILE", Path(file).read_text(encoding="utf-8").strip())
            except (OSError, UnicodeDecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else "not UTF-8"
                self.complaints.append(f"{name}_FILE: expected a readable file, got {file!r} ({why})")
                return Secret("")
        if keep_in is None:
            self.complaints.append(f"{name}: expected {name} or {name}_FILE in production, got neither")
            return Secret("")
        path = keep_in / name.removeprefix("GUARDIA_").lower()
        try:
            return self._long_enough(f"{name}, kept in {path}", _kept(path))
        except OSError as error:
            line = f"GUARDIA_PRIVATE: cannot keep secrets in {keep_in}: {error.strerror}"
            self.complaints += [line] if line not in self.complaints else []
            return Secret("")

    def secret_if(self, name: str, keep_in: Path | None, *, is_needed: bool) -> Secret:
        """Return the secret `name`; an empty one where it is neither needed nor given."""
        is_given = bool(self.environ.get(name, "").strip() or self.environ.get(f"{name}_FILE"))
        return self.secret(name, keep_in) if is_needed or is_given else Secret("")

    def _long_enough(self, name: str, text: str) -> Secret:
        if len(text) < SHORTEST_SECRET:
            self.complaints.append(f"{name}: expected at least {SHORTEST_SECRET} characters, got {len(text)}")
        return Secret(text)


def _kept(path: Path) -> str:
    """Return the secret that `path` keeps, made up at the first start; whoever reads it finds it whole."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with open(new, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(new, path)
        except FileExistsError:
            pass  # another process was first: its secret goes on being used
        finally:
            new.unlink()
    return path.read_text(encoding="utf-8")


def _yes_or_no(text: str) -> str:
    if text not in {"yes", "no"}:
        raise ValueError(text)
    return text


def _environment(text: str) -> str:
    if text not in {"development", "production"}:
        raise ValueError(text)
    return text


def _url(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        parts = urlsplit(text)
        if parts.port == 0 or parts.scheme not in schemes or (parts.scheme != "file" and not parts.netloc):
            raise ValueError(text)
        return text.rstrip("/")

    return read


LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def _webhook_url(*, is_production: bool) -> Callable[[str], str]:
    """Return what reads the operator's webhook: https, and in development http of this machine too."""

    def read(text: str) -> str:
        parts = urlsplit(text)
        is_own = not is_production and parts.scheme == "http" and parts.hostname in LOOPBACK
        if (parts.scheme != "https" and not is_own) or not parts.hostname or parts.port == 0 or parts.username:
            raise ValueError(text)
        return text

    return read


def _database_url(text: str) -> str:
    parts = urlsplit(text)
    host = parts.netloc or "host=" in parts.query  # a socket's folder is given as postgresql://user@/name?host=/run
    if parts.scheme not in {"postgresql", "postgres"} or parts.port == 0 or not host or not parts.path.strip("/"):
        raise ValueError(text)
    return text


def _imap_url(text: str) -> str:
    """Read imaps://user:password@host:port/FOLDER; without TLS only of this machine."""
    parts = urlsplit(text)
    is_safe = parts.scheme == "imaps" or (parts.scheme == "imap" and parts.hostname in LOOPBACK)
    if not (is_safe and parts.hostname and parts.username and parts.password) or parts.port == 0:
        raise ValueError(text)
    return text


def _networks(text: str) -> tuple[str, ...]:
    return tuple(str(ip_network(part.strip(), strict=False)) for part in text.split(",") if part.strip())


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,250}[A-Za-z0-9])?", text):
        raise ValueError(text)
    return text


def _file(text: str) -> Path:
    path = Path(text).absolute()
    if not path.is_file():
        raise ValueError(text)
    return path


def _dns(*, is_production: bool) -> Callable[[str], str]:
    """Return what reads where DNS answers come from: the machine's own resolver, the sample zone, or a zone file."""

    def read(text: str) -> str:
        if text == "system" or (text == "sample" and not is_production):
            return text
        return str(_file(text))

    return read


def _trunk_url(text: str) -> str:
    """Read sip://user:password@host:port, the account at a provider or PBX; its host is a numeric address or a name."""
    parts = urlsplit(text)
    if parts.scheme != "sip" or not (parts.hostname and parts.username) or parts.port == 0 or parts.path.strip("/"):
        raise ValueError(text)
    return text


def _address(text: str) -> str:
    return str(ip_address(text))


def _port_range(text: str) -> range:
    low, dash, high = text.partition("-")
    ports = range(int(low), int(high) + 1)
    if not dash or not LOWEST_RTP_PORT <= ports.start < ports.stop - 1 <= HIGHEST_PORT:
        raise ValueError(text)
    return ports


def _folder(text: str) -> Path:
    path = Path(text).absolute()
    if not path.is_dir():
        raise ValueError(text)
    return path


def _ports_differ(reader: Reader, ports: Mapping[str, int]) -> None:
    taken: dict[int, str] = {}
    for name, number in ports.items():
        if number and number in taken:
            reader.complaints.append(f"{name}: expected another port than {taken[number]}, got {number} for both")
        taken.setdefault(number, name)


def _free_port(wanted: int, otherwise: int, taken: set[int]) -> int:
    """Return a default that collides with no port that was chosen."""
    number = wanted if wanted <= HIGHEST_PORT else otherwise
    while number in taken:
        number += 1
    return number


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings of `environ`; raise `BadSettings` with a line for each value that cannot be used."""
    reader = Reader(environ)
    environment = reader.value("GUARDIA_ENV", "development", _environment, "development or production")
    production = environment == "production"
    var = reader.value("GUARDIA_VAR", PROJECT / "var", lambda t: Path(t).absolute(), "a folder")
    private = reader.value("GUARDIA_PRIVATE", PROJECT / "private", lambda t: Path(t).absolute(), "a folder")
    keep_in = None if production else private / "secrets"
    host = reader.value("GUARDIA_HOST", "127.0.0.1", str, "an address")
    port = reader.number("GUARDIA_PORT", 8000, 1, HIGHEST_PORT)
    releases_port = reader.number("GUARDIA_RELEASES_PORT", port + 1 if port < HIGHEST_PORT else 8001, 1, HIGHEST_PORT)
    shown = "localhost" if host in {"127.0.0.1", "0.0.0.0"} else host  # noqa: S104  compared, not bound
    web, postgres = "an http or https URL", "a postgresql:// URL"
    lmtp_port = reader.number("GUARDIA_MAIL_LMTP_PORT", 0, 0, HIGHEST_PORT)
    mail_default = _free_port(port + 2, 8002, {port, releases_port, lmtp_port})
    mail_port = reader.number("GUARDIA_MAIL_PORT", mail_default, 0, HIGHEST_PORT)
    line_default = _free_port(port + 3, 8003, {port, releases_port, mail_port, lmtp_port})
    line_port = reader.number("GUARDIA_LINE_PORT", line_default, 0, HIGHEST_PORT)
    _ports_differ(
        reader,
        {
            "GUARDIA_PORT": port,
            "GUARDIA_RELEASES_PORT": releases_port,
            "GUARDIA_MAIL_PORT": mail_port,
            "GUARDIA_MAIL_LMTP_PORT": lmtp_port,
            "GUARDIA_LINE_PORT": line_port,
        },
    )
    line_host = reader.value("GUARDIA_LINE_HOST", "127.0.0.1", _address, "a numeric address")
    line_public_host = reader.value("GUARDIA_LINE_PUBLIC_HOST", line_host, _address, "a numeric address")
    if ip_address(line_public_host).is_unspecified:
        reader.complaints.append(
            f"GUARDIA_LINE_PUBLIC_HOST: expected the address that callers send to, got {line_public_host!r}"
        )
    line_rtp_ports = reader.value("GUARDIA_LINE_RTP_PORTS", range(20000, 23000), _port_range, "ports as 20000-22999")
    line_calls = reader.number("GUARDIA_LINE_CALLS", 60, 1, 1000)
    legs, needed = sum(port % 2 == 0 for port in line_rtp_ports), line_calls + LEGS_TO_ENGINEERS
    if legs < needed:
        reader.complaints.append(
            f"GUARDIA_LINE_RTP_PORTS: expected {needed} even ports or more, got {legs} (GUARDIA_LINE_CALLS, and "
            f"{LEGS_TO_ENGINEERS} for calls to engineers)"
        )
    mail_tls_cert, mail_tls_key = (
        reader.value(name, None, _file, "a readable file") for name in ("GUARDIA_MAIL_TLS_CERT", "GUARDIA_MAIL_TLS_KEY")
    )
    if (mail_tls_cert is None) != (mail_tls_key is None):
        reader.complaints.append(
            "GUARDIA_MAIL_TLS_CERT: expected it together with GUARDIA_MAIL_TLS_KEY, got one of them"
        )
    database_url = reader.value("DATABASE_URL", "", _database_url, postgres, is_told=False)
    if production and not database_url:
        reader.complaints.append(f"DATABASE_URL: expected {postgres} in production, got nothing")
    webhook = reader.value(
        "GUARDIA_ESCALATION_WEBHOOK_URL",
        "",
        _webhook_url(is_production=production),
        "an https URL without a user name" + ("" if production else ", or an http one of this machine"),
        is_told=False,
    )
    settings = Settings(
        environment=environment,
        host=host,
        port=port,
        releases_port=releases_port,
        public_url=reader.value("GUARDIA_PUBLIC_URL", f"http://{shown}:{port}", _url("http", "https"), web),
        releases_url=reader.value(
            "GUARDIA_RELEASES_URL", f"http://{shown}:{releases_port}", _url("http", "https"), web
        ),
        allowed_hosts=reader.value(
            "GUARDIA_ALLOWED_HOSTS",
            ("localhost", "127.0.0.1", "[::1]"),
            lambda t: tuple(part.strip() for part in t.split(",") if part.strip()),
            "host names separated by commas",
        ),
        database_url=Secret(database_url) if database_url else None,
        var=var,
        private=private,
        secret_key=reader.secret("GUARDIA_SECRET_KEY", keep_in),
        signing_passphrase=reader.secret("GUARDIA_SIGNING_PASSPHRASE", keep_in),
        lab_token=reader.secret("GUARDIA_LAB_TOKEN", keep_in),
        upload_limit=reader.number("GUARDIA_UPLOAD_LIMIT_MB", 256, 1, 4096) * 1024 * 1024,
        standard_batch_s=reader.number("GUARDIA_STANDARD_BATCH_MINUTES", 60, 1, 10080) * 60,
        corpus_files=reader.number("GUARDIA_CORPUS_FILES", 20_000, 1, 1_000_000),
        gate_load_s=reader.number("GUARDIA_GATE_LOAD_SECONDS", 60, 1, 3600),
        gate_load_mb=reader.number("GUARDIA_GATE_LOAD_MB", 1024, 16, 65536),
        starvation_working_days=reader.number("GUARDIA_STARVATION_WORKING_DAYS", 0, 0, 366),
        phone=reader.value("GUARDIA_PHONE", "900 000 147", str, "a phone number"),
        support_email=reader.value("GUARDIA_SUPPORT_EMAIL", "soporte@guardia.example", str, "an address"),
        mail_url=Secret(
            reader.value(
                "GUARDIA_MAIL_URL",
                f"file://{var / 'mail'}",
                _url("smtp", "smtp+starttls", "smtps", "file"),
                "smtp://host:port, smtp+starttls://, smtps:// or file://folder",
                is_told=False,
            )
        ),
        escalation_webhook_url=Secret(webhook),
        escalation_webhook_secret=reader.secret_if(
            "GUARDIA_ESCALATION_WEBHOOK_SECRET", keep_in, is_needed=bool(webhook)
        ),
        mail_host=reader.value("GUARDIA_MAIL_HOST", host, str, "an address"),
        mail_port=mail_port,
        mail_lmtp_port=lmtp_port,
        mail_size_limit=reader.number("GUARDIA_MAIL_SIZE_LIMIT_MB", 35, 1, 1024) * 1024 * 1024,
        mail_rate=reader.number("GUARDIA_MAIL_RATE_PER_MINUTE", 600, 1, 1_000_000),
        mail_connections=reader.number("GUARDIA_MAIL_CONNECTIONS", 50, 1, 10_000),
        mail_tls_cert=mail_tls_cert,
        mail_tls_key=mail_tls_key,
        mail_trusted_peers=reader.value("GUARDIA_MAIL_TRUSTED_PEERS", (), _networks, "networks separated by commas"),
        mail_authserv=reader.value("GUARDIA_MAIL_AUTHSERV", "", _name, "a host name").lower(),
        mail_dns=reader.value(
            "GUARDIA_MAIL_DNS",
            "system" if production else "sample",
            _dns(is_production=production),
            "system or a zone file" + ("" if production else ", or sample"),
        ),
        mail_workers=reader.number("GUARDIA_MAIL_WORKERS", 2, 1, 64),
        mail_kept_days=reader.number("GUARDIA_MAIL_KEPT_DAYS", 400, 1, 36_500),
        mail_automatic_per_hour=reader.number("GUARDIA_MAIL_AUTOMATIC_PER_HOUR", 10, 1, 10_000),
        mail_cases_per_hour=reader.number("GUARDIA_MAIL_CASES_PER_HOUR", 60, 1, 100_000),
        mail_dkim_selector=reader.value("GUARDIA_MAIL_DKIM_SELECTOR", "guardia", _name, "a DNS name"),
        imap_url=Secret(
            reader.value(
                "GUARDIA_IMAP_URL",
                "",
                _imap_url,
                "imaps://user:password@host:port/FOLDER, or imap:// of this machine",
                is_told=False,
            )
        ),
        line_host=line_host,
        line_port=line_port,
        line_apart=reader.value("GUARDIA_LINE_APART", "no", _yes_or_no, "yes or no") == "yes",
        line_public_host=line_public_host,
        line_rtp_ports=line_rtp_ports,
        line_peers=reader.value("GUARDIA_LINE_PEERS", LOOPBACK_NETWORKS, _networks, "networks separated by commas"),
        line_trunk_url=Secret(
            reader.value("GUARDIA_LINE_TRUNK_URL", "", _trunk_url, "sip://user:password@host:port", is_told=False)
        ),
        line_calls=line_calls,
        line_ring_s=reader.number("GUARDIA_LINE_RING_SECONDS", 20, 1, 120),
        line_kept_days=reader.number("GUARDIA_LINE_KEPT_DAYS", 90, 1, 36_500),
        line_prompts=reader.value("GUARDIA_LINE_PROMPTS", None, _folder, "a folder"),
    )
    if reader.complaints:
        raise BadSettings("\n".join(reader.complaints))
    return settings
