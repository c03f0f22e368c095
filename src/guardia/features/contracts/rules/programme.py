"""The programme that the product ships with: five plans as data, which an operator edits afterwards.

Source: the service description; what is marked there as stated by the vendor's page is so here, the rest are its
sample values. Targets are ISO 8601; `calendar` counts the plan's office hours, `always` every instant.
"""

from typing import Any


def _promise(target: str | None = None, coverage: str = "calendar", *, phone: bool = False) -> dict[str, Any]:
    return {"target": target, "coverage": coverage, "phone_opens_24x7": phone}


def _response(*premium: dict[str, Any]) -> dict[str, Any]:
    levels = [*premium, *[_promise()] * 4][:4]
    return {
        "premium": {str(severity): promise for severity, promise in enumerate(levels, start=1)},
        "standard": {str(severity): _promise() for severity in (1, 2, 3, 4)},
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
    }


PLANS: dict[str, dict[str, Any]] = {
    "standard": _plan("Standard", 0, 0, 0, "standard", _response(), "office 10-17"),
    "start": _plan("Start", 10, 6, 1, "standard", _response(_promise("PT8H"))),
    "plus": _plan("Plus", 20, 12, 2, "accelerated", _response(_promise("PT4H", phone=True))),
    "business": _plan(
        "Business",
        30,
        36,
        4,
        "accelerated",
        _response(_promise("PT2H", "always"), _promise("PT6H"), _promise("PT8H"), _promise("PT10H")),
    ),
    "enterprise": _plan(
        "Enterprise",
        40,
        None,
        8,
        "accelerated",
        _response(_promise("PT30M", "always"), _promise("PT4H", "always"), _promise("PT6H"), _promise("PT8H")),
    ),
}
