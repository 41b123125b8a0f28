"""Close several candidates as skipped, and keep their subscriptions for a while.

1. Move each batch through the workflow: history and audit trail have a line for each candidate.
2. Note until when their subscriptions are kept, in every profile of their team, so that the next find does not open
   them again: until the day in the form, otherwise for as many days as the rule of each candidate says.

Each batch is one transaction. A second run finds nothing left to do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from profiles.models import IntegrationProfile
from reclamation import workflow
from reclamation.models import RemovalCandidate
from reclamation.rules import settings_of
from samsaas import audit
from samsaas.lib.bulk import in_slices
from subscriptions.models import Subscription

BATCH = 500


def run(keys: Sequence[int], *, reason: str, keep_until: date | None, by: User, now: datetime) -> int:
    """Returns how many candidates were closed. One that cannot be closed any more is left as it is."""
    return sum(_close_batch(batch, reason, keep_until, by, now) for batch in in_slices(keys, BATCH))


@transaction.atomic
def _close_batch(keys: Sequence[int], reason: str, keep_until: date | None, by: User, now: datetime) -> int:
    closed = workflow.skip_batch(keys, reason=reason, by=by, now=now)
    today = timezone.localtime(now).date()
    days = defaultdict(list)
    for one in closed:
        days[keep_until or today + timedelta(days=settings_of(one).cool_down_days)].append(one)
    seats = _seats_of(closed)
    for until, candidates in days.items():
        kept = Subscription.objects.filter(pk__in={pk for one in candidates for pk in seats[one.pk]})
        earlier = Q() if keep_until else Q(keep_until=None) | Q(keep_until__lt=until)  # a default shortens nothing
        kept.filter(earlier).update(keep_until=until)
        audit.record_many(by, "kept subscription", ((one, {"until": until.isoformat()}) for one in candidates))
    return len(closed)


def _seats_of(candidates: Sequence[RemovalCandidate]) -> dict[int, list[int]]:
    """The subscriptions of each candidate's account: its own, and those of other profiles of the same team."""
    teams = {one.profile.team_id for one in candidates if one.profile and one.profile.team_id}
    profiles = IntegrationProfile.objects.filter(team_id__in=teams).values_list("pk", "vendor", "team_id")
    team_of = {pk: (vendor, team) for pk, vendor, team in profiles}
    accounts = {one.external_id for one in candidates}
    rows = Subscription.objects.filter(profile__in=list(team_of), external_id__in=accounts)
    by_account = defaultdict(list)
    for pk, profile_id, external_id in rows.values_list("pk", "profile_id", "external_id"):
        by_account[team_of[profile_id], external_id].append(pk)
    found = {}
    for one in candidates:
        team = team_of.get(one.profile_id) if one.profile_id else None
        own = [one.subscription_id] if one.subscription_id else []
        found[one.pk] = [*own, *(by_account[team, one.external_id] if team else [])]
    return found
