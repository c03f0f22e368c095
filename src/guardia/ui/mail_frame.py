"""The HTML of a message in a frame of its own: no script, no form, no link that leads anywhere, nothing loaded.

The sanitised HTML is served under a policy stricter than the pages' own; the page shows it in `<iframe sandbox="">`.
Only the own pages may frame it. Without a style sheet of ours it has the browser's plain look on white.
"""

from typing import Final

from django.http import HttpResponse
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

POLICY: Final = (
    "default-src 'none'; img-src data:; style-src 'none'; script-src 'none'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox"
)


def mail_frame(html: str) -> HttpResponse:
    """Return the frame of a message's sanitised HTML; where there is none, it says so."""
    body = mark_safe(html) if html else format_html("<p>{}</p>", _("This message has no HTML."))  # noqa: S308
    page = format_html(
        '<!DOCTYPE html><html lang="und"><head><meta charset="utf-8"><title>{}</title></head><body>{}</body></html>',
        _("Message"),
        body,
    )
    response = HttpResponse(page)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
