"""The time that a candidate's evidence is about, as a band: what of it was read, and when it was last used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from reclamation.models import RemovalCandidate

USUAL_DAYS = 60  # of evidence from before rules were kept in it


@dataclass(frozen=True)
class EvidenceStretch:
    """A part of the band. Place and width are per cent, as texts, because a template would write them localized."""

    label: str
    fill: str
    start: str
    width: str


@dataclass(frozen=True)
class EvidenceBand:
    since: datetime
    until: datetime
    stretches: tuple[EvidenceStretch, ...]
    words: str


def draw(candidate: RemovalCandidate) -> EvidenceBand:
    """The band of the candidate's frozen evidence, from the first day of its threshold to its opening."""
    known, until = candidate.evidence, candidate.opened_at
    since = _moment(known, "used_since") or until - timedelta(days=known.get("threshold_days") or USUAL_DAYS)
    read_from, read_until = _moment(known, "covered_since"), _moment(known, "covered_until") or until
    parts = [(since, until, "Not read", "fill-warn")]
    if known.get("covered") and read_from and read_from < until:
        begin, end = max(since, read_from), min(until, read_until)
        parts = [(since, begin, "Not read", "fill-warn"), (begin, end, "Read", "fill-good")]
        parts.append((end, until, "Not read yet", "fill-warn"))
    parts = [one for one in parts if one[0] < one[1]]
    whole = (until - since).total_seconds() or 1
    stretches = [
        EvidenceStretch(
            label, fill, f"{100 * (begin - since).total_seconds() / whole:.3f}", f"{_share(begin, end, whole):.3f}"
        )
        for begin, end, label, fill in parts
    ]
    used = _moment(known, "last_activity")
    if used and since <= used <= until:
        stretches.append(
            EvidenceStretch("Last use", "fill-bad", f"{max(0, _share(since, used, whole) - 0.5):.3f}", "1.000")
        )
    days = [(label.lower(), _day(begin), _day(end)) for begin, end, label, _ in parts]
    spans = ", ".join(f"{label} {first} to {last}" for label, first, last in days if first != last or len(days) == 1)
    known_use = f"Last use {_day(used)}." if used else "No use is known."
    return EvidenceBand(since, until, tuple(stretches), f"{spans[:1].upper()}{spans[1:]}. {known_use}")


def _share(begin: datetime, end: datetime, whole: float) -> float:
    return 100 * (end - begin).total_seconds() / whole


def _moment(known: dict[str, Any], name: str) -> datetime | None:
    return datetime.fromisoformat(known[name]) if known.get(name) else None


def _day(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%-d %b %Y}"
