"""The real listener process against a strict client that nobody here wrote (swaks), and against raw sockets."""

import re
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from tests.support.mail_listener import SUPPORT, MailListener

BOUNCE = "bounce+abc@guardia.example"
LIMIT_MB = 2


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailListener]:
    home = tmp_path_factory.mktemp("listener")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=guardia.example"]
    subprocess.run([*command, "-keyout", home / "key.pem", "-out", home / "cert.pem"], check=True, capture_output=True)
    one = MailListener(
        home,
        GUARDIA_MAIL_TLS_CERT=str(home / "cert.pem"),
        GUARDIA_MAIL_TLS_KEY=str(home / "key.pem"),
        GUARDIA_MAIL_SIZE_LIMIT_MB=str(LIMIT_MB),
        GUARDIA_MAIL_RATE_PER_MINUTE="100000",
    )
    one.start()
    yield one
    assert one.stop() == 0


def swaks(listener: MailListener, *words: str, to: str = SUPPORT, lmtp: bool = False) -> str:
    """Return the transcript of one run of swaks."""
    port = listener.lmtp_port if lmtp else listener.port
    command = ["swaks", "--server", f"127.0.0.1:{port}", "--to", to, "--from", "ana@astilleros.example"]
    if lmtp:
        command += ["--protocol", "LMTP"]
    return subprocess.run([*command, *words], capture_output=True, timeout=60, check=False).stdout.decode("latin-1")


def kept_id(transcript: str) -> str:
    found = re.search(r"<[-~]\s+250 2\.0\.0 Kept as ([0-9a-f-]{36})", transcript)
    assert found, transcript
    return found[1]


def kept(listener: MailListener, transcript: str) -> bytes:
    """Return the message whose id the reply names."""
    (mail_id,) = [one for one in listener.spool._names() if str(one) == kept_id(transcript)]
    return listener.spool.read(mail_id)[1]


