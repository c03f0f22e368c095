"""What the phone line carries: `python benchmarks/line.py [--calls 20 60 100] [--seconds S]`.

A real line, its database away, is called by sipp: so many calls at once, each of which keys a language, a contract and
a PIN by RFC 4733 and listens to prompts until it hangs up. Measures the keys that arrived right (read back from the
sealed journals), and the processor and memory of the line. Beside it, in the same run: sipp itself answering the same
calls, which neither hears nor says anything. Prints a table and writes `var/benchmarks/line.json`.
Exit code 1 where a key is wrong or a call failed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic, sleep
from typing import Any

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "var" / "benchmarks" / "line.json"
# Its neighbours' names (queue, mail, ...) must not hide those of other modules.
sys.path[:] = [str(ROOT / "src"), str(ROOT), *(p for p in sys.path if Path(p).resolve() != Path(__file__).parent)]


def main() -> int:
    """Run it and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[20, 60, 100])
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="guardia-benchmark-"))
    os.environ.update(GUARDIA_VAR=str(folder / "var"), GUARDIA_PRIVATE=str(folder / "private"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardia.config.settings")
    os.environ.pop("DATABASE_URL", None)
    try:
        rows = [measured(calls, options.seconds, folder / str(calls)) for calls in options.calls]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return told(rows)


def measured(calls: int, seconds: float, folder: Path) -> dict[str, Any]:
    """Let so many calls go on at once; return what they cost."""
    from tests.support.line_alone import line_alone, numbered
    from tests.support.line_peers import Sipp

    callers = numbered(calls)
    keys = [["2", "1", f"{contract}#", pin] for contract, pin in callers]
    with line_alone(folder, GUARDIA_LINE_CALLS=str(calls + 5)) as line:
        before, began = line.figures(), monotonic()
        with Sipp(
            "call_keys",
            folder,
            target=line.address,
            calls=calls,
            rate=20,
            keys=keys,
            pause_s=seconds,
            within_s=seconds + 120,
        ) as running:
            run = running.finish()
            took, peak = monotonic() - began, line.figures()
        sleep(3.0)
        right = line.keyed()
    return {
        "calls": calls,
        "failed": run.failed,
        "keys": sum(len(contract) + len(pin) + 3 for contract, pin in callers),
        "wrong": len(set(callers) ^ set(right)),
        "cpu_percent": round(100 * (peak.cpu_s - before.cpu_s) / took, 1),
        "bare_cpu_percent": round(bare(calls, seconds, folder / "bare"), 1),
        "memory_mb": round(peak.memory_mb),
        "memory_before_mb": round(before.memory_mb),
        "seconds": round(took, 1),
    }


def bare(calls: int, seconds: float, folder: Path) -> float:
    """Return the processor share of sipp answering the same calls, which neither hears nor says anything."""
    from tests.support.line_peers import HOST, Sipp
    from tests.support.line_running import figures_of
    from tests.support.ports import free_port

    folder.mkdir(parents=True)
    port = free_port()
    command = ["sipp", "-sn", "uas", "-i", HOST, "-mi", HOST, "-p", str(port), "-m", str(calls), "-nostdin"]
    answering = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        began, used = monotonic(), 0.0
        with Sipp(
            "call_keys",
            folder,
            target=f"{HOST}:{port}",
            calls=calls,
            rate=20,
            keys=["2", "1"],
            pause_s=seconds,
            within_s=seconds + 120,
        ) as running:
            while monotonic() - began < seconds:
                sleep(0.5)
                used = figures_of(answering.pid).cpu_s
            running.finish()
        return 100 * used / seconds
    finally:
        answering.kill()
        answering.wait()


def told(rows: list[dict[str, Any]]) -> int:
    """Print the table and write the report."""
    print(f"{'calls':>6} {'failed':>7} {'keys':>6} {'wrong':>6} {'CPU %':>7} {'bare %':>7} {'memory MB':>14}")
    for row in rows:
        memory = f"{row['memory_before_mb']} -> {row['memory_mb']}"
        print(
            f"{row['calls']:>6} {row['failed']:>7} {row['keys']:>6} {row['wrong']:>6} {row['cpu_percent']:>7} "
            f"{row['bare_cpu_percent']:>7} {memory:>14}"
        )
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return int(any(row["failed"] or row["wrong"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
