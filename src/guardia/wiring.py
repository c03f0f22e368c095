"""The only place that picks adapters from the settings (`settings.GUARDIA_WIRING` names `make_outside`)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from django.conf import settings

from guardia.adapters.build_store import BuildStore
from guardia.adapters.call_journal import FolderJournals
from guardia.adapters.dns_lookup import make_resolver
from guardia.adapters.embedded_postgres import EmbeddedPostgres
from guardia.adapters.lab_keys import LabKeys, LabKeysRefused
from guardia.adapters.mail_signer import DkimSigner, DnsRecord, dns_record, make_dkim_key
from guardia.adapters.mail_spool import FolderSpool
from guardia.adapters.mail_transport import make_transport
from guardia.adapters.quarantine import FolderQuarantine
from guardia.adapters.release_tree import SignedTree
from guardia.adapters.webhook import HttpWebhook
from guardia.kernel.environment import Settings
from guardia.kernel.errors import GuardiaError
from guardia.kernel.outside import CallJournals, MailSpool, Outside
from sigdist.repository import KeysRefused


def make_outside() -> Outside:
    """Return the adapters of a real server; keys are opened when first needed."""
    own = settings.GUARDIA
    lab_keys = _lab_keys(own)
    return Outside(
        quarantine=FolderQuarantine(own.private / "quarantine"),
        lab_keys=lab_keys,
        builds=BuildStore(own.var / "builds"),
        tree=_tree(own),
        webhook=HttpWebhook(own.escalation_webhook_url.reveal(), own.escalation_webhook_secret.reveal()),
        mail_spool=FolderSpool(own.private / "mail", lab_keys),
        resolver=make_resolver(own.mail_dns),
        mail_transport=make_transport(own.mail_url.reveal(), own.support_email.rpartition("@")[2]),
        mail_signer=_signer(own),
        call_journals=FolderJournals(own.private / "calls", lab_keys, partial(_lab_keys, own)),
    )


def _lab_keys(own: Settings) -> LabKeys:
    return LabKeys.read(own.private / "keys" / "lab.json", production=own.is_production)


def mail_spool(own: Settings) -> MailSpool:
    """Return the spool alone, for a process that has neither Django nor a database. Raises GuardiaError."""
    try:
        return FolderSpool(own.private / "mail", _lab_keys(own))
    except LabKeysRefused as error:
        raise GuardiaError("lab_keys_refused", str(error)) from error


def call_journals(own: Settings) -> CallJournals:
    """Return the calls' journals alone, for a process whose database may be away. Raises GuardiaError."""
    try:
        return FolderJournals(own.private / "calls", _lab_keys(own), partial(_lab_keys, own))
    except LabKeysRefused as error:
        raise GuardiaError("lab_keys_refused", str(error)) from error


def _dkim_key(own: Settings) -> Path:
    return own.private / "keys" / "dkim.pem"


def _signer(own: Settings) -> DkimSigner:
    return DkimSigner(_dkim_key(own), own.mail_dkim_selector, own.support_email.rpartition("@")[2])


def make_mail_key(own: Settings) -> str:
    """Make the key that signs mail where it is missing; return why not, or an empty text."""
    try:
        make_dkim_key(_dkim_key(own))
    except OSError as error:
        return f"{_dkim_key(own)} cannot be made: {error.strerror}"
    return ""


def mail_key_record(own: Settings) -> DnsRecord:
    """Return the DNS record by which receivers check our signatures."""
    return dns_record(_dkim_key(own), own.mail_dkim_selector, own.support_email.rpartition("@")[2])


def _tree(own: Settings) -> SignedTree:
    return SignedTree(
        tree=own.var / "releases" / "tree",
        tokens=own.var / "releases" / "subscribers",
        keys=own.private / "keys" / "signing",
        passphrase=own.signing_passphrase.reveal(),
        production=own.is_production,
    )


def make_lab_key(own: Settings, key_id: str) -> str:
    """Make the lab key file with one key, or return why not."""
    path = own.private / "keys" / "lab.json"
    if own.is_production and key_id.startswith("dev-"):
        return f"{key_id} names a development key; choose another id in production"
    try:
        LabKeys.make(path, key_id)
    except FileExistsError:
        return f"{path} is there already; add keys to it by hand, and let `current` name the new one"
    return ""


def hold_ceremony(own: Settings, now: datetime) -> str:
    """Make the signing keys and roots that are missing, or return why not."""
    try:
        _tree(own).found(now, development=not own.is_production)
    except KeysRefused as error:
        return str(error)
    return ""


@contextmanager
def running_database(own: Settings) -> Iterator[None]:
    """Have a database within the block: that of DATABASE_URL, or the embedded one, started where it is not running."""
    if own.database_url:
        yield
        return
    with EmbeddedPostgres(own.var / "postgres") as server:
        os.environ["GUARDIA_EMBEDDED_URL"] = server.url
        yield
