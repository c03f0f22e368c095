"""A small clean corpus and the baseline database that every lab test starts from."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from labkit.corpora.building import build_corpus

LITERAL = b"LAB-HARMLESS-FAMILY-0001"
RULE_NAME = "Lab_Harmless_Family_0001"
LINE_NAME = "Guardia.Lab.Harmless.0001"
RULE = f"""rule {RULE_NAME}
{{
  meta:
    case = "baseline"
    author = "lab"
    date = "2026-01-01"
    sample_sha256 = "{"0" * 64}"
  strings:
    $a = "{LITERAL.decode()}"
  condition:
    $a
}}
"""
LINE = f"{LINE_NAME}:0:*:{LITERAL.hex()}"
RECORDS: list[dict[str, Any]] = [
    {"id": "r-rule", "type": "yara_rule", "name": RULE_NAME, "case": None, "source": RULE},
    {"id": "r-line", "type": "clamav_line", "name": LINE_NAME, "case": None, "database": "ndb", "line": LINE},
]
BASE_FILES = {"yara/guardia.yar": RULE, "clamav/guardia.ndb": f"{LINE}\n"}
CLEAN_PHRASE = b"A phrase that stands in clean files only."


def noise(seed: str, size: int) -> bytes:
    """Bytes without a pattern, the same at every run."""
    blocks = (hashlib.sha256(f"{seed} {at}".encode()).digest() for at in range(size // 32 + 1))
    return b"".join(blocks)[:size]


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty clean files of a few kinds."""
    source = tmp_path_factory.mktemp("clean")
    for at in range(28):
        (source / f"file{at}").write_bytes(noise(f"clean {at}", 2000 + at))
    (source / "phrase.txt").write_bytes(b"0123456789abcdef" * 2 + CLEAN_PHRASE + b" and more text")
    (source / "tool").write_bytes(b"#!/bin/sh\nexit 0\n")
    destination = tmp_path_factory.mktemp("corpus")
    build_corpus([source], destination)
    return destination
