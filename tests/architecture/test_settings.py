"""Settings: documented both ways, refused with a line each, and secrets told to nobody."""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from guardia.config.settings import _database
from guardia.kernel.environment import PROJECT, BadSettings, Secret, Settings, read_settings

DOCUMENT = (PROJECT / "docs" / "settings.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
SECRETS = ("GUARDIA_SECRET_KEY", "GUARDIA_SIGNING_PASSPHRASE", "GUARDIA_LAB_TOKEN")
INTERNAL = {"GUARDIA_EMBEDDED_URL", "GUARDIA_TEST_DATABASE"}
LONG = "s3cret-" + "x" * 20


class Asked(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        self.names.add(name)
        return super().get(name, default)


def read(private: Path, **values: str) -> Settings:
    """Read an environment whose folders are a test's own."""
    return read_settings({"GUARDIA_VAR": str(private), "GUARDIA_PRIVATE": str(private), **values})


def complaints(private: Path, **values: str) -> list[str]:
    """Return the lines with which an environment is refused."""
    with pytest.raises(BadSettings) as refused:
        read(private, **values)
    return str(refused.value).splitlines()


def test_every_setting_is_documented_and_every_documented_setting_is_read(tmp_path: Path) -> None:
    asked = Asked({"GUARDIA_PRIVATE": str(tmp_path)})
    read_settings(asked)
    read_names = {name for name in asked.names if not name.endswith("_FILE")}
    documented = {name for name, *_ in ROW.findall(DOCUMENT)}
    assert read_names - documented == set(), "add these settings to docs/settings.md"
    assert documented - read_names == set(), "these settings are read by nobody: take them out of docs/settings.md"


def test_no_other_setting_is_read_anywhere_in_the_server() -> None:
    used = {
        name
        for path in (PROJECT / "src" / "guardia").rglob("*.py")
        for name in re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"", path.read_text(encoding="utf-8"))
    }
    assert used <= INTERNAL | {"DJANGO_SETTINGS_MODULE", "XDG_RUNTIME_DIR"} | set(os.environ)
    for name in INTERNAL:
        assert name in DOCUMENT


def test_the_documented_defaults_are_those_in_force(tmp_path: Path) -> None:
    own = read(tmp_path)
    said = {name: default for name, default, *_ in ROW.findall(DOCUMENT)}
    in_force = {
        "GUARDIA_ENV": own.environment,
        "GUARDIA_HOST": own.host,
        "GUARDIA_PORT": own.port,
        "GUARDIA_ALLOWED_HOSTS": ",".join(own.allowed_hosts),
        "GUARDIA_UPLOAD_LIMIT_MB": own.upload_limit // 1024 // 1024,
        "GUARDIA_STANDARD_BATCH_MINUTES": own.standard_batch_s // 60,
        "GUARDIA_CORPUS_FILES": own.corpus_files,
        "GUARDIA_GATE_LOAD_SECONDS": own.gate_load_s,
        "GUARDIA_GATE_LOAD_MB": own.gate_load_mb,
        "GUARDIA_PHONE": own.phone,
        "GUARDIA_SUPPORT_EMAIL": own.support_email,
        "GUARDIA_MAIL_LMTP_PORT": own.mail_lmtp_port,
        "GUARDIA_MAIL_SIZE_LIMIT_MB": own.mail_size_limit // 1024 // 1024,
        "GUARDIA_MAIL_RATE_PER_MINUTE": own.mail_rate,
        "GUARDIA_MAIL_CONNECTIONS": own.mail_connections,
        "GUARDIA_MAIL_WORKERS": own.mail_workers,
        "GUARDIA_MAIL_KEPT_DAYS": own.mail_kept_days,
        "GUARDIA_MAIL_AUTOMATIC_PER_HOUR": own.mail_automatic_per_hour,
        "GUARDIA_MAIL_CASES_PER_HOUR": own.mail_cases_per_hour,
        "GUARDIA_MAIL_DKIM_SELECTOR": own.mail_dkim_selector,
        "GUARDIA_LINE_HOST": own.line_host,
        "GUARDIA_LINE_RTP_PORTS": f"{own.line_rtp_ports.start}-{own.line_rtp_ports.stop - 1}",
        "GUARDIA_LINE_PEERS": ", ".join(own.line_peers),
        "GUARDIA_LINE_CALLS": own.line_calls,
        "GUARDIA_LINE_RING_SECONDS": own.line_ring_s,
        "GUARDIA_LINE_KEPT_DAYS": own.line_kept_days,
    }
    assert {name: said[name] for name in in_force} == {name: f"`{value}`" for name, value in in_force.items()}
    assert own.releases_port == own.port + 1
    assert own.mail_port == own.port + 2
    assert own.line_port == own.port + 3
    assert own.line_public_host == own.line_host
    assert own.mail_host == own.host
    assert own.mail_dns == "sample"
    assert own.public_url == "http://localhost:8000"
    assert own.releases_url == "http://localhost:8001"


NUMBERS = {name: bounds for name, _, _, bounds in ROW.findall(DOCUMENT) if re.match(r"\d+ to \d+", bounds)}


def test_all_numbers_have_bounds() -> None:
    assert len(NUMBERS) == 21


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_a_number_keeps_to_its_documented_bounds(tmp_path: Path, name: str) -> None:
    low, high = (int(number) for number in re.findall(r"\d+", NUMBERS[name])[:2])
    for inside in (low, high):
        read(tmp_path, **{name: str(inside)})
    for outside in (str(low - 1), str(high + 1), "-1", "1.5", "many", "1e3", "0x10"):
        assert complaints(tmp_path, **{name: outside}) == [
            f"{name}: expected a whole number from {low} to {high}, got {outside!r}"
        ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GUARDIA_ENV", "prod"),
        ("GUARDIA_PUBLIC_URL", "localhost:8000"),
        ("GUARDIA_PUBLIC_URL", "ftp://x"),
        ("GUARDIA_PUBLIC_URL", "http://host:port"),
        ("GUARDIA_RELEASES_URL", "http://"),
        ("DATABASE_URL", "mysql://x/y"),
        ("DATABASE_URL", "postgresql://host:port/name"),
        ("DATABASE_URL", "postgresql://host"),
        ("DATABASE_URL", "postgresql:///name"),
        ("GUARDIA_MAIL_URL", "mail.example"),
        ("GUARDIA_MAIL_URL", "smtp://host:port"),
        ("GUARDIA_IMAP_URL", "imap://user:password@mail.example/INBOX"),
        ("GUARDIA_IMAP_URL", "imaps://mail.example/INBOX"),
        ("GUARDIA_MAIL_TRUSTED_PEERS", "10.0.0.0/33"),
        ("GUARDIA_MAIL_AUTHSERV", "mx example"),
        ("GUARDIA_MAIL_DNS", "/nowhere/zone"),
        ("GUARDIA_LINE_HOST", "line.example"),
        ("GUARDIA_LINE_PUBLIC_HOST", "0.0.0.0"),  # noqa: S104  refused, not bound
        ("GUARDIA_LINE_RTP_PORTS", "20000"),
        ("GUARDIA_LINE_RTP_PORTS", "21999-20000"),
        ("GUARDIA_LINE_RTP_PORTS", "80-90"),
        ("GUARDIA_LINE_RTP_PORTS", "20000-20137"),
        ("GUARDIA_LINE_PEERS", "10.0.0.0/33"),
        ("GUARDIA_LINE_TRUNK_URL", "sips://user:password@pbx.example"),
        ("GUARDIA_LINE_TRUNK_URL", "sip:user@pbx.example"),
        ("GUARDIA_LINE_PROMPTS", "/nowhere/prompts"),
    ],
)
def test_a_bad_value_is_refused_in_one_line_that_names_it(tmp_path: Path, name: str, value: str) -> None:
    lines = complaints(tmp_path, **{name: value})
    assert len(lines) == 1
    assert lines[0].startswith(f"{name}: expected ")


