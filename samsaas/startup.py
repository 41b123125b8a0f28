"""A process whose configuration cannot work does not start. It says in one line why not, and what to set.

Neither gunicorn nor celery runs Django's system checks, or stops for what they find. So web, worker, beat and
`manage.py serve` each call `refuse_unless_usable` first.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import django
from django.conf import settings
from django.core.checks import CheckMessage, Error, run_checks
from django.core.exceptions import ImproperlyConfigured

from samsaas import checks

WEB, WORKER, BEAT, SERVE = "web", "worker", "beat", "serve"
SERVES_PAGES = (WEB, SERVE)
NO_FIELD_KEYS = "samsaas.E001"  # the beat reads no secret, so it need not have the keys


def require_readable_settings(process: str, *, code: int = os.EX_CONFIG) -> None:
    """End this process with `code` if a variable cannot be read; Django would show a traceback."""
    try:
        settings.DEBUG  # noqa: B018 - the first attribute loads them all
    except ImproperlyConfigured as problem:
        _refuse(process, [str(problem)], code)


def refuse_unless_usable(process: str, *, code: int = os.EX_CONFIG, addresses: Sequence[Any] = ()) -> None:
    """End this process with `code` and a line on standard error for each problem, unless its configuration can work.

    `addresses` are those that gunicorn will listen on, as its configuration gives them.
    """
    if problems := [*find_problems(process), *_judge_addresses(addresses)]:
        _refuse(process, [f"{problem.msg} {problem.hint or ''}".rstrip() for problem in problems], code)


def _refuse(process: str, reasons: list[str], code: int) -> NoReturn:
    error = sys.__stderr__ or sys.stderr  # celery turns the other one into log lines
    for reason in reasons:
        error.write(f"samsaas {process} does not start: {reason}\n")
    error.flush()
    raise SystemExit(code)


def refuse_in_child(process: str, *, addresses: Sequence[Any]) -> None:
    """As `refuse_unless_usable`, but for a parent that must not load Django, because its children load it anew."""
    child = os.fork()
    if child == 0:
        code = os.EX_SOFTWARE
        try:
            require_readable_settings(process)
            django.setup()
            refuse_unless_usable(process, addresses=addresses)
            code = os.EX_OK
        except SystemExit as refused:
            code = int(str(refused.code))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)  # whatever happened, the child never goes on as a second parent
    _, status = os.waitpid(child, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(code)


def find_problems(process: str) -> list[CheckMessage]:
    """What keeps this process from working: system checks that fail, and what only a process of this kind needs."""
    try:
        serious = [problem for problem in run_checks() if problem.is_serious() and not problem.is_silenced()]
        found = [problem for problem in serious if process != BEAT or problem.id != NO_FIELD_KEYS]
    except ImproperlyConfigured as problem:
        found = [Error(str(problem), hint="Correct the settings (.env or the environment).")]
    return [*found, *_judge_secret_key(process), *_judge_broker(process), *_judge_static_files(process)]


def uses_memory_broker() -> bool:
    """Messages stay in the process that sends them."""
    return bool(settings.CELERY_BROKER_URL.startswith("memory:"))


def _judge_secret_key(process: str) -> Iterator[CheckMessage]:
    """It signs sessions and links. A process that serves no pages need not even know it."""
    try:
        is_missing = process in SERVES_PAGES and not settings.SECRET_KEY
    except ImproperlyConfigured:
        is_missing = True
    if is_missing:
        yield Error("SECRET_KEY is not set.", hint=checks.NEW_SECRET)


def _judge_broker(process: str) -> Iterator[CheckMessage]:
    if process == SERVE and not uses_memory_broker():
        hint = "Unset it, or start web, worker and beat as processes of their own (docs/deploying.md)."
        yield Error("CELERY_BROKER_URL is set, and serve runs worker and beat itself, without a broker.", hint=hint)
    if process != SERVE and uses_memory_broker():
        hint = (
            "Set it to a Redis server (redis://:password@host:6379/0) for web, worker and beat, "
            "or run all three as one process: manage.py serve."
        )
        yield Error("CELERY_BROKER_URL is memory://, which reaches no other process.", hint=hint)


def _judge_addresses(addresses: Sequence[Any]) -> Iterator[CheckMessage]:
    """Nothing that is made for development listens where other machines can reach it, whatever PUBLIC_URL says."""
    if shown := next(filter(None, map(_open_address, addresses)), ""):
        hint = "Unset it, or let the pages listen on this machine only: WEB_BIND=127.0.0.1:8000."
        for name in checks.development_switches_on():
            yield Error(f"{name} is on, and the pages would listen on {shown}, where others reach them.", hint=hint)


def _open_address(address: Any) -> str:
    """The words for an address that other machines may reach; empty for loopback and for a socket in a folder."""
    if isinstance(address, int):
        return "a socket that another program opened"
    if isinstance(address, str) or checks.is_loopback(address[0]):
        return ""
    return address[0] or "every address"


def _judge_static_files(process: str) -> Iterator[CheckMessage]:
    if process in SERVES_PAGES and static_files_are_missing():
        yield Error(f"There are no static files in {settings.STATIC_ROOT}.", hint="Run manage.py collectstatic.")


def static_files_are_missing() -> bool:
    """Nobody ran `collectstatic`, so every page would be an error."""
    collected = Path(settings.STATIC_ROOT) / "staticfiles.json"
    return not settings.WHITENOISE_USE_FINDERS and not collected.exists()
