"""Django's settings, derived from the typed environment; nothing is read from elsewhere."""

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.utils.translation import gettext_lazy as _

from guardia.kernel.environment import PROJECT, read_settings

GUARDIA = read_settings(os.environ)

SECRET_KEY = GUARDIA.secret_key.reveal()
DEBUG = False
ALLOWED_HOSTS = list(GUARDIA.allowed_hosts)
CSRF_TRUSTED_ORIGINS = [GUARDIA.public_url]
GUARDIA_WIRING = "guardia.wiring.make_outside"
ROOT_URLCONF = "guardia.config.urls"
ASGI_APPLICATION = "guardia.config.asgi.application"
APPEND_SLASH = True

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "allauth",
    "allauth.account",
    "procrastinate.contrib.django",
    "guardia.kernel.audit",
    "guardia.kernel.outbox",
    "guardia.features.mail",
    "guardia.features.calls",
    "guardia.features.accounts",
    "guardia.features.contracts",
    "guardia.features.sla",
    "guardia.features.duty",
    "guardia.features.cases",
    "guardia.features.lab",
    "guardia.features.releases",
    "guardia.ui",
    "guardia.doors.portal",
    "guardia.doors.console",
]

MIDDLEWARE = [
    "guardia.ui.security_headers.SecurityHeaders",
    "guardia.config.problem_answers.ProblemAnswers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "guardia.ui.page_context.page_context",
                "guardia.ui.duty_context.duty_context",
                "guardia.ui.bell_context.bell_context",
            ],
        },
    }
]


# A server that vanishes without a word (power, network) is noticed within 20 s, not after the system's two hours.
LOST_SERVERS = {"keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}


def _database(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    host, options = query.pop("host", parts.hostname or ""), query.pop("options", "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0,
        # What else the URL says (sslmode, sslrootcert, …) is libpq's.
        "OPTIONS": {
            **LOST_SERVERS,
            **query,
            "options": f"-c lock_timeout=10s -c statement_timeout=60s {options}".strip(),
        },
        "TEST": {"NAME": os.environ.get("GUARDIA_TEST_DATABASE", "test_guardia")},
    }


# Without DATABASE_URL the embedded server is used: `guardia` commands start it and name its socket here.
DATABASES = {
    "default": _database(
        (GUARDIA.database_url and GUARDIA.database_url.reveal())
        or os.environ.get("GUARDIA_EMBEDDED_URL", "postgresql://postgres@/guardia?host=/nonexistent")
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "guardia_cache"}}

AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "guardia.ui.account_adapter.AccountAdapter"
ACCOUNT_LOGOUT_REDIRECT_URL = "/sign-in/"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/15m/key"}

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_HTTPONLY = False
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = GUARDIA.public_url.startswith("https://")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if GUARDIA.is_production else None

LANGUAGE_CODE = "en"
LANGUAGES = [("es", _("Spanish")), ("en", _("English"))]
LOCALE_PATHS = [Path(__file__).parents[1] / "ui" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Madrid"

STATIC_URL = "/static/"
STATIC_ROOT = GUARDIA.var / "static"
STATICFILES_DIRS = [path for path in [PROJECT / "build" / "third_party"] if path.is_dir()]
STORAGES = {
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
}
WHITENOISE_MANIFEST_STRICT = True

FILE_UPLOAD_HANDLERS = ["guardia.ui.sealed_upload.SealedUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 20

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "guardia": {"level": "INFO"},
        "django.request": {"level": "ERROR"},
        "procrastinate": {"level": "WARNING"},
    },
}
PROCRASTINATE_IMPORT_PATHS = ["guardia.doors.jobs.tasks"]
PROCRASTINATE_WORKER_DEFAULTS = {
    "concurrency": 2,
    "fetch_job_polling_interval": 1.0,
    "update_heartbeat_interval": 3.0,
    "stalled_worker_timeout": 10.0,
    "delete_jobs": "successful",
}
