"""The theme switch: a cookie that the server reads, so that pages arrive in the right colours without script."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from guardia.ui.page_context import THEME_COOKIE, THEMES


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen theme for a year and go back to the page that asked."""
    theme = request.POST.get("theme", "")
    if theme not in THEMES:
        return HttpResponseBadRequest(f"theme: expected one of {', '.join(THEMES)}", content_type="text/plain")
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = HttpResponseRedirect(back, status=303)
    response.set_cookie(
        THEME_COOKIE,
        theme,
        max_age=365 * 86400,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response