def test_every_bad_value_has_a_line_of_its_own(tmp_path: Path) -> None:
    lines = complaints(tmp_path, GUARDIA_PORT="x", GUARDIA_ENV="y", GUARDIA_UPLOAD_LIMIT_MB="0")
    assert [line.split(":")[0] for line in lines] == ["GUARDIA_ENV", "GUARDIA_PORT", "GUARDIA_UPLOAD_LIMIT_MB"]


def test_one_port_for_two_servers_is_refused(tmp_path: Path) -> None:
    (line,) = complaints(tmp_path, GUARDIA_PORT="9000", GUARDIA_RELEASES_PORT="9000")
    assert line.startswith("GUARDIA_RELEASES_PORT: expected another port")


def test_the_mail_port_keeps_away_from_the_others(tmp_path: Path) -> None:
    (line,) = complaints(tmp_path, GUARDIA_PORT="9000", GUARDIA_MAIL_PORT="9001")
    assert line == "GUARDIA_MAIL_PORT: expected another port than GUARDIA_RELEASES_PORT, got 9001 for both"
    assert read(tmp_path, GUARDIA_PORT="9000", GUARDIA_RELEASES_PORT="9002").mail_port == 9003
    assert read(tmp_path, GUARDIA_MAIL_PORT="0").mail_port == 0


