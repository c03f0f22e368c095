"""Engines: one interface, with YARA-X and ClamAV behind it. A leaf; it knows nobody else in the project.

`ENGINE_NAMES` is the support matrix: a correction has to hold in every one of them.
"""

from collections.abc import Callable
from typing import Final

from engines.clamav import ClamAv
from engines.interface import Database, Engine, Hit
from engines.verdicts import DatabaseRefused, EngineMissing, Outcome, Verdict
from engines.yarax import YaraX

ENGINE_NAMES: Final = ("yara-x", "clamav")
SUBFOLDER: Final = {"yara-x": "yara", "clamav": "clamav"}

_OPENERS: Final[dict[str, Callable[[], Engine]]] = {"yara-x": YaraX, "clamav": ClamAv}

__all__ = [
    "ENGINE_NAMES",
    "SUBFOLDER",
    "Database",
    "DatabaseRefused",
    "Engine",
    "EngineMissing",
    "Hit",
    "Outcome",
    "Verdict",
    "open_engine",
]


def open_engine(name: str) -> Engine:
    """The installed engine called `name`. Raises EngineMissing if it is not installed, ValueError if unknown."""
    opener = _OPENERS.get(name)
    if opener is None:
        raise ValueError(f"unknown engine {name!r}: choose one of {', '.join(ENGINE_NAMES)}")
    return opener()
