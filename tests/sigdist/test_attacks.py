"""What a hostile mirror or network may try, against stock python-tuf and against the agent.

Each attack changes what is served after a machine has taken release 2. The attack fails when stock python-tuf raises,
the agent refuses with the kind of fault named here, and the agent's release 2 is still there whole.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.sigdist.stage import NOW, PASSPHRASE, StandIn, at, release, stock_fetch_from
from tuf.api.exceptions import DownloadError, RepositoryError
from tuf.api.metadata import Metadata, Targets

from sigdist.client.enrol import enrol
from sigdist.client.fetch import Feed
from sigdist.client.refusals import AgentRefused, UpdateRefused
from sigdist.client.store import Store
from sigdist.client.trust import Offer, check_not_older, check_release_file, check_root, read_offer
from sigdist.client.update import update
from sigdist.records import Build, Record, State, build, build_digest, sha256_hex
from sigdist.repository import KeyRing, ceremony, publish
from sigdist.repository.atomic import write_atomically
from sigdist.repository.chain import read_chain
from sigdist.repository.lanes import lane_named
from sigdist.repository.publish import write_head

METADATA = "accelerated/metadata"


@dataclass
class Scene:
    """Release 2 is installed; `old` is the tree as it was at release 1."""

    stand_in: StandIn
    keys: KeyRing
    store: Store
    old: Path
    stock_cache: Path
    root: bytes

    @property
    def tree(self) -> Path:
        return self.stand_in.tree

    def stock(self) -> dict[str, bytes]:
        base = f"{self.stand_in.url}/accelerated"
        return stock_fetch_from(f"{base}/metadata", f"{base}/targets", self.stock_cache, self.root)

    def publish(self, number: int) -> Build:
        made = release(number)
        publish(self.tree, "accelerated", made, self.keys, NOW)
        return made


@pytest.fixture
def scene(stand_in: StandIn, keys: KeyRing, store: Store, tmp_path: Path) -> Scene:
    publish(stand_in.tree, "accelerated", release(1), keys, NOW)
    old = Path(shutil.copytree(stand_in.tree, tmp_path / "old"))
    publish(stand_in.tree, "accelerated", release(2), keys, NOW)
    publish(stand_in.tree, "standard", release(1), keys, NOW)
    enrol(store, stand_in.url, "CODE-1", "lab-1", stand_in.root(), NOW)
    made = Scene(stand_in, keys, store, old, tmp_path / "stock", stand_in.root())
    assert update(store).release == 2
    made.stock()
    return made


def _swap(path: Path, data: bytes) -> None:
    assert path.exists()
    path.write_bytes(data)


def tampered_target(scene: Scene) -> None:
    made = scene.publish(3)
    name = f"{sha256_hex(made.files['yara/guardia.yar'])}.guardia.yar"
    rules = made.files["yara/guardia.yar"]
    _swap(scene.tree / "accelerated/targets/yara" / name, rules.replace(b"FAMILY", b"FAMILI"))


def tampered_timestamp(scene: Scene) -> None:
    scene.publish(3)
    path = scene.tree / METADATA / "timestamp.json"
    _swap(path, path.read_bytes().replace(b'"version":3', b'"version":4'))


def tampered_role(scene: Scene) -> None:
    scene.publish(3)
    path = scene.tree / METADATA / "3.fast.json"
    _swap(path, path.read_bytes().replace(b'"release":3', b'"release":4'))


def rollback_to_the_release_before(scene: Scene) -> None:
    shutil.rmtree(scene.tree)
    shutil.copytree(scene.old, scene.tree)


def frozen_at_an_expired_head(scene: Scene) -> None:
    publish(scene.tree, "accelerated", release(3), scene.keys, at(-30))


def mix_of_an_old_role_and_a_new_snapshot(scene: Scene) -> None:
    scene.publish(3)
    _swap(scene.tree / METADATA / "3.fast.json", (scene.tree / METADATA / "2.fast.json").read_bytes())


def mix_of_an_old_snapshot_and_a_new_timestamp(scene: Scene) -> None:
    scene.publish(3)
    _swap(scene.tree / METADATA / "3.snapshot.json", (scene.tree / METADATA / "2.snapshot.json").read_bytes())


def the_other_lane_in_place_of_this(scene: Scene) -> None:
    shutil.rmtree(scene.tree / "accelerated")
    shutil.copytree(scene.tree / "standard", scene.tree / "accelerated")


def the_other_lanes_next_root(scene: Scene) -> None:
    root = scene.tree / "standard/metadata/1.root.json"
    (scene.tree / METADATA / "2.root.json").write_bytes(root.read_bytes().replace(b'"version":1', b'"version":2'))


def endless_timestamp(scene: Scene) -> None:
    scene.stand_in.endless.add("/accelerated/metadata/timestamp.json")


def endless_target(scene: Scene) -> None:
    made = scene.publish(3)
    scene.stand_in.endless.add(f"/accelerated/targets/{sha256_hex(made.files['release.json'])}.release.json")


def metadata_that_is_none(scene: Scene) -> None:
    scene.publish(3)
    _swap(scene.tree / METADATA / "timestamp.json", b"<html>please sign in to this network</html>")


def a_missing_target(scene: Scene) -> None:
    made = scene.publish(3)
    (scene.tree / f"accelerated/targets/{sha256_hex(made.files['release.json'])}.release.json").unlink()


ATTACKS = [
    (tampered_target, "tampered"),
    (tampered_timestamp, "tampered"),
    (tampered_role, "mixed"),
    (rollback_to_the_release_before, "older"),
    (frozen_at_an_expired_head, "expired"),
    (mix_of_an_old_role_and_a_new_snapshot, "mixed"),
    (mix_of_an_old_snapshot_and_a_new_timestamp, "mixed"),
    (the_other_lane_in_place_of_this, "tampered"),
    (the_other_lanes_next_root, "tampered"),
    (endless_timestamp, "endless"),
    (endless_target, "endless"),
    (metadata_that_is_none, "malformed"),
    (a_missing_target, "not_published"),
]


@pytest.mark.parametrize(("attack", "fault"), ATTACKS, ids=[attack.__name__ for attack, _ in ATTACKS])
def test_stock_python_tuf_and_the_agent_both_refuse(scene: Scene, attack: Callable[[Scene], None], fault: str) -> None:
    attack(scene)
    with pytest.raises((RepositoryError, DownloadError)):
        scene.stock()
    with pytest.raises(UpdateRefused, match="the installed release 2 stays") as refusal:
        update(scene.store)
    assert refusal.value.kind == fault
    installed = scene.store.need_installed()
    assert installed.number == 2
    files = {name: (installed.folder / name).read_bytes() for name in release(2).files}
    assert files == release(2).files


def test_after_an_attack_the_honest_release_is_taken(scene: Scene) -> None:
    rollback_to_the_release_before(scene)
    with pytest.raises(UpdateRefused):
        update(scene.store)
    shutil.rmtree(scene.tree)
    shutil.copytree(scene.old, scene.tree)
    publish(scene.tree, "accelerated", release(2), scene.keys, NOW)
    publish(scene.tree, "accelerated", release(3), scene.keys, NOW)
    assert update(scene.store).release == 3


def test_a_machine_that_trusts_another_root_takes_nothing(scene: Scene, tmp_path: Path) -> None:
    ceremony(tmp_path / "evil-keys", tmp_path / "evil", NOW, passphrase=PASSPHRASE, development=True)
    foreign = (tmp_path / "evil/accelerated/metadata/1.root.json").read_bytes()
    store = Store(tmp_path / "other-agent")
    enrol(store, scene.stand_in.url, "CODE-2", "lab-2", foreign, NOW)
    with pytest.raises(UpdateRefused, match="nothing is installed yet") as refusal:
        update(store)
    assert refusal.value.kind == "tampered"
    assert store.installed() is None


def test_a_server_that_drips_is_given_up(scene: Scene) -> None:
    scene.stand_in.dripping.add("/accelerated/metadata/timestamp.json")
    base = f"{scene.stand_in.url}/accelerated"
    feed = Feed(
        "accelerated",
        scene.store.metadata_folder("accelerated"),
        f"{base}/metadata",
        f"{base}/targets",
        scene.stand_in.root(),
        file_timeout_s=0.3,
    )
    with pytest.raises(UpdateRefused) as refusal:
        feed.offer()
    assert refusal.value.kind in {"slow", "endless"}


# A holder of the lane's own keys who errs, or worse


def _publish_role(scene: Scene, made: Build, **told: object) -> None:
    """Publish `made` with whatever the role is made to say, signed with the right keys."""
    for name, data in made.files.items():
        folder, _, base = name.rpartition("/")
        write_atomically(scene.tree / "accelerated/targets" / folder / f"{sha256_hex(data)}.{base}", data)
    chain = read_chain(scene.tree, lane_named("accelerated"))
    path = scene.tree / METADATA / "2.fast.json"
    role: Targets = Metadata[Targets].from_file(str(path)).signed
    role.version = 3
    for target in list(role.targets.values()):
        if target.path not in made.files:
            del role.targets[target.path]
    for name, data in made.files.items():
        entry = {"length": len(data), "hashes": {"sha256": sha256_hex(data)}, "custom": {"release": made.number}}
        role.targets[name] = type(next(iter(role.targets.values()))).from_dict(entry, name)
    role.unrecognized_fields["guardia"] = {
        "lane": "accelerated",
        "release": made.number,
        "label": made.label,
        "state_root": made.state_root,
        **told,
    }
    write_head(scene.tree, chain, role, scene.keys, NOW)


def _refused(scene: Scene) -> UpdateRefused:
    with pytest.raises(UpdateRefused, match="release 2 stays") as refusal:
        update(scene.store)
    assert scene.store.need_installed().number == 2
    return refusal.value


def test_a_lower_number_in_newer_metadata_is_refused(scene: Scene) -> None:
    _publish_role(scene, release(1))
    assert _refused(scene).kind == "older"


def test_metadata_that_names_another_lane_is_refused(scene: Scene) -> None:
    _publish_role(scene, release(3), lane="standard")
    assert _refused(scene).kind == "wrong_lane"


def test_files_of_two_releases_under_one_number_are_refused(scene: Scene) -> None:
    made = release(3)
    files = {**made.files, "release.json": release(4).files["release.json"]}
    _publish_role(scene, Build(3, made.label, made.state_root, files, build_digest(files)))
    assert _refused(scene).kind == "mixed"


def test_a_file_that_release_json_does_not_list_is_refused(scene: Scene) -> None:
    made = release(3)
    files = {**made.files, "clamav/extra.ndb": b"Extra:0:*:41424344\n"}
    _publish_role(scene, Build(3, made.label, made.state_root, files, build_digest(files)))
    assert _refused(scene).kind == "mixed"


def test_a_release_that_an_engine_does_not_load_is_refused(scene: Scene) -> None:
    broken = Record.make("yara_rule", "Broken", None, source="rule Broken { condition: no_such_thing }")
    publish(scene.tree, "accelerated", release(3, broken), scene.keys, NOW)
    refusal = _refused(scene)
    assert refusal.kind == "does_not_load"
    assert "yara-x" in str(refusal)
    bad_line = Record.make("clamav_line", "Bad.Line", None, database="ndb", line="Bad.Line:0:*:zz")
    publish(scene.tree, "accelerated", release(4, bad_line), scene.keys, NOW)
    assert "clamav" in str(_refused(scene))


# The decisions by themselves


def _role(**told: object) -> Targets:
    made = build(State.empty(), 1, "l")
    target = {"length": 1, "hashes": {"sha256": "ab" * 32}, "custom": {"release": 1}}
    signed = {
        "_type": "targets",
        "version": 1,
        "spec_version": "1.0.31",
        "expires": "2030-01-01T00:00:00Z",
        "targets": dict.fromkeys(made.files, target),
        "guardia": {"lane": "standard", "release": 1, "label": "l", "state_root": "00"},
    }
    return Targets.from_dict(json.loads(json.dumps({**signed, **told})))


TARGET = {"length": 1, "hashes": {"sha256": "ab" * 32}, "custom": {"release": 1}}


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"guardia": None}, "malformed"),
        ({"guardia": {"lane": "standard", "release": "1"}}, "malformed"),
        ({"guardia": {"lane": "accelerated", "release": 1}}, "wrong_lane"),
        ({"targets": {}}, "malformed"),
        ({"targets": {"../../bin/sh": TARGET}}, "malformed"),
        ({"targets": {"yara/..": TARGET}}, "malformed"),
        ({"targets": {"yara/a/b.yar": TARGET}}, "malformed"),
        ({"targets": {"release.json": {**TARGET, "custom": {"release": 2}}}}, "mixed"),
        ({"targets": {"release.json": {**TARGET, "custom": None}}}, "mixed"),
        ({"targets": {"release.json": {**TARGET, "hashes": {"sha512": "ab" * 64}}}}, "malformed"),
    ],
)
def test_an_offer_that_is_not_one_for_this_machine_is_refused(told: dict[str, object], kind: str) -> None:
    assert read_offer(_role(), "standard").release == 1
    with pytest.raises(UpdateRefused) as refusal:
        read_offer(_role(**told), "standard")
    assert refusal.value.kind == kind


def test_the_installed_release_is_never_gone_below() -> None:
    offer = Offer("standard", 5, "l", "00", {})
    check_not_older(offer, None)
    check_not_older(offer, 5)
    with pytest.raises(UpdateRefused, match="offers release 5 and this machine has 6"):
        check_not_older(offer, 6)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"files":[]}', b"\xff"])
def test_a_release_file_that_cannot_be_read_is_refused(data: bytes) -> None:
    with pytest.raises(UpdateRefused, match="cannot be read"):
        check_release_file(data, Offer("standard", 5, "l", "00", {}))


def test_a_root_that_is_forged_or_of_another_lane_is_not_pinned(tree: Path) -> None:
    root = (tree / "standard/metadata/1.root.json").read_bytes()
    assert check_root(root, "standard") == root
    with pytest.raises(AgentRefused, match="is of lane 'standard'"):
        check_root(root, "accelerated")
    with pytest.raises(AgentRefused, match="does not verify"):
        check_root(root.replace(b'"lane":"standard"', b'"lane":"accelerated"'), "accelerated")
    with pytest.raises(AgentRefused, match="other metadata"):
        check_root((tree / "standard/metadata/1.targets.json").read_bytes(), "standard")
    with pytest.raises(AgentRefused, match="does not verify"):
        check_root(b"{}", "standard")
