"""What is known about the use of a seat at one moment, as plain data that a removal candidate keeps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from reclamation.models import RemovalCandidate
from reclamation.reasons import Note, Reason
from reclamation.terms import Standing, Terms
from subscriptions.activity import last_used
from subscriptions.models import LastActivity


def describe_use(seat: Any, *, now: datetime) -> dict[str, Any]:
    """What is known of the use of a seat of `last_used.with_idle_facts`, with its profile.

    Last activity (ISO 8601, UTC) and the vendor's word for it; whether anything is known until now (`covered`), and
    since when (`covered_since`); the days without use, and whether these are exact or the least (`exact`); and whether
    the vendor's plan records file events. What is not known is None.
    """
    latest: LastActivity | None = getattr(seat, "last_activity", None)
    idle = last_used.idle(seat, now)
    return {
        "last_activity": latest.at.isoformat() if latest else None,
        "kind": latest.kind if latest else "",
        "covered": idle is not None,
        "covered_since": seat.vouched_from.isoformat() if seat.vouched_from else None,
        "inactive_days": idle.days if idle else None,
        "exact": idle.is_exact if idle else None,
        "file_events": seat.profile.file_events,
        "run": latest.run_id if latest else None,
    }


def describe_verdict(seat: Any, reason: Reason, terms: Terms, standing: Standing, notes: list[str]) -> dict[str, Any]:
    """What a rule went by when it proposed a seat of `verdicts.with_verdicts`: its days, and how far was read."""
    moments = {"used_since": terms.used_since, "covered_until": standing.covered_until, "began": seat.began}
    return {
        "reason": reason.value,
        "notes": notes,
        "threshold_days": terms.rule.threshold_days,
        "minimum_age_days": terms.rule.minimum_age_days,
        **{name: moment.isoformat() if moment else None for name, moment in moments.items()},
    }


def exactness(candidate: RemovalCandidate) -> str:
    """Whether the inactive days of the evidence are exact or the least; empty if they are not known.

    Evidence from before this was told apart was kept only where it was exact.
    """
    if candidate.evidence.get("inactive_days") is None:
        return ""
    return "exactly" if candidate.evidence.get("exact", True) else "at least"


def file_events(candidate: RemovalCandidate) -> str:
    """Whether the vendor's plan recorded file events when the candidate was opened; empty if that is not known."""
    return {None: "", True: "Recorded", False: "Not in this plan"}[candidate.evidence.get("file_events")]


def reason_label(candidate: RemovalCandidate) -> str:
    """Why it was proposed, in a few words. Candidates of earlier versions were proposed by hand."""
    return str(Reason(candidate.reason or Reason.MANUAL).label)


def notes(candidate: RemovalCandidate) -> list[str]:
    """What a person should know besides the reason, in words."""
    return [str(Note(code).label) for code in candidate.evidence.get("notes", [])]
