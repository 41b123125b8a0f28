"""The removal candidates of a seat, what is true of one of them now, and its evidence in words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html

from reclamation import evidence, guards, propose, reexamine
from reclamation.models import RemovalCandidate
from samsaas.templatetags.ui import number
from subscriptions.models import Subscription
from subscriptions.templatetags.idle import NO_FILE_EVENTS

register = template.Library()
LATEST = 5
CLOSES = "The next daily refresh closes this candidate."
KEEPS = "The account keeps its subscription."


@register.simple_tag
def candidates_of(seat: Subscription) -> dict[str, Any]:
    """The latest candidates of a seat, newest first, whether that one is open, and why no new one can be opened."""
    found = list(seat.removal_candidates.all()[:LATEST])
    is_open = bool(found) and found[0].is_open
    return {"rows": found, "is_open": is_open, "refusal": "" if is_open else propose.refusal_reason(seat)}


@register.filter
def evidence_days(candidate: RemovalCandidate) -> str:
    """The inactive days of the evidence: a number, or at least a number."""
    least = "≥ " if evidence.exactness(candidate) == "at least" else ""
    return format_html("{}{}", least, number(candidate.evidence.get("inactive_days")))


@register.filter
def evidence_sentence(candidate: RemovalCandidate) -> str:
    """How far the time was read that the evidence is about."""
    known = candidate.evidence
    if not known["covered"]:
        return "Not all the time was read, so inactive days cannot be counted."
    if evidence.exactness(candidate) == "at least":
        since = datetime.fromisoformat(known["covered_since"])
        return (
            f"Nothing was seen since {timezone.localtime(since):%-d %b %Y}; before that day not all the time was read."
        )
    if known["last_activity"]:
        return "All the time since was read."
    return "Nothing was seen in all the time that was read."


@register.filter
def evidence_file_events(candidate: RemovalCandidate) -> str:
    """The warning for a plan that recorded no file events; empty for any other."""
    return NO_FILE_EVENTS if candidate.evidence.get("file_events") is False else ""


@register.filter
def standing(candidate: RemovalCandidate) -> dict[str, str]:
    """A banner for an open candidate: what is true of its account now, and what will become of the candidate."""
    code = guards.code_for(candidate.subscription) if candidate.subscription else guards.ENDED
    if code == guards.ENDED:
        gone = reexamine.GONE if candidate.subscription else reexamine.NOT_KEPT
        return {"tone": "warn", "title": "There is nothing to remove any more", "text": f"{gone} {CLOSES}"}
    if code:
        return {"tone": "warn", "title": "Nothing has been removed", "text": f"{reexamine.REASONS[code]} {CLOSES}"}
    if candidate.attention:
        return {"tone": "warn", "title": "A person has to look at this", "text": f"{candidate.attention} {KEEPS}"}
    return {"tone": "info", "title": "Nothing has been removed", "text": f"A candidate is a proposal. {KEEPS}"}


@register.filter
def after_skipping(candidate: RemovalCandidate) -> str:
    """What closing a candidate as skipped means for its account."""
    gone = candidate.subscription is None or candidate.subscription.ended_at is not None
    return "no longer has the subscription" if gone else "keeps the subscription"
