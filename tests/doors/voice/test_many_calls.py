"""Many calls at once and many after one another, by sipp: every digit right, nothing left behind.

`make torture` (GUARDIA_TORTURE=1) makes the numbers of the torture of them. Figures go to standard output.
"""

import os
import time
from pathlib import Path

from tests.support.line_alone import LineAlone, line_alone, numbered
from tests.support.line_peers import Sipp, sipp
from tests.support.processes import wait_until

TORTURE = bool(os.environ.get("GUARDIA_TORTURE"))
AT_ONCE = 100 if TORTURE else 20
AFTER_ONE_ANOTHER = 5000 if TORTURE else 200
MEMORY_MB = 40.0
"""How much more memory a line may hold after all the calls: caches fill, transactions wait for their timers."""


def test_calls_at_once_have_every_digit_right(tmp_path: Path) -> None:
    callers = numbered(AT_ONCE)
    keys = [["2", "1", f"{contract}#", pin] for contract, pin in callers]
    with line_alone(tmp_path, GUARDIA_LINE_CALLS=str(AT_ONCE + 10)) as line:
        before, began = line.figures(), time.monotonic()
        run = sipp(
            "call_keys",
            line.address,
            tmp_path,
            calls=AT_ONCE,
            rate=10 if TORTURE else 20,
            keys=keys,
            pause_s=20.0,
            within_s=180.0,
        )
        run.check(AT_ONCE)
        wait_until("every call has ended", lambda: all(one.ended_at for one in line.records()), 20.0)
        after, took = line.figures(), time.monotonic() - began
        assert line.keyed() == sorted(callers)
        keys_right = sum(len(contract) + len(pin) + 3 for contract, pin in callers)
        cpu = 100 * (after.cpu_s - before.cpu_s) / took
        print(f"\n{AT_ONCE} calls at once, {keys_right} keys right, {took:.1f} s, CPU {cpu:.0f} %: {before} -> {after}")  # noqa: T201  figures for the reader


def test_calls_after_one_another_leave_no_memory_port_or_call_behind(tmp_path: Path) -> None:
    with line_alone(tmp_path, GUARDIA_LINE_CALLS="60") as line:
        warm = AFTER_ONE_ANOTHER // 4
        _short_calls(line, tmp_path / "warm", warm)
        time.sleep(2.0)
        before = line.figures()
        _short_calls(line, tmp_path / "rest", AFTER_ONE_ANOTHER - warm)
        wait_until("files are closed", lambda: line.figures().files <= before.files + 2, 45.0)
        after = line.figures()
        assert after.threads <= before.threads + 2
        assert after.memory_mb <= before.memory_mb + MEMORY_MB, f"{before} -> {after}"
        records = line.records()
        assert len(records) == AFTER_ONE_ANOTHER
        assert all(one.ended_at for one in records)
        print(f"\n{AFTER_ONE_ANOTHER} calls after one another: {before} -> {after}")  # noqa: T201  figures for the reader


def _short_calls(line: LineAlone, folder: Path, calls: int) -> None:
    run = sipp(
        "call_keys",
        line.address,
        folder,
        calls=calls,
        rate=20,
        at_once=40,
        keys=["2"],
        pause_s=0.2,
        within_s=calls / 2 + 60,
    )
    run.check(calls)


def test_one_call_beyond_the_limit_hears_busy_and_the_next_one_is_taken(tmp_path: Path) -> None:
    with line_alone(tmp_path, GUARDIA_LINE_CALLS="2") as line:
        with Sipp("call_keys", tmp_path / "two", target=line.address, calls=2, keys=["2"], pause_s=3.0) as two:
            wait_until("two calls stand", lambda: len(line.records()) == 2, 10.0)
            refused = sipp("call_refused", line.address, tmp_path / "third", values={"code": "486"})
            refused.check(1)
            two.finish().check(2)
        sipp("call_keys", line.address, tmp_path / "after", keys=["2"], pause_s=0.2).check(1)
