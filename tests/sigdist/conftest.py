"""A key ceremony held once; a fresh tree for each test."""

import shutil
from pathlib import Path

import pytest
from tests.sigdist.stage import NOW, PASSPHRASE, StandIn, serving

from sigdist.client.store import Store
from sigdist.repository import KeyRing, ceremony


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> tuple[KeyRing, Path]:
    folder = tmp_path_factory.mktemp("founded")
    keys = ceremony(folder / "keys", folder / "tree", NOW, passphrase=PASSPHRASE, development=True)
    return keys, folder / "tree"


@pytest.fixture
def keys(founded: tuple[KeyRing, Path]) -> KeyRing:
    return founded[0]


@pytest.fixture
def tree(founded: tuple[KeyRing, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(founded[1], tmp_path / "tree"))


@pytest.fixture
def stand_in(tree: Path):  # type: ignore[no-untyped-def]
    with serving(StandIn(tree)) as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "agent")
