"""Publishing: one head, in order, whatever happens; the keys behind it; the evidence beside it."""

import json
import os
import pickle
import shutil
import signal
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.sigdist.stage import DAY, NOW, PASSPHRASE, at, ndb, release, stock_fetch
from tuf.api.metadata import Metadata

from sigdist.records import Build
from sigdist.repository import (
    EvidenceRefused,
    KeyRing,
    KeysRefused,
    ReleaseRefused,
    TreeDamaged,
    ceremony,
    check_files,
    head,
    publish,
    refresh,
    sign_evidence,
    statement,
    verify_evidence,
)

Killer = Callable[[], object]


def _root(tree: Path, lane: str) -> bytes:
    return (tree / lane / "metadata" / "1.root.json").read_bytes()


def _stock(tree: Path, lane: str, cache: Path) -> dict[str, bytes]:
    return stock_fetch(tree, lane, cache, _root(tree, lane))


def test_a_lane_without_a_release_has_no_head(tree: Path) -> None:
    assert head(tree, "accelerated") is None


def test_stock_python_tuf_gets_exactly_what_was_published(tree: Path, keys: KeyRing, tmp_path: Path) -> None:
    for lane in ("accelerated", "standard"):
        published = publish(tree, lane, release(1), keys, NOW)
        assert (published.release, published.label) == (1, "20261122.1")
        assert published.digest == release(1).digest
        assert _stock(tree, lane, tmp_path / lane) == release(1).files


def test_each_release_follows_the_one_before_and_versions_go_up_by_one(
    tree: Path, keys: KeyRing, tmp_path: Path
) -> None:
    for number in (1, 2, 5):
        publish(tree, "accelerated", release(number), keys, NOW)
        assert _stock(tree, "accelerated", tmp_path / "cache") == release(number).files
    now = head(tree, "accelerated")
    assert now is not None
    assert (now.timestamp_version, now.snapshot_version, now.role_version) == (3, 3, 3)


def test_publishing_the_same_again_changes_nothing(tree: Path, keys: KeyRing) -> None:
    first = publish(tree, "accelerated", release(1), keys, NOW)
    before = {path: path.stat().st_mtime_ns for path in tree.rglob("*.json")}
    assert publish(tree, "accelerated", release(1), keys, at(1)) == first
    assert {path: path.stat().st_mtime_ns for path in tree.rglob("*.json")} == before


def test_an_older_release_and_a_number_used_for_other_bytes_are_refused(tree: Path, keys: KeyRing) -> None:
    publish(tree, "accelerated", release(2), keys, NOW)
    with pytest.raises(ReleaseRefused, match="release 1 is older than 2"):
        publish(tree, "accelerated", release(1), keys, NOW)
    with pytest.raises(ReleaseRefused, match="with other bytes"):
        publish(tree, "accelerated", release(2, ndb("Lab.Other", b"OTHER")), keys, NOW)
    assert head(tree, "accelerated") == publish(tree, "accelerated", release(2), keys, NOW)


def test_standard_is_never_ahead_of_accelerated_nor_different(tree: Path, keys: KeyRing) -> None:
    with pytest.raises(ReleaseRefused, match="not on accelerated yet"):
        publish(tree, "standard", release(1), keys, NOW)
    publish(tree, "accelerated", release(1), keys, NOW)
    with pytest.raises(ReleaseRefused, match="other bytes on accelerated"):
        publish(tree, "standard", release(1, ndb("Lab.Other", b"OTHER")), keys, NOW)
    publish(tree, "accelerated", release(2), keys, NOW)
    assert publish(tree, "standard", release(1), keys, NOW).release == 1


def test_a_build_whose_bytes_were_changed_is_not_published(tree: Path, keys: KeyRing) -> None:
    good = release(1)
    bad = Build(good.number, good.label, good.state_root, {**good.files, "yara/guardia.yar": b""}, good.digest)
    with pytest.raises(ReleaseRefused, match="build it again"):
        publish(tree, "accelerated", bad, keys, NOW)


