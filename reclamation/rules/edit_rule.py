"""Change a reclamation rule, or review it.

1. Lock the rule and set what changed. Nothing changed: nothing is written.
2. Refuse impossible settings.
3. A rule in mode automatic only observes for a week after a change of whom it proposes, and after it became automatic.
4. Store the rule, its new version, and before and after in the audit trail.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from reclamation.models import ReclamationRule
from reclamation.rules import versions
from samsaas import audit
from samsaas.lib import edits

OBSERVED = timedelta(days=7)
# Who is proposed follows from these. The mode stands among them, since a rule observes before it acts by itself.
WATCHED = (
    *("mode", "active", "threshold_days", "minimum_age_days", "conditions", "include_never_active", "include_invited"),
    *("include_suspended", "include_leavers", "invited_days", "logins_are_enough"),
)
NOT_REVIEWED = "A person has to review the rule before it may act automatically."


@transaction.atomic
def save(rule: ReclamationRule, changes: Mapping[str, Any], *, by: User, now: datetime) -> ReclamationRule:
    """Change the rule's settings, or its name, and return it as stored.

    `changes` are values by field. Raises ValidationError for impossible ones, and writes nothing then.
    """
    stored = _lock_rule(rule)
    changed = edits.set_changed(stored, changes, [name for name in ("name", *rule.SETTINGS) if name in changes])
    if not changed:
        return stored
    if stored.mode == stored.Mode.AUTOMATIC and stored.reviewed_at is None:
        raise ValidationError({"mode": NOT_REVIEWED})
    if stored.mode == stored.Mode.AUTOMATIC and set(WATCHED) & set(changed.after):
        stored.observe_until = now + OBSERVED
    is_setting = bool(set(stored.SETTINGS) & set(changed.after))
    stored.version += is_setting
    stored.full_clean()
    stored.save()
    if is_setting:
        versions.add_version(stored, by=by, now=now)
    audit.record(by, "changed reclamation rule", stored, before=changed.before, after=changed.after)
    return stored


@transaction.atomic
def review(rule: ReclamationRule, *, by: User, now: datetime, legal_hold_checked: bool = False) -> ReclamationRule:
    """Note that a person has read the rule and stands for it. Only then people are asked and subscriptions removed.

    `legal_hold_checked`: they said that no legal hold is known; kept with the version they saw.
    """
    stored = _lock_rule(rule)
    stored.reviewed_at, stored.reviewed_by = now, by
    stored.version += 1
    stored.save(update_fields=["reviewed_at", "reviewed_by", "version"])
    versions.add_version(stored, by=by, now=now, **{versions.LEGAL_HOLD: legal_hold_checked})
    audit.record(by, "reviewed reclamation rule", stored, version=stored.version, legal_hold_checked=legal_hold_checked)
    return stored


def observe_again(rules: list[ReclamationRule], *, why: str, now: datetime) -> None:
    """Let those of the rules that act automatically observe for a week, because what they rest on has changed."""
    for rule in rules:
        if rule.mode == rule.Mode.AUTOMATIC:
            until = max(filter(None, (rule.observe_until, now + OBSERVED)))
            ReclamationRule.objects.filter(pk=rule.pk).update(observe_until=until)
            audit.record(None, "let reclamation rule observe", rule, until=until.isoformat(), reason=why)


def _lock_rule(rule: ReclamationRule) -> ReclamationRule:
    return ReclamationRule.objects.select_for_update(no_key=True, of=("self",)).get(pk=rule.pk)
