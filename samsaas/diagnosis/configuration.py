"""Checks of the settings: nothing here touches the database or the network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks as system_checks
from django.core.exceptions import ImproperlyConfigured

from samsaas.checks import LOOPBACK
from samsaas.diagnosis.findings import Check, Finding, fail, ok, said, warn
from samsaas.lib import fields

SHORTEST_SECRET = 32
TOLD_ELSEWHERE = {"samsaas.E001", "samsaas.E010", "samsaas.W011"}
NEW_SECRET = "Set SECRET_KEY to at least 50 random characters, the same for every process."  # noqa: S105 - advice
NEW_KEY = "Run manage.py new_field_key and put its key first in FIELD_ENCRYPTION_KEYS, the same for every process."


def secret_key() -> Iterator[Finding]:
    """Sessions and single-use links are signed with it."""
    try:
        length = len(settings.SECRET_KEY)
    except ImproperlyConfigured:
        length = 0
    if not length:
        yield fail("secret key", "SECRET_KEY is not set.", NEW_SECRET)
    elif length < SHORTEST_SECRET:
        yield fail("secret key", f"SECRET_KEY has only {length} characters.", NEW_SECRET)
    else:
        yield ok("secret key", "SECRET_KEY is set.")


def encryption_keys() -> Iterator[Finding]:
    """Without them no token can be stored or read."""
    try:
        fields.cipher()
    except ImproperlyConfigured as problem:
        yield fail("encryption keys", said(problem), NEW_KEY)
        return
    count = len(settings.FIELD_ENCRYPTION_KEYS)
    others = f", and {count - 1} older to read with" if count > 1 else ""
    yield ok("encryption keys", f"FIELD_ENCRYPTION_KEYS holds one to write with{others}.")


def redirect_uri() -> Iterator[Finding]:
    """What has to be registered with the vendor, to the letter."""
    parts = urlsplit(settings.PUBLIC_URL)
    register = f"Register exactly this redirect URI with the vendor: {settings.OAUTH_REDIRECT_URL}"
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        remedy = "Set PUBLIC_URL to a scheme and a host only, such as https://samsaas.example.com."
        yield fail("redirect URI", f"PUBLIC_URL is not usable: {settings.PUBLIC_URL}", remedy)
    elif parts.scheme == "http" and parts.hostname not in LOOPBACK:
        remedy = "Serve the application over https and change PUBLIC_URL: vendors refuse plain http."
        yield fail("redirect URI", f"PUBLIC_URL is plain http on a public host: {settings.PUBLIC_URL}", remedy)
    else:
        yield ok("redirect URI", register)


def development_switches() -> Iterator[Finding]:
    """DEBUG shows settings to strangers; the sandbox gives tokens to anybody."""
    level = warn if urlsplit(settings.PUBLIC_URL).hostname in LOOPBACK else fail
    on = [name for name in ("DEBUG", "SANDBOX") if getattr(settings, name)]
    for name in on:
        yield level("development switches", f"{name} is on.", f"Unset {name} outside development and the demo.")
    if not on:
        yield ok("development switches", "DEBUG and SANDBOX are off.")


def static_files() -> Iterator[Finding]:
    """Pages without style sheets are the commonest sign of a forgotten collectstatic."""
    if settings.WHITENOISE_USE_FINDERS:
        yield ok("static files", "Served from the source tree (SERVE_UNCOLLECTED_STATIC).")
    elif (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        yield ok("static files", f"Collected in {settings.STATIC_ROOT}.")
    else:
        yield fail("static files", f"None in {settings.STATIC_ROOT}.", "Run manage.py collectstatic --noinput.")


def code_checks() -> Iterator[Finding]:
    """The system checks of Django, the libraries and this project."""
    problems = [p for p in system_checks.run_checks() if p.id not in TOLD_ELSEWHERE and not p.is_silenced()]
    for problem in problems:
        level = fail if problem.is_serious() else warn
        yield level(f"system check {problem.id}", problem.msg, problem.hint or "See the documentation of this check.")
    if not problems:
        yield ok("system checks", "No further problem.")


CHECKS: tuple[Check, ...] = (
    secret_key,
    encryption_keys,
    redirect_uri,
    development_switches,
    static_files,
    code_checks,
)
