"""The versions of a rule: what a save keeps of its settings, and a rule as one version had it."""

from __future__ import annotations

from copy import copy
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from reclamation.models import ReclamationRule, RuleVersion

LEGAL_HOLD = "legal_hold_checked"


def settings_as_stored(rule: ReclamationRule) -> dict[str, Any]:
    """The settings as a version keeps them: plain values, and the key of the assignment group."""
    return {name: getattr(rule, _column(name)) for name in ReclamationRule.SETTINGS}


def add_version(rule: ReclamationRule, *, by: User | None, now: datetime, **beside: Any) -> RuleVersion:
    """Store the rule's settings as its version `rule.version`. What a review noted is carried on."""
    last = newest_version(rule)
    noted = {LEGAL_HOLD: bool(last and last.settings.get(LEGAL_HOLD)), **beside}
    return RuleVersion.objects.create(
        rule=rule, version=rule.version, settings={**settings_as_stored(rule), **noted}, by=by, at=now
    )


def newest_version(rule: ReclamationRule) -> RuleVersion | None:
    """The version the rule has now; None for a rule that was never stored."""
    return rule.versions.order_by("-version").first()


def rule_as_of(version: RuleVersion) -> ReclamationRule:
    """The rule with the settings of one of its versions. Nobody may save it."""
    rule = copy(version.rule)
    for name in ReclamationRule.SETTINGS:
        if name in version.settings:
            setattr(rule, _column(name), version.settings[name])
    rule.version = version.version
    return rule


def legal_hold_checked(rule: ReclamationRule) -> bool:
    """Whether whoever reviewed the rule said that no legal hold is known for its subscriptions."""
    last = newest_version(rule)
    return bool(last and last.settings.get(LEGAL_HOLD))


def _column(name: str) -> str:
    return "assignment_group_id" if name == "assignment_group" else name
