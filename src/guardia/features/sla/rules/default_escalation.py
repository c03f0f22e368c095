"""The escalation policy that ships: data, edited in the console. It must parse (a test says so)."""

from typing import Any, Final

DEFAULT_CODE: Final = "default"
DEFAULT_NAME: Final = "All plans"


def _step(on: str, to: str, by: str, *, clock: str = "response", **more: Any) -> dict[str, Any]:
    return {"on": on, "clock": clock, "to": to, "by": by.split(), **more}


DEFAULT_STEPS: Final[list[dict[str, Any]]] = [
    _step("50", "holder", "console"),
    _step("75", "holder", "console mail"),
    _step("90", "holder", "console mail"),
    _step("90", "on_duty", "console mail", severities=[1, 2]),
    _step("breach", "holder", "console mail"),
    _step("breach", "duty_manager", "console mail webhook", repeat="PT30M", at_most=3),
    _step("breach", "account_manager", "mail", severities=[1, 2], classes=["premium"], after="PT1H"),
    _step("called", "on_duty", "console mail webhook", repeat="PT5M", at_most=3),
    _step("called", "duty_manager", "console mail webhook", after="PT15M"),
    _step("unassigned", "group", "console", clock="assignment"),
    _step("unassigned", "on_duty", "console mail", clock="assignment", after="PT10M"),
    _step("unassigned", "duty_manager", "console mail", clock="assignment", after="PT30M", severities=[1, 2]),
    _step("90", "holder", "console", clock="next_answer"),
    _step("breach", "holder", "console mail", clock="next_answer"),
    _step("breach", "duty_manager", "console", clock="next_answer", after="PT1H"),
    _step("90", "holder", "console", clock="resolution"),
    _step("breach", "duty_manager", "console mail", clock="resolution"),
]
