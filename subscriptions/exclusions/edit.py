"""Save or delete an exclusion rule, with effect at once.

1. Store the rule and its line in the audit trail.
2. Mark and unmark the seats of every profile the rule applies to, or applied to before; a transaction per profile.
3. Where seats changed sides, have people matched again: who is left out matches nobody, who comes back needs a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from profiles.jobs import queue
from profiles.models import IntegrationProfile, JobRun
from samsaas import audit
from subscriptions.exclusions import exclude
from subscriptions.exclusions.exclude import Rule
from subscriptions.rematch import MATCH


@dataclass(frozen=True)
class Effect:
    """How many seats changed sides, in how many profiles."""

    seats: int
    profiles: int


def save(rule: Rule, *, by: User) -> Effect:
    """Create or change the rule. The caller has validated it."""
    with transaction.atomic():
        before = type(rule)._default_manager.select_for_update().filter(pk=rule.pk).first() if rule.pk else None
        rule.save()
        verb = "changed exclusion rule" if before else "created exclusion rule"
        audit.record(by, verb, rule, **_difference(before, rule))
    return _apply({rule.profile_id, before.profile_id if before else rule.profile_id}, by)


def delete(rule: Rule, *, by: User) -> Effect:
    """Delete the rule; what only it left out counts again."""
    profile = rule.profile_id
    with transaction.atomic():
        audit.record(by, "deleted exclusion rule", rule, **_told(rule))
        rule.delete()
    return _apply({profile}, by)


def _apply(profile_ids: set[int | None], by: User) -> Effect:
    profiles = IntegrationProfile.objects.order_by("pk")
    if None not in profile_ids:
        profiles = profiles.filter(pk__in=[pk for pk in profile_ids if pk])
    changes = [_apply_to(profile, by) for profile in profiles]
    return Effect(seats=sum(changes), profiles=sum(1 for changed in changes if changed))


def _apply_to(profile: IntegrationProfile, by: User) -> int:
    with transaction.atomic():
        # The lock of a publish: whichever comes second applies the rules as they are then.
        locked = IntegrationProfile.objects.select_for_update(no_key=True, of=("self",)).filter(pk=profile.pk).first()
        changed = exclude.apply(locked) if locked else 0
    if changed and profile.refreshed_at:
        queue.request_anew(profile, MATCH, trigger=JobRun.Trigger.MANUAL, by=by)
    return changed


def _told(rule: Rule) -> dict[str, Any]:
    told = {"profile": str(rule.profile) if rule.profile else "every profile", "active": rule.active}
    return told | {"reason": rule.reason}


def _difference(before: Rule | None, after: Rule) -> dict[str, Any]:
    """All of a new rule; of a changed one what it was and what it is."""
    if before is None:
        return _told(after)
    old, new = _told(before) | {"rule": str(before)}, _told(after) | {"rule": str(after)}
    return {name: {"before": old[name], "after": new[name]} for name in new if old[name] != new[name]}
