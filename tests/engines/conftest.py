"""A small database and the files it is asked about."""

from pathlib import Path

import pytest

LITERAL = b"LAB-HARMLESS-FAMILY-0001"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """One rule and one signature for the same literal."""
    folder = tmp_path / "db"
    (folder / "yara").mkdir(parents=True)
    (folder / "clamav").mkdir()
    rule = f'rule Lab_One {{ strings: $a = "{LITERAL.decode()}" condition: $a }}\n'
    (folder / "yara" / "guardia.yar").write_text(rule)
    (folder / "clamav" / "guardia.ndb").write_text(f"Guardia.Lab.One:0:*:{LITERAL.hex()}\n")
    return folder
