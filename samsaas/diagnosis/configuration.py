"""Checks of the settings. They use neither the database nor the network."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core import checks as system_checks
from django.core.exceptions import ImproperlyConfigured

from samsaas import checks, startup
from samsaas.diagnosis.findings import Check, Finding, error_line, fail, ok, warn
from samsaas.lib import encryption, signatures

SHORTEST_SECRET = 32
FEWEST_CHARACTERS = 5
# Another check here reports these, or Django reports them twice.
REPORTED_ELSEWHERE = {
    *("samsaas.E001", "samsaas.E003", "samsaas.E010", "samsaas.E013", "samsaas.E015", "samsaas.E016"),
    *("samsaas.E020", "samsaas.W011", "samsaas.W017", "security.W009", "security.W018"),
}
NEW_AUDIT_KEY = "Run manage.py new_audit_key and set AUDIT_SIGNING_KEY, the same for web and worker."
NEW_KEY = "Run manage.py new_field_key and put its key first in FIELD_ENCRYPTION_KEYS, the same for every process."


def secret_key() -> Iterator[Finding]:
    """SECRET_KEY, which signs sessions and single-use links, is set and hard to guess."""
    try:
        secret = settings.SECRET_KEY
    except ImproperlyConfigured:
        yield fail("secret key", "SECRET_KEY is not set.", checks.NEW_SECRET)
        return
    if len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_CHARACTERS:
        yield fail("secret key", "SECRET_KEY is short or repetitive enough to be guessed.", checks.NEW_SECRET)
    else:
        yield ok("secret key", "SECRET_KEY is set.")


def encryption_keys() -> Iterator[Finding]:
    """FIELD_ENCRYPTION_KEYS, without which no token can be stored or read, is usable."""
    try:
        encryption.installation_keys()
    except ImproperlyConfigured as problem:
        yield fail("encryption keys", error_line(problem), NEW_KEY)
        return
    count = len(settings.FIELD_ENCRYPTION_KEYS)
    others = f", and {count - 1} older ones that only decrypt" if count > 1 else ""
    yield ok("encryption keys", f"FIELD_ENCRYPTION_KEYS has a key that encrypts{others}.")


def audit_signing_key() -> Iterator[Finding]:
    """AUDIT_SIGNING_KEY, without which the audit trail is not sealed and no evidence is signed, is usable."""
    try:
        key = signatures.signing_key().public
        others = len(signatures.known_keys()) - 1
    except signatures.NoKey as problem:
        yield warn("audit signing key", str(problem), NEW_AUDIT_KEY)
    except ImproperlyConfigured as problem:
        yield fail("audit signing key", error_line(problem), NEW_AUDIT_KEY)
    else:
        older = f", and {others} older ones are believed" if others else ""
        yield ok("audit signing key", f"The key {key.id} signs{older}.")


def redirect_uri() -> Iterator[Finding]:
    """The redirect URI that has to be registered with the vendor, exactly as shown."""
    problems = checks.public_url(None)
    for problem in problems:
        yield fail("redirect URI", problem.msg, problem.hint or "")
    if not problems:
        where = " (for browsers on this machine only)" if checks.is_local(settings.PUBLIC_URL) else ""
        yield ok("redirect URI", f"Register exactly this one with the vendor: {settings.OAUTH_REDIRECT_URL}{where}")


def proxy() -> Iterator[Finding]:
    """With https, a proxy ends the encryption, and TRUST_PROXY makes the application believe the proxy's headers."""
    if settings.HTTPS and settings.SECURE_SSL_REDIRECT and not settings.TRUST_PROXY:
        remedy = (
            "Set TRUST_PROXY=true where a proxy speaks https and sets X-Forwarded-Proto and X-Forwarded-For itself."
        )
        yield warn("proxy", "PUBLIC_URL is https and TRUST_PROXY is off: pages redirect to themselves.", remedy)
    else:
        believed = "X-Forwarded-Proto and X-Forwarded-For are believed (TRUST_PROXY)."
        yield ok("proxy", believed if settings.TRUST_PROXY else "No proxy is expected (TRUST_PROXY is off).")


def development_switches() -> Iterator[Finding]:
    """DEBUG shows settings to visitors, and the sandbox gives tokens to anybody: both are off."""
    level = warn if checks.is_local(settings.PUBLIC_URL) else fail
    on = [name for name in ("DEBUG", "SANDBOX") if getattr(settings, name)]
    for name in on:
        yield level("development switches", f"{name} is on.", f"Unset {name} outside development and the demo.")
    if not on:
        yield ok("development switches", "DEBUG and SANDBOX are off.")


def static_files() -> Iterator[Finding]:
    """The style sheets were collected. Without `collectstatic` the pages have none."""
    if settings.WHITENOISE_USE_FINDERS:
        yield ok("static files", "Served from the source tree (SERVE_UNCOLLECTED_STATIC).")
    elif startup.static_files_are_missing():
        yield fail(
            "static files", f"There are none in {settings.STATIC_ROOT}.", "Run manage.py collectstatic --noinput."
        )
    else:
        yield ok("static files", f"Collected in {settings.STATIC_ROOT}.")


def code_checks() -> Iterator[Finding]:
    """The system checks of Django, the libraries and this project; with https also those for deployment."""
    run = system_checks.run_checks(include_deployment_checks=settings.HTTPS)
    problems = [problem for problem in run if problem.id not in REPORTED_ELSEWHERE and not problem.is_silenced()]
    for problem in problems:
        level = fail if problem.is_serious() else warn
        yield level(f"system check {problem.id}", problem.msg, problem.hint or "See the documentation of this check.")
    if not problems:
        yield ok("system checks", "No further problem.")


CHECKS: tuple[Check, ...] = (
    secret_key,
    encryption_keys,
    audit_signing_key,
    redirect_uri,
    proxy,
    development_switches,
    static_files,
    code_checks,
)
