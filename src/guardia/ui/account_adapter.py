"""How allauth signs people in here: no open sign-up, our mail texts, and the person's own language afterwards."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from guardia.journeys.mail_account import mail_account
from guardia.kernel import clock

OUR_MAILS = {
    "account/email/password_reset_key": "guardia/account/mail/password_reset",
    "account/email/unknown_account": "guardia/account/mail/unknown_account",
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _("This email address and password do not belong together."),
        "too_many_login_attempts": _("Too many wrong passwords."),
        "account_inactive": _("This account is closed. The company's administrator can open it again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  allauth's signature
        """Accounts are made by the vendor or by a company's administrator, never by visitors."""
        return False

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Signing in and out is seen on the page itself; allauth's notices would only repeat it."""

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        """Go on in the language that the person has chosen for the account."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        if user.language in dict(settings.LANGUAGES):
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                user.language,
                max_age=365 * 86400,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    def format_email_subject(self, subject: str) -> str:
        """No site name in brackets: the subject says whose mail it is."""
        return subject

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Mail our own text where there is one, with the priority line in it, in the language of the page."""
        extra = {"phone": settings.GUARDIA.phone, "support_email": settings.GUARDIA.support_email}
        message = self.render_mail(OUR_MAILS.get(template_prefix, template_prefix), email, context | extra)
        why = "asked_password" if template_prefix in OUR_MAILS else "account"
        language = (get_language() or settings.LANGUAGE_CODE)[:2]
        mail_account(email, language, message.subject, message.body, gettext("Set a new password"), why, clock.now())
