"""`guardia plans check FILE.json | import FILE.json | export [CODE ...]`: plans as data.

`check` needs no database: it says everything that is wrong, a line each. `import` adds and changes, all or none.
Exit codes: 0 done, 1 refused (open cases are served under a plan that would change), 2 misuse or a malformed file.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from guardia.doors.cli.settled import database, settings_or_complaint
from guardia.features.contracts.rules.plan_terms import code_faults, plan_faults
from guardia.kernel.errors import Invalid

DONE, MISUSE = 0, 2
REASON = "guardia plans import"
Written = list[tuple[str, dict[str, Any]]]


def main(arguments: list[str]) -> int:
    """Run `plans check`, `plans import` or `plans export`."""
    parser = argparse.ArgumentParser(prog="guardia plans", description=__doc__)
    acts = parser.add_subparsers(dest="act", required=True)
    for act, what in (("check", "say what is wrong with the plans of a file"), ("import", "add or change plans")):
        acts.add_parser(act, help=what).add_argument("file", metavar="FILE.json", help="a list; - is standard input")
    acts.add_parser("export", help="print plans as data").add_argument("codes", metavar="CODE", nargs="*")
    options = parser.parse_args(arguments)
    if options.act == "export":
        return _export(options.codes)
    written = _read(options.file)
    if written is None:
        return MISUSE
    if options.act == "check":
        print(f"{len(written)} plans, nothing wrong")
        return DONE
    return _import(options.file, written)


def _read(source: str) -> Written | None:
    """The plans of a file, by code; None after saying what is wrong with it."""
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8-sig")
        document = json.loads(text)
    except OSError as error:
        faults = [error.strerror or str(error)]
    except UnicodeDecodeError:
        faults = ["expected UTF-8 text"]
    except (json.JSONDecodeError, RecursionError) as error:
        faults = [f"expected JSON: {error}"]
    else:
        plans = document if isinstance(document, list) else [document]
        faults = _all_faults(plans)
    if faults:
        _complain(source, *faults)
        return None
    return [(plan["code"], {name: value for name, value in plan.items() if name != "code"}) for plan in plans]


def _all_faults(plans: list[Any]) -> list[str]:
    codes = [plan["code"] for plan in plans if isinstance(plan, dict) and isinstance(plan.get("code"), str)]
    twice = [f"{code}: this code stands twice" for code in dict.fromkeys(codes) if codes.count(code) > 1]
    return [line for index, plan in enumerate(plans) for line in _faults(index, plan)] + twice


def _faults(index: int, plan: object) -> list[str]:
    if not isinstance(plan, dict):
        return [f"plan {index + 1}: expected an object"]
    code = plan.get("code")
    values = {name: value for name, value in plan.items() if name != "code"}
    found = [*code_faults(code), *plan_faults(values)]
    return [f"{code or f'plan {index + 1}'}: {fault.place}: {fault.sentence % fault.values}" for fault in found]


def _complain(source: str, *lines: str) -> None:
    name = "standard input" if source == "-" else source
    sys.stderr.write("".join(f"guardia: {name}: {line}\n" for line in lines))


def _import(source: str, written: Written) -> int:
    own = settings_or_complaint()
    if own is None:
        return MISUSE
    with database(own):
        from guardia.journeys.write_plan import import_plans
        from guardia.kernel import clock

        try:
            done = import_plans(clock.now(), written, REASON)
        except Invalid as error:
            _complain(source, *_places(error.fields))
            return MISUSE
    for code, what in done:
        print(f"{code}: {what}")
    return DONE


def _places(fields: Mapping[str, str]) -> list[str]:
    return [f"{place}: {sentence}" for place, sentence in fields.items()]


def _export(codes: list[str]) -> int:
    own = settings_or_complaint()
    if own is None:
        return MISUSE
    with database(own):
        from guardia.reports.plan_pages import plans_as_data

        print(json.dumps(plans_as_data(codes), indent=2, ensure_ascii=False))
    return DONE
