"""Sign-in, sign-out and password reset (allauth's views with our pages), and the language and theme switches.

allauth goes to two pages by name that are not offered here (sign-up, closed accounts): those names lead to the
sign-in page, so that none of them opens anything.
"""

from typing import Any

from allauth.account import views
from django.urls import path, re_path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from guardia.ui.switches import choose_theme

FOLDER = "guardia/account"


class SignIn(views.LoginView):  # type: ignore[misc]
    """Sign-in; says when it is locked after too many wrong passwords."""

    template_name = f"{FOLDER}/sign_in.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        errors = context["form"].non_field_errors().as_data()
        return context | {"is_locked": any(error.code == "too_many_login_attempts" for error in errors)}


to_sign_in = RedirectView.as_view(pattern_name="account_login")

urlpatterns = [
    path("sign-in/", SignIn.as_view(), name="account_login"),
    path("sign-out/", views.LogoutView.as_view(template_name=f"{FOLDER}/sign_out.html"), name="account_logout"),
    path(
        "password/reset/",
        views.PasswordResetView.as_view(template_name=f"{FOLDER}/password_reset.html"),
        name="account_reset_password",
    ),
    path(
        "password/reset/sent/",
        views.PasswordResetDoneView.as_view(template_name=f"{FOLDER}/password_reset_sent.html"),
        name="account_reset_password_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.PasswordResetFromKeyView.as_view(template_name=f"{FOLDER}/password_new.html"),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/done/",
        views.PasswordResetFromKeyDoneView.as_view(template_name=f"{FOLDER}/password_done.html"),
        name="account_reset_password_from_key_done",
    ),
    path("account/inactive/", to_sign_in, name="account_inactive"),
    path("account/sign-up/", to_sign_in, name="account_signup"),
    path("language/", set_language, name="set_language"),
    path("theme/", choose_theme, name="choose_theme"),
]
