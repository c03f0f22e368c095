"""One contract for the signed tree and its twin; and that production signs with no development key."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from guardia.adapters.release_tree import RememberedTree, SignedTree
from guardia.kernel.errors import Refused
from guardia.kernel.vocabulary import Lane
from sigdist import repository
from sigdist.records import Build, Record, State, build
from sigdist.repository import KeysRefused, statement

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PASSPHRASE = "a passphrase of the tests"


def made(number: int, word: str = "") -> Build:
    digest = hashlib.sha256(f"{number} {word}".encode()).hexdigest()
    record = Record.make("clamav_line", f"Lab.{number}", None, database="ndb", line=f"Lab.{number}:0:*:{digest}")
    return build(State.of([record]), number, f"20261123.{number}")


@pytest.fixture(scope="module")
def ceremony(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ceremony") / "keys"
    signed(folder.parent / "first", folder).found(NOW, development=True)
    return folder


def signed(folder: Path, keys: Path, *, production: bool = False) -> SignedTree:
    return SignedTree(folder / "tree", folder / "tokens", keys, PASSPHRASE, production=production)


@pytest.fixture(params=["signed", "remembered"])
def tree(request: pytest.FixtureRequest, tmp_path: Path, ceremony: Path) -> Any:
    if request.param == "remembered":
        return RememberedTree()
    found = signed(tmp_path, ceremony)
    found.found(NOW, development=True)
    return found


def test_a_new_tree_shows_nothing(tree: Any) -> None:
    assert [tree.shown(lane) for lane in Lane] == [None, None]


def test_a_lane_shows_what_was_published_on_it(tree: Any) -> None:
    tree.publish(Lane.ACCELERATED, made(1), NOW)
    assert (tree.shown(Lane.ACCELERATED), tree.shown(Lane.STANDARD)) == (1, None)
    tree.publish(Lane.ACCELERATED, made(2), NOW)
    tree.publish(Lane.STANDARD, made(1), NOW)
    assert (tree.shown(Lane.ACCELERATED), tree.shown(Lane.STANDARD)) == (2, 1)


def test_publishing_again_changes_nothing(tree: Any) -> None:
    for _ in range(3):
        tree.publish(Lane.ACCELERATED, made(1), NOW)
    assert tree.shown(Lane.ACCELERATED) == 1


def test_numbers_may_be_passed_over_but_never_gone_back(tree: Any) -> None:
    tree.publish(Lane.ACCELERATED, made(5), NOW)
    with pytest.raises(Refused) as refused:
        tree.publish(Lane.ACCELERATED, made(4), NOW)
    assert refused.value.code == "release_refused"
    assert tree.shown(Lane.ACCELERATED) == 5


def test_one_number_has_one_content(tree: Any) -> None:
    tree.publish(Lane.ACCELERATED, made(1), NOW)
    with pytest.raises(Refused):
        tree.publish(Lane.ACCELERATED, made(1, "other bytes"), NOW)


@pytest.mark.parametrize("ahead", [None, 1])
def test_standard_is_never_ahead(tree: Any, ahead: int | None) -> None:
    if ahead:
        tree.publish(Lane.ACCELERATED, made(ahead), NOW)
    with pytest.raises(Refused):
        tree.publish(Lane.STANDARD, made(2), NOW)
    assert tree.shown(Lane.STANDARD) is None


def test_one_number_has_one_content_on_both_lanes(tree: Any) -> None:
    tree.publish(Lane.ACCELERATED, made(1), NOW)
    with pytest.raises(Refused):
        tree.publish(Lane.STANDARD, made(1, "other bytes"), NOW)
    assert tree.shown(Lane.STANDARD) is None


def test_nothing_is_refreshed_before_its_time(tree: Any) -> None:
    tree.publish(Lane.ACCELERATED, made(1), NOW)
    assert tree.refresh(Lane.ACCELERATED, NOW) is False
    assert tree.refresh(Lane.STANDARD, NOW) is False


def test_each_lane_has_a_root_that_names_it(tree: Any) -> None:
    for lane in Lane:
        assert tree.root_of(lane)["signed"]["guardia"]["lane"] == lane.value


def test_evidence_is_an_envelope_of_the_statement(tree: Any) -> None:
    assert tree.sign_evidence(statement(made(1), {"case": "40710013"}))["payload"]


def test_metadata_is_signed_anew_before_it_is_over(tmp_path: Path, ceremony: Path) -> None:
    tree = signed(tmp_path, ceremony)
    tree.found(NOW, development=True)
    tree.publish(Lane.ACCELERATED, made(1), NOW)
    assert tree.refresh(Lane.ACCELERATED, NOW + timedelta(hours=20)) is True
    assert tree.shown(Lane.ACCELERATED) == 1


def test_exactly_the_wanted_subscribers_are_let_in(tmp_path: Path, ceremony: Path) -> None:
    tree = signed(tmp_path, ceremony)
    tree.admit({"a" * 64: NOW, "b" * 64: None})
    tree.admit({"b" * 64: NOW, "c" * 64: None})
    assert sorted(path.stem for path in (tmp_path / "tokens").glob("*.json")) == ["b" * 64, "c" * 64]
    assert NOW.isoformat() in (tmp_path / "tokens" / f"{'b' * 64}.json").read_text()


def test_production_publishes_signs_and_refreshes_nothing_with_development_keys(tmp_path: Path, ceremony: Path) -> None:
    signed(tmp_path, ceremony).found(NOW, development=True)
    tree = signed(tmp_path, ceremony, production=True)
    for act in (
        lambda: tree.publish(Lane.ACCELERATED, made(1), NOW),
        lambda: tree.sign_evidence(statement(made(1), {})),
        lambda: tree.refresh(Lane.ACCELERATED, NOW + timedelta(hours=20)),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.code == "development_keys"
    assert repository.head(tmp_path / "tree", "accelerated") is None


def test_a_production_ceremony_does_not_relabel_development_keys(tmp_path: Path, ceremony: Path) -> None:
    with pytest.raises(KeysRefused, match="development keys"):
        signed(tmp_path, ceremony, production=True).found(NOW, development=False)


def test_keys_of_a_production_ceremony_publish_in_production(tmp_path: Path) -> None:
    tree = signed(tmp_path, tmp_path / "keys", production=True)
    tree.found(NOW, development=False)
    tree.publish(Lane.ACCELERATED, made(1), NOW)
    assert tree.shown(Lane.ACCELERATED) == 1


def test_neither_passphrase_nor_key_is_shown(tmp_path: Path, ceremony: Path) -> None:
    tree = signed(tmp_path, ceremony)
    assert PASSPHRASE not in repr(tree)
    assert PASSPHRASE not in repr(tree._ring)
    wrong = SignedTree(tmp_path / "tree", tmp_path / "tokens", ceremony, "not the passphrase", production=False)
    with pytest.raises(KeysRefused) as refused:
        wrong.sign_evidence({})
    assert "not the passphrase" not in str(refused.value)
