"""The result of a check: how bad it is, what was found, and what to do about it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import connection

from samsaas.lib.redaction import redact

OK, WARN, FAIL = "OK", "WARN", "FAIL"
LONGEST = 300
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the report. `remedy` is empty if nothing has to be done."""

    check: str
    level: str
    message: str
    remedy: str = ""


Check = Callable[[], Iterator[Finding]]


def ok(check: str, message: str) -> Finding:
    return Finding(check=check, level=OK, message=message)


def warn(check: str, message: str, remedy: str) -> Finding:
    return Finding(check=check, level=WARN, message=message, remedy=remedy)


def fail(check: str, message: str, remedy: str) -> Finding:
    return Finding(check=check, level=FAIL, message=message, remedy=remedy)


def error_line(error: BaseException) -> str:
    """The first line of an error. Secrets of this installation, and text that looks like a secret, are redacted."""
    text = str(error)
    for secret in _installation_secrets():
        text = text.replace(secret, "[redacted]")
    text = redact(text).strip() or type(error).__name__
    return text.splitlines()[0][:LONGEST]


def _installation_secrets() -> list[str]:
    held = [*settings.FIELD_ENCRYPTION_KEYS, settings.AUDIT_SIGNING_KEY, connection.settings_dict["PASSWORD"]]
    held.append(unquote(urlsplit(settings.CELERY_BROKER_URL).password or ""))
    held.append(settings.EMAIL_HOST_PASSWORD)
    return [secret for secret in held if secret]


def run_checks(checks: tuple[Check, ...]) -> list[Finding]:
    """Run the checks one by one. A check that raises becomes a finding itself; the others still run."""
    found: list[Finding] = []
    for check in checks:
        try:
            found.extend(check())
        except Exception as error:  # the doctor must report on the rest
            name = check.__name__.replace("_", " ")
            log.debug("The check %s broke.", name, exc_info=True)
            remedy = "Run the doctor again with LOG_LEVEL=DEBUG to see where it failed, and report it."
            found.append(fail(name, f"Could not be checked ({type(error).__name__}: {error_line(error)}).", remedy))
    return found