def test_standard_is_signed_by_two_of_three_and_not_by_one(tree: Path, keys: KeyRing, tmp_path: Path) -> None:
    publish(tree, "accelerated", release(1), keys, NOW)
    folder = Path(shutil.copytree(keys.folder, tmp_path / "keys"))
    (folder / "stable-3.pem").unlink()
    assert publish(tree, "standard", release(1), KeyRing.open(folder, PASSPHRASE), NOW).release == 1
    (folder / "stable-1.pem").unlink()
    publish(tree, "accelerated", release(2), keys, NOW)
    with pytest.raises(KeysRefused, match="needs 2 keys and 1 are in"):
        publish(tree, "standard", release(2), KeyRing.open(folder, PASSPHRASE), NOW)
    assert _stock(tree, "standard", tmp_path / "cache") == release(1).files


def test_the_lanes_share_no_key(tree: Path) -> None:
    ids = [set(json.loads(_root(tree, lane))["signed"]["keys"]) for lane in ("accelerated", "standard")]
    assert len(ids[0]) == len(ids[1]) == 8
    assert not ids[0] & ids[1]


def test_a_damaged_tree_is_not_published_on(tree: Path, keys: KeyRing) -> None:
    publish(tree, "accelerated", release(1), keys, NOW)
    timestamp = tree / "accelerated/metadata/timestamp.json"
    timestamp.write_bytes(timestamp.read_bytes().replace(b'"version":1', b'"version":9'))
    with pytest.raises(TreeDamaged, match="does not verify"):
        publish(tree, "accelerated", release(2), keys, NOW)


# Killed at any instant


def _killed(act: Callable[[Killer], object]) -> bool:
    """Run `act` in another process, which it may kill with SIGKILL; whether that happened."""
    child = os.fork()
    if child == 0:
        try:
            act(lambda: os.kill(os.getpid(), signal.SIGKILL))
        finally:
            os._exit(0)
    _pid, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _kill_after(count: int, kill: Killer) -> Callable[[object], None]:
    left = iter(range(count, -1, -1))

    def passed(_what: object) -> None:
        if not next(left):
            kill()

    return passed


def _kill_at_flush(nth: int, kill: Killer) -> None:
    """From now on, in this process, the nth flush to disk is the last act, and does not happen."""
    counted, flush = _kill_after(nth, kill), os.fsync

    def flush_or_die(descriptor: Any) -> None:
        counted(descriptor)
        flush(descriptor)

    vars(os)["fsync"] = flush_or_die


def _publish_killed_at_step(tree: Path, keys: KeyRing, number: int, step: int) -> bool:
    return _killed(
        lambda kill: publish(tree, "accelerated", release(number), keys, NOW, checkpoint=_kill_after(step, kill))
    )


def _publish_killed_at_flush(tree: Path, keys: KeyRing, number: int, nth: int) -> bool:
    def act(kill: Killer) -> None:
        _kill_at_flush(nth, kill)
        publish(tree, "accelerated", release(number), keys, NOW)

    return _killed(act)


@pytest.mark.parametrize("kill", [_publish_killed_at_step, _publish_killed_at_flush])
def test_killed_at_any_instant_and_run_again_it_gives_one_consistent_head(
    tree: Path, keys: KeyRing, tmp_path: Path, kill: Callable[[Path, KeyRing, int, int], bool]
) -> None:
    publish(tree, "accelerated", release(1), keys, NOW)
    point = 0
    for point in range(100):
        here = Path(shutil.copytree(tree, tmp_path / f"{point}"))
        killed = kill(here, keys, 2, point)
        # What clients see meanwhile is the old release or the new one, whole.
        assert _stock(here, "accelerated", tmp_path / f"meanwhile-{point}") in (release(1).files, release(2).files)
        again = publish(here, "accelerated", release(2), keys, at(0.01))
        assert _stock(here, "accelerated", tmp_path / f"after-{point}") == release(2).files
        assert (again.release, again.role_version, again.snapshot_version, again.timestamp_version) == (2, 2, 2, 2)
        assert publish(here, "accelerated", release(2), keys, at(1)) == again
        if not killed:
            break
        # Another release than the one that was cut short may also come next.
        publish(here, "accelerated", release(3), keys, at(0.02))
        assert _stock(here, "accelerated", tmp_path / f"after-{point}") == release(3).files
    assert point >= 7


