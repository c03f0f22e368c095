"""What a database is: records, the operations that change it, its state root, and its builds. Pure, no I/O.

This is the surface that the server, the publisher and the agent share; everything here may be imported anywhere.
"""

from sigdist.records.builds import RELEASE_FILE, Build, build, build_digest, build_only, digest_of_hashes
from sigdist.records.canonical import canonical_bytes, sha256_hex
from sigdist.records.operations import (
    Add,
    Delete,
    Operation,
    Revert,
    State,
    apply,
    diff,
    operation_from_json,
    operations_from_json,
)
from sigdist.records.proof import Proof, ProofRefused, SampleProof, parse_and_verify
from sigdist.records.record import Record, RecordType, compute_id
from sigdist.records.refusal import OperationRefused
from sigdist.records.state_root import StateRoot

__all__ = [
    "RELEASE_FILE",
    "Add",
    "Build",
    "Delete",
    "Operation",
    "OperationRefused",
    "Proof",
    "ProofRefused",
    "Record",
    "RecordType",
    "Revert",
    "SampleProof",
    "State",
    "StateRoot",
    "apply",
    "build",
    "build_digest",
    "build_only",
    "canonical_bytes",
    "compute_id",
    "diff",
    "digest_of_hashes",
    "operation_from_json",
    "operations_from_json",
    "parse_and_verify",
    "sha256_hex",
]
