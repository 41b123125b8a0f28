"""The audit trail: who did what to which object, and what changed."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.models import AnonymousUser, User as AuthUser
from django.db import models
from django.db.models import Q
from django.utils import timezone

from samsaas.lib import append_only
from samsaas.models import AuditEntry, AuditSeal

TABLE = AuditEntry._meta.db_table
SEALS = AuditSeal._meta.db_table
LONGEST_FILTER = 200
# Through what a person acts, where it is not a page. Each entry made meanwhile says so.
_channel: ContextVar[str] = ContextVar("audit_channel", default="")


@contextmanager
def acting_through(channel: str) -> Iterator[None]:
    """Every entry made inside says through what its person acted, such as an API token."""
    before = _channel.set(channel)
    try:
        yield
    finally:
        _channel.reset(before)


def record(actor: AuthUser | AnonymousUser | None, verb: str, target: models.Model | None, **detail: Any) -> AuditEntry:
    """Append one entry. `actor=None` means the system.

    Never put a secret into `detail`; write "changed" instead.
    """
    entry = _make_entry(actor, verb, target, detail)
    entry.save()
    return entry


def record_many(
    actor: AuthUser | None, verb: str, targets: Iterable[tuple[models.Model, dict[str, Any]]]
) -> list[AuditEntry]:
    """Append one entry for each target, with its detail, in one statement."""
    return AuditEntry.objects.bulk_create(_make_entry(actor, verb, target, detail) for target, detail in targets)


def _make_entry(
    actor: AuthUser | AnonymousUser | None, verb: str, target: models.Model | None, detail: dict[str, Any]
) -> AuditEntry:
    known = actor if isinstance(actor, AuthUser) else None
    return AuditEntry(
        at=timezone.now(),
        actor_id=known.pk if known else None,
        actor_name=known.get_username() if known else "",
        verb=verb,
        object_type=str(target._meta.verbose_name).title() if target else "",
        object_id=str(target.pk) if target else "",
        object_name=str(target)[:255] if target else "",
        detail=detail | ({"through": channel} if known and (channel := _channel.get()) else {}),
    )


def last_change(target: models.Model) -> AuditEntry | None:
    """The last time that somebody changed an object by hand, or a newer version of it was stored."""
    kind = str(target._meta.verbose_name).title()
    verbs = Q(verb__startswith="changed") | Q(verb__startswith="corrected") | Q(verb__startswith="saved")
    return AuditEntry.objects.filter(verbs, object_type=kind, object_id=str(target.pk)).first()


def record_export(actor: AuthUser | AnonymousUser, name: str, *, rows: int, filters: Mapping[str, Any]) -> AuditEntry:
    """Append an entry for a file that is about to be sent, so that breaking off the download leaves it too.

    `filters` are those of the query string; what is longer than a name is cut.
    """
    chosen = {key: str(value)[:LONGEST_FILTER] for key, value in filters.items() if value}
    return record(actor, "exported", None, list=name, rows=rows, filters=chosen)


def command_line() -> dict[str, str]:
    """Who runs a management command, for the detail of an entry: account and machine."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):  # a container's account may have no name
        account = "unknown"
    return {"run_by": f"{account} at {socket.gethostname()}"}


def protect_entries(*, using: str = "default", **kwargs: Any) -> None:
    """Make entries and seals append-only in the database. Runs after every migrate."""
    for table in (TABLE, SEALS):
        append_only.protect(table, using=using)
