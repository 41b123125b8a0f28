"""Rules: when a seat counts as idle, and the settings that a candidate goes by."""

from __future__ import annotations

from reclamation.models import ReclamationRule, RemovalCandidate


def settings_of(candidate: RemovalCandidate) -> ReclamationRule:
    """The rule of the candidate, or the defaults for one without a rule (by hand, unrecognized)."""
    return candidate.rule or ReclamationRule()
