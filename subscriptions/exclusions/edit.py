"""Save or delete an exclusion rule and apply the change at once.

1. Store the rule and its line in the audit trail.
2. Mark and unmark the seats of every profile that the rule applies to or applied to before, one transaction each.
3. Where the *excluded* flag of a seat changed, request matching: an excluded seat has no user, and a seat that counts
   again needs one.
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
class RuleEffect:
    """How many seats had their *excluded* flag changed, and in how many profiles."""

    seats: int
    profiles: int


def save(rule: Rule, *, by: User) -> RuleEffect:
    """Create or change the rule and apply it. The caller has validated it."""
    with transaction.atomic():
        before = type(rule)._default_manager.select_for_update().filter(pk=rule.pk).first() if rule.pk else None
        rule.save()
        verb = "changed exclusion rule" if before else "created exclusion rule"
        audit.record(by, verb, rule, **_audit_difference(before, rule))
    return _apply_to_profiles({rule.profile_id, before.profile_id if before else rule.profile_id}, by)


def delete(rule: Rule, *, by: User) -> RuleEffect:
    """Delete the rule. Seats that no other rule excludes count again."""
    profile = rule.profile_id
    with transaction.atomic():
        audit.record(by, "deleted exclusion rule", rule, **_audit_values(rule))
        rule.delete()
    return _apply_to_profiles({profile}, by)


def _apply_to_profiles(profile_ids: set[int | None], by: User) -> RuleEffect:
    profiles = IntegrationProfile.objects.order_by("pk")
    if None not in profile_ids:
        profiles = profiles.filter(pk__in=[pk for pk in profile_ids if pk])
    changes = [_apply_to_profile(profile, by) for profile in profiles]
    return RuleEffect(seats=sum(changes), profiles=sum(1 for changed in changes if changed))


def _apply_to_profile(profile: IntegrationProfile, by: User) -> int:
    with transaction.atomic():
        # A publish takes the same lock, so whichever comes second applies the rules as they are then.
        locked = IntegrationProfile.objects.select_for_update(no_key=True, of=("self",)).filter(pk=profile.pk).first()
        changed = exclude.mark_seats(locked) if locked else 0
    if changed and profile.refreshed_at:
        queue.request_anew(profile, MATCH, trigger=JobRun.Trigger.MANUAL, by=by)
    return changed


def _audit_values(rule: Rule) -> dict[str, Any]:
    profile = str(rule.profile) if rule.profile else "every profile"
    return {"profile": profile, "active": rule.active, "reason": rule.reason}


def _audit_difference(before: Rule | None, after: Rule) -> dict[str, Any]:
    """All values of a new rule. Of a changed rule only the values that differ, before and after."""
    if before is None:
        return _audit_values(after)
    old, new = _audit_values(before) | {"rule": str(before)}, _audit_values(after) | {"rule": str(after)}
    return {name: {"before": old[name], "after": new[name]} for name in new if old[name] != new[name]}
