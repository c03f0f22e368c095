"""Publishing releases: keys, lanes, signing, evidence, and the static tree. Never part of the customers' wheel."""

from sigdist.repository.ceremony import ceremony
from sigdist.repository.chain import Head, head
from sigdist.repository.evidence import check_files, sign_evidence, statement, verify_evidence
from sigdist.repository.keyring import KeyRing, read_keys_file
from sigdist.repository.lanes import EVIDENCE_KEY, LANES, LaneName
from sigdist.repository.publish import publish
from sigdist.repository.refresh import refresh
from sigdist.repository.refusals import EvidenceRefused, KeysRefused, ReleaseRefused, TreeDamaged

__all__ = [
    "EVIDENCE_KEY",
    "LANES",
    "EvidenceRefused",
    "Head",
    "KeyRing",
    "KeysRefused",
    "LaneName",
    "ReleaseRefused",
    "TreeDamaged",
    "ceremony",
    "check_files",
    "head",
    "publish",
    "read_keys_file",
    "refresh",
    "sign_evidence",
    "statement",
    "verify_evidence",
]
