"""What the architecture tests read: the project's own files, as Git would hold them."""

import subprocess
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SOURCES = PROJECT / "src"


@cache
def kept_files() -> tuple[Path, ...]:
    """Every file that is tracked or about to be: present, and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(sorted(path for name in listed.stdout.split("\0") if name and (path := PROJECT / name).is_file()))


@cache
def kept_texts() -> dict[str, str]:
    """The text of every kept file by its name in the project; pictures and other bytes are left out."""
    texts = {}
    for path in kept_files():
        try:
            texts[path.relative_to(PROJECT).as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return texts


@cache
def modules() -> dict[str, str]:
    """The Python sources under `src`, migrations left out."""
    return {
        name: text
        for name, text in kept_texts().items()
        if name.startswith("src/") and name.endswith(".py") and "/migrations/" not in name
    }
