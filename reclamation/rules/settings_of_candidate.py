"""The settings that decide on a candidate: those of its rule, or the defaults where it has none."""

from __future__ import annotations

from reclamation.models import ReclamationRule, RemovalCandidate


def settings_of(candidate: RemovalCandidate) -> ReclamationRule:
    """The candidate's rule, or an unsaved one with the defaults. Nobody may save what this returns."""
    return candidate.rule or ReclamationRule(name="Defaults")
