"""The command `guardia-agent`: words in, one act, words out.

Rules:
1. Exit codes: 0 done (scan: every file clean; verify: proof accepted); 1 refused, failed, detected or not scanned;
   2 misuse.
2. Results go to standard output, as text or with --json as one JSON document; warnings and errors to standard error,
   one line each. With --json a refusal is also {"ok": false, "error": {"kind", "sentence"}} on standard output.
3. The one look at the clock is here.
"""

import argparse
import json
import os
import socket
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sigdist.client.enrol import enrol
from sigdist.client.prove import prove
from sigdist.client.refusals import AgentRefused
from sigdist.client.scan import Scanned, engine_versions, files_below, scan
from sigdist.client.store import Store
from sigdist.client.update import update


def wall_clock() -> datetime:
    """The present instant, for what the agent signs and shows."""
    return datetime.now(UTC)  # noqa: TID251 - the agent's own clock function


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except AgentRefused as refusal:
        return _fail(options, refusal.kind, str(refusal))
    except FileNotFoundError as missing:
        return _fail(options, "io", f"there is no file {missing.filename}; check the path")
    except OSError as wrong:
        place = f" {wrong.filename}" if wrong.filename else ""
        return _fail(options, "io", f"cannot use{place}: {wrong.strerror}; free space or mend permissions, and repeat")
    except KeyboardInterrupt:
        return _fail(options, "interrupted", "interrupted; nothing is half done, run it again")


def _enrol(options: argparse.Namespace) -> int:
    root = options.root.read_bytes() if options.root else None
    done = enrol(Store(options.home), options.server, options.code, options.name, root, wall_clock())
    enrolment = done.enrolment
    _warn(done.warnings)
    origin = "the server" if done.root_from_server else str(options.root)
    lines = [
        f"Enrolled as {enrolment.name} ({enrolment.agent_id}) at {enrolment.server}, lane {enrolment.lane}.",
        f"Trusts the root from {origin}, SHA-256 {enrolment.root_sha256}.",
    ]
    if done.root_from_server:
        lines.append("Compare that SHA-256 with the one that the vendor publishes, or enrol with --root FILE.")
    shown = {
        "agent_id": enrolment.agent_id,
        "lane": enrolment.lane,
        "server": enrolment.server,
        "root_sha256": enrolment.root_sha256,
        "root_from_server": done.root_from_server,
        "warnings": done.warnings,
    }
    return _tell(options, shown, lines, ok=True)


def _update(options: argparse.Namespace) -> int:
    done = update(Store(options.home))
    _warn(done.warnings)
    what = "Installed" if done.changed else "Already has"
    return _tell(options, done.to_json(), [f"{what} release {done.release} ({done.label})."], ok=True)


def _scan(options: argparse.Namespace) -> int:
    files = files_below(options.paths)
    installed = Store(options.home).need_installed()
    scanned = scan(installed, files)
    clean = all(found.clean for found in scanned)
    shown = {"release": installed.number, "clean": clean, "files": [found.to_json() for found in scanned]}
    lines = [line for found in scanned for line in _verdict_lines(found)]
    lines.append(f"{len(scanned)} files, {sum(found.clean for found in scanned)} clean, release {installed.label}.")
    return _tell(options, shown, lines, ok=clean)


def _verify(options: argparse.Namespace) -> int:
    proved = prove(Store(options.home), options.case, options.paths, wall_clock)
    lines = [line for found in proved.scanned for line in _verdict_lines(found)]
    if proved.accepted:
        lines.append(f"Proof accepted: case {proved.case} is {proved.case_state}.")
    else:
        lines.append(f"Proof not accepted: {proved.reason}")
    return _tell(options, proved.to_json(), lines, ok=proved.accepted)


