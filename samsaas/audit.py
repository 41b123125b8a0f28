"""The audit trail: who did what to which object, and what changed."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser, User as AuthUser
from django.db import models
from django.utils import timezone

from samsaas.models import AuditEntry


def record(actor: AuthUser | AnonymousUser | None, verb: str, target: models.Model | None, **detail: Any) -> AuditEntry:
    """Append one entry. `actor=None` means the system.

    Never put a secret into `detail`; write "changed" instead.
    """
    known = actor if isinstance(actor, AuthUser) else None
    return AuditEntry.objects.create(
        at=timezone.now(),
        actor=known,
        actor_name=known.get_username() if known else "",
        verb=verb,
        object_type=str(target._meta.verbose_name).title() if target else "",
        object_id=str(target.pk) if target else "",
        object_name=str(target)[:255] if target else "",
        detail=detail,
    )
