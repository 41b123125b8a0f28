"""Checks of the settings: nothing here touches the database or the network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core import checks as system_checks
from django.core.exceptions import ImproperlyConfigured

from samsaas import checks
from samsaas.diagnosis.findings import Check, Finding, fail, ok, said, warn
from samsaas.lib import fields

SHORTEST_SECRET = 32
FEWEST_CHARACTERS = 5
# Reported here in words of their own, or by Django once more.
TOLD_ELSEWHERE = {"samsaas.E001", "samsaas.E003", "samsaas.E010", "samsaas.W011", "security.W009", "security.W018"}
NEW_SECRET = "Set SECRET_KEY to at least 50 random characters, the same for every process."  # noqa: S105 - advice
NEW_KEY = "Run manage.py new_field_key and put its key first in FIELD_ENCRYPTION_KEYS, the same for every process."


def secret_key() -> Iterator[Finding]:
    """Sessions and single-use links are signed with it."""
    try:
        secret = settings.SECRET_KEY
    except ImproperlyConfigured:
        yield fail("secret key", "SECRET_KEY is not set.", NEW_SECRET)
        return
    if len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_CHARACTERS:
        yield fail("secret key", "SECRET_KEY is short or monotonous enough to be guessed.", NEW_SECRET)
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
    problems = checks.public_url(None)
    for problem in problems:
        yield fail("redirect URI", problem.msg, problem.hint or "")
    if not problems:
        where = " (for browsers on this machine only)" if checks.is_local(settings.PUBLIC_URL) else ""
        yield ok("redirect URI", f"Register exactly this one with the vendor: {settings.OAUTH_REDIRECT_URL}{where}")


def proxy() -> Iterator[Finding]:
    """Something in front of the application speaks https, and the application has to be told to believe it."""
    if settings.HTTPS and settings.SECURE_SSL_REDIRECT and not settings.TRUST_PROXY:
        remedy = (
            "Set TRUST_PROXY=true where a proxy speaks https and sets X-Forwarded-Proto and X-Forwarded-For itself."
        )
        yield warn("proxy", "PUBLIC_URL is https and TRUST_PROXY is off: pages redirect to themselves.", remedy)
    else:
        believed = "X-Forwarded-Proto and X-Forwarded-For are believed (TRUST_PROXY)."
        yield ok("proxy", believed if settings.TRUST_PROXY else "None is expected (TRUST_PROXY is off).")


def development_switches() -> Iterator[Finding]:
    """DEBUG shows settings to strangers; the sandbox gives tokens to anybody."""
    level = warn if checks.is_local(settings.PUBLIC_URL) else fail
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
    """The system checks of Django, the libraries and this project; those for deployment where it is served by https."""
    run = system_checks.run_checks(include_deployment_checks=settings.HTTPS)
    problems = [problem for problem in run if problem.id not in TOLD_ELSEWHERE and not problem.is_silenced()]
    for problem in problems:
        level = fail if problem.is_serious() else warn
        yield level(f"system check {problem.id}", problem.msg, problem.hint or "See the documentation of this check.")
    if not problems:
        yield ok("system checks", "No further problem.")


CHECKS: tuple[Check, ...] = (
    secret_key,
    encryption_keys,
    redirect_uri,
    proxy,
    development_switches,
    static_files,
    code_checks,
)