class Talk:
    """A raw conversation."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()

    def reply(self) -> str:
        lines = []
        while True:
            line = self.file.readline().decode()
            lines.append(line)
            if line[3:4] != "-":
                return "".join(lines)

    def say(self, words: bytes) -> str:
        self.socket.sendall(words + b"\r\n")
        return self.reply()

    def up_to_data(self, to: bytes = SUPPORT.encode()) -> None:
        assert self.reply().startswith("220 ")
        for words, code in (
            (b"EHLO mail.astilleros.example", "250"),
            (b"MAIL FROM:<ana@astilleros.example>", "250"),
            (b"RCPT TO:<" + to + b">", "250"),
            (b"DATA", "354"),
        ):
            assert self.say(words).startswith(code)


# ---- swaks ----


def test_a_plain_message_is_kept_as_it_came(listener: MailListener) -> None:
    said = swaks(listener, "--body", "Hola.\\n.punto al principio\\n..dos")
    raw = kept(listener, said)
    assert raw.startswith(b"Date: ")
    assert b"\r\n.punto al principio\r\n..dos\r\n" in raw
    for offered in ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "STARTTLS", "SIZE 2097152"):
        assert offered in said
    assert "AUTH" not in said


def test_its_facts_are_kept_beside_it(listener: MailListener) -> None:
    said = swaks(listener, "--ehlo", "mail.astilleros.example", to=f"{SUPPORT},{BOUNCE}")
    (mail_id,) = [one for one in listener.spool._names() if str(one) == kept_id(said)]
    envelope, raw = listener.spool.read(mail_id)
    assert (envelope.door, envelope.peer, envelope.helo) == ("smtp", "127.0.0.1", "mail.astilleros.example")
    assert (envelope.sender, envelope.recipients) == ("ana@astilleros.example", (SUPPORT, BOUNCE))
    assert envelope.size == len(raw)


def test_starttls_is_spoken(listener: MailListener) -> None:
    said = swaks(listener, "--tls")
    assert "TLS started with cipher TLSv1.3" in said
    assert said.count("220 ") == 2, "one greeting, one go-ahead for TLS, and no second greeting"
    assert "AUTH" not in said
    assert kept(listener, said)


@pytest.mark.parametrize("words", [("--pipeline",), ("--pipeline", "--tls")])
def test_pipelined_commands_are_answered_in_order(listener: MailListener, words: tuple[str, ...]) -> None:
    assert kept(listener, swaks(listener, *words))


def test_lmtp_answers_for_each_recipient(listener: MailListener) -> None:
    said = swaks(listener, to=f"{SUPPORT},{BOUNCE},postmaster@guardia.example", lmtp=True)
    assert len(re.findall(r"<-  250 2\.0\.0 Kept as", said)) == 3
    (mail_id,) = [one for one in listener.spool._names() if str(one) == kept_id(said)]
    assert listener.spool.read(mail_id)[0].door == "lmtp"


def test_eight_bit_bytes_come_through(listener: MailListener, tmp_path: Path) -> None:
    data = tmp_path / "data"
    body = bytes(range(128, 256)) + "\nseñal de avería\n".encode("latin-1")
    data.write_bytes(b"From: ana@astilleros.example\nSubject: a\xf1o\n\n" + body)
    raw = kept(listener, swaks(listener, "--data", f"@{data}"))
    assert bytes(range(128, 256)) in raw
    assert b"Subject: a\xf1o\r\n" in raw


def test_a_big_message_is_kept_and_a_bigger_one_refused(listener: MailListener, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_bytes(b"Subject: grande\n\n" + b"x" * 76 + b"\n" + (b"y" * 76 + b"\n") * 20_000)
    assert len(kept(listener, swaks(listener, "--data", f"@{data}"))) > 1_500_000
    before = listener.spool.count_waiting()
    data.write_bytes(b"Subject: enorme\n\n" + (b"y" * 76 + b"\n") * 40_000)
    said = swaks(listener, "--data", f"@{data}")
    assert re.search(r"<\*\* 552 5\.3\.4 ", said)
    assert listener.spool.count_waiting() == before


def test_a_message_that_says_beforehand_that_it_is_too_big_is_refused_at_once(listener: MailListener) -> None:
    with Talk(listener.port) as talk:
        talk.reply()
        talk.say(b"EHLO x.example")
        assert talk.say(b"MAIL FROM:<a@b.example> SIZE=99999999").startswith("552 5.3.4 ")


@pytest.mark.parametrize(
    "to",
    [SUPPORT, SUPPORT.upper(), "soporte+t0k3n@guardia.example", BOUNCE, "abuse@guardia.example", "postmaster"],
)
def test_our_recipients_are_taken(listener: MailListener, to: str) -> None:
    with Talk(listener.port) as talk:
        talk.reply()
        talk.say(b"EHLO x.example")
        talk.say(b"MAIL FROM:<>")
        assert talk.say(f"RCPT TO:<{to}>".encode()).startswith("250 2.1.5 ")


@pytest.mark.parametrize(
    "to",
    [
        "ana@guardia.example",
        "soporte@guardia.example.evil.example",
        "soporte@evil.example",
        "x%evil.example@guardia.example",
        '"soporte@guardia.example"@evil.example',
        "@guardia.example:ana@evil.example",
        "soporte+x@evil.example",
        "soportex@guardia.example",
    ],
)
def test_nothing_is_relayed(listener: MailListener, to: str) -> None:
    with Talk(listener.port) as talk:
        talk.reply()
        talk.say(b"EHLO x.example")
        talk.say(b"MAIL FROM:<a@b.example>")
        assert talk.say(f"RCPT TO:<{to}>".encode())[0] == "5"
        assert talk.say(b"DATA").startswith("503 5.5.1 ")


def test_too_many_recipients_are_put_off(listener: MailListener) -> None:
    with Talk(listener.port) as talk:
        talk.reply()
        talk.say(b"EHLO x.example")
        talk.say(b"MAIL FROM:<a@b.example>")
        for number in range(100):
            assert talk.say(f"RCPT TO:<soporte+{number}@guardia.example>".encode()).startswith("250 ")
        assert talk.say(b"RCPT TO:<soporte@guardia.example>").startswith("452 4.5.3 ")


def test_an_internationalised_sender_is_kept(listener: MailListener) -> None:
    with smtplib.SMTP("127.0.0.1", listener.port) as client:
        client.ehlo()
        client.mail("ñu@españa.example", ["SMTPUTF8", "BODY=8BITMIME"])
        client.rcpt(SUPPORT)
        code, words = client.data(b"Subject: x\r\n\r\nx\r\n")
    assert code == 250
    (mail_id,) = [one for one in listener.spool._names() if str(one) in words.decode()]
    assert listener.spool.read(mail_id)[0].sender == "ñu@españa.example"


def test_long_lines_and_bare_line_ends_are_kept(listener: MailListener) -> None:
    raw = b"Subject: x\r\n\r\n" + b"z" * 500_000 + b"\r\nbare\nends\rhere\r\n"
    with Talk(listener.port) as talk:
        talk.up_to_data()
        assert talk.say(raw + b".").startswith("250 ")
    assert listener.messages()[-1] == raw


def test_an_empty_message_is_kept_too(listener: MailListener) -> None:
    with Talk(listener.port) as talk:
        talk.up_to_data()
        assert talk.say(b".").startswith("250 ")
        assert talk.say(b"NOOP").startswith("250 2.0.0")
    assert listener.messages()[-1] == b""


# ---- attacks ----


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\r\n\x00.\r\n"])
def test_attack_smuggling_a_second_message_behind_another_end(listener: MailListener, end: bytes) -> None:
    before = listener.spool.count_waiting()
    second = (
        b"MAIL FROM:<ceo@astilleros.example>\r\nRCPT TO:<soporte@guardia.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nx"
    )
    with Talk(listener.port) as talk:
        talk.up_to_data()
        assert talk.say(b"Subject: first\r\n\r\nx" + end + second + b"\r\n.").startswith("250 ")
        assert talk.say(b"QUIT").startswith("221 ")
    assert listener.spool.count_waiting() == before + 1
    assert b"smuggled" in listener.messages()[-1]


def test_attack_commands_pipelined_before_tls(listener: MailListener) -> None:
    with Talk(listener.port) as talk:
        talk.reply()
        talk.say(b"EHLO x.example")
        talk.socket.sendall(b"STARTTLS\r\nMAIL FROM:<evil@evil.example>\r\nRCPT TO:<soporte@guardia.example>\r\n")
        assert talk.reply().startswith("220 ")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with context.wrap_socket(talk.socket, server_hostname="guardia.example") as tls:
                tls.sendall(b"EHLO x.example\r\nDATA\r\n")
                time.sleep(0.3)
                assert b"354" not in tls.recv(4096)
        except (ssl.SSLError, ConnectionError):
            pass  # what was injected broke the handshake: nothing was taken of it


def test_attack_a_broken_tls_handshake_ends_only_its_own_connection(listener: MailListener) -> None:
    for garbage in (b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\x00" * 500, b""):
        with Talk(listener.port) as talk:
            talk.reply()
            talk.say(b"EHLO x.example")
            assert talk.say(b"STARTTLS").startswith("220 ")
            talk.socket.sendall(garbage)
    assert kept(listener, swaks(listener, "--tls"))


def test_attack_a_control_character_in_a_command_does_not_come_back(listener: MailListener) -> None:
    with Talk(listener.port) as talk:
        talk.reply()
        assert "\r250" not in talk.say(b"VRFY evil\r250 2.0.0 ok")
        assert talk.say(b"NOOP").startswith("250 ")


HOSTILE = [
    b"\x00\xff\xfe",
    b"EHLO",
    b"MAIL FROM:<" + b"(" * 900 + b">",
    b"MAIL FROM:" + b"<" * 900,
    b"X" * 200_000,
    b"RCPT TO:<\xff\xfe@guardia.example>",
    b"MAIL FROM:<a@b.example> SIZE=-1",
    b"MAIL FROM:<a@b.example> =\x00",
    b"",
    b"DATA",
    b"BDAT 5",
    b"AUTH PLAIN AAAA",
    b"HELP \xc3\xb1",
    b"VRFY \xff",
]


def test_attack_hostile_commands_are_refused_and_end_nothing(listener: MailListener) -> None:
    for greeting in (b"NOOP", b"EHLO x.example"):
        with Talk(listener.port) as talk:
            talk.reply()
            talk.say(greeting)
            for words in HOSTILE:
                assert talk.say(words)[0] in "245", words
    assert kept(listener, swaks(listener))


def test_attack_a_flood_of_faults_ends_the_connection(listener: MailListener) -> None:
    with Talk(listener.port) as talk:
        talk.reply()
        talk.socket.sendall(b"\r\n" * 200)
        said = talk.file.read()
    assert said.count(b"\n") <= 60
    assert b"421 4.7.0 " in said


def test_a_sender_that_goes_in_the_middle_leaves_nothing(listener: MailListener) -> None:
    before = listener.spool.count_waiting()
    with Talk(listener.port) as talk:
        talk.up_to_data()
        talk.socket.sendall(b"Subject: half\r\n\r\nhalf a mess")
    time.sleep(0.5)
    assert listener.spool.count_waiting() == before


def test_the_listener_says_that_it_lives(listener: MailListener) -> None:
    deadline = time.monotonic() + 10
    while not (told := listener.spool.listener_told()).get("kept"):
        assert time.monotonic() < deadline, told
        time.sleep(0.1)
    assert listener.spool.listener_beat() is not None
    assert told["in_flight"] == 0


# ---- limits, on listeners of their own ----


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[MailListener]:
    one = MailListener(tmp_path, GUARDIA_MAIL_RATE_PER_MINUTE="3", GUARDIA_MAIL_CONNECTIONS="4")
    one.start()
    yield one
    one.stop()


def test_who_sends_too_fast_is_asked_to_come_later(strict: MailListener) -> None:
    with Talk(strict.port) as talk:
        talk.reply()
        talk.say(b"EHLO x.example")
        for _ in range(3):
            assert talk.say(b"MAIL FROM:<a@b.example>").startswith("250 ")
            talk.say(b"RSET")
        assert talk.say(b"MAIL FROM:<a@b.example>").startswith("451 4.7.0 ")


def test_too_many_connections_are_put_off_and_freed_again(strict: MailListener) -> None:
    talks = [Talk(strict.port) for _ in range(4)]
    assert all(talk.reply().startswith("220 ") for talk in talks)
    with Talk(strict.port) as one_more:
        assert one_more.reply().startswith("421 4.7.0 ")
    for talk in talks:
        talk.__exit__()
    time.sleep(0.5)
    with Talk(strict.port) as again:
        assert again.reply().startswith("220 ")


# ---- kill -9 ----


def test_what_was_answered_250_outlives_kill_9(tmp_path: Path) -> None:
    one = MailListener(tmp_path, GUARDIA_MAIL_RATE_PER_MINUTE="1000000")
    promised: list[int] = []
    sent = 0
    for round_number in range(4):
        one.start()
        numbers = iter(range(round_number * 10_000, round_number * 10_000 + 10_000))
        lock = threading.Lock()

        def send(numbers: Iterator[int] = numbers, lock: threading.Lock = lock) -> None:
            nonlocal sent
            try:
                with smtplib.SMTP("127.0.0.1", one.port, timeout=10) as client:
                    while True:
                        with lock:
                            number = next(numbers)
                            sent += 1
                        client.sendmail("ana@astilleros.example", [SUPPORT], f"Subject: {number}\r\n\r\nx\r\n")
                        promised.append(number)
            except (OSError, smtplib.SMTPException):
                return  # the listener was killed

        senders = [threading.Thread(target=send) for _ in range(4)]
        for sender in senders:
            sender.start()
        time.sleep(0.3 + 0.1 * round_number)
        one.kill()
        for sender in senders:
            sender.join()
    subjects = [int(raw.split(b"\r\n")[0].removeprefix(b"Subject: ")) for raw in one.messages()]
    assert len(promised) > 50
    assert set(promised) <= set(subjects), "a message that heard 250 is lost"
    assert len(subjects) == len(set(subjects)), "a message is there twice"
    assert len(subjects) - len(promised) <= 16


# ---- a full disk ----


def test_a_full_disk_puts_off_and_keeps_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path / "private")], check=True)
    one = MailListener(tmp_path)
    try:
        one.start()
        assert kept_id(swaks(one, "--body", "x" * 60 + "\\n" + "y" * 60))
        data = tmp_path / "data"
        data.write_bytes(b"Subject: grande\n\n" + (b"y" * 76 + b"\n") * 15_000)
        assert re.search(r"<\*\* 452 4\.3\.1 ", swaks(one, "--data", f"@{data}"))
        assert kept_id(swaks(one))
        assert one.spool.count_waiting() == 2
        assert list((one.spool.folder / "incoming").iterdir()) == []
    finally:
        one.stop()
        subprocess.run(["umount", str(tmp_path / "private")], check=True)


# ---- what keeps it from starting ----


def test_a_taken_port_is_said_in_one_line(listener: MailListener, tmp_path: Path) -> None:
    other = MailListener(tmp_path, GUARDIA_MAIL_PORT=str(listener.port))
    line = run_to_its_end(other)
    assert line.startswith("guardia: cannot listen for mail on 127.0.0.1: ")
    assert str(listener.port) in line
    assert "already in use" in line


def test_missing_lab_keys_are_said_in_one_line(tmp_path: Path) -> None:
    one = MailListener(tmp_path)
    (one.private / "keys" / "lab.json").unlink()
    assert "no readable lab key file" in run_to_its_end(one)


def run_to_its_end(listener: MailListener) -> str:
    command = [sys.executable, "-m", "guardia.doors.cli.main", "mail", "listen"]
    done = subprocess.run(command, env=listener.environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    return line
