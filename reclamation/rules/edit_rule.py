"""Change a reclamation rule, or review it.

1. Lock the rule, refuse a form that somebody else overtook, and set what changed. Nothing changed: nothing is written.
2. Refuse impossible settings.
3. A rule in mode automatic only observes for a week after a change of whom it proposes, and after it became automatic.
4. Store the rule, its new version, and before and after in the audit trail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Opened:
    """What somebody saw of a rule when they opened its form. The name is no setting, so it is no part of a version."""

    version: int
    name: str

    @classmethod
    def of_rule(cls, rule: ReclamationRule) -> Opened:
        return cls(rule.version, rule.name)


@transaction.atomic
def save(
    rule: ReclamationRule, changes: Mapping[str, Any], *, by: User, now: datetime, opened: Opened | None = None
) -> ReclamationRule:
    """Change the rule's settings, or its name, and return it as stored.

    `changes` are values by field. Raises ValidationError for impossible ones, and `edits.EditConflict` if the rule is
    no longer as it was `opened`. Nothing is written then.
    """
    stored = _lock_rule(rule)
    if opened:
        edits.refuse_stale(opened, Opened.of_rule(stored))
    changed = edits.set_changed(stored, changes, [name for name in ("name", *rule.SETTINGS) if name in changes])
    if not changed:
        return stored
    if stored.mode == stored.Mode.AUTOMATIC and stored.reviewed_at is None:
        raise ValidationError({"mode": NOT_REVIEWED})
    observe_if_watched(stored, changed.after, now)
    is_setting = bool(set(stored.SETTINGS) & set(changed.after))
    stored.version += is_setting
    stored.full_clean()
    stored.save()
    if is_setting:
        versions.add_version(stored, by=by, now=now)
    audit.record(by, "changed reclamation rule", stored, before=changed.before, after=changed.after)
    return stored


def observe_if_watched(rule: ReclamationRule, changed: Iterable[str], now: datetime) -> bool:
    """Let a rule in mode automatic observe if whom it proposes has changed. The caller saves. True if it did."""
    observes = rule.mode == rule.Mode.AUTOMATIC and bool(set(WATCHED) & set(changed))
    if observes:
        rule.observe_until = now + OBSERVED
    return observes


@transaction.atomic
def review(
    rule: ReclamationRule,
    *,
    by: User,
    now: datetime,
    legal_hold_checked: bool = False,
    opened: Opened | None = None,
) -> ReclamationRule:
    """Note that a person has read the rule and stands for it. Only then people are asked and subscriptions removed.

    `legal_hold_checked`: they said that no legal hold is known; kept with the version they saw. Raises
    `edits.EditConflict` if the rule is no longer as it was `opened`: then they have read another one.
    """
    stored = _lock_rule(rule)
    if opened:
        edits.refuse_stale(opened, Opened.of_rule(stored))
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
