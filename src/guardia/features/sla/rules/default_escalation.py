"""The escalation policy that ships: data, edited in the console. It must parse (a test says so).

The phone rings for two things only, so that it keeps being answered. A customer's confirmed call opens the clock around
the clock, mostly when nobody looks at a console or mail: the engineer on duty is called. A missed target of severity 1
or 2 is called to the duty manager, who can put more people on it. Whoever does not answer is followed by the rest of
the duty (`paging.py`), so that the later step to the duty manager need not ring as well.
"""

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
    _step("breach", "duty_manager", "console mail webhook phone", severities=[1, 2], repeat="PT30M", at_most=3),
    _step("breach", "duty_manager", "console mail webhook", severities=[3, 4], repeat="PT30M", at_most=3),
    _step("breach", "account_manager", "mail", severities=[1, 2], classes=["premium"], after="PT1H"),
    _step("called", "on_duty", "console mail webhook phone", repeat="PT5M", at_most=3),
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
