"""The lab's wrapping keys: old samples stay readable, production takes no development key, nothing is shown."""

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from guardia.adapters.lab_keys import LabKeys, LabKeysRefused


def write(path: Path, current: Any, keys: Any) -> Path:
    path.write_text(json.dumps({"current": current, "keys": keys}))
    return path


def text(byte: bytes, size: int = 32) -> str:
    return base64.b64encode(byte * size).decode()


def test_what_is_wrapped_is_unwrapped(tmp_path: Path) -> None:
    keys = LabKeys.make(tmp_path / "keys" / "lab.json", "lab-1")
    key, wrapped, key_id = keys.new_key()
    assert (len(key), key_id) == (32, "lab-1")
    assert key not in wrapped
    assert LabKeys.read(tmp_path / "keys" / "lab.json", production=True).unwrap(wrapped, key_id) == key


def test_each_sample_has_its_own_key(tmp_path: Path) -> None:
    keys = LabKeys.make(tmp_path / "lab.json", "lab-1")
    assert len({keys.new_key()[0] for _ in range(50)}) == 50


def test_a_new_current_key_leaves_the_old_samples_readable(tmp_path: Path) -> None:
    path = tmp_path / "lab.json"
    key, wrapped, key_id = LabKeys.make(path, "lab-1").new_key()
    said = json.loads(path.read_text())
    write(path, "lab-2", {**said["keys"], "lab-2": text(b"n")})
    rotated = LabKeys.read(path, production=True)
    assert rotated.unwrap(wrapped, key_id) == key
    assert rotated.new_key()[2] == "lab-2"


def test_the_wrong_or_a_missing_wrapping_key_is_refused_by_its_id(tmp_path: Path) -> None:
    _, wrapped, _ = LabKeys.make(tmp_path / "lab.json", "lab-1").new_key()
    other = LabKeys.make(tmp_path / "other.json", "lab-2")
    with pytest.raises(LabKeysRefused, match="lacks the key lab-1"):
        other.unwrap(wrapped, "lab-1")
    with pytest.raises(LabKeysRefused, match="lab-2 does not open"):
        other.unwrap(wrapped, "lab-2")


def test_production_refuses_a_development_key(tmp_path: Path) -> None:
    LabKeys.make(tmp_path / "lab.json", "dev-1")
    LabKeys.read(tmp_path / "lab.json", production=False)
    with pytest.raises(LabKeysRefused, match="development key"):
        LabKeys.read(tmp_path / "lab.json", production=True)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"current": "lab-1"}',
        json.dumps({"current": "lab-2", "keys": {"lab-1": text(b"a")}}),
        json.dumps({"current": "lab-1", "keys": {"lab-1": text(b"a", 31)}}),
        json.dumps({"current": "lab-1", "keys": {"lab-1": "*not base64*"}}),
        json.dumps({"current": "lab-1", "keys": {"lab-1": None}}),
        json.dumps({"current": ["lab-1"], "keys": {"lab-1": text(b"a")}}),
        json.dumps({"current": 1, "keys": {"lab-1": text(b"a")}}),
    ],
)
@pytest.mark.parametrize("production", [True, False])
def test_a_key_file_that_cannot_be_used_says_where_and_shows_no_key(
    tmp_path: Path, content: str, *, production: bool
) -> None:
    path = tmp_path / "lab.json"
    path.write_text(content)
    with pytest.raises(LabKeysRefused) as refused:
        LabKeys.read(path, production=production)
    assert str(path) in str(refused.value)
    assert text(b"a") not in str(refused.value)


def test_a_missing_key_file_says_where(tmp_path: Path) -> None:
    with pytest.raises(LabKeysRefused, match=r"lab\.json"):
        LabKeys.read(tmp_path / "lab.json", production=False)


def test_no_repr_shows_a_key(tmp_path: Path) -> None:
    keys = LabKeys.make(tmp_path / "lab.json", "lab-1")
    secret = json.loads((tmp_path / "lab.json").read_text())["keys"]["lab-1"]
    shown = f"{keys!r} {keys} {[keys]!r}"
    assert secret not in shown
    assert base64.b64decode(secret).hex() not in shown
    assert "lab-1" in shown


def test_the_key_file_is_for_its_owner_alone_and_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "lab.json"
    LabKeys.make(path, "lab-1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        LabKeys.make(path, "lab-2")
    assert path.read_bytes() == before