def _status(options: argparse.Namespace) -> int:
    store = Store(options.home)
    enrolment, installed, engines = store.enrolment(), store.installed(), engine_versions()
    shown: dict[str, Any] = {
        "server": enrolment.server,
        "agent_id": enrolment.agent_id,
        "name": enrolment.name,
        "lane": enrolment.lane,
        "engines": engines,
        "release": None,
    }
    lines = [f"{enrolment.name} ({enrolment.agent_id}) at {enrolment.server}, lane {enrolment.lane}."]
    if installed is None:
        lines.append("No database yet; run: guardia-agent update")
    else:
        age_s = int(wall_clock().timestamp() - (installed.folder / "release.json").stat().st_mtime)
        root = installed.state_root
        shown |= {"release": installed.number, "label": installed.label, "state_root": root, "age_s": age_s}
        lines.append(f"Release {installed.number} ({installed.label}), state root {root}.")
        lines.append(f"Installed {age_s // 3600} h {age_s % 3600 // 60} min ago in {installed.folder}.")
    lines += [f"{engine}: {version or 'not installed'}" for engine, version in engines.items()]
    return _tell(options, shown, lines, ok=True)


def _verdict_lines(found: Scanned) -> list[str]:
    words = {"detected": "DETECTED", "not_detected": "nothing found", "not_scanned": "NOT SCANNED"}
    lines = []
    for engine, verdict in found.verdicts.items():
        detail = ", ".join(verdict.names) or verdict.reason or ""
        lines.append(f"{found.path}: {engine}: {words[verdict.outcome]}{' ' + detail if detail else ''}")
    return lines


def _tell(options: argparse.Namespace, shown: dict[str, Any], lines: list[str], *, ok: bool) -> int:
    text = json.dumps({"ok": ok, **shown}, ensure_ascii=False) if options.json else "\n".join(lines)
    print(_printable(text))  # noqa: T201 - this is the command's answer
    return 0 if ok else 1


def _warn(sentences: list[str]) -> None:
    for sentence in sentences:
        print(f"guardia-agent: warning: {_one_line(sentence)}", file=sys.stderr)  # noqa: T201


def _fail(options: argparse.Namespace, kind: str, sentence: str) -> int:
    if options.json:
        print(json.dumps({"ok": False, "error": {"kind": kind, "sentence": sentence}}))  # noqa: T201
    print(f"guardia-agent: {_one_line(sentence)}", file=sys.stderr)  # noqa: T201
    return 1


def _one_line(text: str) -> str:
    return _printable(" ".join(text.split()))


def _printable(text: str) -> str:
    """Without control characters: names of files and words of servers must not steer a terminal."""
    return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text)


def _parser() -> argparse.ArgumentParser:
    home = Path(os.environ.get("GUARDIA_AGENT_HOME") or Path.home() / ".guardia-agent")
    both = argparse.ArgumentParser(add_help=False)
    both.add_argument("--home", type=Path, default=home, help="the agent's folder (default: %(default)s)")
    both.add_argument("--json", action="store_true", help="answer with one JSON document")
    parser = argparse.ArgumentParser(prog="guardia-agent", description="Verified antivirus databases on this machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    made = commands.add_parser("enrol", parents=[both], help="make this machine known to the server")
    made.add_argument("--server", required=True, metavar="URL", help="the server's address")
    made.add_argument("--code", required=True, help="the one-time code from the portal")
    made.add_argument("--name", default=socket.gethostname(), help="this machine's name (default: %(default)s)")
    made.add_argument("--root", type=Path, metavar="FILE", help="the vendor's root.json, got on another way")
    made.set_defaults(command=_enrol)

    made = commands.add_parser("update", parents=[both], help="fetch, check and install the newest release")
    made.set_defaults(command=_update)

    made = commands.add_parser("scan", parents=[both], help="scan files; 0 when every engine finds all of them clean")
    made.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    made.set_defaults(command=_scan)

    made = commands.add_parser("verify", parents=[both], help="prove a case's correction on this machine")
    made.add_argument("case", metavar="CASE", help="the case number")
    made.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="the files that were reported")
    made.set_defaults(command=_verify)

    made = commands.add_parser("status", parents=[both], help="what this machine is and has")
    made.set_defaults(command=_status)
    return parser


if __name__ == "__main__":
    sys.exit(main())
