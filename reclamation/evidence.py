"""What is known about the use of a seat at one moment, as plain data that a removal candidate keeps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from subscriptions.activity import last_used
from subscriptions.models import LastActivity, Subscription


def describe_use(seat: Subscription, *, covered: bool, now: datetime) -> dict[str, Any]:
    """Last activity (ISO 8601, UTC), the vendor's word for it, and whether all time since then was read (`covered`).

    `inactive_days` is None if it cannot be counted: without any activity, or if not all the time was read.
    """
    latest: LastActivity | None = getattr(seat, "last_activity", None)
    return {
        "last_activity": latest.at.isoformat() if latest else None,
        "kind": latest.kind if latest else "",
        "covered": covered,
        "inactive_days": last_used.inactive_days(latest.at, now) if latest and covered else None,
    }