def test_a_cut_short_release_may_be_overtaken_and_its_numbers_are_passed_over(
    tree: Path, keys: KeyRing, tmp_path: Path
) -> None:
    publish(tree, "accelerated", release(1), keys, NOW)
    steps = 2 + len(release(2).files)
    assert _publish_killed_at_step(tree, keys, 2, steps)
    leftover = (tree / "accelerated/metadata/2.fast.json").read_bytes()
    assert publish(tree, "accelerated", release(3), keys, NOW).role_version == 3
    assert (tree / "accelerated/metadata/2.fast.json").read_bytes() == leftover
    assert _stock(tree, "accelerated", tmp_path / "cache") == release(3).files


def test_killed_ceremonies_go_on_where_they_were(tmp_path: Path) -> None:
    def hold() -> KeyRing:
        return ceremony(tmp_path / "keys", tmp_path / "tree", NOW, passphrase=PASSPHRASE, development=True)

    def act(nth: int, kill: Killer) -> None:
        _kill_at_flush(nth, kill)
        hold()

    for nth in (0, 1, 7, 20, 3, 1, 1, 1, 2, 2):
        assert _killed(partial(act, nth))
    keys = hold()
    publish(tmp_path / "tree", "accelerated", release(1), keys, NOW)
    publish(tmp_path / "tree", "standard", release(1), keys, NOW)
    assert _stock(tmp_path / "tree", "standard", tmp_path / "cache") == release(1).files


def test_two_publishers_at_once_leave_one_head(tree: Path, keys: KeyRing, tmp_path: Path) -> None:
    children = []
    for number in (3, 4):
        child = os.fork()
        if child == 0:
            try:
                publish(tree, "accelerated", release(number), keys, NOW)
            except ReleaseRefused:
                os._exit(3)
            os._exit(0)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert codes[1] == 0
    assert codes[0] in {0, 3}
    assert _stock(tree, "accelerated", tmp_path / "cache") == release(4).files


# Staying fresh


def test_refreshing_signs_anew_only_what_is_due(tree: Path, keys: KeyRing) -> None:
    def versions() -> tuple[int, int, int]:
        now = head(tree, "standard")
        assert now is not None
        return now.timestamp_version, now.snapshot_version, now.role_version

    assert not refresh(tree, "standard", keys, NOW)
    publish(tree, "accelerated", release(1), keys, NOW)
    publish(tree, "standard", release(1), keys, NOW)
    assert not refresh(tree, "standard", keys, at(0.4))
    assert refresh(tree, "standard", keys, at(0.6))
    assert versions() == (2, 1, 1)
    assert refresh(tree, "standard", keys, at(4))
    assert versions() == (3, 2, 1)
    assert refresh(tree, "standard", keys, at(61))
    assert versions() == (4, 3, 2)


def test_a_release_is_refreshed_into_the_same_release(tree: Path, keys: KeyRing, tmp_path: Path) -> None:
    publish(tree, "accelerated", release(1), keys, at(-3))
    refresh(tree, "accelerated", keys, NOW, force=True)
    assert _stock(tree, "accelerated", tmp_path / "cache") == release(1).files


def test_metadata_lives_as_long_as_was_decided(tree: Path, keys: KeyRing) -> None:
    publish(tree, "accelerated", release(1), keys, NOW)
    folder = tree / "accelerated/metadata"
    days = {
        name: (Metadata.from_file(str(folder / f"{name}.json")).signed.expires - NOW + DAY / 2) // DAY
        for name in ("timestamp", "1.snapshot", "1.fast", "1.targets", "1.root")
    }
    assert days == {"timestamp": 1, "1.snapshot": 7, "1.fast": 90, "1.targets": 365, "1.root": 730}


