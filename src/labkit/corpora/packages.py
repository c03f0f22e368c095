"""Which Debian package owns a file, from the lists that dpkg keeps. Elsewhere nothing is known, and nothing fails."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

_LISTS: Final = Path("/var/lib/dpkg/info")


def owners(paths: Collection[str], lists: Path = _LISTS) -> dict[str, str]:
    """The owning package's name of each path that a list names; others are left out.

    Old lists name `/lib/x` what a merged system finds at `/usr/lib/x`; both are tried.
    """
    found: dict[str, str] = {}
    if not lists.is_dir():
        return found
    asked = set(paths)
    for listing in sorted(lists.glob("*.list")):
        package = listing.stem.partition(":")[0]
        for line in listing.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            for name in (line, f"/usr{line}"):
                if name in asked:
                    found.setdefault(name, package)
    return found
