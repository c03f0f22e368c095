"""`guardia line ACT`: the priority phone line, and phones to try it with.

`run` serves calls until it is told to stop; it answers without a database too, says so, and keeps what it hears.
`prompts` makes the spoken prompts. `call` walks the line as a customer would, `answer` is an engineer's phone: both are
small phones of their own for a development server, with keys and WAV files instead of hands and a voice.
"""

import argparse
import logging
import os
import re
import sys
from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

from guardia.doors.cli.settled import database, settings_or_complaint
from guardia.kernel.environment import Settings

SERVING, SPEECH, PHONE = (f"guardia.doors.voice.{name}" for name in ("serving", "prepared", "phone"))
CONNECT_WITHIN_S = "3"
NO_LINE = "guardia: there is no phone line: GUARDIA_LINE_PORT is 0\n"
HIGHEST_PORT, LONGEST_S, MOST_CALLS = 65_535, 86_400, 10_000


def main(arguments: list[str]) -> int:
    """Run one act. Exit 0 done or stopped, 1 refused or failed, 2 misuse."""
    parser = argparse.ArgumentParser(
        prog="guardia line", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    acts = parser.add_subparsers(dest="act", required=True)
    acts.add_parser("run", help="serve calls until told to stop")
    acts.add_parser("prompts", help="make the spoken prompts that are missing")
    _add_call(acts)
    _add_answer(acts)
    options = parser.parse_args(arguments)
    own = settings_or_complaint()
    if own is None:
        return 2
    match options.act:
        case "run":
            return _run(own)
        case "prompts":
            return _prompts(own)
        case "call":
            return _call(own, options)
        case _:
            return _answer(own, options)


def _run(own: Settings) -> int:
    if not own.line_port:
        sys.stderr.write(NO_LINE)
        return 2
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    os.environ.setdefault("PGCONNECT_TIMEOUT", CONNECT_WITHIN_S)
    with ExitStack() as stack:
        try:
            stack.enter_context(database(own))
        except Exception as error:  # noqa: BLE001  whatever the database does, the phone is answered
            sys.stderr.write(f"guardia: the database is away, the line answers without it: {error}\n")
            import django

            django.setup()
        code: int = import_module(SERVING).run(own)
        return code


def _prompts(own: Settings) -> int:
    speech = import_module(SPEECH)
    try:
        speech.prompts(own)
    except speech.SpeechUnavailable as error:
        sys.stderr.write(f"guardia: {error}\n")
        return 1
    return 0


# ---- phones ----


def _within(kind: Callable[[str], float], least: float, most: float) -> Callable[[str], float]:
    """Return what reads a number from `least` to `most`."""

    def read(text: str) -> float:
        number = kind(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"expected {least} to {most}, got {text}")
        return number

    read.__name__ = "number"  # argparse names it where the text is none
    return read


def _target(text: str) -> str:
    port = re.search(r":(\d+)(?:;|$)", text)
    if port and not 0 < int(port[1]) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"expected an address as sip:line@127.0.0.1:8003, got {text}")
    return text


def _number(text: str) -> str:
    """Return a number as it is shown, without its blanks: `+34 600 000 000` is how people write it."""
    number = "".join(text.split())
    if not re.fullmatch(r"[+]?[A-Za-z0-9._-]{1,40}", number):
        raise argparse.ArgumentTypeError(f"expected a number or a name, got {text!r}")
    return number


def _to_write(text: str) -> Path:
    """Return a file to write to: whether it can be is said before the call, not after it."""
    path = Path(text)
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"cannot write {text}")
    return path


def _add_shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--keys",
        default="",
        metavar="SCRIPT",
        help="what to press and when, separated by commas: digits, *, #; w3 waits 3 s; q waits until it is quiet, "
        "and say:FILE.wav speaks; hang hangs up. Example: q,2,q,1,q,4071#,q,407118#",
    )
    parser.add_argument("--record", type=_to_write, metavar="FILE.wav", help="keep what was heard")
    parser.add_argument("--talk", type=Path, metavar="FILE.wav", help="speak this all the time (8 kHz, mono)")
    parser.add_argument("--info", action="store_true", help="press keys by SIP INFO instead of RFC 4733")
    parser.add_argument("--codec", choices=("PCMU", "PCMA"), default="PCMU", help="which sound is offered first")
    seconds = _within(float, 1, LONGEST_S)
    parser.add_argument("--for", dest="longest_s", type=seconds, default=600.0, metavar="SECONDS", help="longest call")


def _add_call(acts: Any) -> None:
    parser = acts.add_parser("call", help="call the line as a customer would; at a terminal, keys are typed")
    parser.add_argument(
        "target", nargs="?", default="", type=_target, help="a SIP address; without one the line of these settings"
    )
    parser.add_argument(
        "--from", dest="caller", type=_number, default="100", metavar="NUMBER", help="the number to show"
    )
    _add_shared(parser)


def _add_answer(acts: Any) -> None:
    parser = acts.add_parser("answer", help="be an engineer's phone; at a terminal, keys are typed")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=_within(int, 1, HIGHEST_PORT), default=5070, help="port to listen on")
    seconds = _within(float, 0, LONGEST_S)
    parser.add_argument("--after", type=seconds, default=1.0, metavar="SECONDS", help="pick up after so long")
    refusal = parser.add_mutually_exclusive_group()
    refusal.add_argument("--never", action="store_true", help="ring and never pick up")
    refusal.add_argument("--busy", action="store_true", help="be busy")
    refusal.add_argument("--decline", action="store_true", help="decline")
    parser.add_argument(
        "--times", type=_within(int, 1, MOST_CALLS), default=1, metavar="N", help="end after so many calls"
    )
    _add_shared(parser)


def _shared(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "keys": options.keys,
        "record": options.record,
        "talk": options.talk,
        "by_info": options.info,
        "longest_s": options.longest_s,
        "codec": options.codec,
    }


def _call(own: Settings, options: argparse.Namespace) -> int:
    if not (options.target or own.line_port):
        sys.stderr.write(NO_LINE)
        return 2
    phone = import_module(PHONE)
    target = options.target or f"sip:line@{own.line_public_host}:{own.line_port}"
    code: int = phone.run_call(phone.CallOptions(target=target, caller=options.caller, **_shared(options)))
    return code


def _answer(own: Settings, options: argparse.Namespace) -> int:
    del own
    phone = import_module(PHONE)
    refusal = "busy" if options.busy else "decline" if options.decline else ""
    after_s = None if options.never else options.after
    code: int = phone.run_answer(
        phone.AnswerOptions(
            host=options.host,
            port=options.port,
            after_s=after_s,
            refusal=refusal,
            times=options.times,
            **_shared(options),
        )
    )
    return code
