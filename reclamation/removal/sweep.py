"""What happens to removals every minute, without a press: have runs go on with what is due, and note what was learned.

1. Request a run for every connected profile of which something is due. Where it is not connected, say so.
2. Raise the alarm for removals that turn out to be wrong.
3. Take savings back whose accounts, or their users, have a subscription again.
4. Note what renewals that began today saved.
5. Mark batches as done.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from profiles.connectors import base
from profiles.models import IntegrationProfile
from profiles.oauth import scopes
from reclamation import workflow
from reclamation.models import RemovalAttempt
from reclamation.removal import batches, due, regret, start
from reclamation.savings import gone_back, renewals

NOT_CONNECTED = "The profile is not connected, or Reclaim subscriptions is off. Removals wait until it is."


def run(now: datetime) -> None:
    """One round."""
    for profile in _profiles_with_work(now):
        if _is_connected(profile):
            start.request_run(profile, by=None)
        else:
            _say_not_connected(profile, now)
    regret.watch(now=now)
    take_back_savings()
    renewals.note_saved(now)
    batches.end_done()


def _profiles_with_work(now: datetime) -> list[IntegrationProfile]:
    """Profiles with an attempt that is due, a call of a dead worker, or a candidate that waits for an attempt."""
    dead = Q(state=RemovalAttempt.State.CALLING, lease_until__lt=Now())
    keys = {
        *due.attempts_due(now).values_list("profile", flat=True),
        *RemovalAttempt.objects.filter(dead, profile__isnull=False).values_list("profile", flat=True),
        *(one.profile_id for one in start.waits_for_attempt()),
    }
    known = [key for key in keys if key is not None]
    return list(IntegrationProfile.objects.filter(pk__in=known).select_related("alias__parent"))


def _is_connected(profile: IntegrationProfile) -> bool:
    row = next((one for one in scopes.by_grant(profile) if one.process.key == base.RECLAIM), None)
    return bool(row and row.enabled and row.connected)


def _say_not_connected(profile: IntegrationProfile, now: datetime) -> None:
    """On what is due, and on candidates that wait for an attempt. One that can still be undone waits for nothing."""
    due.say_why(profile, now, code=due.NOT_CONNECTED, text=NOT_CONNECTED)
    for one in start.waits_for_attempt():
        if one.profile_id == profile.pk:
            workflow.hold(one, code=due.NOT_CONNECTED, text=NOT_CONNECTED)


def take_back_savings() -> int:
    """Note the savings that are gone because the account, or its user, has a subscription again. Returns how many."""
    return gone_back.run(timezone.now())