def test_half_a_pair_of_certificate_and_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("certificate")
    (line,) = complaints(tmp_path, GUARDIA_MAIL_TLS_CERT=str(tmp_path / "cert.pem"))
    assert line.startswith("GUARDIA_MAIL_TLS_CERT: expected it together with GUARDIA_MAIL_TLS_KEY")


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_value_is_none(tmp_path: Path, value: str) -> None:
    assert read(tmp_path, GUARDIA_PORT=value, DATABASE_URL=value).port == 8000


# ---- secrets ----


def test_a_secret_comes_from_its_name_or_its_file(tmp_path: Path) -> None:
    file = tmp_path / "given"
    file.write_text(f"{LONG}\n", encoding="utf-8")
    assert read(tmp_path, GUARDIA_LAB_TOKEN=LONG).lab_token.reveal() == LONG
    assert read(tmp_path, GUARDIA_LAB_TOKEN_FILE=str(file)).lab_token.reveal() == LONG


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_given_twice_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "given"
    file.write_text(LONG, encoding="utf-8")
    (line,) = complaints(tmp_path, **{name: LONG, f"{name}_FILE": str(file)})
    assert line == f"{name}: expected either {name} or {name}_FILE, got both"


@pytest.mark.parametrize("name", SECRETS)
def test_a_short_or_empty_secret_lets_nobody_in(tmp_path: Path, name: str) -> None:
    file = tmp_path / "given"
    for short in ("", "  \n", "hunter2"):
        file.write_text(short, encoding="utf-8")
        (line,) = complaints(tmp_path, **{f"{name}_FILE": str(file)})
        assert "at least 16 characters" in line
        assert "hunter2" not in line
    (line,) = complaints(tmp_path, **{name: "hunter2"})
    assert "at least 16 characters" in line
    assert "hunter2" not in line


def test_a_secrets_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path, why in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory"), (tmp_path / "binary", "UTF")):
        (line,) = complaints(tmp_path, GUARDIA_SECRET_KEY_FILE=str(path))
        assert line.startswith(f"GUARDIA_SECRET_KEY_FILE: expected a readable file, got '{path}'")
        assert why in line


def test_a_made_up_secret_is_kept_for_its_owner_alone_and_stays(tmp_path: Path) -> None:
    first, again = read(tmp_path), read(tmp_path)
    for name in ("secret_key", "signing_passphrase", "lab_token"):
        kept = tmp_path / "secrets" / name
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert getattr(first, name).reveal() == getattr(again, name).reveal() == kept.read_text()
        assert len(kept.read_text()) >= 43
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert len({path.read_text() for path in (tmp_path / "secrets").iterdir()}) == 3