# Keys


def test_keys_are_closed_to_others_and_encrypted(keys: KeyRing) -> None:
    assert stat.S_IMODE(keys.folder.stat().st_mode) == 0o700
    files = list(keys.folder.glob("*.pem"))
    assert len(files) == 21
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"ENCRYPTED" in path.read_bytes()
    assert keys.development


def test_a_key_ring_never_shows_or_lends_its_secrets(founded: tuple[KeyRing, Path]) -> None:
    keys = founded[0]
    assert PASSPHRASE not in repr(keys)
    assert repr(keys).endswith("21 development keys)")
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(keys)


def test_key_folders_that_cannot_be_used_are_refused_in_words(keys: KeyRing, tmp_path: Path) -> None:
    with pytest.raises(KeysRefused, match="hold the key ceremony first"):
        KeyRing.open(tmp_path / "nowhere", PASSPHRASE)
    with pytest.raises(KeysRefused, match="does not open with this passphrase") as refusal:
        KeyRing.open(keys.folder, "wrong secret")
    assert "wrong secret" not in str(refusal.value)
    folder = Path(shutil.copytree(keys.folder, tmp_path / "open"))
    folder.chmod(0o755)
    with pytest.raises(KeysRefused, match="chmod 700"):
        KeyRing.open(folder, PASSPHRASE)
    folder.chmod(0o700)
    shutil.copy(folder / "stable-1.pem", folder / "fast.pem")
    with pytest.raises(KeysRefused, match=r"is not the one in keys\.json"):
        KeyRing.open(folder, PASSPHRASE).signer("fast")
    (folder / "keys.json").write_text("{}")
    with pytest.raises(KeysRefused, match="not of format"):
        KeyRing.open(folder, PASSPHRASE)


def test_development_keys_are_never_relabelled(keys: KeyRing, tree: Path) -> None:
    with pytest.raises(KeysRefused, match="already holds development keys"):
        ceremony(keys.folder, tree, NOW, passphrase=PASSPHRASE, development=False)
    with pytest.raises(KeysRefused, match="passphrase"):
        ceremony(keys.folder, tree, NOW, passphrase="", development=True)


def test_a_second_ceremony_changes_nothing(keys: KeyRing, tree: Path) -> None:
    before = _root(tree, "standard")
    again = ceremony(keys.folder, tree, at(3), passphrase=PASSPHRASE, development=True)
    assert again.public_key("fast") == keys.public_key("fast")
    assert _root(tree, "standard") == before


# Evidence


def test_evidence_is_signed_and_speaks_of_exactly_these_files(keys: KeyRing) -> None:
    made = release(1)
    envelope = json.loads(json.dumps(sign_evidence(statement(made, {"gates": [{"gate": "claim"}]}), keys)))
    said = verify_evidence(envelope, keys.public_key("evidence"))
    assert said["predicate"]["gates"] == [{"gate": "claim"}]
    assert said["predicate"]["release"]["digest"] == made.digest
    check_files(said, made.files)
    with pytest.raises(EvidenceRefused, match=r"yara/guardia\.yar"):
        check_files(said, {**made.files, "yara/guardia.yar": b"other"})


def test_evidence_that_was_changed_or_signed_by_another_is_refused(keys: KeyRing) -> None:
    envelope = sign_evidence(statement(release(1), {}), keys)
    other = sign_evidence(statement(release(2), {}), keys)
    bad: Any
    for bad in ({**envelope, "payload": other["payload"]}, {**envelope, "signatures": []}, {}, [], None):
        with pytest.raises(EvidenceRefused):
            verify_evidence(bad, keys.public_key("evidence"))
    with pytest.raises(EvidenceRefused):
        verify_evidence(envelope, keys.public_key("fast"))
