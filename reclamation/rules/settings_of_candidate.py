"""The settings that decide on a candidate: those of its rule, or the defaults where it has none."""

from __future__ import annotations

from datetime import UTC, datetime

from reclamation.models import ReclamationRule, RemovalCandidate, RuleVersion
from reclamation.rules import versions
from reclamation.workflow import BEFORE_ASKING

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def settings_of(candidate: RemovalCandidate) -> ReclamationRule:
    """The candidate's rule. Nobody may save what this returns.

    Once its user or an approver was asked, a candidate goes on with the version of the rule it was asked under,
    whatever the rule says now. One opened by hand or without a software model has no rule: it gets an unsaved one with
    the defaults.
    """
    asked_under = None if candidate.state in BEFORE_ASKING else candidate.rule_version
    return settings_under(candidate.rule, asked_under)


def settings_under(rule: ReclamationRule | None, version: RuleVersion | None) -> ReclamationRule:
    """A rule as it is now, or as that version had it; the defaults without one. Nobody may save what this returns."""
    if rule is None:
        return ReclamationRule.with_defaults(BEGINNING)
    if version is None or version.version == rule.version:
        return rule
    return versions.rule_as_of(version)
