"""Django's settings, all derived from ``besnik.toml`` (see `besnik.config`)."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
from pathlib import Path
from urllib.parse import urlsplit

from besnik import config as besnik_config
from besnik.site.languages import LANGUAGES as LANGUAGES
from besnik.site.secret import secret_key
from besnik.site.timezone import local_zone_name
from besnik.store.database import django_entry

BESNIK = besnik_config.load()
STATE = Path(BESNIK.state).absolute()

DEBUG = False
SECRET_KEY = secret_key(STATE)


def _allowed_hosts(listen: str) -> list[str]:
    """Return the names a browser may call this site by; a foreign name is refused.

    A site that listens on every address answers to this machine's own names and addresses.
    """
    names = ["127.0.0.1", "localhost", "[::1]"]
    if listen in ("0.0.0.0", "::"):
        host = socket.gethostname()
        names += [host, f"{host}.local"]
        with contextlib.suppress(OSError):
            names += [str(info[4][0]) for info in socket.getaddrinfo(host, None)]
    else:
        names.append(f"[{listen}]" if ":" in listen else listen)
    return list(dict.fromkeys(names))


ALLOWED_HOSTS = _allowed_hosts(BESNIK.site.host)
if BESNIK.site.public_url:
    ALLOWED_HOSTS.append(urlsplit(BESNIK.site.public_url).hostname or "")

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "axes",
    "besnik.store",
    "besnik.site",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "besnik.site.headers.security_headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "besnik.site.sessions.staff_middleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "besnik.site.urls"
ASGI_APPLICATION = "besnik.site.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "besnik.site.plain.plain_mqtt",
            ],
        },
    }
]

DATABASES = {"default": django_entry(BESNIK)}
AUTH_USER_MODEL = "store.Staff"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "login"
# Of one person at one address: a shop has one address for all its tills.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = dt.timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True  # the audit log has it
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "besnik.site.lockout.address"
_RULES = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_RULES}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {
        "NAME": f"{_RULES}.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name")},
    },
    {"NAME": f"{_RULES}.CommonPasswordValidator"},
    {"NAME": f"{_RULES}.NumericPasswordValidator"},
]
PASSWORD_HASHERS = ["besnik.store.hashing.SmallArgon2"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
LOCALE_PATHS = [STATE / "locale"]  # where the compiled catalogues go: see catalogues.py
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_I18N = True
USE_TZ = True
TIME_ZONE = local_zone_name()

STATIC_URL = "/static/"

SESSION_COOKIE_NAME = "session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BESNIK.site.tls
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # Strict would ask whoever follows a link from a mail again
CSRF_FAILURE_VIEW = "besnik.site.views.wrong.forged"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SILENCED_SYSTEM_CHECKS = [
    "security.W004",  # HTTP Strict Transport Security, W008 and W016: the site speaks plain
    "security.W008",  # HTTP on this machine; a TLS proxy in front of it sets these.
    "security.W016",
    "axes.W002",  # the log-in page says itself that somebody is locked out: see lockout.py
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "site: %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "besnik": {"level": "INFO"},
        "axes": {"level": "CRITICAL"},  # it writes user names; the audit log has what happened
        # It reports what hub.py says itself, with the address and what happens next.
        "besnik.site.hub.gmqtt": {"level": "CRITICAL"},
        # What a visitor typed wrong is no news; what breaks is.
        "django.request": {"level": "ERROR"},
    },
}
