"""The programme that the product ships with: five plans as data, which an operator edits afterwards.

Source: the service description; what is marked there as stated by the vendor's page is so here, the rest are its
sample values. Targets are ISO 8601; `calendar` counts the plan's office hours, `always` every instant.
"""

from datetime import date
from typing import Any


def _promise(target: str | None = None, coverage: str = "calendar", *, phone: bool = False) -> dict[str, Any]:
    return {"target": target, "coverage": coverage, "phone_opens_24x7": phone}


def _response(*premium: dict[str, Any]) -> dict[str, Any]:
    levels = [*premium, *[_promise()] * 4][:4]
    return {
        "premium": {str(severity): promise for severity, promise in enumerate(levels, start=1)},
        "standard": {str(severity): _promise() for severity in (1, 2, 3, 4)},
    }


def _goals(resolution: str | None, next_answer: str | None, assignment: str | None) -> dict[str, str | None]:
    return {"next_answer": next_answer, "resolution": resolution, "assignment": assignment}


NO_GOALS = _goals(None, None, None)


def _objectives(*premium: dict[str, str | None]) -> dict[str, Any]:
    """The vendor's own objectives, for premium cases; standard ones have one only: to be taken within two days."""
    levels = [*premium, *[NO_GOALS] * 4][:4]
    return {
        "premium": dict(zip("1234", levels, strict=True)),
        "standard": {severity: _goals(None, None, "PT16H") for severity in "1234"},
    }


OFFICES = {"office 09-19": ("09:00", "19:00"), "office 10-17": ("10:00", "17:00")}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")


def _plan(
    name: str,
    rank: int,
    premium: int | None,
    contacts: int,
    lane: str,
    response: dict[str, Any],
    objectives: dict[str, Any],
    office: str = "office 09-19",
) -> dict[str, Any]:
    return {
        "name": name,
        "rank": rank,
        "premium_incidents": premium,
        "named_contacts": contacts,
        "lane": lane,
        "has_phone": rank > 0,
        "response": response,
        "office": {"calendar": office},
        "objectives": objectives,
        "escalation": "default",
    }


BEST_EFFORT = _objectives()
CLOSE = _objectives(
    _goals("PT20H", "PT4H", "PT30M"),
    _goals("PT40H", "PT8H", "PT2H"),
    _goals("PT80H", "PT10H", "PT4H"),
    _goals(None, "PT20H", "PT8H"),
)
CLOSEST = _objectives(
    _goals("PT10H", "PT2H", "PT15M"),
    _goals("PT20H", "PT4H", "PT1H"),
    _goals("PT40H", "PT8H", "PT2H"),
    _goals("PT80H", "PT10H", "PT4H"),
)

PLANS: dict[str, dict[str, Any]] = {
    "standard": _plan("Standard", 0, 0, 0, "standard", _response(), BEST_EFFORT, "office 10-17"),
    "start": _plan("Start", 10, 6, 1, "standard", _response(_promise("PT8H")), CLOSE),
    "plus": _plan("Plus", 20, 12, 2, "accelerated", _response(_promise("PT4H", phone=True)), CLOSE),
    "business": _plan(
        "Business",
        30,
        36,
        4,
        "accelerated",
        _response(_promise("PT2H", "always"), _promise("PT6H"), _promise("PT8H"), _promise("PT10H")),
        CLOSE,
    ),
    "enterprise": _plan(
        "Enterprise",
        40,
        None,
        8,
        "accelerated",
        _response(_promise("PT30M", "always"), _promise("PT4H", "always"), _promise("PT6H"), _promise("PT8H")),
        CLOSEST,
    ),
}

PRODUCTS: dict[str, dict[str, Any]] = {
    "endpoint-8.2": {"name": "Atalaya Endpoint 8.2", "line": "Atalaya Endpoint", "phase": "full"},
    "endpoint-7.4": {
        "name": "Atalaya Endpoint 7.4",
        "line": "Atalaya Endpoint",
        "phase": "limited",
        "phase_ends_on": date(2027, 6, 30),
    },
    "gateway-3.1": {"name": "Atalaya Mail Gateway 3.1", "line": "Atalaya Gateway", "phase": "full"},
    "endpoint-6.0": {
        "name": "Atalaya Endpoint 6.0",
        "line": "Atalaya Endpoint",
        "phase": "ended",
        "phase_ends_on": date(2025, 12, 31),
    },
}
"""Sample products of the vendor, one in each support phase."""
