"""What every page shows around its content: phone, languages, theme, the way around and who is signed in."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

LANGUAGE_NAMES = {"es": "Español", "en": "English"}
THEME_COOKIE = "guardia_theme"
THEMES = ("system", "light", "dark")


@dataclass(frozen=True)
class Place:
    """One entry of the way around."""

    label: str
    icon: str
    href: str
    is_current: bool


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Context processor; needs no database beyond the signed-in person that the request already has."""
    language = (get_language() or settings.LANGUAGE_CODE).split("-")[0]
    person = getattr(request, "user", None)
    signed_in = bool(person and person.is_authenticated)
    is_staff = bool(signed_in and person and person.is_staff)
    places = (_console_places if is_staff else _portal_places)() if signed_in else ()
    return {
        "phone": settings.GUARDIA.phone.replace(" ", "\u00a0"),
        "phone_href": "tel:" + "".join(c for c in settings.GUARDIA.phone if c.isdigit() or c == "+"),
        "support_email": settings.GUARDIA.support_email,
        "upload_limit": settings.GUARDIA.upload_limit,
        "language": language,
        "other_languages": [pair for pair in LANGUAGE_NAMES.items() if pair[0] != language],
        "theme": chosen_theme(request),
        "nav": [Place(label, icon, href, request.path.startswith(href)) for label, icon, href in places],
        "person_name": person.name if signed_in and person else "",
        "is_staff_page": is_staff,
    }


def chosen_theme(request: HttpRequest) -> str:
    """Return `system`, `light` or `dark`, as the reader's cookie says."""
    theme = request.COOKIES.get(THEME_COOKIE, "system")
    return theme if theme in THEMES else "system"


def _portal_places() -> tuple[tuple[str, str, str], ...]:
    return (
        (_("Cases"), "list-details", reverse("portal:case_list")),
        (_("Machines"), "device-desktop", reverse("portal:machines")),
        (_("Contract"), "file-text", reverse("portal:contract")),
    )


def _console_places() -> tuple[tuple[str, str, str], ...]:
    return (
        (_("Queue"), "list-details", reverse("console:queue")),
        (_("Duty board"), "gauge", reverse("console:duty")),
        (_("Alerts"), "bell", reverse("console:alerts")),
        (_("Mail"), "mail", reverse("console:mail")),
        (_("Calls"), "phone", reverse("console:calls")),
        (_("Lab"), "flask", reverse("console:lab")),
        (_("Releases"), "stack-2", reverse("console:releases")),
        (_("Reports"), "report-analytics", reverse("console:reports")),
        (_("Contracts"), "file-certificate", reverse("console:contracts")),
        (_("Plans"), "license", reverse("console:plans")),
        (_("Calendars"), "calendar-time", reverse("console:calendars")),
        (_("Roster"), "calendar-user", reverse("console:roster")),
        (_("Escalation"), "stairs-up", reverse("console:policies")),
    )
