"""Make, change or delete a limit: each with an entry in the audit trail that names its profiles and accounts.

Exported lists, which stay for a week, are deleted with it: they were written while their owner saw more.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from profiles.models import LimitedSight
from samsaas import audit
from samsaas.models import ExportedList


@transaction.atomic
def create(data: dict[str, Any], *, by: User, now: datetime) -> LimitedSight:
    """A limit from the cleaned data of the form."""
    limit = LimitedSight.objects.create(name=data["name"], created_at=now)
    _store_members(limit, data)
    audit.record(by, "created limited sight", limit, **describe(limit))
    return limit


@transaction.atomic
def change(limit_id: int, data: dict[str, Any], *, by: User) -> LimitedSight:
    """Store changes."""
    limit = LimitedSight.objects.select_for_update().get(pk=limit_id)
    before = describe(limit)
    limit.name = data["name"]
    limit.save()
    _store_members(limit, data)
    if (after := describe(limit)) != before:
        audit.record(by, "changed limited sight", limit, before=before, after=after)
    return limit


@transaction.atomic
def delete(limit: LimitedSight, *, by: User) -> None:
    """Delete it. Who is in no other limit sees everything from then on."""
    audit.record(by, "deleted limited sight", limit, **describe(limit))
    limit.delete()


def describe(limit: LimitedSight) -> dict[str, Any]:
    """A limit as the audit trail keeps it."""
    return {
        "name": limit.name,
        "profiles": [str(one) for one in limit.profiles.order_by("display_name")],
        "accounts": [one.get_username() for one in limit.accounts.order_by("username")],
    }


def _store_members(limit: LimitedSight, data: dict[str, Any]) -> None:
    limit.profiles.set(data["profiles"])
    limit.accounts.set(data["accounts"])
    ExportedList.objects.filter(by__in=data["accounts"]).delete()