def test_a_made_up_secret_that_was_left_half_written_is_refused(tmp_path: Path) -> None:
    read(tmp_path)
    (tmp_path / "secrets" / "lab_token").write_text("")
    (line,) = complaints(tmp_path)
    assert line.startswith("GUARDIA_LAB_TOKEN, kept in ")


def test_a_folder_in_which_no_secret_can_be_kept_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    (line,) = complaints(tmp_path, GUARDIA_PRIVATE=str(tmp_path / "file"))
    assert line == f"GUARDIA_PRIVATE: cannot keep secrets in {tmp_path / 'file' / 'secrets'}: Not a directory"


def test_production_makes_nothing_up(tmp_path: Path) -> None:
    lines = complaints(tmp_path, GUARDIA_ENV="production")
    assert [line.split(":")[0] for line in lines] == ["DATABASE_URL", *SECRETS]
    assert not (tmp_path / "secrets").exists()
    given = dict.fromkeys(SECRETS, LONG)
    own = read(tmp_path, GUARDIA_ENV="production", DATABASE_URL="postgresql://u:p@host/name", **given)
    assert own.is_production
    assert not (tmp_path / "secrets").exists()


def test_no_secret_stands_in_a_repr_or_a_complaint(tmp_path: Path) -> None:
    hidden = {
        "GUARDIA_SECRET_KEY": LONG + "1",
        "GUARDIA_SIGNING_PASSPHRASE": LONG + "2",
        "GUARDIA_LAB_TOKEN": LONG + "3",
        "DATABASE_URL": "postgresql://u:hunter2@host/name",
        "GUARDIA_MAIL_URL": "smtp://u:hunter2@host:25",
        "GUARDIA_IMAP_URL": "imaps://u:hunter2@host/INBOX",
        "GUARDIA_LINE_TRUNK_URL": "sip://u:hunter2@host",
    }
    own = read(tmp_path, **hidden)
    told = repr(own) + str(own) + "".join(str(getattr(own, one.name)) for one in fields(own)) + str(own.__dict__)
    assert "s3cret" not in told
    assert "hunter2" not in told
    assert f"{Secret('x')} {Secret('x')!r}" == "Secret(…) Secret(…)"
    for name in ("DATABASE_URL", "GUARDIA_MAIL_URL", "GUARDIA_IMAP_URL", "GUARDIA_LINE_TRUNK_URL"):
        (line,) = complaints(tmp_path, **{**hidden, name: "wrong://u:hunter2@host/name"})
        assert "hunter2" not in line


def test_what_a_database_url_asks_of_the_connection_reaches_it() -> None:
    made = _database("postgresql://u%40x:p%2Fw@db.example:6432/name?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem")
    assert (made["USER"], made["PASSWORD"], made["HOST"], made["PORT"]) == ("u@x", "p/w", "db.example", "6432")
    options: Any = made["OPTIONS"]
    assert (options["sslmode"], options["sslrootcert"]) == ("verify-full", "/etc/ca.pem")
    assert "statement_timeout" in options["options"]
    assert options["tcp_user_timeout"] == 20_000
    slow: Any = _database("postgresql://u@db.example/name?tcp_user_timeout=90000")["OPTIONS"]
    assert slow["tcp_user_timeout"] == "90000"
    assert _database("postgresql://postgres@/guardia?host=/run/pg")["HOST"] == "/run/pg"


def test_the_embedded_database_is_told_by_its_socket(tmp_path: Path) -> None:
    own = read(tmp_path, DATABASE_URL="postgresql://postgres@/guardia?host=/run/postgres")
    assert own.database_url
    assert own.database_url.reveal().endswith("host=/run/postgres")
