"""Debian's Dovecot as an IMAP server of a test's own: own configuration, folders and port, nothing of the system's."""

import imaplib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from tests.support.ports import free_port

PROGRAM = Path("/usr/sbin/dovecot")
USER, PASSWORD = "buzon", "s3cret/with:odd@marks"
READY_WITHIN_S = 20
CONFIGURATION = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = {ssl}
disable_plaintext_auth = no
mail_location = maildir:{home}/maildir
first_valid_uid = 0
mail_uid = {uid}
mail_gid = {gid}
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/home
}}
"""


class Dovecot:
    """One server with one mailbox."""

    def __init__(self, *, has_tls: bool = False) -> None:
        self.home, self.port = Path(tempfile.mkdtemp(prefix="guardia-dovecot-")), free_port()
        self.tls_port = free_port() if has_tls else 0
        home = self.home
        home.chmod(0o755)
        # Dovecot lets no mailbox belong to root, and its own processes run as its own user.
        self.uid, self.gid = (os.getuid(), os.getgid()) if os.getuid() else (65534, 65534)
        for name in ("run", "state", "home", "maildir"):
            (home / name).mkdir(exist_ok=True)
            os.chown(home / name, self.uid, self.gid)
        own = CONFIGURATION.format(
            home=home,
            port=self.port,
            tls_port=self.tls_port,
            ssl=f"yes\nssl_cert = <{home}/cert.pem\nssl_key = <{home}/key.pem" if has_tls else "no",
            uid=self.uid,
            gid=self.gid,
            user="dovecot" if not os.getuid() else os.environ.get("USER", "nobody"),
            group="dovecot" if not os.getuid() else os.environ.get("USER", "nogroup"),
            password=PASSWORD,
        )
        if has_tls:
            command = [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=127.0.0.1",
            ]
            command += ["-addext", "subjectAltName=IP:127.0.0.1"]
            command += ["-keyout", str(home / "key.pem"), "-out", str(home / "cert.pem")]
            subprocess.run(command, check=True, capture_output=True)
        (home / "dovecot.conf").write_text(own, encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the mailbox as the settings name it."""
        return f"imap://{USER}:s3cret%2Fwith%3Aodd%40marks@127.0.0.1:{self.port}/INBOX"

    @property
    def tls_url(self) -> str:
        """Return the mailbox over TLS, as the settings name it."""
        return self.url.replace("imap:", "imaps:").replace(f":{self.port}/", f":{self.tls_port}/")

    def start(self) -> None:
        """Start it, and return once it greets."""
        command = [str(PROGRAM), "-F", "-c", str(self.home / "dovecot.conf")]
        with (self.home / "out.log").open("ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            try:
                self.connected().logout()
            except (OSError, imaplib.IMAP4.error):
                assert self.process.poll() is None, self.told()
                time.sleep(0.1)
            else:
                return
        raise AssertionError(self.told())

    def told(self) -> str:
        """Return what it logged."""
        files = (self.home / "out.log", self.home / "dovecot.log")
        return "".join(path.read_text(errors="replace") for path in files if path.exists())

    def stop(self) -> None:
        """End it and everything that it started."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)  # its idle connections outlive their master
            self.process.wait(20)
            with suppress(ProcessLookupError):  # all have ended by themselves
                os.killpg(self.process.pid, signal.SIGKILL)

    def remove(self) -> None:
        """End it, and remove its folders."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def connected(self) -> imaplib.IMAP4:
        """Return a connection of another client, with the mailbox selected."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        client.login(USER, PASSWORD)
        client.select("INBOX")
        return client

    def append(self, raw: bytes, at: datetime, flags: str = "") -> None:
        """Deliver a message that came at an instant."""
        client = self.connected()
        status, said = client.append("INBOX", flags, at, raw)
        assert status == "OK", said
        client.logout()

    def mark(self, change: str, flag: str) -> None:
        """Change a flag of every message, as another client does."""
        client = self.connected()
        if int(client.select("INBOX")[1][0] or b"0"):
            client.store("1:*", change, rf"(\{flag})")
        client.logout()

    def empty(self) -> None:
        """Remove every message."""
        self.mark("+FLAGS", "Deleted")
        client = self.connected()
        client.expunge()
        client.logout()

    def flags(self) -> list[str]:
        """Return the flags of each message."""
        client = self.connected()
        _status, said = client.fetch("1:*", "(FLAGS)")
        client.logout()
        return [line.decode() for line in said if isinstance(line, bytes)]
