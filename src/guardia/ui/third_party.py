"""Cuts what the pages use of the npm packages into `build/third_party/guardia_ui`; run after `npm ci`.

The files are: Tabler's style sheet, two variable fonts, and one sprite of the icons that templates and code name. An
icon that the package does not have, or a package that is missing, ends the run with a line that says so.
"""

import re
import shutil
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
SOURCE = PROJECT / "src" / "guardia"
PACKAGES = PROJECT / "node_modules"
TARGET = PROJECT / "build" / "third_party" / "guardia_ui"

STYLES = "@tabler/core/dist/css/tabler.min.css"
FONTS = {
    "inter-latin.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "inter-latin-ext.woff2": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
    "jetbrains-mono-latin.woff2": "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
}
LICENCES = {
    "LICENSE.inter": "@fontsource-variable/inter/LICENSE",
    "LICENSE.jetbrains-mono": "@fontsource-variable/jetbrains-mono/LICENSE",
    "LICENSE.tabler-icons": "@tabler/icons/LICENSE",
}
ICON_FOLDER = "@tabler/icons/icons/outline"

# Icons that are named by data (timeline entries, states) and not in a template.
# fmt: off
NAMED_BY_DATA = (
    "alert-triangle", "archive", "arrow-back-up", "arrow-right", "arrows-split", "ban", "bell", "bookmark", "bug",
    "building", "bulb", "calendar", "calendar-time", "check", "checks", "chevron-down", "circle-check",
    "circle-dashed", "circle-dot",
    "circle-x", "clipboard-check", "clock", "copy", "database", "device-desktop", "download", "edit", "eye",
    "file", "file-certificate", "file-text", "flask", "folder", "git-branch", "hand-stop", "history", "inbox",
    "info-circle", "key", "license", "list-check", "list-details", "loader-2", "lock", "lock-open", "mail", "message",
    "message-question", "minus", "moon", "package", "paperclip", "pencil", "phone", "player-pause", "player-play",
    "plus", "point", "progress", "refresh", "report", "robot", "rocket", "rotate-clockwise", "search", "send",
    "shield-check", "signature", "stack-2", "tag", "ticket", "trash", "upload", "urgent", "user", "user-check",
    "users", "versions", "x", "calendar-user", "gauge", "report-analytics", "stairs-up",
)
# fmt: on

TEMPLATE_ICON = re.compile(r"{%\s*icon\s+[\"']([a-z0-9-]+)[\"']")
PYTHON_ICON = re.compile(r"\bicon(?:_name)?=[\"']([a-z0-9-]+)[\"']")
SHAPES = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
NO_SHAPE = re.compile(r'<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>')


class PackageFileMissingError(Exception):
    """A package is not installed, or has no such icon."""


def icons_in_use(source: Path = SOURCE) -> list[str]:
    """Return the names of all icons that templates and code name, sorted."""
    found = set(NAMED_BY_DATA)
    for path in source.rglob("*.html"):
        found.update(TEMPLATE_ICON.findall(path.read_text(encoding="utf-8")))
    for path in source.rglob("*.py"):
        found.update(PYTHON_ICON.findall(path.read_text(encoding="utf-8")))
    return sorted(found)


def sprite(names: list[str], packages: Path = PACKAGES) -> str:
    """Return one SVG with a symbol for each icon."""
    symbols = [_symbol(name, packages / ICON_FOLDER / f"{name}.svg") for name in names]
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "".join(symbols) + "</svg>\n"


def _symbol(name: str, path: Path) -> str:
    found = SHAPES.search(_read(path))
    if found is None:
        raise PackageFileMissingError(f"icon {name}: {path.relative_to(path.parents[5])} is not an SVG file")
    shapes = re.sub(r">\s+<", "><", NO_SHAPE.sub("", found[1]).strip())
    return (
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round"'
        f' stroke-linejoin="round">{shapes}</symbol>'
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PackageFileMissingError(
            f"{'/'.join(path.parts[path.parts.index('node_modules') :])} is missing: run `npm ci`, or correct the name",
        ) from None


def build(packages: Path = PACKAGES, target: Path = TARGET) -> int:
    """Write all files into `target`, replacing what was there; return how many icons the sprite has."""
    names = icons_in_use()
    styles = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", _read(packages / STYLES))
    drawing = sprite(names, packages)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    (target / "tabler.min.css").write_text(styles, encoding="utf-8")
    (target / "icons.svg").write_text(drawing, encoding="utf-8")
    for name, source in (FONTS | LICENCES).items():
        if not (packages / source).is_file():
            raise PackageFileMissingError(f"node_modules/{source} is missing: run `npm ci`")
        shutil.copyfile(packages / source, target / name)
    return len(names)


def main() -> int:
    """Entry point of `python -m guardia.ui.third_party`."""
    try:
        count = build()
    except PackageFileMissingError as error:
        sys.stderr.write(f"guardia.ui.third_party: {error}\n")
        return 1
    sys.stdout.write(f"third-party files: style sheet, {len(FONTS)} fonts, {count} icons\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
