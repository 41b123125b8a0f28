"""What a check has to say: how bad it is, what is the case, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from samsaas.lib.redaction import redact

OK, WARN, FAIL = "OK", "WARN", "FAIL"
LONGEST = 300


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the report. `remedy` is empty where nothing has to be done."""

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


def said(error: BaseException) -> str:
    """The first line of an error, without anything that looks like a secret."""
    text = redact(str(error)).strip() or type(error).__name__
    return text.splitlines()[0][:LONGEST]


def findings_of(checks: tuple[Check, ...]) -> list[Finding]:
    """Run checks one by one; one that breaks is a finding itself and does not hide the others."""
    found: list[Finding] = []
    for check in checks:
        try:
            found.extend(check())
        except Exception as error:  # whatever is broken, the doctor still reports on the rest
            name = check.__name__.replace("_", " ")
            found.append(fail(name, f"Could not be checked ({type(error).__name__}: {said(error)}).", "See the log."))
    return found
