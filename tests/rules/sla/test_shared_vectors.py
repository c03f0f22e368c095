"""The copy of the shared vectors is what it was copied from."""

import hashlib
import re
from pathlib import Path

from tests.rules.sla.scenarios import VECTORS, vectors

ROOT = Path(__file__).parents[3]
ORIGIN = ROOT.parent / "shared" / "vectors" / VECTORS.name


def test_the_copy_is_the_one_that_was_recorded() -> None:
    recorded = dict(re.findall(r"^\| `([\w.-]+)` \|.*\| `([0-9a-f]{64})` \|$", _readme(), re.MULTILINE))
    assert hashlib.sha256(VECTORS.read_bytes()).hexdigest() == recorded[VECTORS.name]


def test_the_copy_has_not_drifted_from_its_origin() -> None:
    # A clone has no origin beside it; there the recorded digest alone must hold, and the test above checks it.
    origin = ORIGIN.read_bytes() if ORIGIN.is_file() else VECTORS.read_bytes()
    assert origin == VECTORS.read_bytes()


def test_all_125_vectors_are_here() -> None:
    assert len(vectors()) == len({vector["name"] for vector in vectors()}) == 125


def _readme() -> str:
    return (VECTORS.parent / "README.md").read_text(encoding="utf-8")
