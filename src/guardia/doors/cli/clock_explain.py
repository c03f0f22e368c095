"""`guardia clock explain SCENARIO.json|- [--text]`: the response clock of written scenarios, with its arithmetic.

Rules:
- It needs neither Django nor a database: the answer comes from the same pure rules that judge real cases.
- All scenarios are judged before anything is printed. A malformed one means exit code 2 and one line on standard error
  that names the file, the place in it and what was expected there; nothing is printed for the others.
- Standard output carries a JSON list, or with `--text` the same for reading.
"""

import argparse
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Final, TextIO

from guardia.features.sla.rules.expectations import Malformed
from guardia.features.sla.rules.explanations import Explanation, as_text, explain, printable
from guardia.features.sla.rules.scenario import read_scenarios

DONE: Final = 0
MISUSE: Final = 2
_STANDARD_INPUT: Final = "-"


def run(argv: list[str], stdin: TextIO, stdout: TextIO, stderr: TextIO) -> int:
    """Do what the arguments after `guardia clock explain` ask for.

    Returns the exit code: 0 done, 2 misuse or a malformed scenario.
    """
    try:
        with redirect_stdout(stdout), redirect_stderr(stderr):
            arguments = _parse(argv)
    except SystemExit as left:
        return int(left.code or DONE)
    try:
        explanations = [explain(scenario) for scenario in read_scenarios(_read(arguments.scenario, stdin))]
    except Malformed as error:
        source = "standard input" if arguments.scenario == _STANDARD_INPUT else arguments.scenario
        _print(printable(f"{source}: {error}"), stderr)
        return MISUSE
    _print(_shown(explanations, for_reading=arguments.text), stdout)
    return DONE


def _read(source: str, stdin: TextIO) -> str:
    """The text of the file, or of standard input. Raises Malformed."""
    try:
        return stdin.read() if source == _STANDARD_INPUT else Path(source).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed("the file", "UTF-8 text", f"other bytes at byte {error.start}") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Malformed("the file", "a scenario file that can be read", reason) from error


def _shown(explanations: list[Explanation], *, for_reading: bool) -> str:
    if for_reading:
        return "\n\n".join(as_text(explanation) for explanation in explanations)
    return json.dumps(explanations, indent=2)


def _print(text: str, stream: TextIO) -> None:
    """Write a line, and what the terminal's encoding lacks as an escape rather than not at all."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def _parse(argv: list[str]) -> argparse.Namespace:
    """The arguments. Raises SystemExit after printing help or what is wrong, as argparse does."""
    parser = argparse.ArgumentParser(
        prog="guardia clock explain",
        description="Judge the response clock of scenarios, and show the arithmetic behind each end.",
        epilog="Exit codes: 0 done, 2 misuse or a malformed scenario.",
    )
    parser.add_argument("scenario", metavar="SCENARIO.json", help="one scenario or a list; - reads standard input")
    parser.add_argument("--text", action="store_true", help="print for reading instead of JSON")
    return parser.parse_args(argv)
