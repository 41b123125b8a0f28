"""Save or delete an exclusion rule, or rules of many addresses, and apply the change at once.

1. Store the rule and its line in the audit trail. Many have one line each.
2. Mark and unmark the seats of every profile that the rule applies to or applied to before, one transaction each.
3. Where the *excluded* flag of a seat changed, request matching: an excluded seat has no user, and a seat that counts
   again needs one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from profiles.jobs import queue
from profiles.models import IntegrationProfile, JobRun
from samsaas import audit
from subscriptions.exclusions import exclude
from subscriptions.exclusions.exclude import Rule
from subscriptions.models import UserExclusion
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


@transaction.atomic
def exclude_addresses(
    profile: IntegrationProfile, addresses: Iterable[str], *, reason: str, by: User
) -> tuple[list[UserExclusion], int]:
    """Make a rule of this profile for each address. Returns the rules, and how many seats are excluded by them.

    The caller has locked the profile and seen that no such rule is there.
    """
    rules = (UserExclusion(profile=profile, pattern=address, reason=reason) for address in addresses)
    made = UserExclusion.objects.bulk_create(rules)
    audit.record_many(by, "created exclusion rule", ((rule, _audit_values(rule)) for rule in made))
    return made, _apply_to_profile(profile, by)


@transaction.atomic
def delete_many(rules: Sequence[UserExclusion], *, by: User) -> RuleEffect:
    """Delete the rules, read with their profiles. Seats that no other rule excludes count again."""
    profiles = {rule.profile_id for rule in rules}
    audit.record_many(by, "deleted exclusion rule", ((rule, _audit_values(rule)) for rule in rules))
    UserExclusion.objects.filter(pk__in=[rule.pk for rule in rules]).delete()
    return _apply_to_profiles(profiles, by) if profiles else RuleEffect(0, 0)


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
        changed = exclude.mark_seats(locked, now=timezone.now()) if locked else 0
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
