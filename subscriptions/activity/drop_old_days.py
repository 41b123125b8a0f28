# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Drop the days on which seats were used once they are more than 400 days old.

Seats are gone through in windows by key, each in a transaction of its own. The table of days has no index by day alone,
because that would cost a million entries a day; so each seat's first days are looked for in the table's own key.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.db import transaction

from profiles.jobs.job import Job
from profiles.models import IntegrationProfile
from samsaas.lib import sql
from subscriptions.activity.store import DAYS, SEATS
from subscriptions.models import Subscription

KEPT = timedelta(days=400)
WINDOW = 50_000


def first_kept_day(now: datetime) -> date:
    """The first day (UTC) whose use is still known, if it was ever read."""
    return (now.astimezone(UTC) - KEPT).date()


def run(job: Job, profile: IntegrationProfile, now: datetime) -> int:
    """Drop the old days of the profile's seats, and return how many there were. Raises `LeaseLost` or `Canceled`."""
    first = first_kept_day(now)
    oldest = first.isoformat() if not sql.is_postgresql() else first
    seats = Subscription.objects.filter(profile=profile).order_by("pk")
    dropped, last = 0, 0
    while window := list(seats.filter(pk__gt=last).values_list("pk", flat=True)[:WINDOW]):
        with transaction.atomic():
            dropped += sql.execute(
                f"DELETE FROM {DAYS} WHERE day < %s AND subscription_id IN "
                f"(SELECT id FROM {SEATS} WHERE profile_id = %s AND id BETWEEN %s AND %s)",
                [oldest, profile.pk, window[0], window[-1]],
            )
            job.fence()
        last = window[-1]
    return dropped
